"""Giving many files other content at once: statements per kind of row, not per file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from vshell.fs.content import EMPTY, Stored
from vshell.fs.records import Inode
from vshell.fs.transaction import Store

_STORED: Final = "select id, hash, size from content where id in (select value from json_each(?))"
_UPDATE: Final = (
    "update inode set mode = ?, size = ?, mtime_ns = ?, ctime_ns = ?, content = ?, version = ?"
    " where id = ?"
)

Row = tuple[str, Inode | None, Inode | None, int]


class Rewrite(NamedTuple):
    """What a file shall be.

    Attributes:
        path: Its only name.
        inode: Its number.
        mode: Its permission bits.
        mtime_ns: When it last changed.
        content: The number of its content.
    """

    path: str
    inode: int
    mode: int
    mtime_ns: int
    content: int | None


def rewrite_many(store: Store, rewrites: Sequence[Rewrite]) -> None:
    """Make files what they shall be, with a row of the journal each; call it in a transaction.

    Raises:
        QuotaExceededError: They would not fit.
    """
    assert store.depth, "changes need a transaction"
    journal, tree = store.journal, store.tree
    known = _stored(store, rewrites)
    written: list[Row] = []
    touched: list[Row] = []
    for rewrite in rewrites:
        before = tree.inode(rewrite.inode)
        after = _after(store, before, rewrite, known[rewrite.content])
        rows = touched if before.content == after.content else written
        rows.append((rewrite.path, before, after, after.size - before.size))
    journal.reserve(sum(row[3] for row in written))
    changed = [row[2] for row in (*written, *touched) if row[2] is not None]
    store.database.run_many(
        _UPDATE,
        [
            (
                each.mode,
                each.size,
                each.mtime_ns,
                each.ctime_ns,
                each.content,
                each.version,
                each.id,
            )
            for each in changed
        ],
    )
    journal.record_many("write", written)
    journal.record_many("attributes", touched)
    tree.inodes.update((each.id, each) for each in changed)


def _after(store: Store, before: Inode, rewrite: Rewrite, stored: Stored) -> Inode:
    is_same = before.content == stored.id
    return before._replace(
        mode=rewrite.mode,
        size=stored.size,
        mtime_ns=rewrite.mtime_ns,
        ctime_ns=store.journal.time_ns,
        content=stored.id,
        version=before.version if is_same else store.journal.next_revision,
        hash=stored.hash,
    )


def _stored(store: Store, rewrites: Sequence[Rewrite]) -> dict[int | None, Stored]:
    wanted = json.dumps(sorted({each.content for each in rewrites if each.content is not None}))
    found: dict[int | None, Stored] = {None: EMPTY}
    for number, digest, size in store.database.rows(_STORED, (wanted,)):
        found[number] = Stored(number, digest, size)
    for each in rewrites:
        if each.content not in found:
            store.content.find(each.content)  # which says what is missing
    return found
