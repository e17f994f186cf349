"""Whole trees at once: removing and copying them costs statements per kind of row, not per file."""

from __future__ import annotations

from vshell.errors import ExistsError, InvalidPathError
from vshell.fs.paths import encode, is_below
from vshell.fs.records import EntryRow, Inode
from vshell.fs.resolving import Node, Place
from vshell.fs.schema import DIRECTORY
from vshell.fs.transaction import Store

_INSERT_INODE = "insert into inode values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_ENTRY = "insert into entry values (?, ?, ?, ?)"


def remove_tree(store: Store, top: Node) -> int:
    """Remove everything below a directory, which stays; return how many entries went.

    A file with more than one name keeps those outside the tree.
    """
    tree, database, journal = store.tree, store.database, store.journal
    entries = sorted(tree.walk(top), key=lambda entry: entry.path, reverse=True)
    if not entries:
        return 0
    inodes = tree.inodes_below(top)
    names_left = {number: inode.nlink for number, inode in inodes.items()}
    records: list[tuple[str, Inode | None, Inode | None, int]] = []
    for entry in entries:
        inode = inodes[entry.inode]
        names_left[entry.inode] -= 1
        gone = inode.kind == DIRECTORY or not names_left[entry.inode]
        records.append((entry.path, inode, None, -inode.size if gone else 0))
    directories = [top.inode] + [entry.inode for entry in entries if entry.kind == DIRECTORY]
    survivors = [
        (left, journal.time_ns, number)
        for number, left in names_left.items()
        if left and inodes[number].kind != DIRECTORY
    ]
    kept = {number for _, _, number in survivors}
    database.run_many("delete from entry where parent = ?", ((number,) for number in directories))
    database.run_many(
        "delete from inode where id = ?", ((number,) for number in inodes if number not in kept)
    )
    database.run_many("update inode set nlink = ?, ctime_ns = ? where id = ?", survivors)
    links = sum(1 for entry in entries if entry.kind == DIRECTORY and _parent(entry) == top.path)
    database.run(
        "update inode set mtime_ns = ?, ctime_ns = ?, nlink = nlink - ? where id = ?",
        (journal.time_ns, journal.time_ns, links, top.inode),
    )
    journal.record_many("remove", records)
    tree.forget()
    return len(entries)


def copy_tree(store: Store, source: Node, place: Place, *, preserve: bool) -> int:
    """Copy a directory to a free place; return how many entries are new. No content is copied.

    Hard links inside the tree are links to each other in the copy too.

    Args:
        store: The open database, in a transaction.
        source: The directory.
        place: Where to.
        preserve: Keep times; permission bits are always kept.

    Raises:
        ExistsError: The place is taken.
        InvalidPathError: The place is inside the directory.
        QuotaExceededError: The copy would not fit.
    """
    if place.node is not None:
        raise ExistsError(f"file exists: {place.path}", path=place.path)
    if is_below(place.path, source.path):
        raise InvalidPathError(
            f"a directory cannot be copied into itself: {source.path} to {place.path}",
            path=place.path,
            hint="name a place outside it",
        )
    tree, database, journal = store.tree, store.database, store.journal
    entries = sorted(tree.walk(source), key=lambda entry: entry.path)
    inodes = tree.inodes_below(source)
    journal.reserve(sum(inode.size for inode in inodes.values()))
    copier = _Copier(store, preserve=preserve)
    top = copier.copy(tree.inode(source.inode), place.path)
    new_paths = {source.path: place.path}
    new_directories = {source.path: top}
    rows = [(place.directory.inode, encode(place.name), top.id, DIRECTORY)]
    for entry in entries:
        parent = _parent(entry)
        name = entry.path[len(parent) :].lstrip("/")
        path = f"{new_paths[parent]}/{name}"
        inode = copier.copy(inodes[entry.inode], path)
        rows.append((new_directories[parent].id, encode(name), inode.id, inode.kind))
        if inode.kind == DIRECTORY:
            new_paths[entry.path] = path
            new_directories[entry.path] = inode
    copier.finish()
    database.run_many(_INSERT_ENTRY, rows)
    database.run(
        "update inode set mtime_ns = ?, ctime_ns = ?, nlink = nlink + 1 where id = ?",
        (journal.time_ns, journal.time_ns, place.directory.inode),
    )
    tree.inodes.pop(place.directory.inode, None)
    return len(rows)


class _Copier:
    """Makes new inodes of old ones, each once."""

    def __init__(self, store: Store, *, preserve: bool) -> None:
        self._store = store
        self._preserve = preserve
        self._first = store.journal.next_inode
        self._copies: dict[int, Inode] = {}
        self._records: list[tuple[str, Inode | None, Inode | None, int]] = []

    def copy(self, inode: Inode, path: str) -> Inode:
        journal = self._store.journal
        known = self._copies.get(inode.id)
        if known is not None:
            known = known._replace(nlink=known.nlink + 1)
            self._copies[inode.id] = known
            self._records.append((path, None, known, 0))
            return known
        copy = inode._replace(
            id=self._first + len(self._records),
            mtime_ns=inode.mtime_ns if self._preserve else journal.time_ns,
            ctime_ns=journal.time_ns,
            nlink=inode.nlink if inode.kind == DIRECTORY else 1,
            version=journal.next_revision,
        )
        self._copies[inode.id] = copy
        self._records.append((path, None, copy, copy.size))
        return copy

    def finish(self) -> None:
        database = self._store.database
        database.run_many(_INSERT_INODE, (copy[:9] for copy in self._copies.values()))
        self._store.journal.record_many("create", self._records)


def _parent(entry: EntryRow) -> str:
    return entry.path.rpartition("/")[0] or "/"
