"""Asking the file system: metadata and content.

Paths are absolute and normalised (`paths.absolute`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from vshell.errors import (
    CorruptError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
    RangeError,
    SymlinkLoopError,
    TooLargeError,
)
from vshell.fs.content import EMPTY_HASH, Stored
from vshell.fs.opening import OpenFiles
from vshell.fs.records import KIND_NAMES, EntryDetails, Inode, Stat
from vshell.fs.schema import DIRECTORY, SYMLINK

_FIRST_BATCH_BYTES = 1024 * 1024
_BATCH_BYTES = 2 * 1024 * 1024
"""What `read_many` loads at once: large enough that statements cost nothing in comparison."""


class FileReader(OpenFiles):
    """What can be asked of single files; see `OpenFiles` for how to open them."""

    # Metadata.

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        """Return the metadata of what `path` leads to; of a link itself unless `follow`.

        Raises:
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        with self.store.lock:
            self.store.fresh()
            tree = self._tree
            node = tree.paths.get(path)  # a link that is to be followed is no quick answer
            if node is not None and (node.kind != SYMLINK or not follow):
                inode = tree.inodes.get(node.inode)
                if inode is not None:
                    if node.stat_of is not inode:
                        node.stat, node.stat_of = _stat(path, inode), inode
                    assert node.stat is not None
                    return node.stat
        return self.store.read(
            lambda: _stat(path, tree.inode(tree.find(path, follow=follow).inode))
        )

    def exists(self, path: str, *, follow: bool = True) -> bool:
        """Tell whether `path` leads to anything; a link that leads nowhere does not."""
        try:
            self.store.read(lambda: self._tree.find(path, follow=follow))
        except (NotFoundError, NotDirectoryError, SymlinkLoopError):
            return False
        return True

    def realpath(self, path: str) -> str:
        """Return the path without links and `..`.

        Raises:
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        return self.store.read(lambda: self._tree.find(path).path)

    def readlink(self, path: str) -> str:
        """Return a link's target as it was given.

        Raises:
            NotRegularError: It is no link.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """

        def target() -> str:
            node = self._tree.find(path, follow=False)
            if node.kind != SYMLINK:
                raise NotRegularError(f"not a symbolic link: {path}", path=path)
            return self._tree.target(node)

        return self.store.read(target)

    # Reading content.

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Return a file's bytes from `offset`, at most `length`; fewer at its end.

        Raises:
            RangeError: `offset` or `length` is negative.
            IsDirectoryError: It is a directory.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        if offset < 0 or (length is not None and length < 0):
            raise RangeError(f"offset and length must not be negative: {path}", path=path)
        with self.store.lock:
            self.store.fresh()
            tree = self._tree
            node = tree.cached(path)
            if node is not None:
                inode = tree.inodes.get(node.inode)
                if inode is not None and inode.content is not None:
                    data = tree.cached_data(inode.content)
                    if data is not None:
                        return data if not offset and length is None else _cut(data, offset, length)
        return self.store.read(lambda: self._read(self._file(path), offset, length))

    def read_with_stat(self, path: str) -> tuple[bytes, Stat]:
        """Return a file's bytes and its metadata, of the same moment."""

        def both() -> tuple[bytes, Stat]:
            inode = self._file(path)
            return self._read(inode, 0, None), _stat(path, inode)

        return self.store.read(both)

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes in pieces, for files of any size."""
        with self.store.reading():
            inode = self._file(path)
            yield from self._content.pieces(self._stored(inode))

    def read_hash(self, content_hash: bytes, *, max_bytes: int | None = None) -> bytes:
        """Return the bytes that have this hash, from a file or from the history.

        Args:
            content_hash: The hash.
            max_bytes: How many bytes to load at most; None for any number.

        Raises:
            NotFoundError: No content has it, or a collection removed it.
            TooLargeError: The content has more than `max_bytes`.
        """
        if content_hash == EMPTY_HASH:
            return b""

        def find() -> bytes:
            stored = self._content.find_hash(content_hash)
            if stored is None:
                raise NotFoundError(
                    "the content is not in the workspace any more", hint="a collection removed it"
                )
            if max_bytes is not None and stored.size > max_bytes:
                raise TooLargeError(f"the content has {stored.size} bytes, more than {max_bytes}")
            return self._content.read(stored)

        return self.store.read(find)

    def content(self, content: int | None) -> bytes:
        """Return the bytes of stored content, by its number."""
        return self.store.read(lambda: self._content.read(self._content.find(content)))

    def read_many(self, entries: Iterable[EntryDetails]) -> Iterator[tuple[EntryDetails, bytes]]:
        """Yield entries with their bytes, in their order; call it inside `reading()`.

        A few megabytes are loaded at a time, at first less, with two statements at most:
        so the number of statements depends on the bytes and not on the entries.

        Raises:
            CorruptError: The content of an entry is missing.
        """
        batch: list[EntryDetails] = []
        size, enough = 0, _FIRST_BATCH_BYTES
        for entry in entries:
            batch.append(entry)
            size += entry.size
            if size >= enough:
                yield from self._read_batch(batch)
                batch, size, enough = [], 0, min(2 * enough, _BATCH_BYTES)
        yield from self._read_batch(batch)

    def hashes(self, entries: Iterable[EntryDetails]) -> dict[int, str]:
        """Return what identifies the content of files and links, in hex, by their inodes."""
        files = [entry for entry in entries if entry.kind != DIRECTORY]
        contents = {entry.content for entry in files if entry.content is not None}
        known = self.store.read(lambda: self._content.hashes(contents))
        return {
            entry.inode: (EMPTY_HASH if entry.content is None else known[entry.content]).hex()
            for entry in files
        }

    def _read_batch(self, entries: list[EntryDetails]) -> Iterator[tuple[EntryDetails, bytes]]:
        contents = {entry.content for entry in entries if entry.content is not None}
        loaded = self._content.read_many(contents) if contents else {}
        for entry in entries:
            if entry.content is None:
                yield entry, b""
            elif len(data := loaded.get(entry.content, b"")) == entry.size:
                yield entry, data
            else:
                raise CorruptError(
                    f"content is missing: {entry.path}",
                    path=entry.path,
                    hint="`vshell check` says which files lost it",
                )

    def _read(self, inode: Inode, offset: int, length: int | None) -> bytes:
        if self._tree.is_inline(inode):
            return _cut(self._tree.data(inode), offset, length)
        return self._content.read(self._stored(inode), offset, length)

    def _file(self, path: str) -> Inode:
        node = self._tree.find(path)
        if node.kind == DIRECTORY:
            raise IsDirectoryError(f"is a directory: {path}", path=path, hint="name a file in it")
        return self._tree.inode(node.inode)

    def _stored(self, inode: Inode) -> Stored:
        return self._content.find(inode.content)


# A frozen dataclass sets its fields through `object.__setattr__`, which takes longer
# than the whole rest of a cached `stat`; the slots' own setters take a third of it.
(
    _set_path,
    _set_kind,
    _set_size,
    _set_mode,
    _set_mtime_ns,
    _set_ctime_ns,
    _set_nlink,
    _set_inode,
    _set_version,
    _set_hash,
) = (getattr(Stat, field.name).__set__ for field in fields(Stat))


def _stat(path: str, inode: Inode) -> Stat:
    number, kind, mode, size, mtime_ns, ctime_ns, nlink, _, version, digest = inode
    stat = object.__new__(Stat)
    _set_path(stat, path)
    _set_kind(stat, KIND_NAMES[kind])
    _set_size(stat, size)
    _set_mode(stat, mode)
    _set_mtime_ns(stat, mtime_ns)
    _set_ctime_ns(stat, ctime_ns)
    _set_nlink(stat, nlink)
    _set_inode(stat, number)
    _set_version(stat, version)
    _set_hash(stat, None if kind == DIRECTORY else (digest or EMPTY_HASH).hex())
    return stat


def _cut(data: bytes, offset: int, length: int | None) -> bytes:
    if not offset and (length is None or length >= len(data)):
        return data
    return data[offset:] if length is None else data[offset : offset + length]
