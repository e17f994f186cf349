"""How the host and a worker talk: frames of a JSON header and bytes, over a socket."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, Final

_SIZES: Final = struct.Struct("!II")
MAX_FRAME_BYTES: Final = 1 << 31
"""A frame that says it is larger comes from a worker that cannot be trusted any more."""

Header = dict[str, Any]

DESCRIPTOR: Final = b"d"
NO_DESCRIPTOR: Final = b"n"


class ClosedConnectionError(Exception):
    """The other side is gone."""


def encode(header: Header, payload: bytes = b"") -> bytes:
    """Return a frame."""
    text = json.dumps(header).encode("ascii")
    return _SIZES.pack(len(text), len(payload)) + text + payload


def send(connection: socket.socket, header: Header, payload: bytes = b"") -> None:
    """Write a frame.

    Raises:
        ClosedConnectionError: Nobody is there to read it.
    """
    send_encoded(connection, encode(header, payload))


def send_encoded(connection: socket.socket, data: bytes) -> None:
    """Write frames that are encoded.

    Raises:
        ClosedConnectionError: Nobody is there to read them.
    """
    try:
        connection.sendall(data)
    except OSError as error:
        raise ClosedConnectionError(str(error)) from None


def receive(connection: socket.socket) -> tuple[Header, bytes]:
    """Read a frame, waiting for it as long as the socket's timeout says.

    Raises:
        ClosedConnectionError: The other side is gone, or did not speak this language.
        TimeoutError: Nothing came in time.
    """
    header_size, payload_size = _SIZES.unpack(_exactly(connection, _SIZES.size))
    if header_size + payload_size > MAX_FRAME_BYTES:
        raise ClosedConnectionError("a frame is too large")
    text = _exactly(connection, header_size)
    payload = _exactly(connection, payload_size)
    try:
        header = json.loads(text)
    except ValueError:
        raise ClosedConnectionError("a frame cannot be read") from None
    if not isinstance(header, dict):
        raise ClosedConnectionError("a frame has no header")
    return header, payload


def receive_descriptor(connection: socket.socket) -> tuple[int | None, Header]:
    """Read what `WorkerProcess.give` has sent.

    Raises:
        ClosedConnectionError: The other side is gone.
    """
    try:
        mark, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
    except OSError as error:
        raise ClosedConnectionError(str(error)) from None
    if not mark:
        raise ClosedConnectionError("the other side closed the connection")
    header, _ = receive(connection)
    return (descriptors[0] if descriptors else None), header


def _exactly(connection: socket.socket, size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        try:
            piece = connection.recv(min(size, 1 << 20))
        except TimeoutError:
            raise
        except OSError as error:
            raise ClosedConnectionError(str(error)) from None
        if not piece:
            raise ClosedConnectionError("the other side closed the connection")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
