"""How much space a workspace takes, and how much of it history may take."""

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
_LIVE = "select content from inode where content is not null"
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
    """Note how much history to keep; call it in a transaction. `gc` removes the rest."""
    value = json.dumps([kept.revisions, kept.age_s, kept.history_bytes])
    store.database.run("insert or replace into setting values (?, ?)", (_RETENTION, value))


def history_bytes(store: Store) -> int:
    """Return what the content takes that only history needs."""
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
