"""Runs that are kept: approvals, and runs that go on after their process died."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.script.inprocess import ThreadEngine, ThreadGuest
from vshell import Workspace
from vshell.errors import NotFoundError, RangeError
from vshell.script.answering import kind_of_call
from vshell.script.engine import Call, Event, Guest, Job
from vshell.script.functions import Function, PauseRun


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as opened:
        opened.write("/a.txt", "one\n")
        yield opened


@pytest.fixture
def engine() -> ThreadEngine:
    return ThreadEngine()


# Approvals.


def test_a_dry_run_is_applied_by_its_name(workspace: Workspace, engine: ThreadEngine) -> None:
    result = workspace.session("me").run(
        "state.append_file('/a.txt', 'two\\n')\nstate.symlink('a.txt', '/link')\n'value'",
        engine=engine,
        dry_run=True,
    )
    assert workspace.runs.get(result.run_id).status == "ready"
    workspace.gc()
    committed = workspace.session("boss").runs.commit(result.run_id)
    assert (committed.status, committed.value) == ("ok", "value")
    assert workspace.read_text("/link") == "one\ntwo\n"
    assert [each.path for each in committed.changes] == ["/a.txt", "/link"]
    assert "+two" in committed.patch
    assert workspace.changes(1).changes[0].session == "boss"
    assert workspace.runs.get(result.run_id).status == "committed"
    with pytest.raises(RangeError):
        workspace.runs.commit(result.run_id)


def test_an_approval_in_another_process_is_the_same(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as first:
        name = first.run(
            "state.write_file('/x', 'y' * 400_000)", engine=ThreadEngine(), dry_run=True
        ).run_id
    with Workspace.open(tmp_path / "w.db") as second:
        assert second.runs.commit(name).ok
        assert second.read_text("/x") == "y" * 400_000
        assert second.check().ok


def test_an_approval_that_comes_too_late_is_a_conflict(
    workspace: Workspace, engine: ThreadEngine
) -> None:
    result = workspace.run("state.append_file('/a.txt', 'two')", engine=engine, dry_run=True)
    workspace.append("/a.txt", "three\n")
    assert workspace.runs.commit(result.run_id).status == "conflict"
    assert workspace.read_text("/a.txt") == "one\nthree\n"


def test_old_runs_go(workspace: Workspace, engine: ThreadEngine) -> None:
    names = [
        workspace.run(f"state.write_file('/{number}', 'x')", engine=engine, dry_run=True).run_id
        for number in range(103)
    ]
    kept = {each.id for each in workspace.runs.list().runs}
    assert len(kept) == 100
    assert names[-1] in kept
    assert workspace.runs.list(limit=10).truncated
    with pytest.raises(NotFoundError):
        workspace.runs.commit(names[0])


def test_what_is_cancelled_is_not_applied(workspace: Workspace, engine: ThreadEngine) -> None:
    result = workspace.run("state.write_file('/x', '1')", engine=engine, dry_run=True)
    assert workspace.runs.cancel(result.run_id).status == "cancelled"
    with pytest.raises(RangeError):
        workspace.runs.commit(result.run_id)


# Durable runs.


class DyingGuest(ThreadGuest):
    """A guest whose host gives up before it answers its nth call."""

    def __init__(self, job: Job, dies_at: int) -> None:
        super().__init__(job)
        self.dies_at = dies_at

    def next(self, deadline: float) -> Event:
        event = super().next(deadline)
        if isinstance(event, Call) and event.id == self.dies_at:
            self.close()
            raise HostDiedError
        return event


class HostDiedError(Exception):
    """Stands for the death of the host's process."""


class DyingEngine(ThreadEngine):
    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self.dies_at = dies_at

    def start(self, job: Job) -> Guest:
        return DyingGuest(job, self.dies_at)


SCRIPT = """
total = 0
for number in range(3):
    total += len(state.read_file('/a.txt'))
    state.append_file('/log.txt', f'{number} {total}\\n')
    if state.exists('/none'):
        state.rm('/a.txt')
    send(number)
total
"""
LOG = "0 4\n1 8\n2 12\n"


@pytest.mark.parametrize("dies_at", range(1, 13))
def test_a_run_goes_on_wherever_it_stopped_and_does_nothing_twice(
    workspace: Workspace, dies_at: int
) -> None:
    sent: dict[str, int] = {}

    def send(number: int, *, idempotency_key: str) -> None:
        sent.setdefault(idempotency_key, number)

    functions = {"send": send}
    with pytest.raises(HostDiedError):
        workspace.session("me").run(
            SCRIPT, engine=DyingEngine(dies_at), durable=True, functions=functions
        )
    (run,) = workspace.runs.list().runs
    assert (run.status, run.kind, run.session) == ("running", "durable", "me")
    result = workspace.runs.resume(run.id, engine=ThreadEngine(), functions=functions)
    assert (result.status, result.value) == ("ok", 12)
    assert workspace.read_text("/log.txt") == LOG
    assert list(sent.values()) == [0, 1, 2]
    assert [each.path for each in result.changes] == ["/log.txt"]
    assert {change.session for change in workspace.changes(1).changes} == {"me"}
    again = workspace.runs.resume(run.id)
    assert (again.status, again.value) == ("ok", 12)
    assert workspace.read_text("/log.txt") == LOG


def test_a_call_that_failed_fails_again(workspace: Workspace) -> None:
    source = (
        "try: state.mkdir('/a.txt')\nexcept FileExistsError as error: code = error.code\n"
        "state.write_file('/b.txt', code)\nstate.write_file('/c.txt', code)"
    )
    with pytest.raises(HostDiedError):
        workspace.run(source, engine=DyingEngine(3), durable=True)
    workspace.rm("/a.txt")
    (run,) = workspace.runs.list().runs
    assert workspace.runs.resume(run.id, engine=ThreadEngine()).ok
    assert workspace.read_text("/c.txt") == "exists"


def test_a_script_that_does_something_else_the_second_time_is_stopped(
    workspace: Workspace,
) -> None:
    source = "import os\nstate.write_file('/x', os.urandom(8).hex())\nstate.exists('/')"
    with pytest.raises(HostDiedError):
        workspace.run(source, engine=DyingEngine(2), durable=True)
    (run,) = workspace.runs.list().runs
    result = workspace.runs.resume(run.id, engine=ThreadEngine())
    assert result.status == "error"
    assert result.error is not None
    assert result.error.type == "NotDeterministic"


def test_a_run_that_goes_on_elsewhere_is_stopped_here(workspace: Workspace) -> None:
    def steal() -> None:
        with workspace.transaction():
            workspace.runs._store.take(workspace.runs.list().runs[0].id)

    result = workspace.run(
        "state.write_file('/x', '1')\nsteal()\nstate.write_file('/x', '2')",
        engine=ThreadEngine(),
        durable=True,
        functions={"steal": Function(steal, "read")},
    )
    assert result.status == "conflict"
    assert workspace.read_text("/x") == "1"
    assert workspace.runs.get(result.run_id).status == "running"


def test_a_run_is_cancelled_by_its_name(workspace: Workspace) -> None:
    def cancel() -> None:
        workspace.runs.cancel(workspace.runs.list().runs[0].id)

    result = workspace.run(
        "state.write_file('/x', '1')\ncancel()\nstate.write_file('/x', '2')",
        engine=ThreadEngine(),
        durable=True,
        functions={"cancel": Function(cancel, "read")},
    )
    assert result.status == "error"
    assert result.error is not None
    assert result.error.type == "Cancelled"
    assert workspace.read_text("/x") == "1"
    assert workspace.runs.resume(result.run_id).status == "error"


def test_a_function_can_pause_a_run(workspace: Workspace) -> None:
    answers: list[str] = []

    def ask(question: str) -> str:
        if not answers:
            raise PauseRun(f"somebody has to say: {question}")
        return answers[0]

    source = "state.append_file('/x', 'asked')\nstate.append_file('/x', ask('why?'))"
    result = workspace.run(source, engine=ThreadEngine(), durable=True, functions={"ask": ask})
    assert result.status == "paused"
    assert workspace.runs.get(result.run_id).status == "paused"
    answers.append(" because")
    resumed = workspace.runs.resume(result.run_id, engine=ThreadEngine(), functions={"ask": ask})
    assert resumed.ok
    assert workspace.read_text("/x") == "asked because"


def test_a_run_whose_time_was_over_can_go_on(workspace: Workspace) -> None:
    source = "state.write_file('/x', '1')\nimport threading\nthreading.Event().wait(wait())\nstate.append_file('/x', '2')"
    waits = [5.0]
    functions: dict[str, Any] = {"wait": Function(lambda: waits[0], "read")}
    options: dict[str, Any] = {"functions": functions, "limits": {"timeout_s": 0.05}}
    result = workspace.run(source, engine=ThreadEngine(), durable=True, **options)
    assert result.status == "timeout"
    waits[0] = 0.0
    assert workspace.runs.resume(result.run_id, engine=ThreadEngine(), **options).ok
    assert workspace.read_text("/x") == "12"


def test_a_durable_run_is_no_dry_run(workspace: Workspace) -> None:
    with pytest.raises(RangeError):
        workspace.run("1", durable=True, dry_run=True)


def test_a_durable_run_is_no_part_of_a_transaction(workspace: Workspace) -> None:
    with pytest.raises(RangeError), workspace.transaction():
        workspace.run("1", durable=True)


def test_only_durable_runs_go_on(workspace: Workspace, engine: ThreadEngine) -> None:
    result = workspace.run("state.write_file('/x', '1')", engine=engine, dry_run=True)
    with pytest.raises(RangeError):
        workspace.runs.resume(result.run_id)
    with pytest.raises(NotFoundError):
        workspace.runs.resume("none")


def test_an_unknown_call_only_reads() -> None:
    assert kind_of_call(Call(1, "nothing"), {}) == "read"
