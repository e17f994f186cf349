r"""Regular expressions of awk: POSIX' extended ones, with awk's escapes and gawk's additions.

A pattern is brought into the form that `vshell.text.posix_regex` knows: escapes such as
`\t` become characters, also in brackets, and what stands where nothing can be repeated
(`+a`, `a{`) means itself. Whether a text matches is asked of the quickest engine that cannot
take for ever; where it matches, of the one that knows the leftmost longest match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol, cast

import regex

from vshell.shell.commands.awk.errors import AwkFatal
from vshell.text.posix_regex import PosixRegexError, compile_posix, translate_posix

__all__ = ["Pattern", "Span", "compile_pattern"]

TIMEOUT_S: Final = 20.0
"""What one search may take: an expression can be made to take for ever."""
_MAX_LOOPS: Final = 3
"""How many open repetitions a pattern may have for the engine that nothing interrupts."""
_LITERAL: Final = re.compile(r"[^\\\[\](){}.*+?|^$]+")
_ESCAPED: Final = re.compile(r"[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.", re.DOTALL)
_INTERVAL: Final = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}|\{,[0-9]+\}")
_CHARACTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_KEPT: Final = frozenset("wWsSB<>`'")
_SPECIAL: Final = frozenset("\\^$.[]|()*+?{}")


class Span(Protocol):
    """Where a pattern matches."""

    def start(self, group: int = 0, /) -> int: ...
    def end(self, group: int = 0, /) -> int: ...
    def span(self, group: int = 0, /) -> tuple[int, int]: ...
    def group(self, group: int = 0, /) -> str | None: ...


class Pattern:
    """A regular expression that is ready to be used.

    Args:
        source: The expression.
        ignore_case: Whether letters match in both cases.

    Raises:
        AwkFatal: It is none.

    Attributes:
        test: Tells whether a text matches.
        search: Returns where a text matches, from a place on, or None.
        literal: The text that it stands for, when it is a plain one.
    """

    __slots__ = ("_all", "_groups", "literal", "search", "source", "test")

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        self.source = source
        plain = _LITERAL.fullmatch(source) and not ignore_case
        self.literal = source if plain else None
        try:
            portable = _portable(source)
            found = compile_posix(portable, extended=True, ignore_case=ignore_case)
            quick = _quick(portable, ignore_case=ignore_case)
        except PosixRegexError as error:
            raise AwkFatal(f"invalid regexp: {error}: /{source}/") from None
        self._groups: int = found.groups
        is_longest = bool(found.flags & regex.POSIX)
        finder: Any = found if quick is None or is_longest else quick
        self.search: Callable[..., Span | None] = (
            _timed(finder.search) if finder is found else finder.search
        )
        self._all: Callable[[str], Iterator[Span]] = finder.finditer
        if finder is found:
            self._all = lambda text: _finds(found, text)
        self.test: Callable[[str], object] = _timed(found.search) if quick is None else quick.search

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return self._groups

    def all(self, text: str) -> Iterator[Span]:
        """Yield all matches, one after the other; see `matches` for awk's way to count them."""
        return self._all(text)

    def matches(self, text: str) -> Iterator[Span]:
        """Yield the matches that `gsub` replaces: an empty one right after another is none."""
        last = -1
        for match in self._all(text):
            start, end = match.span()
            if start == end == last:
                continue
            last = end
            yield match


def _timed(search: Callable[..., Span | None]) -> Callable[..., Span | None]:
    def searched(text: str, position: int = 0) -> Span | None:
        try:
            return search(text, position, timeout=TIMEOUT_S)
        except TimeoutError:
            raise AwkFatal("a regular expression took too long") from None

    return searched


def _finds(pattern: regex.Pattern[str], text: str) -> Iterator[Span]:
    try:
        yield from pattern.finditer(text, timeout=TIMEOUT_S)
    except TimeoutError:
        raise AwkFatal("a regular expression took too long") from None


@lru_cache(maxsize=500)
def compile_pattern(source: str, ignore_case: bool = False) -> Pattern:
    """Return a pattern; errors as `Pattern`. What is used again is not made again."""
    return Pattern(source, ignore_case=ignore_case)


def _quick(portable: str, *, ignore_case: bool) -> re.Pattern[str] | None:
    """Return what tells quickly whether a text matches, or None where it could take for ever."""
    translated = translate_posix(portable, extended=True)
    bare = re.sub(r"\[(?:\\.|[^\]\\])*\]|\\.", "x", translated, flags=re.DOTALL)
    if "\\p" in translated or re.search(r"\)[*+{]|\\[1-9]", bare) or r"(?:\1" in translated:
        return None
    if len(re.findall(r"[*+]|,\}", bare)) > _MAX_LOOPS:
        return None
    try:
        return re.compile(translated, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    except (re.error, RecursionError, OverflowError):
        return None


# Bringing a pattern into POSIX' form.


def _portable(source: str) -> str:
    parts: list[str] = []
    place = 0
    repeatable = False
    while place < len(source):
        letter = source[place]
        if letter == "\\":
            piece, place = _escape(source, place + 1)
            repeatable = True
        elif letter == "[":
            piece, place = _bracket(source, place)
            repeatable = True
        elif letter in "*+?" and not repeatable:
            piece, place = "\\" + letter, place + 1
            repeatable = True
        elif letter == "{":
            interval = _INTERVAL.match(source, place) if repeatable else None
            piece = interval[0] if interval else "\\{"
            place += len(interval[0]) if interval else 1
            repeatable = True
        elif letter == "(" and source.startswith("()", place):
            piece, place = "()", place + 2
            repeatable = True
        else:
            piece, place = letter, place + 1
            repeatable = letter not in "(|^"
        parts.append(piece)
    return "".join(parts)


def _escape(source: str, place: int) -> tuple[str, int]:
    match = _ESCAPED.match(source, place)
    if match is None:
        return "\\\\", place
    what = match[0]
    if what == "y":
        return "\\b", match.end()
    if what in _KEPT:
        return "\\" + what, match.end()
    letter = _character(what)
    return ("\\" + letter if letter in _SPECIAL else letter), match.end()


def _character(what: str) -> str:
    if what in _CHARACTERS:
        return _CHARACTERS[what]
    if what[0] in "01234567":
        return _byte(int(what, 8) & 0xFF)
    if what[0] == "x" and len(what) > 1:
        return _byte(int(what[1:], 16))
    return what


def _byte(value: int) -> str:
    return chr(value) if value < 128 else chr(0xDC00 + value)


def _bracket(source: str, place: int) -> tuple[str, int]:
    """Return a bracket expression without escapes, and where it ends."""
    start = place
    place += 1
    negated = source.startswith("^", place)
    place += negated
    items: list[str] = []
    while place < len(source):
        letter = source[place]
        if letter == "]" and items:
            return f"[{'^' * negated}{''.join(items)}]", place + 1
        if letter == "[" and source[place + 1 : place + 2] in (":", ".", "="):
            end = source.find(source[place + 1] + "]", place + 2)
            if end > 0:
                items.append(source[place : end + 2])
                place = end + 2
                continue
        if letter == "\\" and place + 1 < len(source):
            match = cast("re.Match[str]", _ESCAPED.match(source, place + 1))
            items.append(f"[.{_character(match[0])}.]")
            place = match.end()
            continue
        items.append("[.[.]" if letter == "[" else "[.].]" if letter == "]" else letter)
        place += 1
    raise PosixRegexError("Unmatched [, [^, [:, [., or [=" if source[start:] else "")
