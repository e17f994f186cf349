"""Google's ADK: a workspace as the environment of its `EnvironmentToolset`.

from google.adk.tools.environment import EnvironmentToolset
from vshell.tools.adapters.google_adk import VshellEnvironment

toolset = EnvironmentToolset(environment=VshellEnvironment("agent.db"))
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread

from vshell.fs.paths import PathLike
from vshell.ops.context import Context
from vshell.ops.entries import mkdir
from vshell.ops.write import write
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import shown
from vshell.tools.executors import (
    ExecutorChoice,
    from_workspace,
    open_executor,
    opened,
    to_workspace,
)

with needs_extra("google-adk", "google"):
    from google.adk.environment import BaseEnvironment, ExecutionResult

__all__ = ["VshellEnvironment"]


class VshellEnvironment(BaseEnvironment):  # type: ignore[misc]
    """An environment in a workspace.

    Args:
        workspace: A workspace or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        executor: Where commands run: `"virtual"`, or in a `"container"`, where the workspace
            is at `/workspace`.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.
        env_vars: Variables of the commands.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """

    def __init__(
        self,
        workspace: Context | PathLike,
        *,
        session: str = "google-adk",
        executor: ExecutorChoice = "virtual",
        image: str | None = None,
        rules: Any = None,
        env_vars: Mapping[str, str] | None = None,
    ) -> None:
        self._context, self._owns = opened(workspace, session)
        self._executor = open_executor(self._context, executor, image=image, rules=rules)
        self._variables = dict(env_vars or {})

    @property
    def working_dir(self) -> Path:
        """Where commands run."""
        return Path(from_workspace(self._executor.root, self._context.cwd))

    async def initialize(self) -> None:
        """Make the working directory."""
        await anyio.to_thread.run_sync(
            lambda: mkdir(self._context, self._context.cwd, parents=True, exist_ok=True)
        )
        self._is_initialized = True

    async def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        if self._is_initialized:
            await anyio.to_thread.run_sync(self._close)
        self._is_initialized = False

    def _close(self) -> None:
        self._executor.close()
        if self._owns:
            self._context.files.close()

    async def execute(self, command: str, *, timeout: float | None = None) -> ExecutionResult:
        """Run a command line."""
        ran = await run_command(
            self._executor.command(command, environment=self._variables, timeout_s=timeout)
        )
        return ExecutionResult(
            exit_code=ran.exit_code,
            stdout=shown(ran.stdout),
            stderr=shown(ran.stderr),
            timed_out=ran.timed_out,
        )

    async def read_file(self, path: Path | str) -> bytes:
        """Return the bytes of a file."""
        where = self._inside(path)
        return await anyio.to_thread.run_sync(lambda: self._context.files.read_with_stat(where)[0])

    async def write_file(self, path: Path | str, content: str | bytes) -> None:
        """Give a file this content; its parents are made."""
        where = self._inside(path)
        await anyio.to_thread.run_sync(lambda: write(self._context, where, content))

    def _inside(self, path: Path | str) -> str:
        return self._context.resolve(to_workspace(self._executor.root, str(path)))
