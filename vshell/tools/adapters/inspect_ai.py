"""Inspect: a sandbox for evaluations in which each sample has a workspace of its own.

    Task(dataset=..., solver=..., sandbox="vshell")
    Task(..., sandbox=SandboxEnvironmentSpec("vshell", VshellConfig(template="start.db")))

Inspect finds it by its entry point. Commands run in the workspace's own shell, or in a
container with the workspace at `/workspace`, where files outside of it are the container's.
"""

from __future__ import annotations

import shlex
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import anyio.to_thread

from vshell.errors import InvalidPathError, UnavailableError
from vshell.ops.write import write
from vshell.session import Session
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import shown
from vshell.tools.container_files import ContainerFiles
from vshell.tools.executors import Executor, open_executor, to_workspace
from vshell.tools.file_modes import OWNER_READS, OWNER_WRITES, require_mode
from vshell.workspace import Workspace

with needs_extra("inspect-ai"):
    from inspect_ai.util import (
        ExecResult,
        OutputLimitExceededError,
        SandboxConnection,
        SandboxEnvironment,
        SandboxEnvironmentLimits,
        SandboxUserUnsupportedError,
        sandboxenv,
    )
    from inspect_ai.util._sandbox.environment import SandboxUnavailableError
    from pydantic import BaseModel

__all__ = ["VshellConfig", "VshellSandboxEnvironment"]

_NOT_EXECUTABLE: Final = 126

Result = TypeVar("Result")


class VshellConfig(BaseModel, frozen=True):
    """What the samples of a task start from, and what becomes of them.

    Attributes:
        executor: `"virtual"` or `"container"`.
        image: The container's image.
        template: A workspace's file on the host that each sample starts with a copy of.
        keep: A directory of the host in which the workspace of each sample stays; without
            one they are gone when the sample ends.
        rules: What the virtual shell may run, as `Session.shell` takes it.
    """

    executor: Literal["virtual", "container"] = "virtual"
    image: str | None = None
    template: str | None = None
    keep: str | None = None
    rules: dict[str, Any] | None = None


@sandboxenv(name="vshell")
class VshellSandboxEnvironment(SandboxEnvironment):  # type: ignore[misc]
    """The workspace of one sample.

    Args:
        workspace: It; it is closed with the environment.
        executor: Where commands run; None for the workspace's own shell.
        path: Where on the host it is, if it stays.
    """

    def __init__(
        self, workspace: Workspace, *, executor: Executor | None = None, path: Path | None = None
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session("inspect")
        self._executor = executor or open_executor(self._session)
        self._path = path
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    # What Inspect calls.

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> VshellConfig:
        """Return a configuration from a log."""
        return VshellConfig(**config)

    @classmethod
    async def sample_init(
        cls, task_name: str, config: BaseModel | str | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        """Make the workspace of a sample; text as configuration is the template's file."""
        wanted = VshellConfig(template=config) if isinstance(config, str) else config
        assert wanted is None or isinstance(wanted, VshellConfig)
        made = await anyio.to_thread.run_sync(
            lambda: cls._make(task_name, wanted or VshellConfig())
        )
        return {"default": made}

    @classmethod
    def _make(cls, task_name: str, config: VshellConfig) -> VshellSandboxEnvironment:
        scratch = None
        if config.keep is None:
            scratch = tempfile.TemporaryDirectory(prefix="vshell-")
        path = _file_for(task_name, config.keep or str(scratch and scratch.name))
        workspace = _copy(config.template, path)
        executor = open_executor(
            workspace.session("inspect"), config.executor, image=config.image, rules=config.rules
        )
        made = cls(workspace, executor=executor, path=None if scratch else path)
        made._scratch = scratch
        return made

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: BaseModel | str | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Close the workspaces of a sample; what is kept nowhere is gone."""
        for each in environments.values():
            await anyio.to_thread.run_sync(each.as_type(cls).close)

    def close(self) -> None:
        """Close the workspace."""
        self._executor.close()
        self._workspace.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    async def connection(self, *, user: str | None = None) -> SandboxConnection:
        """Return the command that opens the workspace, if it stays.

        Raises:
            NotImplementedError: It is kept nowhere.
        """
        if self._path is None:
            raise NotImplementedError("the workspace is kept nowhere; see VshellConfig.keep")
        return SandboxConnection(
            type="vshell", command=shlex.join(["vshell", "-w", str(self._path)])
        )

    # Commands.

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run a command; see `SandboxEnvironment.exec`.

        Raises:
            OutputLimitExceededError: It printed more than Inspect allows.
            PermissionError: The program may not be executed.
            SandboxUnavailableError: There is no shell or no container.
            SandboxUserUnsupportedError: It asks for a user: there is only one.
            TimeoutError: Its time was over.
        """
        if user is not None:
            raise SandboxUserUnsupportedError(f"vshell has one user, and cannot be {user!r}")
        data = input.encode() if isinstance(input, str) else input or b""
        command = self._executor.command(
            cmd, cwd=cwd, environment=env, timeout_s=timeout, stdin=data
        )
        try:
            ran = await run_command(command)
        except UnavailableError as error:
            raise SandboxUnavailableError(str(error)) from error
        if ran.timed_out:
            raise TimeoutError(f"the command took longer than {timeout} s: {shlex.join(cmd)[:200]}")
        stderr = shown(ran.stderr)
        if ran.exit_code == _NOT_EXECUTABLE and "permission denied" in stderr.lower():
            raise PermissionError(stderr.strip())
        most = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
        if ran.truncated or max(len(ran.stdout), len(ran.stderr)) > most:
            raise OutputLimitExceededError(
                SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE_STR, shown(ran.stdout[:most])
            )
        return ExecResult(not ran.exit_code, ran.exit_code, shown(ran.stdout), stderr)

    # Files.

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file, with its parents.

        Raises:
            IsADirectoryError: A directory is there.
            PermissionError: The file's mode forbids it.
        """
        data = contents.encode() if isinstance(contents, str) else contents

        def work(session: Session, path: str) -> None:
            require_mode(session.files, session.resolve(path), OWNER_WRITES, told=file)
            write(session, path, data)

        await self._do(file, work, lambda files: files.write(file, data))

    async def read_file(self, file: str, text: bool = True) -> Any:
        """Return a file, as text or bytes.

        Raises:
            FileNotFoundError: There is none.
            IsADirectoryError: It is a directory.
            OutputLimitExceededError: It is larger than Inspect allows.
            PermissionError: The file's mode forbids it.
            UnicodeDecodeError: It is no text.
        """
        most = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE

        def work(session: Session, path: str) -> bytes:
            require_mode(session.files, session.resolve(path), OWNER_READS, told=file)
            if session.stat(path).size > most:
                raise OutputLimitExceededError(
                    SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None
                )
            return session.read_bytes(path)

        def outside(files: ContainerFiles) -> bytes:
            if files.size(file) > most:
                raise OutputLimitExceededError(
                    SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None
                )
            return files.read(file)

        data = await self._do(file, work, outside)
        return data.decode() if text else data

    async def _do(
        self,
        file: str,
        inside: Callable[[Session, str], Result],
        outside: Callable[[ContainerFiles], Result],
    ) -> Result:
        """Do something with a file: in the workspace, or else in the container."""

        def run() -> Result:
            if "\0" in file or not file:
                raise InvalidPathError(f"no path: {file!r}", path=file)
            executor = self._executor
            if executor.root == "/":
                return inside(self._session, file)
            try:
                path = to_workspace(executor.root, file)
            except InvalidPathError:
                return outside(ContainerFiles(executor))
            return inside(self._session, path)

        return await anyio.to_thread.run_sync(run)


def _file_for(task_name: str, directory: str) -> Path:
    """Return where on the host a sample's workspace is kept."""
    name = "".join(each if each.isalnum() or each in "-_." else "-" for each in task_name)
    Path(directory).mkdir(parents=True, exist_ok=True)
    return Path(directory, f"{name}-{uuid.uuid4().hex}.db")


def _copy(template: str | None, path: Path) -> Workspace:
    if template is None:
        return Workspace.open(path)
    with Workspace.open(template, create=False) as source:
        return source.fork(path)
