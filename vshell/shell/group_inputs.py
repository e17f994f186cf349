"""Inputs of groups and loops: those that are shared by commands, and those with numbers."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.script_text import COMMAND, Code, code_of, end_of_group

# `{ head -1; sort; } < FILE`: the engine's `read` is the one command that takes no more than it
# reads from an input that it shares.

_HEAD: Final = r"[({][ \t\n]*(?=head[ \t]+-(?:n[ \t]*)?(\d{1,4})[ \t]*([;&\n>]))"
_LINES: Final = (
    "{{ for ((__vshell_n = {count}; __vshell_n > 0; __vshell_n--)); do"
    ' IFS= read -r __vshell_line || {{ printf %s "$__vshell_line"; break; }};'
    " printf '%s\\n' \"$__vshell_line\"; done; }}"
)


def heads_of_groups(script: str) -> str:
    """Return a script in which `head` at the start of a group leaves the rest of its input."""
    pieces, end = [], 0
    code = code_of(script)
    for found in re.finditer(_HEAD, script):
        after = end_of_group(code, found.start())
        if not after or not re.match(r"[ \t]*<[ \t]*[^<(&\s]", script[after:]):
            continue
        command = re.compile(r"head[ \t]+-(?:n[ \t]*)?\d+").match(script, found.end())
        assert command is not None
        pieces += [script[end : found.end()], _LINES.format(count=found[1])]
        end = command.end()
    return "".join([*pieces, script[end:]])


# `while read x <&3; do ...; done 3< FILE`: the engine opens other inputs for `exec` only.

_NUMBERED: Final = r"((?<=[\s;)}])(?:done|\})|\))([^\n;&|#]{0,200}?[ \t])([3-9])<(?![<&])[ \t]*"
_LOOP_WORDS: Final = rf"(?:{COMMAND}(while|until|for|select)\b)|(?<=[\s;&)}}])(done)\b"
_WORD: Final = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|<>()\"']|<(?=\())+"


def numbered_inputs(script: str) -> str:
    """Return a script in which `exec` opens the other inputs of compound commands."""
    for found in re.finditer(_NUMBERED, script):
        code = code_of(script)
        place = found.start(3)
        word = re.compile(_WORD).match(script, found.end())
        if not (code.mask[found.start(1)] and code.mask[place]) or word is None:
            continue
        after = word.end()
        if script[after - 1] == "<":
            after = end_of_group(code, after)
        start = _start_of_compound(code, found.start(1), found[1])
        end = re.compile(r"[^\n;&|)}#]*").match(script, after)
        if start is None or not after or end is None:
            continue
        opened = f"exec {script[place:after]}; "
        rest = script[after : end.end()]
        if found[1] == ")":
            changed = f"({opened}{script[start + 1 : place]}{rest}"
        else:
            changed = f"{{ {opened}{script[start:place]}{rest}; }}"
        return numbered_inputs(script[:start] + changed + script[end.end() :])
    return script


def _start_of_compound(code: Code, end: int, word: str) -> int | None:
    """Return where the compound command begins whose last word is at `end`."""
    opened: list[int] = []
    if word == "done":
        for found in re.compile(_LOOP_WORDS).finditer(code.script, 0, end + len(word)):
            if found[1] and code.mask[found.start(1)]:
                opened.append(found.start(1))
            elif found[2] and code.mask[found.start(2)] and opened:
                start = opened.pop()
                if found.start(2) == end:
                    return start
        return None
    opening = {"}": "{", ")": "("}[word]
    for place in range(end + 1):
        if code.mask[place] and code.script[place] == opening:
            opened.append(place)
        elif code.mask[place] and code.script[place] == word and opened:
            start = opened.pop()
            if place == end:
                return start
    return None
