"""The host, as a guest sees it: calls that are answered, and a log."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import vshell.errors
from vshell.jail.channel import GuestChannel, HungUpError
from vshell.script.values import decode, encode

__all__ = ["READ_STDIN", "Host", "error_of"]

READ_STDIN: Final = "<stdin>"
"""The call by which a program gets what it reads; no method of `state` can have this name."""

_READS: Final = frozenset({"readFile", "read_file"})
_EAGER_LINES: Final = 1000
_BUFFER_CHARACTERS: Final = 8192
_BUFFER_S: Final = 0.005
_PART_CHARACTERS: Final = 1 << 20
_ERROR_NUMBERS: Final = {
    kind.code: kind.default_errno
    for kind in vars(vshell.errors).values()
    if isinstance(kind, type) and issubclass(kind, vshell.errors.VshellError)
}


def error_of(type: str, message: str, data: Mapping[str, Any]) -> Exception:
    """Return the exception that a failed call raises: a builtin one, with what is known."""
    kind = getattr(builtins, type, RuntimeError)
    if not (isinstance(kind, builtins.type) and issubclass(kind, Exception)):
        kind = RuntimeError
    error: Exception = kind(message)
    number = _ERROR_NUMBERS.get(data.get("code", ""))
    if isinstance(error, OSError) and number is not None:
        error.errno = number
    for name, value in data.items():
        if name.isidentifier() and not name.startswith("_") and not hasattr(error, name):
            setattr(error, name, value)
    return error


class Host:
    """The other end of the channel.

    The log is held back a little when there is much of it: each of the first thousand
    lines goes out at once, later ones together, and all of it before a call or the end.

    It is made before there is a guest, with all that is built on it: in a fork, writing to
    a page for the first time costs more than what is written. `connect` comes later.
    """

    _channel: GuestChannel

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._held_size = 0
        self._held_stream = ""
        self._lines = 0
        self._sent_at = 0.0
        self._ahead: dict[str, tuple[int, str]] = {}
        self._used: list[int] = []

    def connect(self, channel: GuestChannel) -> None:
        """Say where the host is."""
        self._channel = channel

    def call(self, method: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """Ask the host and wait.

        Raises:
            Exception: What the host says went wrong.
        """
        if len(arguments) == 1 and type(arguments[0]) is str and method in _READS and not keywords:
            found = self._ahead.pop(arguments[0], None)
            if found is not None:
                self._used.append(found[0])
                return found[1]
        self._ahead = {}  # whatever is called may change what it would say
        answer = self.exchange(encode(["call", method, list(arguments), keywords, *self._taken()]))
        message = decode(answer)
        if message[0] != "answer":
            raise error_of(*message[1:])
        if len(message) > 2:
            self._ahead = {path: (at, text) for at, (path, text) in enumerate(message[2])}
        return message[1]

    def _taken(self) -> list[list[int]]:
        """Return what was used of what was sent ahead, as the end of the next message."""
        used, self._used = self._used, []
        return [used] if used else []

    def exchange(self, frame: bytes) -> bytes:
        """Send a call and return its answer, both as JSON."""
        self.send(frame)
        try:
            return self._channel.receive()
        except HungUpError:
            os._exit(0)

    def send(self, frame: bytes) -> None:
        """Send a message of which nothing comes back."""
        self.flush()
        try:
            self._channel.send(frame)
        except HungUpError:
            os._exit(0)

    def finish(self, *message: Any) -> NoReturn:
        """Send the last message and end the process."""
        self.send(encode([*message, *self._taken()]))
        os._exit(0)

    def log(self, stream: str, data: Any) -> None:
        """Print text or bytes."""
        if stream != self._held_stream:
            self.flush()
            self._held_stream = stream
        self._held.append(data)
        self._held_size += len(data)
        newline = "\n" if isinstance(data, str) else b"\n"
        if newline in data or self._held_size >= _BUFFER_CHARACTERS:
            self._lines += 1
            if (
                self._lines <= _EAGER_LINES
                or self._held_size >= _BUFFER_CHARACTERS
                or time.perf_counter() - self._sent_at > _BUFFER_S
            ):
                self.flush()

    def flush(self) -> None:
        """Send what is held of the log."""
        if not self._held:
            return
        held, self._held, self._held_size = self._held, [], 0
        data = held[0][:0].join(held)
        try:
            for start in range(0, len(data), _PART_CHARACTERS):
                part = data[start : start + _PART_CHARACTERS]
                self._channel.send(encode(["log", self._held_stream, part]))
        except HungUpError:
            os._exit(0)
        self._sent_at = time.perf_counter()
