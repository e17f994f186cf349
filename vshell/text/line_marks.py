"""Line numbers without counting: how many lines of a text come before each kilobyte of it.

To count the newlines before a match takes longer than to find it. Where a text is searched
again, only those of one kilobyte are counted.
"""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["MARK_SHIFT", "LineMarks"]

MARK_SHIFT: Final = 10
"""A mark stands at each 2**10 bytes."""

_LEAST_BYTES: Final = 8 * 1024
"""In a shorter text, counting takes a few microseconds."""

_MAX_MARKS: Final = 1_000_000
"""How many marks are kept: 4 MB, for a gigabyte of text."""


class LineMarks:
    """The marks of texts that were searched lately, by a key that stands for the text."""

    def __init__(self) -> None:
        self._marks: dict[int, array[int]] = {}
        self._count = 0

    def clear(self) -> None:
        """Forget all: the keys may stand for other texts from now on."""
        self._marks.clear()
        self._count = 0

    def get(self, key: int | None, data: bytes, start: int, end: int) -> array[int] | None:
        """Return how many newlines come before each kilobyte; None for a short text.

        Args:
            key: What stands for the text.
            data: Bytes with the text in them.
            start: Where in them it begins.
            end: Where it ends.
        """
        if key is None or end - start < _LEAST_BYTES:
            return None
        known = self._marks.get(key)
        if known is None:
            known = _marks(data, start, end)
            if self._count + len(known) > _MAX_MARKS:
                self.clear()
            self._marks[key] = known
            self._count += len(known)
        return known


def _marks(data: bytes, start: int, end: int) -> array[int]:
    found = array("I")
    lines, step, count = 0, 1 << MARK_SHIFT, data.count
    for place in range(start, end, step):
        found.append(lines)
        lines += count(b"\n", place, place + step)
    return found
