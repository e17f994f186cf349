"""A mirror, to be awaited."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

from vshell.aio.worker import Part, hop
from vshell.errors import CancelledError
from vshell.sync.mirror import Mirror
from vshell.sync.results import SyncResult, SyncStatus

__all__ = ["AsyncMirror"]

Result = TypeVar("Result")


class AsyncMirror(Part[Mirror]):
    """A mirror whose synchronisations are awaited; see `Mirror`.

    When a task is cancelled, its synchronisation stops at the next file. What it has done
    by then stays, and the next one completes it.
    """

    diff = hop(Mirror.diff)
    conflicts = hop(Mirror.conflicts)
    resolve = hop(Mirror.resolve)
    restart = hop(Mirror.restart)

    @property
    def name(self) -> str:
        """The name under which the workspace knows the mirror."""
        return self.wrapped.name

    async def sync(self, **options: Any) -> SyncResult:
        """Bring what changed on either side to the other; see `Mirror.sync`."""
        return await self._stoppable(self.wrapped.sync, options)

    async def push(self, **options: Any) -> SyncResult:
        """Bring what the workspace changed to the mirror; see `Mirror.push`."""
        return await self._stoppable(self.wrapped.push, options)

    async def pull(self, **options: Any) -> SyncResult:
        """Bring what the mirror changed to the workspace; see `Mirror.pull`."""
        return await self._stoppable(self.wrapped.pull, options)

    async def status(self, **options: Any) -> SyncStatus:
        """Return what a synchronisation would do now; see `Mirror.status`."""
        return await self._stoppable(self.wrapped.status, options)

    async def watch(self, **options: Any) -> AsyncIterator[SyncResult]:
        """Synchronise now and whenever something changes; see `Mirror.watch`."""
        stopped = threading.Event()
        asked = options.pop("stop", None)
        results = self.wrapped.watch(
            stop=lambda: stopped.is_set() or (asked is not None and asked()),
            progress=_stopping(stopped, options.pop("progress", None)),
            **options,
        )
        async for result in self.worker.iterate(results, stopped.set):
            yield result

    async def _stoppable(self, method: Callable[..., Result], options: dict[str, Any]) -> Result:
        stopped = threading.Event()
        options["progress"] = _stopping(stopped, options.get("progress"))
        return await self.worker.beside(partial(method, **options), stopped.set)


def _stopping(
    stopped: threading.Event, progress: Callable[..., object] | None
) -> Callable[..., None]:
    """Return what is told of progress, and ends the work once it shall stop."""

    def told(*arguments: object) -> None:
        if stopped.is_set():
            raise CancelledError("the synchronisation was cancelled")
        if progress is not None:
            progress(*arguments)

    return told
