"""Finding text in lines and replacing it anywhere, the way JavaScript's `RegExp` finds it.

Lines end at a line feed alone, so a carriage return before it belongs to the line.
After a match of nothing, the search goes on one character later; columns count UTF-16
code units, so that they index a JavaScript string.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from vshell.errors import (
    BadPatternError,
    OperationTimeoutError,
    OutputLimitError,
    RangeError,
    TooLargeError,
)
from vshell.limits import MAX_TEXT_BYTES, PATTERN_TIMEOUT_S
from vshell.text.javascript_regex import compile_javascript, compile_literal

if TYPE_CHECKING:
    import regex as regex_module

__all__ = ["LineMatch", "Room", "TextFinder", "replace_text", "search_lines", "utf16_length"]

MAX_MATCHES: Final = 100_000
"""How many matches one search may give; more is a search for something else."""

MAX_REPLACEMENTS: Final = 1_000_000
"""How many matches of a regular expression one text may have replaced."""

MAX_RESULT_CHARACTERS: Final = 64 * 1024**2
"""How much text all matches together may carry, lines around them included."""

_LINE_OVERHEAD: Final = 16
"""What a line takes besides its characters."""


class LineMatch(NamedTuple):
    """One match of a search by lines.

    Attributes:
        line: The number of the line, from 1.
        column: Where in the line the match begins, from 1, in UTF-16 code units.
        match: What matched.
        text: The line, without its line feed.
        before: Lines before it.
        after: Lines after it.
    """

    line: int
    column: int
    match: str
    text: str
    before: Sequence[str]
    after: Sequence[str]


@dataclass(slots=True)
class Room:
    """How much a search, over however many files, may still return."""

    matches: int = field(default=MAX_MATCHES)
    characters: int = field(default=MAX_RESULT_CHARACTERS)

    def take(self, characters: int) -> None:
        """Note one more match.

        Raises:
            OutputLimitError: There is no room for it.
        """
        self.matches -= 1
        self.characters -= characters
        if self.matches < 0 or self.characters < 0:
            what = f"{MAX_MATCHES} matches" if self.matches < 0 else "64 Mi characters of matches"
            raise OutputLimitError(
                f"the search has more than {what}",
                hint="search for something rarer, in fewer files, or set maxMatches",
            )


class TextFinder:
    """Finds one text or pattern, within a time that begins now.

    Args:
        query: What to find.
        case_sensitive: Whether the case of letters matters.
        regex: Whether `query` is a regular expression; see `javascript_regex`.
        whole_word: Match only from one boundary of a word to another.
        timeout_s: How long all searches together may take, in seconds.

    Attributes:
        query: What to find.
        literal: The same, when it is no regular expression; otherwise None.
        is_exact: Whether it is found wherever it stands and nothing else is.

    Raises:
        BadPatternError: `query` is empty or malformed.
    """

    def __init__(
        self,
        query: str,
        *,
        case_sensitive: bool = True,
        regex: bool = False,
        whole_word: bool = False,
        timeout_s: float = PATTERN_TIMEOUT_S,
    ) -> None:
        if not query:
            raise BadPatternError("the text to search for is empty", hint="say what to find")
        self.query = query
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self.literal = None if regex else query
        self.is_exact = case_sensitive and not regex and not whole_word
        self._pattern: regex_module.Pattern[str] | None = None
        if not self.is_exact:
            make = compile_javascript if regex else compile_literal
            self._pattern = make(query, ignore_case=not case_sensitive, whole_word=whole_word)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the matches begin and end, from the left, without overlap.

        Raises:
            OperationTimeoutError: The time is over.
        """
        if self._pattern is None:
            yield from self._literal_spans(text)
            return
        search = self._pattern.search
        start = 0
        while start <= len(text):
            left_s = self._deadline - time.monotonic()
            try:
                # The interpreter's lock is not held, so that a slow pattern stops no other thread.
                found = search(text, start, timeout=max(left_s, 1e-6), concurrent=True)
            except TimeoutError:
                raise self._timed_out() from None
            if found is None:
                return
            yield found.span()
            start = found.end() + (found.end() == found.start())

    def _literal_spans(self, text: str) -> Iterator[tuple[int, int]]:
        length = len(self.query)
        start = text.find(self.query)
        while start >= 0:
            yield start, start + length
            start = text.find(self.query, start + length)

    def _timed_out(self) -> OperationTimeoutError:
        return OperationTimeoutError(
            f"the search took more than {self._timeout_s:g} s: {self.query[:200]}",
            hint="use a simpler regular expression: nested repetitions such as (a+)+ take longest",
        )


def search_lines(
    text: str,
    finder: TextFinder,
    *,
    before: int = 0,
    after: int = 0,
    max_matches: int | None = None,
    room: Room | None = None,
) -> list[LineMatch]:
    """Return the matches in each line of a text; none reaches across lines.

    Args:
        text: The text.
        finder: What to find.
        before: How many lines before a match to return with it.
        after: How many lines after it.
        max_matches: Stop after so many; None returns all.
        room: What the matches may take; None is what one search may.

    Raises:
        OutputLimitError: There is no room for the matches.
        OperationTimeoutError: The time is over.
        RangeError: A number is negative.
    """
    for name, value in (("before", before), ("after", after), ("max_matches", max_matches or 0)):
        if value < 0:
            raise RangeError(f"{name} must not be negative, as {value} is")
    found: list[LineMatch] = []
    if max_matches == 0:
        return found
    room = Room() if room is None else room
    lines = text.split("\n")
    sizes = [0, *accumulate(len(line) + _LINE_OVERHEAD for line in lines)]
    last_index, units, counted = -1, 0, 0
    for index, start, end in _spans_in_lines(text, lines, finder):
        line = lines[index]
        if index != last_index:
            last_index, units, counted = index, 0, 0
        units += utf16_length(line[counted:start])
        counted = start
        first, last = max(0, index - before), min(len(lines), index + 1 + after)
        room.take(sizes[last] - sizes[first])
        shown = lines[first:index], lines[index + 1 : last]
        found.append(LineMatch(index + 1, units + 1, line[start:end], line, *shown))
        if len(found) == max_matches:
            break
    return found


def _spans_in_lines(
    text: str, lines: Sequence[str], finder: TextFinder
) -> Iterator[tuple[int, int, int]]:
    """Yield the index of a line, and where in it a match begins and ends."""
    if not finder.literal:
        for index, line in enumerate(lines):
            for start, end in finder.spans(line):
                yield index, start, end
    elif "\n" not in finder.literal:
        # Such a match lies in one line, and the whole text is searched ten times faster.
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        index = 0
        for start, end in finder.spans(text):
            index = bisect_right(starts, start, lo=index) - 1
            yield index, start - starts[index], end - starts[index]


def utf16_length(text: str) -> int:
    """Return how many UTF-16 code units a text has."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def replace_text(
    text: str, finder: TextFinder, replacement: str, *, max_matches: int | None = None
) -> tuple[str, int]:
    """Return the text with every match replaced, and how many there were.

    Args:
        text: The text; here matches may reach across lines.
        finder: What to find.
        replacement: What to put there, as it stands: `$1` is a dollar and a one.
        max_matches: Replace only so many, from the left; None for all.

    Raises:
        TooLargeError: The result has more than 64 Mi characters.
        OutputLimitError: A regular expression matches more than a million times.
        OperationTimeoutError: The time is over.
    """
    if finder.is_exact:
        literal = finder.query
        count = text.count(literal)
        count = count if max_matches is None else min(count, max_matches)
        _check_size(len(text) + count * (len(replacement) - len(literal)))
        return text.replace(literal, replacement, count), count
    pieces: list[str] = []
    done = 0
    size = 0
    for start, end in islice(finder.spans(text), max_matches):
        size += start - done + len(replacement)
        _check_size(size)
        if len(pieces) >= 2 * MAX_REPLACEMENTS:
            raise OutputLimitError(
                f"the text has more than {MAX_REPLACEMENTS} matches to replace",
                hint="search for something rarer",
            )
        pieces += text[done:start], replacement
        done = end
    pieces.append(text[done:])
    return "".join(pieces), len(pieces) // 2


def _check_size(characters: int) -> None:
    if characters > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"the text would have more than {MAX_TEXT_BYTES} characters",
            hint="replace less, or with less",
        )
