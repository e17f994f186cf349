"""A shell, to be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Self, TypeVar

from vshell.aio.worker import Part, Worker, hop
from vshell.shell.shell import Shell

__all__ = ["AsyncShell"]

Result = TypeVar("Result")


class AsyncShell(Part[Shell]):
    """A shell whose scripts are awaited; see `Shell`.

    Tasks that use it at once take turns. When a task is cancelled, its script is ended.
    """

    def __init__(self, wrapped: Shell, worker: Worker) -> None:
        super().__init__(wrapped, worker)
        # Not the shell's own lock: who waits there cannot be told from who runs, and a
        # task that is cancelled while it waits must not end another one's script.
        self._turn = asyncio.Lock()

    run = hop(Shell.run)
    check = hop(Shell.check)
    names = hop(Shell.names)
    plan = hop(Shell.plan)
    explain = hop(Shell.explain)
    history = hop(Shell.history)
    close = hop(Shell.close)

    @property
    def name(self) -> str:
        """The name in the journal, and of a session that lasts."""
        return self.wrapped.name

    @property
    def cwd(self) -> str:
        """The working directory."""
        return self.wrapped.cwd

    async def confinement(self) -> Mapping[str, bool]:
        """Return what keeps scripts from the host; see `Shell.confinement`."""
        return await self.call(lambda: self.wrapped.confinement)

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run `work` when it is this task's turn."""
        async with self._turn:
            return await super().call(work)

    def interrupt(self) -> None:
        """End the script that runs now; see `Shell.interrupt`."""
        self.wrapped.interrupt()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
