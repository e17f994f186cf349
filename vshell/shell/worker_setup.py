"""What a worker does to its own process: the files that it will reach, its memory, its end."""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress
from typing import BinaryIO


def database_files(path: str) -> list[str]:
    """Return the files of a database, which are all that this process will reach.

    The host has the database open, so that SQLite has made the other two; where it has
    not yet, they begin empty.
    """
    files = [path, f"{path}-wal", f"{path}-shm"]
    mode = os.stat(path).st_mode & 0o777
    for each in files[1:]:
        with suppress(OSError):  # a directory that cannot be written: there are none then
            os.close(os.open(each, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode))
    return [each for each in files if os.path.exists(each)]


def own_sizes() -> BinaryIO | None:
    """Return what tells how much memory the process takes; confined, it could not be opened."""
    with suppress(OSError):  # where there is no /proc, the host's own limits are what there is
        return open("/proc/self/statm", "rb", buffering=0)
    return None


def limit_memory(sizes: BinaryIO | None, extra_bytes: int) -> None:
    """Let the process take no more address space than it has and this much."""
    try:
        import resource
    except ImportError:
        return
    if sizes is None:
        return
    sizes.seek(0)
    taken = int(sizes.read(200).split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + extra_bytes, resource.RLIM_INFINITY))


def die_with_host(connection: socket.socket) -> None:
    """End the process when the host is gone, whatever a script does meanwhile."""
    watch = select.poll()
    watch.register(connection.fileno(), 0)  # what is always told: that the other side left
    watch.poll()
    os._exit(0)
