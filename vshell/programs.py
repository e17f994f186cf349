"""`python` and `node` in a shell: guests of the script engines, answered by the shell's worker.

Both ends are here, since neither the shell nor the scripts know of each other. `start`
runs in the host; `serve` in the worker, which is confined itself (`vshell.jail.worker`).
"""

from __future__ import annotations

import time
from typing import Final

from vshell.errors import TooLargeError
from vshell.fs.filesystem import FileSystem
from vshell.script.answering import Answers, CallError
from vshell.script.engine import Call, Death, Died, Done, Failed, Job, Language, Log
from vshell.script.engines.jailed import JailedEngine, JailedGuest
from vshell.script.guest.host import READ_STDIN
from vshell.script.limits import Limits
from vshell.script.request import METHOD_NAMES
from vshell.shell.command import Invocation
from vshell.shell.programs import Program, Programs, Started

__all__ = ["programs_of", "serve"]

_ENGINES: Final[dict[str, tuple[str, Language]]] = {
    "python": ("cpython", "python"),
    "javascript": ("quickjs", "javascript"),
}
_ENDS: Final[dict[Death, tuple[int, str]]] = {
    "timeout": (137, "Killed"),
    "killed": (137, "Killed"),
    "memory": (137, "Killed: it needed more memory than it may have"),
    "crash": (139, "Segmentation fault"),
}
_LONGEST_S: Final = 10**6


def programs_of(files: FileSystem) -> Programs:
    """Return what starts programs for the shells of a workspace."""
    from vshell.script.pool import scripts_of

    def start(program: Program, timeout_s: float) -> Started:
        name, language = _ENGINES[program.language]
        engine = scripts_of(files).engine(name)
        assert isinstance(engine, JailedEngine)
        job = Job(
            source=program.source,
            language=language,
            methods=METHOD_NAMES,
            limits=limits_for(timeout_s),
            name=program.name,
            mode="program",
            arguments=program.arguments,
            stdin=None,
        )
        socket, process = engine.start(job).detach()
        assert process is not None, "a guest that was just started is this process's"
        return Started(socket, process, f"{__name__}:{serve.__name__}")

    return start


def limits_for(timeout_s: float) -> Limits:
    """Return what a program may use; the shell's own limits hold for what it prints."""
    return Limits(timeout_s=min(max(timeout_s, 0.001), _LONGEST_S))


def serve(call: Invocation, socket: int, timeout_s: float) -> int:
    """Answer a program's calls and print what it prints, to its end; return its exit code."""
    limits = limits_for(timeout_s)
    guest = JailedGuest.attached(socket, limits)
    answers = Answers(call.context, {})
    deadline = time.monotonic() + limits.timeout_s
    try:
        while True:
            event = guest.next(deadline)
            if isinstance(event, Call):
                _answer(call, answers, guest, event, deadline)
            elif isinstance(event, Log):
                _print(call, event)
            elif isinstance(event, Done):
                return event.value & 0xFF if isinstance(event.value, int) else 0
            else:
                return _ended(call, event)
    finally:
        guest.close()


def _answer(
    call: Invocation, answers: Answers, guest: JailedGuest, asked: Call, deadline: float
) -> None:
    try:
        if asked.method == READ_STDIN:
            guest.answer(_input(call, asked))
        else:
            guest.answer(answers.answer(asked, guest, deadline))
    except CallError as error:
        guest.fail(error.type, error.message, error.data)
    except TooLargeError as error:
        guest.fail("OSError", str(error), {"code": error.code})
    except TypeError as error:
        guest.fail("TypeError", str(error), {})


def _input(call: Invocation, asked: Call) -> bytes:
    """Return what the program reads next.

    Raises:
        TypeError: It does not say how much.
    """
    match asked.arguments:
        case [int(size)]:
            return call.stdin.read(size)
    raise TypeError("the number of bytes to read is an integer")


def _print(call: Invocation, event: Log) -> None:
    text = event.text.encode("utf-8", "replace") if isinstance(event.text, str) else event.text
    (call.stdout if event.stream == "stdout" else call.stderr).write(text)


def _ended(call: Invocation, event: Failed | Died) -> int:
    if isinstance(event, Failed):
        call.complain(f"{event.type}: {event.message}")
        return 1
    code, message = _ENDS[event.reason]
    call.stderr.write(f"{message}\n".encode())
    return code
