"""Writing into a directory of the host in which somebody else may be at work.

What is new gets a temporary name in its own directory first, so that nobody sees half of
it, and then takes its place in one step that says whether the place was free. To replace
something, the two change places, and what came out is looked at once more: if it is not
what was expected, they change back.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from vshell.host import reason
from vshell.sync.looking import entry_of
from vshell.sync.places import Places, exchange, move_to_free_name
from vshell.sync.target import (
    DIRECTORY,
    FILE,
    TEMPORARY_PREFIX,
    TEMPORARY_SUFFIX,
    Entry,
    Operation,
    Outcome,
)

__all__ = ["DirectoryWriter"]

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PATH: Final[int] = getattr(os, "O_PATH", 0)
_OPEN_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OURS: Final = re.compile(
    rf"{re.escape(TEMPORARY_PREFIX)}[0-9a-f]{{12}}-[0-9]+{re.escape(TEMPORARY_SUFFIX)}"
)
_BITS: Final = 0o777
_HOLE_BYTES: Final = 4096
_LONG_AFTER: Final = 1 << 62

CHANGED: Final = "it changed meanwhile"
IMPOSSIBLE: Final = "its name is none"
TAKEN: Final = "something is there already"


class DirectoryWriter:
    """Does operations below a root."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._token = os.urandom(6).hex()
        self._temporaries = 0
        # Removing one name of a file changes the ctime that its other names show.
        self._unlinked: set[int] = set()

    def do(self, operation: Operation) -> Outcome:
        """Do one operation; see `Target.apply`."""
        above, _, name = operation.path.rpartition("/")
        if name in ("", ".", "..") or "\0" in operation.path:
            return Outcome(operation.path, None, IMPOSSIBLE)  # only a damaged workspace has it
        try:
            directory = self._places.descriptor(above)
            entry = self._do(operation, name, directory)
        except FileExistsError:
            return Outcome(operation.path, None, TAKEN)
        except _ChangedError:
            return Outcome(operation.path, None, CHANGED)
        except OSError as error:
            return Outcome(operation.path, None, reason(error))
        return Outcome(operation.path, entry)

    def _do(self, operation: Operation, name: str, directory: int) -> Entry | None:
        if operation.action == "remove":
            self._remove(operation, name, directory)
            return None
        if operation.action == "directory":
            return self._make_directory(operation, name, directory)
        if operation.action == "attributes":
            return self._set_attributes(operation, name, directory)
        temporary = self._temporary_name()
        try:
            if operation.action == "file":
                inode = self._write(operation, temporary, directory)
            else:
                inode = self._make_link(operation, temporary, directory)
            self._install(operation.seen, temporary, name, directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            raise
        now = _look(operation.path, name, directory)
        if now is None or now.inode != inode:
            raise _ChangedError
        return now

    # Making.

    def _write(self, operation: Operation, temporary: str, directory: int) -> int:
        descriptor = os.open(temporary, _CREATE, 0o600, dir_fd=directory)
        try:
            _write_all(descriptor, operation.pieces, operation.size)
            os.fchmod(descriptor, operation.mode & _BITS | stat.S_IRUSR)
            os.utime(descriptor, ns=(operation.mtime_ns, operation.mtime_ns))
            return os.fstat(descriptor).st_ino
        finally:
            os.close(descriptor)

    def _make_link(self, operation: Operation, temporary: str, directory: int) -> int:
        os.symlink(b"".join(operation.pieces), temporary.encode(), dir_fd=directory)
        times = (operation.mtime_ns, operation.mtime_ns)
        os.utime(temporary, ns=times, dir_fd=directory, follow_symlinks=False)
        return os.stat(temporary, dir_fd=directory, follow_symlinks=False).st_ino

    def _install(self, seen: Entry | None, temporary: str, name: str, directory: int) -> None:
        if seen is None:
            move_to_free_name(temporary, name, directory)
        else:
            self._replace(seen, temporary, name, directory)

    def _replace(self, seen: Entry, temporary: str, name: str, directory: int) -> None:
        self._require(seen, name, directory)
        if not exchange(temporary, name, directory):
            os.rename(temporary, _encoded(name), src_dir_fd=directory, dst_dir_fd=directory)
            return
        if not _is_still(seen, temporary, directory):
            exchange(temporary, name, directory)
            raise _ChangedError
        self._unlink(seen, temporary, directory)

    def _unlink(self, seen: Entry, name: str, directory: int) -> None:
        os.unlink(name, dir_fd=directory)
        self._unlinked.add(seen.inode)

    def _require(self, seen: Entry, name: str, directory: int) -> None:
        """Make sure that something is what was seen, as far as that can be told."""
        now = _look(seen.path, name, directory)
        if now is None or not self._is_what_was_seen(now, seen):
            raise _ChangedError

    def _is_what_was_seen(self, now: Entry, seen: Entry) -> bool:
        if now.inode in self._unlinked:
            now = now._replace(ctime_ns=seen.ctime_ns)
        return now.key == seen.key

    def _make_directory(self, operation: Operation, name: str, directory: int) -> Entry | None:
        os.mkdir(_encoded(name), stat.S_IRWXU, dir_fd=directory)
        self._places.forget(operation.path)
        return self._set_directory_mode(operation, name, directory)

    # Changing.

    def _set_attributes(self, operation: Operation, name: str, directory: int) -> Entry | None:
        seen = operation.seen
        assert seen is not None, "attributes are those of something"
        self._require(seen, name, directory)
        if seen.kind == DIRECTORY:
            return self._set_directory_mode(operation, name, directory)
        times = (operation.mtime_ns, operation.mtime_ns)
        if seen.kind != FILE:
            os.utime(_encoded(name), ns=times, dir_fd=directory, follow_symlinks=False)
            return _look(operation.path, name, directory)
        descriptor = os.open(
            _encoded(name), (_PATH or os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory
        )
        try:
            status = os.fstat(descriptor)
            if not self._is_what_was_seen(entry_of(operation.path, status, 0), seen):
                raise _ChangedError
            if status.st_nlink > 1:  # its other names are not ours to change
                return self._do(operation._replace(action="file"), name, directory)
            place: int | str = f"/proc/self/fd/{descriptor}" if _PATH else descriptor
            os.chmod(place, operation.mode & _BITS | stat.S_IRUSR)
            os.utime(place, ns=times)
            return entry_of(operation.path, os.fstat(descriptor), _LONG_AFTER)
        finally:
            os.close(descriptor)

    def _set_directory_mode(self, operation: Operation, name: str, directory: int) -> Entry:
        descriptor = os.open(_encoded(name), _OPEN_DIRECTORY, dir_fd=directory)
        try:
            os.fchmod(descriptor, operation.mode & _BITS | stat.S_IRWXU)
            return entry_of(operation.path, os.fstat(descriptor), 0)
        finally:
            os.close(descriptor)

    # Removing.

    def _remove(self, operation: Operation, name: str, directory: int) -> None:
        seen = operation.seen
        assert seen is not None, "what is removed was seen"
        now = _look(operation.path, name, directory)
        if now is None:
            return
        if seen.kind == DIRECTORY:
            if now.kind != DIRECTORY:
                raise _ChangedError
            self._places.forget(operation.path)
            os.rmdir(_encoded(name), dir_fd=directory)
            return
        if not self._is_what_was_seen(now, seen):
            raise _ChangedError
        temporary = self._temporary_name()
        move_to_free_name(name, temporary, directory)
        if not _is_still(seen, temporary, directory):
            move_to_free_name(temporary, name, directory)
            raise _ChangedError
        self._unlink(seen, temporary, directory)

    def remove_left_over(self, path: str) -> None:
        """Remove a temporary file of a writer that was killed."""
        above, _, name = path.rpartition("/")
        if _OURS.fullmatch(name):
            with suppress(OSError):
                os.unlink(name, dir_fd=self._places.descriptor(above))

    def _temporary_name(self) -> str:
        self._temporaries += 1
        return f"{TEMPORARY_PREFIX}{self._token}-{self._temporaries}{TEMPORARY_SUFFIX}"


class _ChangedError(OSError):
    """Something is not what it was."""


def _look(path: str, name: str, directory: int) -> Entry | None:
    try:
        status = os.stat(_encoded(name), dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return entry_of(path, status, _LONG_AFTER)


def _is_still(seen: Entry, name: str, directory: int) -> bool:
    """Tell whether something that was just renamed is what was seen: its ctime is new."""
    now = _look(seen.path, name, directory)
    return now is not None and now._replace(ctime_ns=seen.ctime_ns).key == seen.key


def _write_all(descriptor: int, pieces: Iterable[bytes], size: int) -> None:
    """Write pieces; those of nothing but zeros become holes."""
    written = 0
    has_hole = False
    for piece in pieces:
        written += len(piece)
        if len(piece) >= _HOLE_BYTES and not piece[0] and not piece.strip(b"\0"):
            os.lseek(descriptor, written, os.SEEK_SET)
            has_hole = True
            continue
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
    if written != size:
        raise OSError(errno.EIO, "its content in the workspace is incomplete")
    if has_hole and os.fstat(descriptor).st_size < size:
        os.ftruncate(descriptor, size)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
