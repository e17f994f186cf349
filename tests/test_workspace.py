"""The handles that people import."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from vshell import Edit, State, Workspace
from vshell.errors import ClosedError, NotFoundError, ReadOnlyError, UnavailableError
from vshell.ops.catalog import OPERATIONS


def test_every_operation_of_the_catalogue_is_a_method() -> None:
    for operation in OPERATIONS:
        assert getattr(Workspace, operation.name) is operation.function


def test_a_workspace_keeps_what_was_written(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as ws:
        ws.write("/a", "1")
    with Workspace.open(tmp_path / "w.db", create=False) as ws:
        assert ws.read_text("/a") == "1"


def test_a_missing_workspace_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Workspace.open(tmp_path / "w.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_memory_workspace_is_gone_when_it_is_closed() -> None:
    ws = Workspace.memory()
    path = Path(ws.files.store.database.path)
    assert path.exists()
    ws.close()
    ws.close()
    assert not path.parent.exists()
    assert ws.closed
    with pytest.raises(ClosedError):
        ws.read("/a")


def test_a_read_only_workspace_is_read_and_not_changed(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as ws:
        ws.write("/a", "1")
    with Workspace.open(tmp_path / "w.db", read_only=True) as ws:
        assert ws.read_text("/a") == "1"
        with pytest.raises(ReadOnlyError):
            ws.write("/a", "2")


def test_the_quota_holds_for_later_openings_too(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db", quota_bytes=100) as ws:
        assert ws.usage().quota_bytes == 100
    with Workspace.open(tmp_path / "w.db") as ws:
        assert ws.usage().quota_bytes == 100
        ws.set_quota(None)
        ws.write("/a", "x" * 200)


def test_times_come_from_the_clock_that_was_given() -> None:
    ticks = iter(range(100, 10**6, 7))
    with Workspace.memory(now=lambda: next(ticks)) as ws:
        ws.write("/a", "1")
        assert ws.stat("/a").mtime_ns < 10**6


def test_a_session_has_its_own_directory_environment_and_name() -> None:
    with Workspace.memory() as ws:
        me = ws.session("me", cwd="/home", environment={"LANG": "C"})
        me.write("notes", "1")
        assert ws.read_text("/home/notes") == "1"
        assert (me.name, me.cwd, me.environment) == ("me", "/home", {"LANG": "C"})
        assert ws.changes().changes[-1].session == "me"


def test_a_transaction_is_done_or_undone_as_a_whole() -> None:
    with Workspace.memory() as ws:
        with ws.transaction():
            ws.write("/a", "1")
            ws.write("/b", "1")
        assert len({change.revision for change in ws.changes()}) == 1

        def fail() -> None:
            with ws.transaction():
                ws.write("/a", "2")
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert ws.read_text("/a") == "1"


def test_a_transaction_inside_another_can_be_undone_alone() -> None:
    with Workspace.memory() as ws, ws.transaction():
        ws.write("/a", "1")

        def fail() -> None:
            with ws.transaction():
                ws.write("/a", "2")
                ws.rm("/nowhere")

        with pytest.raises(NotFoundError):
            fail()
        assert ws.read_text("/a") == "1"


def test_threads_take_turns() -> None:
    with Workspace.memory() as ws:

        def work(name: str) -> None:
            for number in range(50):
                ws.write(f"/{name}/{number}", name)

        threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ws.usage().files == 200
        assert ws.check().ok


def test_edits_are_objects_or_mappings() -> None:
    with Workspace.memory() as ws:
        ws.write("/a", "one two")
        ws.edit("/a", [Edit("one", "1"), {"old": "two", "new": "2"}])
        assert ws.read_text("/a") == "1 2"


def test_the_scripting_api_is_the_workspaces_own() -> None:
    with Workspace.memory() as ws:
        assert isinstance(ws.state, State)
        ws.state.write_file("/a", "1")
        assert ws.state.readFile("/a") == ws.read_text("/a") == "1"


def test_an_unknown_tool_profile_is_unavailable() -> None:
    with Workspace.memory() as ws:
        assert {tool.name for tool in ws.tools("computer").tools} >= {"read", "edit", "grep"}
        with pytest.raises(UnavailableError, match="no such tool profile"):
            ws.tools("nobody's")
