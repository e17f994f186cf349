"""How many words `{a,b}{1..9}` makes: the engine stops at 50,000 and says nothing.

So ranges of more are made by `seq`, and everything else of more meets a limit that is told.
"""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.script_text import code_of

_ENGINE_WORDS: Final = 50_000
_MOST_WORDS: Final = 100_000
"""How many words an expansion has at most; the engine ends the script with more."""

_REFUSED: Final = f"{{1..{_MOST_WORDS + 1}}}"
"""What the engine refuses for being too long."""

_LETTER: Final = r"[^\s;&|<>()\"'`\\]"
_WORD: Final = re.compile(rf"(?<!{_LETTER}){_LETTER}*\{{{_LETTER}*\}}{_LETTER}*")
_RANGE: Final = re.compile(r"(-?\d{1,15}|[A-Za-z])\.\.(-?\d{1,15}|[A-Za-z])(?:\.\.(-?\d{1,9}))?")
_PLAIN_RANGE: Final = re.compile(r"\{(0|-?[1-9]\d*)\.\.(0|-?[1-9]\d*)\}")
_LOOP: Final = re.compile(r"\bfor[ \t]+\w+[ \t]+in\b[^;\n]*$")
_DEEPEST: Final = 50


def within_braces(script: str) -> str:
    """Return a script in which no word is expanded to fewer words than bash would."""
    if "{" not in script or (".." not in script and "}{" not in script and "," not in script):
        return script
    pieces, end = [], 0
    for found in _WORD.finditer(script):
        count = expansions(found[0])
        if count < _ENGINE_WORDS or not code_of(script).mask[found.start()]:
            continue
        plain = _PLAIN_RANGE.fullmatch(found[0])
        if plain and _LOOP.search(script[max(0, found.start() - 400) : found.start()]):
            continue  # the words of a loop are no arguments: it takes 100,000, and tells of more
        word = _REFUSED
        if plain and count <= _MOST_WORDS:
            first, last = int(plain[1]), int(plain[2])
            word = f"$(seq {first} {1 if last > first else -1} {last})"
        pieces += [script[end : found.start()], word]
        end = found.end()
    return "".join([*pieces, script[end:]])


def expansions(word: str) -> int:
    """Return how many words a word is expanded to, by its braces."""
    return _sequence(word, 0, 0)[0] if _is_closed(word) else 1


def _is_closed(word: str) -> bool:
    """Tell whether each `{` has its `}`, so that none is looked for in vain."""
    depth = 0
    for letter in word:
        depth = depth + 1 if letter == "{" else max(0, depth - 1) if letter == "}" else depth
    return depth == 0


def _sequence(word: str, place: int, depth: int) -> tuple[int, int]:
    """Return the count of what is at a place up to `,` or `}`, and where that ends."""
    count = 1
    while place < len(word):
        letter = word[place]
        if depth and letter in ",}":
            break
        if letter == "{" and word[place - 1 : place] != "$" and depth < _DEEPEST:
            inner, place = _group(word, place, depth)
            count = min(count * inner, 1 << 62)
        else:
            place += 1
    return count, place


def _group(word: str, place: int, depth: int) -> tuple[int, int]:
    start, total, parts = place, 0, 0
    place += 1
    while True:
        count, place = _sequence(word, place, depth + 1)
        total += count
        parts += 1
        if place >= len(word):
            return 1, start + 1  # it has no end, so it is no group
        place += 1
        if word[place - 1] == "}":
            break
    if parts > 1:
        return total, place
    found = _RANGE.fullmatch(word[start + 1 : place - 1])
    return (_length(*found.groups()) if found else 1), place


def _length(first: str, last: str, step: str | None) -> int:
    if first.isalpha() != last.isalpha():
        return 1
    distance = ord(last) - ord(first) if first.isalpha() else int(last) - int(first)
    return abs(distance) // max(1, abs(int(step or 1))) + 1
