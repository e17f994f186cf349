"""Copying the file of an open workspace to a new one, which is there whole or not at all.

A compact copy is written by SQLite, row by row. Copying the file's bytes takes an eighth
of the processor time, but has to be done with the log in mind
(https://sqlite.org/walformat.html). As long as a read is pinned, nobody begins the log
anew before all of it is in the file, and nobody brings more of it there than the pinned
state. So the file and after it the log, in whatever state others leave them meanwhile, are
what is committed: a page that was half written comes from the log.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from vshell.errors import ExistsError, UnavailableError
from vshell.fs.database import Database
from vshell.fs.file_format import flush_directory
from vshell.fs.translation import translated_opening

_PIECE_BYTES: Final = 64 * 1024
"""SQLite reads and writes no more than a page at once, of which this is the largest."""

_FREE_SHARE: Final = 4
"""From a fourth of free pages on, a copy without them is written sooner than one with them."""


def copy_compactly(database: Database, path: str) -> None:
    """Copy what is committed, without what removed rows left.

    Raises:
        ExistsError: The file exists.
        NotFoundError: Its directory does not.
        UnavailableError, QuotaExceededError: The host cannot read or write.
    """
    with _new_file(database, path) as copy:
        database.copy_compactly(str(copy))


@contextmanager
def copied(
    database: Database, path: str, *, reading: AbstractContextManager[None], is_pinned: bool
) -> Iterator[str]:
    """Yield a copy of what is committed to work on; at the end it gets its name.

    Nothing is brought to the disk before, unless the database's durability asks for it;
    whoever opens the copy need not either (`Database.leave_flushing`).

    Args:
        database: Open, in no transaction.
        path: The name; errors as for `copy_compactly`.
        reading: Pins a read.
        is_pinned: Whether one is pinned already, in which SQLite cannot make a compact copy.
    """
    with _new_file(database, path) as copy:
        if not is_pinned and database.free_pages() * _FREE_SHARE > database.pages():
            database.copy_compactly(str(copy))
        else:
            # Translated inside: what is not ours would be taken for a sign of damage.
            with reading, translated_opening():
                _copy_pages(database, copy)
        yield str(copy)
        log = Path(f"{copy}-wal")
        # SQLite may leave an empty one, when it cannot lock the file at its end.
        if log.exists() and log.stat().st_size:
            raise UnavailableError("the log of the copy could not be brought into it")
        if database.durability == "power":
            _flush(copy)


def _copy_pages(database: Database, copy: Path) -> None:
    # Asked first: what is in the file now stays in it, but what is not may come there.
    log_bytes = database.counter.log_bytes()
    _copy_file(database.path, copy, apsw.SQLITE_OPEN_MAIN_DB)
    log = f"{database.path}-wal"
    if log_bytes != 0 and os.path.exists(log):
        _copy_file(log, Path(f"{copy}-wal"), apsw.SQLITE_OPEN_WAL, limit=log_bytes)


@contextmanager
def _new_file(database: Database, path: str) -> Iterator[Path]:
    """Yield an empty file that only its owner can read; at the end it gets its name."""
    target = Path(path)
    with (
        translated_opening(),
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as directory,
    ):
        copy = Path(directory, "copy.db")
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield copy
        try:
            os.link(copy, path)
        except FileExistsError:
            raise ExistsError("the file for the copy exists already") from None
        if database.durability == "power":
            flush_directory(str(target.parent))


def _copy_file(source: str, target: Path, kind: int, *, limit: int | None = None) -> None:
    """Copy a file that SQLite has open, up to a limit.

    Through SQLite's own layer: a descriptor of Python's on the same file would, once it is
    closed, drop the locks that this process has on it (https://sqlite.org/howtocorrupt.html,
    2.2).
    """
    writing = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with (
        closing(_File(source, kind | apsw.SQLITE_OPEN_READONLY)) as old,
        closing(_File(str(target), kind | writing)) as new,
    ):
        size = old.size() if limit is None else min(limit, old.size())
        for start in range(0, size, _PIECE_BYTES):
            new.write(old.read(min(_PIECE_BYTES, size - start), start), start)


def _flush(copy: Path) -> None:
    with closing(_File(str(copy), apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE)) as file:
        file.flush()


class _File:
    """A file as SQLite opens it, with a method `close`."""

    def __init__(self, path: str, flags: int) -> None:
        self._file = apsw.VFSFile("", path, [flags, 0])

    def size(self) -> int:
        return self._file.xFileSize()

    def read(self, amount: int, offset: int) -> bytes:
        return self._file.xRead(amount, offset)

    def write(self, data: bytes, offset: int) -> None:
        self._file.xWrite(data, offset)

    def flush(self) -> None:
        self._file.xSync(apsw.SQLITE_SYNC_NORMAL)

    def close(self) -> None:
        self._file.xClose()
