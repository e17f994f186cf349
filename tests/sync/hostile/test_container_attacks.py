"""A container that is out to harm its host, with its mirror shared and inside.

Everything here runs as root in a real container. A canary outside the mirror says whether
anything of the host was read or written.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sync import daemon
from tests.sync.conftest import OpenContainer
from vshell import Workspace
from vshell.errors import ConflictError, VshellError
from vshell.sync.container import Container

pytestmark = pytest.mark.docker

SECRET = "secret of the host"


@dataclass
class Canary:
    """A directory of the host that no container may reach."""

    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "f"

    def require_untouched(self, workspace: Workspace) -> None:
        assert sorted(os.listdir(self.directory)) == ["f"]
        assert self.file.read_text() == SECRET
        assert stat.S_IMODE(self.file.stat().st_mode) == 0o640
        assert not workspace.grep(SECRET, literal=True).matches


@pytest.fixture
def canary(tmp_path: Path, workspace: Workspace) -> Iterator[Canary]:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text(SECRET)
    (outside / "f").chmod(0o640)
    made = Canary(outside)
    yield made
    made.require_untouched(workspace)


def mirror_root(container: Container) -> Path:
    """Return where a shared mirror is on this host."""
    attached = container._attach()
    assert attached.mirror is not None
    return Path(attached.mirror.root)


# Links.


@pytest.mark.parametrize("form", ["{0}/f", "../../../../../../..{0}/f", "{0}", "f/../{0}/f"])
def test_a_planted_link_is_text_and_is_never_written_through(
    workspace: Workspace, container: Container, canary: Canary, form: str
) -> None:
    target = form.format(canary.directory)
    workspace.write("/f", "mine\n")
    container.exec("true")
    job = container.exec(["ln", "-sf", "--no-dereference", target, "f"])
    assert job.exit_code == 0
    assert workspace.readlink("/f") == target
    workspace.rm("/f")
    workspace.write("/f", "mine again\n")
    job = container.exec("cat f; test -L f")
    assert (job.stdout, job.exit_code) == (b"mine again\n", 1)


def test_a_directory_that_became_a_link_is_not_entered(
    workspace: Workspace, container: Container, canary: Canary
) -> None:
    workspace.write("/d/f", "mine\n")
    container.exec("true")
    script = f"rm -r d && ln -s {canary.directory} d"
    mark = threading.Event()

    def change(*_: object) -> None:
        if not mark.is_set():
            mark.set()
            workspace.write("/d/f", "changed meanwhile\n")
            workspace.write("/d/g", "new meanwhile\n")

    job = container.exec(f"{script}; echo done; sleep 0.2", stream=change)
    assert mark.is_set()
    assert job.phase == "done"
    assert workspace.read_text("/d/f") == "changed meanwhile\n"
    with suppress(VshellError):  # the link may be in the way, which is said
        container.exec("true")
    assert workspace.read_text("/d/g") == "new meanwhile\n"


def test_a_directory_that_is_swapped_all_the_time_leads_nowhere(
    workspace: Workspace, container: Container, canary: Canary
) -> None:
    workspace.write("/d/f", "mine\n")
    container.exec(
        f"(while :; do mv d e; ln -s {canary.directory} d; rm d; mv e d; done) >/dev/null 2>&1 &"
    )
    for number in range(25):
        with suppress(VshellError):
            workspace.write("/d/f", f"mine {number}\n", parents=True)
            container.sync()
        canary.require_untouched(workspace)
    daemon.client().containers.get(container._full_name).kill()


def test_loops_and_a_link_to_itself_are_text(workspace: Workspace, container: Container) -> None:
    job = container.exec("ln -s . here; ln -s loop loop; mkdir -p a/b; ln -s ../.. a/b/up")
    assert {change.path for change in job.pulled} == {"/here", "/loop", "/a", "/a/b", "/a/b/up"}
    assert workspace.readlink("/loop") == "loop"


def test_another_name_of_a_file_keeps_what_it_had(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/a", "one\n")
    container.exec("ln a b; ln a /workspace/c")
    workspace.write("/a", "two\n")
    job = container.exec("cat a b c")
    assert job.stdout == b"two\none\none\n"


# What is no file.


def test_what_is_no_file_is_skipped_and_blocks_nothing(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container()
    workspace.write("/plain", "1")
    container.exec("true")
    root = mirror_root(container)
    os.mkfifo(root / "pipe")
    os.mkfifo(root / "plain.pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket"))
        with suppress(PermissionError):
            os.mknod(root / "disk", stat.S_IFBLK | 0o666, os.makedev(1, 0))
            os.mknod(root / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        job = container.exec("echo 2 > plain", timeout_s=30)
    assert {"/pipe", "/plain.pipe", "/socket"} <= {skipped.path for skipped in job.skipped}
    assert workspace.read_text("/plain") == "2\n"
    assert {entry.name for entry in workspace.ls("/").entries} == {"plain"}


def test_a_container_can_make_no_device(container: Container) -> None:
    job = container.exec("mknod disk b 1 0 || mknod null c 1 3")
    assert job.exit_code != 0
    assert not job.pulled


def test_a_file_that_becomes_a_pipe_meanwhile_blocks_nothing(
    workspace: Workspace, container: Container
) -> None:
    container.exec(
        "(while :; do rm -f x; mkfifo x; rm -f x; echo text > x; done) >/dev/null 2>&1 &"
    )
    for _ in range(15):
        container.pull()
        if workspace.exists("/x"):
            assert workspace.read_text("/x") in ("text\n", "")
    daemon.client().containers.get(container._full_name).kill()


# Sizes and numbers.


def test_a_sparse_file_of_a_tebibyte_is_skipped(workspace: Workspace, container: Container) -> None:
    job = container.exec("truncate -s 1T big && echo 1 > small", timeout_s=60)
    assert (job.exit_code, job.phase) == (0, "done"), job.stderr
    assert [(skipped.path, "too large" in skipped.reason) for skipped in job.skipped] == [
        ("/big", True)
    ]
    assert workspace.read_text("/small") == "1\n"


def test_more_entries_than_allowed_stay_outside_until_they_are_fewer(
    workspace: Workspace, open_container: OpenContainer, transport: str
) -> None:
    container = open_container(transport=transport, limits={"max_entries": 500})
    job = container.exec(
        "mkdir m; i=0; while [ $i -lt 700 ]; do : > m/$i; i=$((i+1)); done; exit 4"
    )
    assert (job.phase, job.exit_code) == ("pull_pending", 4)
    assert job.error is not None
    assert "500" in job.error
    assert not workspace.exists("/m")
    container._run()  # still the same container
    script = ["sh", "-c", "rm -rf /workspace/m; echo left > /workspace/left"]
    daemon.client().containers.get(container._full_name).exec_run(script)
    (again,) = container.resume(job.id)
    assert (again.phase, again.exit_code) == ("done", 4)
    assert workspace.read_text("/left") == "left\n"


def test_a_mirror_that_is_full_starts_no_command(
    workspace: Workspace, open_container: OpenContainer, transport: str
) -> None:
    workspace.write("/large", os.urandom(3_000_000))
    container = open_container(transport=transport, limits={"max_mirror_bytes": 1_000_000})
    with pytest.raises(VshellError):
        container.exec("echo never > /tmp/ran")
    (job,) = container.jobs().jobs
    assert (job.phase, job.exit_code) == ("failed", None)
    workspace.write("/large", b"small now")
    job = container.exec("cat large; test -e /tmp/ran")
    assert (job.stdout, job.exit_code) == (b"small now", 1)


def test_a_command_that_fills_the_mirror_loses_nothing_of_the_workspace(
    workspace: Workspace, open_container: OpenContainer, transport: str
) -> None:
    workspace.write("/a", "1")
    container = open_container(transport=transport, limits={"max_mirror_bytes": 2_000_000})
    job = container.exec("head -c 9000000 /dev/zero > full; echo more > b; rm full; echo c > c")
    assert job.phase == "done"
    assert workspace.read_text("/a") == "1"
    assert workspace.read_text("/c") == "c\n"


# Flips, rights, and a mirror that goes away.


def test_kinds_that_flip_all_the_time_leave_a_whole_workspace(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/x", "file\n")
    container.exec(
        "(while :; do rm -rf x; mkdir x; echo in > x/y; rm -rf x; ln -s y x; rm -f x; echo file > x;"
        " done) >/dev/null 2>&1 &"
    )
    for _ in range(15):
        with suppress(VshellError):
            container.pull()
        assert workspace.check().ok
    container.cancel(1)
    daemon.client().containers.get(container._full_name).kill()


def test_without_any_rights_it_is_still_read_and_written(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/d/f", "1")
    job = container.exec("echo 2 > d/f; echo new > d/n; chmod 000 d/f d")
    assert job.phase == "done"
    assert workspace.read_text("/d/f") in ("1", "2\n")
    container.exec("chmod 700 d; chmod 600 d/f")
    assert workspace.read_text("/d/f") == "2\n"
    assert workspace.read_text("/d/n") == "new\n"


def test_an_emptied_mirror_empties_no_workspace(workspace: Workspace, container: Container) -> None:
    for name in "abc":
        workspace.write(f"/{name}", name)
    container.exec("true")
    job = container.exec("find . -mindepth 1 -delete; exit 5")
    assert (job.phase, job.exit_code) == ("pull_pending", 5)
    assert len(workspace.ls("/").entries) == 3
    container.pull(allow_emptied=True)
    assert not [entry for entry in workspace.ls("/").entries if entry.name in "abc"]


def test_a_replaced_mirror_is_noticed(workspace: Workspace, open_container: OpenContainer) -> None:
    workspace.write("/a", "1")
    container = open_container()
    container.exec("true")
    root = mirror_root(container)
    os.removexattr(root, "user.vshell.root")
    with pytest.raises(ConflictError, match="lost its mark"):
        container.sync()
    with pytest.raises(ConflictError):
        container.exec("true")
    assert workspace.read_text("/a") == "1"


# Two at once, and writing during the pull.


def test_two_at_once_lose_nothing(workspace: Workspace, open_container: OpenContainer) -> None:
    first, second = open_container(name="shared"), open_container(name="shared")
    first.exec("true")
    failures: list[BaseException] = []

    def work(container: Container, name: str) -> None:
        try:
            for number in range(6):
                workspace.write(f"/in-{name}-{number}", name)
                assert container.exec(
                    f"cat in-{name}-{number}; echo {name} > out-{name}-{number}"
                ).stdout
        except BaseException as error:  # noqa: BLE001 - shown by the other thread
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=(first, "x")),
        threading.Thread(target=work, args=(second, "y")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    first.sync()
    names = {entry.name for entry in workspace.ls("/").entries}
    assert {f"{way}-{who}-{n}" for way in ("in", "out") for who in "xy" for n in range(6)} <= names
    assert not first.conflicts()


def test_what_is_written_during_the_pull_comes_with_the_next(
    workspace: Workspace, container: Container
) -> None:
    container.exec("(while :; do echo line >> log; done) >/dev/null 2>&1 &")
    for _ in range(5):
        container.pull()
    daemon.client().containers.get(container._full_name).pause()
    daemon.client().containers.get(container._full_name).unpause()
    container.cancel(1)
    stop = "for p in /proc/[0-9]*; do [ ${p#/proc/} -gt 1 ] && [ ${p#/proc/} != $$ ] && kill -9 ${p#/proc/}; done; true"
    daemon.client().containers.get(container._full_name).exec_run(["sh", "-c", stop])
    told = container.exec("cat log").stdout_bytes
    assert workspace.stat("/log").size == told
    assert set(workspace.read_text("/log").splitlines()) == {"line"}
