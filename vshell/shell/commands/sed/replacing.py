"""What `s` puts in the place of a match."""

from __future__ import annotations

from typing import Final

import regex

from vshell.shell.commands.sed.script import Substitution

REGEX_TIMEOUT_S: Final = 20.0
"""What a single search may take: expressions with back references can take for ever."""
MAX_SPACE: Final = 256 * 1024 * 1024
"""How many characters a line may grow to."""


def substituted(what: Substitution, text: str) -> str:
    """Return a text after a substitution; `tar --transform` has them too."""
    if what.pattern is None:
        return text
    count = 0

    def one(match: regex.Match[str]) -> str:
        nonlocal count
        count += 1
        wanted = count >= what.number and (what.is_global or count == what.number)
        return replacement(what, match) if wanted else match.group()

    result: str = what.pattern.sub(one, text, timeout=REGEX_TIMEOUT_S)
    return result


def replacement(what: Substitution, match: regex.Match[str]) -> str:
    if not what.has_cases:
        return "".join(
            [value if kind == "text" else (match.group(value) or "") for kind, value in what.parts]
        )
    result: list[str] = []
    mode = once = ""
    for kind, value in what.parts:
        if kind == "case":
            if value in "lu":
                once = value
            else:
                mode = "" if value == "E" else value
                once = once if value != "E" else ""
            continue
        text = value if kind == "text" else (match.group(value) or "")
        if not text:
            continue
        if mode:
            text = text.upper() if mode == "U" else text.lower()
        if once:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        result.append(text)
    return "".join(result)
