"""Google's ADK: a workspace as the environment of its tools, and as what runs an agent's code.

from google.adk.agents import LlmAgent
from google.adk.tools.environment import EnvironmentToolset
from vshell.tools.adapters.google_adk import VshellCodeExecutor, VshellEnvironment

toolset = EnvironmentToolset(environment=VshellEnvironment("agent.db"))
agent = LlmAgent(name="coder", code_executor=VshellCodeExecutor("agent.db"))
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import anyio.to_thread

from vshell.fs.paths import PathLike
from vshell.ops.context import Context
from vshell.ops.entries import mkdir
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import Ran, shown
from vshell.tools.executors import (
    ExecutorChoice,
)
from vshell.tools.workplace import Workplace

with needs_extra("google-adk", "google"):
    from google.adk.agents.invocation_context import InvocationContext
    from google.adk.code_executors.base_code_executor import BaseCodeExecutor
    from google.adk.code_executors.code_execution_utils import (
        CodeExecutionInput,
        CodeExecutionResult,
        File,
    )
    from google.adk.environment import BaseEnvironment, ExecutionResult
    from pydantic import PrivateAttr

__all__ = ["VshellCodeExecutor", "VshellEnvironment"]

_TIMEOUT_S: Final = 300
"""What ADK's own executors allow."""


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
        self._place = Workplace(
            workspace, session=session, executor=executor, image=image, rules=rules
        )
        self._variables = dict(env_vars or {})

    @property
    def working_dir(self) -> Path:
        """Where commands run."""
        return Path(self._place.cwd)

    async def initialize(self) -> None:
        """Make the working directory."""
        await anyio.to_thread.run_sync(
            lambda: mkdir(self._place.context, self._place.context.cwd, parents=True, exist_ok=True)
        )
        self._is_initialized = True

    async def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        if self._is_initialized:
            await anyio.to_thread.run_sync(self._place.close)
        self._is_initialized = False

    async def execute(self, command: str, *, timeout: float | None = None) -> ExecutionResult:
        """Run a command line."""
        ran = await run_command(
            self._place.executor.command(command, environment=self._variables, timeout_s=timeout)
        )
        return ExecutionResult(
            exit_code=ran.exit_code,
            stdout=shown(ran.stdout),
            stderr=shown(ran.stderr),
            timed_out=ran.timed_out,
        )

    async def read_file(self, path: Path | str) -> bytes:
        """Return the bytes of a file."""
        return await anyio.to_thread.run_sync(self._place.read, str(path))

    async def write_file(self, path: Path | str, content: str | bytes) -> None:
        """Give a file this content; its parents are made."""
        await anyio.to_thread.run_sync(self._place.write, str(path), content)


class VshellCodeExecutor(BaseCodeExecutor):  # type: ignore[misc]
    """Runs the Python in a model's answers with the workspace's files.

    Each piece is a program of its own, which starts in the session's directory. What it writes
    stays in the workspace, and files that come with it are put there before.

    Args:
        workspace: A workspace or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        executor: Where it runs: `"virtual"`, in the shell's own sandbox for Python, or in a
            `"container"`, whose image must have `python3`.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.
        settings: Those of `BaseCodeExecutor`, but for `stateful`.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
        ValueError: `stateful` is asked for.
    """

    timeout_seconds: int | None = _TIMEOUT_S
    _place: Workplace = PrivateAttr()

    def __init__(
        self,
        workspace: Context | PathLike,
        *,
        session: str = "google-adk",
        executor: ExecutorChoice = "virtual",
        image: str | None = None,
        rules: Any = None,
        **settings: Any,
    ) -> None:
        if settings.get("stateful"):
            raise ValueError("each program starts afresh: only its files stay")
        super().__init__(**settings)
        self._place = Workplace(
            workspace, session=session, executor=executor, image=image, rules=rules
        )

    def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        self._place.close()

    def execute_code(
        self, invocation_context: InvocationContext, code_execution_input: CodeExecutionInput
    ) -> CodeExecutionResult:
        """Run a program.

        Raises:
            UnavailableError: There is no shell or no container here.
        """
        if code_execution_input.input_files:
            with self._place.context.changing("input files"):
                for file in code_execution_input.input_files:
                    self._place.write(file.name, _content(file))
        ran = self._place.executor.command(
            ["python3", "-"],
            stdin=code_execution_input.code.encode(),
            timeout_s=self.timeout_seconds,
        ).run()
        return CodeExecutionResult(
            stdout=shown(ran.stdout), stderr=self._complaint(ran), exit_code=ran.exit_code
        )

    def _complaint(self, ran: Ran) -> str:
        """Return why a program failed; ADK takes every complaint for a failure."""
        told = shown(ran.stderr)
        if ran.timed_out:
            note = f"Code execution timed out after {self.timeout_seconds} seconds."
            return f"{told}\n{note}" if told else note
        if not ran.exit_code:
            return ""
        return told or f"Code execution exited with status {ran.exit_code}."


def _content(file: File) -> bytes:
    """Return a file's bytes, which ADK passes as they are or in base64."""
    data = file.content.encode() if isinstance(file.content, str) else file.content
    try:
        return b64decode(data, validate=True)
    except Base64Error:
        return bytes(data)
