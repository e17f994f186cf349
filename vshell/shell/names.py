"""Names for the eye: escaped as in C, without control characters, and how wide they are."""

from __future__ import annotations

import unicodedata
from typing import Final

_ESCAPES: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}


def c_escaped(name: str, also: str) -> str:
    """Return a name with backslash escapes for what cannot be printed, and for `also`."""
    return "".join(
        f"\\{letter}"
        if letter in also
        else letter
        if letter.isprintable() and letter != "\\"
        else _escape(letter)
        for letter in name
    )


def c_quoted(name: str) -> str:
    """Return a name in double quotes, as C has strings."""
    return f'"{c_escaped(name, chr(34))}"'


def _escape(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))


def hidden_control(name: str) -> str:
    """Return a name with `?` for what cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def display_width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
