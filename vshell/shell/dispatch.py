"""Running our commands for the engine: words, streams, files, and who they act for."""

from __future__ import annotations

import io
import re
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from greenlet import getcurrent

from vshell.ops.context import Context
from vshell.shell import commands
from vshell.shell.command import BROKEN_PIPE, Command, Executed, Invocation, Parsed
from vshell.shell.held_input import HOLD
from vshell.shell.native import LANGUAGE, WITHOUT
from vshell.shell.options import invoke
from vshell.shell.rewriting import HISTORY, KNOWN, UMASK
from vshell.shell.rules import Judge, UnansweredError
from vshell.shell.shell_files import ShellFiles
from vshell.shell.streams import Direct, Pipe, Sinks, drive, drive_alone, wait
from vshell.shell.words import from_engine, to_engine

Elsewhere = Callable[
    [Sequence[str], bytes, Mapping[str, str], str], Awaitable[tuple[int, bytes, bytes]]
]

REFUSED: Final = 126
"""The exit code of a command that the rules do not allow."""


def _refused(name: str, why: str) -> bytes:
    return f"bash: {name}: {why}\n".encode("utf-8", "surrogateescape")


@dataclass
class _Streams:
    stdin: Any
    stdout: Any
    stderr: Any
    commits: int | None = None
    """How many transactions had been committed then; None inside one."""

    @property
    def untouched(self) -> bool:
        """Whether nothing was read, and nothing written that cannot be taken back."""
        return not any(map(_is_touched, (self.stdin, self.stdout, self.stderr)))

    def take_back(self) -> None:
        """Forget what was written, and read again what was read."""
        if isinstance(self.stdin, io.BytesIO):
            self.stdin.seek(0)
        else:
            self.stdin.rewind()
        for stream in (self.stdout, self.stderr):
            if isinstance(stream, io.BytesIO):
                stream.seek(0)
                stream.truncate()
            else:
                stream.take()


def _is_touched(stream: Any) -> bool:
    return not isinstance(stream, io.BytesIO) and bool(stream.touched)


class Dispatcher:
    """Runs commands by name.

    Args:
        files: The files.
        context: Returns a context for a working directory and variables.
        services: See `Invocation.services`.
        judge: Says what may run.
    """

    INPUT: ClassVar = "__vshell_input"
    """The name of a command that only we run: it prints what is held under a number."""

    OWN: ClassVar = frozenset({INPUT, UMASK, KNOWN, HOLD, HISTORY})
    """The commands that only we run."""

    def __init__(
        self,
        files: ShellFiles,
        context: Callable[[str, Mapping[str, str]], Context],
        services: Mapping[str, Any],
        judge: Judge,
    ) -> None:
        self._files = files
        self._context = context
        self._services = dict(services)
        self.judge = judge
        self.trace: list[tuple[str, ...]] | None = None
        self._inputs: dict[str, bytes] = {}
        self.held: dict[str, bytes] = {}
        self._running: dict[int, _Streams] = {}
        self._engine_files: dict[int, Any] = {}
        self.depth = 0
        self.is_plain = False
        self.run_elsewhere: Elsewhere | None = None
        files.streams = self._streams
        files.substitute = self._substitute
        files.provide = self._provide

    def names(self) -> list[str]:
        """Return what can be called."""
        return [*commands.names(), *self.OWN]

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
    ) -> tuple[int, bytes]:
        """Run one command without the engine; return its exit code, and what it printed last.

        The loop is only for what the command runs that is not ours (`xargs bash -c ...`).
        """
        stdout = Direct("stdout", on_output)
        call = Invocation(
            name=words[0],
            context=self._context(cwd, environment),
            parsed=Parsed((), tuple(words[1:])),
            environment={name: from_engine(value) for name, value in environment.items()},
            stdin=io.BytesIO(stdin),
            stdout=stdout,
            stderr=Direct("stderr", on_output),
            execute=lambda again, data: self._execute(call, again, data),
            services=self._services,
        )
        self.is_plain = True
        try:
            exit_code = drive_alone(lambda: self._invoke(call), loop)
        except BrokenPipeError:
            return BROKEN_PIPE, b""
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - as the engine does: a mistake ends the command
            call.complain(f"{type(error).__name__}: {error}")
            exit_code = 1
        finally:
            self.is_plain = False
        return exit_code, stdout.take()

    def hold_input(self, data: bytes) -> str:
        """Keep bytes for `INPUT`; return the number that stands for them."""
        token = str(len(self._inputs))
        self._inputs[token] = data
        return token

    def _streams(self) -> _Streams | None:
        return self._running.get(id(getcurrent()))

    def _substitute(self, path: str) -> bytes | None:
        """Return what a process substitution holds: `/dev/fd/63`."""
        files = self._engine_files.get(id(getcurrent()))
        if files is None:
            return None
        try:
            return bytes(files.read_file(path))
        except (OSError, RuntimeError):
            return None

    def _provide(self, path: str, data: bytes) -> bool:
        """Give bytes to a process substitution that reads them; tell whether there is one."""
        if self._substitute(path) is None:
            return False
        self._engine_files[id(getcurrent())].write_file(path, data)
        return True

    def take_umask(self, text: str) -> None:
        """Note what `umask` prints."""
        if re.fullmatch("[0-7]{1,4}", text):
            self._files.umask = int(text, 8) & 0o777

    # Called by the engine.

    async def call(self, asked: Any) -> int:
        """Run the command that the engine asks for."""
        if asked.name == self.INPUT:
            await asked.stdout.write(self._inputs.pop("".join(asked.argv), b""))
            return 0
        if asked.name == UMASK:
            self.take_umask("".join(asked.argv))
            return 0
        if asked.name == HOLD:
            pieces = []
            while piece := await asked.stdin.read_chunk():
                pieces.append(bytes(piece))
            self.held["".join(asked.argv)] = b"".join(pieces)
            return 0
        if asked.name == KNOWN:
            return int(any(each in WITHOUT and not self.has(each) for each in asked.argv))
        return await drive(lambda: self._run(asked))

    async def call_native(self, asked: Any) -> int:
        """Run a command of the engine's own that rules may forbid."""
        words = tuple(map(from_engine, (asked.name, *asked.argv)))
        if self.trace is not None:
            self.trace.append(words)
        refusal = self.judge.refusal(words, native=asked.name in LANGUAGE)
        if refusal is not None:
            await asked.stderr.write(_refused(asked.name, refusal))
            return REFUSED
        assert self.run_elsewhere is not None
        pieces = []
        while piece := await asked.stdin.read_chunk():
            pieces.append(piece)
        cwd = from_engine(asked.cwd)
        code, stdout, stderr = await self.run_elsewhere(words, b"".join(pieces), asked.env, cwd)
        if stdout:
            await asked.stdout.write(stdout)
        if stderr:
            await asked.stderr.write(stderr)
        return code

    async def call_missing(self, asked: Any) -> int:
        """Say that a command of the engine's own is not there."""
        await asked.stderr.write(f"bash: {asked.name}: command not found\n".encode())
        return 127

    def _run(self, asked: Any) -> int:
        self._engine_files[id(getcurrent())] = asked.fs
        try:
            return self._run_asked(asked)
        finally:
            del self._engine_files[id(getcurrent())]

    def _run_asked(self, asked: Any) -> int:
        sinks = Sinks(asked.stdout.write, asked.stderr.write, self._may_wait)
        call = Invocation(
            name="history" if asked.name == HISTORY else asked.name,
            context=self._context(from_engine(asked.cwd), asked.env),
            parsed=Parsed((), tuple(map(from_engine, asked.argv))),
            environment={name: from_engine(value) for name, value in asked.env.items()},
            stdin=Pipe(asked.stdin.read_chunk, sinks.flush),
            stdout=sinks.stdout,
            stderr=sinks.stderr,
            execute=lambda words, data: self._execute(call, words, data),
            services=self._services,
        )
        try:
            exit_code = self._invoke(call)
            sinks.flush()
        except BrokenPipeError:
            return BROKEN_PIPE
        return exit_code

    def _may_wait(self) -> bool:
        return self._files.store.depth <= self.depth

    def _invoke(self, call: Invocation) -> int:
        words = (call.name, *call.operands)
        if self.trace is not None:
            self.trace.append(words)
        refusal = self.judge.refusal(words)
        if refusal is not None:
            call.stderr.write(_refused(call.name, refusal))
            return REFUSED
        command = commands.find(call.name)
        assert isinstance(command, Command), call.name
        key = id(getcurrent())
        outer = self._running.get(key)
        store = self._files.store
        commits = None if store.depth else store.commits
        self._running[key] = streams = _Streams(call.stdin, call.stdout, call.stderr, commits)
        try:
            return self._invoke_answered(command, call, streams)
        finally:
            if outer is None:
                del self._running[key]
            else:
                self._running[key] = outer

    def _invoke_answered(self, command: Command, call: Invocation, streams: _Streams) -> int:
        """Run a command, again from its start for each answer that it needs.

        An answer takes its time, and a transaction that waits for one would keep all other
        writers waiting. So a command that has done nothing yet gives its transaction up.
        """
        typed = call.parsed
        if self.judge.asks and isinstance(call.stdin, Pipe):
            call.stdin.keep()
        while True:
            try:
                return invoke(command, call)
            except UnansweredError as unanswered:
                call.parsed = typed
                streams.take_back()
                self.judge.answer(unanswered.question)

    def can_begin_again(self) -> bool:
        """Tell whether the command that runs is in a transaction, and has done nothing before."""
        streams, store = self._running.get(id(getcurrent())), self._files.store
        return (
            streams is not None
            and store.depth > 0
            and streams.commits == store.commits
            and streams.untouched
        )

    def _execute(self, call: Invocation, words: Sequence[str], stdin: bytes) -> Executed:
        if not words:
            return Executed(0)
        name = self._plain_name(words[0])
        if commands.find(name) is None:
            assert self.run_elsewhere is not None
            refusal = self.judge.refusal(words, native=words[0] in LANGUAGE)
            if refusal is not None:
                return Executed(REFUSED, b"", _refused(words[0], refusal))
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
