"""What is shown in which colour, by what it is."""

from __future__ import annotations

from typing import Final

__all__ = ["COLOURS", "escapes_of"]

COLOURS: Final = {
    "command": "ansigreen bold",
    "unknown": "ansired",
    "keyword": "ansimagenta",
    "option": "ansicyan",
    "string": "ansiyellow",
    "variable": "ansiblue",
    "operator": "ansimagenta",
    "comment": "ansibrightblack italic",
    "error": "underline ansired",
    "prompt.workspace": "ansicyan",
    "prompt.cwd": "ansiblue bold",
    "prompt.failed": "ansired bold",
    "prompt.unsynced": "ansiyellow",
    "prompt.conflicts": "ansired",
    "prompt.continuation": "ansibrightblack",
    "bottom-toolbar": "noreverse ansibrightblack",
}
"""In prompt-toolkit's words, which are known here without loading it."""

_CODES: Final = {
    "bold": "1",
    "ansired": "31",
    "ansigreen": "32",
    "ansiyellow": "33",
    "ansiblue": "34",
    "ansimagenta": "35",
    "ansicyan": "36",
    "ansibrightblack": "90",
}


def escapes_of(style: str) -> str:
    """Return the escape sequence for a class of `COLOURS`; empty for none."""
    words = COLOURS.get(style.removeprefix("class:"), "").split()
    codes = ";".join(_CODES[word] for word in words if word in _CODES)
    return f"\x1b[{codes}m" if codes else ""
