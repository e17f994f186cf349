"""What is shown of a text: lines around a match, and the part of a long line that matters."""

from __future__ import annotations

__all__ = ["cut_line", "lines_after", "lines_before"]


def cut_line(line: str, limit: int, *, around: int = 0) -> str:
    """Return a line, or of one that is longer than `limit` characters a part.

    What was cut off is told by a mark, as in `[120 characters] text [7 characters]`.

    Args:
        line: The line.
        limit: How many characters of it to keep.
        around: An offset that the part shows; a quarter of the part comes before it.
    """
    if len(line) <= limit:
        return line
    start = max(0, min(around - limit // 4, len(line) - limit))
    rest = len(line) - start - limit
    before = f"[{start} characters] " if start else ""
    after = f" [{rest} characters]" if rest else ""
    return f"{before}{line[start : start + limit]}{after}"


def lines_before(text: str, start: int, count: int) -> list[str]:
    """Return up to `count` lines before the line that begins at `start`."""
    found: list[str] = []
    end = start - 1
    while len(found) < count and end >= 0:
        begin = text.rfind("\n", 0, end) + 1
        found.append(text[begin:end])
        end = begin - 1
    return found[::-1]


def lines_after(text: str, end: int, count: int) -> list[str]:
    """Return up to `count` lines after the line that ends at `end`."""
    found: list[str] = []
    begin = end + 1
    while len(found) < count and begin < len(text):
        end = text.find("\n", begin)
        end = end if end >= 0 else len(text)
        found.append(text[begin:end])
        begin = end + 1
    return found
