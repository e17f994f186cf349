"""Shell sessions in the workspace: where each was, its state, and what it ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, encode
from vshell.record import Record

MAX_HISTORY: Final = 10_000
"""How many lines one session keeps: a year of daily use, and under a megabyte."""

MAX_LINE_CHARACTERS: Final = 64 * 1024
"""Longer scripts are kept up to here; nobody looks for their ends."""


@dataclass(frozen=True, slots=True)
class SavedShell:
    """What a shell session was when it was last saved.

    Attributes:
        cwd: Its working directory.
        engine: What wrote `state`.
        state: The engine's own form.
        portable: JSON that any engine can be set up from.
    """

    cwd: str
    engine: str
    state: bytes
    portable: str


@dataclass(frozen=True, slots=True)
class HistoryLine(Record):
    """One script that a session ran.

    Attributes:
        number: Its place among all lines of the workspace.
        session: Who ran it.
        time_ns: When it ended, in nanoseconds since 1970.
        cwd: Where it began.
        exit_code: How it ended.
        line: The script.
    """

    number: int
    session: str
    time_ns: int
    cwd: str
    exit_code: int
    line: str


def load(files: FileSystem, name: str) -> SavedShell | None:
    """Return a session, or None when there is none of that name."""
    found = files.store.read(
        lambda: files.store.database.row(
            "select cwd, engine, state, portable from shell_session where name = ?", (name,)
        )
    )
    return None if found is None else SavedShell(decode(found[0]), *found[1:])


def save(files: FileSystem, name: str, saved: SavedShell) -> None:
    """Keep a session's state; call it inside `transaction()`."""
    assert files.store.depth, "changes need a transaction"
    files.store.database.run(
        "insert into shell_session values (?, ?, ?, ?, ?, ?)"
        " on conflict (name) do update set cwd = excluded.cwd, engine = excluded.engine,"
        " state = excluded.state, portable = excluded.portable, time_ns = excluded.time_ns",
        (
            name,
            encode(saved.cwd),
            saved.engine,
            saved.state,
            saved.portable,
            files.store.journal.time_ns,
        ),
    )


def delete(files: FileSystem, name: str) -> bool:
    """Forget a session and its history; call it inside `transaction()`; tell if it existed."""
    assert files.store.depth, "changes need a transaction"
    existed = load(files, name) is not None
    files.store.database.run("delete from shell_session where name = ?", (name,))
    files.store.database.run("delete from shell_history where session = ?", (name,))
    return existed


def names(files: FileSystem) -> list[str]:
    """Return the names of the sessions, the last used one first."""
    found = files.store.read(
        lambda: files.store.database.rows(
            "select name from shell_session order by time_ns desc, name"
        )
    )
    return [name for (name,) in found]


def add_history(files: FileSystem, session: str, cwd: str, exit_code: int, line: str) -> None:
    """Add a line to a session's history; call it inside `transaction()`.

    The oldest lines go when there are too many, a hundred at a time.
    """
    assert files.store.depth, "changes need a transaction"
    database = files.store.database
    text = line[:MAX_LINE_CHARACTERS].encode("utf-8", "replace").decode()
    database.run(
        "insert into shell_history (session, time_ns, cwd, exit_code, line) values (?, ?, ?, ?, ?)",
        (session, files.store.journal.time_ns, encode(cwd), exit_code, text),
    )
    row = database.row("select max(id) from shell_history")
    if row is not None and row[0] % 100 == 0:
        database.run(
            "delete from shell_history where session = ? and id <= coalesce((select id from"
            " shell_history where session = ? order by id desc limit 1 offset ?), 0)",
            (session, session, MAX_HISTORY),
        )


def history(
    files: FileSystem, session: str | None = None, *, limit: int = 1000
) -> list[HistoryLine]:
    """Return the last lines of a session, or of all when it is None, oldest first."""
    found = files.store.read(
        lambda: files.store.database.rows(
            "select id, session, time_ns, cwd, exit_code, line from shell_history"
            " where ? is null or session = ? order by id desc limit ?",
            (session, session, limit),
        )
    )
    lines = [HistoryLine(row[0], row[1], row[2], decode(row[3]), row[4], row[5]) for row in found]
    return lines[::-1]
