"""Searching the text of files."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Final, Literal

from vshell.errors import RangeError, TooLargeError
from vshell.fs.paths import PathLike
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY, FILE
from vshell.fs.search_index import Question
from vshell.limits import (
    GREP_LINE_CHARACTERS,
    GREP_MATCHES,
    MAX_TEXT_BYTES,
    PATTERN_TIMEOUT_S,
)
from vshell.ops.context import Context
from vshell.ops.ls import check_page
from vshell.ops.walking import Walk, walk
from vshell.record import Record, quick_constructor
from vshell.text.matching import (
    LineMatch,
    Matcher,
    compile_matcher,
    text_bytes,
    text_of,
)
from vshell.text.path_filter import PathFilter
from vshell.text.shown_lines import cut_line, lines_after, lines_before

Stop = Literal["matches", "characters", "timeout", "memory", "per_file"]

MAX_CONTEXT_LINES: Final = 1000
"""The most lines before or after a match: a file is better read than searched for all of it."""

MAX_CHARACTERS: Final = 16 * 1024**2
"""How much text a result may hold: lines and their context can be far more than their number."""

_LINE_COST: Final = 60
"""What an empty line costs in memory, in characters."""

_FEW_FILES: Final = 1000
"""Up to so many candidates, their paths are looked up; beyond that, all paths are listed."""

_BLOCK_CHARACTERS: Final = 10 * GREP_LINE_CHARACTERS
"""Where a match of many lines is cut."""


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


_grep_match: Final = quick_constructor(GrepMatch)


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
        any_case: Whether these texts count in upper and lower case alike.
        candidates: How many contents the index left over, those included that are not
            indexed yet; None: it could not tell, and every file was read.
        seconds: How long it took.
    """

    required: tuple[tuple[str, ...], ...]
    any_case: bool
    candidates: int | None
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


def grep(
    context: Context,
    pattern: str,
    *,
    path: PathLike = "/",
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    literal: bool = False,
    ignore_case: bool = False,
    word: bool = False,
    before: int = 0,
    after: int = 0,
    max_matches: int | None = None,
    max_per_file: int | None = None,
    offset: int = 0,
    multiline: bool = False,
    mode: Literal["lines", "files", "count"] = "lines",
    ignore: bool = False,
    binary: bool = False,
    timeout_s: float = PATTERN_TIMEOUT_S,
) -> GrepResult:
    r"""Find the lines that match a pattern.

    The pattern is a regular expression as Python's `re` has them, and more: that of the
    `regex` module. It is looked for in each line by itself, without what ends the line.
    `\b`, `\w` and letters of any case are Unicode's. Files that hold a NUL near their
    beginning are binary and skipped; links are not followed.

    Args:
        pattern: The regular expression, or text.
        path: A directory, or a file, which is searched whatever else is said of files.
        include: Only files that match this glob, or one of several. Without a slash it
            is about the name; with one, about the path from `path` on. One that begins
            with `!` excludes.
        exclude: No files that match this glob, or one of several, nor what is in
            directories that do.
        literal: The pattern is text, in which nothing is special.
        ignore_case: Letters match in both cases.
        word: A match must not have a letter, digit or underscore before or after it.
        before: How many lines before each match to return, at most 1,000.
        after: How many lines after each match to return, at most 1,000.
        max_matches: How many matches at most, in the other modes how many files; None
            for 10,000.
        max_per_file: How many matches of each file at most.
        offset: How many matches, in the other modes how many files, to pass over.
        multiline: A match may span lines; `^` and `$` still match at each line, and
            lines end with a newline alone.
        mode: `"lines"`: return the lines; `"files"`: only which files have one;
            `"count"`: how many each file has.
        ignore: Leave out what the `.gitignore` files say, and every `.git`.
        binary: Search binary files too.
        timeout_s: How long to search, in seconds; what was found by then is returned.

    Raises:
        BadPatternError: The pattern or a glob is malformed. `data["position"]` says where.
        NotFoundError: There is nothing at `path`.
        NotDirectoryError: Something on the way to it is no directory.
        TooLargeError: `path` is a file of more than 64 MiB, or a `.gitignore` file is
            over its limits.
        RangeError: A limit is less than 1, or another number is negative or too large.
    """
    start = context.resolve(path)
    check_page(max_matches, offset)
    check_page(max_per_file, 0)
    _check_options(before=before, after=after, mode=mode, timeout_s=timeout_s)
    began = time.monotonic()
    deadline = began + timeout_s
    matcher = compile_matcher(
        pattern, literal=literal, ignore_case=ignore_case, word=word, multiline=multiline
    )
    chosen = PathFilter(include, exclude)
    modes: dict[str, type[_Search]] = {"lines": _Lines, "files": _Files, "count": _Counts}
    search = modes[mode](
        matcher,
        deadline,
        before=before,
        after=after,
        limit=max_matches or GREP_MATCHES,
        offset=offset,
        max_per_file=max_per_file,
        binary=binary,
    )
    clauses, any_case = matcher.required
    question = Question(clauses, any_case, binary)
    with context.files.reading():
        possible = context.files.candidates(question)
        found = walk(
            context,
            start,
            follow=True,
            suffixes=chosen.suffixes,
            ignore=ignore,
            contents=possible if possible is not None and len(possible) <= _FEW_FILES else None,
        )
        candidates = search.small_enough(_candidates(found, chosen, possible))
        contents = context.files.read_many(candidates)
        search.run((found.shown(entry.path), data) for entry, data in contents)
    context.files.fold_index()
    shown = tuple(tuple(text.decode("utf-8", "replace") for text in clause) for clause in clauses)
    candidates_left = None if possible is None else len(possible)
    return search.result(GrepPlan(shown, any_case, candidates_left, time.monotonic() - began))


def _check_options(*, before: int, after: int, mode: str, timeout_s: float) -> None:
    for name, lines in (("before", before), ("after", after)):
        if not 0 <= lines <= MAX_CONTEXT_LINES:
            raise RangeError(
                f"{name} must be 0 to {MAX_CONTEXT_LINES}, not {lines}", hint="read the file"
            )
    if mode not in ("lines", "files", "count"):
        raise RangeError(f'mode must be "lines", "files" or "count", not {mode!r}')
    if not timeout_s > 0:
        raise RangeError(f"timeout_s must be more than 0, not {timeout_s}")


def _candidates(
    found: Walk, chosen: PathFilter, possible: Collection[int] | None
) -> list[EntryDetails]:
    """Return the files to search, in the order of the result."""
    top = found.entries[0]
    if top.kind != DIRECTORY:
        if top.size > MAX_TEXT_BYTES:
            raise TooLargeError(
                f"the file has {top.size} bytes, too many to search: {found.top}",
                path=found.top,
                hint="read parts of it with read_bytes",
            )
        return [top]
    files = [
        entry
        for entry in found.entries
        if entry.kind == FILE and (possible is None or entry.content in possible)
    ]
    if not chosen.accepts_all:
        files = [entry for entry in files if chosen.accepts(found.relative(entry.path))]
    return sorted(files, key=attrgetter("path"))


class _Full(Exception):  # noqa: N818 - it ends the search and is no error
    def __init__(self, reason: Stop) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Search(ABC):
    """One search, and what it has found so far."""

    matcher: Matcher
    deadline: float
    _: KW_ONLY
    before: int
    after: int
    limit: int
    offset: int
    max_per_file: int | None
    binary: bool
    matches: list[GrepMatch] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    counts: list[FileCount] = field(default_factory=list)
    total: int = 0
    passed: int = 0
    stopped_by: Stop | None = None
    searched: int = 0
    skipped_binary: int = 0
    skipped_large: int = 0

    def small_enough(self, entries: list[EntryDetails]) -> list[EntryDetails]:
        small = [entry for entry in entries if entry.size <= MAX_TEXT_BYTES]
        self.skipped_large = len(entries) - len(small)
        return small

    def run(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Search files, paths and contents, until a limit is reached."""
        try:
            for path, data in files:
                if time.monotonic() > self.deadline:
                    raise TimeoutError
                content = text_bytes(data, binary=self.binary)
                if content is None:
                    self.skipped_binary += 1
                    continue
                self.searched += 1
                if self.matcher.may_match(content):
                    text = text_of(content)
                    found = self.matcher.matches(text, self.deadline)
                    self.add(path, text, self._limited(found) if self.max_per_file else found)
        except _Full as full:
            self.stopped_by = full.reason
        except TimeoutError:
            self.stopped_by = "timeout"
        except MemoryError:
            self.stopped_by = "memory"

    @abstractmethod
    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:
        """Take over the matches of a file."""

    def passes(self) -> bool:
        """Tell whether the next item comes before the offset."""
        if self.passed < self.offset:
            self.passed += 1
            return True
        if len(self.matches or self.files) >= self.limit:
            raise _Full("matches")
        return False

    def _limited(self, found: Iterator[LineMatch]) -> Iterator[LineMatch]:
        yield from islice(found, self.max_per_file)
        if next(found, None) is not None:
            self.stopped_by = "per_file"

    def result(self, plan: GrepPlan) -> GrepResult:
        stop = self.stopped_by
        more = stop in ("matches", "characters")
        return GrepResult(
            tuple(self.matches),
            tuple(self.files),
            tuple(self.counts),
            self.total,
            stop is not None,
            stop,
            self.offset + len(self.matches or self.files) if more else None,
            self.searched,
            self.skipped_binary,
            self.skipped_large,
            plan,
        )


@dataclass(slots=True)
class _Lines(_Search):
    characters: int = 0

    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:
        matches, limit = self.matches, self.limit
        before: tuple[str, ...] = ()
        after: tuple[str, ...] = ()
        for line, column, start, end in found:
            if (self.offset or len(matches) >= limit) and self.passes():
                continue
            if self.characters > MAX_CHARACTERS:
                raise _Full("characters")
            matching = text[start:end]
            if end - start > GREP_LINE_CHARACTERS:
                matching = _cut(matching, column)
            if self.before:
                before = self._context(lines_before(text, start, self.before))
            if self.after:
                after = self._context(lines_after(text, end, self.after))
            matches.append(_grep_match(path, line, column, matching, before, after))
            self.characters += len(matching) + _LINE_COST

    def result(self, plan: GrepPlan) -> GrepResult:
        self.files = list(dict.fromkeys(match.path for match in self.matches))
        self.total = self.passed + len(self.matches)
        return _Search.result(self, plan)

    def _context(self, lines: Iterable[str]) -> tuple[str, ...]:
        cut = tuple(cut_line(line, GREP_LINE_CHARACTERS) for line in lines)
        self.characters += sum(map(len, cut)) + _LINE_COST * len(cut)
        return cut


def _cut(matching: str, column: int) -> str:
    longest = _BLOCK_CHARACTERS if "\n" in matching else GREP_LINE_CHARACTERS
    return cut_line(matching, longest, around=column - 1)


@dataclass(slots=True)
class _Files(_Search):
    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:  # noqa: ARG002
        if next(found, None) is not None:
            if not self.passes():
                self.files.append(path)
            self.total += 1


@dataclass(slots=True)
class _Counts(_Search):
    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:  # noqa: ARG002
        count = sum(1 for _ in found)
        if count:
            if not self.passes():
                self.files.append(path)
                self.counts.append(FileCount(path, count))
            self.total += count
