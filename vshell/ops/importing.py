"""From a tree of the host into the workspace: one walk, and rows for all that it finds."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from vshell.errors import VshellError
from vshell.fs.bulk import BulkDirectory, BulkMerge
from vshell.fs.content import Stored
from vshell.fs.paths import encode
from vshell.host import HostDirectory, HostEntry, HostTree, Identity, identity, reason
from vshell.limits import CHUNK_BYTES, INLINE_BYTES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES
from vshell.ops.transfer_result import Tally

if TYPE_CHECKING:
    from vshell.ignore import DirectoryRules

ATTEMPTS: Final = 3
"""How often a file is read that changes meanwhile."""

_SPECIAL: Final = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class _Place(NamedTuple):
    """A directory that the walk is in, and what decides what is ignored in it."""

    directory: BulkDirectory
    rules: DirectoryRules | None
    ignore_files: tuple[tuple[str, bytes], ...]


class Importer:
    """Adds a tree of the host to a merge.

    Args:
        tree: The tree of the host.
        merge: Takes what is found.
        tally: Counts it.
        open_files: The files of open workspaces, which must not be opened.
        ignore: Leave out what `.gitignore` files say, and everything named `.git`.
    """

    def __init__(
        self,
        tree: HostTree,
        merge: BulkMerge,
        tally: Tally,
        *,
        open_files: frozenset[Identity],
        ignore: bool,
    ) -> None:
        self._tree = tree
        self._merge = merge
        self._tally = tally
        self._open_files = open_files
        self._open_inodes = {inode for _, inode in open_files}
        self._ignore = ignore
        self._places: list[_Place] = []

    def add_tree(self) -> None:
        """Add everything below the present directory of the tree.

        Raises:
            OSError: The directory itself cannot be read.
        """
        for found in self._tree.walk(on_error=self._skip):
            place = self._enter(found)
            kept = []
            for entry in found.entries:
                path = f"{found.path}/{entry.name}" if found.path else entry.name
                if self._ignored(place, entry):
                    self._tally.ignored += 1
                elif len(encode(entry.name)) > MAX_NAME_BYTES:
                    self._tally.skip(path, f"the name has more than {MAX_NAME_BYTES} bytes")
                elif entry.kind == "directory":
                    kept.append(entry)
                else:
                    self._add(place.directory, entry, path)
            found.entries[:] = kept

    def _add(self, directory: BulkDirectory, entry: HostEntry, path: str) -> None:
        try:
            if entry.kind == "file":
                self.add_file(directory, entry, entry.name)
            elif entry.kind == "symlink":
                self._add_symlink(directory, entry)
            else:
                kind = stat.S_IFMT(self._tree.status(entry.name).st_mode)
                self._tally.skip(path, _SPECIAL.get(kind, "neither file, directory nor link"))
        except OSError as error:
            self._skip(path, error)

    def _skip(self, path: str, error: OSError) -> None:
        if isinstance(error, VshellError):  # the workspace refused, not the host
            raise error
        self._tally.skip(path, reason(error))

    def _enter(self, found: HostDirectory) -> _Place:
        del self._places[found.depth :]
        name = found.path.rpartition("/")[2]
        above = self._places[-1] if self._places else None
        if above is None:
            directory = self._merge.top
        else:
            directory = self._merge.add_directory(above.directory, name)
            self._tally.add("directory")
        self._merge.set_attributes(
            directory,
            mode=stat.S_IMODE(found.status.st_mode),
            mtime_ns=found.status.st_mtime_ns,
        )
        place = self._with_rules(directory, found, above, name)
        self._places.append(place)
        return place

    # What is ignored.

    def _with_rules(
        self, directory: BulkDirectory, found: HostDirectory, above: _Place | None, name: str
    ) -> _Place:
        if not self._ignore:
            return _Place(directory, None, ())
        from vshell.ignore import IgnoreRules

        files = above.ignore_files if above else ()
        path = f"/{found.path}"
        text = self._ignore_file(found)
        if text:
            files = (*files, (path, text))
        if above is None or above.rules is None or text:
            return _Place(directory, IgnoreRules(files).at(path), files)
        return _Place(directory, above.rules.child(name), files)

    def _ignore_file(self, found: HostDirectory) -> bytes:
        """Return the directory's `.gitignore`; as git has it, a link is none."""
        from vshell.ignore import MAX_IGNORE_BYTES

        files = [
            entry for entry in found.entries if entry.name == ".gitignore" and entry.kind == "file"
        ]
        if not files:
            return b""
        try:
            self._refuse_open(files[0])
            descriptor, _ = self._tree.open_file(".gitignore")
            try:
                # With one byte more, the rules say what is wrong with a larger one.
                return _read_whole(descriptor, MAX_IGNORE_BYTES)
            finally:
                os.close(descriptor)
        except OSError:  # it is met again as a file, and reported then
            return b""

    def _ignored(self, place: _Place, entry: HostEntry) -> bool:
        rules = place.rules
        if rules is None:
            return False
        is_directory = entry.kind == "directory"
        return entry.name == ".git" or rules.ignores(entry.name, is_directory=is_directory)

    # Files and links.

    def add_file(self, directory: BulkDirectory, entry: HostEntry, name: str) -> None:
        """Add a file of the tree's present directory.

        Args:
            directory: Where to.
            entry: The file.
            name: Its name in the workspace.

        Raises:
            OSError: It cannot be read, or keeps changing.
        """
        self._refuse_open(entry)
        for _ in range(ATTEMPTS):
            descriptor, before = self._tree.open_file(entry.name)
            try:
                key = identity(before) if before.st_nlink > 1 else None
                if key is not None and self._merge.add_name(directory, name, key):
                    self._tally.add("file")
                    return
                stored = self._store(descriptor, before.st_size)
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            if stored is not None and _version(before) == _version(after):
                self._merge.add_file(
                    directory,
                    name,
                    stored,
                    mode=stat.S_IMODE(after.st_mode),
                    mtime_ns=after.st_mtime_ns,
                    identity=key,
                )
                self._tally.add("file", stored.size)
                return
        raise OSError(errno.EBUSY, "it kept changing while it was read")

    def _refuse_open(self, entry: HostEntry) -> None:
        if entry.inode not in self._open_inodes:
            return
        if identity(self._tree.status(entry.name)) in self._open_files:
            raise OSError(errno.EBUSY, "it belongs to a workspace that is open")

    def _store(self, descriptor: int, size: int) -> Stored | None:
        """Store a file's bytes; return None when there are not as many as it said."""
        if size <= INLINE_BYTES:
            data = _read_whole(descriptor, size)
            return self._merge.put(data) if len(data) == size else None
        if size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, f"it has more than {MAX_FILE_BYTES} bytes")
        self._merge.reserve(size)
        stored = self._merge.put(self._pieces(descriptor, size))
        return stored if stored.size == size else None

    def _pieces(self, descriptor: int, size: int) -> Iterator[bytes]:
        done = 0
        while done <= size and (piece := os.read(descriptor, CHUNK_BYTES)):
            done += len(piece)
            yield piece
            self._tally.tell(done)

    def _add_symlink(self, directory: BulkDirectory, entry: HostEntry) -> None:
        status = self._tree.status(entry.name)
        target = self._tree.read_link(entry.name)
        if len(encode(target)) > MAX_PATH_BYTES:
            raise OSError(errno.ENAMETOOLONG, "the target is too long")
        key = identity(status) if status.st_nlink > 1 else None
        if key is None or not self._merge.add_name(directory, entry.name, key):
            self._merge.add_symlink(
                directory, entry.name, target, mtime_ns=status.st_mtime_ns, identity=key
            )
        self._tally.add("symlink")


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read_whole(descriptor: int, size: int) -> bytes:
    """Return a file's bytes, and one more than `size` of them when it has more."""
    data = os.read(descriptor, size + 1)
    while len(data) < size and (more := os.read(descriptor, size + 1 - len(data))):
        data += more
    return data
