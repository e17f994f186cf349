"""Many texts as one, so that an engine is started once for some megabytes and not for each file.

Each text ends with a newline in it, so that where a text begins a line begins. What an
engine finds line by line it so finds in each text as if that were alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from vshell.text.line_marks import MARK_SHIFT, LineMarks

__all__ = [
    "FoundLine",
    "Joined",
    "counts_of",
    "join",
    "joined_lines_after",
    "joined_lines_before",
    "lines_of",
]


_MARKED_BYTES: Final = 1 << MARK_SHIFT


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts, one after the other.

    Attributes:
        data: Their bytes.
        starts: Where each begins; and the end of the last.
        mixed: The numbers of those that are not all ASCII.
        keys: What stands for each in `LineMarks`, if it may be kept there.
    """

    data: bytes
    starts: Sequence[int]
    mixed: Sequence[int]
    keys: Sequence[int | None] = ()


class FoundLine(NamedTuple):
    """A line of one of the texts.

    Attributes:
        number: Which text.
        line: The line's number in it, from 1.
        start: Where the line begins, in the joined bytes.
        end: Where it ends, without its newline.
        place: The place in it that was asked for.
    """

    number: int
    line: int
    start: int
    end: int
    place: int


def join(texts: Iterable[bytes], keys: Sequence[int | None] = ()) -> Joined:
    """Join texts; to one that ends without a newline one is added.

    Args:
        texts: The texts.
        keys: What stands for each in `LineMarks`, if for any.
    """
    pieces: list[bytes] = []
    starts = [0]
    mixed: list[int] = []
    size = 0
    for number, text in enumerate(texts):
        if text:
            pieces.append(text)
            size += len(text)
            if text[-1] != 10:
                pieces.append(b"\n")
                size += 1
            if not text.isascii():
                mixed.append(number)
        starts.append(size)
    return Joined(b"".join(pieces), starts, mixed, keys)


def lines_of(
    joined: Joined, places: Iterable[int], *, first: int = 0, marks: LineMarks | None = None
) -> Iterator[FoundLine]:
    """Yield the lines of ascending places, each line once.

    Args:
        joined: The texts.
        places: Places in them.
        first: The text from which on to look for the first place.
        marks: Spares counting the lines of texts that are searched again.
    """
    data, starts = joined.data, joined.starts
    find, rfind, count, new = data.find, data.rfind, data.count, tuple.__new__
    number, begin, text_end, end = first - 1, 0, starts[first], -1
    line = counted = 0
    known: Sequence[int] | None = None
    for place in places:
        if place <= end:
            continue  # in the line that was found last
        if place >= text_end:
            while place >= text_end:
                number += 1
                text_end = starts[number + 1]
            begin = counted = starts[number]
            line = 1
            if marks is not None:
                known = marks.get(joined.keys[number], data, begin, text_end)
        start = rfind(b"\n", counted, place) + 1 or counted
        if known is not None and start - counted > _MARKED_BYTES:
            mark = (start - begin) >> MARK_SHIFT
            line = 1 + known[mark] + count(b"\n", begin + (mark << MARK_SHIFT), start)
        else:
            line += count(b"\n", counted, start)
        counted = start
        end = find(b"\n", place)
        yield new(FoundLine, (number, line, start, end, place))


def counts_of(
    joined: Joined, places: Iterable[int], *, first: int = 0
) -> Iterator[tuple[int, int]]:
    """Yield for each text with places in it its number, and how many of its lines have one.

    Args:
        joined: The texts.
        places: Ascending places in them.
        first: The text from which on to look for the first place.
    """
    find, starts = joined.data.find, joined.starts
    number, text_end, end, count = first, starts[first + 1], -1, 0
    for place in places:
        if place <= end:
            continue
        if place >= text_end:
            if count:
                yield number, count
            count = 0
            while place >= text_end:
                number += 1
                text_end = starts[number + 1]
        count += 1
        end = find(b"\n", place)
    if count:
        yield number, count


def joined_lines_before(joined: Joined, found: FoundLine, count: int) -> list[str]:
    """Return up to `count` lines of the same text before a line."""
    data, first, begin = joined.data, joined.starts[found.number], found.start
    for _ in range(count):
        if begin == first:
            break
        begin = data.rfind(b"\n", first, begin - 1) + 1 or first
    if begin == found.start:
        return []
    return data[begin : found.start - 1].decode("utf-8", "surrogateescape").split("\n")


def joined_lines_after(joined: Joined, found: FoundLine, count: int) -> list[str]:
    """Return up to `count` lines of the same text after a line."""
    data, last, end = joined.data, joined.starts[found.number + 1], found.end
    for _ in range(count):
        newline = data.find(b"\n", end + 1, last)
        if newline < 0:
            break
        end = newline
    if end == found.end:
        return []
    return data[found.end + 1 : end].decode("utf-8", "surrogateescape").split("\n")
