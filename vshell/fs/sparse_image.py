"""Two moments of the tree, as much of them as may differ.

Whole images take time for every file. What changed is known without them: between two
snapshots, or a snapshot and the present, SQLite tells which rows differ; since a
revision, the journal tells which paths were touched. Where a directory moved, the paths
of all that is in it changed too, and whole images are taken after all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from vshell.errors import NotDirectoryError, NotFoundError, SymlinkLoopError
from vshell.fs.database import Database
from vshell.fs.image import Image, ImageInode, JournalRow, journal_after, order, take_back
from vshell.fs.paths import decode
from vshell.fs.resolving import Node
from vshell.fs.schema import DIRECTORY, FILE, ROOT
from vshell.fs.transaction import Store
from vshell.fs.tree import directory_paths

Entry = tuple[Any, ...]

_PRESENT_ENTRIES: Final = "select parent, name, inode, kind from entry"
_PRESENT_INODES: Final = "select id, kind, mode, mtime_ns, content from inode"

# With the rows of one moment, or of two, in the braces. SQLite looks the second one's up.
_CHANGED: Final = (
    "select a.id, a.kind, a.mode, a.mtime_ns, a.content, b.kind, b.mode, b.mtime_ns, b.content"
    " from ({}) a cross join ({}) b on b.id = a.id where (a.content is not b.content"
    " or a.mtime_ns <> b.mtime_ns or a.mode <> b.mode or a.kind <> b.kind)"
)
_LAST_BEFORE: Final = "select id from journal where revision < ? order by id desc limit 1"
_OTHER_CHANGE: Final = (
    "select 1 from journal where id > ? and revision <= ?"
    " and action not in ('write', 'attributes', '') limit 1"
)
_TOUCHED: Final = (
    "select distinct inode from journal where id > ? and revision <= ? and action <> ''"
)
_NUMBERED: Final = "select i.* from json_each(?) j cross join ({}) i on i.id = j.value"
_PLACES: Final = "select * from ({}) where kind = 2 or inode in (select value from json_each(?))"


class Side(NamedTuple):
    """Where the rows of one moment are.

    Attributes:
        snapshot: The snapshot's number; None for the present.
        revision: The last revision that is in it.
        is_whole: Whether all of that revision is in it: a snapshot can be of its middle.
    """

    snapshot: int | None
    revision: int
    is_whole: bool = True

    def entries(self) -> str:
        if self.snapshot is None:
            return _PRESENT_ENTRIES
        columns = "parent, name, inode, kind"
        return f"select {columns} from snapshot_entry where snapshot = {self.snapshot:d}"

    def inodes(self) -> str:
        if self.snapshot is None:
            return _PRESENT_INODES
        columns = "id, kind, mode, mtime_ns, content"
        return f"select {columns} from snapshot_inode where snapshot = {self.snapshot:d}"


def differing_rows(store: Store, before: Side, after: Side) -> tuple[Image, Image] | None:
    """Return two moments where their rows differ; None when a directory moved between them."""
    database = store.database
    rewritten = _only_rewritten(store, before, after)
    gone, new = ([], []) if rewritten else _differing_entries(database, before, after)
    if _directories(gone) & _directories(new):
        return None
    old, young = Image(before.revision), Image(after.revision)
    # An inode that only one side has is in an entry that only that side has.
    values: tuple[str, ...] = ()
    changed = _CHANGED.format(before.inodes(), after.inodes())
    if rewritten:
        changed, values = f"{changed} and a.id in (select value from json_each(?))", (rewritten,)
    for row in database.rows(changed, values):
        old.inodes[row[0]] = ImageInode(*row[1:5])
        young.inodes[row[0]] = ImageInode(*row[5:])
    named = {row[2] for row in (*gone, *new)}
    for side, image in ((before, old), (after, young)):
        _add_inodes(database, image, side, named - image.inodes.keys())
    numbers = json.dumps(sorted(named | old.inodes.keys()))
    places = database.rows(_PLACES.format(before.entries()), (numbers,))
    old.paths = _paths(places, old.inodes, store.tree.root)
    if gone or new:
        places = [*set(places).difference(gone), *new]
        young.paths = _paths(places, young.inodes, store.tree.root)
    else:
        young.paths = old.paths
    return old, young


def _only_rewritten(store: Store, one: Side, other: Side) -> str | None:
    """Return as JSON which inodes may differ, if nothing was made, removed or moved between."""
    earlier, later = (one, other) if one.revision <= other.revision else (other, one)
    # A revision of which only a part is in the earlier one is looked at, too.
    whole = earlier.revision - (not (one.is_whole and other.is_whole))
    first, last = whole + 1, later.revision
    if store.journal.complete_since() > whole:
        return None
    found = store.database.row(_LAST_BEFORE, (first,))
    bounds = (found[0] if found else 0, last)
    if store.database.row(_OTHER_CHANGE, bounds):
        return None
    return json.dumps([row[0] for row in store.database.rows(_TOUCHED, bounds)])


def _differing_entries(
    database: Database, before: Side, after: Side
) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that are gone, and those that are new."""
    gone = database.rows(f"{before.entries()} except {after.entries()}")
    counted = database.row(
        f"select (select count(*) from ({before.entries()})),"
        f" (select count(*) from ({after.entries()}))"
    )
    assert counted is not None
    if not gone and counted[0] == counted[1]:
        return [], []
    return gone, database.rows(f"{after.entries()} except {before.entries()}")


def _directories(rows: Iterable[Entry]) -> set[int]:
    return {row[2] for row in rows if row[3] == DIRECTORY}


def _add_inodes(database: Database, image: Image, side: Side, numbers: set[int]) -> None:
    if numbers:
        listed = json.dumps(sorted(numbers))
        for number, *rest in database.rows(_NUMBERED.format(side.inodes()), (listed,)):
            image.inodes[number] = ImageInode(*rest)


def _paths(entries: list[Entry], inodes: Mapping[int, ImageInode], root: Node) -> dict[str, int]:
    """Return the paths of some inodes, from their entries and those of all directories."""
    path_of = directory_paths(root, entries)
    found = {path_of(row[0]) + decode(row[1]): row[2] for row in entries if row[2] in inodes}
    if ROOT in inodes:
        found["/"] = ROOT
    return _ordered(found)


def touched_since(store: Store, revision: int) -> tuple[Image, Image] | None:
    """Return the present and the state after a revision, of the paths touched since.

    None when a directory moved, or a file with several names is among them.
    """
    rows = journal_after(store, revision)
    if any(row.action == "rename" and row.kind == DIRECTORY for row in rows):
        return None
    removed = json.dumps([row.inode for row in rows if row.action == "remove"])
    if store.database.row(
        "select 1 from inode where id in (select value from json_each(?)) limit 1", (removed,)
    ):
        return None  # a name of a file that has others, which only whole images tell
    store.journal.load()
    present, past = Image(store.journal.revision), Image(revision)
    for path in _touched(rows):
        inode = _inode_at(store, path)
        if inode is None:
            continue
        number, row, links = inode
        if row.kind == FILE and links > 1:
            return None
        present.paths[path] = past.paths[path] = number
        present.inodes[number] = past.inodes[number] = row
    for each in rows:
        take_back(past, each)
    past.paths = _ordered(past.paths)
    present.paths = _ordered(present.paths)
    return present, past


def _touched(rows: Iterable[JournalRow]) -> list[str]:
    paths = {row.path for row in rows} | {row.old_path for row in rows if row.old_path}
    return [decode(path) for path in paths]


def _inode_at(store: Store, path: str) -> tuple[int, ImageInode, int] | None:
    try:
        node = store.tree.find(path, follow=False)
    except (NotFoundError, NotDirectoryError, SymlinkLoopError):
        return None
    if node.path != path:  # a link stands where a directory was
        return None
    inode = store.tree.inode(node.inode)
    row = ImageInode(inode.kind, inode.mode, inode.mtime_ns, inode.content)
    return inode.id, row, inode.nlink


def _ordered(paths: dict[str, int]) -> dict[str, int]:
    """Return the same with parents before what is in them."""
    return dict(sorted(paths.items(), key=lambda item: order(item[0])))
