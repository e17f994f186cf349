"""`find` and `grep` of the `computer` profile."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final

from vshell.errors import BadPatternError
from vshell.fs.records import EntryRow
from vshell.fs.schema import FILE
from vshell.limits import PATTERN_TIMEOUT_S
from vshell.ops.context import Context

_LONGEST_PATTERN: Final = 4096

# JavaScript's words for what is wrong with a pattern, by a part of ours.
_REASONS: Final = (
    ("missing )", "Unterminated group"),
    ("has no ]", "Unterminated character class"),
    ("unbalanced", "Unmatched ')'"),
    ("nothing to repeat", "Nothing to repeat"),
    ("multiple repeat", "Nothing to repeat"),
    ("min repeat", "numbers out of order in {} quantifier"),
    ("ends in a backslash", "\\ at end of pattern"),
    ("range", "Range out of order in character class"),
    ("name", "Invalid capture group name"),
)


def find_entries(context: Context, path: str, pattern: str | None) -> list[EntryRow]:
    """Return what a glob finds below a directory, directories before what is in them.

    Only `*`, `**` and `?` mean something; an empty pattern finds everything.

    Raises:
        NotDirectoryError: The path is no directory.
        NotFoundError: Nothing is there.
        BadPatternError: The glob is over 4,096 characters, or takes too long.
    """
    top = context.files.realpath(path)
    entries = context.files.walk(path)
    prefix = len(top.rstrip("/")) + 1
    if pattern:
        import regex

        glob = regex.compile(_glob_regex(pattern), regex.DOTALL)
        deadline = time.monotonic() + PATTERN_TIMEOUT_S
        try:
            entries = [
                entry
                for entry in entries
                if glob.fullmatch(entry.path[prefix:], timeout=_left(deadline))
            ]
        except TimeoutError:
            raise BadPatternError(f"the glob takes too long: {pattern[:100]}") from None
    return sorted(entries, key=lambda entry: entry.path.split("/"))


def _glob_regex(pattern: str) -> str:
    if len(pattern) > _LONGEST_PATTERN:
        raise BadPatternError(f"the glob has more than {_LONGEST_PATTERN} characters")
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(meanings.get(part) or re.escape(part) for part in parts)


def grep_lines(
    context: Context,
    path: str,
    query: str,
    *,
    is_regex: bool,
    ignore_case: bool,
    around: int,
    include: str | None,
    offset: int,
    limit: int,
) -> list[dict[str, Any]] | str:
    """Return the lines that match, those before `offset` left out; or what is wrong.

    Raises:
        NotFoundError: Nothing is at the path.
    """
    try:
        matcher = _compile(query, is_regex=is_regex, ignore_case=ignore_case)
    except BadPatternError as error:
        reason = next((ours for part, ours in _REASONS if part in str(error)), str(error))
        return _invalid(query, reason)
    if is_regex and re.search(r"\(\?[a-zA-Z-]+\)", query):
        return _invalid(query, "Invalid group")  # JavaScript has no flags inside a pattern
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATTERN_TIMEOUT_S
    with context.files.reading():
        for file in _files(context, path, include):
            lines = _lines(context.files.read(file))
            try:
                hits = [
                    number
                    for number, line in enumerate(lines)
                    if matcher.search(line, timeout=_left(deadline))
                ]
            except TimeoutError:
                return f"The search took longer than {PATTERN_TIMEOUT_S:g} s; simplify the query."
            found += [_match(file, lines, number, set(hits), around) for number in hits]
            if len(found) >= offset + limit:
                break
    return found[offset : offset + limit]


def _invalid(query: str, reason: str) -> str:
    return f"Invalid regular expression: Invalid regular expression: /{query}/: {reason}"


def _compile(query: str, *, is_regex: bool, ignore_case: bool) -> Any:
    from vshell.text.javascript_regex import compile_javascript, compile_literal

    compiler = compile_javascript if is_regex else compile_literal
    return compiler(query, ignore_case=ignore_case)


def _files(context: Context, path: str, include: str | None) -> Iterator[str]:
    if context.files.stat(path).kind != "directory":
        yield path
        return
    for entry in find_entries(context, path, include):
        if entry.kind == FILE:
            yield entry.path


def _lines(data: bytes) -> list[str]:
    lines = data.decode("utf-8", "replace").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _match(path: str, lines: list[str], number: int, hits: set[int], around: int) -> dict[str, Any]:
    match: dict[str, Any] = {"path": path, "line": number + 1, "text": lines[number]}
    if around:
        near = range(max(0, number - around), min(len(lines), number + around + 1))
        match["context"] = [
            {"line": other + 1, "text": lines[other], "isMatch": other in hits} for other in near
        ]
    return match


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
