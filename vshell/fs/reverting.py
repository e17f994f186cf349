"""Taking back changes that only rewrote files: a few statements for all of them.

That is what nearly every edit is. Nothing was made, removed or renamed since, so each
file is where the journal says, and what it was is in the first row that is about it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from vshell.errors import CorruptError
from vshell.fs.schema import FILE
from vshell.fs.transaction import Store

_POSITION: Final = "select id from journal where revision <= ? order by id desc limit 1"
_OTHER_CHANGE: Final = (
    "select 1 from journal where id > ? and action not in ('write', 'attributes', '') limit 1"
)
# With `min`, the other columns are those of the row that has the minimum
# (https://sqlite.org/lang_select.html#bareagg).
_FIRST: Final = (
    "(select min(id) as first, inode, path, before_content as content, before_mode as mode,"
    " before_mtime_ns as mtime_ns from journal where id > :position and id <= :last"
    " and action <> '' group by inode)"
)
_DIFFERS: Final = "(i.content is not f.content or i.mode <> f.mode or i.mtime_ns <> f.mtime_ns)"
_JOINED: Final = (
    f"from {_FIRST} f left join inode i on i.id = f.inode left join content c"
    f" on c.id = f.content where ({_DIFFERS} or i.id is null)"
)
_DELTA: Final = "coalesce(c.size, 0) - i.size"
_SUMMARY: Final = (
    f"select count(*), coalesce(sum({_DELTA}), 0),"
    f" coalesce(sum(coalesce(i.nlink <> 1 or i.kind <> {FILE}, 1)), 0),"
    f" coalesce(sum(f.content is not null and c.id is null), 0) {_JOINED}"
)
_RECORD: Final = (
    "insert into journal (id, revision, time_ns, session, operation, action, path, inode, kind,"
    " before_content, after_content, before_mode, after_mode, before_mtime_ns, after_mtime_ns,"
    " live_bytes) select :last + row_number() over (order by f.first),"
    " :revision, :time_ns, :session, :operation,"
    " case when i.content is f.content then 'attributes' else 'write' end, f.path, i.id, i.kind,"
    " i.content, f.content, i.mode, f.mode, i.mtime_ns, f.mtime_ns,"
    f" :live_bytes + sum({_DELTA}) over (order by f.first) {_JOINED}"
)
_REWRITE: Final = (
    "update inode as i set mode = f.mode, size = coalesce(c.size, 0), mtime_ns = f.mtime_ns,"
    " ctime_ns = :time_ns, content = f.content,"
    " version = case when i.content is f.content then i.version else :revision end"
    f" from {_FIRST} f left join content c on c.id = f.content"
    f" where i.id = f.inode and {_DIFFERS}"
)
_CHANGED: Final = "select inode from journal where id > ?"


class _Summary(NamedTuple):
    """What differs: how many files, by how many bytes, and what stands against it."""

    files: int
    bytes: int
    special: int
    lost: int


def revert_rewrites(store: Store, revision: int) -> int | None:
    """Make all files what they were after a revision; call it in a transaction.

    Returns:
        How many files changed; None when more was done since than rewriting plain files, so
        that nothing was changed here.

    Raises:
        QuotaExceededError: They would not fit.
        CorruptError: The content of one is missing.
    """
    journal, database = store.journal, store.database
    found = database.row(_POSITION, (revision,))
    position = found[0] if found else 0
    if journal.guard is not None or database.row(_OTHER_CHANGE, (position,)):
        return None
    values: dict[str, Any] = {"position": position, "last": journal.position}
    row = database.row(_SUMMARY, values)
    assert row is not None
    summary = _Summary(*row)
    if summary.special:
        return None
    if summary.lost:
        raise CorruptError("content is missing", hint="`vshell check` says which files lost it")
    if summary.files:
        journal.reserve(summary.bytes)
        journal.record_by(_RECORD, values, count=summary.files, delta=summary.bytes)
        database.run(_REWRITE, values | {"time_ns": journal.time_ns, "revision": journal.revision})
        store.tree.forget_inodes(row[0] for row in database.rows(_CHANGED, (values["last"],)))
    return summary.files
