"""Commands in real containers, with the mirror as a directory of this host and inside."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.sync import daemon
from tests.sync.conftest import OpenContainer
from vshell import Workspace
from vshell.errors import (
    ClosedError,
    ConflictError,
    InvalidPathError,
    NotFoundError,
    RangeError,
    UnavailableError,
)
from vshell.sync.container import Container
from vshell.sync.container_memory import known_containers
from vshell.sync.container_opening import reopen_container
from vshell.sync.jobs import Phase

pytestmark = pytest.mark.docker


# What a job does.


def test_a_command_sees_the_workspace_and_its_changes_come_back(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/src/a.txt", "one\n")
    workspace.write("/old", "gone soon\n")
    workspace.symlink("a.txt", "/src/link")
    job = container.exec("cat src/link; echo two >> src/a.txt; mkdir new; rm old; ln -s x new/l")
    assert (job.phase, job.exit_code, job.stdout) == ("done", 0, b"one\n")
    assert workspace.read_text("/src/a.txt") == "one\ntwo\n"
    assert not workspace.exists("/old")
    assert workspace.readlink("/new/l") == "x"
    assert {change.path for change in job.pushed} == {"/src", "/src/a.txt", "/src/link", "/old"}
    assert {(change.path, change.action) for change in job.pulled} == {
        ("/src/a.txt", "write"),
        ("/old", "remove"),
        ("/new", "create"),
        ("/new/l", "create"),
    }
    assert not job.skipped
    assert not job.conflicts


def test_the_exit_code_and_both_streams_are_the_commands_own(container: Container) -> None:
    heard: list[tuple[str, bytes]] = []
    phases: list[Phase] = []
    job = container.exec(
        ["sh", "-c", "echo out; echo err >&2; exit 7"],
        stream=lambda stream, data: heard.append((stream, data)),
        on_phase=phases.append,
    )
    assert (job.exit_code, job.stdout, job.stderr) == (7, b"out\n", b"err\n")
    assert sorted(heard) == [("stderr", b"err\n"), ("stdout", b"out\n")]
    assert phases == ["pushing", "running", "pulling"]


def test_output_is_heard_while_the_command_runs(open_container: OpenContainer) -> None:
    container = open_container()
    heard = threading.Event()
    worker = threading.Thread(
        target=container.exec,
        args=("echo begun; while [ ! -e go ]; do sleep 0.02; done",),
        kwargs={"stream": lambda *_: heard.set()},
    )
    worker.start()
    assert heard.wait(20)
    other = open_container()
    assert other.exec("touch go").exit_code == 0
    worker.join(20)
    assert not worker.is_alive()


def test_a_mode_that_changes_alone_comes_back(workspace: Workspace, container: Container) -> None:
    workspace.write("/run.sh", "#!/bin/sh\necho ran\n")
    job = container.exec("chmod +x run.sh")
    assert workspace.stat("/run.sh").mode & 0o100
    assert [(change.path, change.action) for change in job.pulled] == [("/run.sh", "attributes")]
    assert container.exec("./run.sh").stdout == b"ran\n"
    workspace.chmod("/run.sh", 0o644)
    assert container.exec("test -x run.sh").exit_code == 1


def test_names_in_any_bytes_go_both_ways(workspace: Workspace, container: Container) -> None:
    names = ["-n", "a b", "new\nline", "tab\t", "ü", "\udcff\udc81", "*", "$(id)", "'", '"', "\\"]
    for name in names:
        workspace.write(f"/d/{name}", name.encode("utf-8", "surrogateescape"))
    job = container.exec('mkdir ed; for f in d/*; do cp -- "$f" "e$f"; done')
    assert job.exit_code == 0, job.stderr
    for name in names:
        expected = name.encode("utf-8", "surrogateescape")
        assert workspace.read_bytes(f"/ed/{name}") == expected


def test_a_large_output_is_cut_and_the_whole_of_it_is_a_file(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container(limits={"max_kept_bytes": 1000, "max_output_bytes": 50_000})
    job = container.exec("seq 9000; exit 3")
    assert job.exit_code == 3
    assert job.stdout.startswith(b"1\n2\n")
    assert job.stdout.endswith(b"\n9000\n")
    assert b"bytes are left out]" in job.stdout
    assert job.stdout_bytes == len("".join(f"{number}\n" for number in range(1, 9001)))
    assert job.stdout_path is not None
    assert workspace.read_bytes(job.stdout_path).startswith(b"1\n2\n3\n")
    assert job.output_complete
    again = container.exec("seq 90000")
    assert again.stdout_path is not None
    assert workspace.stat(again.stdout_path).size == 50_000
    assert not again.output_complete
    assert not container.exec("find . -path '*.vshell*' -name '*.stdout'").stdout


def test_a_command_that_takes_too_long_is_ended_with_its_children(container: Container) -> None:
    job = container.exec("echo kept > f; sleep 321 & sleep 321", timeout_s=0.3)
    assert (job.phase, job.timed_out) == ("done", True)
    assert job.exit_code == 137
    assert [change.path for change in job.pulled] == ["/f"]
    assert b"sleep 321" not in container.exec(
        "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    ).stdout.replace(b"cat /proc", b"")


def test_a_job_can_be_cancelled_from_another_thread(open_container: OpenContainer) -> None:
    container = open_container()
    container.exec("true")
    begun = threading.Event()
    found = []
    worker = threading.Thread(
        target=lambda: found.append(
            container.exec("echo 1 > a; echo x; sleep 100", stream=lambda *_: begun.set())
        )
    )
    worker.start()
    assert begun.wait(20)
    open_container().cancel(2)
    worker.join(20)
    (job,) = found
    assert (job.cancelled, job.timed_out, job.phase) == (True, False, "done")
    assert [change.path for change in job.pulled] == ["/a"]


def test_commands_run_where_and_as_they_are_told(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    workspace.mkdir("/sub")
    session = workspace.session("s", cwd="/sub", environment={"FROM": "session"})
    container = session.container(daemon.image(), env={"OF": "container"}, name="told")
    try:
        job = container.exec("pwd; echo $FROM $OF $MORE", env={"MORE": "more"})
        assert job.stdout == b"/workspace/sub\nsession container more\n"
        assert container.exec("pwd", cwd="/").stdout == b"/workspace\n"
        assert container.exec(["id", "-u"]).exit_code == 0
    finally:
        container.remove()


def test_another_user_works_on_a_mirror_inside(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    workspace.write("/a", "1")
    job = open_container(user="1000:1000").exec("id -u; echo more > b; cat a")
    assert job.stdout == b"1000\n1"
    assert workspace.read_text("/b") == "more\n"


def test_a_mount_is_read_only_unless_it_is_said(
    open_container: OpenContainer, tmp_path: Path
) -> None:
    (tmp_path / "given").write_text("from outside\n")
    container = open_container(mounts={"/given": str(tmp_path)})
    assert container.exec("cat /given/given; touch /given/new").stdout == b"from outside\n"
    assert not (tmp_path / "new").exists()
    writable = open_container(mounts={"/given": f"{tmp_path}:rw"})
    assert writable.exec("touch /given/new").exit_code == 0
    assert (tmp_path / "new").exists()


# What a container may not do.


def test_a_container_has_no_network_capabilities_or_new_privileges(container: Container) -> None:
    told = container.exec("cat /proc/self/status; ls /sys/class/net").stdout.decode()
    lines = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    assert {int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert lines["NoNewPrivs"] == "1"
    assert told.split()[-1] == "lo"


def test_memory_and_processes_are_bounded(open_container: OpenContainer) -> None:
    container = open_container(limits={"max_memory_bytes": 64 * 1024**2, "max_processes": 40})
    job = container.exec("head -c 300000000 /dev/zero | tail -c 200000000 > /dev/null")
    assert job.exit_code != 0
    fork = "i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done; wait"
    assert b"fork" in container.exec(fork, timeout_s=4).stderr


# Conflicts, caches, and what is left alone.


def test_what_both_sides_changed_is_a_conflict_and_nothing_is_lost(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/f", "base\n")
    container.exec("true")
    begun, go = threading.Event(), threading.Event()

    def listener(_: str, __: bytes) -> None:
        if not begun.is_set():
            begun.set()
            workspace.write("/f", "workspace\n")
            go.set()

    job = container.exec("echo container > f; echo x; sleep 0.3", stream=listener)
    assert go.is_set()
    assert [conflict.path for conflict in job.conflicts] == ["/f"]
    assert workspace.read_text("/f") == "workspace\n"
    theirs = job.conflicts[0].mirror
    assert theirs is not None
    assert workspace.files.read_hash(bytes.fromhex(theirs.hash)) == b"container\n"


def test_a_cache_stays_in_the_container_and_never_comes_back(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/node_modules/own", "of the workspace")
    job = container.exec("mkdir -p node_modules/p; echo x > node_modules/p/i; ls node_modules")
    assert job.stdout == b"p\n"
    assert not job.pulled
    assert container.exec("cat node_modules/p/i").stdout == b"x\n"
    assert [entry.name for entry in workspace.ls("/node_modules").entries] == ["own"]


def test_a_cache_under_a_lock_file_outlives_the_container(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    workspace.write("/lock", "version 1")
    cache = {"deps": "lock"}
    first = open_container(cache=cache)
    first.exec("echo built > deps/x")
    first.remove()
    second = open_container(cache=cache)
    assert second.exec("cat deps/x").stdout == b"built\n"
    workspace.write("/lock", "version 2")
    third = open_container(cache=cache)
    assert third.exec("ls deps").stdout == b""
    volumes = [*second._settings.volumes.values(), *third._settings.volumes.values()]
    second.remove()
    third.remove()
    for name in volumes:
        daemon.client().volumes.get(name).remove()


def test_setuid_and_what_is_no_file_stay_where_they_are(
    workspace: Workspace, container: Container
) -> None:
    job = container.exec("mkfifo pipe; touch s; chmod 6755 s; echo plain > f")
    assert {skipped.path for skipped in job.skipped} == {"/pipe"}
    assert workspace.stat("/s").mode == 0o755
    assert workspace.exists("/f")


# Containers come and go.


def test_a_container_is_found_again_with_its_state(open_container: OpenContainer) -> None:
    first = open_container()
    first.exec("echo here > /tmp/state")
    assert open_container().exec("cat /tmp/state").stdout == b"here\n"
    assert open_container(network=True).exec("cat /tmp/state").exit_code == 1


def test_other_settings_under_the_same_name_are_refused(open_container: OpenContainer) -> None:
    open_container(name="one").exec("true")
    with pytest.raises(ConflictError, match="other settings"):
        open_container(name="one", limits={"max_processes": 7}).exec("true")


def test_a_container_that_was_killed_between_jobs_is_started_again(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/a", "1")
    container.exec("echo 2 > b")
    daemon.client().containers.get(container._full_name).kill()
    job = container.exec("cat a b; echo 3 > c")
    assert job.stdout == b"12\n"
    assert {path for path in ("/a", "/b", "/c") if workspace.exists(path)} == {"/a", "/b", "/c"}


def test_a_container_that_was_removed_between_jobs_is_made_again(
    workspace: Workspace, container: Container
) -> None:
    workspace.write("/a", "1")
    container.exec("echo 2 > b; echo gone > /tmp/state")
    daemon.client().containers.get(container._full_name).remove(force=True)
    job = container.exec("cat a b; ls /tmp/state")
    assert job.stdout == b"12\n"
    assert not job.conflicts


def test_closed_it_refuses_and_stays(workspace: Workspace, open_container: OpenContainer) -> None:
    with workspace.container(daemon.image(), keep=True) as container:
        container.exec("echo 1 > /tmp/s")
    with pytest.raises(ClosedError):
        container.exec("true")
    assert open_container().exec("cat /tmp/s").stdout == b"1\n"


def test_of_a_workspace_in_memory_nothing_stays(workspace: Workspace) -> None:
    with workspace.container(daemon.image()) as container:
        container.exec("true")
        name = container._full_name
    assert name not in [found.name for found in daemon.client().containers.list(all=True)]
    assert known_containers(workspace.files) == ()


def test_by_its_name_a_container_is_reopened_but_never_made(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container(name="again")
    container.exec("echo 1 > a")
    with reopen_container(workspace.files, "again") as found:
        assert found.exec("cat a").stdout == b"1\n"
    daemon.client().containers.get(container._full_name).remove(force=True)
    with reopen_container(workspace.files, "again") as found, pytest.raises(UnavailableError):
        found.exec("true")
    with pytest.raises(NotFoundError):
        reopen_container(workspace.files, "never")


# What is wrong from the beginning.


def test_an_image_that_is_not_there_is_said_so(workspace: Workspace) -> None:
    with workspace.container("no-such-image:1") as container, pytest.raises(NotFoundError):
        container.exec("true")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mounts": {"/workspace/x": "/tmp"}}, InvalidPathError),
        ({"mounts": {"relative": "/tmp"}}, InvalidPathError),
        ({"mounts": {"/": "/tmp"}}, InvalidPathError),
        ({"name": "../x"}, InvalidPathError),
        ({"cache": {"../out": "lock"}}, InvalidPathError),
        ({"limits": {"max_cows": 1}}, RangeError),
        ({"limits": {"max_processes": 0}}, RangeError),
    ],
    ids=str,
)
def test_impossible_options_are_refused(
    workspace: Workspace, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        workspace.container(daemon.image(), **options)  # type: ignore[arg-type]
