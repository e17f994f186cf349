"""Running a pattern over the contents of files, and what each mode of `grep` keeps of it.

Where the pattern allows it, some megabytes of files are searched as one text (see
`vshell/text/joined.py`): so what is done for each file is done once for hundreds.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Final, TypeVar

from vshell.fs.records import EntryDetails
from vshell.limits import GREP_LINE_CHARACTERS, MAX_TEXT_BYTES
from vshell.ops.grep_result import FileCount, GrepMatch, GrepPlan, GrepResult, Stop, grep_match
from vshell.text.joined import (
    FoundLine,
    Joined,
    counts_of,
    join,
    joined_lines_after,
    joined_lines_before,
    lines_of,
)
from vshell.text.line_marks import LineMarks
from vshell.text.matching import LineMatch, Matcher, text_bytes, text_of
from vshell.text.shown_lines import cut_line, lines_after, lines_before

__all__ = ["CountSearch", "FileSearch", "LineSearch", "Search"]

File = tuple[str, bytes, int | None]
"""A path, the content there, and the content's number."""

Line = TypeVar("Line", LineMatch, FoundLine)

MAX_CHARACTERS: Final = 16 * 1024**2
"""How much text a result may hold: lines and their context can be far more than their number."""

_LINE_COST: Final = 60
"""What an empty line costs in memory, in characters."""

_BLOCK_CHARACTERS: Final = 10 * GREP_LINE_CHARACTERS
"""Where a match of many lines is cut."""

_FIRST_JOIN_BYTES: Final = 256 * 1024
_JOIN_BYTES: Final = 1024 * 1024
"""How much text is joined: at first less, so that the first page of many hits comes at once,
and never more than the processor's caches hold."""


class _Full(Exception):  # noqa: N818 - it ends the search and is no error
    def __init__(self, reason: Stop) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Search(ABC):
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
    line_marks: LineMarks
    matches: list[GrepMatch] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    counts: list[FileCount] = field(default_factory=list)
    total: int = 0
    passed: int = 0
    stopped_by: Stop | None = None
    searched: int = 0
    searched_bytes: int = 0
    skipped_binary: int = 0
    skipped_large: int = 0

    def small_enough(self, entries: list[EntryDetails]) -> list[EntryDetails]:
        small = [entry for entry in entries if entry.size <= MAX_TEXT_BYTES]
        self.skipped_large = len(entries) - len(small)
        return small

    def run(self, files: Iterable[File]) -> None:
        """Search files until a limit is reached."""
        try:
            if self.matcher.joins:
                self.run_joined(files)
            else:
                self._run_alone(files)
        except _Full as full:
            self.stopped_by = full.reason
        except TimeoutError:
            self.stopped_by = "timeout"
        except MemoryError:
            self.stopped_by = "memory"

    def _run_alone(self, files: Iterable[File]) -> None:
        """Search one file after the other."""
        for path, content, _ in self._contents(files):
            if self.matcher.may_match(content):
                text = text_of(content)
                found = self.matcher.matches(text, self.deadline)
                self.add(path, text, self._limited(found))

    def run_joined(self, files: Iterable[File]) -> None:
        """Search many files at once."""
        paths: list[str] = []
        texts: list[bytes] = []
        keys: list[int | None] = []
        size, enough = 0, _FIRST_JOIN_BYTES
        for path, content, key in self._contents(files):
            if not content.isascii() and not self.matcher.may_match(content):
                continue
            paths.append(path)
            keys.append(key)
            texts.append(content.replace(b"\r\n", b"\n") if b"\r" in content else content)
            size += len(content)
            if size >= enough:
                self.search_joined(paths, join(texts, keys))
                paths, texts, keys = [], [], []
                size, enough = 0, min(2 * enough, _JOIN_BYTES)
        self.search_joined(paths, join(texts, keys))

    def search_joined(self, paths: Sequence[str], joined: Joined) -> None:
        step = 1 if self.apart or self.max_per_file else max(1, len(paths))
        for first in range(0, len(paths), step):
            places = self.matcher.places(joined, first, first + step, self.deadline)
            found = lines_of(joined, places, first=first, marks=self.line_marks)
            self.add_joined(paths, joined, self._limited(found))

    def _contents(self, files: Iterable[File]) -> Iterator[File]:
        """Yield the files that are text, and their text."""
        for path, data, key in files:
            if time.monotonic() > self.deadline:
                raise TimeoutError
            content = text_bytes(data, binary=self.binary)
            if content is None:
                self.skipped_binary += 1
            else:
                self.searched += 1
                self.searched_bytes += len(content)
                yield path, content, key

    apart = False
    """Whether the rest of a file tells nothing more once a line of it was found."""

    @abstractmethod
    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:
        """Take over the matches of a file."""

    @abstractmethod
    def add_joined(self, paths: Sequence[str], joined: Joined, found: Iterator[FoundLine]) -> None:
        """Take over the matches of files that were searched as one."""

    def passes(self) -> bool:
        """Tell whether the next item comes before the offset."""
        if self.passed < self.offset:
            self.passed += 1
            return True
        if len(self.matches or self.files) >= self.limit:
            raise _Full("matches")
        return False

    def _limited(self, found: Iterator[Line]) -> Iterator[Line]:
        """Yield no more of a file than is wanted of one."""
        return self._first(found, self.max_per_file) if self.max_per_file else found

    def _first(self, found: Iterator[Line], most: int) -> Iterator[Line]:
        yield from islice(found, most)
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
class LineSearch(Search):
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
            matches.append(grep_match(path, line, column, matching, before, after))
            self.characters += len(matching) + _LINE_COST

    def add_joined(self, paths: Sequence[str], joined: Joined, found: Iterator[FoundLine]) -> None:
        matches, limit, data, new = self.matches, self.limit, joined.data, grep_match
        passes_over, with_context = bool(self.offset), bool(self.before or self.after)
        before: tuple[str, ...] = ()
        after: tuple[str, ...] = ()
        for each in found:
            number, line, start, end, place = each
            if (passes_over or len(matches) >= limit) and self.passes():
                continue
            if self.characters > MAX_CHARACTERS:
                raise _Full("characters")
            matching = data[start:end].decode("utf-8", "surrogateescape")
            size = len(matching)
            column = place - start + 1
            if size < end - start:  # some of its characters are longer than a byte
                column = len(data[start:place].decode("utf-8", "surrogateescape")) + 1
            if size > GREP_LINE_CHARACTERS:
                matching = _cut(matching, column)
                size = len(matching)
            if with_context:
                before = self._context(joined_lines_before(joined, each, self.before))
                after = self._context(joined_lines_after(joined, each, self.after))
            matches.append(new(paths[number], line, column, matching, before, after))
            self.characters += size + _LINE_COST

    def result(self, plan: GrepPlan) -> GrepResult:
        self.files = list(dict.fromkeys(match.path for match in self.matches))
        self.total = self.passed + len(self.matches)
        return Search.result(self, plan)

    def _context(self, lines: Iterable[str]) -> tuple[str, ...]:
        cut = tuple(cut_line(line, GREP_LINE_CHARACTERS) for line in lines)
        self.characters += sum(map(len, cut)) + _LINE_COST * len(cut)
        return cut


def _cut(matching: str, column: int) -> str:
    longest = _BLOCK_CHARACTERS if "\n" in matching else GREP_LINE_CHARACTERS
    return cut_line(matching, longest, around=column - 1)


@dataclass(slots=True)
class FileSearch(Search):
    apart = True

    def run_joined(self, files: Iterable[File]) -> None:
        literal = self.matcher.literal
        if not literal or b"\r" in literal:  # which may belong to the end of a line
            Search.run_joined(self, files)
            return
        for path, content, _ in self._contents(files):
            if literal in content:
                self._add_file(path)

    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:  # noqa: ARG002
        if next(found, None) is not None:
            self._add_file(path)

    def add_joined(
        self,
        paths: Sequence[str],
        joined: Joined,  # noqa: ARG002
        found: Iterator[FoundLine],
    ) -> None:
        line = next(found, None)
        if line is not None:
            self._add_file(paths[line.number])

    def _add_file(self, path: str) -> None:
        if not self.passes():
            self.files.append(path)
        self.total += 1


@dataclass(slots=True)
class CountSearch(Search):
    def add(self, path: str, text: str, found: Iterator[LineMatch]) -> None:  # noqa: ARG002
        self._add_count(path, sum(1 for _ in found))

    def search_joined(self, paths: Sequence[str], joined: Joined) -> None:
        if self.max_per_file:
            Search.search_joined(self, paths, joined)
        elif paths:
            places = self.matcher.places(joined, 0, len(paths), self.deadline)
            for number, count in counts_of(joined, places):
                self._add_count(paths[number], count)

    def add_joined(
        self,
        paths: Sequence[str],
        joined: Joined,  # noqa: ARG002
        found: Iterator[FoundLine],
    ) -> None:
        for number, lines in groupby(found, key=itemgetter(0)):
            self._add_count(paths[number], sum(1 for _ in lines))

    def _add_count(self, path: str, count: int) -> None:
        if count:
            if not self.passes():
                self.files.append(path)
                self.counts.append(FileCount(path, count))
            self.total += count
