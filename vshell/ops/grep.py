"""Searching the text of files."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Final, Literal

from vshell.errors import RangeError, TooLargeError
from vshell.fs.paths import PathLike
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY, FILE
from vshell.fs.search_index import Question
from vshell.limits import GREP_MATCHES, MAX_TEXT_BYTES, PATTERN_TIMEOUT_S
from vshell.ops.context import Context
from vshell.ops.grep_result import FileCount, GrepMatch, GrepPlan, GrepResult, Stop
from vshell.ops.grep_search import CountSearch, FileSearch, LineSearch, Search
from vshell.ops.ls import check_page
from vshell.ops.walking import Walk, walk
from vshell.text.matching import Matcher, compile_matcher
from vshell.text.path_filter import PathFilter

__all__ = ["FileCount", "GrepMatch", "GrepPlan", "GrepResult", "Stop", "grep"]

MAX_CONTEXT_LINES: Final = 1000
"""The most lines before or after a match: a file is better read than searched for all of it."""


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
    modes: dict[str, type[Search]] = {
        "lines": LineSearch,
        "files": FileSearch,
        "count": CountSearch,
    }
    search = modes[mode](
        matcher,
        deadline,
        before=before,
        after=after,
        limit=max_matches or GREP_MATCHES,
        offset=offset,
        max_per_file=max_per_file,
        binary=binary,
        line_marks=context.files.line_marks,
    )
    clauses, any_case = matcher.required
    question = Question(clauses, any_case, binary, matcher.words)
    with context.files.reading():
        possible = context.files.candidates(question)
        found = walk(
            context,
            start,
            follow=True,
            suffixes=chosen.suffixes,
            ignore=ignore,
            contents=possible,
        )
        candidates = search.small_enough(_candidates(found, chosen, possible))
        contents = context.files.read_many(candidates)
        search.run((found.shown(entry.path), data, entry.content) for entry, data in contents)
    context.files.fold_index()
    seconds = time.monotonic() - began
    return search.result(_plan(matcher, possible, search.searched_bytes, seconds))


def _plan(
    matcher: Matcher, possible: Collection[int] | None, searched_bytes: int, seconds: float
) -> GrepPlan:
    clauses, any_case = matcher.required
    return GrepPlan(
        required=tuple(
            tuple(text.decode("utf-8", "replace") for text in clause) for clause in clauses
        ),
        words=matcher.words,
        any_case=any_case,
        candidates=None if possible is None else len(possible),
        engine=matcher.engine,
        searched_bytes=searched_bytes,
        seconds=seconds,
    )


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
