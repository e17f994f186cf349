"""How much space a workspace takes, and getting back what nothing needs."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass

from vshell.fs.transaction import Store
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class Usage(Record):
    """The space of a workspace. All sizes are in bytes.

    Attributes:
        files: Number of files.
        directories: Number of directories, the root included.
        symlinks: Number of symbolic links.
        live_bytes: The sum of the sizes of all files and links; what the quota limits.
        content_bytes: What the stored content takes, each content once, history included.
        history_bytes: The part of `content_bytes` that only history still needs.
        database_bytes: The size of the database's file.
        log_bytes: The size of the write-ahead log beside it.
        free_bytes: What `vacuum` would give back of `database_bytes`.
        revisions: The number of the last revision.
        journal_rows: How many changes the history has.
        quota_bytes: The limit for `live_bytes`; None for no limit.
        index_bytes: What the search index takes.
    """

    files: int
    directories: int
    symlinks: int
    live_bytes: int
    content_bytes: int
    history_bytes: int
    database_bytes: int
    log_bytes: int
    free_bytes: int
    revisions: int
    journal_rows: int
    quota_bytes: int | None
    index_bytes: int


@dataclass(frozen=True, slots=True)
class GcResult(Record):
    """What a collection removed.

    Attributes:
        contents: How many contents.
        chunks: How many chunks of large contents.
        bytes: Their sizes together.
        journal_rows: How many changes the history lost.
        is_complete: Whether nothing is left to remove; false after `max_bytes`.
    """

    contents: int
    chunks: int
    bytes: int
    journal_rows: int
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class VacuumResult(Usage):
    """The space of a workspace after a vacuum. All sizes are in bytes.

    Attributes:
        files: Number of files.
        directories: Number of directories, the root included.
        symlinks: Number of symbolic links.
        live_bytes: The sum of the sizes of all files and links; what the quota limits.
        content_bytes: What the stored content takes, each content once, history included.
        history_bytes: The part of `content_bytes` that only history still needs.
        database_bytes: The size of the database's file.
        log_bytes: The size of the write-ahead log beside it.
        free_bytes: What `vacuum` would give back of `database_bytes`.
        revisions: The number of the last revision.
        journal_rows: How many changes the history has.
        quota_bytes: The limit for `live_bytes`; None for no limit.
        index_bytes: What the search index takes.
        freed_bytes: By how much the database's file and its log shrank together.
    """

    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Retention(Record):
    """How much history a workspace keeps. What is None does not limit it.

    Attributes:
        revisions: At most so many of the newest revisions.
        age_s: Only what is not older, in seconds.
        history_bytes: At most so many bytes of content that only history needs.
    """

    revisions: int | None
    age_s: float | None
    history_bytes: int | None


_RETENTION = "retention"
_SHARE_AT_ONCE = 4
"""Over the limit for bytes, a fourth of the revisions goes, and again until it is kept."""

_LIVE = "select content from inode where content is not null"
_NEEDED = (
    f"{_LIVE} union select before_content from journal where before_content is not null"
    " union select after_content from journal where after_content is not null"
    " union select content from snapshot_inode where content is not null"
    " union select content from script_effect where content is not null"
    " union select content from mirror_base where content is not null"
    " union select content from mirror_pending where content is not null"
    " union select content from mirror_fetched"
    " union select base_content from mirror_conflict where base_content is not null"
    " union select workspace_content from mirror_conflict where workspace_content is not null"
    " union select mirror_content from mirror_conflict where mirror_content is not null"
)
# The oldest garbage, of which the last one goes beyond the limit: so there is always some.
_SOME_GARBAGE = (
    "delete from content where id in (select id from (select id, sum(size) over (order by id)"
    f" - size as before from content where id not in ({_NEEDED})) where before < ?)"
)
# Large contents share chunks, so what they take is the sum over chunks, not contents.
_STORED = (
    "select (select coalesce(sum(size), 0) from content where data is not null{inline})"
    " + (select coalesce(sum(length(data)), 0) from chunk{chunks})"
)


def usage(store: Store) -> Usage:
    """Return how much space the workspace takes."""
    with store.reading():
        store.journal.load()
        counts = dict(store.database.rows("select kind, count(*) from inode group by kind"))
        stored = _number(store, _STORED.format(inline="", chunks=""))
        live = _live_bytes(store)
        page_bytes = _number(store, "pragma page_size")
        return Usage(
            files=counts.get(1, 0),
            directories=counts.get(2, 0),
            symlinks=counts.get(3, 0),
            live_bytes=store.journal.live_bytes,
            content_bytes=stored,
            history_bytes=stored - live,
            database_bytes=_number(store, "pragma page_count") * page_bytes,
            log_bytes=_file_size(f"{store.database.path}-wal"),
            free_bytes=_number(store, "pragma freelist_count") * page_bytes,
            revisions=store.journal.revision,
            journal_rows=_number(
                store, "select count(*) from journal where revision > 0 and action <> ''"
            ),
            quota_bytes=store.journal.quota_bytes,
            index_bytes=store.index.size_bytes(),
        )


def retention(store: Store) -> Retention:
    """Return how much history the workspace keeps."""
    found = store.database.row("select value from setting where name = ?", (_RETENTION,))
    return Retention(*json.loads(found[0])) if found else Retention(None, None, None)


def set_retention(store: Store, kept: Retention) -> None:
    """Note how much history to keep; call it inside a transaction. `collect` removes the rest."""
    value = json.dumps([kept.revisions, kept.age_s, kept.history_bytes])
    store.database.run("insert or replace into setting values (?, ?)", (_RETENTION, value))


def collect(store: Store, *, keep_revisions: int | None, max_bytes: int | None = None) -> GcResult:
    """Remove content that neither a file nor the history needs; run it in a transaction.

    Args:
        store: The open database.
        keep_revisions: How many revisions of history to keep; None keeps what the
            workspace's retention says.
        max_bytes: Stop when so many bytes of content went; None for no limit.
    """
    before = _number(store, _STORED.format(inline="", chunks=""))
    kept = retention(store)
    if keep_revisions is not None:
        kept = Retention(keep_revisions, None, None)
    pruned = 0
    if kept.revisions is not None:
        pruned += store.journal.prune(keep_revisions=kept.revisions)
    if kept.age_s is not None:
        pruned += store.journal.prune_before(store.now() - int(kept.age_s * 1e9))
    contents, chunks, left = _sweep(store, max_bytes)
    while not left and kept.history_bytes is not None:
        if _history_bytes(store) <= kept.history_bytes:
            break
        revisions = _number(
            store, "select count(distinct revision) from journal where revision > 0"
        )
        dropped = store.journal.prune(keep_revisions=revisions - revisions // _SHARE_AT_ONCE - 1)
        swept = _sweep(store, max_bytes)
        if not dropped:
            break  # the rest is what snapshots need
        pruned, contents, chunks = pruned + dropped, contents + swept[0], chunks + swept[1]
        left = swept[2]
    store.index.after_collection()
    store.tree.forget()
    after = _number(store, _STORED.format(inline="", chunks=""))
    return GcResult(contents, chunks, before - after, pruned, not left)


def _sweep(store: Store, max_bytes: int | None) -> tuple[int, int, bool]:
    """Remove what is not needed; return how many contents and chunks, and if more is left."""
    database = store.database
    if max_bytes is None:
        database.run(f"delete from content where id not in ({_NEEDED})")
    else:
        database.run(_SOME_GARBAGE, (max_bytes,))
    contents = database.changed_rows()
    database.run("delete from content_chunk where content not in (select id from content)")
    database.run("delete from chunk where id not in (select chunk from content_chunk)")
    chunks = database.changed_rows()
    left = max_bytes is not None and database.row(
        f"select 1 from content where id not in ({_NEEDED}) limit 1"
    )
    return contents, chunks, bool(left)


def _history_bytes(store: Store) -> int:
    return _number(store, _STORED.format(inline="", chunks="")) - _live_bytes(store)


def _live_bytes(store: Store) -> int:
    """Return what the content of the present files takes, each content once."""
    return _number(
        store,
        _STORED.format(
            inline=f" and id in ({_LIVE})",
            chunks=f" where id in (select chunk from content_chunk where content in ({_LIVE}))",
        ),
    )


def _number(store: Store, sql: str) -> int:
    found = store.database.row(sql)
    assert found is not None
    number: int = found[0]
    return number


def _file_size(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(path).st_size
    return 0
