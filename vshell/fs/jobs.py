"""Jobs: what was run in a container, and how far it came.

A row is written before anything happens and at each step after that, so that a process
which dies leaves behind what is needed to go on: nothing is run twice, and what a
command did is not forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from vshell.errors import NotFoundError
from vshell.fs.filesystem import FileSystem

_COLUMNS: Final = (
    "id, container, machine, started_as, command, cwd, phase, owner, process, started_ns,"
    " ended_ns, exit_code, timed_out, cancelled, stdout, stderr, stdout_bytes, stderr_bytes,"
    " stdout_path, stderr_path, report, error"
)


class JobRow(NamedTuple):
    """A row; see `schema.py`. `command` and `report` are decoded."""

    id: int
    container: str
    machine: str
    started_as: str
    command: tuple[str, ...]
    cwd: str
    phase: str
    owner: str
    process: str | None
    started_ns: int
    ended_ns: int | None
    exit_code: int | None
    timed_out: bool
    cancelled: bool
    stdout: bytes
    stderr: bytes
    stdout_bytes: int
    stderr_bytes: int
    stdout_path: str | None
    stderr_path: str | None
    report: Mapping[str, Any]
    error: str | None


def add(
    files: FileSystem,
    *,
    container: str,
    machine: str,
    started_as: str,
    command: tuple[str, ...],
    cwd: str,
    phase: str,
    owner: str,
) -> int:
    """Note a new job, and return its number."""
    with files.transaction():
        found = files.store.database.row(
            "insert into job (container, machine, started_as, command, cwd, phase, owner,"
            " started_ns) values (?, ?, ?, ?, ?, ?, ?, ?) returning id",
            (
                container,
                machine,
                started_as,
                json.dumps(command),
                cwd,
                phase,
                owner,
                files.store.now(),
            ),
        )
        assert found is not None
        return int(found[0])


def started(files: FileSystem, job: int, *, phase: str, process: str) -> None:
    """Note that the command is about to start, under the daemon's name for it."""
    with files.transaction():
        files.store.database.run(
            "update job set phase = ?, process = ? where id = ?", (phase, process, job)
        )


def keep_output(
    files: FileSystem,
    job: int,
    *,
    kept: tuple[bytes, bytes],
    sizes: tuple[int, int],
    paths: tuple[str | None, str | None],
) -> None:
    """Note what a command has written: the kept part, the sizes, and the files with all of it."""
    with files.transaction():
        files.store.database.run(
            "update job set stdout = ?, stderr = ?, stdout_bytes = ?, stderr_bytes = ?,"
            " stdout_path = ?, stderr_path = ? where id = ?",
            (*kept, *sizes, *paths, job),
        )


def exited(
    files: FileSystem, job: int, *, phase: str, exit_code: int | None, timed_out: bool
) -> None:
    """Note that the command has ended."""
    with files.transaction():
        files.store.database.run(
            "update job set phase = ?, exit_code = ?, timed_out = ? where id = ?",
            (phase, exit_code, int(timed_out), job),
        )


def cancel(files: FileSystem, job: int) -> None:
    """Note that somebody asked for the end of a job."""
    with files.transaction():
        files.store.database.run("update job set cancelled = 1 where id = ?", (job,))


def advance(
    files: FileSystem,
    job: int,
    *,
    phase: str,
    report: Mapping[str, Any] | None = None,
    error: str | None = None,
    has_ended: bool = False,
) -> None:
    """Note a step; what is None stays as it was, but for the error."""
    with files.transaction():
        files.store.database.run(
            "update job set phase = ?, error = ?, report = coalesce(?, report),"
            " ended_ns = coalesce(?, ended_ns) where id = ?",
            (
                phase,
                error,
                None if report is None else json.dumps(report),
                files.store.now() if has_ended else None,
                job,
            ),
        )


def claim(files: FileSystem, job: int, *, owner: str, before: str) -> bool:
    """Make a job this process', unless another one took it meanwhile; return whether it is."""
    with files.transaction():
        found = files.store.database.row(
            "update job set owner = ? where id = ? and owner = ? returning id",
            (owner, job, before),
        )
        return found is not None


def find(files: FileSystem, job: int) -> JobRow:
    """Return a job.

    Raises:
        NotFoundError: There is none of that number.
    """
    found = files.store.read(
        lambda: files.store.database.row(f"select {_COLUMNS} from job where id = ?", (job,))
    )
    if found is None:
        raise NotFoundError(f"no such job: {job}", hint="`jobs` lists them")
    return _row(found)


def latest(
    files: FileSystem, *, container: str | None = None, limit: int = -1, offset: int = 0
) -> list[JobRow]:
    """Return jobs, the newest first; with a container, only those that ran there."""
    found = files.store.read(
        lambda: files.store.database.rows(
            f"select {_COLUMNS} from job where ?1 is null or container = ?1"
            " order by id desc limit ?2 offset ?3",
            (container, limit, offset),
        )
    )
    return [_row(row) for row in found]


def forget(files: FileSystem, *, phases: tuple[str, ...], keep: int) -> int:
    """Remove jobs in these phases but for the newest ones; return how many went."""
    with files.transaction():
        marks = ", ".join("?" * len(phases))
        found = files.store.database.rows(
            f"delete from job where phase in ({marks}) and id not in"
            f" (select id from job where phase in ({marks}) order by id desc limit ?)"
            " returning id",
            (*phases, *phases, keep),
        )
        return len(found)


def settings_named(files: FileSystem, *, prefix: str) -> list[str]:
    """Return the names of the settings that begin so."""
    found = files.store.read(
        lambda: files.store.database.rows(
            "select name from setting where substr(name, 1, length(?1)) = ?1 order by name",
            (prefix,),
        )
    )
    return [row[0] for row in found]


def _row(row: tuple[Any, ...]) -> JobRow:
    found = JobRow(*row)
    return found._replace(
        command=tuple(json.loads(row[4])),
        timed_out=bool(found.timed_out),
        cancelled=bool(found.cancelled),
        report=json.loads(row[20]),
    )
