"""Records what is written to the files of a directory, and says what a power cut leaves.

Until a file is synced, the host may have brought any part of what was written to the disk,
in any order. So what survives is what was synced, and of the rest what chance picks, sector
by sector. Names behave as on a journalling file system: a power cut loses the last ones
made or removed since their directory was synced.

When SQLite syncs a log or deletes a file, its own Unix layer also syncs the directory
(https://sqlite.org/src/file/src/os_unix.c, `UNIXFILE_DIRSYNC` and `unixDelete`). The
recorder notes it at the same moments.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import apsw

SECTOR_BYTES: Final = 512

Kind = Literal["write", "truncate", "sync", "name", "unname", "sync names"]


class Event(NamedTuple):
    """One thing that happened to a file, or to the directory.

    Attributes:
        kind: What.
        file: The number of the file; 0 for the directory.
        offset: Where a write begins, or the size after a truncation.
        data: What was written.
        name: The name that was made or removed.
    """

    kind: Kind
    file: int = 0
    offset: int = 0
    data: bytes = b""
    name: str = ""


class Recorder:
    """Records what happens in one directory, as long as its file system is registered.

    Args:
        directory: What it holds already is on the disk.

    Attributes:
        events: What happened.
        adopted: How many events stand for what was there before.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.events: list[Event] = []
        self._files: dict[int, int] = {}
        self._count = 0
        for path in sorted(path for path in directory.iterdir() if path.is_file()):
            file = self.known(str(path))
            self.name(str(path), file)
            self.events.append(Event("sync", file))
        self.events.append(Event("sync names"))
        self.adopted = len(self.events)

    def known(self, path: str) -> int:
        """Return the number of a file; what an unknown one holds is noted as just written."""
        inode = os.stat(path).st_ino
        if inode not in self._files:
            number = self.new(inode)
            data = Path(path).read_bytes()
            if data:
                self.events.append(Event("write", number, 0, data))
        return self._files[inode]

    def flush(self, path: Path) -> None:
        """Note that the host has brought a file and its name to the disk."""
        self.events += (Event("sync", self.known(str(path))), Event("sync names"))

    def new(self, inode: int) -> int:
        self._count += 1
        self._files[inode] = self._count
        return self._count

    def name(self, path: str, file: int) -> None:
        if os.path.dirname(path) == str(self.directory):
            self.events.append(Event("name", file, name=os.path.basename(path)))

    def unname(self, path: str) -> None:
        if os.path.dirname(path) == str(self.directory):
            self.events.append(Event("unname", name=os.path.basename(path)))

    def forget(self, path: str) -> None:
        """Note that a file's last name goes: the host may give its inode to a new file."""
        status = os.stat(path)
        if status.st_nlink == 1:
            self._files.pop(status.st_ino, None)


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: Any, flags: list[int]) -> None:
        self._recorder = recorder
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        is_new = not os.path.exists(path)
        super().__init__("unix", name, flags)
        self._number = recorder.new(os.stat(path).st_ino) if is_new else recorder.known(path)
        if is_new:
            recorder.name(path, self._number)
        self._syncs_names = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))

    def xWrite(self, data: Any, offset: int) -> None:
        super().xWrite(data, offset)
        self._recorder.events.append(Event("write", self._number, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._recorder.events.append(Event("truncate", self._number, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._recorder.events.append(Event("sync", self._number))
        if self._syncs_names:
            self._recorder.events.append(Event("sync names"))
            self._syncs_names = False


class _RecordedFileSystem(apsw.VFS):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__("recorded", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> _RecordedFile:
        return _RecordedFile(self._recorder, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        if os.path.exists(filename):
            self._recorder.forget(filename)
        super().xDelete(filename, syncdir)
        self._recorder.unname(filename)
        if syncdir:
            self._recorder.events.append(Event("sync names"))


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Record what SQLite and Python's own calls do to files."""
    with _recorded_host_calls(recorder):
        file_system = _RecordedFileSystem(recorder)
        try:
            yield
        finally:
            file_system.unregister()


@contextmanager
def _recorded_host_calls(recorder: Recorder) -> Iterator[None]:
    originals: dict[str, Callable[..., Any]] = {
        name: getattr(os, name) for name in ("link", "unlink", "fsync")
    }

    def link(source: Any, target: Any, **options: Any) -> None:
        originals["link"](source, target, **options)
        recorder.name(os.fspath(target), recorder.known(os.fspath(source)))

    def unlink(path: Any, **options: Any) -> None:
        if not options and os.path.exists(path):
            recorder.forget(os.fspath(path))
            recorder.unname(os.fspath(path))
        originals["unlink"](path, **options)

    def fsync(descriptor: int) -> None:
        originals["fsync"](descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path == str(recorder.directory):
            recorder.events.append(Event("sync names"))
        elif os.path.isfile(path):
            recorder.events.append(Event("sync", recorder.known(path)))

    for name, replacement in (("link", link), ("unlink", unlink), ("fsync", fsync)):
        setattr(os, name, replacement)
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


# What survives.


@dataclass
class _Disk:
    """What is certainly on the disk, and what may be."""

    data: dict[int, bytearray] = field(default_factory=dict)
    pending: dict[int, list[Event]] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    pending_names: list[Event] = field(default_factory=list)


def survivors(events: list[Event], chance: random.Random) -> dict[str, bytes]:
    """Return the files, by name, that a power cut after these events may leave."""
    disk = _Disk()
    for event in events:
        if event.kind in ("write", "truncate"):
            disk.pending.setdefault(event.file, []).append(event)
        elif event.kind == "sync":
            data = disk.data.setdefault(event.file, bytearray())
            for pending in disk.pending.pop(event.file, ()):
                _apply(data, pending)
        elif event.kind == "sync names":
            _name(disk.names, disk.pending_names)
            disk.pending_names = []
        else:
            disk.pending_names.append(event)
    _name(disk.names, disk.pending_names[: _part(len(disk.pending_names), chance)])
    return {
        name: bytes(_survivor(disk, number, chance)) for name, number in sorted(disk.names.items())
    }


def _apply(data: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        del data[event.offset :]
        data.extend(bytes(event.offset - len(data)))
        return
    data.extend(bytes(max(0, event.offset - len(data))))
    data[event.offset : event.offset + len(event.data)] = event.data


def _name(names: dict[str, int], events: list[Event]) -> None:
    for event in events:
        if event.kind == "name":
            names[event.name] = event.file
        else:
            names.pop(event.name, None)


def _part(count: int, chance: random.Random) -> int:
    return chance.choice((0, count, chance.randint(0, count)))


def _survivor(disk: _Disk, number: int, chance: random.Random) -> bytearray:
    data = bytearray(disk.data.get(number, b""))
    pending = disk.pending.get(number, [])
    if chance.random() < 0.3:  # in order, the last one torn
        whole = _part(len(pending), chance)
        torn = [(pending[whole], 0.5)] if whole < len(pending) else []
        kept = [*((event, 1.0) for event in pending[:whole]), *torn]
    else:
        share = chance.choice((0.0, 0.05, 0.5, 0.95, 1.0))
        kept = [(event, share) for event in pending]
    for event, share in kept:
        if event.kind == "truncate":
            if chance.random() < share:
                _apply(data, event)
        elif share == 1.0 or (chance.random() < 0.5 and chance.random() < share):
            _apply(data, event)
        else:
            for sector in _sectors(event):
                if chance.random() < share:
                    _apply(data, sector)
    return data


def _sectors(event: Event) -> Iterator[Event]:
    """Yield the parts of a write that lie in one sector each."""
    start, end = event.offset, event.offset + len(event.data)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        data = event.data[start - event.offset : stop - event.offset]
        yield Event("write", event.file, start, data)
        start = stop
