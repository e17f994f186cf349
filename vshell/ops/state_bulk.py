"""The scripting methods on many files at once; `state_methods` says what each does."""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import OutputLimitError
from vshell.ops import grep as grep_
from vshell.ops.context import Context
from vshell.ops.grep import GrepMatch
from vshell.ops.state_search import texts
from vshell.ops.state_text import as_text, resolve
from vshell.ops.state_tree import matching_files

_MAX_BYTES: Final = 32 * 1024**2
"""What `read_files` returns at most: it is one message, and one value in the script's memory."""


def read_files(context: Context, pattern: str) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    with context.files.reading():
        for path, data in texts(context, matching_files(context, pattern)):
            size += len(data)
            if size > _MAX_BYTES:
                raise OutputLimitError(
                    f"the files that {pattern[:100]} matches have more than {_MAX_BYTES} bytes",
                    hint="narrow the glob, or read the files one by one",
                )
            found[path] = as_text(data)
    return found


def grep(context: Context, pattern: str, *, path: str, **options: Any) -> dict[str, Any]:
    found = grep_.grep(context, pattern, path=resolve(context, path), **options)
    return {
        "matches": [_match(each) for each in found.matches],
        "total": found.total,
        "truncated": found.truncated,
    }


def _match(found: GrepMatch) -> dict[str, Any]:
    match: dict[str, Any] = {
        "path": found.path,
        "line": found.line,
        "column": found.column,
        "text": found.text,
    }
    if found.before:
        match["before"] = list(found.before)
    if found.after:
        match["after"] = list(found.after)
    return match
