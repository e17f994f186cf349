"""The text of a file, as searches see it."""

from __future__ import annotations

from typing import Final

from vshell.text.lines import UTF8_BOM, decode, is_binary

__all__ = ["CASE_PARTNERS", "text_bytes", "text_of"]

CASE_PARTNERS: Final = tuple(map(str.encode, "\u0130\u0131\u017f\u212a"))
"""The only other characters that match ASCII letters (i, s, k) when case is ignored."""


def text_bytes(data: bytes, *, binary: bool = False) -> bytes | None:
    """Return a file's content as UTF-8 without a byte-order mark; None if it is binary.

    Bytes that are no UTF-8 stay as they are. With `binary`, anything is taken for text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = decode(data).text.encode("utf-8", "surrogateescape")
    if not binary and is_binary(data):
        return None
    return data.removeprefix(UTF8_BOM)


def text_of(data: bytes) -> str:
    """Return UTF-8 as the text that a `Matcher` searches.

    A byte that is no UTF-8 is a lone surrogate, and lines end with a newline alone.
    """
    text = data.decode("utf-8", "surrogateescape")
    # Looking for one byte first is six times faster than for two of which one is common.
    return text.replace("\r\n", "\n") if b"\r" in data else text
