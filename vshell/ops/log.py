"""What happened last: whole revisions, the newest first, each with its patch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vshell.errors import NotFoundError, RangeError
from vshell.fs.paths import PathLike
from vshell.fs.records import Change
from vshell.ops.context import Context
from vshell.ops.moments import compare
from vshell.record import Record

__all__ = ["LogEntry", "LogResult", "log"]


@dataclass(frozen=True, slots=True)
class LogEntry(Record):
    """One revision.

    Attributes:
        revision: Its number.
        time_ns: When, in nanoseconds since 1970.
        session: Who; empty for the workspace itself.
        operations: In which operations, each once.
        changes: What happened, in order.
        patch: The same as one unified diff, computed when asked for; empty where the state
            before it is not kept any more.
    """

    revision: int
    time_ns: int
    session: str
    operations: tuple[str, ...]
    changes: tuple[Change, ...]
    _patch: Callable[[], str] = field(repr=False, compare=False)

    @property
    def patch(self) -> str:
        return self._patch()

    def as_dict(self) -> dict[str, object]:
        return {
            "revision": self.revision,
            "time_ns": self.time_ns,
            "session": self.session,
            "operations": list(self.operations),
            "changes": [change.as_dict() for change in self.changes],
        }


@dataclass(frozen=True, slots=True)
class LogResult(Record):
    """The last revisions.

    Attributes:
        entries: They, the newest first.
        truncated: Whether there are older ones.
        next_before: What to go on with as `before`; None at the end.
    """

    entries: tuple[LogEntry, ...]
    truncated: bool
    next_before: int | None = None


def log(
    context: Context,
    path: PathLike | None = None,
    *,
    n: int = 20,
    before: int | None = None,
) -> LogResult:
    """Return the last revisions: who did what when, and the patch when it is asked for.

    Args:
        path: Only what happened to this path or below it.
        n: How many revisions at most.
        before: Only revisions before this one; None: from the last one on.

    Raises:
        RangeError: `n` is less than 1, or `before` negative.
    """
    if n < 1:
        raise RangeError(f"n must be 1 or more, not {n}")
    if before is not None and before < 0:
        raise RangeError(f"before must not be negative, as {before} is")
    where = None if path is None else context.resolve(path)
    with context.files.reading():
        latest = context.files.revision()
        end = latest if before is None else min(latest, before - 1)
        found = _latest(context, where, n + 1, end=end)
    newest = sorted(found, reverse=True)
    entries = tuple(_entry(context, where or "/", found[revision]) for revision in newest[:n])
    more = len(newest) > n
    return LogResult(entries, more, entries[-1].revision if more else None)


def _latest(context: Context, path: str | None, count: int, *, end: int) -> dict[int, list[Change]]:
    """Return the changes of at least the last `count` revisions up to one that have any."""
    found: dict[int, list[Change]] = {}
    step = count
    # The journal is read forwards only; looking twice as far back each time finds the
    # newest of a long history without reading all of it.
    while end > 0 and len(found) < count:
        start = max(0, end - step)
        for change in context.files.changes(since=start, until=end, path=path):
            found.setdefault(change.revision, []).append(change)
        end, step = start, step * 2
    return found


def _entry(context: Context, path: str, changes: list[Change]) -> LogEntry:
    first = changes[0]
    operations = tuple(dict.fromkeys(change.operation for change in changes))

    def patch() -> str:
        try:
            return compare(context, first.revision - 1, first.revision, path=path).patch
        except NotFoundError:
            return ""

    return LogEntry(first.revision, first.time_ns, first.session, operations, tuple(changes), patch)
