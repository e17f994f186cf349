"""What a script prints, on its way from the worker to the host."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from vshell.shell import frames
from vshell.shell.frames import Header


class Outgoing:
    """Sends what one script prints.

    Args:
        connection: The socket to the host.
        limit: How many bytes may be printed.
        cancel: Ends the script when it prints more.
    """

    def __init__(self, connection: socket.socket, limit: int, cancel: Callable[[], None]) -> None:
        self._connection = connection
        self._last = bytearray()
        self._left = limit
        self._cancel = cancel
        self.exceeded = ""
        self._limit = limit

    def write(self, stream: str, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.exceeded = f"the script printed more than {self._limit} bytes"
            self._cancel()
            raise BrokenPipeError
        frames.send(self._connection, {"output": stream}, data)

    def keep(self, last: Iterable[tuple[str, bytes]]) -> None:
        """Keep output that is to go with the end of the script."""
        for stream, data in last:
            self._left -= len(data)
            if self._left < 0:
                self.exceeded = f"the script printed more than {self._limit} bytes"
                return
            self._last += frames.encode({"output": stream}, data)

    def send_with(self, header: Header, payload: bytes) -> None:
        """Send a frame with what was kept in front of it, so that the host is woken once."""
        frames.send_encoded(self._connection, bytes(self._last) + frames.encode(header, payload))
