"""Patches of any number of files: bounded, and computed only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from stat import S_IFLNK
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vshell.errors import NotFoundError, TooLargeError
from vshell.fs.reading import FileReader
from vshell.fs.records import Kind
from vshell.limits import MAX_TEXT_BYTES
from vshell.record import Record

if TYPE_CHECKING:
    from vshell.text.unified import FileDiff

MAX_DIFF_LINES: Final = 1_000_000
"""How many lines two versions may have together: measured at 17 s and 0.5 GB at worst."""

MAX_PATCH_CHARACTERS: Final = 256 * 1024**2
"""The longest patch of many files; it is one text in memory."""


class LazyPatch:
    """A patch that is computed at the first look, and then kept.

    Args:
        compute: Returns its text.
    """

    __slots__ = ("_compute", "_text")

    def __init__(self, compute: Callable[[], str]) -> None:
        self._compute = compute
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self._compute()
        return self._text

    def __reduce__(self) -> tuple[Any, ...]:
        # What another process gets cannot ask this workspace any more.
        return _known_patch, (self.text,)


def _known_patch(text: str) -> LazyPatch:
    return LazyPatch(lambda: text)


class Patched(Record):
    """A result with a patch; a subclass has the field `_patch`."""

    __slots__ = ()

    _patch: LazyPatch

    @property
    def patch(self) -> str:
        """The change as a unified diff, computed when asked for."""
        return self._patch.text

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, but for the patch; see `Record.as_dict`."""
        fields = super().as_dict()
        del fields["_patch"]
        return fields


@dataclass(frozen=True, slots=True)
class Version:
    """A file or link as it is on one side of a patch.

    Attributes:
        path: Its path.
        kind: `"file"` or `"symlink"`.
        mode: Its permission bits; None when they are the same on both sides.
        hash: Identifies its content.
        load: Returns its content; may raise a `TooLargeError`.
    """

    path: str
    kind: Kind
    mode: int | None
    hash: str
    load: Callable[[], bytes]

    @property
    def git_mode(self) -> int | None:
        return S_IFLNK | 0o777 if self.kind == "symlink" else self.mode


Pair = tuple[Version | None, Version | None]


class Compared(NamedTuple):
    """A pair of versions, their difference, and whether it was too large to look into."""

    before: Version | None
    after: Version | None
    diff: FileDiff
    too_large: bool


def stored(
    files: FileReader, path: str, kind: Kind, mode: int | None, content_hash: str
) -> Version:
    """Return the version whose content has this hash, which is loaded when it is needed."""

    def load() -> bytes:
        try:
            return files.read_hash(bytes.fromhex(content_hash), max_bytes=MAX_TEXT_BYTES)
        except NotFoundError as error:
            raise NotFoundError(error.message, path=path, hint=error.hint) from None
        except TooLargeError as error:
            raise _too_large(path, str(error)) from None

    return Version(path, kind, mode, content_hash, load)


def stored_patch(
    files: FileReader, path: str, before_hash: str | None, after_hash: str
) -> LazyPatch:
    """Return the patch of one file between contents that the workspace has."""

    def compute() -> str:
        before = None if before_hash is None else stored(files, path, "file", None, before_hash)
        return patch_text([(before, stored(files, path, "file", None, after_hash))])

    return LazyPatch(compute)


def pairs_of(
    before: Iterable[Version], after: Iterable[Version], renames: Mapping[str, str]
) -> list[Pair]:
    """Match the two sides of a patch, as git does.

    What is at the same path on both sides is a modification. A rename counts only where
    its old path is free afterwards and its new one was free before, and no directory has
    to make way: so no entry of the patch depends on another, and tools that apply them
    in turn get the same result.

    Args:
        before: What was there, of all paths that the patch is about.
        after: What is there.
        renames: The old path of each new one.

    Returns:
        Pairs in the order of their paths.
    """
    old = {version.path: version for version in before}
    new = {version.path: version for version in after}
    old_directories, new_directories = _directories(old), _directories(new)

    def is_free(path: str, side: Mapping[str, Version], directories: set[str]) -> bool:
        return path not in side and path not in directories and not side.keys() & _above(path)

    pairs: dict[str, Pair] = {path: (old.get(path), version) for path, version in new.items()}
    moved: set[str] = set()
    for path, source in renames.items():
        if (
            # GNU patch does not rename a link.
            new[path].kind == "file"
            and source not in moved
            and is_free(path, old, old_directories)
            and is_free(source, new, new_directories)
        ):
            moved.add(source)
            pairs[path] = (old[source], new[path])
    for path in old.keys() - new.keys() - moved:
        pairs[path] = (old[path], None)
    return [pairs[path] for path in sorted(pairs)]


def _directories(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        found |= _above(path)
    return found


def _above(path: str) -> set[str]:
    """Return the directories that a path is in, but for the root."""
    return {path[:at] for at, character in enumerate(path) if character == "/" and at}


def compare_versions(pairs: Iterable[Pair]) -> Iterator[Compared]:
    """Yield the difference of each pair that has one.

    A version that is too large is treated as a binary file: it is named, and no more.

    Raises:
        TooLargeError: The patch as a whole is over 256 Mi characters.
        NotFoundError: A collection removed the content of a version.
    """
    from vshell.text.unified import unified_diff

    total = 0
    for before, after in pairs:
        old, new, too_large = _contents(before, after)
        diff = unified_diff(
            old,
            new,
            old_path=_path(before, after),
            new_path=_path(after, before),
            old_mode=before.git_mode if before else None,
            new_mode=after.git_mode if after else None,
        )
        total += len(diff.text)
        if total > MAX_PATCH_CHARACTERS:
            raise TooLargeError(
                f"the patch is over {MAX_PATCH_CHARACTERS} characters",
                hint="compare smaller parts of the tree",
            )
        if diff.text:
            yield Compared(before, after, diff, too_large)


def patch_text(pairs: Iterable[Pair]) -> str:
    """Return the patch of all pairs; errors as `compare_versions`."""
    return "".join(compared.diff.text for compared in compare_versions(pairs))


def check_comparable(path: str, old: bytes, new: bytes) -> None:
    """Make sure that two versions are small enough to be compared line by line.

    Raises:
        TooLargeError: One has more than 64 MiB, or both together more than 1,000,000 lines.
    """
    size = max(len(old), len(new))
    if size > MAX_TEXT_BYTES:
        raise _too_large(path, f"it has {size} bytes, more than {MAX_TEXT_BYTES}")
    lines = old.count(b"\n") + new.count(b"\n")
    if lines > MAX_DIFF_LINES:
        raise _too_large(path, f"both have {lines} lines, more than {MAX_DIFF_LINES}")


def _too_large(path: str, what: str) -> TooLargeError:
    return TooLargeError(
        f"too large to compare, {what}: {path}",
        path=path,
        hint="compare parts of it, or the hashes",
    )


def _contents(
    before: Version | None, after: Version | None
) -> tuple[bytes | None, bytes | None, bool]:
    if before and after and before.hash == after.hash and before.kind == after.kind:
        return b"", b"", False  # only a name or a mode differs
    try:
        old = before.load() if before else None
        new = after.load() if after else None
        check_comparable(_path(after, before), old or b"", new or b"")
    except TooLargeError:
        # Two different binary contents, which stand for those that are not looked into.
        return b"\0before" if before else None, b"\0after" if after else None, True
    return old, new, False


def _path(version: Version | None, other: Version | None) -> str:
    found = version or other
    assert found is not None
    return found.path
