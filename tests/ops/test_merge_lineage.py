"""Who may merge with whom, how often, and what each knows of the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ops.forked_trees import NUMBERED, tree
from vshell import Workspace
from vshell.errors import (
    ConflictError,
    NotFoundError,
    QuotaExceededError,
    RangeError,
    ReadOnlyError,
)

# Who may merge with whom.


def test_strangers_are_refused(ws: Workspace, tmp_path: Path) -> None:
    with (
        Workspace.memory() as stranger,
        ws.fork(tmp_path / "a.db") as fork,
        fork.fork(tmp_path / "b.db") as grandchild,
    ):
        for one, other in ((stranger, ws), (ws, fork), (fork, stranger), (grandchild, ws)):
            with pytest.raises(ConflictError, match="fork") as caught:
                one.merge_into(other)
            assert "base=" in (caught.value.hint or "")
        with pytest.raises(ConflictError, match="itself"):
            ws.merge_into(ws)
        grandchild.write("/a", "1")
        grandchild.merge_into(fork)
        fork.merge_into(ws)
        assert ws.read_text("/a") == "1"


def test_a_workspace_that_is_open_twice_is_not_merged_into_itself(tmp_path: Path) -> None:
    with (
        Workspace.open(tmp_path / "a.db") as one,
        Workspace.open(tmp_path / "a.db") as other,
        pytest.raises(ConflictError, match="itself"),
    ):
        one.merge_into(other)


def test_an_unknown_policy_is_refused(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    with pytest.raises(RangeError, match="safe, markers"):
        forked().merge_into(ws, policy="mine")  # type: ignore[arg-type]


def test_a_copy_from_before_the_fork_is_refused(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", "1")
    ws.fork(tmp_path / "unused.db").close()
    ws.files.copy_database(str(tmp_path / "old.db"))
    ws.write("/a", "2")
    with (
        ws.fork(tmp_path / "fork.db") as fork,
        Workspace.open(tmp_path / "old.db") as old,
        pytest.raises(ConflictError, match="before"),
    ):
        fork.merge_into(old)


def test_a_snapshot_that_both_have_can_be_the_base(ws: Workspace) -> None:
    with Workspace.memory() as other:
        for side, names in ((ws, "abcd"), (other, "dcba")):
            for name in names:
                side.write(f"/d/{name}", "1\n2\n3\n")
            side.snapshot("start")
        ws.write("/d/a", "0\n1\n2\n3\n")
        other.write("/d/a", "1\n2\n3\n4\n")
        other.mv("/d", "/e")
        assert not other.merge_into(ws, base="start").conflicts
        assert ws.read_text("/e/a") == "0\n1\n2\n3\n4\n"
        assert other.merge_into(ws, base="start").changed == ()


def test_a_base_must_be_the_same_in_both(ws: Workspace) -> None:
    with Workspace.memory() as other:
        ws.snapshot("one")
        with pytest.raises(NotFoundError, match="fork has no"):
            other.merge_into(ws, base="one")
        other.write("/a", "1")
        other.snapshot("one")
        with pytest.raises(ConflictError, match="not the same"):
            other.merge_into(ws, base="one")


def test_a_fork_of_an_earlier_moment_merges_from_there(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", NUMBERED)
    ws.write("/gone", "1")
    ws.snapshot("then")
    ws.rm("/gone")
    ws.write("/a", NUMBERED.replace("1\n", "one\n"))
    ws.write("/later", "1")
    with ws.fork(tmp_path / "then.db", at="then") as fork:
        fork.write("/a", NUMBERED.replace("9\n", "nine\n"))
        fork.write("/new", "1")
        assert not fork.merge_into(ws).conflicts
    assert set(tree(ws)) == {"/a", "/later", "/new"}
    assert ws.read_text("/a") == NUMBERED.replace("1\n", "one\n").replace("9\n", "nine\n")


def test_a_collection_keeps_what_a_merge_needs(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", NUMBERED)
    fork = forked()
    fork.write("/a", NUMBERED.replace("9\n", "nine\n"))
    ws.write("/a", NUMBERED.replace("1\n", "one\n"))
    for side in (ws, fork):
        side.gc(keep_revisions=0)
        side.vacuum()
    assert not fork.merge_into(ws).conflicts
    assert ws.read_text("/a").startswith("one\n")
    assert fork.snapshots() == ()


def test_a_read_only_fork_can_be_merged(ws: Workspace, tmp_path: Path) -> None:
    with ws.fork(tmp_path / "fork.db") as fork:
        fork.write("/a", "1")
    with Workspace.open(tmp_path / "fork.db", read_only=True) as fork:
        fork.merge_into(ws)
        assert fork.merge_into(ws).changed == ()
        with pytest.raises(ReadOnlyError):
            ws.fork(tmp_path / "again.db").merge_into(fork)
    assert ws.read_text("/a") == "1"


def test_a_fork_of_a_workspace_that_cannot_note_it_needs_a_base(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "ws.db") as ws:
        ws.write("/a", "1")
        ws.snapshot("start")
    with (
        Workspace.open(tmp_path / "ws.db", read_only=True) as ws,
        ws.fork(tmp_path / "fork.db") as fork,
    ):
        fork.write("/a", "2")
    with (
        Workspace.open(tmp_path / "ws.db") as ws,
        Workspace.open(tmp_path / "fork.db") as fork,
    ):
        with pytest.raises(ConflictError, match="not known"):
            fork.merge_into(ws)
        fork.merge_into(ws, base="start")
        assert ws.read_text("/a") == "2"


def test_forks_merge_at_the_same_time(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    forks = [forked() for _ in range(4)]
    for number, fork in enumerate(forks):
        fork.write(f"/{number}", "1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda fork: fork.merge_into(ws), forks))
    assert set(tree(ws)) == {"/0", "/1", "/2", "/3"}


def test_what_does_not_fit_is_not_merged(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    fork = forked()
    fork.write("/a", "x" * 1000)
    ws.set_quota(100)
    with pytest.raises(QuotaExceededError):
        fork.merge_into(ws)
    assert tree(ws) == {}
    ws.set_quota(None)
    fork.merge_into(ws)
    assert ws.exists("/a")
