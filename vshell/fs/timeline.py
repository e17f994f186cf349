"""The history from its beginning on: telling it revision by revision, and writing it.

`journal.py` tells what happened to paths, and `image.py` goes back in time; here is what
a replay needs, which goes forward and has to know inodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vshell.fs.paths import decode
from vshell.fs.records import Action
from vshell.fs.transaction import Store

_ROWS_AT_ONCE: Final = 2000

_FIRST: Final = "select id from journal where revision > ? order by id limit 1"
_ROWS: Final = (
    "select id, revision, time_ns, session, operation, action, path, old_path, inode, kind,"
    " after_content, after_mode from journal where id >= ? and action <> '' order by id limit ?"
)


class Step(NamedTuple):
    """One thing that happened: a row of the journal, with what was there after it.

    Attributes:
        action: What was done.
        path: To which path; of a rename, the new one.
        old_path: The path before a rename.
        inode: To which inode.
        kind: What it is.
        content: Its content's number; None for a directory, an empty file, or nothing.
        mode: Its permission bits; 0 when it is gone.
    """

    action: Action
    path: str
    old_path: str | None
    inode: int
    kind: int
    content: int | None
    mode: int


class Revision(NamedTuple):
    """One change of the workspace.

    Attributes:
        number: Its number.
        time_ns: When, in nanoseconds since 1970.
        session: Who.
        operations: What was done, each name once.
        steps: What happened.
    """

    number: int
    time_ns: int
    session: str
    operations: tuple[str, ...]
    steps: list[Step]


def revisions(store: Store, since: int) -> Iterator[Revision]:
    """Yield what happened after a revision, oldest first; call it inside `reading()`."""
    found = store.database.row(_FIRST, (since,))
    position = found[0] if found else None
    current: Revision | None = None
    operations: dict[str, None] = {}
    while position is not None:
        rows = store.database.rows(_ROWS, (position, _ROWS_AT_ONCE))
        for row in rows:
            number, time_ns, session, operation = row[1:5]
            if current is None or current.number != number:
                if current is not None:
                    yield current._replace(operations=tuple(operations))
                current, operations = Revision(number, time_ns, session, (), []), {}
            operations[operation] = None
            current.steps.append(_step(*row[5:]))
        position = rows[-1][0] + 1 if len(rows) == _ROWS_AT_ONCE else None
    if current is not None:
        yield current._replace(operations=tuple(operations))


def time_of(store: Store, revision: int) -> int:
    """Return when a revision was made, in nanoseconds since 1970; now, if nobody knows."""
    found = store.database.row(
        "select time_ns from journal where revision = ? and action <> '' limit 1", (revision,)
    )
    return int(found[0]) if found else store.now()


def begin_revision(store: Store, *, session: str, operation: str, time_ns: int) -> None:
    """Let what the open transaction changes from now on be another revision.

    Args:
        store: The open database, in a transaction.
        session: Whose doing it is.
        operation: What is done.
        time_ns: When, in nanoseconds since 1970.
    """
    assert store.depth, "changes need a transaction"
    journal = store.journal
    journal.open(time_ns)
    journal.session = session
    journal.operation = operation


def _step(  # noqa: PLR0917 - the columns of a row
    action: Action,
    path: bytes,
    old_path: bytes | None,
    inode: int,
    kind: int,
    content: int | None,
    mode: int | None,
) -> Step:
    return Step(
        action,
        decode(path),
        None if old_path is None else decode(old_path),
        inode,
        kind,
        content,
        mode or 0,
    )
