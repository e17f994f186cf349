"""The scripting methods on text: search, replace, compare; `state_methods` says what each does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypedDict, Unpack

from vshell.errors import OutputLimitError, TooLargeError
from vshell.fs.records import EntryDetails
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops import write
from vshell.ops.context import Context
from vshell.ops.state_batch import run_batch
from vshell.ops.state_text import as_bytes, as_text, check_size, read_whole, resolve
from vshell.ops.state_tree import matching_files
from vshell.text.lines import UTF8_BOM, is_binary
from vshell.text.media_types import SNIFFED_BYTES
from vshell.text.search import LineMatch, Room, TextFinder, replace_text, search_lines
from vshell.text.unified import state_diff


class SearchOptions(TypedDict):
    """The options of every method that looks for text."""

    case_sensitive: bool
    regex: bool
    whole_word: bool
    context_before: int
    context_after: int
    max_matches: int | None


def search_text(
    context: Context, path: str, query: str, *, timeout_s: float, **options: Unpack[SearchOptions]
) -> list[dict[str, Any]]:
    finder = finder_of(query, options, timeout_s)
    return _search(as_text(read_whole(context, resolve(context, path))), finder, options, Room())


def search_files(
    context: Context,
    pattern: str,
    query: str,
    *,
    timeout_s: float,
    **options: Unpack[SearchOptions],
) -> list[dict[str, Any]]:
    finder = finder_of(query, options, timeout_s)
    room = Room()
    results = []
    with context.files.reading():
        for path, data in texts(context, matching_files(context, pattern)):
            matches = _search(as_text(data), finder, options, room)
            if matches:
                results.append({"path": path, "matches": matches})
    return results


def finder_of(query: str, options: SearchOptions, timeout_s: float) -> TextFinder:
    """Return what finds the query; errors as `TextFinder`."""
    return TextFinder(
        query,
        case_sensitive=options["case_sensitive"],
        regex=options["regex"],
        whole_word=options["whole_word"],
        timeout_s=timeout_s,
    )


def texts(context: Context, found: list[tuple[str, EntryDetails]]) -> Iterator[tuple[str, bytes]]:
    """Yield the files that are no binary ones; call it inside `reading()`."""
    chosen = [(path, entry) for path, entry in found if _is_small(context, path, entry)]
    contents = context.files.read_many(entry for _, entry in chosen)
    for (path, _), (_, data) in zip(chosen, contents, strict=True):
        if not is_binary(data):
            yield path, data


def _is_small(context: Context, path: str, entry: EntryDetails) -> bool:
    """Tell whether a file can be searched. One that cannot is passed over if it is binary.

    Raises:
        TooLargeError: It is text, and too much.
    """
    if entry.size > MAX_TEXT_BYTES and is_binary(context.files.read(entry.path, 0, SNIFFED_BYTES)):
        return False
    check_size(entry.size, path)
    return True


def _search(
    text: str, finder: TextFinder, options: SearchOptions, room: Room
) -> list[dict[str, Any]]:
    before, after = options["context_before"], options["context_after"]
    found = search_lines(
        text, finder, before=before, after=after, max_matches=options["max_matches"], room=room
    )
    return [_match(each, before, after) for each in found]


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


def replace_in_file(
    context: Context,
    path: str,
    search: str,
    replacement: str,
    *,
    timeout_s: float,
    **options: Unpack[SearchOptions],
) -> dict[str, Any]:
    finder = finder_of(search, options, timeout_s)
    where = resolve(context, path)
    with context.changing("replace_in_file"):
        data, count = replace_bytes(
            read_whole(context, where), finder, replacement, options["max_matches"]
        )
        if count:
            write.write(context, where, data)
    return {"replaced": count, "content": as_text(data)}


def replace_bytes(
    data: bytes, finder: TextFinder, replacement: str, max_matches: int | None
) -> tuple[bytes, int]:
    """Return a file's bytes with matches replaced, and how many were.

    A byte-order mark and bytes that are no UTF-8 stay what they are.

    Raises:
        TooLargeError: The result has more than 64 MiB.
        OutputLimitError, OperationTimeoutError: see `replace_text`.
    """
    mark = UTF8_BOM if data.startswith(UTF8_BOM) else b""
    text = data[len(mark) :].decode("utf-8", "surrogateescape")
    # The replacement goes through bytes, so that half a surrogate pair becomes U+FFFD here
    # and is not taken for a byte.
    new, count = replace_text(text, finder, as_bytes(replacement).decode(), max_matches=max_matches)
    if not count:
        return data, 0
    result = mark + new.encode("utf-8", "surrogateescape")
    if len(result) > MAX_TEXT_BYTES:
        raise TooLargeError(f"the file would have more than {MAX_TEXT_BYTES} bytes")
    return result, count


def replace_in_files(
    context: Context,
    pattern: str,
    search: str,
    replacement: str,
    *,
    dry_run: bool,
    rollback_on_error: bool,
    timeout_s: float,
    **options: Unpack[SearchOptions],
) -> dict[str, Any]:
    finder = finder_of(search, options, timeout_s)
    replacing = _Replacing(context, finder, replacement, options["max_matches"])
    run_batch(
        context,
        "replace_in_files",
        replacing.changes(pattern),
        dry_run=dry_run,
        rollback_on_error=rollback_on_error,
    )
    files = replacing.files
    return {
        "dryRun": dry_run,
        "files": files,
        "totalFiles": len(files),
        "totalReplacements": sum(file["replaced"] for file in files),
    }


class _Replacing:
    """One text being replaced in many files."""

    def __init__(
        self, context: Context, finder: TextFinder, replacement: str, max_matches: int | None
    ) -> None:
        self._context = context
        self._finder = finder
        self._replacement = replacement
        self._max_matches = max_matches
        self._room = MAX_TEXT_BYTES
        self.files: list[dict[str, Any]] = []

    def changes(self, pattern: str) -> Iterator[Callable[[], None]]:
        found = matching_files(self._context, pattern)
        for path, data in texts(self._context, found):
            yield partial(self._replace, path, data)

    def _replace(self, path: str, data: bytes) -> None:
        new, count = replace_bytes(data, self._finder, self._replacement, self._max_matches)
        if not count:
            return
        write.write(self._context, path, new)
        content = as_text(new)
        diff = state_diff(path, as_text(data), content, max_lines=None)
        self._room -= len(content) + len(diff)
        if self._room < 0:
            raise OutputLimitError(
                f"the changed files have more than {MAX_TEXT_BYTES} characters together",
                hint="replace in fewer files at once",
            )
        self.files.append({"path": path, "replaced": count, "content": content, "diff": diff})


def diff(context: Context, path_a: str, path_b: str) -> str:
    with context.files.reading():
        old = as_text(read_whole(context, resolve(context, path_a)))
        new = as_text(read_whole(context, resolve(context, path_b)))
    return _labelled(path_a, path_b, state_diff(path_a, old, new))


def diff_content(context: Context, path: str, new_content: str) -> str:
    old = as_text(read_whole(context, resolve(context, path)))
    return state_diff(path, old, new_content)


def _labelled(old_path: str, new_path: str, text: str) -> str:
    """Return a comparison of one file with the other's name as the second label."""
    header = f"--- {old_path}\n+++ {old_path}"
    return f"--- {old_path}\n+++ {new_path}{text[len(header) :]}" if text else ""
