"""A file system between SQLite and the host's in which any call can fail.

The calls of SQLite's file methods come through apsw; those with which Python itself makes
and copies databases are replaced in `os`; the locks that processes share in a database
with a log are intercepted in the table of the open file's methods.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

import apsw

from vshell.workspace import Workspace


class Fault(NamedTuple):
    """Which call fails, and how.

    Attributes:
        call: `"read"`, `"write"`, ..., or `"host link"` and so on for calls of Python's own.
        number: Which of these calls, from 1.
        mode: `"error"`, `"full"`, `"torn"` (half is written, then the disk is full), `"short"`
            (the file seems to end), `"busy"` or `"slow"`.
        lasting: Also all such calls after it, until the caller has got an error.
    """

    call: str
    number: int
    mode: str
    lasting: bool = False


_CODES: Final = {
    "open": apsw.SQLITE_CANTOPEN,
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "size": apsw.SQLITE_IOERR_FSTAT,
    "lock": apsw.SQLITE_IOERR_LOCK,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "access": apsw.SQLITE_IOERR_ACCESS,
}
_SLOW_S: Final = 0.002
HOST_CALLS: Final = ("open", "link", "unlink", "mkdir", "rmdir", "fsync")


class FaultPlan:
    """Counts the calls while it is active, and says which of them fails."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.happened = False
        self.active = False

    def arm(self, fault: Fault | None) -> None:
        self.calls.clear()
        self.fault = fault
        self.happened = False

    @contextmanager
    def on(self) -> Iterator[None]:
        self.active = True
        try:
            yield
        finally:
            self.active = False

    @contextmanager
    def off(self) -> Iterator[None]:
        before, self.active = self.active, False
        try:
            yield
        finally:
            self.active = before

    def strikes(self, call: str) -> str | None:
        """Count a call; return the mode in which it fails, if it does."""
        if not self.active:
            return None
        self.calls[call] += 1
        fault = self.fault
        if fault is None or fault.call != call:
            return None
        number = self.calls[call]
        if number != fault.number and not (fault.lasting and number > fault.number):
            return None
        self.happened = True
        if fault.mode == "slow":
            time.sleep(_SLOW_S)
            return None
        return fault.mode

    def torn(self) -> None:
        """Half of a write is done."""

    def check(self, call: str) -> None:
        """Count a call, and fail it if it is its turn."""
        mode = self.strikes(call)
        if mode is not None:
            raise failure(call, mode)


def failure(call: str, mode: str) -> Exception:
    """Return the error with which a call of the file system fails."""
    if mode in ("full", "torn"):
        return apsw.exception_for(apsw.SQLITE_FULL)
    if mode == "busy":
        return apsw.exception_for(apsw.SQLITE_BUSY)
    return apsw.exception_for(_CODES[call.removeprefix("log ")])


class FaultyFile(apsw.VFSFile):
    """A file whose calls can fail."""

    def __init__(self, plan: FaultPlan, name: Any, flags: list[int]) -> None:
        self._plan = plan
        self._prefix = "log " if flags[0] & apsw.SQLITE_OPEN_WAL else ""
        super().__init__("unix", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        mode = self._plan.strikes(f"{self._prefix}read")
        if mode == "error":
            raise failure("read", mode)
        data = super().xRead(amount, offset)
        return data[: len(data) // 2] if mode == "short" else data

    def xWrite(self, data: Any, offset: int) -> None:
        mode = self._plan.strikes(f"{self._prefix}write")
        if mode == "torn":
            super().xWrite(bytes(data)[: len(data) // 2], offset)
            self._plan.torn()
        if mode is not None:
            raise failure("write", mode)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._plan.check("truncate")
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._plan.check("sync")
        super().xSync(flags)

    def xFileSize(self) -> int:
        self._plan.check("size")
        return super().xFileSize()

    def xLock(self, level: int) -> None:
        self._plan.check("lock")
        super().xLock(level)


class FaultyFileSystem(apsw.VFS):
    """The host's file system, with faults; SQLite's default as long as it is registered."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> FaultyFile:
        self._plan.check("open")
        return FaultyFile(self._plan, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._plan.check("delete")
        super().xDelete(filename, syncdir)

    def xAccess(self, pathname: str, flags: int) -> bool:
        self._plan.check("access")
        return super().xAccess(pathname, flags)


@contextmanager
def faulty_file_system(plan: FaultPlan) -> Iterator[None]:
    """Put a plan's faults between SQLite and the host, and into Python's own calls."""
    with _faulty_host_calls(plan):
        file_system = FaultyFileSystem(plan)
        try:
            yield
        finally:
            file_system.unregister()


@contextmanager
def _faulty_host_calls(plan: FaultPlan) -> Iterator[None]:
    """Count and fail the calls with which Python makes and copies databases."""
    thread = threading.get_ident()
    originals = {name: getattr(os, name) for name in HOST_CALLS}

    def wrapped(name: str) -> Callable[..., object]:
        def call(*values: Any, **options: Any) -> object:
            here = plan.active and threading.get_ident() == thread and _concerns(values[0])
            mode = plan.strikes(f"host {name}") if here else None
            if mode is not None:
                number = errno.EIO if mode == "error" else errno.ENOSPC
                raise OSError(number, os.strerror(number))
            return originals[name](*values, **options)

        return call

    for name in HOST_CALLS:
        setattr(os, name, wrapped(name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def _concerns(subject: object) -> bool:
    """Tell whether a call of Python's concerns a workspace's file, or one beside it."""
    return isinstance(subject, int) or b"agent.db" in os.fsencode(cast("str", subject))


# The locks that processes share in a database with a log are no calls that apsw hands
# to Python. Their slot in the table of the open file's methods is replaced instead.

_SHARED_LOCK_SLOT: Final = 14
_METHODS: Final = 17
_UNLOCK: Final = 1
_LOCK_TYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int
)
_kept: list[object] = []
"""SQLite may call what it was given until the process ends."""


def intercept_shared_locks(workspace: Workspace, plan: FaultPlan) -> None:
    """Have a plan decide whether an open workspace gets a shared lock (`"shared lock"`)."""
    file = ctypes.c_void_p()
    connection = workspace.files.store.database._connection
    connection.file_control("main", apsw.SQLITE_FCNTL_FILE_POINTER, ctypes.addressof(file))
    assert file.value is not None
    methods = ctypes.c_void_p.from_address(file.value)
    assert methods.value is not None
    table = (ctypes.c_void_p * _METHODS)()
    ctypes.memmove(table, methods.value, ctypes.sizeof(table))
    original = _LOCK_TYPE(table[_SHARED_LOCK_SLOT] or 0)

    def lock(pointer: int, offset: int, count: int, flags: int) -> int:
        if not flags & _UNLOCK and plan.strikes("shared lock") == "busy":
            return int(apsw.SQLITE_BUSY)
        return int(original(pointer, offset, count, flags))

    replacement = _LOCK_TYPE(lock)
    table[_SHARED_LOCK_SLOT] = ctypes.cast(replacement, ctypes.c_void_p).value
    _kept.extend((table, replacement, original))
    methods.value = ctypes.addressof(table)
