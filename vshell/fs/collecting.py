"""Removing history that is not to be kept, and content that nothing needs any more.

It goes in small transactions, so that no writer waits for a large collection; only a small
workspace is collected at once. What can go is found without a lock; before it goes, what
happened since is looked at: content that is stored again is in the journal, unless somebody
else pruned it meanwhile, or in one of the tables of which nothing is journalled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from vshell.fs.space import Retention, history_bytes, retention
from vshell.fs.transaction import Store
from vshell.record import Record

ROWS_AT_ONCE: Final = 5000
"""How many rows of the journal one transaction removes: about 20 ms. A revision stays whole."""
BYTES_AT_ONCE: Final = 32 * 1024 * 1024
CONTENTS_AT_ONCE: Final = 2000
_FOUND_AT_ONCE: Final = 50_000
SMALL_ROWS: Final = 20_000
"""So many rows of the journal, and contents, are looked through in some milliseconds."""

_SHARE_AT_ONCE: Final = 4
"""Over the limit for bytes, a fourth of the revisions goes, and again until it is kept."""

# What is not journalled, and small.
_KEPT: Final = (
    "select content from script_effect where content is not null"
    " union select content from mirror_base where content is not null"
    " union select content from mirror_pending where content is not null"
    " union select content from mirror_fetched"
    " union select base_content from mirror_conflict where base_content is not null"
    " union select workspace_content from mirror_conflict where workspace_content is not null"
    " union select mirror_content from mirror_conflict where mirror_content is not null"
)
_NEEDED: Final = (
    "select content from inode where content is not null"
    " union select before_content from journal where before_content is not null"
    " union select after_content from journal where after_content is not null"
    f" union select content from snapshot_inode where content is not null union {_KEPT}"
)
_GARBAGE: Final = f"select id, size from content where id not in ({_NEEDED}) order by id limit ?"
_STILL_GARBAGE: Final = (
    "select c.id, c.size, c.data is null from json_each(?) j"
    " cross join content c on c.id = j.value where c.id not in (select after_content from journal"
    f" where id > ? and after_content is not null union {_KEPT})"
)
_NUMBERS: Final = "(select value from json_each(?))"
_CHUNKS: Final = (
    f"select distinct chunk from content_chunk where content in {_NUMBERS}"
    f" and chunk not in (select chunk from content_chunk where content not in {_NUMBERS})"
)
_CHUNK_BYTES: Final = f"select coalesce(sum(length(data)), 0) from chunk where id in {_NUMBERS}"
# The revision of the row that is one too many.
_FIRST_KEPT: Final = (
    "select revision from journal where revision > 0 and action <> '' order by id limit 1 offset ?"
)

Transaction = Callable[[], AbstractContextManager[None]]


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

    def plus(self, other: GcResult) -> GcResult:
        """Return what both removed together; complete if the other was."""
        return GcResult(
            self.contents + other.contents,
            self.chunks + other.chunks,
            self.bytes + other.bytes,
            self.journal_rows + other.journal_rows,
            other.is_complete,
        )


class _Garbage(NamedTuple):
    """A content that nothing needs."""

    content: int
    size: int


class _Found(NamedTuple):
    """What nothing needed, and what the journal was then."""

    garbage: list[_Garbage]
    position: int
    complete_since: int


def collect(
    store: Store,
    transaction: Transaction,
    *,
    keep_revisions: int | None = None,
    max_bytes: int | None = None,
) -> GcResult:
    """Remove what is not to be kept, in as many transactions as that takes.

    Args:
        store: The open database.
        transaction: Makes a transaction; inside another one, all is part of that.
        keep_revisions: How many revisions of history to keep; None keeps what the
            workspace's retention says.
        max_bytes: Stop when so many bytes of content went; None for no limit.
    """
    collection = _Collection(store, transaction, max_bytes)
    with store.reading():
        kept = retention(store)
        is_small = _is_small(store)
    if keep_revisions is not None:
        kept = Retention(keep_revisions, None, None)
    with transaction() if is_small else nullcontext():
        collection.prune(lambda: _unwanted(store, kept))
        collection.sweep()
        if kept.history_bytes is not None:
            collection.shrink(kept.history_bytes)
    return collection.done


def _is_small(store: Store) -> bool:
    """Tell whether there is little to look through; numbers are taken for counts."""
    found = store.database.row(
        "select (select max(id) from journal) - (select min(id) from journal where id > 1),"
        " (select max(id) from content)"
    )
    assert found is not None
    return all((number or 0) < SMALL_ROWS for number in found)


def _unwanted(store: Store, kept: Retention) -> int:
    """Return the last revision that is not to be kept."""
    store.journal.load()
    latest = store.journal.revision
    last = 0
    if kept.revisions is not None:
        last = latest - kept.revisions
    if kept.age_s is not None:
        oldest_ns = store.now() - int(kept.age_s * 1e9)
        last = max(last, store.journal.last_before(oldest_ns))
    return min(last, latest)


class _Collection:
    def __init__(self, store: Store, transaction: Transaction, max_bytes: int | None) -> None:
        self._store = store
        self._transaction = transaction
        self._max_bytes = max_bytes
        self.done = GcResult(0, 0, 0, 0)

    def _is_over(self) -> bool:
        return self._max_bytes is not None and self.done.bytes >= self._max_bytes

    def prune(self, unwanted: Callable[[], int]) -> int:
        """Forget all revisions up to one; return how many changes that were."""
        before = self.done.journal_rows
        while True:
            with self._transaction():
                dropped, more = self._prune_some(unwanted())
            self.done = self.done.plus(GcResult(0, 0, 0, dropped))
            if not more:
                return self.done.journal_rows - before

    def _prune_some(self, last: int) -> tuple[int, bool]:
        store = self._store
        journal = store.journal
        journal.load()
        found = store.database.row(_FIRST_KEPT, (ROWS_AT_ONCE,))
        # A revision goes as a whole, also when it alone has more rows than that.
        bound = last if not found else max(found[0] - 1, journal.complete_since() + 1)
        dropped = journal.prune(keep_revisions=journal.revision - min(last, bound))
        store.tree.forget()
        return dropped, bound < last

    def sweep(self) -> None:
        """Remove the content that nothing needs."""
        found = self._find(_FOUND_AT_ONCE)
        while found.garbage and not self._is_over():
            for batch in _batches(found.garbage, self._max_bytes):
                if self._is_over():
                    break
                with self._transaction():
                    if self._store.journal.complete_since() != found.complete_since:
                        break  # a row may be gone that says what is stored again
                    self.done = self.done.plus(self._remove(batch, found.position))
            found = self._find(1 if self._is_over() else _FOUND_AT_ONCE)
        self.done = replace(self.done, is_complete=not found.garbage)

    def _find(self, count: int) -> _Found:
        store = self._store
        with store.reading():
            first = store.journal.complete_since()
            rows = store.database.rows(_GARBAGE, (count,))
            return _Found([_Garbage(*row) for row in rows], store.journal.position, first)

    def _remove(self, batch: list[_Garbage], position: int) -> GcResult:
        """Remove contents that nothing needed when the journal was at a position."""
        database = self._store.database
        listed = json.dumps([each.content for each in batch])
        found = database.rows(_STILL_GARBAGE, (listed, position))
        numbers = json.dumps([row[0] for row in found])
        size = sum(row[1] for row in found if not row[2])
        chunks: list[tuple[int]] = []
        if any(row[2] for row in found):
            chunks = database.rows(_CHUNKS, (numbers, numbers))
            listed_chunks = json.dumps([chunk for (chunk,) in chunks])
            counted = database.row(_CHUNK_BYTES, (listed_chunks,))
            size += counted[0] if counted else 0
            database.run(f"delete from content_chunk where content in {_NUMBERS}", (numbers,))
            database.run(f"delete from chunk where id in {_NUMBERS}", (listed_chunks,))
        database.run(f"delete from content where id in {_NUMBERS}", (numbers,))
        self._store.index.after_collection()
        self._store.tree.forget()
        return GcResult(len(found), len(chunks), size, 0)

    def shrink(self, limit: int) -> None:
        """Forget revisions until what only they need is not more than a limit."""
        store = self._store
        while self.done.is_complete:
            with store.reading():
                if history_bytes(store) <= limit:
                    return
                first, latest = store.journal.complete_since(), store.journal.revision
            last = first + (latest - first) // _SHARE_AT_ONCE + 1
            if not self.prune(lambda last=last: min(last, store.journal.revision)):  # type: ignore[misc]
                return  # the rest is what snapshots need
            self.sweep()


def _batches(found: list[_Garbage], max_bytes: int | None) -> Iterator[list[_Garbage]]:
    """Yield contents in parts; the last of a part may go beyond the limit, so it is never empty."""
    limit = BYTES_AT_ONCE if max_bytes is None else min(BYTES_AT_ONCE, max_bytes)
    batch: list[_Garbage] = []
    size = 0
    for each in found:
        batch.append(each)
        size += each.size
        if size >= limit or len(batch) >= CONTENTS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
