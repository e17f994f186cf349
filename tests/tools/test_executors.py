"""Where adapters run commands: the virtual shell and a container give the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sync import daemon
from vshell import Workspace
from vshell.errors import InvalidPathError, IsDirectoryError, NotFoundError, RangeError
from vshell.tools.container_files import ContainerFiles
from vshell.tools.executors import (
    Executor,
    from_workspace,
    open_executor,
    to_workspace,
)


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        opened.write("/dir/a.txt", "one\n")
        yield opened


@pytest.fixture(
    scope="module", params=["virtual", pytest.param("container", marks=pytest.mark.docker)]
)
def executor(workspace: Workspace, request: pytest.FixtureRequest) -> Iterator[Executor]:
    image = daemon.image() if request.param == "container" else None
    opened = open_executor(workspace.session("exec"), request.param, image=image)
    yield opened
    opened.close()


def ran(executor: Executor, command: Any, **options: Any) -> tuple[bytes, bytes, int]:
    done = executor.command(command, **options).run()
    return done.stdout, done.stderr, done.exit_code


def test_a_command_is_a_script_or_words(executor: Executor) -> None:
    assert ran(executor, "echo one | wc -c; echo no >&2; exit 3") == (b"4\n", b"no\n", 3)
    assert ran(executor, ["printf", "%s.", "a b", "$HOME", "'"]) == (b"a b.$HOME.'.", b"", 0)


def test_a_command_has_a_directory_variables_and_input(executor: Executor) -> None:
    where = from_workspace(executor.root, "/dir")
    assert ran(executor, 'cat a.txt; echo "$A"', cwd=where, environment={"A": "x y"}) == (
        b"one\nx y\n",
        b"",
        0,
    )
    assert ran(executor, "cat a.txt", cwd="dir")[0] == b"one\n"
    data = bytes(range(256)) * 1000
    assert ran(executor, ["cat"], stdin=data)[0] == data


def test_input_leaves_nothing_behind(executor: Executor, workspace: Workspace) -> None:
    ran(executor, "cat > /dev/null", stdin=b"x")
    assert [entry.name for entry in workspace.ls("/").entries if "stdin" in entry.name] == []


def test_commands_forget_each_other(executor: Executor) -> None:
    ran(executor, "cd dir; X=1")
    assert ran(executor, 'ls -d dir; echo "[$X]"') == (b"dir\n[]\n", b"", 0)


def test_a_command_that_takes_too_long_is_ended(executor: Executor) -> None:
    done = executor.command("echo begun; sleep 60", timeout_s=1).run()
    assert done.timed_out
    assert done.stdout == b"begun\n"


def test_a_command_is_interrupted(executor: Executor) -> None:
    begun = threading.Event()
    command = executor.command("echo begun; sleep 60", on_output=lambda *_: begun.set())

    def end() -> None:
        begun.wait(30)
        command.interrupt()

    ender = threading.Thread(target=end)
    ender.start()
    done = command.run()
    ender.join()
    assert done.exit_code
    assert not done.timed_out


def test_one_that_is_interrupted_before_does_not_run(
    executor: Executor, workspace: Workspace
) -> None:
    command = executor.command("touch /late")
    command.interrupt()
    assert command.run().exit_code == 130
    assert not workspace.exists("/late")


@pytest.mark.docker
def test_files_of_a_container_are_reached() -> None:
    with Workspace.memory() as workspace:
        executor = open_executor(workspace, "container", image=daemon.image())
        files = ContainerFiles(executor)
        files.write("/tmp/new/a.bin", b"\0\xff")
        assert files.read("/tmp/new/a.bin") == b"\0\xff"
        assert files.size("/tmp/new/a.bin") == 2
        with pytest.raises(NotFoundError):
            files.read("/tmp/missing")
        with pytest.raises(IsDirectoryError):
            files.write("/tmp/new", b"")
        assert workspace.ls("/").entries == ()
        executor.close()


def test_what_is_no_executor_is_refused(workspace: Workspace) -> None:
    choice: Any = "cloud"
    with pytest.raises(RangeError, match="no executor 'cloud'"):
        open_executor(workspace, choice)
    with pytest.raises(RangeError, match="needs an image"):
        open_executor(workspace, "container")


def test_rules_hold_in_the_virtual_shell(workspace: Workspace) -> None:
    executor = open_executor(workspace, rules={"deny": ["rm"]})
    assert executor.command("rm /dir/a.txt").run().exit_code == 126


def test_paths_are_translated() -> None:
    assert to_workspace("/", "/a/../b") == "/a/../b"
    assert to_workspace("/workspace", "/workspace/a/b") == "/a/b"
    assert to_workspace("/workspace", "/workspace") == "/"
    assert to_workspace("/workspace", "a") == "a"
    assert from_workspace("/workspace", "/") == "/workspace"
    for path in ("/etc/passwd", "/workspace/../etc", "/workspaces"):
        with pytest.raises(InvalidPathError, match="outside of the workspace"):
            to_workspace("/workspace", path)
