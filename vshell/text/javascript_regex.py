r"""Regular expressions as JavaScript means them, for the `regex` module.

A pattern is read as ECMAScript does without the `u` flag (ECMA-262, 22.2 and Annex
B), but characters are code points. What differs from Python is rewritten:

| JavaScript | here |
|---|---|
| `$` | the end of the text, never before a final newline |
| `.` | all but `\n`, `\r`, U+2028 and U+2029 |
| `\d \w \b` | ASCII only |
| `\s` | the white space and line terminators of ECMAScript |
| `[]`, `[^]` | nothing, anything |
| `{` that begins no quantifier | itself |
| `\/`, `\y` | the character, when the escape means nothing |
| `(?<name>...)`, `\k<name>`, `\u{1f600}`, `\p{L}` | as with the `u` flag |

`(?P<name>...)`, `(?P=name)` and `(?i)` are understood too. Other extensions of
Python's are not: recursion, conditions and fuzzy matching have no bound.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from vshell.errors import BadPatternError

if TYPE_CHECKING:
    import regex

__all__ = ["MAX_PATTERN_CHARACTERS", "compile_javascript", "compile_literal"]

MAX_PATTERN_CHARACTERS: Final = 16 * 1024
"""The longest pattern; the largest takes some 100 ms to compile."""

_MAX_GROUP_DEPTH: Final = 100
"""The compiler of `regex` recurses for each level."""

_MAX_ITEMS: Final = 50_000
"""The compiler of `regex` copies what is repeated: `((x{99}){99}){99}` would be a million items."""

_Ranges = Sequence[tuple[int, int]]
_LAST: Final = 0x10FFFF

_DIGITS: Final[_Ranges] = ((0x30, 0x39),)
_WORD: Final[_Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Final[_Ranges] = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
_LINE_ENDS: Final[_Ranges] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
_QUANTIFIER: Final = re.compile(r"\{([0-9]{1,4000})(?:,[0-9]{0,4000})?\}")
_GROUP: Final = re.compile(
    r"\((?:\?(?:[:=!]|<[=!]|P?<(?P<name>[^\W\d]\w*)>|[ims]*(?:-[ims]+)?:|[ims]+\)|P=\w+\)))?"
)
_HEX_ESCAPE: Final = re.compile(
    r"x(?P<byte>[0-9a-fA-F]{2})"
    r"|u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<unit>[0-9a-fA-F]{4})|u\{(?P<point>[0-9a-fA-F]{1,6})\}"
)
_PROPERTY: Final = re.compile(r"[pP]\{[\w=]{1,100}\}")
_BACK_REFERENCE: Final = re.compile(r"k<(\w{1,100})>|([1-9][0-9]{0,2})")


@functools.lru_cache(maxsize=64)
def compile_javascript(
    pattern: str, *, ignore_case: bool = False, whole_word: bool = False
) -> regex.Pattern[str]:
    """Compile a pattern; its matches must be looked for with a timeout.

    Args:
        pattern: The source, without slashes and flags.
        ignore_case: Whether letters match in both cases.
        whole_word: Match only from one boundary of a word to another, where letters and
            digits of every language are parts of words.

    Raises:
        BadPatternError: It is malformed, longer than 16 Ki characters, nests groups deeper
            than 100 levels, or comes to more than 50,000 items with its counted repetitions
            written out. `data["position"]` says where, when that is known.
    """
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise BadPatternError(f"the pattern has more than {MAX_PATTERN_CHARACTERS} characters")
    return _compile(_Translator(pattern).result(), pattern, ignore_case, whole_word)


def compile_literal(
    text: str, *, ignore_case: bool = False, whole_word: bool = False
) -> regex.Pattern[str]:
    """Compile a pattern that matches a text itself; arguments as `compile_javascript`.

    Raises:
        BadPatternError: It is longer than 16 Ki characters.
    """
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise BadPatternError(f"the text to find has more than {MAX_PATTERN_CHARACTERS} characters")
    return _compile("".join(map(_escaped, map(ord, text))), text, ignore_case, whole_word)


def _compile(source: str, pattern: str, ignore_case: bool, whole_word: bool) -> regex.Pattern[str]:
    import regex

    if whole_word:
        source = rf"\b(?:{source})\b"
    try:
        return regex.compile(source, regex.V0 | (regex.IGNORECASE if ignore_case else 0))
    except (regex.error, OverflowError) as error:
        raise BadPatternError(
            f"the regular expression is malformed: {getattr(error, 'msg', error)}: {pattern[:200]}",
            hint="leave out regex to search for the text itself",
        ) from None


class _Level:
    """How many items a group has so far when repetitions are written out, and its last item."""

    __slots__ = ("last", "total")

    def __init__(self) -> None:
        self.total = 0
        self.last = 0

    def add(self, items: int) -> None:
        self.total += items
        self.last = items

    def repeat(self, times: int) -> None:
        self.total += self.last * (times - 1)
        self.last *= times


class _Translator:
    """Rewrites one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._levels = [_Level()]
        self._out: list[str] = []

    def result(self) -> str:
        pattern = self._pattern
        while self._at < len(pattern):
            character = pattern[self._at]
            if character == "\\":
                self._escape()
            elif character == "[":
                self._set()
            elif character == "(":
                self._group()
            else:
                self._plain(character)
        return "".join(self._out)

    def _take(self, text: str, length: int) -> None:
        """Write one item for so many characters of the pattern."""
        self._levels[-1].add(1)
        self._copy(text, length)

    def _copy(self, text: str, length: int) -> None:
        if self._levels[-1].total > _MAX_ITEMS:
            self._fail("it repeats too much")
        self._out.append(text)
        self._at += length

    def _plain(self, character: str) -> None:
        if character == ".":
            self._take(_set_of(_LINE_ENDS, negated=True), 1)
        elif character == "$":
            self._take(r"\Z", 1)
        elif character == "{" and (found := _QUANTIFIER.match(self._pattern, self._at)):
            self._levels[-1].repeat(max(1, int(found[1])))
            self._copy(found[0], len(found[0]))
        elif character == ")":
            self._close()
        elif character in "^|*+?":
            self._copy(character, 1)
        else:
            self._take(_escaped(ord(character)), 1)

    def _group(self) -> None:
        found = _GROUP.match(self._pattern, self._at)
        assert found is not None
        if found[0] == "(" and self._pattern[self._at + 1 : self._at + 2] == "?":
            self._fail("the group is of an unknown kind")
        if not found[0].endswith(")"):
            if len(self._levels) > _MAX_GROUP_DEPTH:
                self._fail(f"groups nest deeper than {_MAX_GROUP_DEPTH} levels")
            self._levels.append(_Level())
        self._copy(f"(?P<{found['name']}>" if found["name"] else found[0], len(found[0]))

    def _close(self) -> None:
        if len(self._levels) == 1:
            self._fail("a ) has no (")
        group = self._levels.pop()
        self._levels[-1].add(max(1, group.total))
        self._copy(")", 1)

    def _escape(self) -> None:
        pattern, start = self._pattern, self._at + 1
        if start == len(pattern):
            self._fail("the pattern ends in a backslash")
        character = pattern[start]
        if character in "dDwWsS":
            self._take(_class_of(character), 2)
        elif character in "bB":
            self._take(_boundary(inside=character == "B"), 2)
        elif found := _PROPERTY.match(pattern, start):
            self._take(f"\\{found[0]}", len(found[0]) + 1)
        elif found := _BACK_REFERENCE.match(pattern, start):
            name, number = found.groups()
            self._take(f"(?P={name})" if name else f"(?:\\{number})", len(found[0]) + 1)
        else:
            point, length = self._character_escape(start)
            self._take(_escaped(point), length + 1)

    def _character_escape(self, start: int) -> tuple[int, int]:
        """Return the code point of the escape that goes on at `start`, and how long it is."""
        pattern = self._pattern
        character = pattern[start]
        if character in _CONTROLS:
            return _CONTROLS[character], 1
        if character == "c" and pattern[start + 1 : start + 2].isalpha():
            return ord(pattern[start + 1]) % 32, 2
        found = _HEX_ESCAPE.match(pattern, start)
        if found is None:
            return ord(character), 1
        if found["high"]:
            high, low = int(found["high"], 16), int(found["low"], 16)
            return 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF), len(found[0])
        point = int(found["byte"] or found["unit"] or found["point"], 16)
        if point > _LAST:
            self._fail("the escape is no character")
        return point, len(found[0])

    def _set(self) -> None:
        pattern = self._pattern
        self._at += 1
        negated = pattern[self._at : self._at + 1] == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        properties: list[str] = []
        while (character := pattern[self._at : self._at + 1]) != "]":
            if not character:
                self._fail("a [ has no ]")
            if found := re.compile(r"\\" + _PROPERTY.pattern).match(pattern, self._at):
                properties.append(found[0])
                self._at += len(found[0])
            else:
                self._set_item(ranges)
        self._take(_set_of(ranges, properties, negated=negated), 1)

    def _set_item(self, ranges: list[tuple[int, int]]) -> None:
        start = self._at
        low = self._set_atom()
        if self._pattern[self._at : self._at + 1] != "-" or len(low) != 1 or low[0][0] != low[0][1]:
            ranges += low
            return
        hyphen = self._at
        self._at += 1
        if self._pattern[self._at : self._at + 1] in ("", "]"):
            self._at = hyphen
            ranges += low
            return
        high = self._set_atom()
        if len(high) != 1 or high[0][0] != high[0][1]:  # [a-\d] is a, a hyphen and digits
            ranges += [*low, (0x2D, 0x2D), *high]
        elif low[0][0] > high[0][0]:
            self._at = start
            self._fail("a range in [] runs backwards")
        else:
            ranges.append((low[0][0], high[0][0]))

    def _set_atom(self) -> _Ranges:
        pattern = self._pattern
        character = pattern[self._at]
        self._at += 1
        if character != "\\":
            return ((ord(character), ord(character)),)
        if self._at == len(pattern):
            self._fail("a [ has no ]")
        if pattern[self._at] in "dDwWsS":
            self._at += 1
            return _ranges_of(pattern[self._at - 1])
        if pattern[self._at] == "b":
            self._at += 1
            return ((0x08, 0x08),)
        point, length = self._character_escape(self._at)
        self._at += length
        return ((point, point),)

    def _fail(self, reason: str) -> NoReturn:
        raise BadPatternError(
            f"the regular expression is malformed: {reason}: {self._pattern[:200]}",
            hint="leave out regex to search for the text itself",
            data={"position": self._at},
        )


def _escaped(point: int) -> str:
    character = chr(point)
    if character.isascii():
        return character if character.isalnum() else f"\\x{point:02x}"
    return character


def _ranges_of(letter: str) -> _Ranges:
    found = {"d": _DIGITS, "w": _WORD, "s": _SPACE}[letter.lower()]
    return found if letter.islower() else list(_complement(found))


def _complement(ranges: _Ranges) -> Iterable[tuple[int, int]]:
    start = 0
    for low, high in ranges:
        if low > start:
            yield start, low - 1
        start = high + 1
    yield start, _LAST


def _class_of(letter: str) -> str:
    return _set_of(_ranges_of(letter.lower()), negated=letter.isupper())


def _set_of(ranges: _Ranges, properties: Sequence[str] = (), *, negated: bool = False) -> str:
    if not ranges and not properties:
        return "(?s:.)" if negated else "(?!)"
    items = [
        f"\\U{low:08x}" if low == high else f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges
    ]
    return f"[{'^' if negated else ''}{''.join(items)}{''.join(properties)}]"


def _boundary(*, inside: bool) -> str:
    word = _set_of(_WORD)
    if inside:
        return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"
    return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
