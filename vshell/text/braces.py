"""Brace expansion: `{a,b}`, `{1..3}`, nested, as bash does it but bounded.

The rules are those of bash(1), "Brace Expansion": purely textual, done before
any wildcard is looked at; braces without a comma and without a range stay as
they are, and so does a brace that has no partner. One quirk is left out: after
a pair without a comma, bash looks for a later partner (`{a},b}` is `a}` and `b`
there); here a pair is a pair.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from vshell.errors import BadPatternError

__all__ = ["MAX_BRACE_DEPTH", "MAX_EXPANDED_CHARACTERS", "MAX_WORDS", "expand_braces"]

MAX_WORDS: Final = 1024
"""Into how many words one pattern may expand; 2**10 of them still compile in 0.1 s."""

MAX_EXPANDED_CHARACTERS: Final = 64 * 1024
"""How long those words may be together; it bounds the time to compile and to match them."""

MAX_BRACE_DEPTH: Final = 32
"""How deep braces may nest, well inside Python's own limit for recursion."""

_MARK = re.compile(r"\\.|[{},]", re.DOTALL)
_NUMBERS = re.compile(r"([+-]?\d{1,18})\.\.([+-]?\d{1,18})(?:\.\.([+-]?\d{1,18}))?", re.ASCII)
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])(?:\.\.([+-]?\d{1,18}))?", re.ASCII)


@dataclass(slots=True)
class _Group:
    """A pair of braces that expands: the offsets of its commas and of its closing brace."""

    commas: list[int] = field(default_factory=list)
    close: int = -1
    depth: int = 0


def expand_braces(
    pattern: str,
    *,
    max_words: int = MAX_WORDS,
    max_characters: int = MAX_EXPANDED_CHARACTERS,
) -> list[str]:
    """Return the words that the braces of a pattern stand for.

    A backslash keeps the next character from meaning anything, and stays in the
    words. `{1..10..2}` counts in steps, `{01..10}` pads with zeros, `{a..e}`
    counts letters. Unlike in bash, `${` is nothing special.

    Args:
        pattern: The text to expand.
        max_words: How many words are allowed.
        max_characters: How many characters they may have together.

    Returns:
        The words in bash's order, each once; some may be empty. A pattern without
        braces is its own only word.

    Raises:
        BadPatternError: There are too many words or characters, or braces nest deeper
            than `MAX_BRACE_DEPTH`. `data["position"]` is the offset of the brace.
    """
    if "{" not in pattern:
        return [pattern]
    groups = _groups(pattern)
    expansion = _Expansion(pattern, groups, sorted(groups), max_words, max_characters)
    return list(dict.fromkeys(expansion.words(0, len(pattern))))


def _groups(pattern: str) -> dict[int, _Group]:
    """Pair the braces in one pass; what is left on the stack at the end is literal."""
    found: dict[int, _Group] = {}
    waiting: list[tuple[int, _Group]] = []
    for mark in _MARK.finditer(pattern):
        offset, character = mark.start(), mark[0]
        if character == "{":
            waiting.append((offset, _Group()))
        elif character == "," and waiting:
            waiting[-1][1].commas.append(offset)
        elif character == "}" and waiting:
            start, group = waiting.pop()
            group.close = offset
            expands = group.commas or _range_of(pattern, start + 1, offset)
            if expands:
                found[start] = group
                _check_depth(start, group.depth)
            if waiting:
                outer = waiting[-1][1]
                outer.depth = max(outer.depth, group.depth + bool(expands))
    return found


def _check_depth(start: int, depth: int) -> None:
    if depth >= MAX_BRACE_DEPTH:
        raise BadPatternError(
            f"braces nest more than {MAX_BRACE_DEPTH} deep in the pattern",
            hint="write the alternatives side by side",
            data={"position": start},
        )


def _range_of(pattern: str, start: int, end: int) -> re.Match[str] | None:
    # Three numbers of at most 19 characters: longer text cannot be a range.
    if end - start > 64:
        return None
    return _NUMBERS.fullmatch(pattern, start, end) or _LETTERS.fullmatch(pattern, start, end)


@dataclass(frozen=True, slots=True)
class _Expansion:
    pattern: str
    groups: dict[int, _Group]
    opens: list[int]
    max_words: int
    max_characters: int

    def words(self, start: int, end: int) -> list[str]:
        """Expand one stretch of the pattern: literal text and groups, multiplied out."""
        words = [""]
        literal = start
        while (offset := self._next_open(literal)) < end:
            text = self.pattern[literal:offset]
            options = [text + option for option in self._options(offset)]
            self._check(offset, len(words) * len(options))
            words = [word + option for word in words for option in options]
            self._check(offset, len(words), sum(map(len, words)))
            literal = self.groups[offset].close + 1
        rest = self.pattern[literal:end]
        self._check(literal, 0, len(words) * len(rest))
        return [word + rest for word in words]

    def _next_open(self, start: int) -> int:
        index = bisect_left(self.opens, start)
        return self.opens[index] if index < len(self.opens) else len(self.pattern)

    def _options(self, start: int) -> list[str]:
        group = self.groups[start]
        if not group.commas:
            return self._counted(start, group.close)
        options: list[str] = []
        characters = 0
        edges = [start, *group.commas, group.close]
        for before, after in pairwise(edges):
            words = self.words(before + 1, after)
            options += words
            characters += sum(map(len, words))
            self._check(start, len(options), characters)
        return options

    def _counted(self, start: int, close: int) -> list[str]:
        match = _range_of(self.pattern, start + 1, close)
        assert match is not None
        first, last, step = match.groups()
        if match.re is _LETTERS:
            values = _count(ord(first), ord(last), int(step or 1))
            self._check(start, len(values))
            return [_letter(value) for value in values]
        values = _count(int(first), int(last), int(step or 1))
        self._check(start, len(values))
        width = _padded_width(first, last)
        return [f"{value:0{width}d}" for value in values]

    def _check(self, position: int, words: int, characters: int = 0) -> None:
        if words > self.max_words:
            raise BadPatternError(
                f"the braces stand for more than {self.max_words} patterns",
                hint="use fewer alternatives, or * in their place",
                data={"position": position},
            )
        if characters > self.max_characters:
            raise BadPatternError(
                f"the braces stand for more than {self.max_characters} characters",
                hint="use fewer or shorter alternatives, or * in their place",
                data={"position": position},
            )


def _count(first: int, last: int, step: int) -> range:
    size = abs(step) or 1
    return range(first, last + 1, size) if first <= last else range(first, last - 1, -size)


def _letter(code: int) -> str:
    # Between Z and a lie characters that would mean something in a pattern.
    character = chr(code)
    return character if character.isalpha() else f"\\{character}"


def _padded_width(first: str, last: str) -> int:
    """Zero-padding is asked for by a leading zero at either end."""
    padded = any(
        len(text.lstrip("+-")) > 1 and text.lstrip("+-")[0] == "0" for text in (first, last)
    )
    return max(len(first), len(last)) if padded else 0
