"""A container, to be awaited."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from vshell.aio.mirror import AsyncMirror
from vshell.aio.worker import Part, hop
from vshell.sync.container import Container
from vshell.sync.jobs import Job

__all__ = ["AsyncContainer"]


class AsyncContainer(Part[Container]):
    """A container whose commands are awaited; see `Container`."""

    job = hop(Container.job)
    jobs = hop(Container.jobs)
    cancel = hop(Container.cancel)
    resume = hop(Container.resume)
    push = hop(Container.push)
    pull = hop(Container.pull)
    sync = hop(Container.sync)
    status = hop(Container.status)
    diff = hop(Container.diff)
    conflicts = hop(Container.conflicts)
    resolve = hop(Container.resolve)
    close = hop(Container.close)
    remove = hop(Container.remove)

    @property
    def name(self) -> str:
        """The container's name."""
        return self.wrapped.name

    @property
    def image(self) -> str:
        """The image's name."""
        return self.wrapped.image

    async def mirror(self) -> AsyncMirror:
        """Return the mirror that is in the container; see `Container.mirror`."""
        return AsyncMirror(await self.call(lambda: self.wrapped.mirror), self.worker)

    async def exec(self, command: str | Sequence[str], **options: Any) -> Job:
        """Run a command in the container; see `Container.exec` for the options.

        When the task is cancelled, the command is ended, and what it did until then is
        brought back: `jobs` has what became of it.
        """
        ending = _Ending(self.wrapped)
        work = partial(self.wrapped.exec, command, on_job=ending.note, **options)
        return await self.worker.beside(work, ending.cancel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Ending:
    """Cancels a job, also when that is asked for before the job has a number."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._lock = threading.Lock()
        self._number: int | None = None
        self._wanted = False

    def note(self, number: int) -> None:
        with self._lock:
            self._number = number
            wanted = self._wanted
        if wanted:
            self._container.cancel(number)

    def cancel(self) -> None:
        with self._lock:
            self._wanted = True
            number = self._number
        if number is not None:
            self._container.cancel(number)
