"""One open workspace file: opening it, its transactions, its settings and its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self

from vshell.errors import ReadOnlyError
from vshell.fs.copying import copied, copy_compactly
from vshell.fs.database import Database, Durability
from vshell.fs.records import Change
from vshell.fs.transaction import Store, Transaction
from vshell.limits import LOCK_TIMEOUT_S


class Closable(Protocol):
    """Something that belongs to an open workspace and ends with it."""

    def close(self) -> None: ...


class OpenFiles:
    """The files of one workspace, open.

    Args:
        path: The database's file on the host.
        create: Make it when it is missing.
        read_only: Refuse every change.
        durability: `"process"` or `"power"`; see `Database`.
        lock_timeout_s: How long a writer waits for its turn.
        now: Returns nanoseconds since 1970, for all times that are recorded.

    Raises:
        NotFoundError, CorruptError, NewerSchemaError, PermissionDeniedError: see `Database`.
    """

    def __init__(
        self,
        path: str,
        *,
        create: bool = True,
        read_only: bool = False,
        durability: Durability = "process",
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        database = Database(
            path,
            create=create,
            read_only=read_only,
            durability=durability,
            lock_timeout_s=lock_timeout_s,
        )
        self.store = self._store_of(database, now)
        self._tree = self.store.tree
        self._content = self.store.content
        self._journal = self.store.journal
        self._database = database
        self.path = path
        self.durability: Durability = durability
        self.lock_timeout_s = lock_timeout_s
        self.attachments: dict[str, Closable] = {}

    _store_of: Callable[[Database, Callable[[], int]], Store] = Store

    def close(self) -> None:
        """Close the database and what is attached to it. Closing twice is harmless."""
        while self.attachments:
            self.attachments.popitem()[1].close()
        self.store.close()

    def interrupt(self) -> None:
        """End the statement that another thread is running now, with `cancelled`."""
        if not self.closed:
            self._database.interrupt()

    @property
    def known_paths(self) -> Mapping[str, object]:
        """Paths that need no normalising, as they are in the cache; always the same object."""
        return self._tree.paths

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.store.closed

    def copy_database(self, path: str) -> None:
        """Copy the whole database, as it is committed now, compactly to a new file of the host.

        Raises:
            ExistsError: The file exists.
            NotFoundError: Its directory does not.
            ReadOnlyError: A transaction is open: nothing of it is committed.
        """
        with self.store.lock:
            self._refuse_copying()
            copy_compactly(self._database, path)

    @contextmanager
    def copied_database(self, path: str) -> Iterator[Self]:
        """Yield an open copy of the whole database; at the end it gets its name, whole.

        Errors as for `copy_database`.
        """
        with self.store.lock:
            self._refuse_copying()
            store = self.store
            making = copied(self._database, path, reading=store.reading(), is_pinned=store.pinned)
            with making as place:
                copy = type(self)(place, create=False, now=self.store.now)
                try:
                    copy.store.database.leave_flushing()
                    yield copy
                    copy.store.database.merge_log()
                finally:
                    copy.close()

    def _refuse_copying(self) -> None:
        self.store.fresh()
        if self.store.depth:
            raise ReadOnlyError("cannot copy the workspace inside a transaction")

    def setting(self, name: str) -> str | int | None:
        """Return a setting, or None."""
        found = self.store.read(
            lambda: self._database.row("select value from setting where name = ?", (name,))
        )
        return found[0] if found else None

    def transaction(self, session: str = "", operation: str = "") -> Transaction:
        """Return a context manager in which changes happen, all or none.

        Args:
            session: Who does it, for the journal.
            operation: The name of what is done, for the journal; inside another
                transaction with a name, that one stays.

        Raises:
            OperationTimeoutError: Other writers did not give way in time.
            ReadOnlyError: The workspace was opened read-only.
        """
        return self.store.transaction(session, operation)

    def reading(self) -> AbstractContextManager[None]:
        """Return a context manager in which every read sees the same committed state."""
        return self.store.reading()

    # The journal.

    def live_bytes(self) -> int:
        """Return how many bytes all files together have, without reading their rows."""

        def counted() -> int:
            self._journal.load()
            return self._journal.live_bytes

        return self.store.read(counted)

    def revision(self) -> int:
        """Return the number of the last committed change; inside a transaction, of its last."""

        def latest() -> int:
            self._journal.load()
            return self._journal.revision

        return self.store.read(latest)

    def changes(
        self,
        *,
        since: int = 0,
        until: int | None = None,
        path: str | None = None,
        limit: int = -1,
        position: int = 0,
    ) -> list[Change]:
        """Return what happened after a revision, oldest first; see `Journal.changes`."""
        return self.store.read(
            lambda: self._journal.changes(
                since=since, until=until, path=path, limit=limit, position=position
            )
        )

    def complete_since(self) -> int:
        """Return the earliest revision after which every change is known."""
        return self.store.read(self._journal.complete_since)

    def journal_position(self) -> int:
        """Return where the journal ends, to tell apart what one transaction does after it."""

        def position() -> int:
            self._journal.load()
            return self._journal.position

        return self.store.read(position)

    def history(
        self, path: str, *, limit: int = -1, offset: int = 0, follow_renames: bool = False
    ) -> list[Change]:
        """Return what happened to one path, newest first; see `Journal.latest`."""
        return self.store.read(
            lambda: self._journal.latest(
                path, limit=limit, offset=offset, follow_renames=follow_renames
            )
        )
