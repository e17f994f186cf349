"""Asking the file system: metadata, content, listings and history.

Paths are absolute and normalised (`paths.absolute`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Final

from vshell.errors import (
    CorruptError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
    RangeError,
    ReadOnlyError,
    SymlinkLoopError,
    TooLargeError,
)
from vshell.fs.content import EMPTY_HASH, Stored
from vshell.fs.database import Database, Durability
from vshell.fs.paths import decode
from vshell.fs.records import KIND_NAMES, Change, EntryDetails, EntryRow, Inode, Stat
from vshell.fs.schema import DIRECTORY, ROOT, SYMLINK
from vshell.fs.search_index import Question
from vshell.fs.transaction import Store, Transaction
from vshell.fs.tree import Node
from vshell.limits import LOCK_TIMEOUT_S

_FIRST_BATCH_BYTES = 1024 * 1024
_BATCH_BYTES = 8 * 1024 * 1024
_MAX_LISTING = 100_000
"""What `read_many` loads at once: large enough that statements cost nothing in comparison."""


class FileReader:
    """What can be asked of the files of one workspace.

    Args:
        path: The database's file on the host.
        create: Make it when it is missing.
        read_only: Refuse every change.
        durability: `"process"` or `"power"`; see `Database`.
        lock_timeout_s: How long a writer waits for its turn.
        now: Returns nanoseconds since 1970, for all times that are recorded.

    Raises:
        NotFoundError, CorruptError, NewerSchemaError, PermissionDeniedError: see `Database`.
    """

    def __init__(
        self,
        path: str,
        *,
        create: bool = True,
        read_only: bool = False,
        durability: Durability = "process",
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        database = Database(
            path,
            create=create,
            read_only=read_only,
            durability=durability,
            lock_timeout_s=lock_timeout_s,
        )
        self.store = Store(database, now)
        self._tree = self.store.tree
        self._content = self.store.content
        self._journal = self.store.journal
        self._database = database

    def close(self) -> None:
        """Close the database. Closing twice is harmless."""
        self.store.close()

    def interrupt(self) -> None:
        """End the statement that another thread is running now, with `cancelled`."""
        if not self.closed:
            self._database.interrupt()

    @property
    def known_paths(self) -> Mapping[str, object]:
        """Paths that need no normalising, as they are in the cache; always the same object."""
        return self._tree.paths

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.store.closed

    def copy_database(self, path: str) -> None:
        """Copy the whole database, as it is committed now, to a new file of the host.

        Raises:
            ExistsError: The file exists.
            NotFoundError: Its directory does not.
            ReadOnlyError: A transaction is open: nothing of it is committed.
        """
        with self.store.lock:
            self.store.fresh()
            if self.store.depth:
                raise ReadOnlyError("cannot copy the workspace inside a transaction")
            self._database.copy_to(path)

    def setting(self, name: str) -> str | int | None:
        """Return a setting, or None."""
        found = self.store.read(
            lambda: self._database.row("select value from setting where name = ?", (name,))
        )
        return found[0] if found else None

    def transaction(self, session: str = "", operation: str = "") -> Transaction:
        """Return a context manager in which changes happen, all or none.

        Args:
            session: Who does it, for the journal.
            operation: The name of what is done, for the journal; inside another
                transaction with a name, that one stays.

        Raises:
            OperationTimeoutError: Other writers did not give way in time.
            ReadOnlyError: The workspace was opened read-only.
        """
        return self.store.transaction(session, operation)

    def reading(self) -> AbstractContextManager[None]:
        """Return a context manager in which every read sees the same committed state."""
        return self.store.reading()

    # Metadata.

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        """Return the metadata of what `path` leads to; of a link itself unless `follow`.

        Raises:
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        with self.store.lock:
            self.store.fresh()
            tree = self._tree
            node = tree.cached(path) if follow else tree.paths.get(path)
            if node is not None and node.path == path:
                inode = tree.inodes.get(node.inode)
                if inode is not None:
                    if node.stat_of is not inode:
                        node.stat, node.stat_of = _stat(path, inode), inode
                    assert node.stat is not None
                    return node.stat
        return _stat(
            path, self.store.read(lambda: tree.inode(tree.find(path, follow=follow).inode))
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

    # Searching.

    def candidates(self, question: Question) -> set[int] | None:
        """Return the contents that may hold what a question asks for; None: any of them.

        Call it inside `reading()`.
        """
        answer = self.store.index.answer(question)
        if answer.contents is None:
            return None
        tail = self._database.rows(
            "select distinct content from inode where content > ?", (answer.up_to,)
        )
        return answer.contents | {content for (content,) in tail}

    def fold_index(self) -> None:
        """Take some of what was written lately into the search index, if nobody is writing."""
        store = self.store
        with store.lock:
            if self._database.read_only or store.depth or store.pinned:
                return
            if not store.read(store.index.wants_folding) or not self._database.try_begin():
                return
            try:
                store.index.fold()
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise
            finally:
                store.fresh()

    def build_index(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Take everything into the search index; call it inside `transaction()`.

        Args:
            progress: Called with how many contents are done, and how many there are.
        """
        assert self.store.depth, "changes need a transaction"
        self.store.index.build(progress)

    def drop_index(self) -> None:
        """Forget the search index; call it inside `transaction()`."""
        assert self.store.depth, "changes need a transaction"
        self.store.index.drop()

    # Listing.

    def list_directory(
        self, path: str, *, limit: int = -1, offset: int = 0
    ) -> tuple[list[EntryDetails], int]:
        """Return a directory's entries, ordered by the bytes of their names, and how many it has.

        Raises:
            NotDirectoryError: It is none.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """

        def entries() -> tuple[list[EntryDetails], int]:
            directory = self._directory(path)
            found = self._tree.children(directory, limit=limit, offset=offset)
            complete = not offset and (limit < 0 or len(found) < limit)
            return found, len(found) if complete else self._tree.count(directory)

        return self.store.read(entries)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, ordered by their bytes; errors as `list_directory`."""
        return self.store.read(lambda: self._tree.names(self._directory(path)))

    def walk(
        self, path: str, *, max_depth: int | None = None, suffixes: Iterable[str] | None = None
    ) -> list[EntryRow]:
        """Return everything below a directory, in no order; links are not followed.

        Args:
            path: The directory, which is not part of the result.
            max_depth: How deep; 1 is the directory's own entries, None is all.
            suffixes: Only entries whose names end in one of these, and all directories.

        Raises:
            NotDirectoryError: It is no directory.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """
        ends = None if suffixes is None else list(suffixes)
        return self.store.read(
            lambda: self._tree.walk(self._directory(path), max_depth=max_depth, suffixes=ends)
        )

    def walk_details(
        self, path: str, *, max_depth: int | None = None, suffixes: Iterable[str] | None = None
    ) -> list[EntryDetails]:
        """Return the same as `walk`, with metadata."""
        return self.store.read(
            lambda: self._walk(self._directory(path), max_depth=max_depth, suffixes=suffixes)
        )

    def survey(
        self,
        path: str,
        *,
        follow: bool = False,
        max_depth: int | None = None,
        suffixes: Iterable[str] | None = None,
        contents: Collection[int] | None = None,
    ) -> tuple[list[EntryDetails], dict[int, str]]:
        """Return what is at `path`, first, and everything below it, and the targets of links.

        Args:
            path: A file, link or directory. The paths in the result are those without
                links and `..`, so the first one says what the others begin with.
            follow: If it is a link, survey what it leads to. Others are never followed.
            max_depth: How deep; 0 is the path alone, None is all.
            suffixes: As for `walk`; what is at `path` is always there.
            contents: Only files with one of these contents, whatever else is said.

        Returns:
            The entries, and the target of each link by the link's inode.

        Raises:
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """

        def everything() -> tuple[list[EntryDetails], dict[int, str]]:
            top = self._tree.find(path, follow=follow)
            inode = self._tree.inode(top.inode)
            metadata = (inode.size, inode.mode, inode.mtime_ns, inode.content)
            found = [EntryDetails(top.path, top.inode, top.kind, *metadata)]
            if top.kind == DIRECTORY:
                found += self._below(top, contents, max_depth=max_depth, suffixes=suffixes)
            links = [entry for entry in found if entry.kind == SYMLINK]
            read = self._read_batch(links) if links else ()
            return found, {entry.inode: decode(target) for entry, target in read}

        return self.store.read(everything)

    def _below(
        self,
        top: Node,
        contents: Collection[int] | None,
        *,
        max_depth: int | None,
        suffixes: Iterable[str] | None,
    ) -> list[EntryDetails]:
        """Return what `survey` finds below a directory.

        The list of everything is kept until something is committed, for a search is
        seldom the only one.
        """
        kept = self._tree.listing if not self.store.depth else None
        if contents is not None and (kept is None or top.inode != ROOT):
            return self._tree.with_contents(top, contents)
        if top.inode != ROOT or max_depth is not None or (suffixes is not None and kept is None):
            return self._walk(top, max_depth=max_depth, suffixes=suffixes)
        if kept is None:
            kept = sorted(self._walk(top, max_depth=None, suffixes=None), key=_path_of)
            if not self.store.depth and len(kept) <= _MAX_LISTING:
                self._tree.listing = kept
        if contents is None:
            return kept
        return [entry for entry in kept if entry.content in contents]

    def _walk(
        self, directory: Node, *, max_depth: int | None, suffixes: Iterable[str] | None
    ) -> list[EntryDetails]:
        ends = None if suffixes is None else list(suffixes)
        return self._tree.walk_details(directory, max_depth=max_depth, suffixes=ends)

    def _directory(self, path: str) -> Node:
        node = self._tree.find(path)
        if node.kind != DIRECTORY:
            raise NotDirectoryError(f"not a directory: {path}", path=path)
        return node

    # The journal.

    def revision(self) -> int:
        """Return the number of the last committed change; inside a transaction, of its last."""

        def latest() -> int:
            self._journal.load()
            return self._journal.revision

        return self.store.read(latest)

    def changes(
        self,
        *,
        since: int = 0,
        until: int | None = None,
        path: str | None = None,
        limit: int = -1,
        position: int = 0,
    ) -> list[Change]:
        """Return what happened after a revision, oldest first; see `Journal.changes`."""
        return self.store.read(
            lambda: self._journal.changes(
                since=since, until=until, path=path, limit=limit, position=position
            )
        )

    def complete_since(self) -> int:
        """Return the earliest revision after which every change is known."""
        return self.store.read(self._journal.complete_since)

    def journal_position(self) -> int:
        """Return where the journal ends, to tell apart what one transaction does after it."""

        def position() -> int:
            self._journal.load()
            return self._journal.position

        return self.store.read(position)

    def history(
        self, path: str, *, limit: int = -1, offset: int = 0, follow_renames: bool = False
    ) -> list[Change]:
        """Return what happened to one path, newest first; see `Journal.latest`."""
        return self.store.read(
            lambda: self._journal.latest(
                path, limit=limit, offset=offset, follow_renames=follow_renames
            )
        )


# A frozen dataclass sets its fields through `object.__setattr__`, which takes longer
# than the whole rest of a cached `stat`; the slots' own setters take half of it.
_SET_FIELDS: Final = tuple(getattr(Stat, field.name).__set__ for field in fields(Stat))


def _path_of(entry: EntryDetails) -> str:
    return entry.path


def _stat(path: str, inode: Inode) -> Stat:
    number, kind, mode, size, mtime_ns, ctime_ns, nlink, _, version, _ = inode
    values = (
        path,
        KIND_NAMES[kind],
        size,
        mode,
        mtime_ns,
        ctime_ns,
        nlink,
        number,
        version,
        _hash_text(inode),
    )
    stat = object.__new__(Stat)
    for set_field, value in zip(_SET_FIELDS, values):  # noqa: B905 - `strict` takes as long again
        set_field(stat, value)
    return stat


def _hash_text(inode: Inode) -> str | None:
    if inode.kind == DIRECTORY:
        return None
    return (inode.hash or EMPTY_HASH).hex()


def _cut(data: bytes, offset: int, length: int | None) -> bytes:
    if not offset and (length is None or length >= len(data)):
        return data
    return data[offset:] if length is None else data[offset : offset + length]
