"""Unified diffs as text: git's dialect, and the plain one of the `state` API.

`unified_diff` writes what `git diff` writes (https://git-scm.com/docs/diff-format), so GNU
patch and `git apply` take it. Left out are section headings after `@@`, and the line of
object names (`index ...`) except where GNU patch needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import repeat
from stat import S_IFLNK, S_IFMT
from typing import AnyStr, Final, Generic, Literal, TypeAlias

from vshell.errors import RangeError, TooLargeError
from vshell.text.linediff import Run, diff_sequences, myers_sequences

__all__ = [
    "FileDiff",
    "Hunk",
    "HunkLine",
    "LineTag",
    "diff_hunks",
    "format_hunk",
    "quote_path",
    "split_lines",
    "state_diff",
    "unified_diff",
]

LineTag: TypeAlias = Literal[" ", "-", "+"]
HunkLine: TypeAlias = tuple[LineTag, AnyStr]

_STATE_LINES: Final = 10_000
"""The longest text that the `state` API compares, in lines: a part of its contract."""

_STATE_EDITS: Final = 1_000
"""Beyond this many edits, `state_diff` takes the faster search: the exact one is quadratic."""

_REGULAR: Final = 0o100644
_EXECUTABLE: Final = 0o100755
_SYMLINK: Final = 0o120000

_NO_NEWLINE: Final = b"\\ No newline at end of file\n"
_TAG_BYTES: Final[dict[LineTag, bytes]] = {" ": b" ", "-": b"-", "+": b"+"}
_C_ESCAPES: Final = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


@dataclass(frozen=True, slots=True)
class Hunk(Generic[AnyStr]):
    """One changed region with the lines around it.

    Attributes:
        old_start: The first old line, counted from 1. Where `old_count` is 0, the line
            before the region, as in the text of a unified diff. 0 with a positive count
            is a hunk whose place is not known; only patches by hand have such.
        old_count: How many old lines the hunk has.
        new_start: The first new line, as above.
        new_count: How many new lines the hunk has.
        lines: Pairs of a tag (`" "` in both, `"-"` old only, `"+"` new only) and the line,
            with its line ending if it has one.
        section: What stands after the second `@@`.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[HunkLine[AnyStr], ...]
    section: str = ""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """The difference between two versions of one file.

    Attributes:
        text: The patch; bytes that are not UTF-8 stand in it as `surrogateescape`
            characters. Empty when there is no difference.
        added: How many lines it adds.
        removed: How many lines it removes.
        binary: Whether a side holds a NUL byte, so that the text names the file and no more.
    """

    text: str
    added: int
    removed: int
    binary: bool = False


def split_lines(data: bytes) -> list[bytes]:
    """Split into lines that keep their ending; only `\\n` ends a line."""
    return BytesIO(data).readlines()


def diff_hunks(
    old: Sequence[AnyStr],
    new: Sequence[AnyStr],
    *,
    context: int = 3,
    runs: Sequence[Run] | None = None,
) -> list[Hunk[AnyStr]]:
    """Group the differences of two lists of lines into hunks.

    Args:
        old: The lines before.
        new: The lines after.
        context: How many equal lines to show on each side of a change. Changes that are
            at most twice as far apart share a hunk.
        runs: The comparison to show; `diff_sequences(old, new)` by default.

    Returns:
        Hunks in order; none where nothing differs.

    Raises:
        RangeError: `context` is negative.
    """
    if context < 0:
        raise RangeError(f"context is {context}; it cannot be negative")
    if runs is None:
        runs = diff_sequences(old, new)
    return [_hunk(cluster, old, new) for cluster in _clusters(runs, context)]


def _clusters(runs: Sequence[Run], context: int) -> Iterator[list[Run]]:
    """Gather runs into hunks, with the equal runs at both ends cut to the context."""
    cluster: list[Run] = []
    for index, run in enumerate(runs):
        if run.tag != "equal":
            cluster.append(run)
            continue
        is_last = index == len(runs) - 1
        length = run.old_end - run.old_start
        if cluster and not is_last and length <= 2 * context:
            cluster.append(run)
            continue
        if cluster:
            shown = min(context, length)
            yield [*cluster, _slice(run, 0, shown)]
        cluster = [] if is_last else [_slice(run, max(0, length - context), length)]
    if cluster:
        yield cluster


def _slice(run: Run, start: int, end: int) -> Run:
    return Run(
        run.tag,
        run.old_start + start,
        run.old_start + end,
        run.new_start + start,
        run.new_start + end,
    )


def _hunk(cluster: list[Run], old: Sequence[AnyStr], new: Sequence[AnyStr]) -> Hunk[AnyStr]:
    lines: list[HunkLine[AnyStr]] = []
    for run in cluster:
        if run.tag == "equal":
            lines += zip(repeat(" "), old[run.old_start : run.old_end])
        elif run.tag == "delete":
            lines += zip(repeat("-"), old[run.old_start : run.old_end])
        else:
            lines += zip(repeat("+"), new[run.new_start : run.new_end])
    old_start, old_end = cluster[0].old_start, cluster[-1].old_end
    new_start, new_end = cluster[0].new_start, cluster[-1].new_end
    return Hunk(
        old_start + (old_end > old_start),
        old_end - old_start,
        new_start + (new_end > new_start),
        new_end - new_start,
        tuple(lines),
    )


def format_hunk(hunk: Hunk[bytes], *, always_counts: bool = False) -> bytes:
    """Write a hunk as it stands in a patch.

    Args:
        hunk: The hunk; a line without `\\n` is marked as the end of a file that has none.
        always_counts: Write a count of 1, too, which git and diff leave out.
    """
    old_range = _range(hunk.old_start, hunk.old_count, always_counts)
    new_range = _range(hunk.new_start, hunk.new_count, always_counts)
    section = hunk.section and " " + hunk.section
    head = _encode(f"@@ -{old_range} +{new_range} @@{section}\n")
    body = b"".join([_TAG_BYTES[tag] + line for tag, line in hunk.lines])
    if body.count(b"\n") < len(hunk.lines):
        body = b"".join(map(_marked, hunk.lines))
    return head + body


def _marked(pair: HunkLine[bytes]) -> bytes:
    tag, line = pair
    text = _TAG_BYTES[tag] + line
    return text if line.endswith(b"\n") else text + b"\n" + _NO_NEWLINE


def _range(start: int, count: int, always_counts: bool) -> str:
    return str(start) if count == 1 and not always_counts else f"{start},{count}"


def unified_diff(
    old: bytes | None,
    new: bytes | None,
    *,
    old_path: str,
    new_path: str,
    old_mode: int | None = None,
    new_mode: int | None = None,
    context: int = 3,
) -> FileDiff:
    """Compare two versions of a file in git's dialect.

    A change between a regular file and a symbolic link is written as git does: the old
    one deleted, the new one created. A link's content is its target.

    Args:
        old: The content before; None when the file was not there.
        new: The content after; None when the file is not there any more.
        old_path: The path before, such as `/src/a.py`, written as `a/src/a.py`. Unless it
            equals `new_path`, the difference is a rename.
        new_path: The path after.
        old_mode: The mode before, as in `stat`; a regular file by default. As in git, only
            the type and the owner's right to execute count.
        new_mode: The mode after.
        context: How many equal lines to show around a change.

    Returns:
        The patch and its size; an empty text when nothing differs.

    Raises:
        RangeError: `context` is negative.
    """
    if context < 0:
        raise RangeError(f"context is {context}; it cannot be negative", path=new_path)
    before = None if old is None else _Version(old, _git_mode(old_mode), old_path)
    after = None if new is None else _Version(new, _git_mode(new_mode), new_path)
    if before and after and S_IFMT(before.mode) != S_IFMT(after.mode):
        removal, creation = _compare(before, None, context), _compare(None, after, context)
        return FileDiff(
            removal.text + creation.text,
            creation.added,
            removal.removed,
            removal.binary or creation.binary,
        )
    return _compare(before, after, context)


@dataclass(frozen=True, slots=True)
class _Version:
    data: bytes
    mode: int
    path: str


def _some(version: _Version | None, other: _Version | None) -> _Version:
    """Return the first version that exists; nobody compares nothing with nothing."""
    found = version or other
    assert found
    return found


def _compare(before: _Version | None, after: _Version | None, context: int) -> FileDiff:
    if before == after:
        return FileDiff("", 0, 0)
    old = before.data if before else b""
    new = after.data if after else b""
    old_lines, new_lines = split_lines(old), split_lines(new)
    binary = b"\0" in old or b"\0" in new
    renamed = before and after and before.path != after.path
    needed = old != new and (renamed or not binary)
    runs = diff_sequences(old_lines, new_lines) if needed else []
    names = _names(before, after, has_hunks=old != new)
    parts = [f"diff --git {names.old} {names.new}\n", *_mode_lines(before, after)]
    if before and after and renamed:
        parts += _rename_lines(before, after, runs)
    parts += _index_line(before, after)
    hunks: Iterable[bytes] = ()
    if old != new and binary:
        parts.append(f"Binary files {names.old_label} and {names.new_label} differ\n")
    elif old != new:
        parts += (
            f"--- {names.old_label}{names.old_tab}\n",
            f"+++ {names.new_label}{names.new_tab}\n",
        )
        hunks = map(format_hunk, diff_hunks(old_lines, new_lines, context=context, runs=runs))
    text = "".join(parts) + b"".join(hunks).decode("utf-8", "surrogateescape")
    if binary:
        return FileDiff(text, 0, 0, binary=True)
    return FileDiff(text, _length(runs, "insert"), _length(runs, "delete"))


def _length(runs: Sequence[Run], tag: Literal["delete", "insert"]) -> int:
    return sum(
        run.old_end - run.old_start + run.new_end - run.new_start for run in runs if run.tag == tag
    )


@dataclass(frozen=True, slots=True)
class _Names:
    old: str
    new: str
    old_label: str
    new_label: str
    old_tab: str
    new_tab: str


def _names(before: _Version | None, after: _Version | None, *, has_hunks: bool) -> _Names:
    old_path = _some(before, after).path.lstrip("/")
    new_path = _some(after, before).path.lstrip("/")
    old, new = (
        _quoted(side + path, has_hunks=has_hunks)
        for side, path in (("a/", old_path), ("b/", new_path))
    )
    return _Names(
        old,
        new,
        old if before else "/dev/null",
        new if after else "/dev/null",
        "\t" if before and " " in old_path else "",
        "\t" if after and " " in new_path else "",
    )


def _quoted(path: str, *, has_hunks: bool = True) -> str:
    """Quote a path, also for a space where GNU patch would miss the end of the name.

    A tab after the name in the `---` and `+++` lines marks its end, as git does, unless
    the name itself ends with a space, or these lines are missing.
    """
    quoted = quote_path(path)
    unclear = path.endswith(" ") or (" " in path and not has_hunks)
    return f'"{path}"' if unclear and quoted == path else quoted


def _git_mode(mode: int | None) -> int:
    if mode is None:
        return _REGULAR
    if S_IFMT(mode) == S_IFLNK:
        return _SYMLINK
    return _EXECUTABLE if mode & 0o100 else _REGULAR


def _mode_lines(before: _Version | None, after: _Version | None) -> list[str]:
    if before and after:
        if before.mode == after.mode:
            return []
        return [f"old mode {before.mode:o}\n", f"new mode {after.mode:o}\n"]
    if after:
        return [f"new file mode {after.mode:o}\n"]
    return [f"deleted file mode {before.mode:o}\n"] if before else []


def _rename_lines(before: _Version, after: _Version, runs: Sequence[Run]) -> Iterator[str]:
    yield f"similarity index {_similarity(before.data, after.data, runs)}%\n"
    yield f"rename from {_quoted(before.path.lstrip('/'))}\n"
    yield f"rename to {_quoted(after.path.lstrip('/'))}\n"


def _similarity(old: bytes, new: bytes, runs: Sequence[Run]) -> int:
    if old == new:
        return 100
    lines = split_lines(old)
    equal = (lines[run.old_start : run.old_end] for run in runs if run.tag == "equal")
    shared = sum(sum(map(len, part)) for part in equal)
    return shared * 100 // max(len(old), len(new))


def _index_line(before: _Version | None, after: _Version | None) -> Iterator[str]:
    """Name the contents where GNU patch needs it: for empty files and changed links."""
    if not before or not after:
        if not _some(before, after).data:
            yield f"index {_object_name(before)}..{_object_name(after)}\n"
    elif before.mode == _SYMLINK and before.data != after.data:
        yield f"index {_object_name(before)}..{_object_name(after)} {_SYMLINK:o}\n"


def _object_name(version: _Version | None) -> str:
    if not version:
        return "0000000"
    from hashlib import sha1

    content = b"blob %d\0%b" % (len(version.data), version.data)
    return sha1(content, usedforsecurity=False).hexdigest()[:7]


def quote_path(path: str) -> str:
    """Quote a path as git does (core.quotePath=false), if it needs quotes.

    Args:
        path: A path; bytes that are not UTF-8 stand in it as `surrogateescape` characters.

    Returns:
        The path itself, or in double quotes with C escapes where it holds a control
        character, a double quote, a backslash or a byte that is not UTF-8.
    """
    quoted = "".join(map(_quote_character, path))
    return path if quoted == path else f'"{quoted}"'


def _quote_character(character: str) -> str:
    number = ord(character)
    if number in _C_ESCAPES:
        return "\\" + _C_ESCAPES[number]
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\{number - 0xDC00:03o}"
    return f"\\{number:03o}" if number < 32 or number == 127 else character


def state_diff(path: str, old: str, new: str, *, max_lines: int | None = _STATE_LINES) -> str:
    """Compare two texts in the dialect of the `state` API.

    It differs from git's: a text is what `split("\\n")` makes of it, so a final newline
    gives a final empty line and an empty text has one line; both labels are the bare path;
    counts are always written; the text does not end with a newline; an empty range starts
    at the line after it. Up to 1,000 edits the script is the one that Myers' algorithm
    finds in its textbook form; beyond that, an equally valid one.

    Args:
        path: The label.
        old: The text before.
        new: The text after.
        max_lines: The longest text to accept, in lines; None for no limit.

    Returns:
        The difference; empty when the texts are equal.

    Raises:
        TooLargeError: A text has more than `max_lines` lines.
    """
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if max_lines is not None and max(len(old_lines), len(new_lines)) > max_lines:
        raise TooLargeError(
            f"content too large for diff (max {max_lines} lines)",
            path=path,
            hint="compare a part of the text, or use diff() for a patch of any size",
            data={"lines": max(len(old_lines), len(new_lines)), "max_lines": max_lines},
        )
    if old == new:
        return ""
    runs = myers_sequences(old_lines, new_lines, max_edits=_STATE_EDITS)
    parts = [f"--- {path}", f"+++ {path}"]
    for hunk in diff_hunks(old_lines, new_lines, runs=runs):
        old_start = hunk.old_start + (not hunk.old_count)
        new_start = hunk.new_start + (not hunk.new_count)
        parts.append(f"@@ -{old_start},{hunk.old_count} +{new_start},{hunk.new_count} @@")
        parts += [tag + line for tag, line in hunk.lines]
    return "\n".join(parts)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
