"""`vshell log`: what happened last."""

from __future__ import annotations

from itertools import groupby

from vshell.errors import RangeError
from vshell.fs.records import Change
from vshell.ops.context import Context

from .output import Output
from .render import change_line

_SHOWN_OF_REVISION = 4


def run_log(context: Context, path: str | None, count: int, output: Output) -> int:
    """Print the latest revisions, newest first; return the exit code.

    Of a revision with many changes, only the first are printed, and how many there are
    more; JSON has all of them.

    Raises:
        RangeError: `count` is less than 1.
    """
    if count < 1:
        raise RangeError(f"n must be 1 or more, not {count}")
    newest = latest_changes(context, path, count)
    if output.as_json:
        output.json([change.as_dict() for change in newest])
        return 0
    for _, group in groupby(newest, key=lambda change: change.revision):
        changes = list(group)
        shown = changes if len(changes) <= _SHOWN_OF_REVISION else changes[: _SHOWN_OF_REVISION - 1]
        for change in shown:
            output.line(change_line(change, output))
        if len(shown) < len(changes):
            output.line(f"        ... {len(changes) - len(shown)} more in this revision")
    return 0


def latest_changes(context: Context, path: str | None, count: int) -> list[Change]:
    """Return the changes of the last `count` revisions, newest revision first.

    Args:
        workspace: The context.
        path: Only changes to this path or below it; None for all.
        count: How many revisions that have such changes.
    """
    where = None if path is None else context.resolve(path)
    found: dict[int, list[Change]] = {}
    end = context.files.revision()
    step = count
    # The journal is read forwards only; looking twice as far back each time finds the
    # newest of a long history without reading all of it.
    while end > 0 and len(found) < count:
        start = max(0, end - step)
        for change in context.files.changes(since=start, until=end, path=where):
            found.setdefault(change.revision, []).append(change)
        end, step = start, step * 2
    newest = sorted(found, reverse=True)[:count]
    return [change for revision in newest for change in found[revision]]
