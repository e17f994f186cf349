"""Patterns of `grep` and `rg`, ready to find lines: quickly in whole blocks, exactly in each.

Three dialects end in one: basic and extended POSIX expressions and Perl's are translated
to the `regex` module, whose matching can be timed out. Finding lines is `text/matching`'s
work, which reads fixed texts off the pattern; these also ask the search index.
"""

from __future__ import annotations

import heapq
import os.path
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vshell.errors import BadPatternError, OperationTimeoutError
from vshell.text.matching import LineMatch, Matcher, compile_matcher

if TYPE_CHECKING:
    import regex

Dialect = Literal["basic", "extended", "fixed", "perl"]

TIMEOUT_S: Final = 30.0
"""How long all searching of one command may take in patterns."""

_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+)|\$)")
_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_BACKREFERENCE: Final = re.compile(r"\\[1-9]|\(\?P=|\\g|\\k")


_MANY: Final = 16
"""How many plain patterns are joined by what they begin with."""
_DEEPEST: Final = 8
_SPECIAL: Final = re.compile(r"[\\^$.*+?\[\](){}|\n]")
_GREP_WORDS: Final = {
    "missing )": "missing closing parenthesis",
    "Unmatched { or \\{": "Unmatched \\{",
}
"""What grep says where glibc says something else."""


class BadPattern(Exception):  # noqa: N818 - what the user typed, not a fault of the program
    """A pattern is malformed; the text says how."""


@dataclass(frozen=True, slots=True)
class Finder:
    """Patterns that a line matches one of.

    Attributes:
        matchers: Find the lines; a line matches when one of them says so.
        exact: Find the places in a line.
        clauses: What a text must hold to match: of each clause one text.
        any_case: Whether these count in upper and lower case alike.
    """

    matchers: tuple[Matcher, ...]
    exact: tuple[regex.Pattern[str], ...]
    clauses: tuple[tuple[bytes, ...], ...]
    any_case: bool

    def may_match(self, data: bytes) -> bool:
        """Tell quickly whether anything in UTF-8 can match; False is certain."""
        return any(matcher.may_match(data) for matcher in self.matchers)

    def lines(self, text: str, deadline: float) -> Iterator[LineMatch]:
        """Yield the lines that match, in their order.

        Raises:
            OperationTimeoutError: The patterns take too long.
        """
        try:
            if len(self.matchers) == 1:
                yield from self.matchers[0].matches(text, deadline)
                return
            last = -1
            streams = [matcher.matches(text, deadline) for matcher in self.matchers]
            for found in heapq.merge(*streams):
                if found.line != last:
                    yield found
                last = found.line
        except (TimeoutError, MemoryError):
            raise _too_long() from None

    def matches_whole(self, record: str, deadline: float) -> bool:
        """Whether a text with newlines in it matches; errors as `spans`."""
        try:
            left = max(deadline - time.monotonic(), 0.001)
            return any(each.search(record, timeout=left) for each in self.exact)
        except (TimeoutError, MemoryError):
            raise _too_long() from None

    def expand(self, match: str, template: str) -> str:
        """Return a replacement for a match, with `$1` and `${name}` filled in."""
        found = next((hit for each in self.exact if (hit := each.fullmatch(match))), None)

        def group(name: re.Match[str]) -> str:
            key = name[1] or name[2]
            if key is None:
                return "$"
            if found is None:
                return match if key == "0" else ""
            try:
                return str(found[int(key) if key.isdigit() else key] or "")
            except IndexError:
                return ""

        return _REFERENCE.sub(group, template)

    def spans(self, line: str, deadline: float) -> Iterator[tuple[int, int]]:
        """Yield the places of a line that match, leftmost and longest first.

        Raises:
            OperationTimeoutError: The patterns take too long.
        """
        position = 0
        while position <= len(line):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_long()
            try:
                hits = [
                    hit for each in self.exact if (hit := each.search(line, position, timeout=left))
                ]
            except (TimeoutError, MemoryError):
                raise _too_long() from None
            if not hits:
                return
            start, end = min((hit.start(), -hit.end()) for hit in hits)
            if -end > start:
                yield start, -end
                position = -end
            else:
                position = start + 1


def _too_long() -> OperationTimeoutError:
    return OperationTimeoutError(
        "the pattern takes too long", hint="use a simpler pattern, or search fewer files"
    )


def compile_finder(
    patterns: Sequence[str],
    dialect: Dialect,
    *,
    ignore_case: bool = False,
    word: bool = False,
    line: bool = False,
    newlines: bool = False,
) -> Finder:
    """Compile patterns.

    Args:
        patterns: At least one.
        dialect: How they are written.
        ignore_case: Letters match in both cases.
        word: A match must stand alone, without word characters beside it.
        line: A match must be a whole line.
        newlines: Newlines are characters as others: records end with something else.

    Raises:
        BadPattern: One of them is malformed.
    """
    if dialect == "fixed" and len(patterns) == 1 and not line and not (word and not patterns[0]):
        try:
            matcher = compile_matcher(patterns[0], literal=True, ignore_case=ignore_case, word=word)
        except BadPatternError as error:
            raise BadPattern(str(error)) from None
        matchers, alternatives = [matcher], [_escape(patterns[0])]
        if word:
            alternatives = [_as_word(alternatives[0])]
    else:
        plain = [each for each in patterns if _is_plain(each, dialect)]
        if len(plain) < _MANY:
            plain = []
        others = set(patterns) - set(plain)
        translated = [_translate(pattern, dialect) for pattern in patterns if pattern in others]
        translated += [_branching(plain)] if plain else []
        alternatives = _combined([_bounded(text, word=word, line=line) for text in translated])
        matchers = [_matcher(text, ignore_case) for text in alternatives]
    if dialect == "extended" and any("{" in pattern for pattern in patterns):
        shown = [_translate(pattern, dialect, places=True) for pattern in patterns]
        alternatives = _combined([_bounded(text, word=word, line=line) for text in shown])
    exact = tuple(
        _exact(text, ignore_case, longest=dialect != "perl", newlines=newlines)
        for text in alternatives
    )
    clauses, any_case = matchers[0].required if len(matchers) == 1 else ((), False)
    return Finder(tuple(matchers), exact, clauses, any_case)


def _is_plain(pattern: str, dialect: Dialect) -> bool:
    """Whether a pattern stands for itself."""
    if dialect == "fixed":
        return bool(pattern)
    return bool(pattern) and not _SPECIAL.search(pattern)


def _branching(texts: Sequence[str], depth: int = 0) -> str:
    """Return an expression for many texts that says what they begin with only once.

    A list of thousands of alternatives is tried one by one, at each place.
    """
    start = os.path.commonprefix(texts)  # noqa: RUF071 - letter by letter is meant
    rest = [text[len(start) :] for text in texts]
    by_letter: dict[str, list[str]] = {}
    for text in rest:
        by_letter.setdefault(text[:1], []).append(text)
    is_optional = by_letter.pop("", None) is not None
    if not by_letter:
        return _escape(start)
    if depth == _DEEPEST:
        branches = [_escape(text) for texts in by_letter.values() for text in texts]
    else:
        branches = [_branching(texts, depth + 1) for texts in by_letter.values()]
    return f"{_escape(start)}(?:{'|'.join(branches)}){'?' if is_optional else ''}"


def _translate(pattern: str, dialect: Dialect, *, places: bool = False) -> str:
    if dialect == "fixed":
        return _escape(pattern)
    if dialect == "perl":
        return _QUOTED.sub(lambda found: _escape(found[1]), pattern)
    from vshell.text.posix_regex import PosixRegexError, translate_posix

    try:
        return translate_posix(pattern, extended=dialect == "extended", places=places)
    except PosixRegexError as error:
        raise BadPattern(_GREP_WORDS.get(str(error), str(error))) from None


def _bounded(text: str, *, word: bool, line: bool) -> str:
    if line:
        return rf"^(?:{text})$"
    return _as_word(text) if word else text


def _as_word(text: str) -> str:
    return rf"(?<!\w)(?:{text})(?!\w)"


def _combined(texts: list[str]) -> list[str]:
    """Join those that can be joined: not those that refer to groups by number."""
    if len(texts) == 1:
        return texts
    joined = [text for text in texts if not _BACKREFERENCE.search(text) and "(?" not in text[:2]]
    rest = [text for text in texts if text not in joined]
    return ["|".join(f"(?:{text})" for text in joined), *rest] if joined else rest


def _matcher(text: str, ignore_case: bool) -> Matcher:
    try:
        return compile_matcher(text, ignore_case=ignore_case)
    except BadPatternError as error:
        said = str(error.data.get("reason") or error)
        raise BadPattern(_GREP_WORDS.get(said, said)) from None


def _exact(text: str, ignore_case: bool, *, longest: bool, newlines: bool) -> regex.Pattern[str]:
    import regex

    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    flags |= regex.DOTALL if newlines else 0
    try:
        return regex.compile(text, flags | (regex.POSIX if longest else 0))
    except regex.error as error:
        raise BadPattern(str(error.msg)) from None


def _escape(text: str) -> str:
    import regex

    return str(regex.escape(text))
