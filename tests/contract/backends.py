"""Two stores of files behind one surface: a workspace, and a real directory to hold it to.

Each operation takes the paths that a caller of the workspace gives. The directory is
its own judge: it asks the kernel, and answers in the workspace's words.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from vshell.errors import VshellError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import absolute, decode, encode

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}


class NotComparableError(Exception):
    """The directory cannot be asked this, or is known to answer something else."""


class Status(NamedTuple):
    """What both can say of a file. A directory has no size, and its times are its entries'."""

    kind: str
    size: int
    mode: int
    nlink: int


class Outcome(NamedTuple):
    """The result of an operation, or the name of its error's number."""

    value: object
    error: str | None


class Backend(ABC):
    """Files as POSIX has them. Errors are `OSError` or `VshellError`."""

    @abstractmethod
    def stat(self, path: str) -> Status: ...
    @abstractmethod
    def lstat(self, path: str) -> Status: ...
    @abstractmethod
    def inode(self, path: str) -> int:
        """Return a number that tells one file from another; of a link, its own."""

    @abstractmethod
    def mtime_ns(self, path: str) -> int:
        """Return when the content last changed; of a link, its own."""

    @abstractmethod
    def exists(self, path: str) -> bool: ...
    @abstractmethod
    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes: ...
    @abstractmethod
    def write(self, path: str, data: bytes) -> None: ...
    @abstractmethod
    def create(self, path: str, data: bytes) -> None:
        """Write a file that must be new."""

    @abstractmethod
    def append(self, path: str, data: bytes) -> None: ...
    @abstractmethod
    def pwrite(self, path: str, offset: int, data: bytes) -> None: ...
    @abstractmethod
    def truncate(self, path: str, size: int) -> None: ...
    @abstractmethod
    def mkdir(self, path: str, mode: int = 0o755) -> None: ...
    @abstractmethod
    def rmdir(self, path: str) -> None: ...
    @abstractmethod
    def unlink(self, path: str) -> None: ...
    @abstractmethod
    def rename(self, source: str, path: str) -> None: ...
    @abstractmethod
    def link(self, source: str, path: str) -> None: ...
    @abstractmethod
    def symlink(self, target: str, path: str) -> None: ...
    @abstractmethod
    def readlink(self, path: str) -> str: ...
    @abstractmethod
    def realpath(self, path: str) -> str: ...
    @abstractmethod
    def chmod(self, path: str, mode: int) -> None: ...
    @abstractmethod
    def utime(self, path: str, mtime_ns: int) -> None: ...
    @abstractmethod
    def listdir(self, path: str) -> list[str]:
        """Return the names in a directory in the order of their bytes."""


def outcome(work: Callable[[], object]) -> Outcome:
    """Return what came of an operation, in a form in which two stores can be compared."""
    try:
        return Outcome(work(), None)
    except (VshellError, OSError) as error:
        return Outcome(None, errno.errorcode[error.errno or 0])


def tree(backend: Backend, top: str = "/") -> dict[str, tuple[Status, bytes | str]]:
    """Return everything below a directory: its status, and its content or target, by path."""
    found: dict[str, tuple[Status, bytes | str]] = {}
    for name in backend.listdir(top):
        path = f"{top.rstrip('/')}/{name}"
        status = backend.lstat(path)
        content: bytes | str = b""
        if status.kind == "file":
            content = backend.read(path)
        elif status.kind == "symlink":
            content = backend.readlink(path)
        found[path] = (status, content)
        if status.kind == "directory":
            found |= tree(backend, path)
    return found


def same_files(backend: Backend, paths: list[str]) -> list[list[str]]:
    """Return which paths are names of one file."""
    groups: dict[int, list[str]] = {}
    for path in paths:
        groups.setdefault(backend.inode(path), []).append(path)
    return sorted(groups.values())


class WorkspaceBackend(Backend):
    """The files of a workspace; each operation is a transaction, unless one is open."""

    def __init__(self, files: FileSystem) -> None:
        self.files = files

    def stat(self, path: str) -> Status:
        return self._status(path, follow=True)

    def lstat(self, path: str) -> Status:
        return self._status(path, follow=False)

    def _status(self, path: str, *, follow: bool) -> Status:
        found = self.files.stat(absolute(path), follow=follow)
        return Status(found.kind, found.size, found.mode, found.nlink)

    def inode(self, path: str) -> int:
        return self.files.stat(absolute(path), follow=False).inode

    def mtime_ns(self, path: str) -> int:
        return self.files.stat(absolute(path), follow=False).mtime_ns

    def exists(self, path: str) -> bool:
        return self.files.exists(absolute(path))

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        return self.files.read(absolute(path), offset, length)

    def write(self, path: str, data: bytes) -> None:
        with self.files.transaction():
            self.files.write(absolute(path), data)

    def create(self, path: str, data: bytes) -> None:
        with self.files.transaction():
            self.files.write(absolute(path), data, exist_ok=False)

    def append(self, path: str, data: bytes) -> None:
        with self.files.transaction():
            self.files.append(absolute(path), data)

    def pwrite(self, path: str, offset: int, data: bytes) -> None:
        with self.files.transaction():
            self.files.write_at(absolute(path), offset, data)

    def truncate(self, path: str, size: int) -> None:
        with self.files.transaction():
            self.files.truncate(absolute(path), size)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        with self.files.transaction():
            self.files.mkdir(absolute(path), mode=mode)

    def rmdir(self, path: str) -> None:
        with self.files.transaction():
            self.files.rmdir(absolute(path))

    def unlink(self, path: str) -> None:
        with self.files.transaction():
            self.files.unlink(absolute(path))

    def rename(self, source: str, path: str) -> None:
        with self.files.transaction():
            self.files.rename(absolute(source), absolute(path))

    def link(self, source: str, path: str) -> None:
        with self.files.transaction():
            self.files.link(absolute(source), absolute(path))

    def symlink(self, target: str, path: str) -> None:
        with self.files.transaction():
            self.files.symlink(target, absolute(path))

    def readlink(self, path: str) -> str:
        return self.files.readlink(absolute(path))

    def realpath(self, path: str) -> str:
        return self.files.realpath(absolute(path))

    def chmod(self, path: str, mode: int) -> None:
        with self.files.transaction():
            self.files.chmod(absolute(path), mode)

    def utime(self, path: str, mtime_ns: int) -> None:
        with self.files.transaction():
            self.files.utime(absolute(path), mtime_ns)

    def listdir(self, path: str) -> list[str]:
        return self.files.names(absolute(path))


class DirectoryBackend(Backend):
    """A real directory, which is the root of all paths.

    Where the workspace differs on purpose, the directory is asked in a way that it
    answers alike, or not at all. The differences:

    - A slash at the end of a path means nothing (here as in `absolute`).
    - `..` at the root stays at the root, as in a changed root directory.
    - `..` after a name that does not exist takes the name back; the kernel wants it to exist.
    - A path that ends in `..` names that directory for `rename` and `rmdir` too.
    - The root itself is never moved, replaced or removed.
    - Of two errors of `rename` that both hold, that of the source is told.
    - A file that would replace a directory above it is told that it is one, not that it is full.
    - An exclusive write where a directory is says that it is one, not that it exists.
    - Modes are recorded and not enforced; tests use those that their owner can work with.
    - The size of a directory is 0, and the number of its links is that of file systems
      that count directories in it.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o755)
        self._root = os.path.realpath(root)
        self._counts_directories = self._probe()

    def _probe(self) -> bool:
        probe = Path(self._root, "probe")
        Path(probe, "inner").mkdir(parents=True)
        counted = probe.stat().st_nlink == 3
        Path(probe, "inner").rmdir()
        probe.rmdir()
        return counted

    # Paths.

    def _host(self, path: str, *, follow: bool = True) -> bytes:
        """Return the path on the host that leads where the workspace's path leads.

        Args:
            path: As the workspace has it.
            follow: Whether the operation follows a link at the end.

        Raises:
            NotComparableError: A link would lead out of the directory.
        """
        kept: list[str] = []
        for name in absolute(path).split("/")[1:]:
            if name == "..":
                kept = self._up(kept)
            elif name:
                kept.append(name)
        host = self._join(kept)
        place = os.path.realpath(host if follow or not kept else os.path.dirname(host))
        if not (place + b"/").startswith(encode(self._root) + b"/"):
            raise NotComparableError(f"leads out of the directory: {path}")
        return host

    def _up(self, kept: list[str]) -> list[str]:
        try:
            os.stat(self._join(kept))
        except FileNotFoundError:
            if os.path.lexists(self._join(kept)):
                raise NotComparableError("`..` after a link that leads nowhere") from None
            if os.path.isdir(self._join(kept[:-1])):
                return kept[:-1]
            return [*kept, ".."]
        except OSError:
            return [*kept, ".."]
        if os.path.realpath(self._join(kept)) == encode(self._root):
            return []
        return [*kept, ".."]

    def _join(self, names: list[str]) -> bytes:
        return b"/".join([encode(self._root), *(encode(name) for name in names)])

    def _refuse_root(self, host: bytes, path: str) -> None:
        if os.path.realpath(host) == encode(self._root) and not os.path.islink(host):
            raise NotComparableError("the root")
        if absolute(path).endswith("/.."):
            raise NotComparableError("`..` at the end")

    # Asking.

    def stat(self, path: str) -> Status:
        return self._status(os.stat(self._host(path)))

    def lstat(self, path: str) -> Status:
        status = self._status(os.lstat(self._host(path, follow=False)))
        if status.kind == "symlink":
            return status._replace(size=len(encode(self.readlink(path))))
        return status

    def _status(self, found: os.stat_result) -> Status:
        kind = KINDS[stat.S_IFMT(found.st_mode)]
        nlink = found.st_nlink
        if kind == "directory" and not self._counts_directories:
            raise NotComparableError("the host's file system does not count directories")
        size = 0 if kind == "directory" else found.st_size
        return Status(kind, size, stat.S_IMODE(found.st_mode), nlink)

    def inode(self, path: str) -> int:
        return os.lstat(self._host(path, follow=False)).st_ino

    def mtime_ns(self, path: str) -> int:
        return os.lstat(self._host(path, follow=False)).st_mtime_ns

    def exists(self, path: str) -> bool:
        return os.path.exists(self._host(path))

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        with self._opened(path, os.O_RDONLY) as file:
            size = os.fstat(file.number).st_size if length is None else length
            return os.pread(file.number, size, offset)

    def readlink(self, path: str) -> str:
        target = decode(os.readlink(self._host(path, follow=False)))
        if target == self._root or target.startswith(self._root + "/"):
            return target[len(self._root) :] or "/"
        return target

    def realpath(self, path: str) -> str:
        with self._opened(path, os.O_PATH) as file:
            real = os.readlink(f"/proc/self/fd/{file.number}")
        return real[len(self._root) :] or "/"

    def listdir(self, path: str) -> list[str]:
        return [decode(name) for name in sorted(os.listdir(self._host(path)))]

    # Changing.

    def write(self, path: str, data: bytes) -> None:
        with self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            file.write(data)

    def create(self, path: str, data: bytes) -> None:
        host = self._host(path, follow=False)
        if os.path.isdir(host) and not os.path.islink(host):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        with self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            file.write(data)

    def append(self, path: str, data: bytes) -> None:
        with self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
            file.write(data)

    def pwrite(self, path: str, offset: int, data: bytes) -> None:
        with self._opened(path, os.O_WRONLY | os.O_CREAT) as file:
            os.pwrite(file.number, data, offset)

    def truncate(self, path: str, size: int) -> None:
        os.truncate(self._host(path), size)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        os.mkdir(self._host(path, follow=False), mode)

    def rmdir(self, path: str) -> None:
        host = self._host(path, follow=False)
        self._refuse_root(host, path)
        os.rmdir(host)

    def unlink(self, path: str) -> None:
        os.unlink(self._host(path, follow=False))

    def rename(self, source: str, path: str) -> None:
        old, new = self._host(source, follow=False), self._host(path, follow=False)
        self._refuse_root(old, source)
        self._refuse_root(new, path)
        kind = stat.S_IFMT(os.lstat(old).st_mode)
        try:
            os.rename(old, new)
        except OSError as error:
            if error.errno == errno.ENOTEMPTY and kind != stat.S_IFDIR:
                raise IsADirectoryError(errno.EISDIR, "is a directory") from error
            raise

    def link(self, source: str, path: str) -> None:
        old, new = self._host(source, follow=False), self._host(path, follow=False)
        os.link(old, new, follow_symlinks=False)

    def symlink(self, target: str, path: str) -> None:
        mapped = self._root + target if target.startswith("/") else target
        os.symlink(encode(mapped), self._host(path, follow=False))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._host(path), mode)

    def utime(self, path: str, mtime_ns: int) -> None:
        os.utime(self._host(path), ns=(mtime_ns, mtime_ns))

    def _opened(self, path: str, flags: int) -> _Opened:
        return _Opened(os.open(self._host(path), flags, 0o644))


class _Opened:
    """An open file of the host."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)

    def write(self, data: bytes) -> None:
        if data:
            assert os.write(self.number, data) == len(data)
