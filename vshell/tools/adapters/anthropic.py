"""Anthropic's SDK: the memory tool and the agent toolset on a workspace, for its tool runners.

    from anthropic import Anthropic
    from vshell.tools.adapters.anthropic import MemoryTool

    runner = Anthropic().beta.messages.tool_runner(tools=[MemoryTool(workspace)], ...)

The texts are those of the SDK's own tools, which work on the files of the host.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar, cast

import anyio.to_thread

from vshell.errors import NotFoundError, VshellError
from vshell.ops.context import Context
from vshell.ops.entries import rm
from vshell.tools import make_profile
from vshell.tools.adapters.agent_files import AgentFiles, FileToolError
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import Ran
from vshell.tools.executors import ExecutorChoice, VirtualExecutor, open_executor
from vshell.tools.profile import Profile
from vshell.tools.profiles.memory import ROOT

with needs_extra("anthropic"):
    from anthropic.lib.tools import (
        BetaAbstractMemoryTool,
        BetaAsyncAbstractMemoryTool,
        BetaAsyncFunctionTool,
        ToolError,
        beta_async_tool,
    )
    from anthropic.types import beta

__all__ = ["AsyncMemoryTool", "MemoryTool", "agent_toolset"]

_OUTPUT_BYTES: Final = 100 * 1024
_TIMEOUT_S: Final = 120.0

Result = TypeVar("Result")


class MemoryTool(BetaAbstractMemoryTool):
    """The memory tool on `/memories` of a workspace.

    Args:
        context: The workspace or session.
        options: What the SDK's own class takes.
    """

    def __init__(self, context: Context, **options: Any) -> None:
        super().__init__(**options)
        self._context = context
        self._tools = make_profile(context, "memory")

    def view(self, command: beta.BetaMemoryTool20250818ViewCommand) -> str:
        """Show a directory or a file."""
        return _remember(self._tools, command)

    def create(self, command: beta.BetaMemoryTool20250818CreateCommand) -> str:
        """Write a new file."""
        return _remember(self._tools, command)

    def str_replace(self, command: beta.BetaMemoryTool20250818StrReplaceCommand) -> str:
        """Replace text in a file."""
        return _remember(self._tools, command)

    def insert(self, command: beta.BetaMemoryTool20250818InsertCommand) -> str:
        """Insert lines into a file."""
        return _remember(self._tools, command)

    def delete(self, command: beta.BetaMemoryTool20250818DeleteCommand) -> str:
        """Remove a file or directory."""
        return _remember(self._tools, command)

    def rename(self, command: beta.BetaMemoryTool20250818RenameCommand) -> str:
        """Move a file or directory."""
        return _remember(self._tools, command)

    def clear_all_memory(self) -> str:
        """Remove all that is remembered."""
        return _forget(self._context)


class AsyncMemoryTool(BetaAsyncAbstractMemoryTool):
    """The same for asynchronous runners.

    Args:
        context: The workspace or session.
        options: What the SDK's own class takes.
    """

    def __init__(self, context: Context, **options: Any) -> None:
        super().__init__(**options)
        self._context = context
        self._tools = make_profile(context, "memory")

    async def view(self, command: beta.BetaMemoryTool20250818ViewCommand) -> str:
        """Show a directory or a file."""
        return await self._do(command)

    async def create(self, command: beta.BetaMemoryTool20250818CreateCommand) -> str:
        """Write a new file."""
        return await self._do(command)

    async def str_replace(self, command: beta.BetaMemoryTool20250818StrReplaceCommand) -> str:
        """Replace text in a file."""
        return await self._do(command)

    async def insert(self, command: beta.BetaMemoryTool20250818InsertCommand) -> str:
        """Insert lines into a file."""
        return await self._do(command)

    async def delete(self, command: beta.BetaMemoryTool20250818DeleteCommand) -> str:
        """Remove a file or directory."""
        return await self._do(command)

    async def rename(self, command: beta.BetaMemoryTool20250818RenameCommand) -> str:
        """Move a file or directory."""
        return await self._do(command)

    async def clear_all_memory(self) -> str:
        """Remove all that is remembered."""
        return await anyio.to_thread.run_sync(_forget, self._context)

    async def _do(self, command: Any) -> str:
        return await anyio.to_thread.run_sync(_remember, self._tools, command)


def _remember(tools: Profile, command: Any) -> str:
    result = tools.run("memory", command.to_dict())
    if result.is_error:
        raise ToolError(result.text)
    return result.text


def _forget(context: Context) -> str:
    with context.changing("memory"):
        try:
            for name in context.files.names(ROOT):
                rm(context, f"{ROOT}/{name}", recursive=True)
        except NotFoundError:
            pass
    return "All memory cleared"


def agent_toolset(
    context: Context,
    *,
    executor: ExecutorChoice = "virtual",
    image: str | None = None,
    rules: Any = None,
) -> list[BetaAsyncFunctionTool[Any]]:
    """Return bash, read, write, edit, glob and grep, as `beta_agent_toolset_20260401` does.

    Args:
        context: The workspace or session; its directory is where relative paths start.
        executor: Where bash runs. In the virtual shell its directory and variables stay from
            call to call, in a `"container"` each call begins anew.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """
    runner = open_executor(context, executor, image=image, rules=rules)
    files = AgentFiles(context, root=runner.root)
    bash = beta_async_tool(
        name="bash", input_schema=beta.BetaManagedAgentsAgentToolset20260401BashInput
    )
    if isinstance(runner, VirtualExecutor):
        shell: Any = partial(_virtual_bash, context, rules)
    else:
        shell = partial(_bash_elsewhere, runner)
    return [bash(cast("Any", asynccontextmanager(shell))), *_file_tools(files)]


def _file_tools(files: AgentFiles) -> list[BetaAsyncFunctionTool[Any]]:
    @beta_async_tool(name="read", input_schema=beta.BetaManagedAgentsAgentToolset20260401ReadInput)
    async def read(file_path: str, view_range: list[int] | None = None) -> Any:
        """Read a file rooted at the working directory."""
        return await _told(lambda: files.read(file_path, view_range))

    @beta_async_tool(
        name="write", input_schema=beta.BetaManagedAgentsAgentToolset20260401WriteInput
    )
    async def write(file_path: str, content: str) -> str:
        """Write a file, creating parent directories as needed."""
        return await _told(lambda: files.write(file_path, content))

    @beta_async_tool(name="edit", input_schema=beta.BetaManagedAgentsAgentToolset20260401EditInput)
    async def edit(
        file_path: str, old_string: str, new_string: str, replace_all: bool | None = None
    ) -> str:
        """Replace text in a file by exact string match."""
        return await _told(
            lambda: files.edit(file_path, old_string, new_string, replace_all=bool(replace_all))
        )

    @beta_async_tool(name="glob", input_schema=beta.BetaManagedAgentsAgentToolset20260401GlobInput)
    async def glob(pattern: str, path: str | None = None) -> str:
        """List files matching a glob pattern, newest first."""
        return await _told(lambda: files.glob(pattern, path))

    @beta_async_tool(name="grep", input_schema=beta.BetaManagedAgentsAgentToolset20260401GrepInput)
    async def grep(pattern: str, path: str | None = None) -> str:
        """Search file contents for a regular expression."""
        return await _told(lambda: files.grep(pattern, path))

    return [read, write, edit, glob, grep]


async def _told(work: Callable[[], Result]) -> Result:
    try:
        return await anyio.to_thread.run_sync(work)
    except FileToolError as error:
        raise ToolError(str(error)) from error


async def _virtual_bash(
    context: Context, rules: Any
) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Run a command in a persistent bash shell."""
    open_shell = partial(context.shell, rules=rules)  # type: ignore[attr-defined]
    shell = open_shell()

    async def bash(
        command: str | None = None, restart: bool | None = None, timeout_ms: int | None = None
    ) -> str:
        nonlocal shell
        if restart:
            shell.close()
            shell = open_shell()
            return "bash session restarted"
        timeout_s = timeout_ms / 1000 if timeout_ms else _TIMEOUT_S
        printed = bytearray()
        work = partial(
            shell.run,
            _required(command),
            timeout_s=timeout_s,
            on_output=lambda _, data: printed.extend(data),
        )
        try:
            result = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except VshellError as error:
            raise ToolError(f"bash: {error}") from error
        except anyio.get_cancelled_exc_class():
            shell.interrupt()
            raise
        ran = Ran(bytes(printed), b"", result.exit_code, timed_out=result.timed_out)
        return _output(ran, timeout_s)

    try:
        yield bash
    finally:
        shell.close()


async def _bash_elsewhere(runner: Any) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Run a command in bash."""

    async def bash(
        command: str | None = None, restart: bool | None = None, timeout_ms: int | None = None
    ) -> str:
        if restart:
            return "bash session restarted"
        timeout_s = timeout_ms / 1000 if timeout_ms else _TIMEOUT_S
        words = ["bash", "-c", f"exec 2>&1\n{_required(command)}"]
        try:
            ran = await run_command(runner.command(words, timeout_s=timeout_s))
        except VshellError as error:
            raise ToolError(f"bash: {error}") from error
        return _output(ran, timeout_s)

    try:
        yield bash
    finally:
        runner.close()


def _required(command: str | None) -> str:
    if not command:
        raise ToolError("bash: command is required")
    return command


def _output(ran: Ran, timeout_s: float) -> str:
    if ran.timed_out:
        raise ToolError(f"bash: bash command timed out after {timeout_s}s")
    text = ran.stdout[-_OUTPUT_BYTES:].decode("utf-8", "replace").rstrip("\n")
    if len(ran.stdout) > _OUTPUT_BYTES:
        text = f"[output truncated]\n{text}"
    if ran.exit_code:
        raise ToolError(text)
    return text
