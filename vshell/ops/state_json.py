"""The scripting methods on JSON files; `state_methods` says what each does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vshell.errors import RangeError
from vshell.ops import write
from vshell.ops.context import Context
from vshell.ops.state_files import read_file
from vshell.ops.state_text import as_bytes, as_text, read_whole, resolve
from vshell.ops.state_types import BadCallError
from vshell.text.json_path import MAX_HOLES, parse_path, query_value, remove_value, set_value
from vshell.text.json_text import format_json, parse_json
from vshell.text.unified import state_diff

_SPACES: Final = 2
_MAX_OPERATIONS: Final = 10_000


def read_json(context: Context, path: str) -> Any:
    return parse_json(read_file(context, path), path=resolve(context, path))


def write_json(context: Context, path: str, value: object, *, spaces: int) -> None:
    write.write(context, resolve(context, path), as_bytes(json_text(value, spaces)))


def query_json(context: Context, path: str, query: str) -> Any:
    steps = parse_path(query)
    where = resolve(context, path)
    return query_value(parse_json(as_text(read_whole(context, where)), path=where), steps)


def update_json(
    context: Context, path: str, operations: Sequence[Mapping[str, object]]
) -> dict[str, Any]:
    where = resolve(context, path)
    if len(operations) > _MAX_OPERATIONS:
        raise RangeError(f"updateJson takes at most {_MAX_OPERATIONS} operations at once")
    with context.changing("update_json"):
        root = parse_json(as_text(read_whole(context, where)), path=where)
        before = json_text(root, _SPACES)
        holes = 0
        for index, operation in enumerate(operations):
            holes += _apply(root, operation, f"operations[{index}] of updateJson")
            if holes > MAX_HOLES:
                raise RangeError(f"updateJson may add at most {MAX_HOLES} elements to lists")
        content = json_text(root, _SPACES)
        write.write(context, where, as_bytes(content))
    return {
        "value": root,
        "content": content,
        "diff": state_diff(path, before, content, max_lines=None),
        "operationsApplied": len(operations),
    }


def _apply(root: Any, operation: Mapping[str, object], where: str) -> int:
    """Apply one operation; return how many elements lists grew by."""
    kind, path = operation.get("op"), operation.get("path")
    known = {"op", "path", "value"} if kind == "set" else {"op", "path"}
    if kind not in ("set", "delete") or not isinstance(path, str) or not known >= set(operation):
        raise BadCallError(
            f"{where} is no operation",
            hint='an operation is {op: "set", path, value} or {op: "delete", path}',
        )
    steps = parse_path(path)
    if kind == "delete":
        remove_value(root, steps)
        return 0
    # A copy: later operations change what is set here, and must not change the caller's value.
    return set_value(root, steps, parse_json(json_text(operation.get("value"), 0)))


def json_text(value: object, spaces: int) -> str:
    """Return a value as the text of a JSON file.

    Raises:
        BadCallError: The value has no form in JSON.
        TooLargeError: It nests too deep, or is too large.
    """
    try:
        return format_json(value, spaces=spaces) + "\n"
    except TypeError as error:
        raise BadCallError(
            str(error), hint="JSON holds null, booleans, numbers, text, lists, objects"
        ) from None
