"""The escapes of `sed`, in expressions, replacements and texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

_ESCAPES: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NUMERIC: Final = {"d": (10, 3, "[0-9]"), "o": (8, 3, "[0-7]"), "x": (16, 2, "[0-9a-fA-F]")}


def unescape(text: str, position: int) -> tuple[str | None, int]:
    """Read what follows a backslash, such as `t` or `x41`; None when it is no escape."""
    letter = text[position : position + 1]
    if letter in _ESCAPES and letter:
        return _ESCAPES[letter], position + 1
    if letter in _NUMERIC and letter:
        base, most, digits = _NUMERIC[letter]
        match = re.compile(f"{digits}{{1,{most}}}").match(text, position + 1)
        if match:
            return _character(int(match.group(), base) & 0xFF), match.end()
    if letter == "c" and position + 1 < len(text):
        return chr(ord(text[position + 1].upper()) ^ 0x40), position + 2
    return None, position


def _character(byte: int) -> str:
    return chr(byte) if byte < 128 else chr(0xDC00 + byte)


def regex_escapes(source: str) -> str:
    """Replace the escapes in an expression that `sed` itself knows; `\\n` stays."""
    parts: list[str] = []
    position = 0
    in_bracket = False
    while position < len(source):
        letter = source[position]
        position += 1
        if letter != "\\" or position == len(source):
            in_bracket = letter == "[" or (in_bracket and letter != "]")
            parts.append(letter)
            continue
        following = source[position]
        if following == "n":
            parts.append("\n" if in_bracket else "\\n")
            position += 1
            continue
        found, position = unescape(source, position)
        if found is None:
            parts.append("\\" + following if not in_bracket else "\\")
            position += 0 if in_bracket else 1
        elif found in "*.[]^$\\/+?(){}|" and not in_bracket:
            parts.append("\\" + found if found not in "+?(){}|" else f"[{found}]")
        else:
            parts.append(found)
    return "".join(parts)


def read_replacement(
    text: str,
) -> tuple[list[tuple[Literal["text", "group", "case"], Any]], bool]:
    """Read a replacement; return its parts, and whether it changes cases."""
    parts: list[tuple[Literal["text", "group", "case"], Any]] = []
    literal: list[str] = []

    def flush() -> None:
        if literal:
            parts.append(("text", "".join(literal)))
            literal.clear()

    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == "&":
            flush()
            parts.append(("group", 0))
        elif letter != "\\" or position == len(text):
            literal.append(letter)
        elif text[position] in "0123456789":
            flush()
            parts.append(("group", int(text[position])))
            position += 1
        elif text[position] in "LUElu":
            flush()
            parts.append(("case", text[position]))
            position += 1
        else:
            found, after = unescape(text, position)
            literal.append(text[position] if found is None else found)
            position = position + 1 if found is None else after
    flush()
    return parts, any(kind == "case" for kind, _ in parts)


def template_of(parts: Sequence[tuple[Literal["text", "group", "case"], Any]]) -> str:
    """Return a replacement without changes of case as the `regex` module takes it."""
    return "".join(
        value.replace("\\", "\\\\") if kind == "text" else f"\\g<{value}>" for kind, value in parts
    )
