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
_TURN_S: Final = 0.05
"""How long the kernel waits at once: the deadline is looked at after each turn. So it need
not be told of each deadline, which would be a system call of its own for every frame."""

_TIMEVAL: Final = struct.Struct("@ll")


class HungUpError(Exception):
    """The other end is gone."""


class FrameTooLargeError(Exception):
    """A frame is larger than allowed; its length is the argument."""


class GuestChannel:
    """The guest's end.

    Args:
        descriptor: The socket.
    """

    __slots__ = ("_buffer", "_descriptor")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""

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
        data = self._buffer
        while len(data) < _LENGTH.size:
            data += self._more(_CHUNK_BYTES)
        end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
        if len(data) < end:
            parts, missing = [data], end - len(data)
            while missing > 0:
                parts.append(self._more(min(missing, 1 << 20)))
                missing -= len(parts[-1])
            data = b"".join(parts)
        self._buffer = data[end:]
        return data[_LENGTH.size : end]

    def _more(self, size: int) -> bytes:
        part = os.read(self._descriptor, size)
        if not part:
            raise HungUpError
        return part


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
        connection.settimeout(None)
        turn = _TIMEVAL.pack(0, int(_TURN_S * 1e6))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, turn)

    @property
    def buffered(self) -> bool:
        """Whether some of a frame is here already."""
        return bool(self._buffer)

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
        data = _LENGTH.pack(len(frame)) + frame
        try:
            try:
                sent = self._connection.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                sent = 0
            if sent < len(data):
                self._send_rest(memoryview(data)[sent:], deadline)
        except TimeoutError:
            raise
        except OSError:
            raise HungUpError from None

    def _send_rest(self, data: memoryview, deadline: float) -> None:
        self._connection.settimeout(_left(deadline))
        try:
            self._connection.sendall(data)
        finally:
            self._connection.settimeout(None)

    def receive(self, *, deadline: float) -> bytes:
        """Wait for a frame until `deadline` of `time.monotonic()`.

        Raises:
            TimeoutError: None came in time.
            FrameTooLargeError: It would be over the limit; the channel is of no use then.
            HungUpError: The guest is gone.
        """
        buffer = self._buffer
        if not buffer:
            data = self._more(deadline, _CHUNK_BYTES)
            if len(data) >= _LENGTH.size and _LENGTH.unpack_from(data)[0] == len(data) - 4:
                if len(data) - _LENGTH.size > self.max_frame_bytes:
                    raise FrameTooLargeError(len(data) - _LENGTH.size)
                return data[_LENGTH.size :]  # one frame and no more, as nearly always
            buffer += data
        while len(buffer) < _LENGTH.size:
            buffer += self._more(deadline, _CHUNK_BYTES)
        (size,) = _LENGTH.unpack_from(buffer)
        if size > self.max_frame_bytes:
            raise FrameTooLargeError(size)
        end = _LENGTH.size + size
        while len(buffer) < end:
            buffer += self._more(deadline, max(_CHUNK_BYTES, min(end - len(buffer), 1 << 20)))
        frame = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        return frame

    def _more(self, deadline: float, size: int) -> bytes:
        while True:
            left = _left(deadline)
            try:
                short = left < _TURN_S
                part = self._in_time(left, size) if short else self._connection.recv(size)
            except BlockingIOError:
                continue  # a turn is over
            except TimeoutError:
                raise
            except OSError:
                part = b""
            if not part:
                raise HungUpError
            return part

    def _in_time(self, left: float, size: int) -> bytes:
        """Read what comes within less than a turn."""
        self._connection.settimeout(left)
        try:
            return self._connection.recv(size)
        finally:
            self._connection.settimeout(None)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 1e6)
