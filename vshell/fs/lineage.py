"""Where a workspace was forked from, and what it was when it was merged back.

A merge needs the state that both sides began with. It is kept in the fork like a
snapshot, under numbers that no snapshot has: so `gc` keeps its content, and it is in no
list. There are two: the state of the fork when it was made, and that of its last merge.
The second one holds only as long as the workspace it was merged into still stands on
that merge: after an undo there, the first one holds again.

`setting` has the rest: a random id for each workspace that has to do with forks, and in
the fork whose it is, and which inodes it shares with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vshell.errors import NotFoundError
from vshell.fs.content import EMPTY_HASH
from vshell.fs.filesystem import FileSystem
from vshell.fs.schema import DIRECTORY
from vshell.fs.transaction import Store

_ORIGIN: Final = 0
_LAST_MERGE: Final = -1
"""Numbers of the hidden snapshots: SQLite gives only positive ones."""

_ID: Final = "workspace_id"
_PARENT: Final = "fork_of"
_FORKED_AT: Final = "fork_revision"
_SHARED: Final = "fork_shared_inodes"
_MERGES: Final = "fork_merges"
_STAMP: Final = "fork_merge_stamp"
_PAIRS: Final = "fork_merge_inodes"
_MERGED: Final = "merged:"
"""In the parent, before the id of a fork: the stamp of its last merge."""


class Item(NamedTuple):
    """What an inode is; `content` is its number in its own database, `hash` identifies it."""

    kind: int
    mode: int
    mtime_ns: int
    content: int | None
    hash: bytes


@dataclass(frozen=True, slots=True)
class Inventory:
    """All rows of a tree at one moment.

    Attributes:
        items: What each inode is, by its number.
        entries: Which inode a name stands for, by the directory's number and the name.
    """

    items: dict[int, Item] = field(default_factory=dict)
    entries: dict[tuple[int, bytes], int] = field(default_factory=dict)


class Lineage(NamedTuple):
    """What a fork knows of where it comes from.

    Attributes:
        parent: The id of the workspace that it was forked from.
        revision: That workspace's revision at the time.
        shared: Inodes up to this number are the same in both.
    """

    parent: str
    revision: int
    shared: int


@dataclass(frozen=True, slots=True)
class MergeBase:
    """What two workspaces began with.

    Attributes:
        state: The state, with the fork's inodes.
        inodes: The fork's inode for each inode of the parent that had another number.
        shared: Other inodes up to this number have the same one in both.
    """

    state: Inventory
    inodes: Mapping[int, int]
    shared: int


# Rows.

_COLUMNS: Final = "i.id, i.kind, i.mode, i.mtime_ns, i.content, c.hash"


def present(store: Store) -> Inventory:
    """Return the tree as it is now."""
    return _inventory(
        store.database.rows(
            f"select {_COLUMNS} from inode i left join content c on c.id = i.content"
        ),
        store.database.rows("select parent, name, inode from entry"),
    )


def snapshot(store: Store, name: str) -> Inventory:
    """Return the tree that a snapshot holds.

    Raises:
        NotFoundError: There is none of that name.
    """
    found = store.database.row("select id from snapshot where name = ?", (name,))
    if found is None:
        raise NotFoundError(f"no such snapshot: {name}", hint="`snapshots` lists them")
    return _stored(store, found[0])


def _stored(store: Store, number: int) -> Inventory:
    return _inventory(
        store.database.rows(
            f"select {_COLUMNS} from snapshot_inode i left join content c on c.id = i.content"
            " where i.snapshot = ?",
            (number,),
        ),
        store.database.rows(
            "select parent, name, inode from snapshot_entry where snapshot = ?", (number,)
        ),
    )


def _inventory(items: Iterable[tuple], entries: Iterable[tuple]) -> Inventory:  # type: ignore[type-arg]
    return Inventory(
        {
            number: Item(
                kind,
                mode,
                mtime_ns,
                content,
                digest or (b"" if kind == DIRECTORY else EMPTY_HASH),
            )
            for number, kind, mode, mtime_ns, content, digest in items
        },
        {(parent, name): number for parent, name, number in entries},
    )


def _forget(store: Store, number: int) -> None:
    for table in ("snapshot_entry", "snapshot_inode"):
        store.database.run(f"delete from {table} where snapshot = ?", (number,))


# Forks.


def workspace_id(files: FileSystem) -> str | None:
    """Return the id of a workspace; None when it never had to do with forks."""
    found = files.setting(_ID)
    return None if found is None else str(found)


def ensure_workspace_id(files: FileSystem, new_id: str) -> None:
    """Give a workspace an id, unless it has one or cannot be changed."""
    if workspace_id(files) is not None or files.store.database.read_only:
        return
    with files.transaction():
        if workspace_id(files) is None:
            files.set_setting(_ID, new_id)


def common_point(files: FileSystem) -> Lineage | None:
    """Return what a copy of the workspace as it is now would know of it; None without an id."""
    known = workspace_id(files)
    if known is None:
        return None
    with files.reading():
        return Lineage(known, files.revision(), files.journal_position())


def record_fork(files: FileSystem, new_id: str, origin: Lineage | None) -> None:
    """Note in a new copy what it is a copy of; call it inside a transaction.

    Args:
        files: The copy, in the state that both have in common.
        new_id: Its own id from now on.
        origin: Where it comes from; None when that is not known, so that nothing can be
            merged back without a snapshot to compare with.
    """
    store = files.store
    store.database.run("delete from setting where name >= 'merged:' and name < 'merged;'")
    files.set_setting(_ID, new_id)
    files.set_setting(_PARENT, origin and origin.parent)
    files.set_setting(_FORKED_AT, origin and origin.revision)
    files.set_setting(_SHARED, origin and origin.shared)
    for name in (_MERGES, _STAMP, _PAIRS):
        files.set_setting(name, None)
    _forget(store, _LAST_MERGE)
    _forget(store, _ORIGIN)
    store.database.run(
        "insert into snapshot_inode select ?, id, kind, mode, mtime_ns, content from inode",
        (_ORIGIN,),
    )
    store.database.run(
        "insert into snapshot_entry select ?, parent, name, inode, kind from entry", (_ORIGIN,)
    )


def lineage(files: FileSystem) -> Lineage | None:
    """Return where a workspace comes from, if it is a fork."""
    parent = files.setting(_PARENT)
    if parent is None:
        return None
    return Lineage(
        str(parent), int(files.setting(_FORKED_AT) or 0), int(files.setting(_SHARED) or 0)
    )


# Merges.


def merge_base(fork: FileSystem, parent: FileSystem) -> MergeBase:
    """Return what a fork and the workspace that it comes from have in common."""
    shared = int(fork.setting(_SHARED) or 0)
    stamp = fork.setting(_STAMP)
    if stamp is not None and parent.setting(f"{_MERGED}{workspace_id(fork)}") == stamp:
        revision = int(str(stamp).partition(":")[2])
        if _stands_on(parent.store, revision):
            pairs = json.loads(str(fork.setting(_PAIRS)))
            return MergeBase(_stored(fork.store, _LAST_MERGE), dict(pairs), shared)
    return MergeBase(_stored(fork.store, _ORIGIN), {}, shared)


def save_merge(
    fork: FileSystem, parent: FileSystem, state: Inventory, inodes: Mapping[int, int]
) -> None:
    """Note what both have in common now; call it inside a transaction of each.

    Args:
        fork: The fork.
        parent: The workspace that it was merged into.
        state: What they have in common, with the fork's inodes.
        inodes: The fork's inode for each of the parent's.
    """
    store = fork.store
    count = int(fork.setting(_MERGES) or 0) + 1
    # If the parent's transaction is undone, its stamp stays another one, for the
    # fork's count went on.
    stamp = f"{count}:{parent.revision()}"
    parent.set_setting(f"{_MERGED}{workspace_id(fork)}", stamp)
    fork.set_setting(_MERGES, count)
    fork.set_setting(_STAMP, stamp)
    shared = int(fork.setting(_SHARED) or 0)
    pairs = [pair for pair in sorted(inodes.items()) if pair[0] != pair[1] or pair[0] > shared]
    fork.set_setting(_PAIRS, json.dumps(pairs))
    _forget(store, _LAST_MERGE)
    store.database.run_many(
        "insert into snapshot_inode (snapshot, id, kind, mode, mtime_ns, content)"
        " values (?, ?, ?, ?, ?, ?)",
        ((_LAST_MERGE, number, *item[:4]) for number, item in state.items.items()),
    )
    store.database.run_many(
        "insert into snapshot_entry (snapshot, parent, name, inode, kind) values (?, ?, ?, ?, ?)",
        (
            (_LAST_MERGE, directory, name, number, state.items[number].kind)
            for (directory, name), number in state.entries.items()
        ),
    )


def _stands_on(store: Store, revision: int) -> bool:
    """Tell whether a revision is among those that led to the present state."""
    store.journal.load()
    present_revision = store.journal.revision
    for number, state_of in store.database.rows(
        "select revision, state_of from undo where revision > ? order by revision desc",
        (revision,),
    ):
        if number <= present_revision:
            present_revision = state_of
    return present_revision >= revision
