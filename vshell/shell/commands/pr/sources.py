"""What `pr` reads: lines, up to the form feed that ends a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from vshell.shell.command import Input
from vshell.shell.commands.pr.settings import Settings

_LINE: Final = re.compile(rb"[^\f]*(?:\f\n?|\n|\Z)")
_PRINTABLE: Final = range(0x20, 0x7F)


class Line(NamedTuple):
    """A line without its end, and whether a form feed was that end."""

    text: bytes
    ends_page: bool


class Source:
    """The lines of one input.

    Args:
        opened: Where they come from.
        name: What the header says.
        time_ns: When it changed last.
    """

    def __init__(self, opened: Input, name: str, time_ns: int) -> None:
        self.name = name
        self.time_ns = time_ns
        self.status: Literal["open", "held", "closed"] = "open"
        self._lines = _lines(opened)

    def next(self) -> Line | None:
        """Return the next line; None at the end, which closes it."""
        found = next(self._lines, None)
        if found is None:
            self.status = "closed"
        elif found.ends_page:
            self.status = "held"
        return found

    def resume(self) -> None:
        """Go on with the next page."""
        if self.status == "held":
            self.status = "open"


def _lines(opened: Input) -> Iterator[Line]:
    for whole in opened:
        if b"\f" not in whole:
            yield Line(whole.removesuffix(b"\n"), False)
            continue
        for part in _LINE.findall(whole):
            if part:
                text: bytes = part.rstrip(b"\n") if part.endswith(b"\f\n") else part
                ends_page = text.endswith(b"\f")
                yield Line(text[:-1] if ends_page else part.removesuffix(b"\n"), ends_page)


class Clumps:
    """Turns lines into what stands in a column.

    Args:
        settings: How they are shown.
        width: Where they are cut; None cuts nothing.
    """

    def __init__(self, settings: Settings, width: int | None) -> None:
        self._settings = settings
        self._width = width
        tab, self._tab_width = settings.input_tab
        self._tab = ord(tab.encode("utf-8", "surrogateescape")[:1])
        self._expands = settings.expands

    def column(self, line: bytes, start: int = 0) -> tuple[bytes, int]:
        """Return what is shown of a line, and the column where it ends.

        Args:
            line: The line.
            start: Where it begins, as a number stands before it.
        """
        if self._width is None and not (self._expands or self._settings.shows):
            return line, start
        shown: list[bytes] = []
        column = start
        for byte in line:
            clump, width = self._clump(byte, column)
            if self._width is not None and column + width > self._width:
                break
            shown.append(clump)
            column += width
        return b"".join(shown), column

    def _clump(self, byte: int, column: int) -> tuple[bytes, int]:
        if byte in (self._tab, 9):
            width = self._tab_width if byte == self._tab else 8
            width -= column % width
            return (b" " * width if self._expands else bytes([byte])), width
        if byte in _PRINTABLE:
            return bytes([byte]), 1
        shows = self._settings.shows
        if shows == "octal" or (shows == "hat" and byte >= 0x80):
            return b"\\%03o" % byte, 4
        if shows == "hat":
            return b"^" + bytes([byte ^ 0x40]), 2
        return bytes([byte]), -1 if byte == 8 else 0
