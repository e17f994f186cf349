"""Changing the content of files, and the rows that every change is made of.

Paths are absolute and normalised (`paths.absolute`). Everything here must run inside
`transaction()`. An error leaves nothing changed that the transaction would not undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vshell.errors import (
    ExistsError,
    IsDirectoryError,
    NotFoundError,
    RangeError,
    StaleError,
)
from vshell.fs.content import EMPTY, EMPTY_HASH, Bytes, Stored
from vshell.fs.listing import FileLister
from vshell.fs.paths import encode, is_below, join
from vshell.fs.records import Inode, Written
from vshell.fs.resolving import Node, Place
from vshell.fs.schema import DIRECTORY, FILE, PERMISSION_BITS


class FileWriter(FileLister):
    """What changes the content of files; see `OpenFiles` for how to open them."""

    # Writing content.

    def write(
        self,
        path: str,
        data: Bytes | Iterable[bytes],
        *,
        mode: int | None = None,
        exist_ok: bool = True,
        parents: bool = False,
        expected_version: int | None = None,
    ) -> Written:
        """Give a file these bytes, making it when it is missing. A link is written through.

        Args:
            path: Where.
            data: The bytes, or an iterable of pieces of any size.
            mode: Permission bits; None keeps a file's, and is 0o644 for a new one.
            exist_ok: Overwrite an existing file; if not, a link counts as one, as with `O_EXCL`.
            parents: Make missing directories.
            expected_version: The version that the file must have; 0: it must be missing.

        Raises:
            IsDirectoryError: It is a directory.
            ExistsError: It exists and `exist_ok` is false.
            StaleError: Its version is another one.
            QuotaExceededError: The bytes would not fit.
            TooLargeError: The bytes are over the limit for a file.
            NotFoundError: A directory is missing and `parents` is false.
            NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        place = self._place(path, follow=exist_ok, parents=parents)
        before = self._writable(place, path)
        if before is not None and not exist_ok:
            raise ExistsError(f"file exists: {path}", path=path, hint="overwrite with exist_ok")
        check_version(path, before.version if before else 0, expected_version)
        old_size = before.size if before else 0
        if isinstance(data, (bytes, bytearray, memoryview)):
            data = _flat(data)
            self._journal.reserve(len(data) - old_size)
            stored = self._content.put(data)
        else:
            stored = self._content.put_stream(self._reserved(data, old_size))
        return self._set_content(place, before, stored, mode, data)

    def write_at(self, path: str, offset: int, data: Bytes) -> Written:
        """Write bytes into the middle of a file, making it when it is missing.

        A gap after the file's end reads as zeros. Writing nothing to a file that exists
        changes nothing, as with `pwrite`.

        Raises:
            RangeError: `offset` is negative.
            The rest as `write`.
        """
        if offset < 0:
            raise RangeError(f"the offset must not be negative: {path}", path=path)
        place = self._place(path)
        before = self._writable(place, path)
        data = _flat(data)
        if not data:
            return self._unchanged(place, before)
        base = self._stored(before) if before else EMPTY
        self._journal.reserve(max(base.size, offset + len(data)) - base.size)
        return self._set_content(place, before, self._content.splice(base, offset, data), None)

    def append(self, path: str, data: Bytes, *, parents: bool = False) -> Written:
        """Add bytes at the end of a file, making it when it is missing; errors as `write`.

        Adding nothing to a file that exists changes nothing.
        """
        place = self._place(path, parents=parents)
        before = self._writable(place, path)
        data = _flat(data)
        if not data:
            return self._unchanged(place, before)
        base = self._stored(before) if before else EMPTY
        self._journal.reserve(len(data))
        return self._set_content(place, before, self._content.splice(base, base.size, data), None)

    def truncate(self, path: str, size: int) -> Written:
        """Cut a file, or fill it with zeros, to `size` bytes.

        Raises:
            NotFoundError: It does not exist.
            RangeError: `size` is negative.
            The rest as `write`.
        """
        if size < 0:
            raise RangeError(f"the size must not be negative: {path}", path=path)
        place = self._place(path)
        before = self._writable(place, path)
        if before is None:
            raise NotFoundError(f"no such file or directory: {path}", path=path)
        base = self._stored(before)
        self._journal.reserve(size - base.size)
        return self._set_content(place, before, self._content.resize(base, size), None)

    def put_content(self, path: str, content: int | None, *, mode: int) -> Written:
        """Give a file content that is stored already, making it when it is missing.

        Raises:
            As `write`.
        """
        place = self._place(path, parents=True)
        before = self._writable(place, path)
        stored = self._content.find(content)
        self._journal.reserve(stored.size - (before.size if before else 0))
        return self._set_content(place, before, stored, mode)

    def _place(self, path: str, *, follow: bool = True, parents: bool = False) -> Place:
        assert self.store.depth, "changes need a transaction"
        node = self._tree.cached(path) if follow else None
        if node is not None:
            return Place(node, "", node.path, node)
        while True:
            try:
                return self._tree.locate(path, follow=follow)
            except NotFoundError as error:
                missing = error.data.get("missing")
                if not parents or missing is None:
                    raise
            self._make_parents(path, missing)

    def _make_parents(self, path: str, missing: str) -> None:
        """Make the missing directory, and what is known to be missing below it."""
        self._make_directory(self._tree.locate(missing, follow=False), 0o755)
        names = path[len(missing) + 1 :].split("/") if is_below(path, missing) else []
        for name in [] if ".." in names else names[:-1]:
            missing = join(missing, name)
            self._make_directory(self._tree.locate(missing, follow=False), 0o755)

    def _writable(self, place: Place, path: str) -> Inode | None:
        """Return the file that is in the place, or None when it is free."""
        node = place.node
        if node is None:
            return None
        if node.kind == DIRECTORY:
            raise IsDirectoryError(f"is a directory: {path}", path=path, hint="name a file in it")
        return self._tree.inode(node.inode)

    def _reserved(self, pieces: Iterable[bytes], old_size: int) -> Iterator[bytes]:
        """Yield the pieces, and stop at the first that does not fit."""
        size = 0
        for piece in pieces:
            size += len(piece)
            self._journal.reserve(size - old_size)
            yield piece

    def _unchanged(self, place: Place, before: Inode | None) -> Written:
        if before is None:
            return self._set_content(place, None, EMPTY, None)
        digest = before.hash or EMPTY_HASH
        return Written(place.path, False, digest, digest, before.size, before.version)

    def _set_content(
        self,
        place: Place,
        before: Inode | None,
        stored: Stored,
        mode: int | None,
        data: object = None,
    ) -> Written:
        if isinstance(data, bytes):
            self._tree.remember_data(stored.id, data)
        if before is None:
            self._create(place, FILE, 0o644 if mode is None else mode, stored)
            return Written(
                place.path, True, None, stored.hash, stored.size, self._journal.next_revision
            )
        journal = self._journal
        after = before._replace(
            mode=before.mode if mode is None else mode & PERMISSION_BITS,
            size=stored.size,
            mtime_ns=journal.time_ns,
            ctime_ns=journal.time_ns,
            content=stored.id,
            version=journal.next_revision,
            hash=stored.hash,
        )
        self._update(after)
        delta = stored.size - before.size
        journal.record("write", place.path, before, after, delta=delta)
        return Written(
            place.path,
            False,
            before.hash or EMPTY_HASH,
            stored.hash,
            stored.size,
            after.version,
        )

    def overwrite_from(self, source: str, path: str) -> None:
        """Give the file at `path` the content of the file at `source`; none is copied.

        Raises:
            IsDirectoryError: One of them is a directory.
            QuotaExceededError: It would not fit.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        inode = self._file(source)
        place = self._place(path)
        before = self._writable(place, path)
        self._journal.reserve(inode.size - (before.size if before else 0))
        self._set_content(place, before, self._stored(inode), None)

    # Rows.

    def _make_directory(self, place: Place, mode: int) -> None:
        self._create(place, DIRECTORY, mode, EMPTY)

    def _create(self, place: Place, kind: int, mode: int, stored: Stored) -> None:
        journal = self._journal
        inode = Inode(
            journal.next_inode,
            kind,
            mode & PERMISSION_BITS,
            stored.size,
            journal.time_ns,
            journal.time_ns,
            2 if kind == DIRECTORY else 1,
            stored.id,
            journal.next_revision,
            None if kind == DIRECTORY else stored.hash,
        )
        self._database.run("insert into inode values (?, ?, ?, ?, ?, ?, ?, ?, ?)", inode[:9])
        self._add_entry(place, inode)
        journal.record("create", place.path, None, inode, delta=inode.size)

    def _add_entry(self, place: Place, inode: Inode) -> None:
        name = encode(place.name)
        parent = place.directory.inode
        self._database.run(
            "insert into entry values (?, ?, ?, ?)", (parent, name, inode.id, inode.kind)
        )
        self._touch(parent, 1 if inode.kind == DIRECTORY else 0)
        self._tree.added(Node(place.path, inode.id, inode.kind, parent, name), inode)

    def _update(self, inode: Inode) -> None:
        self._database.run(
            "update inode set mode = ?, size = ?, mtime_ns = ?, ctime_ns = ?, nlink = ?,"
            " content = ?, version = ? where id = ?",
            (
                inode.mode,
                inode.size,
                inode.mtime_ns,
                inode.ctime_ns,
                inode.nlink,
                inode.content,
                inode.version,
                inode.id,
            ),
        )
        self._tree.inodes[inode.id] = inode

    def _touch(self, directory: int, links: int) -> None:
        """Note in a directory that an entry came or went."""
        time_ns = self._journal.time_ns
        self._database.run(
            "update inode set mtime_ns = ?, ctime_ns = ?, nlink = nlink + ? where id = ?",
            (time_ns, time_ns, links, directory),
        )
        self._tree.inodes.pop(directory, None)


def _flat(data: Bytes) -> Bytes:
    """Return the bytes that a view of items of any size and distance shows."""
    if isinstance(data, memoryview) and not (data.format == "B" and data.c_contiguous):
        return data.tobytes()
    return data


def check_version(path: str, actual: int, expected: int | None) -> None:
    """Make sure that a file has the version that a caller expects; 0 is a missing file.

    Raises:
        StaleError: It has another one.
    """
    if expected is not None and expected != actual:
        raise StaleError(
            f"the file changed since version {expected}: {path}"
            if actual
            else f"the file does not exist any more: {path}",
            path=path,
            hint="read it again and repeat the change on what it holds now",
            data={"expected": expected, "actual": actual},
        )
