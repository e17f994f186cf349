"""The history of a workspace and its upkeep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from vshell.errors import RangeError
from vshell.fs import check as fs_check
from vshell.fs import space
from vshell.fs import watch as fs_watch
from vshell.fs.check import CheckReport
from vshell.fs.collecting import GcResult, collect
from vshell.fs.paths import PathLike
from vshell.fs.records import Change
from vshell.fs.space import Retention, Usage, VacuumResult
from vshell.limits import LIST_ENTRIES
from vshell.ops.context import Context
from vshell.ops.ls import check_page
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class ChangesResult(Record):
    """A part of the journal.

    Attributes:
        changes: What happened; oldest first from `changes`, newest first from `history`.
        revision: The last revision of the workspace.
        truncated: Whether there is more.
        next_since: The revision to go on with in `changes`; None at the end.
        is_complete: Whether nothing is missing: what was older is not kept any more.
    """

    changes: tuple[Change, ...]
    revision: int
    truncated: bool
    next_since: int | None
    is_complete: bool = True

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


@dataclass(frozen=True, slots=True)
class IndexProgress(Record):
    """How far the building of the search index is.

    Attributes:
        entries: How many contents are indexed.
        total: How many there are.
    """

    entries: int
    total: int


def changes(
    context: Context,
    since: int = 0,
    path: PathLike | None = None,
    *,
    limit: int = LIST_ENTRIES,
) -> ChangesResult:
    """Return what happened after a revision, oldest first, revisions kept whole.

    Args:
        since: The last revision that is known already; 0 for the whole history.
        path: Only what happened to this path or below it.
        limit: How many changes about; a revision is not cut in two.

    Raises:
        RangeError: `since` is negative or `limit` less than 1.
    """
    check_page(limit, since)
    where = None if path is None else context.resolve(path)
    files = context.files
    with files.reading():
        latest, whole = files.revision(), files.complete_since() <= since
        found = files.changes(since=since, path=where, limit=limit + 1)
        if len(found) <= limit:
            return ChangesResult(tuple(found), latest, False, None, whole)
        last = found[limit - 1].revision
        found = files.changes(since=since, until=last, path=where)
        more = last < latest
        return ChangesResult(tuple(found), latest, more, last if more else None, whole)


def history(
    context: Context,
    path: PathLike,
    *,
    limit: int = LIST_ENTRIES,
    offset: int = 0,
    follow_renames: bool = True,
) -> ChangesResult:
    """Return what happened to one path, newest first; also to a path that is gone.

    Args:
        path: The path.
        limit: How many changes at most.
        offset: How many of the newest to pass over.
        follow_renames: Before it was renamed, by itself or with a directory above it, go
            on with the path that it had then.

    Raises:
        RangeError: `limit` is less than 1 or `offset` negative.
    """
    check_page(limit, offset)
    files = context.files
    with files.reading():
        found = files.history(
            context.resolve(path), limit=limit + 1, offset=offset, follow_renames=follow_renames
        )
        more = len(found) > limit
        whole = files.complete_since() == 0
        return ChangesResult(tuple(found[:limit]), files.revision(), more, None, whole)


def check(context: Context, *, repair: bool = False) -> CheckReport:
    """Verify everything that must hold in the database: its structure, counts and hashes.

    Args:
        repair: Mend what can be mended.
    """
    store = context.files.store
    problems = fs_check.check(store)
    if not problems or not repair:
        return CheckReport(not problems, tuple(problems), ())
    with context.changing("check"):
        repaired = fs_check.repair(store)
    left = fs_check.check(store)
    return CheckReport(not left, tuple(problems), tuple(repaired))


def usage(context: Context) -> Usage:
    """Return how much space the workspace takes, and for what."""
    return space.usage(context.files.store)


def gc(
    context: Context, *, keep_revisions: int | None = None, max_bytes: int | None = None
) -> GcResult:
    """Remove stored content that neither a file nor the history needs.

    What snapshots, forks, mirrors and kept runs of scripts refer to is never removed, and a
    reader that began before goes on to see all that it saw. It is done in parts of some
    20 ms, between which others write, unless a transaction is open: then it is part of it.

    Args:
        keep_revisions: Also forget all but so many of the newest revisions; None keeps
            what `keep_history` said, at first all.
        max_bytes: Remove about so many bytes of content, so that it does not take long: call
            it again until the result's `is_complete`. None: all.

    Raises:
        RangeError: `keep_revisions` is negative, or `max_bytes` is less than 1.
    """
    if max_bytes is not None and max_bytes < 1:
        raise RangeError(f"max_bytes must be 1 or more, not {max_bytes}")
    if keep_revisions is not None and keep_revisions < 0:
        raise RangeError(f"keep_revisions must not be negative, as {keep_revisions} is")
    return collect(
        context.files.store,
        lambda: context.changing("gc"),
        keep_revisions=keep_revisions,
        max_bytes=max_bytes,
    )


def keep_history(
    context: Context,
    *,
    revisions: int | None = None,
    age_s: float | None = None,
    history_bytes: int | None = None,
) -> Retention:
    """Say how much history to keep, for every process; `gc` then removes the rest.

    What a snapshot refers to is always kept.

    Args:
        revisions: At most so many of the newest revisions; None for no such limit.
        age_s: Only what is not older, in seconds; None for no such limit.
        history_bytes: At most so many bytes of content that only history needs; None for
            no such limit.

    Raises:
        RangeError: A limit is negative.
    """
    for name, limit in (("revisions", revisions), ("age_s", age_s), ("bytes", history_bytes)):
        if limit is not None and limit < 0:
            raise RangeError(f"{name} must not be negative, as {limit} is")
    kept = space.Retention(revisions, age_s, history_bytes)
    with context.changing("keep_history"):
        space.set_retention(context.files.store, kept)
    return kept


def vacuum(context: Context) -> VacuumResult:
    """Give the disk back what removed rows took; return the usage after it, and what was freed.

    Raises:
        OperationTimeoutError: Another process is writing.
    """
    before = usage(context)
    context.files.vacuum()
    after = usage(context)
    freed = before.database_bytes + before.log_bytes - after.database_bytes - after.log_bytes
    values = {each.name: getattr(after, each.name) for each in fields(after)}
    return VacuumResult(**values, freed_bytes=freed)


def index(
    context: Context,
    *,
    rebuild: bool = False,
    progress: Callable[[IndexProgress], None] | None = None,
) -> Usage:
    """Take everything into the search index at once; return the usage after it.

    Searches do so by themselves, some megabytes at a time.

    Args:
        rebuild: Begin anew, also with what is indexed.
        progress: Called now and then with how far it is.

    Raises:
        OperationTimeoutError: Another process is writing.
        ReadOnlyError: The workspace was opened read-only.
    """

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(IndexProgress(done, total))

    with context.changing("index"):
        if rebuild:
            context.files.drop_index()
        context.files.build_index(tell)
    return usage(context)


def watch(
    context: Context,
    path: PathLike = "/",
    *,
    since: int | None = None,
    timeout_s: float | None = None,
    poll_s: float = 0.02,
) -> Iterator[Change]:
    """Yield changes as they are committed, by this process or another.

    Args:
        path: Only changes to this path or below it.
        since: The last revision that the caller knows, such as the `revision` of the last
            change seen before a restart; None: from now on; 0: all that is kept.
        timeout_s: End when nothing has happened for so long, in seconds; None: never.
        poll_s: How long to sleep between looks, in seconds.

    Raises:
        NotFoundError: Changes after `since` are not in the history any more. `data` has the
            revision from which it is complete, as `first`.
    """
    return fs_watch.watch(
        context.files, context.resolve(path), since=since, timeout_s=timeout_s, poll_s=poll_s
    )
