"""Seeing changes as they are committed, by this process or another."""

from __future__ import annotations

import time
from collections.abc import Iterator

from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Change

_BATCH = 1000


def watch(
    files: FileSystem,
    path: str | None,
    *,
    since: int,
    timeout_s: float | None,
    poll_s: float,
) -> Iterator[Change]:
    """Yield the changes after a revision, then wait for more.

    The wait looks at the change counter in shared memory, so it costs no statement
    while nothing happens.

    Args:
        files: The workspace's files.
        path: Only changes to this path or below it; None for all.
        since: The last revision that the caller knows.
        timeout_s: Stop when nothing has happened for so long; None: never.
        poll_s: How long to sleep between looks.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    seen = b""
    while True:
        with files.store.lock:
            state = files.store.fresh()
        if state != seen:
            latest = files.revision()
            while changes := files.changes(since=since, until=latest, path=path, limit=_BATCH):
                # A batch must not end inside a revision: the next would start after it.
                if len(changes) == _BATCH and changes[0].revision != changes[-1].revision:
                    end = changes[-1].revision
                    changes = [change for change in changes if change.revision != end]
                elif len(changes) == _BATCH:
                    revision = changes[0].revision
                    changes = files.changes(since=since, until=revision, path=path)
                since = changes[-1].revision
                yield from changes
                deadline = None if timeout_s is None else time.monotonic() + timeout_s
            since, seen = max(since, latest), state
        if deadline is not None and time.monotonic() >= deadline:
            return
        time.sleep(poll_s)
