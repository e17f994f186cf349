from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from tests.faults.faulty import Fault, FaultPlan, faulty_file_system
from tests.faults.findings import FailedProofError
from tests.faults.io_faults import Reference, all_faults, chosen_faults, reference, run, run_fault
from tests.faults.scene import Scene, make_source
from vshell.errors import (
    ClosedError,
    OperationTimeoutError,
    QuotaExceededError,
    UnavailableError,
    VshellError,
)
from vshell.fs.change_counter import SharedChangeCounter
from vshell.fs.translation import translated
from vshell.workspace import Workspace


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An empty directory, and a file system in which any call can fail."""
    plan = FaultPlan()
    make_source(tmp_path / "source")
    with faulty_file_system(plan):
        made = Scene(tmp_path, plan)
        yield made
        made.remove()


@pytest.mark.slow
def test_every_sort_of_fault_leaves_before_or_after() -> None:
    findings = run(count=150, seed=1)
    assert findings.failures == []
    assert findings.counts["told to the caller"] > 100


def test_a_disk_that_cannot_be_read_while_a_fork_is_made_is_not_damage(scene: Scene) -> None:
    with Workspace.open(scene.path) as workspace:
        workspace.write("/a", b"a" * 100_000)
        scene.plan.arm(Fault("read", 1, "error", lasting=True))
        with scene.plan.on(), pytest.raises(UnavailableError):
            workspace.fork(scene.directory / "fork.db")
        scene.plan.fault = None
        assert workspace.check().problems == ()


def test_a_fork_whose_file_cannot_be_locked_at_its_end_is_whole(scene: Scene) -> None:
    with Workspace.open(scene.path) as workspace:
        workspace.write("/a", "a")
        scene.plan.arm(Fault("lock", 2, "busy", lasting=False))
        with scene.plan.on():
            workspace.fork(scene.directory / "fork.db").close()
        assert scene.plan.happened
        scene.plan.fault = None
    with Workspace.open(scene.directory / "fork.db") as fork:
        assert fork.read_text("/a") == "a"
        assert fork.check().problems == ()


def test_the_day_is_the_same_whenever_it_is_run(scene: Scene) -> None:
    assert reference(scene) == reference(scene)


def test_a_day_reads_writes_syncs_cuts_locks_and_deletes(scene: Scene) -> None:
    calls = reference(scene).calls
    assert set(calls) >= {"open", "read", "write", "log read", "log write", "truncate", "sync"}
    assert set(calls) >= {"lock", "shared lock", "delete", "size", "host link", "host fsync"}


def test_the_faults_are_chosen_from_every_sort(scene: Scene) -> None:
    faults = list(all_faults(reference(scene).calls))
    sorts = {(fault.call, fault.mode, fault.lasting) for fault in faults}
    chosen = chosen_faults(faults, len(sorts), 0)
    assert {(fault.call, fault.mode, fault.lasting) for fault in chosen} == sorts


def test_a_state_between_would_be_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = reference(scene)
    monkeypatch.setattr("vshell.fs.database.Database.begin", lambda database: None)
    monkeypatch.setattr("vshell.fs.database.Database.commit", lambda database: None)
    assert any(is_noticed(scene, expected, number) for number in range(1, 100, 9))


def is_noticed(scene: Scene, expected: Reference, number: int) -> bool:
    try:
        run_fault(scene, expected, Fault("log write", number, "error"))
    except FailedProofError:
        return True
    return False


def test_the_change_counter_works_above_a_file_system_in_python(scene: Scene) -> None:
    scene.open()
    assert isinstance(scene.workspace.files.store.database.counter, SharedChangeCounter)
    with Workspace.open(scene.path) as other:
        for index in range(10):
            other.write("/a", str(index))
            assert scene.workspace.read_text("/a") == str(index)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("log write", 1, "full"), QuotaExceededError),
        (Fault("log write", 1, "error"), UnavailableError),
        (Fault("sync", 1, "error"), UnavailableError),
        (Fault("log write", 5, "torn"), QuotaExceededError),
    ],
)
def test_a_failed_write_says_why_and_the_next_one_succeeds(
    scene: Scene, fault: Fault, kind: type[VshellError]
) -> None:
    scene.plan.arm(fault)
    scene.open()
    scene.workspace.write("/a", "before")
    with scene.plan.on(), pytest.raises(kind):
        scene.workspace.write("/a", "lost")
    assert scene.workspace.read_text("/a") == "before"
    scene.workspace.write("/a", "after")
    assert scene.workspace.read_text("/a") == "after"


@pytest.mark.parametrize("call", ["lock", "delete", "sync", "truncate"])
def test_a_disk_that_fails_while_it_is_closed_loses_nothing(scene: Scene, call: str) -> None:
    scene.plan.arm(Fault(call, 1, "error", lasting=True))
    scene.open()
    scene.workspace.write("/a", "text")
    with scene.plan.on(), pytest.raises(UnavailableError):
        scene.close()
    assert scene.workspace.closed
    with pytest.raises(ClosedError):
        scene.workspace.read("/a")
    with Workspace.open(scene.path, create=False) as again:
        assert again.read_text("/a") == "text"
        assert again.check().ok


@pytest.fixture
def limit_file_size() -> Iterator[Callable[[int], None]]:
    """Lets the host write no file beyond some bytes, as on a disk that is nearly full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("size", [0, 100, 4096, 20_000, 50_000])
def test_a_disk_that_fills_while_a_workspace_is_made_leaves_none(
    tmp_path: Path, limit_file_size: Callable[[int], None], size: int
) -> None:
    path = tmp_path / "agent.db"
    limit_file_size(size)
    with pytest.raises(UnavailableError, match="too large"):
        Workspace.open(path)
    assert list(tmp_path.iterdir()) == []
    limit_file_size(resource.RLIM_INFINITY)
    with Workspace.open(path) as workspace:
        assert workspace.check().ok


def test_a_reader_that_never_gets_its_turn_is_told_so() -> None:
    # SQLite gives up by itself after ten seconds.
    assert isinstance(translated(apsw.ProtocolError()), OperationTimeoutError)
