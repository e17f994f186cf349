"""`edit` of the `computer` profile: exact, then normalised, always against the original."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from vshell.errors import (
    EditError,
    EmptyOldError,
    IsDirectoryError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    NotDirectoryError,
    NotFoundError,
    OverlappingEditsError,
)
from vshell.ops.context import Context
from vshell.text.edits import apply_levels
from vshell.text.linediff import Run, diff_sequences
from vshell.text.unified import diff_hunks, format_hunk, split_lines
from vshell.tools.profile import Arguments

_CONTEXT_LINES: Final = 4
_NOTHING: Final = {"error": "edits must contain at least one replacement."}
_RULE: Final = "=" * 67


class EditTool:
    """The tool.

    Args:
        context: What it works in.
        max_bytes: The largest file that it edits.
    """

    def __init__(self, context: Context, *, max_bytes: int) -> None:
        self._context = context
        self._max_bytes = max_bytes

    @staticmethod
    def prepare(given: Arguments) -> Arguments:
        """Accept edits as JSON text, and a single edit beside `path`: models give both."""
        if isinstance(given.get("edits"), str):
            try:
                parsed = json.loads(given["edits"])
            except ValueError:
                parsed = None
            if isinstance(parsed, list):
                given["edits"] = parsed
        if isinstance(given.get("oldText"), str) and isinstance(given.get("newText"), str):
            edits = given.get("edits")
            single = {"oldText": given.pop("oldText"), "newText": given.pop("newText")}
            given["edits"] = [*(edits if isinstance(edits, list) else []), single]
        return given

    def run(self, given: Arguments) -> dict[str, Any]:
        path, edits = given["path"], given.get("edits")
        if not isinstance(edits, list) or not edits:
            return dict(_NOTHING)
        if not all(_is_edit(edit) for edit in edits):
            return {"error": "each of edits must be an object with the texts oldText and newText."}
        where = self._context.resolve(path)
        with self._context.changing("edit"):
            try:
                data, stat = self._context.files.read_with_stat(where)
            except (NotFoundError, NotDirectoryError, IsDirectoryError):
                return {"error": f"File not found: {path}"}
            if stat.size > self._max_bytes:
                return {
                    "error": f"File too large to edit: {stat.size} bytes exceeds the"
                    f" {self._max_bytes}-byte cap. Use the write tool to rewrite the file from"
                    " scratch."
                }
            self._context.require_seen(where)
            try:
                edited = apply_levels(
                    data,
                    [{"old": edit["oldText"], "new": edit["newText"]} for edit in edits],
                    path=path,
                    levels=("exact", "unicode"),
                    unchanged=True,
                )
            except EditError as error:
                return {"error": _message(error, path, len(edits))}
            written = self._context.files.write(where, edited.data)
            self._context.note_read(where, written.after.hex())
        return {"path": path, "editsApplied": len(edits)} | _shown(path, data, edited.data)


def _is_edit(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"oldText", "newText"}
        and all(isinstance(text, str) for text in value.values())
    )


def _message(error: EditError, path: str, total: int) -> str:
    """Return the original's words for what is wrong with an edit."""
    index = error.data.get("edit", 0)
    alone = total == 1
    match error:
        case EmptyOldError():
            which = "oldText" if alone else f"edits[{index}].oldText"
            return f"{which} must not be empty in {path}."
        case NoMatchError() if error.data.get("ambiguous_boundary"):
            which = "The fuzzy match" if alone else f"The fuzzy match for edits[{index}]"
            return (
                f"{which} in {path} crosses an ambiguous Unicode-normalization or"
                " trimmed-whitespace boundary. Copy the exact source text or use a span whose"
                " normalized boundaries map cleanly."
            )
        case NoMatchError():
            which = "the exact text" if alone else f"edits[{index}]"
            text = "old text" if alone else "oldText"
            return (
                f"Could not find {which} in {path}. The {text} must match exactly including all"
                " whitespace and newlines."
            )
        case MultipleMatchesError():
            which = "the text" if alone else f"edits[{index}]"
            text = "The text" if alone else "Each oldText"
            return (
                f"Found {error.data['count']} occurrences of {which} in {path}. {text} must be"
                " unique. Please provide more context to make it unique."
            )
        case OverlappingEditsError():
            first, second = error.data["edits"]
            return (
                f"edits[{first}] and edits[{second}] overlap in {path}. Merge them into one edit"
                " or target disjoint regions."
            )
        case NoChangeError():
            if not alone:
                return f"No changes made to {path}. The replacements produced identical content."
            return (
                f"No changes made to {path}. The replacement produced identical content. This"
                " might indicate an issue with special characters or the text not existing as"
                " expected."
            )
    return str(error)


def _shown(path: str, old: bytes, new: bytes) -> dict[str, Any]:
    """Return the change for the model's eyes, and as a patch, both with bare newlines."""
    before, after = (split_lines(_shown_text(data)) for data in (old, new))
    runs = diff_sequences(before, after)
    hunks = diff_hunks(before, after, context=_CONTEXT_LINES, runs=runs)
    body = b"".join(format_hunk(hunk, always_counts=True) for hunk in hunks).decode()
    return {
        "diff": "\n".join(_numbered(before, after, runs)),
        "patch": f"Index: {path}\n{_RULE}\n--- {path}\n+++ {path}\n{body}",
        "firstChangedLine": next(run.new_start + 1 for run in runs if run.tag != "equal"),
    }


def _shown_text(data: bytes) -> bytes:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").encode()


def _numbered(before: list[bytes], after: list[bytes], runs: Sequence[Run]) -> Iterator[str]:
    """Yield the changed lines with their numbers, and the unchanged ones around them."""
    width = len(str(max(_split_count(before), _split_count(after))))

    def lines(sign: str, source: list[bytes], start: int, end: int) -> Iterator[str]:
        for number in range(start, end):
            text = source[number].decode().removesuffix("\n")
            yield f"{sign}{number + 1:>{width}} {text}"

    for position, run in enumerate(runs):
        start, end = run.old_start, run.old_end
        if run.tag == "delete":
            yield from lines("-", before, start, end)
        elif run.tag == "insert":
            yield from lines("+", after, run.new_start, run.new_end)
        else:
            head = _CONTEXT_LINES if position > 0 else 0
            tail = _CONTEXT_LINES if position < len(runs) - 1 else 0
            if end - start <= head + tail:
                yield from lines(" ", before, start, end)
                continue
            yield from lines(" ", before, start, start + head)
            yield f" {'':>{width}} ..."
            yield from lines(" ", before, end - tail, end)


def _split_count(lines: list[bytes]) -> int:
    """Return how many parts newlines split the text into, as the original counts lines."""
    return len(lines) + (not lines or lines[-1].endswith(b"\n"))
