"""The workspace's files as a shell has them: with devices, `/tmp`, and programs in `/usr/bin`.

None of these is stored. `/dev/null` and its kind are there for every path that a command
is given, `/tmp` is there before anything is in it, and each command has a path, so that
`[ -x /bin/ls ]` and `#!/usr/bin/env bash` mean what they mean elsewhere. What the
workspace itself holds at such a path comes first, but for devices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from vshell.errors import (
    NotFoundError,
    NotRegularError,
    PermissionDeniedError,
    TooLargeError,
    VshellError,
)
from vshell.fs.content import EMPTY_HASH, Stored
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Change, EntryDetails, Inode, Stat, Written
from vshell.fs.resolving import Node, Place
from vshell.fs.schema import DIRECTORY
from vshell.limits import CHUNK_BYTES
from vshell.ops.context import Context
from vshell.shell.modes import UMASK
from vshell.shell.rules import Judge

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
_NOWHERE: Final = -1
"""The number of no inode."""
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
    home: str = TEMPORARY
    """The home directory: it is there, too, before anything is in it."""
    streams: Callable[[], Streams | None] = staticmethod(lambda: None)
    reads: dict[str, None] | None = None
    ledger: Context | None = None
    umask: int = UMASK
    _judge: Judge | None = None
    substitute: Callable[[str], bytes | None] = staticmethod(lambda _path: None)
    provide: Callable[[str, bytes], bool] = staticmethod(lambda _path, _data: False)

    def set_judge(self, judge: Judge) -> None:
        """Apply rules to every path from now on."""
        self._judge = judge if judge.guards_paths else None
        self.store.tree.forget()
        self.store.tree.hides = judge.hides if judge.hides_any else None
        self.store.journal.guard = None if self._judge is None else judge.check_write

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
        if path in _DIRECTORIES or path == self.home:
            return _stat(path, "directory", 0o1777 if path == TEMPORARY else 0o755)
        if self.program_at(path) is not None:
            return _stat(path, "file", 0o755)
        if path.startswith("/dev/fd/") and self.substitute(path) is not None:
            return _stat(path, "file", 0o600)
        return None

    def is_device(self, path: str) -> bool:
        """Tell whether a path is a device's."""
        return path in _DEVICES

    def program_at(self, path: str) -> str | None:
        """Return the command that a path names, such as `ls` for `/bin/ls`, or None."""
        for directory in PROGRAMS:
            name = path[len(directory) :]
            if path.startswith(directory) and name in self.programs:
                return name
        return None

    # Reading.

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        if (self._judge is not None or self.reads is not None) and path not in _DEVICES:
            self._file(path)
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

    def _directory(self, path: str) -> Node:
        try:
            return super()._directory(path)
        except NotFoundError:
            if path not in _DIRECTORIES and path != self.home:
                raise
            return Node(path, _NOWHERE, DIRECTORY, _NOWHERE, b"")  # with no entries

    # Writing.

    def write(self, path: str, data: Any, **options: Any) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        written = self._write_substitution(path, data, b"")
        if written is not None:
            return written
        return self._replacing(path, lambda: super(ShellFiles, self).write(path, data, **options))

    def _write_substitution(self, path: str, data: Any, before: bytes | None) -> Written | None:
        """Give bytes to a process substitution (`tee >(wc)`); None when the path is none."""
        if before is None or not path.startswith("/dev/fd/"):
            return None
        whole = before + (data if isinstance(data, bytes) else b"".join(map(bytes, data)))
        if not self.provide(path, whole):
            return None
        return Written(path, False, EMPTY_HASH, EMPTY_HASH, len(whole), 0)

    def _replacing(self, path: str, write: Callable[[], Written]) -> Written:
        """Replace content that the session must have seen, when it is kept to that."""
        ledger = self.ledger
        if ledger is None:
            return write()
        ledger.require_seen(path)
        written = write()
        ledger.note_read(path, written.after.hex())
        return written

    def append(self, path: str, data: Any, *, parents: bool = False) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        if path.startswith("/dev/fd/"):
            written = self._write_substitution(path, data, self.substitute(path))
            if written is not None:
                return written
        return super().append(path, data, parents=parents)

    def write_at(self, path: str, offset: int, data: Any) -> Written:
        if path in _DEVICES:
            return self._write_device(path, data)
        return self._replacing(path, lambda: super(ShellFiles, self).write_at(path, offset, data))

    def truncate(self, path: str, size: int) -> Written:
        if path in _DEVICES:
            return self._write_device(path, b"")
        return self._replacing(path, lambda: super(ShellFiles, self).truncate(path, size))

    def _set_content(
        self,
        place: Place,
        before: Inode | None,
        stored: Stored,
        mode: int | None,
        data: object = None,
    ) -> Written:
        if before is None and mode is None:
            mode = 0o666 & ~self.umask
        return super()._set_content(place, before, stored, mode, data)

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
        if path.startswith(f"{self.home}/") and not FileSystem.exists(self, self.home):
            parent = super()._place(self.home, follow=False, parents=True)
            self._make_directory(parent, 0o755)
        place = super()._place(path, follow=follow, parents=parents)
        if self._judge is not None:
            self._judge.check_write(place.path)
        return place

    def _node(self, path: str, *, follow: bool) -> Node:
        node = super()._node(path, follow=follow)
        if self._judge is not None:
            self._judge.check_write(node.path)
        return node

    def settle(self, path: str) -> None:
        """Have a question about changing a path answered before a transaction begins."""
        if self._judge is None:
            return
        directory, _, name = path.rpartition("/")
        try:
            real = super().realpath(path) if super().exists(path) else None
            where = super().realpath(directory or "/") if real is None else ""
        except VshellError:
            return  # what is wrong with it is said where it is changed
        self._judge.check_write(real or f"{where.rstrip('/')}/{name}")

    # What goes past single paths: whole trees, and the past.

    def rename(
        self, source: str, path: str, *, overwrite: bool = True, parents: bool = False
    ) -> None:
        self._check_tree(source, Judge.check_read)
        self._check_tree(source, Judge.check_write)
        if self.ledger is not None:
            self.ledger.require_seen(path)
        super().rename(source, path, overwrite=overwrite, parents=parents)

    def link(self, source: str, path: str, *, parents: bool = False) -> None:
        self._check_tree(source, Judge.check_read)
        self._check_tree(source, Judge.check_write)  # what is one file has one content
        super().link(source, path, parents=parents)

    def remove_tree(self, path: str) -> int:
        self._check_tree(path, Judge.check_write)
        return super().remove_tree(path)

    def copy_tree(
        self, source: str, path: str, *, parents: bool = False, preserve: bool = False
    ) -> int:
        self._check_tree(source, Judge.check_read)
        return super().copy_tree(source, path, parents=parents, preserve=preserve)

    def copy_entry(
        self, source: str, path: str, *, parents: bool = False, preserve: bool = False
    ) -> None:
        self._check_tree(source, Judge.check_read)
        super().copy_entry(source, path, parents=parents, preserve=preserve)

    def overwrite_from(self, source: str, path: str) -> None:
        self._check_tree(source, Judge.check_read)
        if self.ledger is not None:
            self.ledger.require_seen(path)
        super().overwrite_from(source, path)
        if self.ledger is not None:
            self.ledger.note_read(path, self.stat(path).hash)

    def _check_tree(self, path: str, check: Callable[[Judge, str], None]) -> None:
        """Judge what is at a path and all below it, hidden or not."""
        judge = self._judge
        if judge is None:
            return
        node = self._tree.find(path, follow=False)
        check(judge, node.path)
        if node.kind != DIRECTORY:
            return
        tree = self._tree
        hides, tree.hides = tree.hides, None
        try:
            below = tree.walk(node)
        finally:
            tree.hides = hides
        for entry in below:
            if judge.hides(entry.path):
                raise PermissionDeniedError(f"operation not permitted: {path}", path=path)
            check(judge, entry.path)

    def changes(self, **options: Any) -> list[Change]:
        return self._seen(super().changes(**options))

    def history(self, path: str, **options: Any) -> list[Change]:
        return self._seen(super().history(path, **options))

    def _seen(self, changes: list[Change]) -> list[Change]:
        judge = self._judge
        if judge is None:
            return changes
        return [
            each
            for each in changes
            if not judge.hides(each.path) and not (each.old_path and judge.hides(each.old_path))
        ]

    def _file(self, path: str) -> Inode:
        if self.reads is not None:
            self.reads[self._tree.find(path).path] = None
        if self._judge is not None:
            self._judge.check_read(self._tree.find(path).path)
        return super()._file(path)

    def read_many(self, entries: Iterable[EntryDetails]) -> Iterator[tuple[EntryDetails, bytes]]:
        plain = self._judge is None and self.reads is None
        return super().read_many(entries if plain else self._readable(entries))

    def _readable(self, entries: Iterable[EntryDetails]) -> Iterator[EntryDetails]:
        for entry in entries:
            if self._judge is not None and entry.kind != DIRECTORY:
                self._judge.check_read(entry.path)
            if self.reads is not None:
                self.reads[entry.path] = None
            yield entry


def home_of(environment: Mapping[str, str]) -> str:
    """Return the home directory that is imagined: one right below the root, as is `/root`."""
    home = environment.get("HOME", "")
    return home if home.count("/") == 1 and len(home) > 1 and home.startswith("/") else TEMPORARY


def _stat(path: str, kind: Any, mode: int) -> Stat:
    return Stat(path, kind, 0, mode, 0, 0, 1, 0, 0, None)


def _endless(device: str) -> Iterator[bytes]:
    while True:
        yield os.urandom(CHUNK_BYTES) if device == _RANDOM else bytes(CHUNK_BYTES)
