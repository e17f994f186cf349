"""Synchronising whenever something happens, on either side.

The kernel tells what happens in the mirror (inotify), the workspace's change counter what
happens in the workspace. An event only says that it is time to look: what is done is
decided by a whole synchronisation, so an event that is lost costs time and nothing else.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, Final, NamedTuple, Self

from vshell.fs.filesystem import FileSystem
from vshell.sync.directory import DirectoryTarget
from vshell.sync.places import Places
from vshell.sync.results import SyncResult
from vshell.sync.rules import Rules
from vshell.sync.target import Target

__all__ = ["Events", "Pace", "watch"]

_UNATTENDED_S: Final = 1.0
"""How often to look where no events come."""

_LONGEST_SETTLING_S: Final = 2.0
_RETRY_S: Final = 1.0
"""How long to wait at least after a synchronisation that could do nothing but skip."""

_MASK: Final = (
    0x002 | 0x004 | 0x008 | 0x040 | 0x080 | 0x100 | 0x200 | 0x400 | 0x800  # what changes
) | (0x01000000 | 0x02000000)  # only directories, no links
_BUFFER_BYTES: Final = 64 * 1024
_MAX_WATCHES: Final = 100_000


class Pace(NamedTuple):
    """How often to look, in seconds; see `Mirror.watch`."""

    poll_s: float
    rescan_s: float
    settle_s: float


def watch(
    files: FileSystem,
    target: Target,
    synchronise: Callable[[], SyncResult],
    rules: Rules,
    *,
    pace: Pace,
    stop: Callable[[], bool],
) -> Iterator[SyncResult]:
    """Yield what happens; see `Mirror.watch`."""
    with Events() as events:
        first = True
        while not stop():
            events.attend(target, rules)
            events.drain()
            state = _state(files)
            result = synchronise()
            if first or result.changed or result.conflicts:
                yield result
            first = False
            own = _state(files)
            if files.revision() == result.revision:
                state = own  # nobody else has changed a file since
            # What fails each time can be seen as an event each time.
            pause_s = 0.0 if result.changed or not result.skipped else _RETRY_S
            _wait(files, events, state, earliest_s=time.monotonic() + pause_s, pace=pace, stop=stop)


def _state(files: FileSystem) -> bytes:
    with files.store.lock:
        return files.store.fresh()


def _wait(
    files: FileSystem,
    events: Events,
    state: bytes,
    *,
    earliest_s: float,
    pace: Pace,
    stop: Callable[[], bool],
) -> None:
    """Return once something happened and went quiet, or the time is over."""
    now_s = time.monotonic()
    limit_s = pace.rescan_s if events.complete else min(pace.rescan_s, _UNATTENDED_S)
    deadline_s = now_s + limit_s
    settled_s: float | None = None
    give_up_s = 0.0
    while now_s < deadline_s and not stop():
        happened = events.wait(
            pace.poll_s if settled_s is None else min(pace.poll_s, pace.settle_s)
        )
        now = _state(files)
        now_s = time.monotonic()
        if happened or now != state:
            state = now
            if settled_s is None:
                give_up_s = now_s + _LONGEST_SETTLING_S
            settled_s = min(now_s + pace.settle_s, give_up_s)
        if settled_s is not None and now_s >= max(settled_s, earliest_s):
            return


class Events:
    """Tells that something happens in a directory; where nothing can, `complete` is false."""

    def __init__(self) -> None:
        self.complete = False
        self._descriptor = _inotify()
        self._watched: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def attend(self, target: Target, rules: Rules) -> None:
        """Watch all directories of a target that belong to the mirror."""
        if self._descriptor < 0 or not isinstance(target, DirectoryTarget):
            return
        try:
            root = os.open(target.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            self.complete = False
            return
        places = Places(root)
        try:
            self.complete = self._add_all(places, target.directories(places, rules))
        finally:
            places.close()
            os.close(root)

    def _add_all(self, places: Places, directories: Iterator[str]) -> bool:
        complete = self._add(places, "")
        for path in directories:
            complete = self._add(places, path) and complete
        return complete

    def _add(self, places: Places, path: str) -> bool:
        if len(self._watched) >= _MAX_WATCHES:
            return False
        try:
            descriptor = places.descriptor(path)
        except OSError:
            return True  # it went meanwhile; its directory tells
        added = _add_watch()(
            self._descriptor, f"/proc/self/fd/{descriptor}/.".encode(), ctypes.c_uint32(_MASK)
        )
        self._watched.add(path)
        return bool(added >= 0)

    def wait(self, timeout_s: float) -> bool:
        """Wait for an event; return whether there was one."""
        if self._descriptor < 0:
            time.sleep(timeout_s)
            return False
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        return self.drain() if ready else False

    def drain(self) -> bool:
        """Take the events that are there; return whether there were any."""
        happened = False
        with suppress(BlockingIOError):
            while self._descriptor >= 0 and os.read(self._descriptor, _BUFFER_BYTES):
                happened = True
        return happened


@cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _add_watch() -> Any:
    return _library().inotify_add_watch


def _inotify() -> int:
    """Return a descriptor for events, or -1 where there are none."""
    if sys.platform != "linux":
        return -1
    try:
        descriptor: int = _library().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    except AttributeError:
        return -1
    return descriptor
