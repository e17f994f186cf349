"""The scripting methods that plan and apply edits; `state_methods` says what each does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from vshell.errors import (
    DecodeError,
    NoMatchError,
    NotFoundError,
    OutputLimitError,
    PatchError,
    StaleError,
)
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops import write
from vshell.ops.context import Context
from vshell.ops.state_batch import run_batch
from vshell.ops.state_json import json_text
from vshell.ops.state_parameters import JSON_OPTIONS, SEARCH_OPTIONS
from vshell.ops.state_search import SearchOptions, finder_of
from vshell.ops.state_table import options_of
from vshell.ops.state_text import as_bytes, read_if_there, resolve
from vshell.ops.state_types import JSON, PATH, STRING, BadCallError, Type
from vshell.text.search import replace_text
from vshell.text.unapply import undo_state_diff
from vshell.text.unified import state_diff

_MARK: Final = "\ufeff"
_MAX_EDITS: Final = 10_000
_FIELDS: Final[dict[str, dict[str, Type]]] = {
    "write": {"path": PATH, "content": STRING},
    "replace": {"path": PATH, "search": STRING, "replacement": STRING},
    "writeJson": {"path": PATH, "value": JSON},
}


# Planning.


def plan_edits(
    context: Context, instructions: Sequence[Mapping[str, object]], *, timeout_s: float
) -> dict[str, Any]:
    _check_number(instructions, "planEdits")
    planner = _Planner(context, timeout_s)
    with context.files.reading():
        edits = [
            planner.plan(instruction, f"instructions[{index}] of planEdits", index)
            for index, instruction in enumerate(instructions)
        ]
    return {
        "edits": edits,
        "totalChanged": sum(edit["changed"] for edit in edits),
        "totalInstructions": len(edits),
    }


class _Planner:
    """Works instructions out one after the other, each on what those before it lead to."""

    def __init__(self, context: Context, timeout_s: float) -> None:
        self._context = context
        self._timeout_s = timeout_s
        self._planned: dict[str, str] = {}
        self._room = MAX_TEXT_BYTES

    def plan(self, instruction: Mapping[str, object], where: str, index: int) -> dict[str, Any]:
        kind, fields = _fields_of(instruction, where)
        path = fields["path"]
        place = resolve(self._context, path)
        # Two names of one file are one file.
        key = self._context.files.realpath(place) if self._context.files.exists(place) else place
        previous = self._previous(key, place, strict=kind == "replace")
        if kind == "write":
            content = fields["content"]
        elif kind == "writeJson":
            content = json_text(fields["value"], fields["spaces"])
        else:
            if previous is None:
                raise NotFoundError(
                    f"{where}: no such file: {place}", path=place, hint="write it instead"
                )
            content = self._replaced(previous, fields, where, index)
        self._planned[key] = content
        changed = _differs(previous, content)
        text = state_diff(path, previous or "", content, max_lines=None) if changed else ""
        self._take(len(content) + len(text))
        return {
            "instruction": dict(instruction),
            "path": path,
            "changed": changed,
            "content": content,
            "diff": text,
        }

    def _previous(self, key: str, place: str, *, strict: bool) -> str | None:
        if key in self._planned:
            return self._planned[key]
        data = read_if_there(self._context, place)
        if data is None:
            return None
        try:
            return data.decode("utf-8", "strict" if strict else "replace")
        except UnicodeDecodeError as error:
            raise DecodeError(
                f"byte {error.start} is no UTF-8, which a plan cannot hold: {place}",
                path=place,
                hint="use replaceInFile, which leaves other bytes alone",
            ) from None

    def _replaced(self, previous: str, fields: dict[str, Any], where: str, index: int) -> str:
        options = cast("SearchOptions", fields["options"])
        mark = _MARK if previous.startswith(_MARK) else ""
        finder = finder_of(fields["search"], options, self._timeout_s)
        replacement = as_bytes(fields["replacement"]).decode()
        content, count = replace_text(
            previous[len(mark) :], finder, replacement, max_matches=options["max_matches"]
        )
        if not count:
            raise NoMatchError(
                f"{where}: the text to replace is not in {fields['path']}:"
                f" {fields['search'][:200]!r}",
                path=fields["path"],
                hint="read the file and search for what it has",
                data={"index": index},
            )
        return mark + content

    def _take(self, characters: int) -> None:
        self._room -= characters
        if self._room < 0:
            raise OutputLimitError(
                f"the plan would have more than {MAX_TEXT_BYTES} characters",
                hint="plan fewer edits at once",
            )


def _fields_of(instruction: Mapping[str, object], where: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of an instruction, and its fields and options, checked."""
    kind = instruction.get("kind")
    kind = "writeJson" if kind == "write_json" else kind
    types = _FIELDS.get(kind) if isinstance(kind, str) else None
    if types is None or not isinstance(kind, str):
        raise BadCallError(
            f"{where} has the unknown kind {str(kind)[:100]}",
            hint=f"the kinds are {', '.join(_FIELDS)}",
        )
    known = {"kind", *types} | (set() if kind == "write" else {"options"})
    _check_names(instruction, known, where)
    fields = _read(instruction, types, where)
    if kind == "replace":
        fields["options"] = options_of(SEARCH_OPTIONS, instruction.get("options"), where)
    elif kind == "writeJson":
        fields |= options_of(JSON_OPTIONS, instruction.get("options"), where)
    return kind, fields


# Applying.


@dataclass(frozen=True, slots=True)
class _Edit:
    """What a file is to hold; with a diff, only if it holds what the diff starts from."""

    path: str
    content: str
    diff: str | None


def apply_edits(
    context: Context,
    edits: Sequence[Mapping[str, object]],
    *,
    dry_run: bool,
    rollback_on_error: bool,
) -> dict[str, Any]:
    _check_number(edits, "applyEdits")
    types = {"path": PATH, "content": STRING}
    found = []
    for index, edit in enumerate(edits):
        where = f"edits[{index}] of applyEdits"
        _check_names(edit, set(types), where)
        fields = _read(edit, types, where)
        found.append(_Edit(fields["path"], fields["content"], None))
    return _apply(context, found, dry_run=dry_run, rollback_on_error=rollback_on_error)


def apply_edit_plan(
    context: Context,
    plan: Mapping[str, object],
    *,
    dry_run: bool,
    rollback_on_error: bool,
) -> dict[str, Any]:
    edits = plan.get("edits")
    if not isinstance(edits, (list, tuple)):
        raise BadCallError("the plan has no list of edits", hint="pass on what planEdits returned")
    _check_number(edits, "applyEditPlan")
    found = []
    for index, edit in enumerate(edits):
        where = f"edits[{index}] of the plan"
        if not isinstance(edit, Mapping):
            raise BadCallError(f"{where} is no object", hint="pass on what planEdits returned")
        fields = _read(edit, {"path": PATH, "content": STRING}, where)
        diff = edit.get("diff")
        text = None if diff is None else STRING.read(diff, f"diff of {where}")
        found.append(_Edit(fields["path"], fields["content"], text))
    return _apply(context, found, dry_run=dry_run, rollback_on_error=rollback_on_error)


def _apply(
    context: Context, edits: Sequence[_Edit], *, dry_run: bool, rollback_on_error: bool
) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    run_batch(
        context,
        "apply_edits",
        _changes(context, edits, results),
        dry_run=dry_run,
        rollback_on_error=rollback_on_error,
    )
    return {
        "dryRun": dry_run,
        "edits": results,
        "totalChanged": sum(result["changed"] for result in results),
    }


def _changes(
    context: Context, edits: Sequence[_Edit], results: list[dict[str, Any]]
) -> Iterator[Callable[[], None]]:
    for edit in edits:
        yield partial(_write, context, edit, results)


def _write(context: Context, edit: _Edit, results: list[dict[str, Any]]) -> None:
    where = resolve(context, edit.path)
    data = read_if_there(context, where)
    previous = None if data is None else data.decode("utf-8", "replace")
    if edit.diff is not None:
        _check_fresh(edit, previous or "")
    changed = _differs(previous, edit.content)
    if changed:
        write.write(context, where, as_bytes(edit.content))
    results.append(
        {
            "path": edit.path,
            "changed": changed,
            "content": edit.content,
            "diff": state_diff(edit.path, previous or "", edit.content, max_lines=None)
            if changed
            else "",
        }
    )


def _differs(previous: str | None, content: str) -> bool:
    """Tell whether a file has other text; a byte-order mark alone makes no difference."""
    return previous is None or content not in (previous, previous.removeprefix(_MARK))


def _check_fresh(edit: _Edit, previous: str) -> None:
    """Make sure that the file still holds what the edit was planned on.

    A plan needs no record of that besides its diffs: undone on the planned text, a diff
    gives the text before it.
    """
    assert edit.diff is not None
    try:
        planned_on = undo_state_diff(edit.path, edit.diff, edit.content)
    except PatchError as error:
        raise BadCallError(
            f"the plan's diff of {edit.path} does not belong to its content",
            path=edit.path,
            hint="apply a plan as it is, or use applyEdits",
        ) from error
    if not edit.diff and not _differs(previous, planned_on):
        return
    if planned_on != previous:
        raise StaleError(
            f"the file changed since the edit was planned: {edit.path}",
            path=edit.path,
            hint="plan the edits again",
            data={"expected": _fingerprint(planned_on), "actual": _fingerprint(previous)},
        )


def _fingerprint(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_number(edits: Sequence[object], where: str) -> None:
    if len(edits) > _MAX_EDITS:
        raise OutputLimitError(f"{where} takes at most {_MAX_EDITS} edits at once")


def _check_names(given: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(str(name)[:100] for name in given if name not in known)
    if unknown:
        raise BadCallError(
            f"{where} takes no {unknown[0]}", hint=f"it takes {', '.join(sorted(known))}"
        )


def _read(given: Mapping[str, object], types: Mapping[str, Type], where: str) -> dict[str, Any]:
    missing = [name for name in types if name not in given]
    if missing:
        raise BadCallError(f"{where} needs {missing[0]}")
    return {name: type_.read(given[name], f"{name} of {where}") for name, type_ in types.items()}
