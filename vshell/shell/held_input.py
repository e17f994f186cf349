"""`find | while read f; do cp "$f" x; done`: the loop's input is kept from the commands in it.

In the engine each of our commands takes the pipe that a compound command reads from, whether
it reads or not, and nothing of it is left for `read`. A file it leaves alone. So what comes
through such a pipe is held, and the compound command reads it as a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from vshell.shell.script_text import Code, code_of

HOLD: Final = "__vshell_hold"
"""The command that holds its input under a number."""

HELD_PATH: Final = "/dev/.vshell-held-"
"""Where it is read, once, with the number after it."""

_NO_READERS: Final = """
basename chmod chown cp date dirname du file find install ln ls mkdir mktemp mv readlink realpath
rm rmdir seq sleep stat touch tree truncate which
"""
_NEVER_READ: Final = frozenset(_NO_READERS.split())
"""Commands that read no input at all."""

_NEAR: Final = 400
_PIPE: Final = r"(?<!\|)\|&?\s*(?=(?:while|until|for|if|case)\b|[({])"
_WORDS: Final = r"(?<![\w$./-])(?:(while|until|for|select|if|case)|(done|fi|esac))(?=[\s;&|<>)]|$)"
_COMPUTED: Final = r"(?:[;&|\n]|\b(?:do|then|else|env|command|timeout \S+))\s*\"?\$[\w{@]"
"""A command whose name is in a variable."""
_ENDLESS: Final = r"\byes\b|\bwhile\s+(?:true|:)|/dev/u?(?:random|zero)|\btail\s+-\w*[fF]|\binf\b"


def with_held_input(script: str, ours: Collection[str]) -> str:
    """Return a script whose compound commands read what was held.

    Args:
        script: The script.
        ours: The commands that take their input away.
    """
    place, number = 0, 0
    while (found := re.compile(_PIPE).search(script, place)) is not None:
        code, start = code_of(script), found.end()
        place = start
        if not code.mask[found.start()] or _is_endless(script[: found.start()]):
            continue
        after = _end_of_compound(code, start)
        end = re.compile(r"(?:[^\n;&|)}#<]|>&|&>|>\|)*").match(script, after)
        if not after or end is None or script.startswith("<", end.end()):
            continue
        if not _takes_input(script[start:after], ours):
            continue
        number += 1
        before = f"{{ {HOLD} {number}; "
        compound = f"{before}{script[start : end.end()]} < {HELD_PATH}{number}; }} "
        script = f"{script[:start]}{compound}{script[end.end() :]}"
        place = start + len(before) + 1
    return script


def _is_endless(before: str) -> bool:
    """Tell whether what is before a pipe may print for ever."""
    writer = before[-_NEAR:]
    if not writer.rstrip().endswith("done"):
        writer = re.split(r"[;\n]", writer)[-1]
    return re.search(_ENDLESS, writer) is not None


def _takes_input(compound: str, ours: Collection[str]) -> bool:
    """Tell whether a command of ours is in it that should not have the input."""
    first = re.search(_names(frozenset(ours)), compound)
    if compound.startswith(("while", "until")):
        return first is not None or re.search(_COMPUTED, compound) is not None
    return first is not None and first[1] in _NEVER_READ


@lru_cache(maxsize=2)
def _names(ours: frozenset[str]) -> str:
    names = "|".join(map(re.escape, sorted(ours, key=len, reverse=True)))
    return rf"(?<![\w$./=\"'-])({names})(?=[\s;&|<>)]|$)"


def _end_of_compound(code: Code, start: int) -> int:
    """Return where a compound command ends; 0 when that is not seen."""
    opened: list[str] = []
    if code.script[start] in "({":
        pairs = {"(": ")", "{": "}"}
        for found in re.compile(r"[(){}]").finditer(code.script, start):
            if not code.mask[found.start()]:
                continue
            if found[0] in pairs:
                opened.append(pairs[found[0]])
            elif opened and found[0] == opened[-1]:
                opened.pop()
                if not opened:
                    return found.end()
        return 0
    for found in re.compile(_WORDS).finditer(code.script, start):
        if not code.mask[found.start()]:
            continue
        if found[1]:
            opened.append({"if": "fi", "case": "esac"}.get(found[1], "done"))
        elif opened and found[2] == opened[-1]:
            opened.pop()
            if not opened:
                return found.end()
    return 0
