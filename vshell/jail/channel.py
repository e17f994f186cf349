"""Frames between host and guest: four bytes of length, then so many bytes of JSON.

The guest's end reads and writes with nothing but `read` and `write`. The host's end
keeps a deadline, and refuses a frame by its length before any of it is read.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Final

__all__ = ["FrameTooLargeError", "GuestChannel", "HostChannel", "HungUpError"]

_LENGTH: Final = struct.Struct("<I")
_CHUNK_BYTES: Final = 1 << 16


class HungUpError(Exception):
    """The other end is gone."""


class FrameTooLargeError(Exception):
    """A frame is larger than allowed; its length is the argument."""


class GuestChannel:
    """The guest's end.

    Args:
        descriptor: The socket.
    """

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, frame: bytes) -> None:
        """Write a frame.

        Raises:
            HungUpError: The host has gone.
        """
        view = memoryview(_LENGTH.pack(len(frame)) + frame)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            raise HungUpError from None

    def receive(self) -> bytes:
        """Wait for a frame.

        Raises:
            HungUpError: The host has gone.
        """
        (size,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self._descriptor, min(size, 1 << 20))
            if not part:
                raise HungUpError
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class HostChannel:
    """The host's end.

    Args:
        connection: The socket; the channel closes it.
        max_frame_bytes: The largest frame that is taken.
    """

    __slots__ = ("_buffer", "_connection", "max_frame_bytes")

    def __init__(self, connection: socket.socket, *, max_frame_bytes: int) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self.max_frame_bytes = max_frame_bytes

    def fileno(self) -> int:
        return self._connection.fileno()

    def detach(self) -> int:
        """Give the socket's descriptor away; the channel is closed then."""
        return self._connection.detach()

    def close(self) -> None:
        self._connection.close()

    def send(self, frame: bytes, *, deadline: float) -> None:
        """Write a frame before `deadline` of `time.monotonic()`.

        Raises:
            TimeoutError: The guest did not read it in time.
            HungUpError: The guest is gone.
        """
        try:
            self._connection.settimeout(_left(deadline))
            self._connection.sendall(_LENGTH.pack(len(frame)) + frame)
        except TimeoutError:
            raise
        except OSError:
            raise HungUpError from None

    def receive(self, *, deadline: float) -> bytes:
        """Wait for a frame until `deadline` of `time.monotonic()`.

        Raises:
            TimeoutError: None came in time.
            FrameTooLargeError: It would be over the limit; the channel is of no use then.
            HungUpError: The guest is gone.
        """
        buffer = self._buffer
        while len(buffer) < _LENGTH.size:
            self._fill(deadline, _CHUNK_BYTES)
        (size,) = _LENGTH.unpack_from(buffer)
        if size > self.max_frame_bytes:
            raise FrameTooLargeError(size)
        end = _LENGTH.size + size
        while len(buffer) < end:
            self._fill(deadline, max(_CHUNK_BYTES, min(end - len(buffer), 1 << 20)))
        frame = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        return frame

    def _fill(self, deadline: float, size: int) -> None:
        try:
            self._connection.settimeout(_left(deadline))
            part = self._connection.recv(size)
        except TimeoutError:
            raise
        except OSError:
            part = b""
        if not part:
            raise HungUpError
        self._buffer += part


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 1e6)
