"""A workspace, and a directory of them, to be awaited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from vshell.aio.session import AsyncSession
from vshell.aio.worker import Worker
from vshell.workspace import Workspace
from vshell.workspaces import Workspaces

if TYPE_CHECKING:
    from vshell.fs.paths import PathLike
    from vshell.ops.merge import MergeResult
    from vshell.ops.read import Moment

__all__ = ["AsyncWorkspace", "AsyncWorkspaces"]

Result = TypeVar("Result")


class AsyncWorkspace(AsyncSession):
    """A workspace's operations, to be awaited; see `Workspace`.

    Make one with `await AsyncWorkspace.open(...)` or `await AsyncWorkspace.memory()`, in
    the event loop that uses it.
    """

    def __init__(self, workspace: Workspace, worker: Worker) -> None:
        super().__init__(workspace, worker)
        self.workspace = workspace

    @classmethod
    async def open(cls, path: str, **options: Any) -> Self:
        """Open a workspace; arguments and errors as for `Workspace.open`."""
        return await cls._made(partial(Workspace.open, path, **options))

    @classmethod
    async def memory(cls, **options: Any) -> Self:
        """Open a workspace that is gone when it is closed; see `Workspace.memory`."""
        return await cls._made(partial(Workspace.memory, **options))

    @classmethod
    async def _made(cls, make: Callable[[], Workspace]) -> Self:
        worker = Worker()
        try:
            return cls(await worker.run(make, lambda: None), worker)
        except BaseException:
            worker.close()
            raise

    def session(self, name: str, **options: Any) -> AsyncSession:
        """Return another handle on the same files; arguments as for `Workspace.session`."""
        return AsyncSession(self.workspace.session(name, **options), self.worker)

    async def fork(self, dest: PathLike, *, at: Moment | None = None) -> AsyncWorkspace:
        """Copy the workspace to a new file, and open the copy; see `Workspace.fork`."""
        made = await self.call(partial(self.workspace.fork, dest, at=at))
        return AsyncWorkspace(made, Worker())

    async def merge_into(self, parent: AsyncSession, **options: Any) -> MergeResult:
        """Bring what changed here since the fork into another; see `Workspace.merge_into`."""
        work = partial(self.workspace.merge_into, parent.session_, **options)
        async with parent.worker.alone():
            return await self.call(work)

    async def set_quota(self, quota_bytes: int | None) -> None:
        """Limit how many bytes all files may have; see `Workspace.set_quota`."""
        await self.call(partial(self.workspace.set_quota, quota_bytes))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.workspace.closed

    async def close(self) -> None:
        """Close the workspace after what is running."""
        await self.call(self.workspace.close)
        self.worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncWorkspaces:
    """A directory with a workspace for each agent; see `Workspaces`.

    Args:
        directory: Where the databases are.
        options: As for `Workspaces`.
    """

    def __init__(self, directory: PathLike, **options: Any) -> None:
        self._worker = Worker()
        self.workspaces = Workspaces(directory, **options)
        self._open: dict[str, AsyncWorkspace] = {}

    async def open(self, agent_id: str, *, create: bool = True) -> AsyncWorkspace:
        """Return the workspace of an agent; see `Workspaces.open`."""
        made = await self._call(partial(self.workspaces.open, agent_id, create=create))
        return self._made(agent_id, made)

    async def ids(self) -> list[str]:
        """Return the ids of all agents that have a workspace, sorted."""
        return await self._call(self.workspaces.ids)

    async def delete(self, agent_id: str) -> None:
        """Close and remove the workspace of an agent; see `Workspaces.delete`."""
        await self._call(partial(self.workspaces.delete, agent_id))
        self._open.pop(agent_id, None)

    async def fork(
        self, source: str, destination: str, *, at: Moment | None = None
    ) -> AsyncWorkspace:
        """Copy the workspace of one agent to another; see `Workspaces.fork`."""
        made = await self._call(partial(self.workspaces.fork, source, destination, at=at))
        return self._made(destination, made)

    async def close(self) -> None:
        """Close every workspace that is open."""
        for workspace in list(self._open.values()):
            await workspace.close()
        self._open.clear()
        await self._call(self.workspaces.close)
        self._worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await self._worker.run(work, lambda: None)

    def _made(self, agent_id: str, workspace: Workspace) -> AsyncWorkspace:
        known = self._open.get(agent_id)
        if known is None or known.workspace is not workspace:
            known = self._open[agent_id] = AsyncWorkspace(workspace, Worker())
        return known
