"""Merging a fork back: what arrives, what conflicts, and what is never lost."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.forked_trees import NUMBERED, Tree, conflicts, tree
from vshell import Workspace
from vshell.errors import (
    ConflictError,
    VshellError,
)
from vshell.ops.merge import Policy

# What one side did.


def test_what_only_the_fork_did_arrives(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/d/changed", "old")
    ws.write("/removed", "x")
    ws.write("/mode", "x")
    ws.symlink("one", "/link")
    fork = forked()
    fork.write("/d/changed", "new")
    fork.rm("/removed")
    fork.chmod("/mode", 0o755)
    fork.rm("/link")
    fork.symlink("two", "/link")
    fork.write("/e/f/new", b"\0binary" * 100_000)
    result = fork.merge_into(ws)
    assert not result.conflicts
    assert tree(ws) == tree(fork)
    assert {(change.path, change.action) for change in result.changed} >= {
        ("/d/changed", "modify"),
        ("/removed", "delete"),
        ("/mode", "mode"),
        ("/e/f/new", "create"),
    }


def test_what_only_the_parent_did_stays(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a", "old")
    fork = forked()
    ws.write("/a", "new")
    ws.write("/b", "new")
    before = tree(ws)
    assert fork.merge_into(ws).changed == ()
    assert tree(ws) == before


def test_times_of_files_arrive(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a", "x")
    fork = forked()
    fork.utime("/a", mtime_ns=123)
    fork.write("/b", "x")
    fork.utime("/b", mtime_ns=456)
    fork.merge_into(ws)
    assert (ws.stat("/a").mtime_ns, ws.stat("/b").mtime_ns) == (123, 456)


def test_the_same_change_on_both_sides_is_no_conflict(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "old")
    ws.write("/gone", "x")
    fork = forked()
    for side in (ws, fork):
        side.write("/a", "new")
        side.write("/d/b", "new")
        side.rm("/gone")
        side.mv("/a", "/c")
    result = fork.merge_into(ws)
    assert (result.changed, result.conflicts) == ((), ())


def test_a_merge_is_one_change_under_the_name_that_was_given(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = forked()
    fork.write("/a", "1")
    fork.write("/d/b", "2")
    revision = ws.files.revision()
    result = fork.merge_into(ws, name="bob")
    rows = ws.changes(revision).changes
    assert {(row.revision, row.session, row.operation) for row in rows} == {
        (revision + 1, "bob", "merge")
    }
    assert result.revision == revision + 1


def test_undo_takes_a_merge_back_and_the_next_merge_brings_it_again(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.write("/a", "2")
    fork.mv("/a", "/b")
    fork.write("/c", "3")
    before = tree(ws)
    fork.merge_into(ws)
    ws.undo()
    assert tree(ws) == before
    fork.merge_into(ws)
    assert tree(ws) == tree(fork)
    ws.undo()
    ws.redo()
    assert fork.merge_into(ws).changed == ()
    assert tree(ws) == tree(fork)


def test_a_merge_in_a_transaction_that_fails_is_merged_again(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = forked()
    fork.write("/a", "1")
    with contextlib.suppress(KeyError), ws.transaction():
        fork.merge_into(ws)
        raise KeyError
    assert not ws.exists("/a")
    ws.write("/b", "takes the revision's number")
    fork.merge_into(ws)
    assert ws.exists("/a")


def test_a_dry_run_tells_all_and_changes_nothing(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1\n")
    ws.write("/b", "1\n")
    fork = forked()
    fork.write("/a", "2\n")
    fork.write("/b", "2\n")
    ws.write("/b", "3\n")
    before, revision = tree(ws), ws.files.revision()
    dry = fork.merge_into(ws, dry_run=True)
    assert (tree(ws), ws.files.revision()) == (before, revision)
    assert dry.dry_run
    real = fork.merge_into(ws)
    assert (dry.changed, dry.conflicts, dry.patch) == (real.changed, real.conflicts, real.patch)
    assert "-1\n+2\n" in real.patch


# What both did.


def test_lines_that_both_changed_apart_are_merged(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", NUMBERED)
    fork = forked()
    fork.write("/a", NUMBERED.replace("9\n", "nine\n"))
    ws.write("/a", NUMBERED.replace("1\n", "one\n"))
    assert not fork.merge_into(ws).conflicts
    assert ws.read_text("/a") == NUMBERED.replace("1\n", "one\n").replace("9\n", "nine\n")


def test_a_content_and_a_mode_that_changed_apart_are_merged(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.chmod("/a", 0o755)
    ws.write("/a", "2")
    assert not fork.merge_into(ws).conflicts
    assert (ws.read_text("/a"), ws.stat("/a").mode) == ("2", 0o755)


def conflicting(ws: Workspace, forked: Callable[[], Workspace]) -> Workspace:
    ws.write("/a", NUMBERED)
    fork = forked()
    fork.write("/a", NUMBERED.replace("1\n", "fork\n").replace("9\n", "nine\n"))
    ws.write("/a", NUMBERED.replace("1\n", "parent\n"))
    return fork


def test_safe_keeps_the_parents_own_and_tells(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = conflicting(ws, forked)
    before = tree(ws)
    hashes = fork.stat("/a").hash, ws.stat("/a").hash
    result = fork.merge_into(ws)
    (found,) = result.conflicts
    assert (found.path, found.reason, found.resolution) == ("/a", "content", "open")
    assert (found.theirs_hash, found.ours_hash) == hashes
    assert (result.changed, result.conflicts_total) == ((), 1)
    assert tree(ws) == before


def test_an_open_conflict_is_told_again_until_both_agree(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = conflicting(ws, forked)
    fork.write("/other", "x")
    assert conflicts(fork.merge_into(ws)) == [("/a", "content")]
    assert conflicts(fork.merge_into(ws)) == [("/a", "content")]
    ws.write("/a", fork.read_text("/a"))
    assert conflicts(fork.merge_into(ws)) == []
    ws.write("/a", "later")
    assert conflicts(fork.merge_into(ws)) == []
    assert ws.read_text("/a") == "later"


def test_markers_stand_where_both_changed_the_same_lines(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = conflicting(ws, forked)
    (found,) = fork.merge_into(ws, policy="markers", name="bob").conflicts
    assert found.resolution == "markers"
    text = ws.read_text("/a")
    assert text.startswith("<<<<<<< ours\nparent\n=======\nfork\n>>>>>>> bob\n2\n")
    assert text.endswith("nine\n")
    assert fork.merge_into(ws, policy="markers").changed == ()


@pytest.mark.parametrize(("policy", "first"), [("ours", "parent\n"), ("theirs", "fork\n")])
def test_a_side_can_win_where_both_changed_the_same_lines(
    ws: Workspace, forked: Callable[[], Workspace], policy: Policy, first: str
) -> None:
    fork = conflicting(ws, forked)
    (found,) = fork.merge_into(ws, policy=policy).conflicts
    assert found.resolution == policy
    assert ws.read_text("/a") == first + NUMBERED[2:].replace("9\n", "nine\n")
    assert fork.merge_into(ws).conflicts == ()


def test_fail_changes_nothing(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    fork = conflicting(ws, forked)
    fork.write("/other", "x")
    before = tree(ws)
    with pytest.raises(ConflictError, match="/a") as caught:
        fork.merge_into(ws, policy="fail")
    assert caught.value.data["total"] == 1
    assert tree(ws) == before


@pytest.mark.parametrize("policy", ["safe", "markers"])
def test_binary_files_that_both_changed_conflict(
    ws: Workspace, forked: Callable[[], Workspace], policy: Policy
) -> None:
    ws.write("/a", b"\0old")
    fork = forked()
    fork.write("/a", b"\0fork")
    ws.write("/a", b"\0parent")
    (found,) = fork.merge_into(ws, policy=policy).conflicts
    assert (found.reason, found.resolution) == ("binary", "open")
    assert ws.read_bytes("/a") == b"\0parent"


def test_theirs_takes_a_binary_file_and_a_link_of_the_fork(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", b"\0old")
    ws.symlink("old", "/l")
    fork = forked()
    for side, name in ((fork, "fork"), (ws, "parent")):
        side.write("/a", b"\0" + name.encode())
        side.rm("/l")
        side.symlink(name, "/l")
    assert len(fork.merge_into(ws, policy="theirs").conflicts) == 2
    assert tree(ws) == tree(fork)


def test_different_new_files_at_one_path_conflict(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = forked()
    fork.write("/d/new", "fork\n")
    ws.write("/d/new", "parent\n")
    assert conflicts(fork.merge_into(ws)) == [("/d/new", "content")]
    assert conflicts(fork.merge_into(ws)) == [("/d/new", "content")]
    assert ws.read_text("/d/new") == "parent\n"


def test_new_directories_at_one_path_are_one(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    fork = forked()
    fork.write("/d/e/fork", "x")
    ws.write("/d/e/parent", "x")
    assert not fork.merge_into(ws).conflicts
    assert set(tree(ws)) == {"/d", "/d/e", "/d/e/fork", "/d/e/parent"}


def test_different_modes_conflict(ws: Workspace, forked: Callable[[], Workspace]) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.chmod("/a", 0o700)
    fork.write("/a", "2")
    ws.chmod("/a", 0o755)
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/a", "mode")]
        assert (ws.read_text("/a"), ws.stat("/a").mode) == ("2", 0o755)
    fork.merge_into(ws, policy="theirs")
    assert ws.stat("/a").mode == 0o700


# Removed on one side.


def test_what_the_parent_removed_and_the_fork_changed_conflicts(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.write("/a", "2")
    ws.rm("/a")
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/a", "removed_in_parent")]
        assert not ws.exists("/a")
    fork.merge_into(ws, policy="theirs")
    assert ws.read_text("/a") == "2"


def test_what_the_fork_removed_and_the_parent_changed_conflicts(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/a", "1")
    fork = forked()
    fork.rm("/a")
    ws.write("/a", "2")
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/a", "removed_in_fork")]
        assert ws.read_text("/a") == "2"
    fork.merge_into(ws, policy="theirs")
    assert not ws.exists("/a")


def test_new_files_bring_their_removed_directory_back(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/d/e/old", "x")
    ws.write("/f/g/old", "x")
    ws.chmod("/d/e", 0o700)
    fork = forked()
    fork.write("/d/e/new", "x")
    fork.rm("/f", recursive=True)
    ws.rm("/d", recursive=True)
    ws.write("/f/g/new", "x")
    assert not fork.merge_into(ws).conflicts
    assert set(tree(ws)) == {"/d", "/d/e", "/d/e/new", "/f", "/f/g", "/f/g/new"}
    assert ws.stat("/d/e").mode == 0o700


def test_a_removed_tree_keeps_what_the_parent_changed_in_it(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    for name in ("a", "b", "deep/c"):
        ws.write(f"/d/{name}", "1")
    fork = forked()
    fork.rm("/d", recursive=True)
    ws.write("/d/b", "2")
    assert conflicts(fork.merge_into(ws)) == [("/d/b", "removed_in_fork")]
    assert set(tree(ws)) == {"/d", "/d/b"}


def test_a_directory_that_one_removed_and_the_other_renamed_conflicts(
    ws: Workspace, forked: Callable[[], Workspace]
) -> None:
    ws.write("/d/a", "1")
    fork = forked()
    fork.rm("/d", recursive=True)
    ws.mv("/d", "/e")
    for _ in range(2):
        assert conflicts(fork.merge_into(ws)) == [("/e", "removed_in_fork")]
        assert set(tree(ws)) == {"/e", "/e/a"}


# Whatever both do.


def change_at_random(ws: Workspace, rng: random.Random) -> None:
    """Do one thing to the tree; what is impossible is not done."""
    names = [f"/{a}{b}" for a in ("", "d/", "d/e/") for b in ("x", "y", "d", "e")]
    one, other = rng.choice(names), rng.choice(names)
    line = f"{rng.getrandbits(60)}\n"
    actions: list[Callable[[], object]] = [
        lambda: ws.write(one, line),
        lambda: ws.write(one, b"\0" + line.encode()),
        lambda: ws.append(one, line),
        lambda: ws.write(one, line + ws.read_text(one)),
        lambda: ws.mkdir(one, parents=True),
        lambda: ws.rm(one, recursive=True),
        lambda: ws.mv(one, other),
        lambda: ws.mv(one, other),
        lambda: ws.cp(one, other, recursive=True),
        lambda: ws.link(one, other),
        lambda: ws.symlink(line, one),
        lambda: ws.chmod(one, rng.choice([0o600, 0o700, 0o755])),
    ]
    with contextlib.suppress(VshellError):
        rng.choice(actions)()


@contextlib.contextmanager
def two_sides(rng: random.Random) -> Iterator[tuple[Workspace, Workspace]]:
    """Yield a workspace and a fork of it."""
    with Workspace.memory() as ws, tempfile.TemporaryDirectory() as directory:
        for _ in range(rng.randrange(12)):
            change_at_random(ws, rng)
        with ws.fork(Path(directory, "fork.db")) as fork:
            yield ws, fork


seeds = st.integers(0, 2**32).map(random.Random)


def lines(found: Tree) -> set[bytes]:
    """Return all lines of all files and links; each was written once."""
    return {
        line for kind, _, data, _ in found.values() for line in data.split(b"\n") if line.strip()
    }


@settings(max_examples=60)
@given(seeds)
def test_changes_of_one_side_alone_always_arrive(rng: random.Random) -> None:
    with two_sides(rng) as (ws, fork):
        for _ in range(rng.randrange(1, 10)):
            change_at_random(fork, rng)
        before = tree(ws)
        assert not fork.merge_into(ws).conflicts
        assert tree(ws) == tree(fork)
        assert ws.check().problems == ()
        if tree(ws) != before:
            ws.undo()
        assert lines(tree(ws)) == lines(before)
        assert tree(ws).keys() == before.keys()


@settings(max_examples=120)
@given(seeds)
def test_no_change_is_lost_without_a_conflict(rng: random.Random) -> None:
    with two_sides(rng) as (ws, fork):
        for _ in range(3):
            base, common = lines(tree(ws)), lines(tree(fork))
            for _ in range(rng.randrange(8)):
                change_at_random(rng.choice([ws, fork]), rng)
            ours, theirs = tree(ws), tree(fork)
            result = fork.merge_into(ws)
            merged = tree(ws)
            assert tree(fork) == theirs
            new_here = lines(ours) - base
            new_there = lines(theirs) - common
            assert new_here <= lines(merged)
            if not result.conflicts:
                assert new_there <= lines(merged)
            again = fork.merge_into(ws)
            assert again.changed == ()
            # A file with several names may be told of under another one.
            assert [(found.reason, found.theirs_hash) for found in again.conflicts] == [
                (found.reason, found.theirs_hash) for found in result.conflicts
            ]
            assert ws.check().problems == ()


@settings(max_examples=60)
@given(seeds, st.sampled_from(["ours", "theirs", "markers"]))
def test_a_policy_leaves_nothing_to_merge(rng: random.Random, policy: Policy) -> None:
    with two_sides(rng) as (ws, fork):
        common = lines(tree(ws))
        for _ in range(rng.randrange(12)):
            change_at_random(rng.choice([ws, fork]), rng)
        result = fork.merge_into(ws, policy=policy)
        assert ws.check().problems == ()
        if policy == "theirs":
            assert lines(tree(fork)) - common <= lines(tree(ws))
        again = fork.merge_into(ws, policy=policy)
        assert again.changed == ()
        if policy != "markers":
            assert again.conflicts == ()
            assert all(found.resolution == policy for found in result.conflicts)
