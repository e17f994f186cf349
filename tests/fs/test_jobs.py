"""The rows of jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.errors import NotFoundError
from vshell.fs import jobs
from vshell.fs.filesystem import FileSystem


@pytest.fixture
def files() -> Iterator[FileSystem]:
    with Workspace.memory() as workspace:
        yield workspace.files


def add(files: FileSystem, container: str = "c") -> int:
    return jobs.add(
        files,
        container=container,
        machine="m",
        started_as="s",
        command=("echo", "\udcff ü"),
        cwd="/d",
        phase="pushing",
        owner="me",
    )


def test_a_job_is_read_as_it_was_written(files: FileSystem) -> None:
    number = add(files)
    jobs.started(files, number, phase="running", process="p")
    jobs.keep_output(
        files, number, kept=(b"\xff", b"e"), sizes=(900, 1), paths=("/.vshell/x", None)
    )
    jobs.exited(files, number, phase="pulling", exit_code=3, timed_out=True)
    jobs.advance(files, number, phase="done", report={"pushed": ["/\udcff"]}, has_ended=True)
    row = jobs.find(files, number)
    assert row.command == ("echo", "\udcff ü")
    assert (row.phase, row.process, row.exit_code, row.timed_out) == ("done", "p", 3, True)
    assert (row.stdout, row.stdout_bytes, row.stdout_path) == (b"\xff", 900, "/.vshell/x")
    assert row.report == {"pushed": ["/\udcff"]}
    assert row.ended_ns is not None
    assert row.ended_ns >= row.started_ns


def test_a_step_keeps_the_report_and_replaces_the_error(files: FileSystem) -> None:
    number = add(files)
    jobs.advance(files, number, phase="pull_pending", report={"a": 1}, error="why")
    jobs.advance(files, number, phase="done")
    row = jobs.find(files, number)
    assert (row.report, row.error, row.ended_ns) == ({"a": 1}, None, None)


def test_jobs_are_no_change_of_the_files(files: FileSystem) -> None:
    before = files.revision()
    jobs.cancel(files, add(files))
    assert files.revision() == before
    assert jobs.find(files, 1).cancelled


def test_the_newest_come_first_and_pages_follow(files: FileSystem) -> None:
    for name in ("a", "b", "a", "a"):
        add(files, name)
    assert [row.id for row in jobs.latest(files, limit=2)] == [4, 3]
    assert [row.id for row in jobs.latest(files, limit=2, offset=2)] == [2, 1]
    assert [row.id for row in jobs.latest(files, container="a")] == [4, 3, 1]


def test_only_one_claims_a_job(files: FileSystem) -> None:
    number = add(files)
    assert jobs.claim(files, number, owner="you", before="me")
    assert not jobs.claim(files, number, owner="they", before="me")
    assert jobs.find(files, number).owner == "you"


def test_old_jobs_are_forgotten_once_they_are_finished(files: FileSystem) -> None:
    for _ in range(5):
        add(files)
    for number in (1, 2, 4):
        jobs.advance(files, number, phase="done", has_ended=True)
    assert jobs.forget(files, phases=("done", "failed"), keep=1) == 2
    assert [row.id for row in jobs.latest(files)] == [5, 4, 3]


def test_a_number_is_never_given_twice_while_newer_jobs_are_there(files: FileSystem) -> None:
    add(files)
    add(files)
    jobs.advance(files, 1, phase="done", has_ended=True)
    jobs.forget(files, phases=("done",), keep=0)
    assert add(files) == 3


def test_there_is_no_job_of_that_number(files: FileSystem) -> None:
    with pytest.raises(NotFoundError, match="no such job: 9"):
        jobs.find(files, 9)
