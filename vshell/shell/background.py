"""`a && b &`: the engine puts `b` alone into the background, so the list is made one command."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.script_text import code_of

_SIGN: Final = (
    r"&&|\|\||[<>]&|&>|;;&|;&|[;\n&(){}]|"
    r"(?<![\w$.-])(?:then|do|else|elif|if|while|until|time|case|in)(?=\s)|!(?=\s)"
)
_ENDS: Final = ("fi", "done", "esac", "}", ")", ";", "(")
"""What begins no list here: the compound command that ends there began before, and `(` may be
that of a pattern."""


_DEEPEST: Final = 20
_PAIRS: Final = {")": "(", "}": "{"}


def whole_lists(script: str) -> str:
    """Return a script in which each list in the background is one command."""
    for _ in range(_DEEPEST):
        found = _lists(script)
        if not found:
            break
        pieces, place = [], 0
        for start, end in found:
            pieces += [script[place:start], "{ ", script[start:end].rstrip(), "; } "]
            place = end
        script = "".join([*pieces, script[place:]])
    return script


def _lists(script: str) -> list[tuple[int, int]]:
    """Return where lists of several commands before a `&` begin and end, the inner ones."""
    mask = code_of(script).mask
    # Of each depth: what opened it, where the list began that is read, if it has `&&` or `||`.
    depths: list[tuple[str, int, bool]] = [("", 0, False)]
    lists: list[tuple[int, int]] = []
    for found in re.finditer(_SIGN, script):
        sign, end = found[0], found.end()
        if not mask[found.start()] or sign in ("<&", ">&", "&>"):
            continue
        opened, start, is_list = depths[-1]
        text = script[start : found.start()]
        if sign in ("&&", "||"):
            depths[-1] = (opened, start, True)
        elif sign in ("(", "{"):
            depths.append((sign, end, False))
        elif _PAIRS.get(sign) == opened:
            depths.pop()
        elif sign != "\n" or not text.rstrip().endswith(("&&", "|")):
            # Also a `)` that opened nothing, after the pattern of a case.
            start += len(text) - len(text.lstrip())
            is_apart = not lists or lists[-1][1] <= start
            if sign == "&" and is_list and is_apart and not script.startswith(_ENDS, start):
                lists.append((start, found.start()))
            depths[-1] = (opened, end, False)
    return lists
