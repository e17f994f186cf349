"""Running our commands for the engine: words, streams, files, and who they act for."""

from __future__ import annotations

import io
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from greenlet import getcurrent

from vshell.ops.context import Context
from vshell.shell import commands
from vshell.shell.command import BROKEN_PIPE, Command, Executed, Invocation, Parsed
from vshell.shell.options import invoke
from vshell.shell.shell_files import ShellFiles
from vshell.shell.streams import Direct, Pipe, Sink, drive, wait
from vshell.shell.words import from_engine, to_engine

Elsewhere = Callable[
    [Sequence[str], bytes, Mapping[str, str], str], Awaitable[tuple[int, bytes, bytes]]
]


@dataclass
class _Streams:
    stdin: Any
    stdout: Any
    stderr: Any


class Dispatcher:
    """Runs commands by name.

    Args:
        files: The files.
        context: Returns a context for a working directory and variables.
        services: See `Invocation.services`.
        allowed: Raises `PermissionError` when rules forbid to run words.
    """

    INPUT: ClassVar = "__vshell_input"
    """The name of a command that only we run: it prints what is held under a number."""

    def __init__(
        self,
        files: ShellFiles,
        context: Callable[[str, Mapping[str, str]], Context],
        services: Mapping[str, Any],
        allowed: Callable[[Sequence[str]], str | None],
    ) -> None:
        self._files = files
        self._context = context
        self._services = dict(services)
        self._allowed = allowed
        self._inputs: dict[str, bytes] = {}
        self._running: dict[int, _Streams] = {}
        self._engine_files: Any = None
        self.depth = 0
        self.is_plain = False
        self.run_elsewhere: Elsewhere | None = None
        files.streams = self._streams
        files.substitute = self._substitute

    def names(self) -> list[str]:
        """Return what can be called."""
        return [*commands.names(), self.INPUT]

    def has(self, name: str) -> bool:
        """Tell whether a name is one of ours."""
        return commands.find(name) is not None

    def run_plainly(
        self,
        words: Sequence[str],
        stdin: bytes,
        *,
        environment: Mapping[str, str],
        cwd: str,
        on_output: Callable[[str, bytes], None],
        loop: AbstractEventLoop,
    ) -> int:
        """Run one command without the engine; return its exit code.

        The loop is only for what the command runs that is not ours (`xargs bash -c ...`).
        """
        call = Invocation(
            name=words[0],
            context=self._context(cwd, environment),
            parsed=Parsed((), tuple(words[1:])),
            environment={name: from_engine(value) for name, value in environment.items()},
            stdin=io.BytesIO(stdin),
            stdout=Direct("stdout", on_output),
            stderr=Direct("stderr", on_output),
            execute=lambda again, data: self._execute(call, again, data),
            services=self._services,
        )
        self.is_plain = True
        try:
            exit_code = loop.run_until_complete(drive(lambda: self._invoke(call)))
            call.stdout.flush()  # type: ignore[attr-defined]
        except BrokenPipeError:
            return BROKEN_PIPE
        finally:
            self.is_plain = False
        return exit_code

    def hold_input(self, data: bytes) -> str:
        """Keep bytes for `INPUT`; return the number that stands for them."""
        token = str(len(self._inputs))
        self._inputs[token] = data
        return token

    def _streams(self) -> _Streams | None:
        return self._running.get(id(getcurrent()))

    def _substitute(self, path: str) -> bytes | None:
        """Return what a process substitution holds: `/dev/fd/63`."""
        if self._engine_files is None:
            return None
        try:
            return bytes(self._engine_files.read_file(path))
        except (OSError, RuntimeError):
            return None

    # Called by the engine.

    async def call(self, asked: Any) -> int:
        """Run the command that the engine asks for."""
        if asked.name == self.INPUT:
            await asked.stdout.write(self._inputs.pop(asked.argv[0], b""))
            return 0
        self._engine_files = asked.fs
        return await drive(lambda: self._run(asked))

    def _run(self, asked: Any) -> int:
        stdout = Sink(asked.stdout.write, self._may_wait)
        stderr = Sink(asked.stderr.write, self._may_wait)

        def say() -> None:
            stdout.flush()
            stderr.flush()

        call = Invocation(
            name=asked.name,
            context=self._context(from_engine(asked.cwd), asked.env),
            parsed=Parsed((), tuple(map(from_engine, asked.argv))),
            environment={name: from_engine(value) for name, value in asked.env.items()},
            stdin=Pipe(asked.stdin.read_chunk, say),
            stdout=stdout,
            stderr=stderr,
            execute=lambda words, data: self._execute(call, words, data),
            services=self._services,
        )
        try:
            exit_code = self._invoke(call)
            say()
        except BrokenPipeError:
            return BROKEN_PIPE
        return exit_code

    def _may_wait(self) -> bool:
        return self._files.store.depth <= self.depth

    def _invoke(self, call: Invocation) -> int:
        refusal = self._allowed((call.name, *call.operands))
        if refusal is not None:
            call.stderr.write(f"bash: {call.name}: {refusal}\n".encode("utf-8", "surrogateescape"))
            return 126
        command = commands.find(call.name)
        assert isinstance(command, Command), call.name
        key = id(getcurrent())
        outer = self._running.get(key)
        self._running[key] = _Streams(call.stdin, call.stdout, call.stderr)
        try:
            return invoke(command, call)
        finally:
            if outer is None:
                del self._running[key]
            else:
                self._running[key] = outer

    def _execute(self, call: Invocation, words: Sequence[str], stdin: bytes) -> Executed:
        if not words:
            return Executed(0)
        name = self._plain_name(words[0])
        if commands.find(name) is None:
            assert self.run_elsewhere is not None
            environment = {key: to_engine(value) for key, value in call.environment.items()}
            waited = self.run_elsewhere(words, stdin, environment, call.context.cwd)
            return Executed(*wait(waited))
        stdout, stderr = io.BytesIO(), io.BytesIO()
        inner = Invocation(
            name=name,
            context=call.context,
            parsed=Parsed((), tuple(words[1:])),
            environment=call.environment,
            stdin=io.BytesIO(stdin),
            stdout=stdout,
            stderr=stderr,
            execute=lambda again, data: self._execute(inner, again, data),
            services=self._services,
        )
        exit_code = self._invoke(inner)
        return Executed(exit_code, stdout.getvalue(), stderr.getvalue())

    def _plain_name(self, word: str) -> str:
        return self._files.program_at(word) or word
