"""A directory of the host as the other side of a mirror: a checkout, or a bind mount.

Whoever works in it, perhaps as root in a container, may plant links, swap directories and
make devices while it is read. So every name is looked up in a directory that is open
already and never through a link; what is read is first opened without any effect
(`O_PATH`), and really opened only if it is a regular file; and nothing is written in
place, so that neither a link's target nor another name of a file ever changes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from typing import Final

from vshell.errors import ConflictError, NotFoundError, PermissionDeniedError, TooLargeError
from vshell.fs.bulk import open_database_files
from vshell.host import HostPath, Identity, identity, open_regular, reason, translated
from vshell.limits import MAX_NAME_BYTES, MAX_PATH_BYTES
from vshell.sync.directory_writing import DirectoryWriter
from vshell.sync.looking import (
    SLOW_TICK_NS,
    coarse_ns,
    entry_of,
    is_same_file,
    read_pieces,
    wait_until_after,
)
from vshell.sync.places import Places
from vshell.sync.rules import MARKER, DirectoryTiers, Rules
from vshell.sync.target import (
    DIRECTORY,
    FILE,
    OTHER,
    SYMLINK,
    TEMPORARY_PREFIX,
    Content,
    Entry,
    Fetched,
    Operation,
    Outcome,
    Root,
    is_temporary,
)

__all__ = ["DirectoryTarget"]

ATTEMPTS: Final = 3
"""How often a file is read that changes meanwhile."""

_ATTRIBUTE: Final = "user.vshell.root"
_SUBJECT: Final = "the mirror's directory"
_UTF_8: Final = sys.getfilesystemencoding() == "utf-8"
_LOCK_POLL_S: Final = 0.01
_PATH_OF: Final = itemgetter(0)
_FORMAT: Final = 0o170000
_SHORT: Final = MAX_PATH_BYTES // 4 - MAX_NAME_BYTES
"""With so few characters above it, no name makes a path too long."""

_new_tuple: Final = tuple.__new__
_LISTED: Final = 100
"""How many entries of a scan come together, at least."""


class DirectoryTarget:
    """A directory of the host.

    Args:
        directory: Its path, in which links are followed; below it none is.

    Raises:
        PermissionDeniedError: It is the root of the host.
    """

    kind = "directory"

    def __init__(self, directory: HostPath) -> None:
        self.path = os.path.abspath(directory)
        self._root = -1
        self._places: Places | None = None
        self._left_over: list[str] = []
        if os.path.realpath(self.path) == os.path.realpath("/"):
            raise PermissionDeniedError(
                "the root of the host is no mirror", hint="name a directory in it"
            )

    # Which directory it is.

    @contextmanager
    def lock(self, timeout_s: float, *, create: bool = False) -> Iterator[None]:
        """Open the directory and keep others from synchronising it; see `Target`."""
        self._open(create=create)
        try:
            self._wait(timeout_s)
            yield
        finally:
            self.close()

    def _open(self, *, create: bool) -> None:
        try:
            if create:
                os.makedirs(self.path, exist_ok=True)
            self._root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise NotFoundError(
                    f"{_SUBJECT} is not there", hint="make it, or restore it where it was"
                ) from None
            raise translated(error, _SUBJECT) from None
        self._places = Places(self._root)

    def _wait(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    raise ConflictError(
                        "another synchronisation of this directory is running",
                        hint="try again when it is done",
                    ) from None
                time.sleep(_LOCK_POLL_S)
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
                    raise translated(error, _SUBJECT) from None
                return  # a file system without locks: the checks of each step remain
            else:
                return

    def close(self) -> None:
        """Close the directory; see `Target`."""
        if self._places is not None:
            self._places.close()
            self._places = None
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def identify(self) -> Root:
        """Read the mark: an extended attribute, or where there are none a file."""
        with suppress(OSError, AttributeError):
            return Root(os.getxattr(self._root, _ATTRIBUTE).decode("ascii", "replace"))
        try:
            descriptor, _ = open_regular(MARKER, self._root)
        except OSError:
            return Root(None)
        with os.fdopen(descriptor, "rb") as file:
            return Root(file.read(64).decode("ascii", "replace").strip() or None)

    def mark(self, uuid: str) -> None:
        """Give the directory a mark; see `Target`."""
        try:
            os.setxattr(self._root, _ATTRIBUTE, uuid.encode())
        except (OSError, AttributeError):
            writer = DirectoryWriter(self._opened())
            made = Operation(MARKER, "file", None, 0o644, time.time_ns(), 0, [f"{uuid}\n".encode()])
            failure = writer.do(made).reason
            if failure:
                raise PermissionDeniedError(f"{_SUBJECT} cannot be marked: {failure}") from None

    # Looking.

    def scan(self, rules: Rules, *, max_entries: int) -> Iterator[list[Entry]]:
        """Walk the directory; see `Target`."""
        self._left_over = []
        walk = _Walk(self._opened(), self._left_over, max_entries)
        top = rules.top()
        pending = [(iter(walk.entries("", top)), top)]
        ready: list[Entry] = []
        while pending:
            if len(ready) >= _LISTED:
                yield ready
                ready = []
            entries, tiers = pending[-1]
            for entry in entries:
                if entry[1] != DIRECTORY:
                    ready.append(entry)
                    continue
                below = tiers.child(entry.path.rpartition("/")[2])
                try:
                    found = walk.entries(entry.path, below)
                except TooLargeError:  # is an OSError too, and no matter of this directory
                    raise
                except OSError as error:
                    ready.append(entry._replace(kind=OTHER, reason=reason(error)))
                    continue
                ready.append(entry)
                if walk.has_directories:
                    pending.append((iter(found), below))
                else:
                    ready += found
                break
            else:
                pending.pop()
        if ready:
            yield ready

    def directories(self, places: Places, rules: Rules) -> Iterator[str]:
        """Yield the paths of all directories that belong to a mirror, in no certain order."""
        pending = [("", rules.top())]
        while pending:
            path, tiers = pending.pop()
            with suppress(OSError), os.scandir(places.descriptor(path)) as found:
                for item in found:
                    name = _name(item.name)
                    if not item.is_dir(follow_symlinks=False):
                        continue
                    if tiers.tier(name, is_directory=True) == "synced":
                        below = f"{path}/{name}" if path else name
                        pending.append((below, tiers.child(name)))
                        yield below

    def fetch(
        self, entries: Iterable[Entry], store: Callable[[Iterable[bytes]], Content]
    ) -> Iterator[Fetched[Content]]:
        """Read files and links; see `Target`."""
        for entry in entries:
            yield self._fetch(entry, store)

    def _fetch(self, entry: Entry, store: Callable[[Iterable[bytes]], Content]) -> Fetched[Content]:
        above, _, name = entry.path.rpartition("/")
        start_ns = coarse_ns()
        try:
            directory = self._opened().descriptor(above)
            if entry.kind == SYMLINK:
                return _fetch_link(entry, name, directory, start_ns, store)
            for _ in range(ATTEMPTS):
                start_ns = coarse_ns()
                descriptor, status = open_regular(name, directory)
                try:
                    content = store(read_pieces(descriptor, status))
                    if is_same_file(os.fstat(descriptor), status):
                        return Fetched(entry_of(entry.path, status, start_ns), content)
                finally:
                    os.close(descriptor)
        except FileNotFoundError:
            return Fetched(None, None)
        except OSError as error:
            return Fetched(entry, None, reason(error))
        return Fetched(entry, None, "it keeps changing while it is read")

    # Writing.

    def apply(self, operations: Iterable[Operation]) -> Iterator[Outcome]:
        """Write; see `Target`."""
        writer = DirectoryWriter(self._opened())
        while self._left_over:
            writer.remove_left_over(self._left_over.pop())
        latest_ns = 0
        for operation in operations:
            outcome = writer.do(operation)
            if outcome.entry is not None:
                latest_ns = max(latest_ns, outcome.entry.ctime_ns)
            yield outcome
        wait_until_after(latest_ns)

    def _opened(self) -> Places:
        assert self._places is not None, "the target is used inside its lock"
        return self._places


class _Walk:
    """Lists directories, until there are too many entries.

    Attributes:
        has_directories: Whether there is a directory in the last one that was listed.
    """

    def __init__(self, places: Places, left_over: list[str], max_entries: int) -> None:
        self._places = places
        self._left_over = left_over
        self._max_entries = max_entries
        self._count = 0
        self.has_directories = False
        self._hidden = _open_databases()
        self._hidden_inodes = frozenset(number for _, number in self._hidden)
        self._start_ns = coarse_ns()

    def entries(self, path: str, tiers: DirectoryTiers) -> list[Entry]:
        """Return what is in a directory, sorted.

        Raises:
            OSError: It cannot be read.
            TooLargeError: It has too many entries.
        """
        above = f"{path}/" if path else ""
        found: list[Entry] = []
        directories = 0
        some_names = tiers.some_names
        hidden_inodes, start_ns = self._hidden_inodes, self._start_ns
        certain_ns = start_ns - SLOW_TICK_NS
        room = self._max_entries - self._count
        is_short = len(above) < _SHORT
        # The entries are looked at right away, while their directory is open.
        with os.scandir(self._places.descriptor(path)) as items:
            for item in items:
                name = item.name if _UTF_8 else _name(item.name)
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    found.append(Entry(above + name, OTHER, 0, 0, 0, 0, 0, False, reason(error)))
                    continue
                # Most names cannot be meant by any rule, and most inodes are nobody's.
                if (
                    some_names is None or name in some_names or name[:8] == TEMPORARY_PREFIX
                ) and self._is_left_out(above, name, status, tiers):
                    continue
                if status.st_ino in hidden_inodes and identity(status) in self._hidden:
                    continue
                mode = status.st_mode
                changed_ns = status.st_ctime_ns
                if mode & _FORMAT == stat.S_IFREG and changed_ns < certain_ns and is_short:
                    # What `entry_of` returns, without its questions: nearly all are like this.
                    entry = _new_tuple(
                        Entry,
                        (
                            above + name,
                            FILE,
                            mode & 0o7777,
                            status.st_size,
                            status.st_mtime_ns,
                            changed_ns,
                            status.st_ino,
                            False,
                            "",
                        ),
                    )
                else:
                    entry = entry_of(above + name, status, start_ns)
                    directories += entry[1] == DIRECTORY
                found.append(entry)
                if len(found) > room:
                    raise self._too_many()
        self._count += len(found)
        self.has_directories = directories > 0
        _sort(found)
        return found

    def _is_left_out(
        self, above: str, name: str, status: os.stat_result, tiers: DirectoryTiers
    ) -> bool:
        is_directory = stat.S_ISDIR(status.st_mode)
        if tiers.tier(name, is_directory=is_directory) == "synced":
            return False
        if not is_directory and is_temporary(name):
            self._left_over.append(above + name)
        return True

    def _too_many(self) -> TooLargeError:
        return TooLargeError(
            f"{_SUBJECT} has more than {self._max_entries} entries",
            hint="exclude what need not be synchronised, or raise the limit",
        )


def _sort(entries: list[Entry]) -> None:
    """Sort the entries of one directory by the bytes of their names."""
    if all(map(str.isascii, map(_PATH_OF, entries))):
        entries.sort(key=_PATH_OF)
    else:
        entries.sort(key=_by_path)


def _fetch_link(
    entry: Entry,
    name: str,
    directory: int,
    start_ns: int,
    store: Callable[[Iterable[bytes]], Content],
) -> Fetched[Content]:
    encoded = name.encode("utf-8", "surrogateescape")
    before = os.stat(encoded, dir_fd=directory, follow_symlinks=False)
    if not stat.S_ISLNK(before.st_mode):
        return Fetched(entry, None, "it changed meanwhile")
    target = os.readlink(encoded, dir_fd=directory)
    after = os.stat(encoded, dir_fd=directory, follow_symlinks=False)
    if not is_same_file(before, after):
        return Fetched(entry, None, "it changed meanwhile")
    return Fetched(entry_of(entry.path, after, start_ns), store([target]))


def _open_databases() -> frozenset[Identity]:
    """Return what identifies the files of open workspaces: they may lie in the directory."""
    found = set()
    for path in open_database_files():
        with suppress(OSError):
            found.add(identity(os.stat(path)))
    return frozenset(found)


def _name(name: str) -> str:
    return name if _UTF_8 else os.fsencode(name).decode("utf-8", "surrogateescape")


def _by_path(entry: Entry) -> bytes:
    return entry.path.encode("utf-8", "surrogateescape")
