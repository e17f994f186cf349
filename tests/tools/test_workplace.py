"""What adapters work in: paths as commands see them, and who closes what."""

from __future__ import annotations

from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import ClosedError, InvalidPathError, PermissionDeniedError, RangeError
from vshell.tools.executors import VirtualExecutor
from vshell.tools.file_modes import OWNER_READS, OWNER_WRITES, require_mode
from vshell.tools.workplace import Workplace


class Elsewhere(VirtualExecutor):
    """An executor whose commands see the workspace where a container has it."""

    root = "/workspace"


def test_paths_are_those_that_commands_see() -> None:
    with Workspace.memory() as workspace:
        session = workspace.session("agent", cwd="/dir")
        place = Workplace(session, session="unused", executor=Elsewhere(session))
        assert place.cwd == "/workspace/dir"
        assert place.inside("a.txt") == place.inside("/workspace/dir/./a.txt") == "/dir/a.txt"
        assert place.outside("/dir/a.txt") == "/workspace/dir/a.txt"
        for path in ("/etc/passwd", "/workspace/../etc", "/workspace2/a"):
            with pytest.raises(InvalidPathError):
                place.inside(path)
        place.write("/workspace/new/a.txt", "one\n")
        assert place.read("/workspace/new/a.txt") == b"one\n"
        assert workspace.changes().changes[-1].session == "agent"


def test_a_workspace_that_was_opened_by_its_path_is_closed(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "w.db", session="mine")
    place.write("/a.txt", "one")
    place.close()
    with pytest.raises(ClosedError):
        place.read("/a.txt")
    with Workspace.open(tmp_path / "w.db") as workspace:
        assert workspace.changes().changes[-1].session == "mine"
        Workplace(workspace, session="unused").close()
        assert workspace.read_text("/a.txt") == "one"


def test_an_unknown_executor_is_refused() -> None:
    with Workspace.memory() as workspace:
        with pytest.raises(RangeError, match="no executor 'remote'"):
            Workplace(workspace, session="", executor="remote")  # type: ignore[arg-type]
        with pytest.raises(RangeError, match="needs an image"):
            Workplace(workspace, session="", executor="container")


def test_modes_are_minded_where_a_harness_wants_it() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/a.txt", "x")
        workspace.mkdir("/dir", mode=0)
        workspace.chmod("/a.txt", 0o400)
        require_mode(workspace.files, "/a.txt", OWNER_READS)
        with pytest.raises(PermissionDeniedError, match="permission denied: shown"):
            require_mode(workspace.files, "/a.txt", OWNER_WRITES, told="shown")
        for path in ("/dir", "/absent"):
            require_mode(workspace.files, path, OWNER_WRITES)
