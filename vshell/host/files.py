"""A file of the host: opened without harm, written with its holes, told from all others."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from functools import cache
from typing import Final

from vshell.host.names import encoded
from vshell.limits import CHUNK_BYTES

__all__ = ["O_PATH", "Identity", "identity", "open_regular", "write_pieces"]

Identity = tuple[int, int]

O_PATH: Final[int] = getattr(os, "O_PATH", 0)
"""Opens a name without doing anything to what it leads to; 0 where there is no such thing."""

# Without O_NONBLOCK, opening a FIFO waits for a writer.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ZEROS: Final = bytes(CHUNK_BYTES)


def identity(status: os.stat_result) -> Identity:
    """Return what no two files of the host have in common at one time."""
    return status.st_dev, status.st_ino


def open_regular(name: str, directory: int) -> tuple[int, os.stat_result]:
    """Open a regular file for reading; return its descriptor and its metadata.

    Opening a device can already do something. So on Linux the name is first opened in a
    way that does nothing, and what that leads to is opened only if it is a file.

    Args:
        name: Its name.
        directory: The directory that it is in, open.

    Raises:
        OSError: It is something else, or cannot be opened.
    """
    given = encoded(name)
    if not O_PATH or not _has_proc():
        return _open_at_once(given, directory)
    descriptor = os.open(given, O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{descriptor}", flags), status
    finally:
        os.close(descriptor)


def _open_at_once(name: bytes, directory: int) -> tuple[int, os.stat_result]:
    try:
        descriptor = os.open(name, _READ, dir_fd=directory)
    except OSError as error:
        # A link, a socket, or a device without a driver.
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            raise OSError(errno.EINVAL, "not a regular file") from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return descriptor, status


@cache
def _has_proc() -> bool:
    return os.path.isdir("/proc/self/fd")


def write_pieces(descriptor: int, pieces: Iterable[bytes]) -> None:
    """Write pieces of content to an empty file; chunks of zeros become holes."""
    size = 0
    hole = False
    for piece in pieces:
        size += len(piece)
        hole = piece == _ZEROS
        if hole:
            os.lseek(descriptor, size, os.SEEK_SET)
            continue
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
    if hole:
        os.ftruncate(descriptor, size)
