"""The worker's half: answers a program's calls on the files as the shell sees them."""

from __future__ import annotations

import asyncio
import select
import time
from typing import Any, Final

from vshell.errors import TooLargeError
from vshell.script.answering import Answers, CallError
from vshell.script.engine import Call, Death, Died, Done, Failed, Log
from vshell.script.engines.jailed import JailedGuest
from vshell.script.guest.host import READ_STDIN
from vshell.script.limits import Limits
from vshell.shell.command import Invocation
from vshell.shell.streams import wait

__all__ = ["serve"]

_ENDS: Final[dict[Death, tuple[int, str]]] = {
    "timeout": (137, "Killed"),
    "killed": (137, "Killed"),
    "memory": (137, "Killed: it needed more memory than it may have"),
    "crash": (139, "Segmentation fault"),
}
_PATIENCE_MS: Final = 2
"""For how long other commands stand still while a program computes: its next call mostly
comes at once, and asking the loop takes as long as the call."""


def serve(call: Invocation, socket: int, timeout_s: float) -> int:
    """Answer a program's calls and print what it prints, to its end; return its exit code."""
    limits = Limits(timeout_s=max(timeout_s, 0.001))
    guest = JailedGuest.attached(socket, limits)
    answers = Answers(call.context, {})
    deadline = time.monotonic() + limits.timeout_s
    try:
        while True:
            _await(guest)
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


def _await(guest: JailedGuest) -> None:
    """Wait until the guest has said something; other commands go on when it takes its time."""
    descriptor = guest.awaited()
    if descriptor is None:
        return
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    if not watch.poll(_PATIENCE_MS):
        wait(_readable(descriptor))


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not told.done():
            told.set_result(None)

    loop.add_reader(descriptor, tell)
    try:
        await told
    finally:
        loop.remove_reader(descriptor)


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
    stream: Any = call.stdout if event.stream == "stdout" else call.stderr
    stream.write(text)
    stream.flush()  # the program may take long to say more


def _ended(call: Invocation, event: Failed | Died) -> int:
    if isinstance(event, Failed):
        call.complain(f"{event.type}: {event.message}")
        return 1
    code, message = _ENDS[event.reason]
    call.stderr.write(f"{message}\n".encode())
    return code
