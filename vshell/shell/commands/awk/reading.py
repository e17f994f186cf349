"""What an awk program reads: records of files, of commands' output and of the input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import length_hint
from typing import Final

from vshell.shell.command import Input
from vshell.shell.commands.awk.patterns import Pattern

__all__ = ["Reader", "Separation"]

PIECE_BYTES: Final = 64 * 1024
_BLANK_LINES: Final = re.compile(r"\n\n+")


@dataclass(frozen=True, slots=True)
class Separation:
    """What ends a record.

    Attributes:
        text: A text that does; "\\n" for lines.
        pattern: A regular expression that does, instead.
        paragraphs: Whether blank lines do.
    """

    text: str = "\n"
    pattern: Pattern | None = None
    paragraphs: bool = False


class Reader:
    """Takes records from a source, by what ends them at the moment.

    Args:
        source: Where bytes come from.
        separation: What ends a record.
        look: Is shown each text that records are cut from, before they are.

    Attributes:
        ended_by: What ended the last record: RT.
    """

    def __init__(
        self,
        source: Input,
        separation: Separation,
        look: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._separation = separation
        self._rest = ""
        self._place = 0
        self._bytes = b""
        self._is_done = False
        self._records: Iterator[str] = iter(())
        self._cut = 0
        self._look = look
        self.ended_by = ""

    def separate(self, separation: Separation) -> None:
        """End records otherwise from now on."""
        if separation == self._separation:
            return
        waiting = list(self._records)
        if waiting:
            self._cut -= len(waiting)
            end = self._separation.text
            self._rest = "".join(each + end for each in waiting) + self._rest[self._place :]
            self._place = 0
        self._records = iter(())
        self._separation = separation

    def abandon(self) -> None:
        """Have no more records."""
        for _ in self._records:
            pass
        self._rest, self._bytes, self._is_done = "", b"", True
        self._place = 0

    def next(self) -> str | None:
        """Return the next record without its end, or None."""
        for text in self._records:
            return text
        return None if self.block() is None else next(self._records)

    def delivered(self) -> int:
        """Return how many records were taken."""
        return self._cut - length_hint(self._records)

    def block(self) -> Iterator[str] | None:
        """Return records that come next: what is left of the block, or a new one; or None.

        The iterator is this reader's own: what is taken from it is taken.
        """
        if length_hint(self._records):
            return self._records
        separation = self._separation
        if separation.pattern is None and not separation.paragraphs:
            self.ended_by = separation.text
            if self._refill():
                return self._records
            found: str | None = self._rest or None
            self._rest, self.ended_by = "", ""
            self._look(found or "")
        else:
            found = self._one(separation)
        if found is None:
            return None
        self._records = iter((found,))
        self._cut += 1
        return self._records

    def _refill(self) -> bool:
        """Cut the next piece of input into records; tell whether there are more."""
        end = self._separation.text
        if self._place:
            self._rest, self._place = self._rest[self._place :], 0
        while True:
            if end in self._rest:
                self._look(self._rest)
                pieces = self._rest.split(end)
                self._rest = pieces.pop()
                self._records = iter(pieces)
                self._cut += len(pieces)
                return True
            if not self._more():
                return False

    def _more(self) -> bool:
        """Take more bytes from the source; tell whether there were any.

        What is read at once grows with what waits for its end, so that a long record costs
        no more for each of its bytes than a short one.
        """
        if self._is_done:
            return False
        if self._place:
            self._rest, self._place = self._rest[self._place :], 0
        data, wanted = self._bytes, len(self._bytes) + max(1, len(self._rest))
        while len(data) < wanted:
            piece = self._source.read(PIECE_BYTES)
            if not piece:
                self._is_done = True
                break
            data += piece
        end = len(data) if self._is_done else _whole_characters(data)
        self._bytes = data[end:]
        self._rest += data[:end].decode("utf-8", "surrogateescape")
        return end > 0 or not self._is_done

    def _one(self, separation: Separation) -> str | None:
        """Return the next record that a pattern or blank lines end."""
        if separation.paragraphs:
            return self._paragraph()
        assert separation.pattern is not None
        while True:
            start, end = self._match(separation.pattern)
            # A match at the very end might go on in what is not read yet.
            if start < end and (end < len(self._rest) or self._is_done):
                return self._take(start, end)
            if not self._more() and self._is_done and start == end:
                return self._take(len(self._rest), len(self._rest), is_last=True)

    def _match(self, pattern: Pattern) -> tuple[int, int]:
        """Return where a pattern matches next, other than the empty text; or nowhere."""
        place = self._place
        while place < len(self._rest):
            match = pattern.search(self._rest, place)
            if match is None:
                break
            start, end = match.span()
            if start < end:
                return start, end
            place = end + 1
        return 0, 0

    def _paragraph(self) -> str | None:
        while True:
            while self._place < len(self._rest) and self._rest[self._place] == "\n":
                self._place += 1
            match = _BLANK_LINES.search(self._rest, self._place)
            if match is not None and (match.end() < len(self._rest) or self._is_done):
                return self._take(match.start(), match.end())
            if not self._more() and self._is_done and match is None:
                size = len(self._rest)
                end = size - (self._place < size and self._rest[-1] == "\n")
                return self._take(end, size, is_last=True)

    def _take(self, end: int, following: int, *, is_last: bool = False) -> str | None:
        """Return the record up to a place; the next one begins where its end does."""
        if is_last and self._place >= end:
            return None
        record = self._rest[self._place : end]
        self._look(record)
        self.ended_by = self._rest[end:following]
        self._place = following
        return record


def _whole_characters(data: bytes) -> int:
    """Return how many bytes to take so that no character of UTF-8 is cut."""
    size = len(data)
    for back in range(1, min(4, size) + 1):
        byte = data[size - back]
        if byte < 0x80:
            return size
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return size - back if needed > back else size
    return size
