"""Jobs: a command in a container, with what was sent before it and what came back after.

A job goes through phases, each of which is in the database before it begins:

    pushing       what the workspace has goes to the mirror; nothing was started yet
    running       the command runs, or may do so; it is never started again
    pulling       it has ended; what it did comes back
    done
    failed        it was never started: pushing failed, or its process died before
    pull_pending  it has ended with the known exit code, and what it did is still in the mirror
    lost          the container went away under it, and nobody knows how it ended

A process that dies leaves its jobs in one of the first three. `Container.resume` finishes
them: it asks the container what became of the command, and pulls.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from vshell.errors import NotFoundError
from vshell.fs import jobs as rows
from vshell.fs.filesystem import FileSystem
from vshell.record import Record, plain
from vshell.sync.results import Conflict, ConflictSide, Skipped, SyncedPath, SyncResult

Phase = Literal["pushing", "running", "pulling", "done", "failed", "pull_pending", "lost"]

UNFINISHED: Final = ("pushing", "running", "pulling", "pull_pending")
FINISHED: Final = ("done", "failed", "lost")

KEPT_JOBS: Final = 10_000
"""Older ones are forgotten once they are finished; their files stay."""

LISTED_JOBS: Final = 100
"""Jobs that a list has by default."""

MAX_PATHS: Final = 1000
"""How many paths of each kind a job lists; their number is always there."""


@dataclass(frozen=True, slots=True)
class Job(Record):
    """A command that ran in a container, or is running.

    Attributes:
        id: Its number in the workspace.
        container: The name of the container.
        command: The program and its arguments.
        cwd: Where it ran, as a path of the workspace.
        phase: How far it is; see the module.
        exit_code: What it ended with; None while that is not known.
        timed_out: Its time was over, and it was ended.
        cancelled: Somebody asked for its end.
        stdout: What it wrote; of much, the beginning and the end.
        stderr: The same of its other stream.
        stdout_bytes: How much it wrote.
        stderr_bytes: The same of its other stream.
        stdout_path: The file of the workspace with all of it, if that is more than `stdout`.
        stderr_path: The same of its other stream.
        output_complete: Whether everything that it wrote is in `stdout` or the file.
        pushed: What went to the container, at most `MAX_PATHS` paths.
        pulled: What came back, likewise.
        conflicts: What both sides had changed, and what the policy made of it.
        skipped: What could not be synchronised, and why.
        pushed_total: How many paths went to the container.
        pulled_total: How many paths came back.
        skipped_total: How many paths could not be synchronised.
        error: Why it failed or is lost, or why what it did is not here yet.
        started_ns: When it began, in nanoseconds since 1970.
        ended_ns: When it was done; None while it is not.
    """

    id: int
    container: str
    command: tuple[str, ...]
    cwd: str
    phase: Phase
    exit_code: int | None
    timed_out: bool
    cancelled: bool
    stdout: bytes
    stderr: bytes
    stdout_bytes: int
    stderr_bytes: int
    stdout_path: str | None
    stderr_path: str | None
    output_complete: bool
    pushed: tuple[SyncedPath, ...]
    pulled: tuple[SyncedPath, ...]
    conflicts: tuple[Conflict, ...]
    skipped: tuple[Skipped, ...]
    pushed_total: int
    pulled_total: int
    skipped_total: int
    error: str | None
    started_ns: int
    ended_ns: int | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be done about it."""
        return self.phase not in UNFINISHED


@dataclass(frozen=True, slots=True)
class JobList(Record):
    """Jobs, the newest first.

    Attributes:
        jobs: They.
        truncated: Whether there are more.
        next_offset: Where to go on; None at the end.
    """

    jobs: tuple[Job, ...]
    truncated: bool
    next_offset: int | None


def find_job(files: FileSystem, number: int) -> Job:
    """Return a job.

    Raises:
        NotFoundError: There is none of that number.
    """
    return job_of(rows.find(files, number))


def list_jobs(
    files: FileSystem,
    *,
    container: str | None = None,
    limit: int = LISTED_JOBS,
    offset: int = 0,
) -> JobList:
    """Return jobs, the newest first.

    Args:
        files: The workspace.
        container: Only those of the container of this name.
        limit: How many at most.
        offset: How many of the newest to leave out.
    """
    found = rows.latest(files, container=container, limit=limit + 1, offset=offset)
    more = len(found) > limit
    jobs = tuple(job_of(row) for row in found[:limit])
    return JobList(jobs, more, offset + limit if more else None)


def job_of(row: rows.JobRow) -> Job:
    """Return what a row says."""
    report = row.report
    return Job(
        row.id,
        row.container,
        row.command,
        row.cwd,
        cast("Phase", row.phase),
        row.exit_code,
        row.timed_out,
        row.cancelled,
        row.stdout,
        row.stderr,
        row.stdout_bytes,
        row.stderr_bytes,
        row.stdout_path,
        row.stderr_path,
        bool(report.get("output_complete", True)),
        tuple(SyncedPath(**found) for found in report.get("pushed", ())),
        tuple(SyncedPath(**found) for found in report.get("pulled", ())),
        tuple(_conflict(found) for found in report.get("conflicts", ())),
        tuple(Skipped(**found) for found in report.get("skipped", ())),
        report.get("pushed_total", 0),
        report.get("pulled_total", 0),
        report.get("skipped_total", 0),
        row.error,
        row.started_ns,
        row.ended_ns,
    )


def report_of(
    pushed: SyncResult | None, pulled: SyncResult | None, *, output_complete: bool
) -> dict[str, Any]:
    """Return what a row keeps of the two synchronisations of a job."""
    report: dict[str, Any] = {"output_complete": output_complete}
    skipped: dict[str, Skipped] = {}
    conflicts: dict[int, Conflict] = {}
    for result in (pushed, pulled):
        if result is not None:
            skipped |= {one.path: one for one in result.skipped}
            conflicts |= {one.number: one for one in result.conflicts}
            report["skipped_total"] = result.skipped_total
    if pushed is not None:
        report["pushed"] = plain(pushed.pushed[:MAX_PATHS])
        report["pushed_total"] = pushed.pushed_total
    if pulled is not None:
        report["pulled"] = plain(pulled.pulled[:MAX_PATHS])
        report["pulled_total"] = pulled.pulled_total
    report["skipped"] = plain(list(skipped.values())[:MAX_PATHS])
    report["conflicts"] = plain(list(conflicts.values())[:MAX_PATHS])
    return report


def _conflict(found: Mapping[str, Any]) -> Conflict:
    sides = {
        name: ConflictSide(**found[name]) if found[name] else None
        for name in ("base", "workspace", "mirror")
    }
    return Conflict(**{**found, **sides})


# Who works on a job.


@cache
def _host() -> str:
    return socket.gethostname()


def owner() -> str:
    """Return what tells this process from all others, on this host and over time."""
    return f"{_host()}:{os.getpid()}:{_started(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Tell whether the process still runs; one of another host is taken to."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    started = owner.rpartition(":")[2]
    if host != _host():
        return True
    try:
        os.kill(int(rest), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return _started(int(rest)) == started


def _started(process: int) -> str:
    """Return when a process started, in the kernel's ticks; `""` where nobody says so."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]


def require_known(files: FileSystem, number: int, container: str) -> rows.JobRow:
    """Return a job's row if it ran in that container.

    Raises:
        NotFoundError: It did not, or there is none of that number.
    """
    row = rows.find(files, number)
    if row.container != container:
        raise NotFoundError(
            f"job {number} ran in another container: {row.container}",
            hint="attach to that one by its name",
        )
    return row
