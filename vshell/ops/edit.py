"""Editing: replacing some text of a file by other text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vshell.errors import DecodeError
from vshell.fs.content import hash_of
from vshell.fs.paths import PathLike
from vshell.fs.records import Stat, Written
from vshell.fs.writing import check_version
from vshell.ops.context import Context
from vshell.ops.lazy_patch import LazyPatch, Patched, Version, patch_text, stored_patch
from vshell.ops.read import check_text
from vshell.text.lines import decode

if TYPE_CHECKING:
    from vshell.text.edits import Edit, Edited, Level


@dataclass(frozen=True, slots=True)
class EditResult(Patched):
    """What an edit did, or with `dry_run` would do.

    Attributes:
        path: The file's path from the root, links followed.
        replacements: How many places were replaced.
        strategy: The loosest level that was needed to find them: `"exact"`, `"rstrip"`,
            `"strip"` or `"unicode"`.
        first_changed_line: The line, from 1, where the new content begins to differ.
        reindented: Whether new text was indented as the file is, at the level `"strip"`.
        bytes: How many bytes the file has now.
        version: Its version, for `expected_version` of a later change; after a dry run
            the one that it has still.
        old_hash: What identified its content before.
        hash: What identifies its content now.
        dry_run: Whether nothing was changed.
        patch: The change as a unified diff, computed when asked for.
    """

    path: str
    replacements: int
    strategy: Level
    first_changed_line: int
    reindented: bool
    bytes: int
    version: int
    old_hash: str
    hash: str
    dry_run: bool
    _patch: LazyPatch = field(repr=False, compare=False)


def edit(
    context: Context,
    path: PathLike,
    edits: Edit | Mapping[str, object] | Sequence[Edit | Mapping[str, object]],
    *,
    basis: Literal["original", "sequential"] = "original",
    fuzz: Literal["none", "rstrip", "strip", "unicode"] = "none",
    expected_version: int | None = None,
    dry_run: bool = False,
) -> EditResult:
    """Replace texts in a file: all of them, or none and an error that says why.

    Each text must be there exactly once, unless all its occurrences are meant. What is
    around it stays as it is to the byte; line endings of the new text become the file's.

    Args:
        path: The file; a link is followed.
        edits: An edit or a list of them, each an `Edit` or a mapping with the texts
            `old` and `new`, and maybe `replace_all`.
        basis: Look for every text in the file as it is (`"original"`: their order does not
            matter, and no two may touch the same text), or for each in what the ones
            before made of it (`"sequential"`).
        fuzz: What may differ when a text is not there as given: white space at the ends
            of lines (`"rstrip"`), also at their starts (`"strip"`), also typographic
            characters (`"unicode"`).
        expected_version: The version that the file must have.
        dry_run: Say what would happen, and change nothing.

    Returns:
        What was done, and where.

    Raises:
        NoMatchError: A text is not there; `data["near"]` has what is most like it.
        MultipleMatchesError: A text is there more than once; `data` has where.
        OverlappingEditsError: Two edits touch the same text.
        NoChangeError: An edit changes nothing.
        EmptyOldError: A text to replace is empty.
        EditError: `edits`, `basis` or `fuzz` is not of that form.
        StaleError: The file has another version.
        NotReadError: The session requires that it is read first.
        BinaryFileError: It is no text.
        DecodeError: It is UTF-16, and damaged.
        TooLargeError: It has more than 64 MiB, or would have, or there is too much to do.
        QuotaExceededError: The result would not fit.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    from vshell.text.edits import parse_edits

    where = context.resolve(path)
    job = _Job(context, where, parse_edits(edits, path=where), basis, fuzz, expected_version)
    if dry_run:
        with context.files.reading():
            old, stat, done, new = job.run()
            real = context.files.realpath(where)
        written = Written(real, False, None, hash_of(new), len(new), stat.version)
        patch = _patch_of(real, old, new)
    else:
        with context.changing("edit"):
            _, stat, done, new = job.run()
            written = context.files.write(where, new)
            context.note_read(where, written.after.hex())
        patch = stored_patch(context.files, written.path, stat.hash, written.after.hex())
    return EditResult(
        written.path,
        done.replacements,
        done.strategy,
        done.first_changed_line,
        done.reindented,
        written.size,
        written.version,
        stat.hash or "",
        written.after.hex(),
        dry_run,
        patch,
    )


@dataclass(frozen=True, slots=True)
class _Job:
    context: Context
    path: str
    edits: Sequence[Edit]
    basis: Literal["original", "sequential"]
    fuzz: Literal["none", "rstrip", "strip", "unicode"]
    expected_version: int | None

    def run(self) -> tuple[bytes, Stat, Edited, bytes]:
        """Return the file as it is, and what becomes of it; nothing is written yet."""
        data, stat = self.context.files.read_with_stat(self.path)
        check_version(self.path, stat.version, self.expected_version)
        self.context.require_seen(self.path)
        check_text(self.path, data)
        encoding = decode(data[:2]).encoding
        if not encoding.startswith("utf-16"):
            done = self._edited(data)
            return data, stat, done, done.data
        # The text is edited as `read` shows it, and written back as it was.
        try:
            done = self._edited(data[2:].decode(encoding).encode())
            return data, stat, done, data[:2] + done.data.decode().encode(encoding)
        except UnicodeError as error:
            raise DecodeError(
                f"the file begins as {encoding.upper()}, but {error.args[-1]}: {self.path}",
                path=self.path,
                hint="use read_bytes and write",
            ) from None

    def _edited(self, data: bytes) -> Edited:
        from vshell.text.edits import apply_edits

        return apply_edits(data, self.edits, path=self.path, basis=self.basis, fuzz=self.fuzz)


def _patch_of(path: str, old: bytes, new: bytes) -> LazyPatch:
    before = Version(path, "file", None, "before", lambda: old)
    after = Version(path, "file", None, "after", lambda: new)
    return LazyPatch(lambda: patch_text([(before, after)]))
