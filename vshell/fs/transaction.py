"""One writer at a time, all or nothing, and caches that stay true through it.

`Store` ties the parts of one open database together and guards them: threads take
turns on its lock, and processes on SQLite's. A transaction inside another is a
savepoint.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from vshell.errors import ClosedError, CorruptError, ReadOnlyError, UnavailableError, VshellError
from vshell.fs.content import ContentStore
from vshell.fs.database import Database
from vshell.fs.journal import Journal
from vshell.fs.path_table import PathTables
from vshell.fs.search_index import SearchIndex
from vshell.fs.tree import Tree

Result = TypeVar("Result")

_OPTIMISTIC_READS = 3

_LONG_TRANSACTION_S = 0.002
_PAUSE_SHARE = 0.05
_LONGEST_PAUSE_S = 0.01
"""Neither SQLite's lock nor Python's has a queue. Who does one long transaction after the
other holds them nearly always, and others, who try again every few milliseconds, wait
for seconds. A pause between two that is as long as such a try lets them in."""


class Store:
    """The parts of one open database.

    Args:
        database: Already open.
        now: Returns nanoseconds since 1970.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self.database = database
        self.content = self._content_of(database)
        self.tree = self._tree_of(database, self.content)
        self.journal = Journal(database)
        self.tables = PathTables(database, self.tree, self.journal)
        self.index = SearchIndex(database, self.content)
        self.now = now
        self.lock = threading.RLock()
        self.depth = 0
        self.pinned = False
        self.commits = 0
        self._begun_at = b""
        self._explaining = False
        self._locked_since_s = 0.0
        self._pause_until_s = 0.0
        _open_stores.add(self)

    # An overlay has parts of its own.
    _content_of: Callable[[Database], ContentStore] = ContentStore
    _tree_of: Callable[[Database, ContentStore], Tree] = Tree

    def close(self) -> None:
        """Close the database; an open transaction is undone."""
        with self.lock:
            if self.database.refused:
                return
            self.tree.forget()
            self.database.close(ClosedError("the workspace is closed"))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.database.refused

    def abandon(self) -> None:
        """Refuse to work in a forked child: SQLite's locks do not pass to it."""
        if self.closed:
            return
        # A lock that another thread held stays locked: that thread is not here.
        ours = self.lock.acquire(blocking=False)
        self.lock = threading.RLock()
        for _ in range(self.depth if ours else 0):
            self.lock.acquire()  # `leave` will release it
        self.database.abandon(
            UnavailableError(
                "the workspace was opened before this process was forked",
                hint="open it again in the child process",
            ),
            idle=ours and not self.depth and not self.pinned,
        )
        self.tree.forget()

    def fresh(self) -> bytes:
        """Drop what is no longer true; return the state that the caches show."""
        state = self.tree.state
        if self.depth or self.pinned:
            return state
        now = self.database.counter.state()
        if now != state:
            self.tree.forget()
            self.journal.forget()
            self.tree.state = now
        return now

    def read(self, question: Callable[[], Result]) -> Result:
        """Return the answer to a question of several statements from one committed state.

        It is asked without a transaction first, which is right unless somebody commits
        meanwhile; then again, in the end inside a transaction.
        """
        with self.lock:
            if self.depth or self.pinned:
                return question()
            for _ in range(_OPTIMISTIC_READS):
                state = self.fresh()
                try:
                    answer = question()
                except Exception as error:
                    # What a commit between two statements leads to may be any error.
                    if self.database.counter.state() == state:
                        self.explain(error)
                        raise
                else:
                    if self.database.counter.state() == state:
                        return answer
            with self.reading():
                return question()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let everything inside see one committed state."""
        with self.lock:
            if self.depth or self.pinned:
                yield
                return
            before = self.fresh()
            self.database.begin_read()
            try:
                # The snapshot is taken by the first statement that reads.
                self.database.row("select 1 from setting limit 1")
                if self.database.counter.state() != before:
                    self.tree.forget()
                    self.journal.forget()
                self.pinned = True
                yield
            except Exception as error:
                self.explain(error)
                raise
            finally:
                self.pinned = False
                self.database.rollback()

    def explain(self, error: Exception) -> None:
        """Make an error of this package's own code one that names the damage it comes from.

        Code that trusts the rows of a damaged database can fail in any way. Looking for
        the damage takes as long as a check, but only when something is wrong already.

        Raises:
            CorruptError: The workspace is damaged.
        """
        if self.closed or self._explaining or not _is_unforeseen(error):
            return
        from vshell.fs.check import check

        self._explaining = True
        try:
            problems = check(self)
        except Exception as another:  # noqa: BLE001 - a check that fails has found damage
            problems = [f"the check fails: {type(another).__name__}"]
        finally:
            self._explaining = False
        if problems:
            raise CorruptError(
                f"the workspace is damaged: {problems[0]}",
                hint="`vshell check` says what is wrong; restore a copy if it cannot be mended",
            ) from None

    def transaction(self, session: str, operation: str) -> Transaction:
        """Return a context manager: what is changed inside happens at once, or not at all."""
        return Transaction(self, session, operation)

    def enter(self, session: str, operation: str) -> tuple[str, str]:
        """Begin a transaction or a savepoint; return whose doing it was around it."""
        if self._pause_until_s and not self.depth:
            self._give_way()
        self.lock.acquire()
        entered = False
        try:
            journal = self.journal
            if self.depth:
                self.database.savepoint(f"s{self.depth}")
            else:
                self._begin()
            outer = (journal.session, journal.operation) if self.depth else ("", "")
            journal.session = session
            if not outer[1]:
                journal.operation = operation
            self.depth += 1
            entered = True
            return outer
        except Exception as error:
            self.explain(error)
            raise
        finally:
            if not entered:
                self.lock.release()

    def leave(self, outer: tuple[str, str], *, commit: bool) -> None:
        """End what `enter` began."""
        try:
            self.journal.session, self.journal.operation = outer
            self.depth -= 1
            if not commit:
                self._undo()
            elif self.depth:
                self.database.release(f"s{self.depth}")
            else:
                self._commit()
        finally:
            if not self.depth:
                self._plan_pause()
            self.lock.release()

    def _plan_pause(self) -> None:
        """Note how long the next transaction has to wait, should it come at once."""
        now_s = time.monotonic()
        taken_s = now_s - self._locked_since_s
        is_long = taken_s > _LONG_TRANSACTION_S
        pause_s = min(taken_s * _PAUSE_SHARE, _LONGEST_PAUSE_S)
        self._pause_until_s = now_s + pause_s if is_long else 0.0

    def _give_way(self) -> None:
        left_s = self._pause_until_s - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)

    def _begin(self) -> None:
        if self.pinned:
            raise ReadOnlyError("nothing can be changed while a snapshot is being read")
        if self.database.read_only:
            self.database.counter.state()
            raise ReadOnlyError(
                "the workspace was opened read-only", hint="open it without read_only"
            )
        self.fresh()
        self.database.begin()
        self._locked_since_s = time.monotonic()
        try:
            # Another process may have committed until the lock was ours.
            self._begun_at = self.fresh()
            self.journal.open(self.now())
        except BaseException:
            self.database.rollback()
            raise

    def _commit(self) -> None:
        try:
            self.database.commit()
        except BaseException:
            self._undo()
            raise
        self.commits += 1
        self.settle(self._begun_at, changed=self.journal.changed)

    def settle(self, before: bytes, *, changed: bool) -> None:
        """Keep the caches after a commit of our own, if nobody else committed besides.

        Args:
            before: What `fresh` returned while the database was locked for writing.
            changed: Whether anything was written.
        """
        state = self.database.counter.after_commit(before, changed=changed)
        if state is None:
            self.tree.forget()
            self.journal.forget()
        else:
            self.tree.state = state

    def _undo(self) -> None:
        self.tree.forget()
        self.journal.forget()
        if self.depth:
            self.database.rollback_to(f"s{self.depth}")
            self.journal.load()
        else:
            self.database.rollback()


class Transaction:
    """What `Store.transaction` returns; entering it twice is an error of the caller's."""

    __slots__ = ("_operation", "_outer", "_session", "_store")

    def __init__(self, store: Store, session: str, operation: str) -> None:
        self._store = store
        self._session = session
        self._operation = operation
        self._outer = ("", "")

    def __enter__(self) -> None:
        self._outer = self._store.enter(self._session, self._operation)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None = None, *_: object
    ) -> None:
        self._store.leave(self._outer, commit=kind is None)
        if isinstance(error, Exception) and not self._store.depth:
            self._store.explain(error)


_UNFORESEEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_STANDARD_LIBRARY = os.path.dirname(os.__file__)


def _is_unforeseen(error: Exception) -> bool:
    """Tell whether an error is one that the package's own code raised by mistake."""
    if isinstance(error, VshellError) or not isinstance(error, _UNFORESEEN):
        return type(error).__module__ == "apsw"
    module = ""
    place = error.__traceback__
    while place is not None:
        frame = place.tb_frame
        if not frame.f_code.co_filename.startswith(_STANDARD_LIBRARY):
            module = str(frame.f_globals.get("__name__"))
        place = place.tb_next
    return module.startswith("vshell.")


_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


def _abandon_all() -> None:
    for store in list(_open_stores):
        store.abandon()


os.register_at_fork(after_in_child=_abandon_all)
