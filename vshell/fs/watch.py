"""Seeing changes as they are committed, by this process or another."""

from __future__ import annotations

import time
from collections.abc import Iterator

from vshell.errors import NotFoundError
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Change

_BATCH = 1000


class Cursor:
    """A place in the history, from which it is read on.

    Args:
        files: The workspace's files.
        path: Only changes to this path or below it; None for all.
        since: The last revision that the caller knows; None for the present one; 0 for the
            whole history, as far as it is kept.

    Raises:
        NotFoundError: Changes after `since` are not kept any more.
    """

    def __init__(self, files: FileSystem, path: str | None, *, since: int | None) -> None:
        self._files = files
        self._path = path
        self._seen = b""
        if not since:
            since = files.revision() if since is None else files.complete_since()
        self.revision = since
        self._require_history()

    def next(self) -> list[Change]:
        """Return some of what happened since the last call, revisions kept whole.

        It looks at the change counter in shared memory first, so it costs no statement
        while nothing happens.

        Raises:
            NotFoundError: Some of it is not in the history any more.
        """
        with self._files.store.lock:
            state = self._files.store.fresh()
        if state == self._seen:
            return []
        changes, latest = self._files.store.read(self._changes)
        if changes:
            self.revision = changes[-1].revision
        else:
            self.revision, self._seen = max(self.revision, latest), state
        return changes

    def _changes(self) -> tuple[list[Change], int]:
        self._require_history()
        files, since, path = self._files, self.revision, self._path
        latest = files.revision()
        changes = files.changes(since=since, until=latest, path=path, limit=_BATCH)
        # A batch must not end inside a revision: the next would start after it.
        if len(changes) == _BATCH and changes[0].revision != changes[-1].revision:
            end = changes[-1].revision
            changes = [change for change in changes if change.revision != end]
        elif len(changes) == _BATCH:
            changes = files.changes(since=since, until=changes[0].revision, path=path)
        return changes, latest

    def _require_history(self) -> None:
        first = self._files.complete_since()
        if self.revision < first:
            raise NotFoundError(
                f"the changes after revision {self.revision} are not all kept any more",
                hint=f"look at the files anew, and go on from revision {first} or later",
                data={"first": first, "last": self._files.revision()},
            )


def watch(
    files: FileSystem,
    path: str | None,
    *,
    since: int | None,
    timeout_s: float | None,
    poll_s: float,
) -> Iterator[Change]:
    """Return an iterator over the changes after a revision, which then waits for more.

    Args:
        files: The workspace's files.
        path: Only changes to this path or below it; None for all.
        since: As for `Cursor`.
        timeout_s: Stop when nothing has happened for so long; None: never.
        poll_s: How long to sleep between looks.

    Raises:
        NotFoundError: Some of it is not in the history any more; also while iterating.
    """
    return _follow(Cursor(files, path, since=since), timeout_s, poll_s)


def _follow(cursor: Cursor, timeout_s: float | None, poll_s: float) -> Iterator[Change]:
    quiet_since_s = time.monotonic()
    while True:
        while changes := cursor.next():
            yield from changes
            quiet_since_s = time.monotonic()
        if timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
            return
        time.sleep(poll_s)
