"""Three-way merge of lines, with the results and the conflict markers of git.

What each side changed is found by comparing it with the base. Changes that do not touch
each other are taken; those that do are a conflict, unless they are the same. As in
`git merge-file` (its "zealous" level), a conflict is then narrowed to the lines in which
the sides differ, and conflicts with up to three lines between them, or only lines without
a letter or digit, become one again, for people read one better than two.

The paper is Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007); the rest
is what git does (https://git-scm.com/docs/git-merge-file).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

from vshell.text.linediff import diff_sequences
from vshell.text.unified import split_lines

__all__ = ["Favor", "Labels", "MarkerStyle", "Merged", "merge_lines", "settle_changes"]

MarkerStyle: TypeAlias = Literal["merge", "diff3"]
Favor: TypeAlias = Literal["ours", "theirs", "union"]

_MARKER_LENGTH: Final = 7
_JOINED_LINES: Final = 3
"""Conflicts with so few lines between them become one."""

_HARDEST_CELLS: Final = 300_000
"""Beyond this size (ours x theirs lines) a comparison does not get harder: it is bounded."""

_ALL_CELLS: Final = 3_000_000
"""What narrowing all conflicts may add up to: about five seconds at worst."""

_SLIDES_PER_LINE: Final = 8
"""How far changes are moved among equal lines, on average; more is given up."""

_Kind: TypeAlias = Literal["ours", "theirs", "same", "conflict"]
_Lines: TypeAlias = Sequence[bytes]


class Labels(NamedTuple):
    """What stands beside the conflict markers; an empty label leaves the marker alone."""

    ours: str = "ours"
    base: str = "base"
    theirs: str = "theirs"


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a merge.

    Attributes:
        data: The merged text, with markers where it conflicts.
        conflicts: How many conflicts it has.
    """

    data: bytes
    conflicts: int


def merge_lines(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    *,
    labels: Labels | tuple[str, str, str] = Labels(),  # noqa: B008 - it is immutable
    style: MarkerStyle = "merge",
    favor: Favor | None = None,
) -> Merged:
    """Merge what two sides made of a text.

    Only `\\n` ends a line. Markers end as the lines around them do, so that a text with
    CRLF stays one. Whether the texts are text at all is for the caller to judge.

    The cost is bounded as that of `diff_sequences`: conflicts beyond a total size are
    left as they are found, which is right, but can be longer than needed.

    Args:
        base: The text that both sides began with.
        ours: What one side made of it.
        theirs: What the other side made of it.
        labels: What stands beside the markers: ours, base, theirs.
        style: `"merge"` shows the two sides of a conflict, as narrow as can be;
            `"diff3"` shows the base too, and leaves conflicts as wide as the changes are.
        favor: Settle conflicts by one side's lines, or, with `"union"`, by both's; None
            leaves markers.

    Returns:
        The merged text; it equals a side where only that side changed something.
    """
    if theirs in (base, ours):
        return Merged(ours, 0)
    if base == ours:
        return Merged(theirs, 0)
    texts = _Texts(split_lines(base), split_lines(ours), split_lines(theirs))
    regions = list(_regions(texts))
    if style == "merge":
        regions = _joined(_narrowed(regions, texts), texts.ours)
    writer = _Writer(texts, Labels(*labels), style, favor)
    for region in regions:
        writer.write(region)
    writer.copy_until(len(texts.ours))
    return Merged(b"".join(writer.parts), writer.conflicts)


class _Texts(NamedTuple):
    base: list[bytes]
    ours: list[bytes]
    theirs: list[bytes]


class _Change(NamedTuple):
    """Lines of the base, and the lines that took their place."""

    start: int
    end: int
    new_start: int
    new_end: int


class _Region(NamedTuple):
    """A stretch in which a side changed something, in lines of all three texts."""

    kind: _Kind
    base_start: int
    base_end: int
    ours_start: int
    ours_end: int
    theirs_start: int
    theirs_end: int


# Finding the changes.


def _changes(old: _Lines, new: _Lines) -> list[_Change]:
    """Compare two texts; where a change could stand in several places, choose as git does."""
    kept_old: list[int] = []
    kept_new: list[int] = []
    for run in diff_sequences(old, new):
        if run.tag == "equal":
            kept_old += range(run.old_start, run.old_end)
            kept_new += range(run.new_start, run.new_end)
    return [_Change(*each) for each in settle_changes(old, new, kept_old, kept_new)]


def settle_changes(
    old: Sequence[object], new: Sequence[object], kept_old: list[int], kept_new: list[int]
) -> list[tuple[int, int, int, int]]:
    """Let changes that could stand in several places stand where git and GNU diff put them.

    Args:
        old: The lines before.
        new: The lines after.
        kept_old: The numbers of the lines that both have in common; changed in place.
        kept_new: The same lines, as the other side numbers them; changed in place.

    Returns:
        Of each change the first old line and the one after the last, and the same of the
        new ones.
    """
    kept_old.append(len(old))
    kept_new.append(len(new))
    _slide(old, kept_old, kept_new)
    _slide(new, kept_new, kept_old)
    found = []
    start = new_start = 0
    for at, to in zip(kept_old, kept_new, strict=True):
        if at > start or to > new_start:
            found.append((start, at, new_start, to))
        start, new_start = at + 1, to + 1
    return found


def _slide(lines: Sequence[object], kept: list[int], other: Sequence[int]) -> None:
    """Move each change of one side down as far as equal lines let it go.

    A change that can stand beside a change of the other side goes there instead.

    Args:
        lines: The lines of the side.
        kept: The numbers of the lines that the sides have in common, with one past the
            end; changed in place.
        other: The same lines, as the other side numbers them.
    """
    slides_left = _SLIDES_PER_LINE * len(lines) + 1000
    done = -1
    for gap in [at for at, (last, next_) in enumerate(pairwise([-1, *kept])) if next_ - last > 1]:
        if gap <= done or not _gap(kept, gap):
            continue  # an earlier change took it along
        at, size, beside = gap, 0, -1
        while size != _gap(kept, at) and slides_left > 0:
            size = _gap(kept, at)
            start = at
            while _can_rise(lines, kept, at):
                at = _rise(kept, at)
            beside = at if _gap(other, at) else -1
            slides_left -= start - at
            start = at
            while _can_sink(lines, kept, at):
                at = _sink(kept, at)
                if _gap(other, at):
                    beside = at
            slides_left -= at - start
        while at > beside >= 0:
            at = _rise(kept, at)
        done = at
        if slides_left <= 0:
            return


def _gap(kept: Sequence[int], at: int) -> int:
    """Return how many changed lines stand before the kept line of that number."""
    return kept[at] - _first(kept, at)


def _can_rise(lines: Sequence[object], kept: Sequence[int], at: int) -> bool:
    return at > 0 and lines[kept[at - 1]] == lines[kept[at] - 1]


def _rise(kept: list[int], at: int) -> int:
    kept[at - 1] = kept[at] - 1
    return at - 1


def _can_sink(lines: Sequence[object], kept: Sequence[int], at: int) -> bool:
    return at < len(kept) - 1 and lines[_first(kept, at)] == lines[kept[at]]


def _sink(kept: list[int], at: int) -> int:
    kept[at] = _first(kept, at)
    return at + 1


def _first(kept: Sequence[int], at: int) -> int:
    """Return the first line after the kept line before."""
    return kept[at - 1] + 1 if at else 0


# Putting the changes of both sides together.


def _regions(texts: _Texts) -> Iterator[_Region]:
    """Yield what changed, with touching changes of both sides as one region."""
    ours = _Side(_changes(texts.base, texts.ours))
    theirs = _Side(_changes(texts.base, texts.theirs))
    while ours.next_start is not None or theirs.next_start is not None:
        start = end = min(at for at in (ours.next_start, theirs.next_start) if at is not None)
        ours_start, theirs_start = start + ours.shift, start + theirs.shift
        our_changes: list[_Change] = []
        their_changes: list[_Change] = []
        reach = -1
        while reach != end:
            reach = end
            our_changes += ours.take(end)
            their_changes += theirs.take(end)
            end = max(change.end for change in (*our_changes[-1:], *their_changes[-1:]))
        yield _Region(
            _kind(texts, our_changes, their_changes),
            start,
            end,
            ours_start,
            end + ours.shift,
            theirs_start,
            end + theirs.shift,
        )


class _Side:
    """The changes of one side, from which they are taken in order.

    Attributes:
        shift: What leads from a line of the base to that of the side, after what was taken.
    """

    __slots__ = ("_at", "_changes", "shift")

    def __init__(self, changes: list[_Change]) -> None:
        self._changes = changes
        self._at = 0
        self.shift = 0

    @property
    def next_start(self) -> int | None:
        """Where in the base the next change begins; None when all were taken."""
        return self._changes[self._at].start if self._at < len(self._changes) else None

    def take(self, end: int) -> Iterator[_Change]:
        """Yield the changes that begin at a line of the base or before it."""
        while self._at < len(self._changes) and self._changes[self._at].start <= end:
            change = self._changes[self._at]
            self.shift = change.new_end - change.end
            self._at += 1
            yield change


def _kind(texts: _Texts, ours: list[_Change], theirs: list[_Change]) -> _Kind:
    if not theirs:
        return "ours"
    if not ours:
        return "theirs"
    one, other = ours[0], theirs[0]
    if len(ours) == len(theirs) == 1 and one[:2] == other[:2]:
        same = texts.ours[one.new_start : one.new_end]
        if same == texts.theirs[other.new_start : other.new_end]:
            return "same"
    return "conflict"


def _narrowed(regions: list[_Region], texts: _Texts) -> Iterator[_Region]:
    """Cut conflicts down to the lines in which the sides differ."""
    cells_left = _ALL_CELLS
    for region in regions:
        ours = texts.ours[region.ours_start : region.ours_end]
        theirs = texts.theirs[region.theirs_start : region.theirs_end]
        cells = min(len(ours) * len(theirs), _HARDEST_CELLS)
        if region.kind != "conflict" or not cells or cells > cells_left:
            yield region
            continue
        cells_left -= cells
        found = _changes(ours, theirs)
        if not found:
            yield region._replace(kind="same")
        for change in found:
            yield region._replace(
                ours_start=region.ours_start + change.start,
                ours_end=region.ours_start + change.end,
                theirs_start=region.theirs_start + change.new_start,
                theirs_end=region.theirs_start + change.new_end,
            )


def _joined(regions: Iterator[_Region], ours: _Lines) -> list[_Region]:
    """Make one of conflicts that have next to nothing between them."""
    joined: list[_Region] = []
    for region in regions:
        if joined and joined[-1].kind == region.kind == "conflict":
            last = joined[-1]
            between = ours[last.ours_end : region.ours_start]
            if len(between) <= _JOINED_LINES or not any(map(_has_letter, between)):
                joined[-1] = last._replace(
                    base_end=region.base_end,
                    ours_end=region.ours_end,
                    theirs_end=region.theirs_end,
                )
                continue
        joined.append(region)
    return joined


_has_letter: Final = re.compile(rb"[0-9A-Za-z]").search


# Writing.


class _Writer:
    """Writes the merged text: ours, with the regions in their places."""

    def __init__(
        self, texts: _Texts, labels: Labels, style: MarkerStyle, favor: Favor | None
    ) -> None:
        self.parts: list[bytes] = []
        self.conflicts = 0
        self._texts = texts
        self._labels = labels
        self._style = style
        self._favor = favor
        self._done = 0

    def copy_until(self, line: int) -> None:
        """Write our lines up to one."""
        self.parts += self._texts.ours[self._done : line]
        self._done = line

    def write(self, region: _Region) -> None:
        """Write a region, and what is before it."""
        if region.kind in ("ours", "same"):
            return  # it is copied with the rest of our lines
        self.copy_until(region.ours_start)
        self._done = region.ours_end
        ours = self._texts.ours[region.ours_start : region.ours_end]
        theirs = self._texts.theirs[region.theirs_start : region.theirs_end]
        kind = region.kind if region.kind == "theirs" else self._favor
        if kind == "theirs":
            self.parts += theirs
        elif kind == "ours":
            self.parts += ours
        elif kind == "union":
            self.parts += _ended(ours, self._newline(region))
            self.parts += theirs
        else:
            self._write_conflict(region, ours, theirs)

    def _write_conflict(self, region: _Region, ours: _Lines, theirs: _Lines) -> None:
        self.conflicts += 1
        newline = self._newline(region)
        self.parts.append(_marker(b"<", self._labels.ours, newline))
        self.parts += _ended(ours, newline)
        if self._style == "diff3":
            self.parts.append(_marker(b"|", self._labels.base, newline))
            base = self._texts.base[region.base_start : region.base_end]
            self.parts += _ended(base, newline)
        self.parts.append(_marker(b"=", "", newline))
        self.parts += _ended(theirs, newline)
        self.parts.append(_marker(b">", self._labels.theirs, newline))

    def _newline(self, region: _Region) -> bytes:
        """Return how a marker ends: as the lines before it, if they agree, or as the base."""
        for lines, line in (
            (self._texts.ours, max(0, region.ours_start - 1)),
            (self._texts.theirs, max(0, region.theirs_start - 1)),
            (self._texts.base, 0),
        ):
            found = _ending(lines, line)
            if found == b"\n":
                return found
        return found or b"\n"


def _ending(lines: _Lines, line: int) -> bytes | None:
    """Return how a line ends, or, when it does not, the one before; None if that is unknown."""
    if not lines:
        return None
    if not lines[line].endswith(b"\n"):
        if not line:
            return None
        line -= 1
    return b"\r\n" if lines[line].endswith(b"\r\n") else b"\n"


def _ended(lines: _Lines, newline: bytes) -> list[bytes]:
    """Return the lines, the last of them ended if it is not."""
    if not lines or lines[-1].endswith(b"\n"):
        return list(lines)
    return [*lines[:-1], lines[-1] + newline]


def _marker(character: bytes, label: str, newline: bytes) -> bytes:
    # A label is one line, whatever somebody called a file.
    shown = " ".join(label.splitlines()).encode("utf-8", "surrogateescape")
    text = b" " + shown if shown else b""
    return character * _MARKER_LENGTH + text + newline
