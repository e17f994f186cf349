"""Confinement of a worker: a process of vshell's own that reads hostile input.

It is an ordinary Python process with threads and SQLite, and keeps one directory, or the
files of one database. `confine_worker` takes the rest away: other files of the host, the network,
other processes, starting programs. It is called once, in a process with one thread,
before anything that is not trusted is read.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vshell.errors import UnavailableError
from vshell.jail import kernel, landlock, namespaces
from vshell.jail.filters import lock_worker
from vshell.record import Record

__all__ = ["WorkerConfinement", "code_paths", "confine_worker"]

_WORKER_NAMESPACES: Final = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/zero")
_LIBRARIES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_SYSTEM_FILES: Final = ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")


@dataclass(frozen=True, slots=True)
class WorkerConfinement(Record):
    """What confines a worker.

    Attributes:
        files: Whether other files are out of reach (Landlock).
        network: Whether the network is (a namespace without one, and the filter).
        calls: Whether the filter of system calls is on: no sockets, programs, signals.
    """

    files: bool
    network: bool
    calls: bool

    @property
    def is_full(self) -> bool:
        """Whether nothing is missing."""
        return self.files and self.network and self.calls


def code_paths() -> list[Path]:
    """Return what a Python process reads to import modules, and the devices it opens."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    places |= {*_DEVICES, *_LIBRARIES, *_SYSTEM_FILES}
    # Not all of `sys.path`: its first entry may be wherever the host was started.
    places |= {entry for entry in sys.path if entry.endswith(("-packages", ".zip"))}
    places.add(str(Path(__file__).parents[1]))
    return sorted({Path(place).resolve() for place in places if Path(place).exists()})


def confine_worker(
    directory: str | os.PathLike[str] | None,
    *,
    files: Sequence[str | os.PathLike[str]] = (),
    readable: Sequence[Path] | None = None,
    allow_partial: bool = False,
) -> WorkerConfinement:
    """Take everything from this process but one directory or some files, for ever.

    Descriptors that are open stay open, so sockets to the host go on working.

    Args:
        directory: What it keeps: it can read, change, make and remove files below it. None:
            only `files`.
        files: Single files that it can read and change, which exist: those of a database
            that stands in a directory with other things. While another process has the
            database open, SQLite makes no new ones.
        readable: What else it can read; `code_paths()` by default.
        allow_partial: Whether to go on with what the platform offers. The result says what
            that is. Without it, nothing less than all is accepted.

    Raises:
        UnavailableError: Something is missing, and `allow_partial` is false. The process
            may be confined in part then, and should end.
    """
    kept = [Path(each).resolve() for each in (*files, *([] if directory is None else [directory]))]
    paths = code_paths() if readable is None else list(readable)
    network = _attempt(lambda: namespaces.enter(_WORKER_NAMESPACES, keep_user=True))
    restricted = _attempt(lambda: landlock.restrict(writable=kept, readable=paths))
    _attempt(namespaces.drop_capabilities)
    calls = _attempt(lock_worker)
    found = WorkerConfinement(files=restricted, network=network or calls, calls=calls)
    if not found.is_full and not allow_partial:
        missing = [name for name, there in found.as_dict().items() if not there]
        raise UnavailableError(
            f"the worker cannot be confined here: no control of {' and '.join(missing)}",
            hint="see `vshell doctor`; it needs Linux 5.13 with Landlock and seccomp",
        )
    return found


def _attempt(step: Callable[[], object]) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        step()
    except (OSError, UnavailableError, AttributeError):
        return False
    return True
