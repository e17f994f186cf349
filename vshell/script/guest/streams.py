"""The three streams of a Python script: the log, and what it was given to read."""

from __future__ import annotations

import io
import sys
from typing import Any

from vshell.script.guest.host import READ_STDIN, Host

__all__ = ["ask_for_input", "set_input", "set_logs"]


class _Bytes(io.RawIOBase):
    """Bytes to the log."""

    def __init__(self, host: Host, stream: str, *, as_text: bool) -> None:
        super().__init__()
        self._host = host
        self._stream = stream
        self._as_text = as_text

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        content = bytes(data)
        if content:
            text = content.decode("utf-8", "replace") if self._as_text else content
            self._host.log(self._stream, text)
        return len(content)

    def flush(self) -> None:
        self._host.flush()


class _Text(io.TextIOBase):
    """Text to the log."""

    def __init__(self, host: Host, stream: str) -> None:
        super().__init__()
        self._host = host
        self._stream = stream
        self.buffer = _Bytes(host, stream, as_text=True)

    @property
    def encoding(self) -> str:  # type: ignore[override] # read only is enough here
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._host.log(self._stream, text)
        return len(text)

    def flush(self) -> None:
        self._host.flush()


def _byte_stream(host: Host, stream: str) -> io.TextIOWrapper:
    raw = _Bytes(host, stream, as_text=False)
    writer: Any = raw  # unbuffered, as the log has a buffer of its own
    return io.TextIOWrapper(writer, "utf-8", "surrogateescape", newline="\n", write_through=True)


def set_logs(host: Host, *, as_bytes: bool) -> None:
    """Replace `sys.stdout` and `sys.stderr`.

    Args:
        host: Who gets the log.
        as_bytes: Whether the log is bytes, unchanged, rather than text.
    """
    for stream in ("stdout", "stderr"):
        made: Any = _byte_stream(host, stream) if as_bytes else _Text(host, stream)
        setattr(sys, stream, made)
        setattr(sys, f"__{stream}__", made)


class _Asked(io.RawIOBase):
    """What the host reads for the script, when the script wants it."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data: bytes = self._host.call(READ_STDIN, (len(buffer),), {})
        buffer[: len(data)] = data
        return len(data)


def ask_for_input(host: Host) -> None:
    """Replace `sys.stdin` by what the host has, which is not read before the script does."""
    _set_input(io.BufferedReader(_Asked(host)))


def set_input(content: bytes) -> None:
    """Replace `sys.stdin`."""
    _set_input(io.BytesIO(content))


def _set_input(reader: Any) -> None:
    sys.stdin = io.TextIOWrapper(reader, "utf-8", "surrogateescape")
    sys.__stdin__ = sys.stdin  # type: ignore[misc]
