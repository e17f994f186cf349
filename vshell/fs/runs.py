"""Script runs that are kept: durable ones with their calls, and such as wait to be approved.

A durable run keeps what each of its calls returned. What a call changed and what it
returned are committed together, so that a run which goes on in another process makes
the calls up to there again without effect, and each effect happens once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from vshell.errors import ConflictError, NotFoundError
from vshell.fs.content import EMPTY, Stored
from vshell.fs.effects import Effect
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, encode

__all__ = ["CallRow", "RunRow", "RunStore"]

_MAX_WAITING: Final = 100
"""Of the runs that wait to be approved or are over, the newest are kept."""


class RunRow(NamedTuple):
    """A row of `script_run`; see `schema.py`."""

    id: str
    kind: str
    status: str
    generation: int
    session: str
    cwd: str
    language: str
    source: str
    inputs: str
    limits: str
    engine: str
    seed: int
    created_ns: int
    updated_ns: int
    base_revision: int | None = None
    reads: str | None = None
    snapshot: bytes | None = None
    snapshot_call: int | None = None
    result: str | None = None


class CallRow(NamedTuple):
    """A row of `script_call`, without the run's name."""

    number: int
    method: str
    request: bytes
    arguments: str | None
    answer: str | None
    revision: int | None


class RunStore:
    """The runs of one workspace. What writes must run in a transaction.

    Args:
        files: The files of the workspace.
    """

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self._database = files.store.database

    # Runs.

    def add(self, run: RunRow) -> None:
        """Add a run; the oldest of those that nothing is to come of any more go."""
        marks = ", ".join("?" * len(run))
        self._database.run(f"insert into script_run values ({marks})", run)
        old = self._database.rows(
            "select id from script_run where status not in ('running', 'paused')"
            " order by created_ns desc limit -1 offset ?",
            (_MAX_WAITING,),
        )
        for (name,) in old:
            self.delete(name)

    def get(self, name: str) -> RunRow:
        """Return a run.

        Raises:
            NotFoundError: There is none of that name.
        """
        found = self._files.store.read(
            lambda: self._database.row("select * from script_run where id = ?", (name,))
        )
        if found is None:
            raise NotFoundError(
                f"there is no run {name[:100]}", hint="`runs.list()` has those that are kept"
            )
        return RunRow._make(found)

    def newest(self, limit: int) -> list[RunRow]:
        """Return the newest runs, the newest first."""
        rows = self._files.store.read(
            lambda: self._database.rows(
                "select * from script_run order by created_ns desc, id limit ?", (limit,)
            )
        )
        return [RunRow._make(row) for row in rows]

    def delete(self, name: str) -> None:
        """Forget a run and what belongs to it."""
        for table, column in (
            ("script_call", "run"),
            ("script_effect", "run"),
            ("script_run", "id"),
        ):
            self._database.run(f"delete from {table} where {column} = ?", (name,))

    def take(self, name: str, *, engine: str | None = None) -> int:
        """Become the one who goes on with a run; return the generation to write with."""
        self._database.run(
            "update script_run set generation = generation + 1, status = 'running',"
            " engine = coalesce(?, engine), updated_ns = ? where id = ?",
            (engine, self._files.store.now(), name),
        )
        return self.get(name).generation

    def require_ours(self, name: str, generation: int) -> None:
        """Make sure that nobody else goes on with a run, and that it was not cancelled.

        Raises:
            ConflictError: It is so.
        """
        self._database.run(
            "update script_run set updated_ns = ? where id = ? and generation = ?"
            " and status = 'running'",
            (self._files.store.now(), name, generation),
        )
        if not self._database.changed_rows():
            raise ConflictError(
                f"the run was cancelled, or goes on elsewhere: {name}",
                hint="`runs.get` says what became of it",
            )

    def end(self, name: str, status: str, result: str | None) -> None:
        """Note how a run ended or that it paused; its calls are needed only if it goes on."""
        self._database.run(
            "update script_run set status = ?, result = ?, updated_ns = ? where id = ?",
            (status, result, self._files.store.now(), name),
        )
        if status not in ("running", "paused", "timeout"):
            self._database.run("delete from script_call where run = ?", (name,))
            self._database.run("delete from script_effect where run = ?", (name,))
            self._database.run(
                "update script_run set snapshot = null, snapshot_call = null, reads = null"
                " where id = ?",
                (name,),
            )

    # Calls.

    def save_calls(self, name: str, calls: Iterable[CallRow]) -> None:
        """Add calls, or what became of them."""
        self._database.run_many(
            "insert or replace into script_call values (?, ?, ?, ?, ?, ?, ?)",
            [(name, *call) for call in calls],
        )

    def save_snapshot(self, name: str, snapshot: bytes | None, call: int | None) -> None:
        """Keep the paused guest; None when there is none."""
        self._database.run(
            "update script_run set snapshot = ?, snapshot_call = ? where id = ?",
            (snapshot, call, name),
        )

    def call(self, name: str, number: int) -> CallRow | None:
        """Return a call by its number, if it was made."""
        found = self._files.store.read(
            lambda: self._database.row(
                "select number, method, request, arguments, answer, revision from script_call"
                " where run = ? and number = ?",
                (name, number),
            )
        )
        return None if found is None else CallRow._make(found)

    def count_calls(self, name: str) -> int:
        """Return how many calls are kept."""
        found = self._files.store.read(
            lambda: self._database.row(
                "select coalesce(max(number), 0) from script_call where run = ?", (name,)
            )
        )
        assert found is not None
        return int(found[0])

    def revisions(self, name: str) -> list[int]:
        """Return the revisions that the calls of a run made."""
        rows = self._files.store.read(
            lambda: self._database.rows(
                "select revision from script_call where run = ? and revision is not null"
                " order by number",
                (name,),
            )
        )
        return [revision for (revision,) in rows]

    # Effects that wait to be approved.

    def save_effects(self, name: str, effects: Iterable[tuple[Effect, Stored]]) -> None:
        """Keep what a run would do, with its content, which is stored already."""
        rows: Iterator[tuple[Any, ...]] = (
            (
                name,
                number,
                effect.action,
                encode(effect.path),
                None if effect.old_path is None else encode(effect.old_path),
                effect.inode,
                effect.kind,
                stored.id,
                effect.mode,
                effect.mtime_ns,
            )
            for number, (effect, stored) in enumerate(effects)
        )
        self._database.run_many(
            "insert into script_effect values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def effects(self, name: str) -> list[Effect]:
        """Return what a run would do."""
        rows = self._database.rows(
            "select action, path, old_path, inode, kind, content, mode, mtime_ns"
            " from script_effect where run = ? order by number",
            (name,),
        )
        return [
            Effect(row[0], decode(row[1]), None if row[2] is None else decode(row[2]), *row[3:])
            for row in rows
        ]

    def stored(self, effect: Effect) -> Stored:
        """Return the content of an effect that is kept here."""
        if effect.content is None:
            return EMPTY
        return self._files.store.content.find(effect.content)
