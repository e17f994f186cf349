"""A mirror inside an image without GNU's programs: BusyBox lists, packs and unpacks."""

from __future__ import annotations

import pytest

from tests.sync import daemon
from tests.sync.conftest import OpenContainer
from vshell import Workspace
from vshell.errors import ConflictError, UnavailableError
from vshell.sync.container import Container

pytestmark = pytest.mark.docker


@pytest.fixture
def plain(workspace: Workspace, open_container: OpenContainer) -> Container:
    return open_container(image=daemon.plain_image(), transport="stream")


def test_the_image_has_no_gnu_programs(plain: Container) -> None:
    job = plain.exec("find --version; tar --version | grep GNU; stat --version")
    assert b"GNU" not in job.stdout
    assert plain.mirror._target._loop.tools == "plain"  # type: ignore[attr-defined]


def test_what_is_sent_arrives_and_what_is_made_comes_back(
    workspace: Workspace, plain: Container
) -> None:
    names = ["/plain", "/d/with space", "/d/e/line\nbreak", "/d/é", "/d/" + "n" * 200, "/x ."]
    for number, name in enumerate(names):
        workspace.write(name, bytes([number]) * (number * 1000), parents=True)
    workspace.write("/bytes\udcff", b"odd")
    workspace.write("/run.sh", "#!/bin/sh\necho ran\n")
    workspace.chmod("/run.sh", 0o755)
    workspace.symlink("plain", "/link")
    workspace.mkdir("/empty")
    job = plain.exec("./run.sh; find . | wc -l; echo new >'d/new'; rm plain; ln -sf /etc link")
    assert job.stdout == b"ran\n14\n", job.stdout
    assert {(change.path, change.action) for change in job.pulled} == {
        ("/d/new", "create"),
        ("/plain", "remove"),
        ("/link", "write"),
    }
    assert workspace.read_text("/d/new") == "new\n"
    assert workspace.readlink("/link") == "/etc"
    assert plain.sync().pushed_total == plain.sync().pulled_total == 0
    for number, name in enumerate(names[1:], 1):
        assert workspace.read_bytes(name) == bytes([number]) * (number * 1000)


def test_modes_times_removals_and_kinds_travel(workspace: Workspace, plain: Container) -> None:
    workspace.write("/d/f", "f", parents=True)
    workspace.write("/t", "t")
    plain.push()
    workspace.chmod("/t", 0o700)
    with workspace.files.transaction():
        workspace.files.utime("/t", 1_600_000_000_500_000_000)
    workspace.rm("/d", recursive=True)
    workspace.write("/d", "a file now")
    job = plain.exec("stat -c '%a %Y' t; cat d; rm d; mkdir d; : >d/g; chmod 600 t")
    assert job.stdout == b"700 1600000000\na file now"
    assert workspace.stat("/d/g").size == 0
    assert workspace.stat("/t").mode == 0o600
    assert plain.sync().pushed_total == 0


def test_a_second_change_in_the_same_second_is_found(
    workspace: Workspace, plain: Container
) -> None:
    workspace.write("/f", "0")
    for number in range(1, 4):
        plain.exec(f"echo {number} > f")
        assert workspace.read_text("/f") == f"{number}\n"


def test_only_one_synchronises_at_a_time(workspace: Workspace, plain: Container) -> None:
    plain.exec("true")
    attached = plain._attach()
    other = attached.target(plain._daemon, max_file_bytes=100)
    target = plain.mirror._target
    busy = pytest.raises(ConflictError, match="another synchronisation")
    with target.lock(0), busy, other.lock(0):
        pass
    with other.lock(0):
        pass
    other.close()


def test_the_lock_of_a_shell_that_was_killed_is_free(
    workspace: Workspace, plain: Container
) -> None:
    plain.exec("true")
    other = plain._attach().target(plain._daemon, max_file_bytes=100)
    with pytest.raises(UnavailableError), other.lock(0):
        other._loop.ask("kill -9 $$")  # type: ignore[attr-defined]
    other.close()
    with plain.mirror._target.lock(5):
        pass


def test_an_image_without_the_programs_is_named_as_such(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container(transport="stream")
    attached = container._attach()
    machine = daemon.client().containers.get(attached.machine.id)
    machine.exec_run(["sh", "-c", "rm -f /usr/bin/find /bin/find"], user="root")
    with pytest.raises(UnavailableError, match="no find, tar, stat and xargs") as caught:
        container.push()
    assert "Alpine" in str(caught.value.hint)
