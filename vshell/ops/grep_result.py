"""What a search of files returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from vshell.record import Record, quick_constructor
from vshell.text.matching import Engine

__all__ = ["FileCount", "GrepMatch", "GrepPlan", "GrepResult", "Stop", "grep_match"]

Stop = Literal["matches", "characters", "timeout", "memory", "per_file"]


@dataclass(frozen=True, slots=True)
class GrepMatch(Record):
    """A line that matches.

    Attributes:
        path: The file.
        line: The line's number, from 1.
        column: Where in the line the first match begins, in characters from 1.
        text: The line, without what ends it; with `multiline` all lines that the match
            touches. A long one is cut around the match, and says so.
        before: The lines before it.
        after: The lines after it.
    """

    path: str
    line: int
    column: int
    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]


grep_match: Final = quick_constructor(GrepMatch)
"""Makes a `GrepMatch` of its values, given by position."""


@dataclass(frozen=True, slots=True)
class FileCount(Record):
    """How many lines of a file match.

    Attributes:
        path: The file.
        count: How many.
    """

    path: str
    count: int


@dataclass(frozen=True, slots=True)
class GrepPlan(Record):
    """How a search was done: what `explain` is for.

    Attributes:
        required: What a file must hold for a match, as far as the pattern tells: of each
            clause at least one text. Nothing: every file is read.
        words: Patterns that must match within words of such a file; they are asked about when
            no text tells.
        any_case: Whether these texts and words count in upper and lower case alike.
        candidates: How many contents the index left over, those included that are not
            indexed yet; None: it could not tell, and every file was read.
        engine: What went through the text: `"literal"`, a search for plain text; `"pcre2"`,
            with `regex` for lines that are not ASCII; `"regex"`.
        searched_bytes: Through how much text.
        seconds: How long it took.
    """

    required: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    any_case: bool
    candidates: int | None
    engine: Engine
    searched_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GrepResult(Record):
    """What was found, by path and line.

    Attributes:
        matches: The lines; empty in the other modes.
        files: The paths of the files that hold matches.
        counts: How many lines match in each of these, in the mode `"count"`.
        total: How many lines match, in the mode `"files"` how many files do; when the
            result is cut short, how many were seen.
        truncated: Whether there is more, or may be.
        truncated_by: What cut it short: `"matches"`, the limit on matches; `"characters"`,
            the result would take too much memory; `"timeout"`; `"memory"`, the pattern
            takes too much on some line; `"per_file"`, the limit for each file alone.
        next_offset: The offset to go on with after `"matches"` or `"characters"`.
        searched: How many files were read; the index tells of the others that nothing in
            them can match.
        skipped_binary: How many files were read and are no text.
        skipped_large: How many files were not, as they have more than 64 MiB.
        plan: How the search was done.
    """

    matches: tuple[GrepMatch, ...]
    files: tuple[str, ...]
    counts: tuple[FileCount, ...]
    total: int
    truncated: bool
    truncated_by: Stop | None
    next_offset: int | None
    searched: int
    skipped_binary: int
    skipped_large: int
    plan: GrepPlan = field(compare=False)
