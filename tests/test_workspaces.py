"""One workspace for each agent, whatever the agent is called."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell import Workspaces
from vshell.errors import (
    ClosedError,
    ExistsError,
    InvalidPathError,
    NotFoundError,
    QuotaExceededError,
    RangeError,
)
from vshell.workspaces import _decode, _encode

STRANGE = [
    "",
    ".",
    "..",
    "../up",
    "a/b",
    "/",
    "A",
    "a",
    "%41",
    "~a",
    "con",
    "a.db",
    "é😀",
    "x" * 500,
]


@pytest.fixture
def agents(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "agents")


def test_any_text_is_the_id_of_its_own_workspace(agents: Workspaces, tmp_path: Path) -> None:
    for agent in STRANGE:
        agents.open(agent).write("/id", agent)
    assert agents.ids() == sorted(STRANGE)
    for agent in STRANGE:
        assert agents.open(agent).read_text("/id") == agent
        assert agent in agents
    agents.close()
    assert [path.name for path in tmp_path.iterdir()] == ["agents"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_file_name_stands_for_one_id(agent: str) -> None:
    name = _encode(agent)
    assert name.isascii()
    assert name == name.lower()
    assert not set(name) & set("/.\\: ")
    if not name.startswith("~"):
        assert _decode(name) == agent


def test_an_id_that_stands_for_no_bytes_is_refused(agents: Workspaces) -> None:
    with pytest.raises(InvalidPathError):
        agents.open("\ud800")


def test_the_same_workspace_is_returned_while_it_is_open(agents: Workspaces) -> None:
    one = agents.open("a")
    assert agents.open("a") is one
    one.close()
    assert agents.open("a") is not one


def test_a_bounded_number_stays_open(tmp_path: Path) -> None:
    with Workspaces(tmp_path, max_open=2) as agents:
        held = agents.open("held")
        for number in range(10):
            agents.open(f"agent{number}").write("/n", str(number))
        gc.collect()
        assert len(agents._alive) == 3
        assert agents.open("held") is held
        assert agents.open("agent3").read_text("/n") == "3"


def test_an_agent_without_a_workspace_is_not_found(agents: Workspaces) -> None:
    for attempt in (lambda: agents.open("a", create=False), lambda: agents.delete("a")):
        with pytest.raises(NotFoundError, match="no workspace"):
            attempt()
    assert agents.ids() == []


def test_a_deleted_workspace_is_gone_with_all_its_files(agents: Workspaces, tmp_path: Path) -> None:
    workspace = agents.open("a")
    workspace.write("/a", "1")
    agents.delete("a")
    assert list((tmp_path / "agents").iterdir()) == []
    with pytest.raises(ClosedError):
        workspace.read("/a")
    assert not agents.open("a").exists("/a")


@pytest.mark.parametrize("target", ["b", "b" * 400])
def test_a_fork_is_an_agent_of_its_own(agents: Workspaces, target: str) -> None:
    agents.open("a").write("/a", "1")
    with agents.fork("a", target) as fork:
        fork.write("/a", "2")
        assert agents.open("a").read_text("/a") == "1"
        assert agents.ids() == ["a", target]
        with pytest.raises(ExistsError):
            agents.fork("a", target)
    with pytest.raises(NotFoundError):
        agents.fork("nobody", "c")
    assert "c" not in agents


@pytest.mark.parametrize("target", ["b", "b" * 400])
def test_the_fork_of_an_agent_merges_back(agents: Workspaces, target: str) -> None:
    parent = agents.open("a")
    parent.write("/a", "1")
    parent.write("/a", "2")
    fork = agents.fork("a", target, at=1)
    assert fork.read_text("/a") == "1"
    fork.write("/b", "new")
    assert fork.merge_into(parent).conflicts_total == 0
    assert parent.read_text("/b") == "new"
    with pytest.raises(NotFoundError):
        agents.fork("a", "c", at="no such moment")
    assert "c" not in agents


def test_settings_hold_for_every_workspace(tmp_path: Path) -> None:
    with Workspaces(tmp_path, quota_bytes=10, durability="power", now=lambda: 7) as agents:
        agents.open("a").write("/a", "1")
        assert agents.open("a").stat("/a").mtime_ns == 7
        with pytest.raises(QuotaExceededError):
            agents.open("a").write("/b", "x" * 10)
    with pytest.raises(RangeError):
        Workspaces(tmp_path, max_open=-1)


def test_the_directory_is_for_its_owner_alone(agents: Workspaces, tmp_path: Path) -> None:
    agents.open("a")
    assert (tmp_path / "agents").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "agents").iterdir())
