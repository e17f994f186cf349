"""`fnmatch` as `find -name`, `grep --include`, `ls --hide` and `diff -x` use it.

`*` and `?` match slashes and leading dots too. The regular expressions never try a
second split: what stands between two stars is an atomic group.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from vshell.text.wildcards import CLASSES, NEVER, read_set

_ITEM: Final = re.compile(
    r"\[:(?P<name>[a-z]+):\]"
    r"|(?P<low>\[\..\.\]|\[=.=\]|\\.|[^\\])(?:-(?P<high>\[\..\.\]|\\.|[^]\\]))?",
    re.DOTALL,
)


@lru_cache(maxsize=256)
def compile_wildcard(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile a pattern; use `fullmatch`."""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    pieces = _pieces(pattern)
    if pieces is None:
        return re.compile(NEVER)
    if len(pieces) == 1:
        return re.compile(pieces[0], flags)
    first, *middle, last = pieces
    inner = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{inner}.*{last}", flags)


def wildcard_matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Tell whether a pattern matches the whole text."""
    return compile_wildcard(pattern, ignore_case=ignore_case).fullmatch(text) is not None


def _pieces(pattern: str) -> list[str] | None:
    """Return what stands between the stars as regular expressions; None: nothing matches."""
    pieces = [""]
    unclosed: set[int] = set()
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "*":
            pieces.append("")
        elif letter == "?":
            pieces[-1] += "."
        elif letter == "\\":
            if position == len(pattern):
                return None
            pieces[-1] += re.escape(pattern[position])
            position += 1
        elif letter == "[" and (found := read_set(pattern, position - 1, _ITEM, unclosed)):
            characters, position = found
            if any(name not in CLASSES for name in characters.classes):
                return None
            # Sets never match `/` there: it separates the parts of globs' paths.
            pieces[-1] += characters.regex().replace("[^/", "[^", 1).replace("(?!/)", "", 1)
        else:
            pieces[-1] += re.escape(letter)
    return pieces
