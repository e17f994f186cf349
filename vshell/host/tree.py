"""A place to work in, somewhere in a directory of the host."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple, Self

from vshell.host.files import O_PATH, Identity, identity, open_regular, write_pieces
from vshell.host.names import HostEntry, by_name, decoded, encoded, encoded_text, kind_of, text

__all__ = ["MAX_OPEN_DIRECTORIES", "HostDirectory", "HostPath", "HostTree"]

HostPath = str | os.PathLike[str]

MAX_OPEN_DIRECTORIES: Final = 32
"""How many directories stay open above the one that is worked in; the rest open again."""

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class HostDirectory(NamedTuple):
    """A directory that a walk is in.

    Attributes:
        path: Its path, relative to the top.
        depth: How many directories are above it, the top included.
        status: Its metadata.
        entries: What is in it, by the bytes of the names. The walk goes into those
            directories that are in this list when it goes on.
    """

    path: str
    depth: int
    status: os.stat_result
    entries: list[HostEntry]


class HostTree:
    """A directory of the host, and a place in the tree below it to work in.

    Args:
        descriptor: The directory, open; the tree closes it.
    """

    def __init__(self, descriptor: int) -> None:
        self._levels = [_Level("", identity(os.fstat(descriptor)), descriptor)]
        self._open: deque[_Level] = deque()
        self._temporary = f".vshell-{os.urandom(6).hex()}-"
        self._temporaries = 0

    @classmethod
    def open(cls, path: HostPath, *, create: bool = False) -> Self:
        """Open the directory at a path, in which links are followed.

        Args:
            path: A path of the host.
            create: Make the directory and its parents when they are missing.

        Raises:
            OSError: It is no directory, or the host does not allow it.
        """
        if create:
            os.makedirs(path, exist_ok=True)
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    @classmethod
    def open_parent(cls, path: HostPath, *, create: bool = False) -> tuple[Self, str]:
        """Open the directory that a path lies in; return it and the path's last name.

        Arguments and errors as for `open`.
        """
        parent, name = os.path.split(os.fspath(path))
        return cls.open(parent or ".", create=create), text(name)

    def duplicate(self) -> HostTree:
        """Return another place to work in, at the top of the same tree."""
        return HostTree(os.dup(self._levels[0].descriptor))

    def close(self) -> None:
        """Close everything that is open."""
        for level in self._levels:
            level.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Where to work.

    @property
    def depth(self) -> int:
        """How many directories are above the present one."""
        return len(self._levels) - 1

    @property
    def descriptor(self) -> int:
        """The present directory, open until the place changes.

        Raises:
            OSError: It was closed for there being too many, and is not there any more.
        """
        level = self._levels[-1]
        if level.descriptor < 0:
            self._reopen()
        return level.descriptor

    @property
    def path(self) -> str:
        """The path of the present directory, relative to the top."""
        return "/".join(level.name for level in self._levels[1:])

    def enter(self, name: str, *, writable: bool = False) -> os.stat_result:
        """Go into a directory of the present one, and return its metadata.

        Args:
            name: Its name.
            writable: Give its owner all rights to it if that is what is missing.

        Raises:
            OSError: It is no directory, or a link to one, or cannot be opened.
            InvalidPathError: It is no name.
        """
        descriptor = self._open_directory(encoded(name), writable=writable)
        status = os.fstat(descriptor)
        level = _Level(name, identity(status), descriptor)
        self._levels.append(level)
        self._note_open(level)
        return status

    def leave(self) -> str:
        """Go back to the parent; return the name of the directory that was left."""
        level = self._levels.pop()
        if level.descriptor >= 0:
            self._open.pop()
            level.close()
        return level.name

    def go(self, path: str, *, writable: bool = False) -> None:
        """Go to a directory by its path; arguments and errors as for `enter`."""
        names = path.split("/") if path else []
        shared = 0
        for level, name in zip(self._levels[1:], names, strict=False):
            if level.name != name:
                break
            shared += 1
        while self.depth > shared:
            self.leave()
        for name in names[shared:]:
            self.enter(name, writable=writable)

    def _open_directory(self, name: bytes, *, writable: bool) -> int:
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=self.descriptor)
        except PermissionError:
            if not writable or not O_PATH:
                raise
            self._unlock(name)
            descriptor = os.open(name, _DIRECTORY, dir_fd=self.descriptor)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise NotADirectoryError(
                    errno.ENOTDIR, "not a directory, or only a link to one"
                ) from None
            raise
        if writable:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                with suppress(PermissionError):  # then what needs the right will say so
                    os.fchmod(descriptor, mode | stat.S_IRWXU)
        return descriptor

    def _unlock(self, name: bytes) -> None:
        # A descriptor of O_PATH needs no right to the directory, and `chmod` by name
        # would follow a link that takes its place.
        descriptor = os.open(name, _DIRECTORY | O_PATH, dir_fd=self.descriptor)
        try:
            os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)
        finally:
            os.close(descriptor)

    def _note_open(self, level: _Level) -> None:
        self._open.append(level)
        if len(self._open) > MAX_OPEN_DIRECTORIES:
            self._open.popleft().close()

    def _reopen(self) -> None:
        """Open the present directory again, from the nearest one above it that is open."""
        index = len(self._levels) - 1
        while self._levels[index].descriptor < 0:
            index -= 1
        for level in self._levels[index + 1 :]:
            above = self._levels[index].descriptor
            descriptor = os.open(encoded(level.name), _DIRECTORY, dir_fd=above)
            if identity(os.fstat(descriptor)) != level.identity:
                os.close(descriptor)
                raise OSError(errno.ESTALE, "another directory took its place meanwhile")
            level.descriptor = descriptor
            self._note_open(level)
            index += 1

    # Reading.

    def entries(self) -> list[HostEntry]:
        """Return what is in the present directory, by the bytes of the names."""
        with os.scandir(self.descriptor) as found:
            entries = [HostEntry(text(item.name), kind_of(item), item.inode()) for item in found]
        entries.sort(key=by_name)
        return entries

    def leads_to_directory(self, name: str) -> bool:
        """Tell whether a link leads to a directory; nothing is opened."""
        try:
            found = os.stat(encoded(name), dir_fd=self.descriptor)
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode)

    def status(self, name: str | None = None) -> os.stat_result:
        """Return the metadata of an entry of the present directory, or of itself."""
        if name is None:
            return os.fstat(self.descriptor)
        return os.stat(encoded(name), dir_fd=self.descriptor, follow_symlinks=False)

    def read_link(self, name: str) -> str:
        """Return the target of a link."""
        return decoded(os.readlink(encoded(name), dir_fd=self.descriptor))

    def open_file(self, name: str) -> tuple[int, os.stat_result]:
        """Open a regular file for reading; return its descriptor and its metadata.

        Raises:
            OSError: It is something else, or cannot be opened.
        """
        return open_regular(name, self.descriptor)

    def walk(self, *, on_error: Callable[[str, OSError], None]) -> Iterator[HostDirectory]:
        """Yield the present directory and all below it, each before what is in it.

        While one is yielded it is the present directory. Take directories from its
        `entries` to leave them out.

        Args:
            on_error: Is told which directory could not be read, and why; the walk goes on.
        """
        start = self.depth
        path = self.path
        entries = self.entries()
        yield HostDirectory(path, 0, self.status(), entries)
        pending = [(path, _subdirectories(entries))]
        while pending:
            above, names = pending[-1]
            if not names:
                pending.pop()
                if self.depth > start:
                    self.leave()
                continue
            name = names.pop()
            path = f"{above}/{name}" if above else name
            try:
                status = self.enter(name)
            except OSError as error:
                on_error(path, error)
                continue
            try:
                entries = self.entries()
            except OSError as error:
                on_error(path, error)
                self.leave()
                continue
            yield HostDirectory(path, self.depth - start, status, entries)
            pending.append((path, _subdirectories(entries)))

    # Changing. What is written gets a temporary name first, so that nothing is ever
    # written through a link or into a file that has other names, and nobody sees half.

    def make_directory(self, name: str) -> None:
        """Make a directory that only its owner can use.

        Raises:
            FileExistsError: The name is taken.
            OSError: The host does not allow it.
        """
        os.mkdir(encoded(name), stat.S_IRWXU, dir_fd=self.descriptor)

    def make_file(
        self,
        name: str,
        pieces: Iterable[bytes],
        *,
        mode: int,
        mtime_ns: int,
        replace: bool = False,
    ) -> Identity:
        """Make a file, and return what identifies it. Chunks of zeros become holes.

        Args:
            name: Its name.
            pieces: Its content.
            mode: Its permission bits.
            mtime_ns: When it last changed, in nanoseconds since 1970.
            replace: Take the place of a file or link of that name.

        Raises:
            FileExistsError: The name is taken, by a directory or without `replace`.
            OSError: The host does not allow it.
        """
        temporary = self._temporary_name()
        descriptor = os.open(temporary, _CREATE, 0o600, dir_fd=self.descriptor)
        try:
            try:
                write_pieces(descriptor, pieces)
                os.fchmod(descriptor, mode)
                os.utime(descriptor, ns=(mtime_ns, mtime_ns))
                made = identity(os.fstat(descriptor))
            finally:
                os.close(descriptor)
            self._give_name(temporary, name, replace=replace)
        except BaseException:
            self._discard(temporary)
            raise
        return made

    def make_symlink(
        self, name: str, target: str, *, mtime_ns: int, replace: bool = False
    ) -> Identity:
        """Make a symbolic link; arguments and errors as for `make_file`."""
        temporary = self._temporary_name()
        os.symlink(encoded_text(target), temporary, dir_fd=self.descriptor)
        try:
            times = (mtime_ns, mtime_ns)
            os.utime(temporary, ns=times, dir_fd=self.descriptor, follow_symlinks=False)
            made = identity(self.status(temporary))
            self._give_name(temporary, name, replace=replace)
        except BaseException:
            self._discard(temporary)
            raise
        return made

    def make_link(
        self, name: str, source: HostTree, source_name: str, expected: Identity, *, replace: bool
    ) -> None:
        """Give a file or a symbolic link a second name.

        Args:
            name: The new name.
            source: Another place in the tree, in the directory that has the file.
            source_name: The file's name there.
            expected: What identifies the file.
            replace: Take the place of a file or link of that name.

        Raises:
            FileExistsError: The name is taken, by a directory or without `replace`.
            OSError: The file is another one by now, or the host does not allow it.
        """
        temporary = self._temporary_name()
        os.link(
            encoded(source_name),
            temporary,
            src_dir_fd=source.descriptor,
            dst_dir_fd=self.descriptor,
            follow_symlinks=False,
        )
        try:
            if identity(self.status(temporary)) != expected:
                raise OSError(errno.ESTALE, "another file took its place meanwhile")
            self._give_name(temporary, name, replace=replace)
        except BaseException:
            self._discard(temporary)
            raise

    def set_attributes(self, *, mode: int | None, mtime_ns: int) -> None:
        """Set the permission bits, unless None, and the time of the present directory."""
        if mode is not None:
            os.fchmod(self.descriptor, mode)
        os.utime(self.descriptor, ns=(mtime_ns, mtime_ns))

    def remove(self, name: str, *, spared: Collection[Identity] = ()) -> tuple[int, bool]:
        """Remove an entry of the present directory, a directory with all that is in it.

        Args:
            name: Its name.
            spared: What identifies files that stay, with the directories above them.

        Returns:
            How many entries are gone, and whether none stayed.

        Raises:
            OSError: The host does not allow it, or somebody goes on adding entries.
        """
        status = self.status(name)
        if not stat.S_ISDIR(status.st_mode):
            return (0, False) if identity(status) in spared else (self._unlink(name), True)
        removed = 0
        pending = [[name]]
        spares = [False]
        while True:
            if pending[-1]:
                self.enter(pending[-1].pop(), writable=True)
                entries = self.entries()
                pending.append(_subdirectories(entries))
                spares.append(False)
                for entry in entries:
                    if entry.kind == "directory":
                        continue
                    if spared and identity(self.status(entry.name)) in spared:
                        spares[-1] = True
                    else:
                        removed += self._unlink(entry.name)
                continue
            pending.pop()
            stays = spares.pop()
            if not pending:
                return removed, not stays
            emptied = self.leave()
            if stays:
                spares[-1] = True
            else:
                os.rmdir(encoded(emptied), dir_fd=self.descriptor)
                removed += 1

    def _unlink(self, name: str) -> int:
        os.unlink(encoded(name), dir_fd=self.descriptor)
        return 1

    def _temporary_name(self) -> str:
        self._temporaries += 1
        return f"{self._temporary}{self._temporaries}.tmp"

    def _give_name(self, temporary: str, name: str, *, replace: bool) -> None:
        given, directory = encoded(name), self.descriptor
        if not replace:
            # Besides what somebody else made, this finds two names that the host takes
            # for one, such as two that differ in case.
            with suppress(FileNotFoundError):
                os.stat(given, dir_fd=directory, follow_symlinks=False)
                raise FileExistsError(errno.EEXIST, "file exists")
        os.rename(temporary, given, src_dir_fd=directory, dst_dir_fd=directory)

    def _discard(self, temporary: str) -> None:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=self.descriptor)


class _Level:
    """A directory on the way from the top to the present one; -1 stands for closed."""

    __slots__ = ("descriptor", "identity", "name")

    def __init__(self, name: str, identity: Identity, descriptor: int) -> None:
        self.name = name
        self.identity = identity
        self.descriptor = descriptor

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _subdirectories(entries: list[HostEntry]) -> list[str]:
    """Return the names of the directories, the first one last."""
    return [entry.name for entry in reversed(entries) if entry.kind == "directory"]
