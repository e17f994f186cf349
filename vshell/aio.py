"""The asynchronous form of a workspace: every operation is one hop to a worker thread.

    from vshell.aio import AsyncWorkspace

    async with await AsyncWorkspace.open("agent.db") as ws:
        await ws.write("/notes.md", "# Plan\\n")
        async with ws.transaction():
            await ws.mv("/notes.md", "/plan.md")

A workspace has one worker, so operations run one at a time and a transaction's stay
together: other tasks wait until it ends. A task that is cancelled stops waiting at
once; the statement that it waited for is interrupted, and its transaction undone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from vshell.fs.records import Change
from vshell.workspace import Session, Workspace

if TYPE_CHECKING:
    from vshell.script.result import ScriptResult

__all__ = ["AsyncSession", "AsyncWorkspace"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_WATCH_BATCH_S = 0.25


class _Worker:
    """The thread that a workspace's operations run on, and the gate before it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vshell")
        self._gate = asyncio.Lock()
        self._inside: ContextVar[bool] = ContextVar("inside", default=False)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep other tasks out; inside itself, do nothing."""
        if self._inside.get():
            yield
            return
        async with self._gate:
            token = self._inside.set(True)
            try:
                yield
            finally:
                self._inside.reset(token)

    def is_inside(self) -> bool:
        """Tell whether this task is inside `alone`."""
        return self._inside.get()

    async def run(self, work: Callable[[], Result], interrupt: Callable[[], None]) -> Result:
        """Run `work` on the thread; when the task is cancelled, stop it."""
        async with self.alone():
            running = asyncio.get_running_loop().run_in_executor(self._executor, work)
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                interrupt()
                # The thread must be done before another task's operation may start.
                with contextlib.suppress(Exception):
                    await running
                raise

    def close(self) -> None:
        self._executor.shutdown(wait=True)


def _hop(
    method: Callable[Concatenate[Session, Parameters], Result],
) -> Callable[Concatenate[AsyncSession, Parameters], Coroutine[Any, Any, Result]]:
    """Return the asynchronous form of a session's method, with its signature."""

    async def call(
        self: AsyncSession, /, *arguments: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        return await self.call(partial(method, self.session_, *arguments, **options))

    call.__doc__ = method.__doc__
    call.__name__ = getattr(method, "__name__", "call")
    return call


class AsyncSession:
    """A session's operations, to be awaited; see `Session` for what they do.

    Args:
        session_: The session.
        worker: Where they run.
    """

    def __init__(self, session_: Session, worker: _Worker) -> None:
        self.session_ = session_
        self.worker = worker

    read = _hop(Session.read)
    read_bytes = _hop(Session.read_bytes)
    read_text = _hop(Session.read_text)
    write = _hop(Session.write)
    append = _hop(Session.append)
    edit = _hop(Session.edit)
    apply = _hop(Session.apply)
    diff = _hop(Session.diff)
    diff_text = _hop(Session.diff_text)
    patch = _hop(Session.patch)
    glob = _hop(Session.glob)
    grep = _hop(Session.grep)
    ls = _hop(Session.ls)
    find = _hop(Session.find)
    tree = _hop(Session.tree)
    stat = _hop(Session.stat)
    lstat = _hop(Session.lstat)
    exists = _hop(Session.exists)
    readlink = _hop(Session.readlink)
    realpath = _hop(Session.realpath)
    chmod = _hop(Session.chmod)
    utime = _hop(Session.utime)
    truncate = _hop(Session.truncate)
    hash = _hop(Session.hash)
    detect = _hop(Session.detect)
    mkdir = _hop(Session.mkdir)
    rm = _hop(Session.rm)
    mv = _hop(Session.mv)
    cp = _hop(Session.cp)
    link = _hop(Session.link)
    symlink = _hop(Session.symlink)
    changes = _hop(Session.changes)
    history = _hop(Session.history)
    snapshot = _hop(Session.snapshot)
    snapshots = _hop(Session.snapshots)
    delete_snapshot = _hop(Session.delete_snapshot)
    restore = _hop(Session.restore)
    undo = _hop(Session.undo)
    redo = _hop(Session.redo)
    compare = _hop(Session.compare)
    check = _hop(Session.check)
    usage = _hop(Session.usage)
    gc = _hop(Session.gc)
    keep_history = _hop(Session.keep_history)
    index = _hop(Session.index)
    vacuum = _hop(Session.vacuum)
    import_git = _hop(Session.import_git)
    export_git = _hop(Session.export_git)
    import_directory = _hop(Session.import_directory)
    export_directory = _hop(Session.export_directory)
    import_archive = _hop(Session.import_archive)
    export_archive = _hop(Session.export_archive)
    backup = _hop(Session.backup)

    async def run(self, source: str, **options: Any) -> ScriptResult:
        """Run a script; see `Session.run` for the options.

        It has a thread of its own, so that other operations go on meanwhile. When the task
        is cancelled, the script is ended.
        """
        from vshell.script.loop import Cancellation

        cancellation = options.setdefault("cancellation", Cancellation())
        work = partial(self.session_.run, source, **options)
        if self.worker.is_inside():
            return await self.worker.run(work, cancellation.cancel)
        running = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            cancellation.cancel()
            with contextlib.suppress(Exception):
                await running
            raise

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run any function on the worker's thread, where the workspace may be used."""
        return await self.worker.run(work, self.session_.files.interrupt)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Do what is inside at once, or not at all; see `Session.transaction`."""
        async with self.worker.alone():
            transaction = self.session_.transaction()
            entered = False

            def enter() -> None:
                nonlocal entered
                transaction.__enter__()
                entered = True

            try:
                await self.call(enter)
                yield
            except BaseException as error:
                if entered:  # which a task that is cancelled on the way in may be, too
                    await self.call(partial(transaction.__exit__, type(error), error, None))
                raise
            await self.call(partial(transaction.__exit__, None, None, None))

    async def watch(self, path: str = "/", *, since: int | None = None) -> AsyncIterator[Change]:
        """Yield changes as they are committed; see `Session.watch`. It ends with its task."""
        start = await self.call(self.session_.files.revision) if since is None else since
        while True:
            found = await self.changes(start, path)
            for change in found.changes:
                yield change
            start = found.next_since or max(start, found.revision)
            if not found.truncated:
                await asyncio.sleep(_WATCH_BATCH_S / 10)


class AsyncWorkspace(AsyncSession):
    """A workspace's operations, to be awaited; see `Workspace`.

    Make one with `await AsyncWorkspace.open(...)` or `await AsyncWorkspace.memory()`, in
    the event loop that uses it.
    """

    def __init__(self, workspace: Workspace, worker: _Worker) -> None:
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
        worker = _Worker()
        try:
            return cls(await worker.run(make, lambda: None), worker)
        except BaseException:
            worker.close()
            raise

    def session(self, name: str, **options: Any) -> AsyncSession:
        """Return another handle on the same files; arguments as for `Workspace.session`."""
        return AsyncSession(self.workspace.session(name, **options), self.worker)

    async def close(self) -> None:
        """Close the workspace after what is running."""
        await self.call(self.workspace.close)
        self.worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
