"""Lines as `l` shows them."""

from __future__ import annotations

from typing import Final

from vshell.shell.command_io import to_bytes

_VISIBLE: Final = {
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def visible(text: str, width: int) -> str:
    """Return a line as `l` prints it, folded."""
    lines: list[str] = []
    current: list[str] = []
    room = 0
    limit = width - 1 if width else -1
    for character in text:
        for shown in _shown(character):
            if limit >= 0 and room + len(shown) > limit:
                lines.append("".join(current) + "\\")
                current, room = [], 0
            current.append(shown)
            room += len(shown)
    lines.append("".join(current) + "$")
    return "\n".join(lines)


def _shown(character: str) -> list[str]:
    named = _VISIBLE.get(character)
    if named is not None:
        return [named]
    if " " <= character < "\x7f":
        return [character]
    if character.isprintable() and not character.isascii():
        return [f"\\{byte:03o}" for byte in character.encode()]
    return [f"\\{byte:03o}" for byte in to_bytes(character)]
