"""How something in a directory of the host looks, and whether that can be trusted.

A stat key says that a file is what it was only if a further change would have altered it.
A file's times move with the kernel's clock, which ticks every few milliseconds: a change
in the same tick as the one before leaves them as they are. So what changed in the tick in
which it is looked at is *racy*, and read again the next time.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from typing import Final

from vshell.limits import CHUNK_BYTES, MAX_PATH_BYTES
from vshell.sync.target import DIRECTORY, FILE, OTHER, SYMLINK, Entry

__all__ = [
    "SLOW_TICK_NS",
    "coarse_ns",
    "entry_of",
    "is_same_file",
    "read_pieces",
    "wait_until_after",
]

_FORMAT: Final = 0o170000
_KINDS: Final = {stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK}
_SPECIAL: Final = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_ZEROS: Final = bytes(CHUNK_BYTES)
_SECOND_NS: Final = 10**9
SLOW_TICK_NS: Final = 2 * _SECOND_NS
"""Where a file system has no fractions of seconds, it may even have only every second one."""

_CLOCK: Final = getattr(time, "CLOCK_REALTIME_COARSE", time.CLOCK_REALTIME)
_TICK_NS: Final = max(int(time.clock_getres(_CLOCK) * _SECOND_NS), 1_000_000)
_LONGEST_WAIT_S: Final = 0.1


def coarse_ns() -> int:
    """Return the clock that file systems take times from, in nanoseconds since 1970."""
    return time.clock_gettime_ns(_CLOCK)


def entry_of(path: str, status: os.stat_result, start_ns: int) -> Entry:
    """Return what an entry is.

    Args:
        path: Its path.
        status: Its metadata.
        start_ns: When looking began, by `coarse_ns`.
    """
    mode = status.st_mode
    kind = _KINDS.get(mode & _FORMAT, OTHER)
    if kind == DIRECTORY:
        entry = Entry(path, kind, mode & 0o7777, 0, 0, 0, 0)
    else:
        changed_ns = status.st_ctime_ns
        entry = Entry(
            path,
            kind,
            mode & 0o7777,
            status.st_size,
            status.st_mtime_ns,
            changed_ns,
            status.st_ino,
            _is_racy(changed_ns, start_ns),
        )
    if kind == OTHER:
        return entry._replace(reason=_SPECIAL.get(mode & _FORMAT, "something special"))
    if len(path) >= MAX_PATH_BYTES // 4 and _is_too_long(path):
        return entry._replace(kind=OTHER, reason="its path is too long")
    return entry


def _is_racy(changed_ns: int, start_ns: int) -> bool:
    """Tell whether something changed in the clock's tick before it was looked at."""
    return changed_ns >= start_ns - (_TICK_NS if changed_ns % _SECOND_NS else SLOW_TICK_NS)


def _is_too_long(path: str) -> bool:
    # In the workspace it begins with a slash.
    return len(path.encode("utf-8", "surrogateescape")) + 1 > MAX_PATH_BYTES - 1


def is_same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Tell whether nothing happened to a file between two looks at it."""
    return (
        one.st_ino == other.st_ino
        and one.st_dev == other.st_dev
        and one.st_ctime_ns == other.st_ctime_ns
        and one.st_mtime_ns == other.st_mtime_ns
        and one.st_size == other.st_size
        and one.st_mode == other.st_mode
    )


def read_pieces(descriptor: int, status: os.stat_result) -> Iterator[bytes]:
    """Yield as many bytes as an open file has by its metadata; holes are not read."""
    size = status.st_size
    start = 0
    while start < size:
        start, data_start, data_end = _next_data(descriptor, start, size, status)
        for hole in range(start, data_start, CHUNK_BYTES):
            length = min(CHUNK_BYTES, data_start - hole)
            yield _ZEROS if length == CHUNK_BYTES else bytes(length)
        start = data_start
        while start < data_end:
            piece = os.pread(descriptor, min(CHUNK_BYTES, data_end - start), start)
            if not piece:
                return  # it was cut; who reads it will see that it changed
            yield piece
            start += len(piece)


def _next_data(
    descriptor: int, start: int, size: int, status: os.stat_result
) -> tuple[int, int, int]:
    """Return where a file goes on: at `start` with a hole, then with data up to an end."""
    if status.st_blocks * 512 >= size or not hasattr(os, "SEEK_DATA"):
        return start, start, size
    try:
        data_start = min(os.lseek(descriptor, start, os.SEEK_DATA), size)
        data_end = min(os.lseek(descriptor, data_start, os.SEEK_HOLE), size)
    except OSError:  # ENXIO: nothing but a hole up to the end
        return start, size, size
    return start, data_start, data_end


def wait_until_after(time_ns: int) -> None:
    """Wait until changes to files get later times than this one, which is a few milliseconds."""
    deadline_s = time.monotonic() + _LONGEST_WAIT_S
    while coarse_ns() <= time_ns and time.monotonic() < deadline_s:
        time.sleep(0.0005)
