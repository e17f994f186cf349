"""Pydantic AI: a workspace as the `WorkspaceBackend` that an agent works in.

    from pydantic_ai.workspaces import Workspace
    from vshell.tools.adapters.pydantic_ai import VshellBackend

    workspace = Workspace(VshellBackend("agent.db"))

It has commands, files and `realpath`. Its `ref` names the database's file, so that another
process can go on with it: `VshellBackend.attach(ref)`.

In a container, files are brought together with it before they are read and after they are
written, so that a command that runs and whoever waits for it see each other's; what is
outside of the workspace there is reached by commands.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

import anyio
import anyio.to_thread

from vshell.errors import (
    ClosedError,
    CorruptError,
    NewerSchemaError,
    NotFoundError,
    ReadOnlyError,
    UnavailableError,
)
from vshell.fs.paths import PathLike
from vshell.ops.entries import mkdir
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.pydantic_files import BackendFiles
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import Ran, shown
from vshell.tools.container_executor import ContainerExecutor
from vshell.tools.executors import MAX_OUTPUT_BYTES, Command, Executor, open_executor, to_workspace
from vshell.workspace import Workspace

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
    from pydantic_ai.workspaces import Workspace as PydanticWorkspace
    from pydantic_ai.workspaces.protocol import validate_timeout

__all__ = ["PROVIDER", "VshellBackend"]

PROVIDER: Final = "vshell"
"""The provider in the refs of these workspaces."""

_LOOK_S: Final = 0.2
_GONE: Final = (ClosedError, CorruptError, NewerSchemaError)

Result = TypeVar("Result")


class VshellBackend:
    """A workspace in a file of the host; nothing is opened before it is used.

    Args:
        path: The file; it is made at the first use.
        session: What stands in the journal beside changes.
        working_dir: The directory that commands start in, as they see it.
        environment: Variables of the commands.
        read_only: Refuse changes.
        executor: Where commands run: `"virtual"`, or in a `"container"`, where the workspace
            is at `/workspace`.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.
        container: What `Session.container` takes beside the image.

    Raises:
        InvalidPathError: The working directory is outside of the workspace.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        session: str = "pydantic-ai",
        working_dir: str = "/workspace",
        environment: Mapping[str, str] | None = None,
        read_only: bool = False,
        executor: Literal["virtual", "container"] = "virtual",
        image: str | None = None,
        rules: Any = None,
        container: Mapping[str, Any] | None = None,
    ) -> None:
        self._path = Path(path).absolute()
        self._name = session
        self._environment = dict(environment or {})
        self._read_only = read_only
        self._choice: Literal["virtual", "container"] = executor
        self._options = {"image": image, "rules": rules, "options": container}
        root = ContainerExecutor.root if executor == "container" else "/"
        self._directory = to_workspace(root, working_dir)
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._executor: Executor | None = None
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
        """Close the database and what runs commands; the workspace stays."""
        with self._lock:
            self._let_go()

    # Opening.

    def _opened(self) -> tuple[Executor, BackendFiles]:
        with self._lock:
            if self._workspace is None or self._executor is None or not self._path.exists():
                self._let_go()
                self._workspace = self._open()
                session = self._workspace.session(
                    self._name, cwd=self._directory, environment=self._environment
                )
                self._executor = open_executor(session, self._choice, **self._options)
                self._files = BackendFiles(session, self._executor.root)
                if not self._read_only:
                    mkdir(session, self._directory, parents=True, exist_ok=True)
            return self._executor, self._files

    def _open(self) -> Workspace:
        try:
            opened = Workspace.open(self._path, create=self._ref is None, read_only=self._read_only)
        except (NotFoundError, *_GONE) as error:
            raise WorkspaceUnavailableError(f"the workspace cannot be opened: {error}") from error
        self._ref = WorkspaceRef(provider=PROVIDER, id=str(self._path))
        return opened

    def _let_go(self) -> None:
        if self._executor is not None:
            self._executor.close()
        if self._workspace is not None:
            self._workspace.close()
        self._workspace = self._executor = None

    async def _do(self, work: Callable[[Executor, BackendFiles], Result]) -> Result:
        """Do something in a thread, with its errors as the protocol has them."""

        def run() -> Result:
            try:
                return work(*self._opened())
            except ReadOnlyError as error:
                raise WorkspaceReadOnlyError(str(error)) from error
            except (*_GONE, UnavailableError) as error:
                raise WorkspaceUnavailableError(str(error)) from error

        return await anyio.to_thread.run_sync(run)

    async def working_dir(self) -> str:
        """Return the directory that commands start in."""
        return await self._do(lambda _, files: files.working_dir)

    # Commands.

    async def run(
        self,
        command: str | Sequence[str],
        *,
        shell: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CommandResult:
        """Run a command.

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
            WorkspaceUnavailableError: The workspace is gone, or nothing can run commands.
        """
        if isinstance(command, str) != shell:
            raise TypeError("a command line needs shell=True, and a list of words shell=False")
        validate_timeout(timeout)
        variables = {**self._environment, **(env or {})}
        prepared = await self._do(
            lambda executor, _: executor.command(command, environment=variables, timeout_s=timeout)
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_when_gone, prepared)
            try:
                ran = await run_command(prepared)
            except UnavailableError as error:
                raise WorkspaceUnavailableError(str(error)) from error
            finally:
                tasks.cancel_scope.cancel()
        return self._result(ran, timeout)

    async def _end_when_gone(self, command: Command) -> None:
        # A database whose file is gone stays open: nothing else would tell.
        while await anyio.to_thread.run_sync(self._path.exists):
            await anyio.sleep(_LOOK_S)
        await anyio.to_thread.run_sync(command.interrupt)

    def _result(self, ran: Ran, timeout: float | None) -> CommandResult:
        stdout, stderr = shown(ran.stdout), shown(ran.stderr)
        if not self._path.exists():
            raise WorkspaceUnavailableError("the workspace was removed while the command ran")
        if ran.timed_out:
            raise WorkspaceTimeoutError(
                f"the command took longer than {timeout} s", stdout=stdout, stderr=stderr
            )
        if ran.truncated:
            raise WorkspaceOutputLimitError(
                "the command printed too much",
                limit=MAX_OUTPUT_BYTES,
                stdout=stdout,
                stderr=stderr,
            )
        return CommandResult(exit_code=ran.exit_code, stdout=stdout, stderr=stderr)

    # Files.

    async def read_bytes(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return await self._at(
            path, lambda files: files.read_bytes(path), lambda other: other.read_bytes(path)
        )

    async def write_bytes(self, path: str, data: bytes) -> None:
        """Give a file this content."""
        await self._at(
            path,
            lambda files: files.write_bytes(path, data),
            lambda other: other.write_bytes(path, data),
            changes=True,
        )

    async def stat(self, path: str) -> FileEntry:
        """Return what is known of what a path leads to."""
        return await self._at(path, lambda files: files.stat(path), lambda other: other.stat(path))

    async def list_dir(self, path: str) -> Sequence[FileEntry]:
        """Return the entries of a directory."""
        return await self._at(
            path, lambda files: files.list_dir(path), lambda other: other.list_dir(path)
        )

    async def make_dir(self, path: str) -> None:
        """Make a directory and its parents."""
        await self._at(
            path,
            lambda files: files.make_dir(path),
            lambda other: other.make_dir(path),
            changes=True,
        )

    async def remove(self, path: str) -> None:
        """Remove a file, or a directory with all that is in it.

        Raises:
            ValueError: It is the working directory, or holds it.
        """
        await self._at(
            path,
            lambda files: files.remove(path),
            lambda other: other.remove(path),
            changes=True,
        )

    async def exists(self, path: str) -> bool:
        """Whether a path leads to anything."""
        return await self._at(
            path, lambda files: files.exists(path), lambda other: other.exists(path)
        )

    async def realpath(self, path: str) -> str:
        """Return a path without links; what does not exist stands for itself.

        Raises:
            SymlinkLoopError: Links lead round in a circle.
        """
        return await self._at(
            path, lambda files: files.realpath(path), lambda other: other.realpath(path)
        )

    async def _at(
        self,
        path: str,
        inside: Callable[[BackendFiles], Result],
        outside: Callable[[PydanticWorkspace], Awaitable[Result]],
        *,
        changes: bool = False,
    ) -> Result:
        """Do something with a path: in the workspace, or else by commands in the container."""

        def run(executor: Executor, files: BackendFiles) -> tuple[Result] | None:
            if not isinstance(executor, ContainerExecutor):
                return (inside(files),)
            executor.synchronise()
            if files.is_outside(path):
                return None
            done = inside(files)
            if changes:
                executor.synchronise()
            return (done,)

        done = await self._do(run)
        if done is None:
            return await outside(PydanticWorkspace(_CommandsOnly(self)))
        return done[0]


class _CommandsOnly:
    """A backend without files of its own: Pydantic AI reaches them by commands."""

    def __init__(self, backend: VshellBackend) -> None:
        self._backend = backend
        self.run = backend.run
        self.working_dir = backend.working_dir

    @property
    def ref(self) -> WorkspaceRef | None:
        return self._backend.ref
