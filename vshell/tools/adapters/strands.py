"""Strands Agents: a workspace as the sandbox of an agent.

from strands import Agent
from vshell.tools.adapters.strands import VshellSandbox

agent = Agent(sandbox=VshellSandbox("agent.db"))
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncGenerator
from typing import Any

import anyio.to_thread

from vshell.errors import NotDirectoryError, NotFoundError
from vshell.fs.paths import PathLike
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.ls import ls
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import Ran, shown
from vshell.tools.executors import (
    Command,
    ExecutorChoice,
    OnOutput,
    Words,
)
from vshell.tools.workplace import Workplace

with needs_extra("strands"):
    from strands.sandbox.base import Sandbox
    from strands.sandbox.constants import LANGUAGE_PATTERN
    from strands.sandbox.errors import SandboxPathNotFoundError, SandboxTimeoutError
    from strands.sandbox.posix_shell import validate_env_keys
    from strands.sandbox.types import ExecutionResult, FileInfo, StreamChunk

__all__ = ["VshellSandbox"]


class VshellSandbox(Sandbox):  # type: ignore[misc]
    """A sandbox in a workspace.

    Args:
        workspace: A workspace or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        executor: Where commands run: `"virtual"`, or in a `"container"`, where the workspace
            is at `/workspace`.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """

    def __init__(
        self,
        workspace: Context | PathLike,
        *,
        session: str = "strands",
        executor: ExecutorChoice = "virtual",
        image: str | None = None,
        rules: Any = None,
    ) -> None:
        self._place = Workplace(
            workspace, session=session, executor=executor, image=image, rules=rules
        )

    def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        self._place.close()

    # Commands.

    async def execute_streaming(
        self,
        command: str,
        *,
        timeout: float | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[StreamChunk | ExecutionResult, None]:
        """Run a command line; yield what it prints, and in the end what it came to.

        Raises:
            ValueError: A variable's name is none.
            SandboxTimeoutError: Its time was over.
        """
        async for chunk in self._stream(command, timeout, cwd, env):
            yield chunk

    async def execute_code_streaming(
        self,
        code: str,
        language: str,
        *,
        timeout: float | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[StreamChunk | ExecutionResult, None]:
        """Give code to an interpreter; yield what it prints, and in the end what it came to.

        Raises:
            ValueError: The interpreter's or a variable's name is none.
            SandboxTimeoutError: Its time was over.
        """
        if not LANGUAGE_PATTERN.fullmatch(language):
            raise ValueError(f"language parameter contains invalid characters: {language}")
        async for chunk in self._stream([language], timeout, cwd, env, code.encode()):
            yield chunk

    async def _stream(
        self,
        words: Words,
        timeout: float | None,
        cwd: str | None,
        env: dict[str, str] | None,
        stdin: bytes = b"",
    ) -> AsyncGenerator[StreamChunk | ExecutionResult, None]:
        validate_env_keys(env or {})
        loop = asyncio.get_running_loop()
        printed: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()

        def take(stream: str, data: bytes) -> None:
            loop.call_soon_threadsafe(printed.put_nowait, (stream, data))

        command = self._command(words, timeout, cwd, env, stdin, take)
        running = asyncio.ensure_future(run_command(command))
        running.add_done_callback(lambda _: printed.put_nowait(None))
        decoders = {
            name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")
        }
        try:
            while (found := await printed.get()) is not None:
                stream, data = found
                if text := decoders[stream].decode(data):
                    yield StreamChunk(data=text, stream_type=stream)
            for stream, decoder in decoders.items():
                if text := decoder.decode(b"", final=True):
                    yield StreamChunk(data=text, stream_type=stream)
            yield _result(running.result(), timeout)
        finally:
            if not running.done():
                running.cancel()

    def _command(
        self,
        words: Words,
        timeout: float | None,
        cwd: str | None,
        env: dict[str, str] | None,
        stdin: bytes,
        on_output: OnOutput,
    ) -> Command:
        return self._place.executor.command(
            words, cwd=cwd, environment=env, timeout_s=timeout, stdin=stdin, on_output=on_output
        )

    # Files.

    async def read_file(self, path: str, **kwargs: Any) -> bytes:
        """Return the bytes of a file."""
        return await anyio.to_thread.run_sync(self._place.read, path)

    async def write_file(self, path: str, content: bytes, **kwargs: Any) -> None:
        """Give a file this content; its parents are made."""
        await anyio.to_thread.run_sync(self._place.write, path, content)

    async def remove_file(self, path: str, **kwargs: Any) -> None:
        """Remove a file."""

        def work() -> None:
            with self._place.context.changing("rm"):
                self._place.context.files.unlink(self._place.inside(path))

        await anyio.to_thread.run_sync(work)

    async def list_files(self, path: str, **kwargs: Any) -> list[FileInfo]:
        """List a directory.

        Raises:
            SandboxPathNotFoundError: It is none, or does not exist.
        """
        try:
            found = await anyio.to_thread.run_sync(
                lambda: ls(self._place.context, self._place.inside(path), limit=WALK_ENTRIES)
            )
        except (NotFoundError, NotDirectoryError) as error:
            raise SandboxPathNotFoundError(path) from error
        return [
            FileInfo(name=entry.name, is_dir=entry.kind == "directory", size=entry.size)
            for entry in found.entries
        ]


def _result(ran: Ran, timeout: float | None) -> ExecutionResult:
    stdout, stderr = shown(ran.stdout), shown(ran.stderr)
    if ran.timed_out:
        raise SandboxTimeoutError(timeout, stdout, stderr)
    return ExecutionResult(exit_code=ran.exit_code, stdout=stdout, stderr=stderr)
