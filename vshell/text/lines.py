"""Text as bytes: what its encoding is, how its lines end, and where they begin."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final, Literal

Newline = Literal["lf", "crlf", "cr", "mixed", "none"]

UTF8_BOM: Final = codecs.BOM_UTF8
_SNIFFED_BYTES: Final = 8192
_UTF16_BOMS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def is_binary(data: bytes) -> bool:
    """Tell whether the bytes are no text: a NUL in the first 8 KiB, as git and ripgrep judge."""
    return b"\0" in data[:_SNIFFED_BYTES]


def newline_style(data: bytes) -> Newline:
    """Return how the lines end: "lf", "crlf", "cr", "mixed", or "none" when none does."""
    crlf = data.count(b"\r\n")
    lf = data.count(b"\n") - crlf
    if crlf:
        return "mixed" if lf else "crlf"
    if lf:
        return "lf"
    return "cr" if b"\r" in data else "none"


def count_lines(data: bytes) -> int:
    """Return the number of lines; a last one without a newline counts."""
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with what must be known to write it back.

    Attributes:
        text: The text, without a byte-order mark.
        encoding: `"utf-8"`, `"utf-16-le"`, `"utf-16-be"`, or `"unknown"` when bytes that are
            no UTF-8 stand as U+FFFD in the text.
        bom: Whether a byte-order mark came first.
    """

    text: str
    encoding: str
    bom: bool


def decode(data: bytes) -> Decoded:
    """Return bytes as text, never failing."""
    for mark, encoding in _UTF16_BOMS.items():
        if data.startswith(mark):
            return Decoded(data[2:].decode(encoding, "replace"), encoding, True)
    bom = data.startswith(UTF8_BOM)
    body = data[3:] if bom else data
    try:
        return Decoded(body.decode(), "utf-8", bom)
    except UnicodeDecodeError:
        return Decoded(body.decode("utf-8", "replace"), "unknown", bom)


def line_start(data: bytes, line: int) -> int:
    """Return the offset at which a line begins, counted from 1; -1 when there are fewer lines."""
    if line == 1:
        return 0
    offset = -1
    for _ in range(line - 1):
        offset = data.find(b"\n", offset + 1)
        if offset < 0:
            return -1
    return offset + 1 if offset + 1 < len(data) else -1


def character_boundary(data: bytes, offset: int) -> int:
    """Return the last offset up to `offset` that does not cut a UTF-8 character."""
    start = max(0, offset - 4)
    boundary = offset
    while boundary > start and boundary < len(data) and data[boundary] & 0xC0 == 0x80:
        boundary -= 1
    return boundary if boundary > start else offset
