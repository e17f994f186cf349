"""The workspace's files as a shell has them: with devices, `/tmp`, and programs in `/usr/bin`.

None of these is stored. `/dev/null` and its kind are there for every path that a command
is given, `/tmp` is there before anything is in it, and each command has a path, so that
`[ -x /bin/ls ]` and `#!/usr/bin/env bash` mean what they mean elsewhere. What the
workspace itself holds at such a path comes first, but for devices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from vshell.errors import NotFoundError, NotRegularError, TooLargeError, VshellError
from vshell.fs.content import EMPTY_HASH
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import EntryDetails, Stat, Written
from vshell.fs.tree import Place
from vshell.limits import CHUNK_BYTES

PROGRAMS: Final = ("/bin/", "/usr/bin/")
TEMPORARY: Final = "/tmp"  # noqa: S108 - a directory of the workspace
_NULL, _ZERO, _FULL, _RANDOM = "null", "zero", "full", "random"
_STDIN, _STDOUT, _STDERR = "stdin", "stdout", "stderr"
_DEVICES: Final = {
    "/dev/null": _NULL,
    "/dev/zero": _ZERO,
    "/dev/full": _FULL,
    "/dev/random": _RANDOM,
    "/dev/urandom": _RANDOM,
    "/dev/stdin": _STDIN,
    "/dev/stdout": _STDOUT,
    "/dev/stderr": _STDERR,
    "/dev/tty": _STDOUT,
    "/dev/fd/0": _STDIN,
    "/dev/fd/1": _STDOUT,
    "/dev/fd/2": _STDERR,
}
_DIRECTORIES: Final = frozenset({"/dev", "/dev/fd", TEMPORARY, "/bin", "/usr", "/usr/bin"})


class Streams(Protocol):
    """The three streams of the command that runs now."""

    @property
    def stdin(self) -> Any: ...
    @property
    def stdout(self) -> Any: ...
    @property
    def stderr(self) -> Any: ...


class ShellFiles(FileSystem):
    """See the module; opened like any `FileSystem`."""

    programs: frozenset[str] = frozenset()
    streams: Callable[[], Streams | None] = staticmethod(lambda: None)
    substitute: Callable[[str], bytes | None] = staticmethod(lambda _path: None)

    # Metadata.

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        if path in _DEVICES:
            return _stat(path, "file", 0o666)
        try:
            return super().stat(path, follow=follow)
        except VshellError:
            imagined = self._imagined(path)
            if imagined is None:
                raise
            return imagined

    def exists(self, path: str, *, follow: bool = True) -> bool:
        if path in _DEVICES or super().exists(path, follow=follow):
            return True
        return self._imagined(path) is not None

    def realpath(self, path: str) -> str:
        if path in _DEVICES:
            return path
        try:
            return super().realpath(path)
        except NotFoundError:
            if self._imagined(path) is None:
                raise
            return path

    def _imagined(self, path: str) -> Stat | None:
        if path in _DIRECTORIES:
            return _stat(path, "directory", 0o1777 if path == TEMPORARY else 0o755)
        if self.program_at(path) is not None:
            return _stat(path, "file", 0o755)
        if path.startswith("/dev/fd/") and self.substitute(path) is not None:
            return _stat(path, "file", 0o600)
        return None

    def program_at(self, path: str) -> str | None:
        """Return the command that a path names, such as `ls` for `/bin/ls`, or None."""
        for directory in PROGRAMS:
            name = path[len(directory) :]
            if path.startswith(directory) and name in self.programs:
                return name
        return None

    # Reading.

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        data = self._read_device(path, length)
        if data is None:
            return super().read(path, offset, length)
        if path.startswith("/dev/fd/") and path not in _DEVICES:
            end = None if length is None else offset + length
            return data[offset:end]
        return data

    def read_with_stat(self, path: str) -> tuple[bytes, Stat]:
        data = self._read_device(path, None)
        return super().read_with_stat(path) if data is None else (data, self.stat(path))

    def pieces(self, path: str) -> Iterator[bytes]:
        device = _DEVICES.get(path)
        if device in (_ZERO, _FULL, _RANDOM):
            return _endless(device)
        if device == _STDIN:
            return self._pieces_of_stdin()
        data = self._read_device(path, None)
        return super().pieces(path) if data is None else iter([data] if data else [])

    def _pieces_of_stdin(self) -> Iterator[bytes]:
        streams = self.streams()
        while streams is not None and (piece := streams.stdin.read(CHUNK_BYTES)):
            yield piece

    def _read_device(self, path: str, length: int | None) -> bytes | None:
        """Return what a device gives, or None when the path is none."""
        device = _DEVICES.get(path)
        if device is None:
            return self.substitute(path) if path.startswith("/dev/fd/") else None
        if device == _STDIN:
            streams = self.streams()
            return (
                b""
                if streams is None
                else bytes(streams.stdin.read(-1 if length is None else length))
            )
        if device in (_ZERO, _FULL, _RANDOM):
            if length is None:
                raise TooLargeError(f"it has no end: {path}", path=path, hint="read a part of it")
            return os.urandom(length) if device == _RANDOM else bytes(length)
        return b""

    def list_directory(
        self, path: str, *, limit: int = -1, offset: int = 0
    ) -> tuple[list[EntryDetails], int]:
        try:
            return super().list_directory(path, limit=limit, offset=offset)
        except NotFoundError:
            if path not in _DIRECTORIES:
                raise
            return [], 0

    def names(self, path: str) -> list[str]:
        try:
            return super().names(path)
        except NotFoundError:
            if path not in _DIRECTORIES:
                raise
            return []

    # Writing.

    def write(self, path: str, data: Any, **options: Any) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        return super().write(path, data, **options)

    def append(self, path: str, data: Any, *, parents: bool = False) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        return super().append(path, data, parents=parents)

    def write_at(self, path: str, offset: int, data: Any) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        return super().write_at(path, offset, data)

    def truncate(self, path: str, size: int) -> Written:
        if path in _DEVICES:
            return self._write_device(path, b"")
        return super().truncate(path, size)

    def _write_device(self, path: str, data: Any) -> Written:
        device = _DEVICES[path]
        pieces: Iterable[Any] = [data] if isinstance(data, (bytes, bytearray, memoryview)) else data
        size = 0
        streams = self.streams()
        for piece in pieces:
            size += len(piece)
            if device == _FULL and piece:
                raise NotRegularError(f"no space left on device: {path}", path=path)
            if streams is not None and device in (_STDOUT, _STDERR):
                target = streams.stdout if device == _STDOUT else streams.stderr
                target.write(bytes(piece))
        return Written(path, False, EMPTY_HASH, EMPTY_HASH, size, 0)

    def _place(self, path: str, *, follow: bool = True, parents: bool = False) -> Place:
        if path.startswith(f"{TEMPORARY}/") and not FileSystem.exists(self, TEMPORARY):
            self._make_directory(self._tree.locate(TEMPORARY, follow=False), 0o1777)
        return super()._place(path, follow=follow, parents=parents)


def _stat(path: str, kind: Any, mode: int) -> Stat:
    return Stat(path, kind, 0, mode, 0, 0, 1, 0, 0, None)


def _endless(device: str) -> Iterator[bytes]:
    while True:
        yield os.urandom(CHUNK_BYTES) if device == _RANDOM else bytes(CHUNK_BYTES)
