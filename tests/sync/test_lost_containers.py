"""A container that goes away under a job, and what becomes of the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sync import daemon
from tests.sync.conftest import OpenContainer
from vshell import Workspace
from vshell.errors import ConflictError, NotFoundError
from vshell.fs import jobs as rows
from vshell.sync import docker_exec
from vshell.sync.container import Container
from vshell.sync.jobs import is_alive, owner

pytestmark = pytest.mark.docker


def machine(container: Container) -> Any:
    return daemon.client().containers.get(container._full_name)


def once(action: Callable[[], object]) -> Callable[[str, bytes], None]:
    """Return a listener that acts when the first output comes."""
    done: list[object] = []

    def listen(_: str, __: bytes) -> None:
        if not done:
            done.append(None)
            action()

    return listen


@pytest.mark.parametrize("end", ["kill", "remove"])
def test_a_container_that_goes_away_makes_its_job_lost(
    workspace: Workspace, container: Container, end: str
) -> None:
    workspace.write("/a", "1")
    listener = once(
        lambda: (
            machine(container).kill() if end == "kill" else machine(container).remove(force=True)
        )
    )
    job = container.exec("echo half > half; echo x; sleep 30; echo never > never", stream=listener)
    assert (job.phase, job.exit_code) == ("lost", None)
    assert job.error is not None
    assert container.resume() == ()
    after = container.exec("cat a; test ! -e never")
    assert (after.exit_code, after.stdout) == (0, b"1")
    assert workspace.read_text("/a") == "1"


def test_what_is_pulled_later_needs_the_same_container(
    workspace: Workspace, open_container: OpenContainer, transport: str
) -> None:
    container = open_container(transport=transport, limits={"max_entries": 50})
    job = container.exec("mkdir m; for i in $(seq 80); do : > m/$i; done")
    assert job.phase == "pull_pending"
    machine(container).remove(force=True)
    (found,) = container.resume(job.id)
    assert (found.phase, found.exit_code) == ("lost", 0)


def test_after_a_restart_a_shared_mirror_still_has_what_was_not_pulled(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container(limits={"max_entries": 50})
    job = container.exec("mkdir m; for i in $(seq 80); do : > m/$i; done")
    machine(container).restart(timeout=0)
    machine(container).exec_run(["sh", "-c", "cd /workspace/m && rm 1* 2* 3* 4* 5*"])
    (found,) = container.resume(job.id)
    assert (found.phase, found.exit_code) == ("done", 0)
    assert workspace.exists("/m/80")


def test_a_command_that_never_started_is_not_started_by_resuming(
    workspace: Workspace, container: Container
) -> None:
    container.exec("true")
    attached = container._attach()
    number = _forge(workspace, container, phase="pushing")
    (job,) = container.resume(number)
    assert job.phase == "failed"
    process = docker_exec.prepare(
        container._daemon,
        attached.machine.id,
        ["touch", "ran"],
        mark="job-99",
        user=None,
        environment={},
        cwd="/workspace",
    )
    number = _forge(workspace, container, phase="pushing")
    rows.started(workspace.files, number, phase="running", process=process)
    (job,) = container.resume(number)
    assert job.phase == "failed"
    assert container.exec("test -e ran").exit_code == 1


def test_the_exit_code_outlives_the_daemons_memory(
    workspace: Workspace, container: Container
) -> None:
    container.exec("exit 7")
    number = _forge(workspace, container, phase="pushing")
    container._attach()
    docker_exec.answer(
        container._daemon,
        container._attach().machine.id,
        ["/bin/sh", "-c", f"echo 9 >/run/vshell/job-{number}; echo made > /workspace/made"],
    )
    rows.started(workspace.files, number, phase="running", process="0" * 64)
    (job,) = container.resume(number)
    assert (job.phase, job.exit_code) == ("done", 9)
    assert workspace.read_text("/made") == "made\n"


def test_the_job_of_a_living_process_is_left_alone(
    workspace: Workspace, container: Container
) -> None:
    container.exec("true")
    number = _forge(workspace, container, phase="running", by=owner().replace(":", ":", 1))
    host, _, rest = owner().partition(":")
    living = f"{host}:1:{_started_of_init()}"
    workspace.files.store.database.run("update job set owner = ?", (living,))
    assert is_alive(living)
    with pytest.raises(ConflictError, match="another process"):
        container.resume(number)
    assert container.resume() == ()
    assert rest


def test_a_job_of_another_container_is_not_ours(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    one, other = open_container(name="one"), open_container(name="other")
    number = one.exec("true").id
    with pytest.raises(NotFoundError, match="another container"):
        other.resume(number)
    assert other.jobs().jobs == ()
    assert [job.id for job in workspace.jobs().jobs] == [number]
    with pytest.raises(NotFoundError):
        workspace.job(99)


def _started_of_init() -> str:
    with open("/proc/1/stat") as told:
        return told.read().rpartition(")")[2].split()[19]


def _forge(
    workspace: Workspace, container: Container, *, phase: str, by: str = "nowhere:1:1"
) -> int:
    """Add a job as a process leaves it that died."""
    made = container._attach().machine
    own = owner().partition(":")[0]
    return rows.add(
        workspace.files,
        container=container.name,
        machine=made.id,
        started_as=made.started_as,
        command=("touch", "ran"),
        cwd="/",
        phase=phase,
        owner=by if by != "nowhere:1:1" else f"{own}:999999:1",
    )
