"""A rename on one side and a change on the other go together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ops.forked_trees import conflicts, tree
from vshell import Workspace

# Renames.


@pytest.mark.parametrize("renamer", ["fork", "parent"])
def test_a_rename_and_a_change_go_together(
    ws: Workspace, forked: Callable[[], Workspace], renamer: str
) -> None:
    ws.write("/a", "1")
    ws.write("/d/b", "1")
    fork = forked()
    one, other = (fork, ws) if renamer == "fork" else (ws, fork)
    one.mv("/a", "/c")
    one.mv("/d", "/e")
    other.write("/a", "2")
    other.write("/d/b", "2")
    other.write("/d/new", "2")
    assert not fork.merge_into(ws).conflicts
    assert {path: found[2] for path, found in tree(ws).items()} == {
        "/c": b"2",
        "/e": b"",
        "/e/b": b"2",
        "/e/new": b"2",
    }


def test_a_rename_keeps_the_inode_for_the_merge_of_another_fork(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    one, other = forked(), forked()
    one.mv("/a", "/b")
    other.write("/a", "2")
    one.merge_into(ws)
    assert not other.merge_into(ws).conflicts
    assert {path: found[2] for path, found in tree(ws).items()} == {"/b": b"2"}


def test_what_a_merge_brought_is_known_when_it_is_renamed(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = forked()
    ws.write("/mine", "takes the next inode")
    fork.write("/new", "1")
    fork.merge_into(ws)
    ws.mv("/new", "/renamed")
    fork.write("/new", "2")
    assert not fork.merge_into(ws).conflicts
    assert ws.read_text("/renamed") == "2"
    assert not ws.exists("/new")


def test_different_new_names_conflict(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a", "1")
    ws.write("/d/b", "1")
    fork = forked()
    fork.mv("/a", "/fork")
    fork.mv("/d", "/dfork")
    fork.write("/dfork/b", "2")
    ws.mv("/a", "/parent")
    ws.mv("/d", "/dparent")
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/dparent", "renamed"), ("/parent", "renamed")]
        assert set(tree(ws)) == {"/parent", "/dparent", "/dparent/b"}
    assert ws.read_text("/dparent/b") == "2"
    fork.merge_into(ws, policy="theirs")
    assert tree(ws) == tree(fork)


def test_a_rename_to_a_place_that_is_taken_conflicts(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.mv("/a", "/b")
    ws.write("/b", "mine")
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/b", "taken")]
        assert {path: found[2] for path, found in tree(ws).items()} == {"/a": b"1", "/b": b"mine"}


def test_directories_that_moved_into_each_other_conflict(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a/x", "1")
    ws.write("/b/y", "1")
    fork = forked()
    fork.mv("/a", "/b/a")
    ws.mv("/b", "/a/b")
    before = tree(ws)
    for _ in range(2):
        assert [found.reason for found in fork.merge_into(ws).conflicts] == ["renamed"]
        assert tree(ws) == before
    fork.merge_into(ws, policy="theirs")
    assert tree(ws) == tree(fork)


def test_names_that_were_exchanged_arrive(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a/x", "1")
    ws.write("/b", "file")
    ws.write("/c/d/e", "1")
    fork = forked()
    fork.mv("/a", "/t")
    fork.mv("/b", "/a")
    fork.mv("/t", "/b")
    fork.mv("/c/d", "/t")
    fork.mv("/c", "/t/c")
    fork.mv("/t", "/c")
    assert not fork.merge_into(ws).conflicts
    assert tree(ws) == tree(fork)
    assert ws.check().ok


def test_a_file_that_became_a_directory_conflicts_with_a_change(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    ws.write("/same", "1")
    fork = forked()
    for path in ("/a", "/same"):
        fork.rm(path)
        fork.write(f"{path}/inside", "2")
    ws.write("/a", "3")
    for _ in range(2):
        found = conflicts(fork.merge_into(ws))
        assert {path for path, _ in found} == {"/a"}
        assert set(tree(ws)) == {"/a", "/same", "/same/inside"}
    fork.merge_into(ws, policy="theirs")
    assert tree(ws) == tree(fork)


def test_hard_links_arrive_as_such(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a", "1")
    ws.write("/b", "1")
    ws.link("/b", "/c")
    fork = forked()
    fork.link("/a", "/d")
    fork.rm("/c")
    fork.write("/new", "1")
    fork.link("/new", "/new2")
    ws.write("/a", "2")
    ws.write("/c", "2")
    assert not fork.merge_into(ws).conflicts
    found = tree(ws)
    assert found["/d"] == ("file", 0o644, b"2", ("/a", "/d"))
    assert found["/new"][3] == ("/new", "/new2")
    assert found["/b"][2:] == (b"2", ("/b",))
