"""Programs in other languages: `python FILE` and `node FILE` run in a sandbox of their own.

The worker asks its host for a guest, which is a process that has nothing but a socket. The
host keeps the means to end that process, and gives the worker the socket; so the program's
calls are answered by the worker, on the files as the script sees them, in the middle of
its transaction too. This package knows neither the sandbox nor its language: whoever opens
the shell brings them as `Programs`.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from vshell.errors import UnavailableError
from vshell.record import Record
from vshell.shell.process import WorkerProcess

__all__ = ["Guests", "Program", "Programs", "Started"]

_MAX_GUESTS: Final = 16
"""How many programs of one script run at once, as in a long pipeline."""


@dataclass(frozen=True, slots=True)
class Program(Record):
    """What a command wants to be run.

    Attributes:
        language: What it is written in.
        source: The program.
        name: What it is called in messages: its file, `<string>`, `<stdin>` or `[eval]`.
        arguments: What follows its name.
    """

    language: Literal["python", "javascript"]
    source: str
    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """A guest that runs a program.

    Attributes:
        socket: The descriptor by which its calls come.
        process: A descriptor of its process (pidfd).
        runner: Which function answers the calls, as `module:function`; it gets the command's
            `Invocation`, the socket, and how many seconds the program may take, and
            returns its exit code.
    """

    socket: int
    process: int
    runner: str


class Programs(Protocol):
    """Starts programs."""

    def __call__(self, program: Program, timeout_s: float) -> Started:
        """Start one.

        Args:
            program: What to run. It comes from a worker, and is as little to be trusted.
            timeout_s: After how long it is of no use any more.

        Raises:
            UnavailableError: It cannot be confined here.
        """


class Guests:
    """The guests of one shell; `end` may be called by any thread.

    Args:
        programs: What starts them; None when nothing can.
    """

    def __init__(self, programs: Programs | None) -> None:
        self._programs = programs
        self._lock = threading.Lock()
        self._processes: set[int] = set()

    def start(self, worker: WorkerProcess, asked: Any, timeout_s: float) -> None:
        """Start what a worker asks for, and give it the socket."""
        try:
            program = _program_of(asked)
            started = self._started(program, timeout_s)
        except UnavailableError as error:
            worker.give(None, {"refused": error.message})
            return
        try:
            worker.give(started.socket, {"runner": started.runner, "timeout_s": timeout_s})
        finally:
            os.close(started.socket)

    def _started(self, program: Program, timeout_s: float) -> Started:
        if self._programs is None:
            raise UnavailableError("programs cannot be run in this shell")
        with self._lock:
            self._forget_ended()
            if len(self._processes) >= _MAX_GUESTS:
                raise UnavailableError("too many programs are running already")
        started = self._programs(program, timeout_s)
        with self._lock:
            self._processes.add(started.process)
        return started

    def _forget_ended(self) -> None:
        watch = select.poll()
        for process in self._processes:
            watch.register(process, select.POLLIN)
        for process, _ in watch.poll(0):
            self._processes.discard(process)
            os.close(process)

    def end(self) -> None:
        """End all of them, whatever they do."""
        with self._lock:
            for process in self._processes:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                os.close(process)
            self._processes.clear()


def _program_of(asked: Any) -> Program:
    """Return what a worker asked for.

    Raises:
        UnavailableError: It has not the form of a program.
    """
    match asked:
        case {
            "language": "python" | "javascript" as language,
            "source": str(source),
            "name": str(name),
            "arguments": [*arguments],
        } if all(isinstance(each, str) for each in arguments):
            return Program(language, source, name, tuple(arguments))
    raise UnavailableError("the worker asked for what is no program")


def load_runner(told: Mapping[str, Any]) -> Any:
    """Return the function that answers a program's calls, as the host has named it."""
    from importlib import import_module

    module, _, name = told["runner"].partition(":")
    return getattr(import_module(module), name)
