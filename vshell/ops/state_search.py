"""The scripting methods that search, replace and compare text."""

from __future__ import annotations

from typing import Any

from vshell.errors import OutputLimitError
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops import write
from vshell.ops.context import Context
from vshell.ops.state_batch import run_batch
from vshell.ops.state_text import as_bytes, as_text, check_size, read_whole, resolve
from vshell.ops.state_tree import matching_files
from vshell.text.lines import is_binary
from vshell.text.search import LineMatch, Room, TextFinder, replace_text, search_lines
from vshell.text.unified import state_diff


def search_text(
    context: Context,
    path: str,
    query: str,
    *,
    case_sensitive: bool,
    regex: bool,
    whole_word: bool,
    context_before: int,
    context_after: int,
    max_matches: int | None,
    timeout_s: float,
) -> list[dict[str, Any]]:
    finder = TextFinder(
        query,
        case_sensitive=case_sensitive,
        regex=regex,
        whole_word=whole_word,
        timeout_s=timeout_s,
    )
    found = search_lines(
        as_text(read_whole(context, resolve(context, path))),
        finder,
        before=context_before,
        after=context_after,
        max_matches=max_matches,
    )
    return [_match(each, context_before, context_after) for each in found]


def search_files(
    context: Context,
    pattern: str,
    query: str,
    *,
    case_sensitive: bool,
    regex: bool,
    whole_word: bool,
    context_before: int,
    context_after: int,
    max_matches: int | None,
    timeout_s: float,
) -> list[dict[str, Any]]:
    finder = TextFinder(
        query,
        case_sensitive=case_sensitive,
        regex=regex,
        whole_word=whole_word,
        timeout_s=timeout_s,
    )
    room = Room()
    results = []
    for path, data in _contents(context, pattern):
        found = search_lines(
            as_text(data),
            finder,
            before=context_before,
            after=context_after,
            max_matches=max_matches,
            room=room,
        )
        if found:
            matches = [_match(each, context_before, context_after) for each in found]
            results.append({"path": path, "matches": matches})
    return results


def _match(found: LineMatch, before: int, after: int) -> dict[str, Any]:
    match: dict[str, Any] = {
        "line": found.line,
        "column": found.column,
        "match": found.match,
        "lineText": found.text,
    }
    if before:
        match["beforeLines"] = list(found.before)
    if after:
        match["afterLines"] = list(found.after)
    return match
