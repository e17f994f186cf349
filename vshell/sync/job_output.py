"""What a command writes: passed on at once, kept within bounds, and the whole of it in a file.

A job holds the beginning and the end. Once there is more, everything goes to a file of the
workspace, which is written in large pieces; what a limit or the quota leaves out is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.errors import QuotaExceededError, TooLargeError
from vshell.fs.filesystem import FileSystem
from vshell.sync.docker_stream import Stream

DIRECTORY: Final = "/.vshell/jobs"
"""Where the files are; a mirror leaves them alone."""

_PIECE_BYTES: Final = 1024 * 1024


class KeptStream:
    """What one stream of a job has written.

    Args:
        files: Where the file goes.
        path: The file.
        session: Who writes it, for the journal.
        max_kept_bytes: How much is held, half of it from the beginning and half from the end.
        max_file_bytes: How much the file may have.

    Attributes:
        size: How many bytes there were.
        lost: How many of them are in no file, though there is one.
    """

    def __init__(
        self,
        files: FileSystem,
        path: str,
        *,
        session: str,
        max_kept_bytes: int,
        max_file_bytes: int,
    ) -> None:
        self._files = files
        self._path = path
        self._session = session
        self._half = max(1, max_kept_bytes // 2)
        self._max_kept_bytes = max_kept_bytes
        self._max_file_bytes = max_file_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._pending = bytearray()
        self._in_file = 0
        self.size = 0
        self.lost = 0

    def add(self, data: bytes) -> None:
        """Keep what was written."""
        self.size += len(data)
        self._pending += data
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        del self._tail[: -self._half]
        if len(self._pending) >= _PIECE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write to the file what is not in it yet, if there is more than a job holds."""
        if self.size <= self._max_kept_bytes:
            return
        data, self._pending = bytes(self._pending), bytearray()
        data, over = _cut(data, max(0, self._max_file_bytes - self._in_file))
        self.lost += over
        if not data:
            return
        try:
            with self._files.transaction(self._session, "job"):
                self._files.append(self._path, data, parents=True)
        except (QuotaExceededError, TooLargeError):
            self.lost += len(data)
            self._max_file_bytes = self._in_file
        else:
            self._in_file += len(data)

    @property
    def kept(self) -> bytes:
        """What a job holds: everything, or the beginning and the end around a line about that."""
        left_out = self.size - len(self._head) - len(self._tail)
        if left_out <= 0:
            return bytes(self._head + self._tail)
        return bytes(self._head) + b"\n[%d bytes are left out]\n" % left_out + bytes(self._tail)

    @property
    def path(self) -> str | None:
        """The file; None while there is none."""
        return self._path if self._in_file else None


class JobOutput:
    """Both streams of a job.

    Args:
        files: Where the files go.
        job: The job's number.
        session: Who writes them, for the journal.
        max_kept_bytes: See `KeptStream`.
        max_file_bytes: See `KeptStream`.
        listener: Is told of everything at once.
    """

    def __init__(
        self,
        files: FileSystem,
        job: int,
        *,
        session: str,
        max_kept_bytes: int,
        max_file_bytes: int,
        listener: Callable[[Stream, bytes], None] | None,
    ) -> None:
        self._listener = listener
        self.streams: dict[Stream, KeptStream] = {
            name: KeptStream(
                files,
                f"{DIRECTORY}/{job}.{name}",
                session=session,
                max_kept_bytes=max_kept_bytes,
                max_file_bytes=max_file_bytes,
            )
            for name in ("stdout", "stderr")
        }

    def add(self, stream: Stream, data: bytes) -> None:
        """Take what a command has written."""
        self.streams[stream].add(data)
        if self._listener is not None:
            self._listener(stream, data)

    def flush(self) -> None:
        """Bring the files up to date."""
        for stream in self.streams.values():
            stream.flush()


def _cut(data: bytes, size: int) -> tuple[bytes, int]:
    return (data, 0) if len(data) <= size else (data[:size], len(data) - size)
