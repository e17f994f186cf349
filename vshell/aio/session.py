"""A session of a workspace, to be awaited."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from vshell.aio.worker import Worker
from vshell.fs.records import Change
from vshell.fs.watch import Cursor
from vshell.session import Session

if TYPE_CHECKING:
    from vshell.aio.container import AsyncContainer
    from vshell.aio.mirror import AsyncMirror
    from vshell.aio.scripts import AsyncRuns, AsyncState, AsyncTools
    from vshell.aio.shell import AsyncShell
    from vshell.fs.paths import PathLike
    from vshell.script.result import ScriptResult

__all__ = ["AsyncSession"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_POLL_S: Final = 0.02


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

    def __init__(self, session_: Session, worker: Worker) -> None:
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
    log = _hop(Session.log)
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
    jobs = _hop(Session.jobs)
    job = _hop(Session.job)

    @property
    def state(self) -> AsyncState:
        """The scripting methods; see `Session.state`."""
        from vshell.aio.scripts import AsyncState

        return AsyncState(self.session_.state, self.worker, self.session_.files.interrupt)

    @property
    def runs(self) -> AsyncRuns:
        """The runs of scripts that are kept; see `Session.runs`."""
        from vshell.aio.scripts import AsyncRuns

        return AsyncRuns(self.session_.runs, self.worker)

    async def run(self, source: str, **options: Any) -> ScriptResult:
        """Run a script; see `Session.run` for the options.

        When the task is cancelled, the script is ended.
        """
        from vshell.script.loop import Cancellation

        cancellation = options.setdefault("cancellation", Cancellation())
        work = partial(self.session_.run, source, **options)
        return await self.worker.beside(work, cancellation.cancel)

    async def shell(self, session: str | None = None, **options: Any) -> AsyncShell:
        """Return a shell; see `Session.shell` for the options."""
        from vshell.aio.shell import AsyncShell

        made = await self.call(partial(self.session_.shell, session, **options))
        return AsyncShell(made, self.worker)

    async def mirror(self, directory: PathLike, **options: Any) -> AsyncMirror:
        """Return a mirror in a directory; see `Session.mirror` for the options."""
        from vshell.aio.mirror import AsyncMirror

        made = await self.call(partial(self.session_.mirror, directory, **options))
        return AsyncMirror(made, self.worker)

    async def container(self, image: str, **options: Any) -> AsyncContainer:
        """Return a container; see `Session.container` for the options."""
        from vshell.aio.container import AsyncContainer

        made = await self.call(partial(self.session_.container, image, **options))
        return AsyncContainer(made, self.worker)

    async def tools(self, profile: str = "claude", **options: Any) -> AsyncTools:
        """Return the operations as tools for a model; see `Session.tools`."""
        from vshell.aio.scripts import AsyncTools

        made = await self.call(partial(self.session_.tools, profile, **options))
        return AsyncTools(made, self.worker)

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

    async def watch(
        self,
        path: PathLike = "/",
        *,
        since: int | None = None,
        timeout_s: float | None = None,
        poll_s: float = _POLL_S,
    ) -> AsyncIterator[Change]:
        """Yield changes as they are committed; see `Session.watch`. It ends with its task."""
        where = self.session_.resolve(path)
        cursor = await self.call(lambda: Cursor(self.session_.files, where, since=since))
        loop = asyncio.get_running_loop()
        quiet_since_s = loop.time()
        while True:
            while found := await self.call(cursor.next):
                for change in found:
                    yield change
                quiet_since_s = loop.time()
            if timeout_s is not None and loop.time() - quiet_since_s >= timeout_s:
                return
            await asyncio.sleep(poll_s)
