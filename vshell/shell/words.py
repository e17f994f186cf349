"""Words with any bytes in an engine whose words are Unicode text.

A file name is any bytes. In Python, those that are no UTF-8 are lone surrogates
(`surrogateescape`); the engine cannot hold these. So on the way in they become the last
characters of the private planes, U+10FF80 to U+10FFFF, and on the way out, in words,
paths and output, they become bytes again.
"""

from __future__ import annotations

import re
from typing import Final

_INWARDS: Final = {0xDC00 + byte: 0x10FF00 + byte for byte in range(0x80, 0x100)}
_OUTWARDS: Final = {there: here for here, there in _INWARDS.items()}
_IN_OUTPUT: Final = re.compile(rb"\xf4\x8f(?:\xbe|\xbf)[\x80-\xbf]")


def to_engine(text: str) -> str:
    """Return text for the engine."""
    return text if text.isascii() else text.translate(_INWARDS)


def from_engine(text: str) -> str:
    """Return text that came from the engine."""
    return text if text.isascii() else text.translate(_OUTWARDS)


def output_from_engine(data: bytes) -> bytes:
    """Return output with the bytes that words held."""
    return _IN_OUTPUT.sub(_byte, data) if b"\xf4\x8f" in data else data


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([ord(found[0].decode()) - 0x10FF00])


_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def quoted(word: str) -> str:
    """Return a word as the shell would have to be given it."""
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
