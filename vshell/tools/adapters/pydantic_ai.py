"""Pydantic AI: a workspace as the `WorkspaceBackend` that an agent works in.

    from pydantic_ai.workspaces import Workspace
    from vshell.tools.adapters.pydantic_ai import VshellBackend

    workspace = Workspace(VshellBackend("agent.db"))

It has commands (the virtual shell), files and `realpath`. Its `ref` names the database's
file, so that another process can go on with it: `VshellBackend.attach(ref)`.
"""

from __future__ import annotations

import shlex
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import anyio
import anyio.to_thread

from vshell.errors import (
    ClosedError,
    CorruptError,
    ExistsError,
    NewerSchemaError,
    NotDirectoryError,
    NotFoundError,
    ReadOnlyError,
    SymlinkLoopError,
    UnavailableError,
)
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike, is_below, join, lexical, split
from vshell.limits import MAX_SYMLINKS
from vshell.ops.entries import mkdir, rm
from vshell.ops.write import write
from vshell.tools.adapters.extras import needs_extra
from vshell.workspace import Session, Workspace

with needs_extra("pydantic-ai"):
    from pydantic_ai.workspaces import (
        CommandResult,
        FileEntry,
        WorkspaceOutputLimitError,
        WorkspaceReadOnlyError,
        WorkspaceRef,
        WorkspaceTimeoutError,
        WorkspaceUnavailableError,
    )
    from pydantic_ai.workspaces.protocol import validate_timeout

__all__ = ["PROVIDER", "VshellBackend"]

PROVIDER: Final = "vshell"
"""The provider in the refs of these workspaces."""

_LOOK_S: Final = 0.2
_NO_TIMEOUT_S: Final = 7 * 24 * 3600.0
_MAX_OUTPUT_BYTES: Final = 64 * 1024 * 1024
_GONE: Final = (ClosedError, CorruptError, NewerSchemaError)

Result = TypeVar("Result")


class VshellBackend:
    """A workspace in a file of the host; nothing is opened before it is used.

    Args:
        path: The file; it is made at the first use.
        session: What stands in the journal beside changes.
        working_dir: The directory in the workspace that commands start in.
        environment: Variables of the commands.
        read_only: Refuse changes.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        session: str = "pydantic-ai",
        working_dir: str = "/workspace",
        environment: Mapping[str, str] | None = None,
        read_only: bool = False,
    ) -> None:
        self._path = Path(path).absolute()
        self._name = session
        self._directory = working_dir
        self._environment = dict(environment or {})
        self._read_only = read_only
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._ref: WorkspaceRef | None = None

    @classmethod
    def attach(cls, ref: WorkspaceRef, **options: Any) -> Self:
        """Return the backend of a workspace that exists; options are those of the class.

        Raises:
            WorkspaceUnavailableError: The ref is another provider's.
        """
        if ref.provider != PROVIDER:
            raise WorkspaceUnavailableError(f"the ref is not of vshell but of {ref.provider}")
        made = cls(ref.id, **options)
        made._ref = ref
        return made

    @property
    def ref(self) -> WorkspaceRef | None:
        """What names the workspace; None until it exists."""
        return self._ref

    def close(self) -> None:
        """Close the database; the workspace stays."""
        with self._lock:
            if self._workspace is not None:
                self._workspace.close()
                self._workspace = None

    # Opening.

    def _session(self) -> Session:
        with self._lock:
            if self._workspace is None or not self._path.exists():
                self._workspace = self._open()
            session = self._workspace.session(
                self._name, cwd=self._directory, environment=self._environment
            )
        if not self._read_only:
            mkdir(session, self._directory, parents=True, exist_ok=True)
        return session

    def _open(self) -> Workspace:
        try:
            opened = Workspace.open(self._path, create=self._ref is None, read_only=self._read_only)
        except (NotFoundError, *_GONE) as error:
            raise WorkspaceUnavailableError(f"the workspace cannot be opened: {error}") from error
        self._ref = WorkspaceRef(provider=PROVIDER, id=str(self._path))
        return opened

    async def _do(self, work: Callable[[Session], Result]) -> Result:
        """Do something in a thread, with its errors as the protocol has them."""

        def run() -> Result:
            try:
                return work(self._session())
            except ReadOnlyError as error:
                raise WorkspaceReadOnlyError(str(error)) from error
            except _GONE as error:
                raise WorkspaceUnavailableError(str(error)) from error

        return await anyio.to_thread.run_sync(run)

    async def working_dir(self) -> str:
        """Return the directory that commands start in."""
        return await self._do(lambda session: session.realpath(self._directory))

    # Commands.

    async def run(
        self,
        command: str | Sequence[str],
        *,
        shell: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CommandResult:
        """Run a command in the virtual shell.

        Args:
            command: Words, or with `shell` a command line.
            shell: Whether it is a command line.
            env: Variables, beside the backend's own.
            timeout: Seconds before it is stopped; None for a week.

        Raises:
            TypeError: `command` is not what `shell` says.
            ValueError: The time limit is no positive number.
            WorkspaceTimeoutError: It took too long.
            WorkspaceOutputLimitError: It printed more than 64 MiB.
            WorkspaceUnavailableError: The workspace is gone, or has no shell.
        """
        if isinstance(command, str) != shell:
            raise TypeError("a command line needs shell=True, and a list of words shell=False")
        validate_timeout(timeout)
        script = command if isinstance(command, str) else shlex.join(command)
        limits = {
            "max_output_bytes": _MAX_OUTPUT_BYTES,
            "max_total_output_bytes": 2 * _MAX_OUTPUT_BYTES,
        }
        opened = await self._do(lambda session: session.shell(limits=limits))

        def work() -> Any:
            try:
                return opened.run(script, env=env, timeout_s=timeout or _NO_TIMEOUT_S)
            except UnavailableError as error:
                raise WorkspaceUnavailableError(str(error)) from error
            finally:
                opened.close()

        async def watch() -> None:
            # A database whose file is gone stays open: nothing else would tell.
            while await anyio.to_thread.run_sync(self._path.exists):
                await anyio.sleep(_LOOK_S)
            opened.interrupt()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            try:
                result = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
            except anyio.get_cancelled_exc_class():
                opened.interrupt()
                raise
            tasks.cancel_scope.cancel()
        return self._result(result, timeout)

    def _result(self, result: Any, timeout: float | None) -> CommandResult:
        stdout, stderr = (
            data.decode("utf-8", "replace") for data in (result.stdout, result.stderr)
        )
        if not self._path.exists():
            raise WorkspaceUnavailableError("the workspace was removed while the command ran")
        if result.timed_out:
            raise WorkspaceTimeoutError(
                f"the command took longer than {timeout} s", stdout=stdout, stderr=stderr
            )
        if result.truncated:
            raise WorkspaceOutputLimitError(
                "the command printed too much",
                limit=_MAX_OUTPUT_BYTES,
                stdout=stdout,
                stderr=stderr,
            )
        return CommandResult(exit_code=result.exit_code, stdout=stdout, stderr=stderr)

    # Files.

    async def read_bytes(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return await self._do(lambda session: session.read_bytes(path))

    async def write_bytes(self, path: str, data: bytes) -> None:
        """Give a file this content."""
        await self._do(lambda session: write(session, path, data))

    async def stat(self, path: str) -> FileEntry:
        """Return what is known of what a path leads to."""
        return await self._do(lambda session: _entry(session.files, session.resolve(path)))

    async def list_dir(self, path: str) -> list[FileEntry]:
        """Return the entries of a directory."""

        def work(session: Session) -> list[FileEntry]:
            where = session.resolve(path)
            with session.files.reading():
                names = session.files.names(where)
                return [_listed(session.files, join(where, name)) for name in names]

        return await self._do(work)

    async def make_dir(self, path: str) -> None:
        """Make a directory and its parents."""

        def work(session: Session) -> None:
            try:
                mkdir(session, path, parents=True, exist_ok=True)
            except ExistsError:
                if session.files.exists(session.resolve(path)):
                    raise
                raise NotDirectoryError(f"not a directory: {path}", path=path) from None

        await self._do(work)

    async def remove(self, path: str) -> None:
        """Remove a file, or a directory with all that is in it.

        Raises:
            ValueError: It is the working directory, or holds it.
        """

        def work(session: Session) -> None:
            where = lexical(session.resolve(path))
            if is_below(session.realpath(self._directory), where):
                raise ValueError(f"the working directory is in it: {path}")
            rm(session, where, recursive=True)

        await self._do(work)

    async def exists(self, path: str) -> bool:
        """Whether a path leads to anything."""
        return await self._do(lambda session: session.exists(path))

    async def realpath(self, path: str) -> str:
        """Return a path without links; what does not exist stands for itself.

        Raises:
            SymlinkLoopError: Links lead round in a circle.
        """
        return await self._do(lambda session: _realpath(session.files, session.resolve(path)))


def _entry(files: FileSystem, path: str) -> FileEntry:
    found = files.stat(path)
    is_directory = found.kind == "directory"
    return FileEntry(
        name=split(lexical(path))[1],
        path=lexical(path),
        is_dir=is_directory,
        size=None if is_directory else found.size,
    )


def _listed(files: FileSystem, path: str) -> FileEntry:
    try:
        return _entry(files, path)
    except (NotFoundError, NotDirectoryError, SymlinkLoopError):  # a link that leads nowhere
        return FileEntry(name=split(path)[1], path=path, is_dir=False, size=None)


def _realpath(files: FileSystem, path: str) -> str:
    """Return a path without links, as `os.path.realpath` does when not everything exists."""
    pending = deque(path.split("/"))
    real = "/"
    followed = 0
    while pending:
        part = pending.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            real = split(real)[0]
            continue
        candidate = join(real, part)
        if not _is_link(files, candidate):
            real = candidate
            continue
        followed += 1
        if followed > MAX_SYMLINKS:
            raise SymlinkLoopError(f"too many links: {path}", path=path)
        target = files.readlink(candidate)
        pending.extendleft(reversed(target.split("/")))
        real = "/" if target.startswith("/") else real
    return real


def _is_link(files: FileSystem, path: str) -> bool:
    return files.exists(path, follow=False) and files.stat(path, follow=False).kind == "symlink"
