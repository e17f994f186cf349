"""The SQLite file: opening, migrating, transactions, and errors in our words.

Everything here is about one connection. What the tables mean is said in
`schema.py`; who may call when (one thread at a time) is `FileSystem`'s business.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NoReturn, Self, cast

import apsw

from vshell.errors import (
    CorruptError,
    IsDirectoryError,
    OperationTimeoutError,
    PermissionDeniedError,
    ReadOnlyError,
    UnavailableError,
    VshellError,
)
from vshell.fs import schema
from vshell.fs.change_counter import ChangeCounter, open_change_counter
from vshell.fs.file_format import (
    check_tables,
    create_database,
    flush_directory,
    foreign_tables,
    host_path,
    identify,
)
from vshell.fs.translation import translated, translated_opening

Durability = Literal["process", "power"]
Value = int | bytes | str | None
Values = Sequence[Value] | Mapping[str, Value]

_CACHE_KIB: Final = 8 * 1024
_CHECKPOINT_PAGES: Final = 4000
"""16 MiB of log before a commit also copies it into the database: rarer pauses."""


class Database:
    """One connection to a workspace's file.

    Args:
        path: The file on the host.
        create: Make the file when it is missing.
        read_only: Refuse every change.
        durability: `"process"`: a commit survives the death of every process;
            `"power"`: also the loss of power, at the cost of a disk flush per commit.
        lock_timeout_s: How long to wait for other writers.

    Raises:
        NotFoundError: The file is missing and `create` is false, or its directory is.
        CorruptError: The file is no workspace, or damaged.
        NewerSchemaError: A later release wrote the file.
        IsDirectoryError: A directory is there.
        InvalidPathError: The path cannot be one of the host's.
        PermissionDeniedError: The host does not let this process open the file.
        UnavailableError: It cannot be opened for another reason.
    """

    def __init__(
        self,
        path: str,
        *,
        create: bool,
        read_only: bool,
        durability: Durability,
        lock_timeout_s: float,
    ) -> None:
        self.path = path = host_path(path)
        self.read_only = read_only
        self.durability: Durability = durability
        self._lock_timeout_s = lock_timeout_s
        self.refused = False
        self._writing = False
        self._undone: apsw.Cursor | None = None
        with translated_opening():
            if not os.path.exists(path):
                create_database(path, allowed=create and not read_only, flush=durability == "power")
                if durability == "power":
                    flush_directory(os.path.dirname(path))
            if _inherited and _inherited.intersection(_identity(path)):
                raise UnavailableError(
                    "the workspace was being changed or read when this process was forked",
                    hint="open it in a process that is started anew, not forked",
                )
            self._connection = _open(path, read_only=read_only)
        try:
            self._configure()
            self._cursor = self._connection.cursor()
            self._upgrade()
            check_tables(self._connection)
            self.counter: ChangeCounter = open_change_counter(self._connection)
        except BaseException as error:
            with contextlib.suppress(apsw.Error):  # the first error says more
                self._connection.close()
            if isinstance(error, apsw.CantOpenError):
                raise _unopened(path) from None
            if isinstance(error, (apsw.SQLError, UnicodeDecodeError)):
                raise foreign_tables() from None
            if isinstance(error, apsw.Error):
                raise translated(error) from None
            raise

    def close(self, reason: VshellError) -> None:
        """Close the file; every later statement raises `reason`.

        What is committed is safe in the log, even when closing fails.
        """
        try:
            self._cursor.close(True)
            self._connection.close(True)
        except apsw.Error as error:
            raise translated(error) from None
        finally:
            self._refuse(reason)

    def abandon(self, reason: VshellError, *, idle: bool) -> None:
        """Let go of the file in a forked child; every later statement raises `reason`.

        The child inherits SQLite's account of which locks its process holds, but not the
        locks. A connection that it then opened would believe in them, and its commits
        would go to a log that others delete. So the account is closed, without the
        checkpoint that would touch what the parent works on.

        Args:
            reason: Why nothing works now.
            idle: No transaction is open. Else closing would roll it back in the memory
                that parent and child share: then the child can never open the file.
        """
        if idle:
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            self._cursor.close(True)
            self._connection.close(True)
        else:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._cursor))
            _inherited.update(_identity(self.path))
        self._refuse(reason)

    def _refuse(self, reason: VshellError) -> None:
        self.refused = True
        self._cursor = cast("apsw.Cursor", _Refusal(reason))
        self.counter = _Refusal(reason)

    # Statements. Every statement of the package passes through these three.

    def run(self, sql: str, values: Values = ()) -> None:
        """Execute a statement that returns nothing."""
        try:
            self._cursor.execute(sql, values)
        except (apsw.Error, OverflowError, UnicodeError) as error:
            raise self._failed(error) from None

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute a statement once for each row of values."""
        try:
            self._cursor.executemany(sql, rows)
        except (apsw.Error, OverflowError, UnicodeError) as error:
            raise self._failed(error) from None

    def row(self, sql: str, values: Values = ()) -> tuple[Any, ...] | None:
        """Return the only row, or None."""
        # All rows are fetched: a statement that is not at its end goes on reading, and
        # what it reads can leave no connection's log.
        try:
            found = self._cursor.execute(sql, values).fetchall()
            return found[0] if found else None
        except (apsw.Error, OverflowError, UnicodeError) as error:
            raise self._failed(error) from None

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows."""
        try:
            return self._cursor.execute(sql, values).fetchall()
        except (apsw.Error, OverflowError, UnicodeError) as error:
            raise self._failed(error) from None

    def read_blob(
        self, table: str, row: int, target: memoryview, *, offset: int = 0, schema: str = "main"
    ) -> None:
        """Fill `target` with bytes from the middle of a `data` column, without the rest of it."""
        try:
            with self._connection.blob_open(schema, table, "data", row, False) as blob:
                blob.seek(offset)
                blob.read_into(target)
        except (apsw.SQLError, ValueError):  # no such row, or fewer bytes
            raise CorruptError(
                "content is missing", hint="`vshell check` says which files lost it"
            ) from None
        except apsw.Error as error:
            raise self._failed(error) from None

    def last_row_id(self) -> int:
        return self._connection.last_insert_rowid()

    def pages(self) -> int:
        """Return how many pages the database has."""
        found: int = self._connection.pragma("page_count")
        return found

    def free_pages(self) -> int:
        """Return how many pages nothing is stored in."""
        found: int = self._connection.pragma("freelist_count")
        return found

    def changed_rows(self) -> int:
        """Return how many rows the latest statement changed."""
        return self._connection.changes()

    def _failed(self, error: Exception) -> Exception:
        """Return the error in our words, and keep what follows out of a database left unguarded.

        A full disk or an interrupt can make SQLite undo the whole transaction, savepoints
        and all. What the caller does next would then be committed statement by statement.
        """
        ours = translated(error)
        if self._writing and isinstance(ours, VshellError) and not self._connection.in_transaction:
            self._undone, self._cursor = self._cursor, cast("apsw.Cursor", _Refusal(ours))
        return ours

    # Transactions.

    def begin(self) -> None:
        """Become the one writer, waiting for others."""
        self.run("begin immediate")
        self._writing = True

    def try_begin(self) -> bool:
        """Become the one writer if nobody else is; tell whether that is so."""
        patience, self._lock_timeout_s = self._lock_timeout_s, 0
        try:
            self.begin()
        except OperationTimeoutError:
            return False
        finally:
            self._lock_timeout_s = patience
        return True

    def begin_read(self) -> None:
        """Pin what is committed now for the statements that follow."""
        self.run("begin")

    def commit(self) -> None:
        self.run("commit")
        self._writing = False

    def rollback(self) -> None:
        """End the transaction without a trace; harmless when it has ended already."""
        self._writing = False
        if self.refused:
            return
        if self._undone:
            self._cursor, self._undone = self._undone, None
        if self._connection.in_transaction:
            self._connection.execute("rollback")

    def savepoint(self, name: str) -> None:
        self.run(f"savepoint {name}")

    def release(self, name: str) -> None:
        self.run(f"release {name}")

    def rollback_to(self, name: str) -> None:
        self.run(f"rollback to {name}")
        self.run(f"release {name}")

    def interrupt(self) -> None:
        """End the statement that another thread is waiting for, with `cancelled`."""
        self._connection.interrupt()

    def vacuum(self) -> None:
        self.run("vacuum")
        self.checkpoint()

    def copy_compactly(self, path: str) -> None:
        """Write a compact copy of what is committed over an empty file."""
        self.run("vacuum into ?", (path,))

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, as far as readers allow."""
        with contextlib.suppress(OperationTimeoutError):
            self.merge_log()

    def merge_log(self) -> None:
        """Move all of the write-ahead log into the file.

        Raises:
            OperationTimeoutError: A reader does not allow it.
        """
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            raise translated(error) from None

    def leave_flushing(self) -> None:
        """Bring nothing to the disk from now on: somebody else does, when the file is complete."""
        self._connection.pragma("synchronous", "off")

    def count_statements(self) -> StatementCounter:
        """Return a context manager that counts the statements run inside it."""
        return StatementCounter(self._connection)

    def integrity(self) -> list[str]:
        """Return what SQLite's own check finds wrong; empty when all is well."""
        try:
            found = [row[0] for row in self._connection.execute("pragma integrity_check(100)")]
        except apsw.Error as error:
            return [str(translated(error))]
        return [] if found == ["ok"] else found

    def _configure(self) -> None:
        connection = self._connection
        connection.set_busy_handler(self._wait_for_writer)
        connection.pragma("synchronous", "full" if self.durability == "power" else "normal")
        connection.pragma("cache_size", -_CACHE_KIB)
        connection.pragma("temp_store", "memory")
        connection.pragma("trusted_schema", False)
        if not self.read_only:
            connection.wal_autocheckpoint(_CHECKPOINT_PAGES)
            if connection.pragma("journal_mode") != "wal":  # a copy made by SQLite's backup
                connection.pragma("journal_mode", "wal")

    def _wait_for_writer(self, attempt: int) -> bool:
        """Decide whether to try a taken lock again. Who waits longer tries more often."""
        if attempt == 0:
            self._deadline = time.monotonic() + self._lock_timeout_s
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        waited = self._lock_timeout_s - left
        time.sleep(min(left, random.uniform(0.0002, 0.002) * max(0.5, 1 - waited)))  # noqa: S311
        return True

    def _upgrade(self) -> None:
        if identify(self._connection) < schema.VERSION:
            if self.read_only:
                raise ReadOnlyError(
                    "the workspace was made by an earlier release and must be upgraded first",
                    hint="open it once without read_only",
                )
            self.begin()
            try:
                for migration in schema.MIGRATIONS[identify(self._connection) :]:
                    self._connection.execute(migration)
                self._connection.pragma("application_id", schema.APPLICATION_ID)
                self._connection.pragma("user_version", schema.VERSION)
                self.commit()
            except BaseException:
                self.rollback()
                raise


class _Refusal:
    """Stands where the cursor and the change counter were, and says why nothing works now."""

    def __init__(self, reason: VshellError) -> None:
        self._reason = reason

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise self._reason.with_traceback(None)

    execute = executemany = state = after_commit = log_bytes = _refuse


class StatementCounter:
    """Counts the statements of one connection, for tests and benchmarks."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)

    def __enter__(self) -> Self:
        self._connection.trace_v2(apsw.SQLITE_TRACE_STMT, self._traced, id=self)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.trace_v2(0, None, id=self)

    def _traced(self, event: dict[str, Any]) -> None:
        self.statements.append(event["sql"])


_inherited: Final[set[tuple[int, int]]] = set()
"""The files of whose locks this process, being forked, has a false account."""


def _identity(path: str) -> list[tuple[int, int]]:
    """Return device and inode of a file that exists."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return [(status.st_dev, status.st_ino)]
    return []


def _open(path: str, *, read_only: bool) -> apsw.Connection:
    access = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
    try:
        return apsw.Connection(path, flags=access | apsw.SQLITE_OPEN_NOMUTEX)
    except apsw.CantOpenError:
        raise _unopened(path) from None


def _unopened(path: str) -> Exception:
    """Return why a file that exists cannot be opened, as far as the host tells without opening."""
    if os.path.isdir(path):
        return IsDirectoryError("the workspace's file is a directory", hint="name a file in it")
    if not os.access(path, os.R_OK) or not os.access(os.path.dirname(path), os.W_OK):
        return PermissionDeniedError(
            "the host does not allow access to the workspace's file or to its directory"
        )
    return translated(apsw.CantOpenError())
