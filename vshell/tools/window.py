"""Windows onto text files: the lines that a read shows, and why it shows no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vshell.errors import BinaryFileError, TooLargeError
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.context import Context
from vshell.text.lines import decode, is_binary


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines of a text.

    Attributes:
        lines: The lines.
        start: The number of the first, from 0.
        total: How many lines the text has.
        cut_by: Which limit ended it; None when it shows all that was asked for.
    """

    lines: list[str]
    start: int
    total: int
    cut_by: Literal["lines", "bytes"] | None

    @property
    def end(self) -> int:
        """The number of the line after the last, from 0."""
        return self.start + len(self.lines)


def lines_of(context: Context, path: str) -> list[str]:
    """Return the parts of a text file between its newlines, the last one empty if it ends in one.

    Raises:
        BinaryFileError: It is no text.
        TooLargeError: It has more than 64 MiB.
        IsDirectoryError, NotFoundError: There is no file.
    """
    where = context.resolve(path)
    if context.files.stat(where).size > MAX_TEXT_BYTES:
        raise TooLargeError(f"the file is too large to read as text: {where}", path=where)
    data, stat = context.files.read_with_stat(where)
    if is_binary(data) and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise BinaryFileError(f"the file is binary: {where}", path=where)
    context.note_read(where, stat.hash)
    return decode(data).text.split("\n")


def window(
    lines: list[str], start: int, limit: int | None, *, max_lines: int, max_bytes: int
) -> Window:
    """Return whole lines from `start` on, until one of the limits.

    Args:
        lines: All lines.
        start: The first to show, from 0.
        limit: How many were asked for; None for all.
        max_lines: How many may be shown.
        max_bytes: How many bytes they may have, with a newline between each two.
    """
    end = len(lines) if limit is None else min(len(lines), start + limit)
    if end == len(lines) and end - start > 1 and not lines[-1]:
        end -= 1  # what is after the last newline is no line that would be missed
    shown: list[str] = []
    size = 0
    for line in lines[start:end]:
        size += len(line.encode("utf-8", "surrogateescape")) + bool(shown)
        if size > max_bytes:
            return Window(shown, start, len(lines), "bytes")
        if len(shown) == max_lines:
            return Window(shown, start, len(lines), "lines")
        shown.append(line)
    return Window(lines[start : start + limit] if limit else lines[start:], start, len(lines), None)


def shortened(line: str, most: int, marker: str) -> str:
    """Return a line, or the beginning of a long one and a marker."""
    return line if len(line) <= most else line[:most] + marker
