"""Whether the database has changed since it was last looked at, in 0.1 us and without SQL.

A cache is only as good as the knowledge that it is still true. SQLite tells by
`data_version`, but only after a statement has started a read, which costs more
than the cached answer. In WAL mode every commit of every process also rewrites
the header of the WAL index, which all of them share in memory
(https://sqlite.org/walformat.html#the_wal_index_file_format): 48 bytes with a
counter of commits, the number of frames and a running checksum. Reading these
bytes tells of every commit that any process has finished.

The address comes from SQLite itself, through the documented `xShmMap` method of
the open file (https://sqlite.org/c3ref/io_methods.html). No second descriptor is
opened: closing one would drop this process' POSIX locks on the file.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Final, Protocol

import apsw

from vshell.fs.translation import translated

_HEADER_BYTES: Final = 48
_LOOKED_AT_BYTES: Final = 100
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_WAL_INDEX_VERSION: Final = 3007000
_SHARED_PAGE_BYTES: Final = 32768
_COMMITS: Final = struct.Struct("=8xI")
_LOG: Final = struct.Struct("=14xHI76xI")
"""The size of a page, the number of frames, and how many of them are in the database."""
_SHM_MAP_SLOT: Final = 13
"""`xShmMap` follows `iVersion` (padded to a pointer) and twelve other methods."""


class ChangeCounter(Protocol):
    """Tells whether anybody has committed since a state was taken."""

    def state(self) -> bytes:
        """Return the present state; equal states mean that nothing was committed between them."""

    def after_commit(self, before: bytes, *, changed: bool) -> bytes | None:
        """Return the state after this connection's own commit.

        Args:
            before: The state as it was inside the transaction.
            changed: Whether the commit certainly changed something; one that did not
                does not count, and what counts then is somebody else's.

        Returns:
            The new state, or None when somebody else has committed since.
        """

    def log_bytes(self) -> int | None:
        """Return how much of the log is committed; 0 when the database has all of it.

        None when that is not known. Call it while a read is pinned.
        """


class SharedChangeCounter:
    """Reads the header of the WAL index in shared memory.

    Args:
        index: The first bytes of the index; two copies of the header, and what follows.
    """

    def __init__(self, index: memoryview) -> None:
        self._index = index
        self._header = index[:_HEADER_BYTES]

    def state(self) -> bytes:
        return self._header.tobytes()

    def after_commit(self, before: bytes, *, changed: bool) -> bytes | None:
        now = self._header.tobytes()
        (commits_before,) = _COMMITS.unpack_from(before)
        (commits_now,) = _COMMITS.unpack_from(now)
        return now if (commits_now - commits_before) & 0xFFFFFFFF <= changed else None

    def log_bytes(self) -> int:
        page_bytes, frames, merged = _LOG.unpack_from(self._index)
        if merged >= frames:
            return 0
        # 65,536 does not fit into the field and is 1 there.
        page_bytes = 65536 if page_bytes == 1 else page_bytes
        return _LOG_HEADER_BYTES + int(frames) * (_FRAME_HEADER_BYTES + int(page_bytes))


class QueryChangeCounter:
    """Asks SQLite: slower, for where the shared memory cannot be read."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def state(self) -> bytes:
        try:
            self._connection.execute("select 1 from setting limit 1").fetchall()
        except apsw.Error as error:
            raise translated(error) from None
        return self._connection.data_version().to_bytes(8, "little", signed=True)

    def after_commit(self, before: bytes, *, changed: bool) -> bytes | None:  # noqa: ARG002
        # `data_version` moves with this connection's own commits, and with those
        # of others only once a read has begun, which none has yet.
        return self._connection.data_version().to_bytes(8, "little", signed=True)

    def log_bytes(self) -> None:
        return None


def open_change_counter(connection: apsw.Connection) -> ChangeCounter:
    """Return the fastest counter that works for `connection`, which must have read once."""
    index = _shared_index(connection)
    return SharedChangeCounter(index) if index else QueryChangeCounter(connection)


def _shared_index(connection: apsw.Connection) -> memoryview | None:
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    file = ctypes.c_void_p()
    found = connection.file_control("main", apsw.SQLITE_FCNTL_FILE_POINTER, ctypes.addressof(file))
    if not found or not file.value:
        return None
    methods = ctypes.c_void_p.from_address(file.value).value
    if not methods or ctypes.c_int.from_address(methods).value < 2:
        return None
    slot = ctypes.c_void_p.from_address(methods + _SHM_MAP_SLOT * 8).value
    if not slot:
        return None
    shm_map = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p
    )(slot)
    region = ctypes.c_void_p()
    if shm_map(file.value, 0, _SHARED_PAGE_BYTES, 0, ctypes.addressof(region)) or not region.value:
        return None
    index = memoryview((ctypes.c_char * _LOOKED_AT_BYTES).from_address(region.value)).cast("B")
    version = int.from_bytes(index[:4], sys.byteorder)
    return index if version == _WAL_INDEX_VERSION else None
