"""Many entries at once: a whole tree merged into a directory by a few statements.

What is to be there is said entry by entry, parents first; `finish` then writes all
rows, table by table. The cost is that of the rows, and one query for each directory
that exists already.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from vshell.errors import ConflictError, IsDirectoryError, NotDirectoryError
from vshell.fs.content import Stored
from vshell.fs.paths import decode, encode, join
from vshell.fs.records import Action, EntryDetails, Inode
from vshell.fs.schema import DIRECTORY, FILE, PERMISSION_BITS, SYMLINK
from vshell.fs.transaction import Store, _open_stores

Item = TypeVar("Item")
Row = tuple[str, Inode | None, Inode | None, int]

_CHILDREN: Final = (
    "select e.name, i.id, i.kind, i.mode, i.size, i.mtime_ns, i.ctime_ns, i.nlink, i.content,"
    " i.version, (select c.hash from content c where c.id = i.content)"
    " from entry e join inode i on i.id = e.inode where e.parent = ?"
)
_UPDATE: Final = (
    "update inode set mode = ?, size = ?, mtime_ns = ?, ctime_ns = ?, nlink = ?,"
    " content = ?, version = ? where id = ?"
)
_ROWS_AT_ONCE: Final = 500
"""Journal rows hold whole paths, which together can be long in a deep tree."""

_MAX_TIME_NS: Final = (1 << 63) - 1


class BulkDirectory:
    """A directory of the merged tree: an existing one, or a new one that gets its number late."""

    __slots__ = ("changed", "inode", "is_new", "known", "name", "parent", "top_path")

    def __init__(
        self,
        parent: BulkDirectory | None,
        name: bytes,
        inode: Inode,
        *,
        is_new: bool,
        top_path: str = "",
    ) -> None:
        self.parent = parent
        self.name = name
        self.inode = inode
        self.is_new = is_new
        self.changed = is_new
        self.known: dict[bytes, Inode] | None = {} if is_new else None
        self.top_path = top_path

    @property
    def path(self) -> str:
        """Its path from the root, put together anew: kept, those of a deep tree are too much."""
        names = []
        place = self
        while place.parent is not None:
            names.append(decode(place.name))
            place = place.parent
        return join(place.top_path, "/".join(reversed(names))) if names else place.top_path


class _File:
    """A file or link of the merged tree: an existing inode, or one that gets its number late."""

    __slots__ = ("inode", "is_new")

    def __init__(self, inode: Inode, *, is_new: bool) -> None:
        self.inode = inode
        self.is_new = is_new


class BulkMerge:
    """Merges a tree into a directory, inside one transaction.

    A file or a link takes the place of a file or link of the same name. A file that
    stays a file keeps its inode, unless the inode has other names: as with a new file
    that is renamed over the old one, these keep what they have. What is the same
    already is left alone.

    Args:
        store: The open database, in a transaction in which nothing else changes until
            `finish`.
        path: The directory.
        replacing: Is called with the path of each file that is to lose its content, and
            may raise an error.

    Raises:
        NotDirectoryError: It is none.
        NotFoundError, SymlinkLoopError: see `Tree.find`.
    """

    def __init__(
        self, store: Store, path: str, *, replacing: Callable[[str], None] | None = None
    ) -> None:
        top = store.tree.find(path)
        if top.kind != DIRECTORY:
            raise NotDirectoryError(f"not a directory: {path}", path=path)
        self._store = store
        self._replacing = replacing
        self._started_at = store.journal.next_inode
        self._growth = 0
        self._directories: list[BulkDirectory] = []
        self._created: list[tuple[BulkDirectory, bytes, BulkDirectory | _File]] = []
        self._removed: list[tuple[BulkDirectory, bytes, Inode, int]] = []
        self._replaced: list[tuple[Action, BulkDirectory, bytes, Inode, Inode]] = []
        self._existing: dict[int, Inode] = {}
        self._before: dict[int, Inode] = {}
        self._taken: set[int] = set()
        self._files: dict[Hashable, _File] = {}
        self.top = BulkDirectory(
            None, top.name, store.tree.inode(top.inode), is_new=False, top_path=top.path
        )
        self._directories.append(self.top)

    # What is to be there.

    def reserve(self, size: int) -> None:
        """Make sure that a file of so many bytes fits, with all that was added before.

        Raises:
            QuotaExceededError: It does not.
        """
        self._store.journal.reserve(self._growth + size)

    def put(self, data: bytes | Iterable[bytes]) -> Stored:
        """Store the content of a file that will be added, or of none."""
        content = self._store.content
        return content.put(data) if isinstance(data, bytes) else content.put_stream(data)

    def add_directory(self, parent: BulkDirectory, name: str) -> BulkDirectory:
        """Have a directory there; `set_attributes` says the rest.

        Raises:
            NotDirectoryError: Something else has the name.
        """
        encoded = encode(name)
        known = self._known(parent).get(encoded)
        if known is None:
            directory = BulkDirectory(parent, encoded, self._new(DIRECTORY), is_new=True)
            self._created.append((parent, encoded, directory))
            parent.inode = parent.inode._replace(nlink=parent.inode.nlink + 1)
            parent.changed = True
        elif known.kind == DIRECTORY:
            directory = BulkDirectory(parent, encoded, known, is_new=False)
        else:
            path = join(parent.path, name)
            raise NotDirectoryError(
                f"a directory would replace a file: {path}", path=path, hint="remove the file first"
            )
        self._directories.append(directory)
        return directory

    def set_attributes(self, directory: BulkDirectory, *, mode: int, mtime_ns: int) -> None:
        """Set the permission bits and the time of a directory."""
        if not directory.is_new:
            self._before.setdefault(directory.inode.id, directory.inode)
        directory.inode = directory.inode._replace(
            mode=mode & PERMISSION_BITS, mtime_ns=_time(mtime_ns)
        )

    def add_file(
        self,
        parent: BulkDirectory,
        name: str,
        stored: Stored,
        *,
        mode: int,
        mtime_ns: int,
        identity: Hashable = None,
    ) -> None:
        """Have a file there.

        Args:
            parent: The directory.
            name: Its name.
            stored: Its content, from `put`.
            mode: Its permission bits.
            mtime_ns: When it last changed, in nanoseconds since 1970.
            identity: Files with the same one are names of one file; None is no other's.

        Raises:
            IsDirectoryError: A directory has the name.
        """
        self._add(parent, name, self._new(FILE, stored, mode, mtime_ns), identity)

    def add_symlink(
        self,
        parent: BulkDirectory,
        name: str,
        target: str,
        *,
        mtime_ns: int,
        identity: Hashable = None,
    ) -> None:
        """Have a symbolic link there; arguments and errors as for `add_file`."""
        stored = self._store.content.put(encode(target))
        self._add(parent, name, self._new(SYMLINK, stored, 0o777, mtime_ns), identity)

    def add_name(self, parent: BulkDirectory, name: str, identity: Hashable) -> bool:
        """Have one more name of a file there, if one with that identity was added.

        Returns:
            Whether it was.

        Raises:
            IsDirectoryError: A directory has the name.
        """
        file = self._files.get(identity)
        if file is None:
            return False
        encoded = encode(name)
        old = self._old(parent, name)
        if old is not None:
            if old.id == file.inode.id:
                return True
            self._remove(parent, encoded, old)
        self._create(parent, encoded, file)
        if file.is_new:
            file.inode = file.inode._replace(nlink=file.inode.nlink + 1)
        else:  # some of its names may be gone since it was added
            known = self._existing.get(file.inode.id, file.inode)
            file.inode = self._touch(known._replace(nlink=known.nlink + 1))
        return True

    def _new(
        self, kind: int, stored: Stored | None = None, mode: int = 0o755, mtime_ns: int = 0
    ) -> Inode:
        journal = self._store.journal
        return Inode(
            0,
            kind,
            mode & PERMISSION_BITS,
            stored.size if stored else 0,
            _time(mtime_ns),
            journal.time_ns,
            2 if kind == DIRECTORY else 1,
            stored.id if stored else None,
            journal.next_revision,
            stored.hash if stored else None,
        )

    def _known(self, directory: BulkDirectory) -> dict[bytes, Inode]:
        if directory.known is None:
            found = self._store.database.rows(_CHILDREN, (directory.inode.id,))
            directory.known = {row[0]: Inode._make(row[1:]) for row in found}
        return directory.known

    def _old(self, parent: BulkDirectory, name: str) -> Inode | None:
        old = self._known(parent).get(encode(name))
        if old is None:
            return None
        if old.kind == DIRECTORY:
            path = join(parent.path, name)
            raise IsDirectoryError(
                f"a file would replace a directory: {path}",
                path=path,
                hint="remove the directory first",
            )
        return self._existing.get(old.id, old)

    def _add(self, parent: BulkDirectory, name: str, new: Inode, identity: Hashable) -> None:
        encoded = encode(name)
        old = self._old(parent, name)
        if old is not None and self._replacing is not None and _loses(old, new):
            self._replacing(join(parent.path, name))
        if old is not None and self._may_become(old, new):
            file = self._become(parent, encoded, old, new)
        else:
            if old is not None:
                self._remove(parent, encoded, old)
            file = _File(new, is_new=True)
            self._create(parent, encoded, file)
            self._grow(new.size)
        if not file.is_new:
            self._taken.add(file.inode.id)
        if identity is not None:
            self._files[identity] = file

    def _may_become(self, old: Inode, new: Inode) -> bool:
        """Tell whether the existing inode can be what the new one is to be."""
        if old.kind != new.kind or old.id in self._taken:
            return False
        if old.kind == SYMLINK and old.content != new.content:
            return False
        return old.nlink == 1 or _same(old, new)

    def _become(self, parent: BulkDirectory, name: bytes, old: Inode, new: Inode) -> _File:
        if _same(old, new):
            return _File(old, is_new=False)
        after = old._replace(mode=new.mode, mtime_ns=new.mtime_ns)
        action: Action = "attributes"
        if old.content != new.content:
            action = "write"
            after = after._replace(
                size=new.size, content=new.content, version=new.version, hash=new.hash
            )
            self._grow(new.size - old.size)
        after = self._touch(after)
        self._replaced.append((action, parent, name, old, after))
        return _File(after, is_new=False)

    def _create(self, parent: BulkDirectory, name: bytes, file: _File) -> None:
        self._created.append((parent, name, file))
        parent.changed = True

    def _remove(self, parent: BulkDirectory, name: bytes, old: Inode) -> None:
        freed = old.size if old.nlink == 1 else 0
        self._touch(old._replace(nlink=old.nlink - 1))
        self._removed.append((parent, name, old, -freed))
        self._growth -= freed
        parent.changed = True

    def _touch(self, inode: Inode) -> Inode:
        inode = inode._replace(ctime_ns=self._store.journal.time_ns)
        self._existing[inode.id] = inode
        return inode

    def _grow(self, size: int) -> None:
        self._growth += size
        self._store.journal.reserve(self._growth)

    # The rows.

    def finish(self) -> None:
        """Write what was said.

        Raises:
            ConflictError: Something else changed the workspace meanwhile.
        """
        if self._store.journal.next_inode != self._started_at:
            raise ConflictError(
                "the workspace was changed while a tree was merged into it",
                hint="change nothing until it is done",
            )
        self._write_removed()
        self._write_created()
        self._write_existing()
        self._store.tree.forget()

    def _write_removed(self) -> None:
        database = self._store.database
        database.run_many(
            "delete from entry where parent = ? and name = ?",
            ((parent.inode.id, name) for parent, name, _, _ in self._removed),
        )
        self._record(
            "remove",
            (
                (join(parent.path, decode(name)), inode, None, delta)
                for parent, name, inode, delta in self._removed
            ),
        )

    def _write_created(self) -> None:
        journal, database = self._store.journal, self._store.database
        new: list[BulkDirectory | _File] = []
        firsts: list[bool] = []
        # An inode has the id of the journal's row that records its creation.
        for number, (_, _, item) in enumerate(self._created, journal.next_inode):
            first = item.is_new and not item.inode.id
            firsts.append(first)
            if first:
                item.inode = item.inode._replace(id=number)
                new.append(item)
        database.run_many(
            "insert into inode values (?, ?, ?, ?, ?, ?, ?, ?, ?)", (item.inode[:9] for item in new)
        )
        database.run_many(
            "insert into entry values (?, ?, ?, ?)",
            (
                (parent.inode.id, name, item.inode.id, item.inode.kind)
                for parent, name, item in self._created
            ),
        )
        self._record(
            "create",
            (
                (join(path, decode(name)), None, item.inode, item.inode.size if first else 0)
                for path, name, item, first in self._with_paths(firsts)
            ),
        )

    def _with_paths(
        self, firsts: list[bool]
    ) -> Iterator[tuple[str, bytes, BulkDirectory | _File, bool]]:
        """Yield the created entries with the paths of their directories."""
        last: BulkDirectory | None = None
        path = ""
        for (parent, name, item), first in zip(self._created, firsts, strict=True):
            if parent is not last:
                last, path = parent, parent.path
            yield path, name, item, first

    def _write_existing(self) -> None:
        database, journal = self._store.database, self._store.journal
        changed = dict(self._existing)
        for directory in self._directories:
            inode = directory.inode
            before = self._before.get(inode.id)
            if before is not None and not _same(before, inode):
                self._replaced.append(("attributes", directory, b"", before, inode))
            elif directory.is_new or not directory.changed:
                continue
            elif before is None:  # nobody set its time
                inode = inode._replace(mtime_ns=journal.time_ns)
            changed[inode.id] = inode._replace(ctime_ns=journal.time_ns)
        database.run_many(
            "delete from inode where id = ?",
            ((inode.id,) for inode in changed.values() if not inode.nlink),
        )
        database.run_many(
            _UPDATE,
            (
                (
                    inode.mode,
                    inode.size,
                    inode.mtime_ns,
                    inode.ctime_ns,
                    inode.nlink,
                    inode.content,
                    inode.version,
                    inode.id,
                )
                for inode in changed.values()
                if inode.nlink
            ),
        )
        for action in ("write", "attributes"):
            self._record(
                action,
                (
                    (
                        join(parent.path, decode(name)) if name else parent.path,
                        before,
                        after,
                        after.size - before.size,
                    )
                    for kind, parent, name, before, after in self._replaced
                    if kind == action
                ),
            )

    def _record(self, action: Action, rows: Iterable[Row]) -> None:
        for some in _batches(rows, _ROWS_AT_ONCE):
            self._store.journal.record_many(action, some)


def content_pieces(store: Store, entry: EntryDetails) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces, or the target of a link; call it inside `reading()`."""
    return store.content.pieces(Stored(entry.content, b"", entry.size))


def open_database_files() -> list[str]:
    """Return the paths on the host of all workspaces that this process has open.

    A POSIX lock goes when the process closes *any* descriptor of the file, so nobody
    but SQLite may open these (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    paths = [store.database.path for store in list(_open_stores) if not store.closed]
    return [path + end for path in paths for end in ("", "-wal", "-shm")]


def _loses(old: Inode, new: Inode) -> bool:
    """Tell whether content goes where one file takes the place of another."""
    return old.kind == FILE and (new.kind != FILE or old.content != new.content)


def _same(one: Inode, other: Inode) -> bool:
    return (
        one.content == other.content and one.mode == other.mode and one.mtime_ns == other.mtime_ns
    )


def _time(time_ns: int) -> int:
    return max(-_MAX_TIME_NS - 1, min(time_ns, _MAX_TIME_NS))


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
