"""Snapshots, undo, redo, restore, compare and fork."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import (
    ConflictError,
    ExistsError,
    InvalidPathError,
    NotFoundError,
    RangeError,
    VshellError,
)

Tree = dict[str, tuple[str, int, bytes]]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def tree(ws: Workspace) -> Tree:
    """Return everything that a person would see: kind, mode and content of each path."""
    found: Tree = {}
    for entry in ws.files.walk_details("/"):
        stat = ws.lstat(entry.path)
        content = b""
        if stat.kind == "file":
            content = ws.read_bytes(entry.path)
        elif stat.kind == "symlink":
            content = ws.readlink(entry.path).encode()
        found[entry.path] = (stat.kind, stat.mode, content)
    return found


def change_at_random(ws: Workspace, rng: random.Random) -> None:
    """Do one thing to the tree; what is impossible is not done."""
    names = [f"/{a}{b}" for a in ("", "d/", "d/e/") for b in ("x", "y", "d", "e")]
    one, other = rng.choice(names), rng.choice(names)
    actions: list[Callable[[], object]] = [
        lambda: ws.write(one, rng.randbytes(rng.choice([0, 3, 300_000]))),
        lambda: ws.append(one, "more\n"),
        lambda: ws.mkdir(one, parents=True),
        lambda: ws.rm(one, recursive=True),
        lambda: ws.mv(one, other),
        lambda: ws.cp(one, other, recursive=True),
        lambda: ws.link(one, other),
        lambda: ws.symlink(one, other),
        lambda: ws.chmod(one, rng.choice([0o600, 0o755])),
        lambda: ws.truncate(one, rng.choice([0, 5])),
        lambda: ws.utime(one, mtime_ns=rng.randrange(10**18)),
    ]
    with contextlib.suppress(VshellError):
        rng.choice(actions)()


@pytest.mark.parametrize("seed", range(12))
def test_undo_and_redo_lead_through_every_state_there_was(ws: Workspace, seed: int) -> None:
    rng = random.Random(seed)
    states = [tree(ws)]
    revision = ws.files.revision()
    for _ in range(40):
        change_at_random(ws, rng)
        if ws.files.revision() != revision:
            revision = ws.files.revision()
            states.append(tree(ws))
    for expected in reversed(states[:-1]):
        ws.undo()
        assert tree(ws) == expected
    for expected in states[1:]:
        ws.redo()
        assert tree(ws) == expected
    assert ws.check().problems == ()


@pytest.mark.parametrize("seed", range(12))
def test_any_revision_and_snapshot_can_be_restored(ws: Workspace, seed: int) -> None:
    rng = random.Random(1000 + seed)
    states = {}
    for step in range(30):
        change_at_random(ws, rng)
        states[ws.files.revision()] = tree(ws)
        if step % 7 == 0:
            ws.snapshot(f"step {step}")
            states[f"step {step}"] = tree(ws)  # type: ignore[index]
    for moment in rng.sample(list(states), 12):
        ws.restore(moment)
        assert tree(ws) == states[moment]
        assert ws.compare(moment).changes == ()
    assert ws.check().problems == ()


def test_undo_takes_back_a_whole_transaction(ws: Workspace) -> None:
    ws.write("/a", "1")
    with ws.transaction():
        ws.write("/a", "2")
        ws.write("/b", "2")
    ws.undo()
    assert ws.read_text("/a") == "1"
    assert not ws.exists("/b")


def test_several_changes_can_be_undone_at_once_and_one_by_one_again(ws: Workspace) -> None:
    for number in range(5):
        ws.write("/a", str(number))
    assert ws.undo(3).changed == 1
    assert ws.read_text("/a") == "1"
    ws.redo()
    assert ws.read_text("/a") == "2"
    ws.redo(2)
    assert ws.read_text("/a") == "4"


def test_more_changes_than_there_are_cannot_be_undone(ws: Workspace) -> None:
    ws.write("/a", "1")
    with pytest.raises(RangeError, match="only 1 "):
        ws.undo(2)
    assert ws.read_text("/a") == "1"


def test_a_change_after_an_undo_ends_what_can_be_redone(ws: Workspace) -> None:
    ws.write("/a", "1")
    ws.undo()
    ws.write("/b", "2")
    with pytest.raises(RangeError):
        ws.redo()


def test_one_path_can_be_undone_alone(ws: Workspace) -> None:
    ws.write("/a", "old a")
    ws.write("/b", "old b")
    ws.write("/a", "new a")
    ws.write("/b", "new b")
    ws.undo(path="/a")
    assert (ws.read_text("/a"), ws.read_text("/b")) == ("old a", "new b")


def test_undo_to_a_revision_can_be_redone(ws: Workspace) -> None:
    first = ws.write("/a", "1").version
    ws.write("/a", "2")
    ws.write("/a", "3")
    ws.undo(to=first)
    assert ws.read_text("/a") == "1"
    ws.redo()
    assert ws.read_text("/a") == "3"


def test_a_session_does_not_undo_what_another_did_unless_told_to(ws: Workspace) -> None:
    me, you = ws.session("me"), ws.session("you")
    me.write("/a", "mine")
    you.write("/b", "yours")
    with pytest.raises(ConflictError, match="you"):
        me.undo()
    assert ws.exists("/b")
    me.undo(force=True)
    assert not ws.exists("/b")


def test_a_snapshot_restores_a_subtree_alone(ws: Workspace) -> None:
    ws.write("/a/x", "1")
    ws.write("/b/x", "1")
    ws.snapshot("before")
    ws.write("/a/x", "2")
    ws.write("/b/x", "2")
    ws.restore("before", path="/a")
    assert (ws.read_text("/a/x"), ws.read_text("/b/x")) == ("1", "2")


def test_restoring_keeps_hard_links_together(ws: Workspace) -> None:
    ws.write("/a", "1")
    ws.link("/a", "/b")
    ws.snapshot("linked")
    ws.rm("/a")
    ws.rm("/b")
    ws.restore("linked")
    assert ws.stat("/a").inode == ws.stat("/b").inode


def test_restoring_brings_back_modes_and_times(ws: Workspace) -> None:
    ws.write("/d/a", "1")
    ws.chmod("/d/a", 0o750)
    ws.utime("/d/a", mtime_ns=12345)
    ws.utime("/d", mtime_ns=678)
    ws.snapshot("before")
    ws.rm("/d", recursive=True)
    ws.restore("before")
    assert (ws.stat("/d/a").mode, ws.stat("/d/a").mtime_ns) == (0o750, 12345)
    assert ws.stat("/d").mtime_ns == 678


def test_a_snapshot_survives_a_collection(ws: Workspace) -> None:
    ws.write("/a", "precious")
    ws.write("/large", b"x" * 700_000)
    ws.snapshot("keep")
    ws.rm("/a")
    ws.rm("/large")
    ws.gc(keep_revisions=0)
    assert ws.check().problems == ()
    ws.restore("keep")
    assert ws.read_text("/a") == "precious"
    assert len(ws.read_bytes("/large")) == 700_000


def test_what_only_a_deleted_snapshot_needed_is_collected(ws: Workspace) -> None:
    ws.write("/a", "x" * 1000)
    ws.snapshot("short")
    ws.rm("/a")
    ws.mkdir("/b")  # the newest change always stays, with what it refers to
    ws.gc(keep_revisions=0)
    assert ws.usage().content_bytes == 1000
    ws.delete_snapshot("short")
    assert ws.gc().bytes == 1000


def test_history_that_was_forgotten_cannot_be_restored(ws: Workspace) -> None:
    first = ws.write("/a", "1").version
    for number in range(5):
        ws.write("/a", str(number))
    ws.gc(keep_revisions=2)
    with pytest.raises(NotFoundError, match="history"):
        ws.restore(first)
    with pytest.raises(VshellError):
        ws.undo(5)
    assert ws.read_text("/a") == "4"


def test_snapshots_are_listed_in_order_and_names_are_taken_once(ws: Workspace) -> None:
    ws.session("me").snapshot("first")
    ws.write("/a", "1")
    ws.snapshot("second")
    assert [(found.name, found.revision, found.session) for found in ws.snapshots()] == [
        ("first", 0, "me"),
        ("second", 1, ""),
    ]
    with pytest.raises(ExistsError):
        ws.snapshot("first")
    with pytest.raises(NotFoundError):
        ws.delete_snapshot("third")


@pytest.mark.parametrize("name", ["", "12", "x" * 256, "a\0b"])
def test_a_name_that_could_not_be_told_from_a_revision_is_refused(ws: Workspace, name: str) -> None:
    with pytest.raises(InvalidPathError):
        ws.snapshot(name)


def test_compare_says_what_happened_and_has_a_patch(ws: Workspace) -> None:
    ws.write("/changed", "old\n")
    ws.write("/removed", "gone\n")
    ws.write("/mode", "same\n")
    ws.write("/flip", "file\n")
    ws.snapshot("a")
    ws.write("/changed", "new\n")
    ws.rm("/removed")
    ws.chmod("/mode", 0o755)
    ws.rm("/flip")
    ws.mkdir("/flip")
    ws.write("/created", "here\n")
    ws.snapshot("b")
    found = ws.compare("a", "b")
    assert {change.path: change.action for change in found.changes} == {
        "/changed": "write",
        "/created": "create",
        "/flip": "kind",
        "/mode": "attributes",
        "/removed": "remove",
    }
    assert "-old\n+new\n" in found.patch
    assert "new mode 100755" in found.patch
    assert [change.path for change in ws.compare("a", "b", path="/mode").changes] == ["/mode"]


def test_a_fork_is_independent(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", "1")
    ws.snapshot("one")
    ws.write("/a", "2")
    with ws.fork(tmp_path / "now.db") as now, ws.fork(tmp_path / "then.db", at="one") as then:
        assert (now.read_text("/a"), then.read_text("/a")) == ("2", "1")
        now.write("/a", "3")
        assert ws.read_text("/a") == "2"
        assert now.check().ok
        assert then.check().ok
    with pytest.raises(ExistsError):
        ws.fork(tmp_path / "now.db")


def test_a_fork_of_a_moment_that_never_was_leaves_no_file(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.fork(tmp_path / "none.db", at="no such snapshot")
    assert list(tmp_path.iterdir()) == []


def test_any_past_version_can_be_read(ws: Workspace) -> None:
    first = ws.write("/a", "one\ntwo\n").version
    ws.snapshot("named")
    ws.write("/a", "three\n")
    ws.mv("/a", "/b")
    assert ws.read("/a", at=first).text == "one\ntwo\n"
    assert ws.read("/a", at="named", start_line=2).text == "two\n"
    assert ws.read_bytes("/a", at=first, offset=4, length=3) == b"two"
    with pytest.raises(NotFoundError):
        ws.read("/b", at=first)
    with pytest.raises(NotFoundError):
        ws.read("/a", at="no such snapshot")
    with pytest.raises(IsADirectoryError):
        ws.read_bytes("/", at=first)


def test_history_is_kept_as_long_as_was_said(ws: Workspace) -> None:
    for number in range(20):
        ws.write("/a", str(number) * 100)
    ws.keep_history(revisions=5)
    ws.gc()
    assert len(ws.changes()) == 5
    ws.keep_history(history_bytes=150)
    ws.gc()
    assert ws.usage().history_bytes <= 150
    assert ws.check().problems == ()
    assert ws.read_text("/a") == "19" * 100
    with pytest.raises(RangeError):
        ws.keep_history(revisions=-1)


def test_history_is_kept_by_age() -> None:
    clock = iter(range(0, 10**15, 10**9))
    with Workspace.memory(now=lambda: next(clock)) as ws:
        for number in range(20):
            ws.write("/a", str(number))
        ws.keep_history(age_s=5)
        ws.gc()
        assert 0 < len(ws.changes()) <= 5
        ws.undo()
        assert ws.read_text("/a") == "18"


def test_a_limit_on_history_spares_what_snapshots_need(ws: Workspace) -> None:
    ws.write("/a", "x" * 1000)
    ws.snapshot("keep")
    ws.write("/a", "y")
    ws.keep_history(history_bytes=10)
    ws.gc()
    ws.restore("keep")
    assert ws.read_text("/a") == "x" * 1000


def test_a_removed_name_of_a_file_comes_back_as_a_name_of_that_file(ws: Workspace) -> None:
    ws.write("/y", "1")
    ws.link("/y", "/x")
    ws.rm("/x")
    ws.undo()
    assert ws.stat("/x").inode == ws.stat("/y").inode


@pytest.mark.parametrize("end", [None, "end"])
def test_a_snapshot_of_the_middle_of_a_transaction_is_compared_as_it_was(
    ws: Workspace, end: str | None
) -> None:
    for name in "abc":
        ws.write(f"/{name}", "1")
    with ws.transaction():
        ws.write("/a", "2")
        ws.snapshot("middle")
        ws.write("/b", "2")
    ws.write("/c", "2")
    if end is not None:
        ws.snapshot(end)
    assert [change.path for change in ws.compare("middle", end).changes] == ["/b", "/c"]
    if end is not None:
        assert [change.path for change in ws.compare(end, "middle").changes] == ["/b", "/c"]


def test_snapshots_between_which_files_were_only_written_are_not_read_as_a_whole(
    ws: Workspace,
) -> None:
    for number in range(50):
        ws.write(f"/d/{number}", "1")
    ws.snapshot("one")
    ws.write("/d/7", "2")
    ws.chmod("/d/8", 0o600)
    ws.snapshot("two")
    with ws.files.store.database.count_statements() as statements:
        found = ws.compare("one", "two").changes
    assert [(change.path, change.action) for change in found] == [
        ("/d/7", "write"),
        ("/d/8", "attributes"),
    ]
    assert not [sql for sql in statements.statements if "except" in sql]
    ws.gc(keep_revisions=0)
    assert ws.compare("one", "two").changes == found
