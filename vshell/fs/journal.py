"""The journal: who did what to which path, in which revision, and what was there before.

It is also the source of the counters that a transaction needs: revisions, ids,
and the sum of all sizes, which the quota is checked against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from vshell.errors import QuotaExceededError
from vshell.fs.content import EMPTY_HASH
from vshell.fs.database import Database, Value
from vshell.fs.paths import decode, encode
from vshell.fs.records import KIND_NAMES, Action, Change, Inode
from vshell.fs.schema import FILE

_INSERT: Final = (
    "insert into journal (id, revision, time_ns, session, operation, action, path, old_path,"
    " inode, kind, before_content, after_content, before_mode, after_mode,"
    " before_mtime_ns, after_mtime_ns, live_bytes)"
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST_ID: Final = 1 << 62
_CHANGES: Final = (
    "select j.revision, j.time_ns, j.session, j.operation, j.action, j.path, j.old_path, j.kind,"
    " (select hash from content where id = j.before_content),"
    " (select hash from content where id = j.after_content),"
    " j.before_mode, j.after_mode, j.before_content, j.after_content from journal j"
)
# Revisions ascend with ids.
_OLDEST: Final = (
    "select revision from journal where revision > 0 and action <> '' order by id limit 1"
)
_NO_CHANGE: Final = (
    "session = '', operation = '', action = '', path = x'2f', old_path = null, inode = 1,"
    " kind = 2, before_content = null, after_content = null, before_mode = null,"
    " after_mode = null, before_mtime_ns = null, after_mtime_ns = null"
)


class Journal:
    """The journal of one database.

    A transaction calls `open` first; `record` and `record_many` then write rows
    that belong to one revision.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = 0
        self.revision = 0
        self.live_bytes = 0
        self.quota_bytes: int | None = None
        self.time_ns = 0
        self.session = ""
        self.operation = ""
        self._loaded = False
        self._opened_revision = 0
        # Raises for a path that must not change: whoever guards paths has the last word here.
        self.guard: Callable[[str], None] | None = None

    def forget(self) -> None:
        """Drop the counters, after a rollback or another process' commit."""
        self._loaded = False

    def load(self) -> None:
        """Read the counters, if they are not known."""
        if self._loaded:
            return
        found = self._database.row(
            "select id, revision, live_bytes,"
            " (select value from setting where name = 'quota_bytes')"
            " from journal order by id desc limit 1"
        )
        assert found is not None
        self._last, self.revision, self.live_bytes, self.quota_bytes = found
        self._loaded = True

    def open(self, time_ns: int) -> None:
        """Start a revision; it is taken only when something is recorded."""
        self.load()
        self.time_ns = time_ns
        self._opened_revision = self.revision + 1

    @property
    def position(self) -> int:
        """The number of the last row."""
        return self._last

    @property
    def next_inode(self) -> int:
        """The id for an inode whose creation is recorded next."""
        return self._last + 1

    @property
    def next_revision(self) -> int:
        """The revision that the open transaction's changes have."""
        return self._opened_revision

    @property
    def changed(self) -> bool:
        """Whether the open transaction has recorded anything."""
        return self._loaded and self.revision == self._opened_revision

    def reserve(self, delta: int) -> None:
        """Make sure that `delta` more bytes fit.

        Raises:
            QuotaExceededError: They do not. `data` has `quota`, `used` and `needed`.
        """
        quota = self.quota_bytes
        if quota is not None and delta > 0 and self.live_bytes + delta > quota:
            raise QuotaExceededError(
                f"{delta} more bytes would not fit: {self.live_bytes} of {quota} are used",
                hint="remove files, or raise the quota",
                data={"quota": quota, "used": self.live_bytes, "needed": delta},
            )

    def record(
        self,
        action: Action,
        path: str,
        before: Inode | None,
        after: Inode | None,
        *,
        old_path: str | None = None,
        delta: int = 0,
    ) -> None:
        """Write one row; `delta` is what the change adds to the sum of sizes."""
        self._database.run(
            _INSERT, self._row(action, path, before, after, old_path=old_path, delta=delta)
        )

    def record_many(
        self, action: Action, rows: list[tuple[str, Inode | None, Inode | None, int]]
    ) -> None:
        """Write a row for each (path, before, after, delta)."""
        self._database.run_many(
            _INSERT,
            [
                self._row(action, path, before, after, delta=delta)
                for path, before, after, delta in rows
            ],
        )

    def record_by(
        self, statement: str, values: Mapping[str, Value], *, count: int, delta: int
    ) -> None:
        """Write rows by a statement.

        Args:
            statement: It also gets `last`, after which the rows are numbered one by one,
                `revision`, `time_ns`, `session`, `operation`, and `live_bytes`, to which each
                row adds what it changes.
            values: More values for it.
            count: How many rows it writes.
            delta: What they add to the sum of sizes.
        """
        self._database.run(
            statement,
            {
                **values,
                "last": self._last,
                "revision": self._opened_revision,
                "time_ns": self.time_ns,
                "session": self.session,
                "operation": self.operation,
                "live_bytes": self.live_bytes,
            },
        )
        self._last += count
        self.revision = self._opened_revision
        self.live_bytes += delta

    def _row(
        self,
        action: Action,
        path: str,
        before: Inode | None,
        after: Inode | None,
        *,
        old_path: str | None = None,
        delta: int,
    ) -> tuple[Value, ...]:
        if self.guard is not None:
            self.guard(path)
            if old_path is not None:
                self.guard(old_path)
        self._last += 1
        self.revision = self._opened_revision
        self.live_bytes += delta
        inode = after or before
        assert inode is not None
        return (
            self._last,
            self.revision,
            self.time_ns,
            self.session,
            self.operation,
            action,
            encode(path),
            None if old_path is None else encode(old_path),
            inode.id,
            inode.kind,
            before and before.content,
            after and after.content,
            before and before.mode,
            after and after.mode,
            before and before.mtime_ns,
            after and after.mtime_ns,
            self.live_bytes,
        )

    # Reading.

    def changes(
        self,
        *,
        since: int = 0,
        until: int | None = None,
        path: str | None = None,
        limit: int = -1,
        position: int = 0,
    ) -> list[Change]:
        """Return what happened after revision `since` and up to `until`, oldest first.

        Args:
            since: The last revision that is known already.
            until: The last revision to return; None for all.
            path: Only what happened to this path or below it.
            limit: How many at most; negative for all.
            position: Only what was written after the journal had this `position`.
        """
        condition, values = _path_condition(path)
        found = self._database.rows(
            # The first row, which made the root, is never a change; it may be pruned.
            f"{_CHANGES} where j.id > max(?, coalesce((select id from journal where revision <= ?"
            " order by id desc limit 1), 1)) and j.revision <= ? and j.action <> ''"
            f"{condition} order by j.id limit ?",
            (position, since, (1 << 62) if until is None else until, *values, limit),
        )
        return [_change(row) for row in found]

    def complete_since(self) -> int:
        """Return the earliest revision after which every change is known."""
        self.load()
        found = self._database.row(_OLDEST)
        return int(found[0]) - 1 if found else self.revision

    def latest(
        self, path: str, *, limit: int, offset: int = 0, follow_renames: bool = False
    ) -> list[Change]:
        """Return what happened to one path, newest first.

        Args:
            path: The path.
            limit: How many changes at most; negative for all.
            offset: How many to pass over.
            follow_renames: Before it was renamed, by itself or with a directory above it,
                go on with the path that it had then.
        """
        if not follow_renames:
            return self._of_path(path, before=_LAST_ID, limit=limit, offset=offset)
        found: list[Change] = []
        before, name = _LAST_ID, path
        wanted = -1 if limit < 0 else limit + offset
        while wanted < 0 or len(found) < wanted:
            renamed = self._renamed(name, before)
            after = renamed[0] if renamed else 0
            found += self._of_path(name, before=before, after=after, limit=-1, offset=0)
            if renamed is None:
                break
            before, name = renamed
        return found[offset:] if limit < 0 else found[offset : offset + limit]

    def _of_path(
        self, path: str, *, before: int, after: int = 0, limit: int, offset: int
    ) -> list[Change]:
        encoded = encode(path)
        found = self._database.rows(
            f"{_CHANGES} where j.revision > 0 and j.action <> '' and j.id < ? and j.id >= ?"
            " and (j.path = ? or j.old_path = ?) order by j.id desc limit ? offset ?",
            (before, after, encoded, encoded, limit, offset),
        )
        return [_change(row) for row in found]

    def _renamed(self, path: str, before: int) -> tuple[int, str] | None:
        """Return which row gave the path its name, of those before one, and the old name."""
        encoded = encode(path)
        ancestors = [encoded]
        while b"/" in ancestors[-1][1:]:
            ancestors.append(ancestors[-1].rpartition(b"/")[0])
        marks = ", ".join("?" * len(ancestors))
        found = self._database.row(
            f"select id, path, old_path from journal where action = 'rename' and id < ?"
            f" and path in ({marks}) order by id desc limit 1",
            (before, *ancestors),
        )
        if found is None:
            return None
        number, new, old = found
        return number, decode(old + encoded[len(new) :])

    def last_before(self, time_ns: int) -> int:
        """Return the last of the oldest revisions that were all made before a time; 0 for none."""
        self.load()
        kept = self._database.row(
            "select revision from journal where revision > 0 and time_ns >= ? order by id limit 1",
            (time_ns,),
        )
        return int(kept[0]) - 1 if kept else self.revision

    def prune(self, *, keep_revisions: int) -> int:
        """Drop the changes of all but the newest revisions; return how many."""
        self.load()
        database = self._database
        database.run(
            "delete from journal where revision <= ? and id < ? and revision > 0",
            (self.revision - keep_revisions, self._last),
        )
        dropped = database.changed_rows()
        if not keep_revisions:
            # The newest row stays for its counters, but a part of a revision is no history.
            database.run(f"update journal set {_NO_CHANGE} where revision > 0 and action <> ''")
            dropped += database.changed_rows()
        return dropped


def _path_condition(path: str | None) -> tuple[str, list[Value]]:
    if path is None or path == "/":
        return "", []
    encoded = encode(path)
    below = (encoded + b"/", encoded + b"0")  # "0" follows "/" in the order of bytes
    condition = (
        " and (j.path = ? or j.path > ? and j.path < ?"
        " or j.old_path = ? or j.old_path > ? and j.old_path < ?)"
    )
    return condition, [encoded, *below, encoded, *below]


def _change(row: tuple[Any, ...]) -> Change:
    revision, time_ns, session, operation, action, path, old_path, kind = row[:8]
    before_hash, after_hash, before_mode, after_mode, before_content, after_content = row[8:]
    if kind == FILE:  # an empty file has no content row
        if before_mode is not None and before_content is None:
            before_hash = EMPTY_HASH
        if after_mode is not None and after_content is None:
            after_hash = EMPTY_HASH
    return Change(
        revision,
        time_ns,
        session,
        operation,
        action,
        decode(path),
        None if old_path is None else decode(old_path),
        KIND_NAMES[kind],
        None if before_hash is None else before_hash.hex(),
        None if after_hash is None else after_hash.hex(),
        before_mode,
        after_mode,
    )
