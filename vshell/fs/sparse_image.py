"""Two moments of the tree, as much of them as may differ.

Whole images take time for every file. What changed is known without them: between two
snapshots, or a snapshot and the present, SQLite tells which rows differ; since a
revision, the journal tells which paths were touched. Where a directory moved, the paths
of all that is in it changed too, and whole images are taken after all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from vshell.errors import NotDirectoryError, NotFoundError, SymlinkLoopError
from vshell.fs.image import Image, ImageInode, JournalRow, journal_after, order, take_back
from vshell.fs.paths import decode
from vshell.fs.schema import DIRECTORY, FILE
from vshell.fs.transaction import Store
from vshell.fs.tree import directory_paths

_PRESENT_ENTRIES = "select parent, name, inode, kind from entry"
_PRESENT_INODES = "select id, kind, mode, mtime_ns, content from inode"


class Side(NamedTuple):
    """Where the rows of one moment are: a snapshot's number, or None for the present."""

    snapshot: int | None
    revision: int

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
    gone = database.rows(f"{before.entries()} except {after.entries()}")
    new = database.rows(f"{after.entries()} except {before.entries()}")
    if _directories(gone) & _directories(new):
        return None
    numbers = {row[2] for row in (*gone, *new)}
    for one, other in ((before, after), (after, before)):
        numbers.update(row[0] for row in database.rows(f"{one.inodes()} except {other.inodes()}"))
    return _image(store, before, gone, numbers), _image(store, after, new, numbers)


def _directories(rows: Iterable[tuple[Any, ...]]) -> set[int]:
    return {row[2] for row in rows if row[3] == DIRECTORY}


def _image(store: Store, side: Side, entries: list[tuple[Any, ...]], numbers: set[int]) -> Image:
    database = store.database
    listed = json.dumps(sorted(numbers))
    rows = database.rows(
        f"select * from ({side.entries()}) where inode in (select value from json_each(?))",
        (listed,),
    )
    path_of = directory_paths(
        store.tree.root, database.rows(f"select * from ({side.entries()}) where kind = 2")
    )
    image = Image(side.revision)
    for number, *rest in database.rows(
        f"select * from ({side.inodes()}) where id in (select value from json_each(?))", (listed,)
    ):
        image.inodes[number] = ImageInode(*rest)
    found = {path_of(row[0]) + decode(row[1]): row[2] for row in (*entries, *rows)}
    image.paths = _ordered(found)
    return image


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
