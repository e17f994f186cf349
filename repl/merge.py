"""`vshell merge`: a fork's changes come back, path by path."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from vshell.fs.filesystem import FileSystem
from vshell.ops.context import Context
from vshell.ops.merge import MergeConflict, MergeResult, merge_into

from .output import Output

CONFLICT = 3


def run_merge(parent: Context, values: dict[str, Any], output: Output) -> int:
    """Merge a fork into a workspace; return the exit code, which conflicts make 3.

    Args:
        parent: The workspace that takes the changes.
        values: What was typed: `fork`, and what else `merge_into` takes.
        output: Where the result goes.
    """
    options = {name: value for name, value in values.items() if name != "fork"}
    with closing(FileSystem(values["fork"], create=False)) as files:
        result = merge_into(Context(files), parent, **options)
        if output.as_json:
            output.json(result.as_dict() | {"patch": result.patch})
        else:
            _show(result, output)
    return CONFLICT if any(conflict.resolution == "open" for conflict in result.conflicts) else 0


def _show(result: MergeResult, output: Output) -> None:
    if result.dry_run:
        output.data(result.patch)
    for conflict in result.conflicts:
        output.line(_told(conflict))
    changed = len(result.changed)
    paths = "1 path" if changed == 1 else f"{changed} paths"
    done = "would change" if result.dry_run else "changed"
    conflicts = f", {result.conflicts_total} in conflict" if result.conflicts_total else ""
    output.talk(f"{paths} {done}{conflicts}; revision {result.revision}")


def _told(conflict: MergeConflict) -> str:
    return f"conflict ({conflict.reason}, {conflict.resolution}): {conflict.path}"
