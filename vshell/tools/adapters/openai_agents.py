"""OpenAI's Agents SDK: a workspace behind its shell and apply_patch tools.

    from agents import Agent, ApplyPatchTool, ShellTool
    from vshell.tools.adapters.openai_agents import PatchEditor, run_shell

    shell, patch = run_shell(workspace), PatchEditor(workspace)
    agent = Agent(name="a", tools=[ShellTool(executor=shell), ApplyPatchTool(editor=patch)])

Its sandbox agents are served by `openai_sandbox.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import anyio.to_thread

from vshell.errors import ExistsError, PatchInvalidError, VshellError
from vshell.fs.paths import lexical
from vshell.ops.context import Context
from vshell.ops.entries import mv, rm
from vshell.ops.write import write
from vshell.text.v4a import AddFile, UpdateFile, parse_v4a, updated
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import shown
from vshell.tools.executors import ExecutorChoice, open_executor, to_workspace

with needs_extra("openai-agents", "agents", "openai"):
    from agents import ShellCallOutcome, ShellCommandOutput, ShellCommandRequest, ShellResult
    from agents.editor import ApplyPatchOperation, ApplyPatchResult

__all__ = ["PatchEditor", "run_shell"]

_TIMEOUT_S: Final = 120.0

Result = TypeVar("Result")


class PatchEditor:
    """An `ApplyPatchEditor`: applies the patches of a model to the files of a workspace.

    Args:
        context: The workspace or session.
        root: Where the model sees the workspace: `/workspace` beside a container.
    """

    def __init__(self, context: Context, *, root: str = "/") -> None:
        self._context = context
        self._root = root

    async def create_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Write a new file."""
        return await _told(operation, self._create)

    async def update_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Change a file, and move it where the operation says so."""
        return await _told(operation, self._update)

    async def delete_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Remove a file."""
        return await _told(operation, self._delete)

    def _inside(self, path: str) -> str:
        return lexical(self._context.resolve(to_workspace(self._root, path)))

    def _create(self, operation: ApplyPatchOperation) -> str:
        where = self._inside(operation.path)
        (change,) = _changes(f"*** Add File: file\n{operation.diff or ''}")
        if not isinstance(change, AddFile):
            raise PatchInvalidError("the diff of a new file has lines after plus signs only")
        with self._context.changing("apply_patch"):
            if self._context.files.exists(where, follow=False):
                raise ExistsError(f"file exists: {operation.path}", path=operation.path)
            write(self._context, where, change.content)
        return f"Created {operation.path}"

    def _update(self, operation: ApplyPatchOperation) -> str:
        where = self._inside(operation.path)
        (change,) = _changes(f"*** Update File: file\n{operation.diff or ''}")
        assert isinstance(change, UpdateFile)
        if change.move_to is not None:
            raise PatchInvalidError("a move is said by move_to, and not in the diff")
        with self._context.changing("apply_patch"):
            data, _ = self._context.files.read_with_stat(where)
            before = data.decode("utf-8", "surrogateescape")
            after = updated(before, change.chunks, path=operation.path, dialect="openai")
            write(self._context, where, after.encode("utf-8", "surrogateescape"))
            if operation.move_to is None:
                return f"Updated {operation.path}"
            target = self._inside(operation.move_to)
            if target != where:
                mv(self._context, where, target)
        return f"Updated {operation.path} and moved it to {operation.move_to}"

    def _delete(self, operation: ApplyPatchOperation) -> str:
        rm(self._context, self._inside(operation.path))
        return f"Deleted {operation.path}"


def _changes(body: str) -> list[Any]:
    """Return the one change that a diff makes; its path is not in it, so it can name none."""
    changes = parse_v4a(f"*** Begin Patch\n{body}\n*** End Patch", dialect="openai")
    if len(changes) != 1:
        raise PatchInvalidError("the diff must be of one file")
    return list(changes)


async def _told(
    operation: ApplyPatchOperation, work: Callable[[ApplyPatchOperation], str]
) -> ApplyPatchResult:
    try:
        output = await anyio.to_thread.run_sync(work, operation)
    except VshellError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return ApplyPatchResult(status="failed", output=f"Error: {error}{hint}")
    return ApplyPatchResult(status="completed", output=output)


def run_shell(
    context: Context,
    *,
    executor: ExecutorChoice = "virtual",
    image: str | None = None,
    rules: Any = None,
) -> Callable[[ShellCommandRequest], Coroutine[Any, Any, ShellResult]]:
    """Return a `ShellExecutor` for `ShellTool`; its commands run one after the other.

    Args:
        context: The workspace or session.
        executor: Where commands run: `"virtual"`, or in a `"container"`.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """
    runner = open_executor(context, executor, image=image, rules=rules)

    async def execute(request: ShellCommandRequest) -> ShellResult:
        action = request.data.action
        timeout_s = action.timeout_ms / 1000 if action.timeout_ms else _TIMEOUT_S
        outputs = []
        for line in action.commands:
            ran = await run_command(runner.command(line, timeout_s=timeout_s))
            outcome = ShellCallOutcome(
                type="timeout" if ran.timed_out else "exit",
                exit_code=None if ran.timed_out else ran.exit_code,
            )
            outputs.append(ShellCommandOutput(shown(ran.stdout), shown(ran.stderr), outcome, line))
            if ran.timed_out:
                break
        return ShellResult(outputs, max_output_length=action.max_output_length)

    return execute
