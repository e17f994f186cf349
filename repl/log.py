"""`vshell log`: what happened last."""

from __future__ import annotations

from vshell.ops.context import Context
from vshell.ops.log import log

from .output import Output
from .render import change_line

_SHOWN_OF_REVISION = 4


def run_log(
    context: Context, path: str | None, count: int, output: Output, *, with_patches: bool
) -> int:
    """Print the latest revisions, newest first; return the exit code.

    Of a revision with many changes, only the first are printed, and how many there are
    more; JSON has all of them.

    Raises:
        RangeError: `count` is less than 1.
    """
    entries = log(context, path, n=count).entries
    if output.as_json:
        output.json(
            [
                {**change.as_dict(), **({"patch": entry.patch} if with_patches else {})}
                for entry in entries
                for change in entry.changes
            ]
        )
        return 0
    for entry in entries:
        changes = entry.changes
        shown = changes if len(changes) <= _SHOWN_OF_REVISION else changes[: _SHOWN_OF_REVISION - 1]
        for change in shown:
            output.line(change_line(change, output))
        if len(shown) < len(changes):
            output.line(f"        ... {len(changes) - len(shown)} more in this revision")
        if with_patches and entry.patch:
            output.data(entry.patch)
    return 0
