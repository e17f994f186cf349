"""A change that names the version it is meant for is refused on any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from vshell import Session, Workspace
from vshell.errors import NotReadError, StaleError

Change = Callable[[Session, int], object]

CHANGES: dict[str, Change] = {
    "write": lambda ws, version: ws.write("/a", "new", expected_version=version),
    "append": lambda ws, version: ws.append("/a", "new", expected_version=version),
    "edit": lambda ws, version: ws.edit(
        "/a", [{"old": "two", "new": "2"}], expected_version=version
    ),
    "truncate": lambda ws, version: ws.truncate("/a", 1, expected_version=version),
    "chmod": lambda ws, version: ws.chmod("/a", 0o600, expected_version=version),
    "mv": lambda ws, version: ws.mv("/a", "/b", expected_version=version),
    "rm": lambda ws, version: ws.rm("/a", expected_version=version),
}


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_stale_version_is_refused_and_changes_nothing(ws: Workspace, change: Change) -> None:
    seen = ws.write("/a", "one").version
    actual = ws.write("/a", "two").version
    with pytest.raises(StaleError) as caught:
        change(ws, seen)
    assert caught.value.data == {"expected": seen, "actual": actual}
    assert ws.read_text("/a") == "two"
    assert ws.files.revision() == actual


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_version_that_is_there_is_accepted(ws: Workspace, change: Change) -> None:
    change(ws, ws.write("/a", "two").version)
    assert ws.files.revision() == 2


def test_version_zero_means_that_nothing_may_be_there(ws: Workspace) -> None:
    ws.write("/a", "1", expected_version=0)
    with pytest.raises(StaleError):
        ws.write("/a", "2", expected_version=0)
    ws.append("/b", "1", expected_version=0)


def test_a_session_that_must_read_first_cannot_change_what_it_has_not_read(ws: Workspace) -> None:
    ws.write("/a", "one")
    me = ws.session("me", require_read=True)
    with pytest.raises(NotReadError):
        me.write("/a", "mine")
    me.read("/a")
    me.write("/a", "mine")
    me.write("/a", "mine again")
    ws.write("/a", "yours")
    with pytest.raises(StaleError):
        me.edit("/a", [{"old": "yours", "new": "mine"}])
    me.write("/new", "needs no reading")


def test_history_follows_renames_of_a_file_and_of_its_directories(ws: Workspace) -> None:
    ws.write("/old/a", "1")
    ws.mv("/old/a", "/old/b")
    ws.write("/old/b", "2")
    ws.mv("/old", "/new")
    ws.write("/new/b", "3")
    ws.write("/old/b", "another file")
    found = ws.history("/new/b")
    assert [(change.path, change.action) for change in found] == [
        ("/new/b", "write"),
        ("/old/b", "write"),
        ("/old/b", "rename"),
        ("/old/a", "create"),
    ]
    assert len(ws.history("/new/b", follow_renames=False)) == 1
    assert [change.action for change in ws.history("/new/b", limit=1, offset=2)] == ["rename"]
