r"""Finding the lines that match in many texts at once.

A confined pattern (see `line_regex.py`) stops at newlines, so that what PCRE2 finds in a line
does not depend on the others. So it scans texts of ASCII however they are joined; and of
other texts the lines that are ASCII, while the `regex` module, which alone decides what
letters are, takes the rest one by one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vshell.text.fast_scan import FastScan, GaveUpError, parts_of
from vshell.text.joined import Joined
from vshell.text.line_scan import time_left

if TYPE_CHECKING:
    import regex

__all__ = ["JoinedScan"]

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_BLOCK_BYTES: Final = 4096


class JoinedScan:
    """One pattern. It is immutable, and may be shared between threads.

    Args:
        fast: The pattern, which takes the rest of the line into its match.
        exact: The pattern, to decide about a line.
        literal: Its bytes, if it is plain UTF-8; then nothing else is needed.
    """

    __slots__ = ("_exact", "_fast", "literal")

    def __init__(
        self,
        *,
        fast: FastScan | None = None,
        exact: regex.Pattern[str] | None = None,
        literal: bytes = b"",
    ) -> None:
        self._fast = fast
        self._exact = exact
        self.literal = literal

    def places(self, joined: Joined, first: int, last: int, deadline: float) -> Iterator[int]:
        """Yield ascending places in lines that match, at least one in each such line.

        Args:
            joined: The texts.
            first: The number of the first text to search.
            last: The number of the text to stop before.
            deadline: When to give up, by `time.monotonic`.

        Raises:
            TimeoutError: The search did not end before the deadline.
            MemoryError: The pattern takes too much memory on some line.
        """
        data, starts, mixed = joined.data, joined.starts, joined.mixed
        if self.literal:
            yield from self._literals(data, starts[first], starts[last], deadline)
            return
        done = starts[first]
        for number in mixed[bisect_left(mixed, first) : bisect_left(mixed, last)]:
            yield from self._in_ascii(data, done, starts[number], deadline)
            yield from self._in_mixed(data, starts[number], starts[number + 1], deadline)
            done = starts[number + 1]
        yield from self._in_ascii(data, done, starts[last], deadline)

    def _literals(self, data: bytes, start: int, end: int, deadline: float) -> Iterator[int]:
        literal, size, find = self.literal, len(self.literal), data.find
        for part, part_end in parts_of(data, start, end):
            time_left(deadline)
            place = find(literal, part, part_end)
            while place >= 0:
                yield place
                place = find(literal, place + size, part_end)

    def _in_ascii(self, data: bytes, start: int, end: int, deadline: float) -> Iterator[int]:
        assert self._fast is not None
        for part, part_end in parts_of(data, start, end):
            time_left(deadline)
            try:
                yield from self._fast.places(data, part, part_end)
            except GaveUpError:
                yield from self._line_by_line(data, part, part_end - 1, deadline)

    def _in_mixed(self, data: bytes, start: int, end: int, deadline: float) -> Iterator[int]:
        found = [
            place
            for place in self._in_ascii(data, start, end, deadline)
            if _line(data, place).isascii()
        ]
        found += self._beyond_ascii(data, start, end, deadline)
        yield from sorted(found)

    def _beyond_ascii(self, data: bytes, start: int, end: int, deadline: float) -> Iterator[int]:
        """Yield the places of matches in lines that are not all ASCII."""
        while start < end:
            # Where a block is all ASCII is known at once; in the others the byte is looked for.
            block_end = min(start + _BLOCK_BYTES, end)
            match = None
            if not data[start:block_end].isascii():
                match = _BEYOND_ASCII.search(data, start, block_end)
            if match is None:
                start = block_end
                continue
            line = data.rfind(b"\n", 0, match.start()) + 1
            line_end = data.find(b"\n", match.start())
            yield from self._line_by_line(data, line, line_end, deadline)
            start = line_end + 1

    def _line_by_line(self, data: bytes, start: int, end: int, deadline: float) -> Iterator[int]:
        """Yield where the matches begin in some lines, up to the newline of the last."""
        assert self._exact is not None
        for line in data[start:end].split(b"\n"):
            text = line.decode("utf-8", "surrogateescape")
            match = self._exact.search(text, timeout=time_left(deadline))
            if match is not None:
                before = text[: match.start()]
                yield start + len(before.encode("utf-8", "surrogateescape"))
            start += len(line) + 1


def _line(data: bytes, place: int) -> bytes:
    return data[data.rfind(b"\n", 0, place) + 1 : data.find(b"\n", place)]
