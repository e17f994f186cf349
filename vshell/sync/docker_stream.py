"""What a command in a container reads and writes, over one connection to the daemon.

The daemon upgrades the connection to a raw stream in which each piece of output has a
head of 8 bytes: which stream, and how long
(https://docs.docker.com/engine/api/v1.41/#operation/ContainerAttach).
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import time
from pathlib import Path
from typing import Final, Literal, NamedTuple

from vshell.errors import OperationTimeoutError, UnavailableError
from vshell.sync.docker_client import Daemon

Stream = Literal["stdout", "stderr"]

_HEAD: Final = 8
_STREAMS: Final[dict[int, Stream]] = {1: "stdout", 2: "stderr"}
_AT_ONCE: Final = 256 * 1024
_MAX_ANSWER_HEAD: Final = 64 * 1024
_CONNECT_S: Final = 30.0


class Piece(NamedTuple):
    """Some output."""

    stream: Stream
    data: bytes


class ExecStream:
    """The streams of a command that was started.

    Args:
        connection: Upgraded.
        rest: What arrived with the head of the answer.
    """

    def __init__(self, connection: socket.socket, rest: bytes) -> None:
        self._connection = connection
        self._arrived = bytearray(rest)
        self._ended = False

    @classmethod
    def start(cls, daemon: Daemon, process: str) -> ExecStream:
        """Start a command that was made with `exec_create`.

        Args:
            daemon: Who made it.
            process: Its id.

        Raises:
            UnavailableError: The daemon refuses, or does not answer.
        """
        connection = _connected(daemon)
        try:
            return cls(connection, _upgraded(connection, daemon, process))
        except BaseException:
            connection.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor, to wait for output among others."""
        return self._connection.fileno()

    def read(self, deadline_s: float | None = None) -> Piece | None:
        """Return the next output; None at the end.

        Args:
            deadline_s: Until when to wait, on the monotonic clock; None waits for ever.

        Raises:
            OperationTimeoutError: There was none until then.
            UnavailableError: The connection broke.
        """
        while True:
            piece = self._next()
            if piece is not None:
                return piece
            if self._ended:
                return None
            self._receive(deadline_s)

    def write(self, data: bytes | memoryview, deadline_s: float | None = None) -> None:
        """Send bytes to the command's standard input; errors as `read`."""
        rest = memoryview(data)
        try:
            while rest:
                left = _left(deadline_s)
                # Output is taken meanwhile: a command whose output nobody takes reads nothing.
                readable, writable, _ = select.select(
                    [] if self._ended else [self._connection], [self._connection], [], left
                )
                if readable:
                    self._receive(deadline_s)
                if writable:
                    rest = rest[self._connection.send(rest[:_AT_ONCE]) :]
                elif not readable:
                    raise OperationTimeoutError("the command takes no input in time")
        except (OSError, ValueError) as error:
            if isinstance(error, OperationTimeoutError):
                raise
            raise _broken(error) from None

    def end_input(self) -> None:
        """Tell the command that its input has ended."""
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise _broken(error) from None

    def close(self) -> None:
        """Close the connection; the command goes on."""
        self._connection.close()

    def _next(self) -> Piece | None:
        arrived = self._arrived
        if len(arrived) < _HEAD:
            return None
        size = int.from_bytes(arrived[4:_HEAD], "big")
        if len(arrived) < _HEAD + size:
            return None
        data = bytes(arrived[_HEAD : _HEAD + size])
        stream = _STREAMS.get(arrived[0], "stdout")
        del arrived[: _HEAD + size]
        return Piece(stream, data)

    def _receive(self, deadline_s: float | None) -> None:
        try:
            pending = isinstance(self._connection, ssl.SSLSocket) and self._connection.pending()
            if not pending and not select.select([self._connection], [], [], _left(deadline_s))[0]:
                raise OperationTimeoutError("the command has written nothing in time")
            data = self._connection.recv(_AT_ONCE)
        except (OSError, ValueError) as error:
            if isinstance(error, OperationTimeoutError):
                raise
            raise _broken(error) from None
        self._ended = not data
        self._arrived += data


def _connected(daemon: Daemon) -> socket.socket:
    scheme, _, place = daemon.address.partition("://")
    try:
        if scheme == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_CONNECT_S)
            connection.connect(place)
            return connection
        host, _, port = place.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=_CONNECT_S)
        return _encrypted(daemon, connection, host)
    except OSError as error:
        raise _broken(error) from None


def _encrypted(daemon: Daemon, connection: socket.socket, host: str) -> socket.socket:
    if not daemon.api.base_url.startswith("https"):
        return connection
    trusted = daemon.api.verify
    context = ssl.create_default_context(cafile=trusted if isinstance(trusted, str) else None)
    if trusted is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if daemon.api.cert:
        certificate, key = (str(Path(path)) for path in daemon.api.cert)
        context.load_cert_chain(certificate, key)
    return context.wrap_socket(connection, server_hostname=host)


def _upgraded(connection: socket.socket, daemon: Daemon, process: str) -> bytes:
    """Ask for the stream; return what arrived of it already."""
    body = json.dumps({"Detach": False, "Tty": False}).encode()
    head = (
        f"POST /v{daemon.api.api_version}/exec/{process}/start HTTP/1.1\r\nHost: daemon\r\n"
        "Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answer = b""
    try:
        connection.sendall(head.encode() + body)
        while b"\r\n\r\n" not in answer:
            data = connection.recv(_AT_ONCE)
            if not data or len(answer) > _MAX_ANSWER_HEAD:
                break
            answer += data
    except OSError as error:
        raise _broken(error) from None
    head_bytes, _, rest = answer.partition(b"\r\n\r\n")
    status = head_bytes.split(b" ", 2)[1:2]
    if status not in ([b"101"], [b"200"]):
        said = rest.decode("utf-8", "replace").strip() or "it closed the connection"
        raise UnavailableError(f"the daemon does not start the command: {said}")
    connection.settimeout(None)
    return rest


def _left(deadline_s: float | None) -> float | None:
    return None if deadline_s is None else max(0.0, deadline_s - time.monotonic())


def _broken(error: Exception) -> UnavailableError:
    return UnavailableError(
        f"the connection to the daemon broke ({type(error).__name__})",
        hint="see whether the daemon runs; what was journalled can be resumed then",
    )
