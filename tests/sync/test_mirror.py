"""The mirror in a directory: what travels, what clashes, what stays, and what is refused."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.sync.trees import directory_tree, workspace_tree
from vshell import Workspace
from vshell.errors import (
    ConflictError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RangeError,
    TooLargeError,
    UnavailableError,
)
from vshell.sync.planner import Policy
from vshell.sync.results import SyncedPath, SyncLimits, SyncProgress

ODD_NAMES = ("a b", "new\nline", "caf\xe9", "cafe\u0301", "\udcff\udcfe", "A", "a", "-n", "x*?[")


def same(ws: Workspace, root: Path) -> bool:
    return workspace_tree(ws) == directory_tree(root)


def write_old(path: Path, text: str, *, age_s: float = 5) -> None:
    """Write a file that looks as if it was written a while ago, as most files do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = time.time() - age_s
    os.utime(path, (then, then))


# What travels.


def test_the_first_synchronisation_writes_everything(ws: Workspace, root: Path) -> None:
    ws.write("/a/b.txt", "one\n")
    ws.write("/run", "#!/bin/sh\n")
    ws.chmod("/run", 0o755)
    ws.mkdir("/empty", mode=0o700)
    ws.symlink("nowhere", "/link")
    ws.write("/nothing", "")
    ws.write("/large", bytes(range(256)) * 5000)
    result = ws.mirror(root).sync()
    assert result.pushed_total == 7
    assert not result.skipped
    assert same(ws, root)
    assert not ws.mirror(root).sync().changed


def test_what_the_directory_has_comes_into_the_workspace(ws: Workspace, root: Path) -> None:
    write_old(root / "src" / "a.py", "print(1)\n")
    (root / "run").write_text("x")
    (root / "run").chmod(0o755)
    (root / "empty").mkdir()
    (root / "link").symlink_to("/etc/passwd")
    (root / "large").write_bytes(b"x" * 700_000)
    result = ws.mirror(root).sync()
    assert [change.path for change in result.pulled] == [
        "/empty", "/large", "/link", "/run", "/src", "/src/a.py",
    ]  # fmt: skip
    assert same(ws, root)
    assert ws.lstat("/src/a.py").mtime_ns == (root / "src/a.py").stat().st_mtime_ns
    assert ws.history("/src/a.py").changes[0].operation == "sync"


def test_changes_of_both_sides_come_together(ws: Workspace, root: Path) -> None:
    for name in "abcd":
        ws.write(f"/{name}/f", name)
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/a/f", "by the workspace")
    ws.rm("/b", recursive=True)
    (root / "c/f").write_text("by the mirror")
    (root / "d/f").unlink()
    (root / "e").mkdir()
    result = mirror.sync()
    assert result.pushed == (
        SyncedPath("/a/f", "write", "file"),
        SyncedPath("/b", "remove", "directory"),
        SyncedPath("/b/f", "remove", "file"),
    )
    assert result.pulled == (
        SyncedPath("/c/f", "write", "file"),
        SyncedPath("/d/f", "remove", "file"),
        SyncedPath("/e", "create", "directory"),
    )
    assert not result.conflicts
    assert same(ws, root)


def test_a_mode_that_changes_alone_travels(ws: Workspace, root: Path) -> None:
    ws.write("/a", "a")
    ws.write("/b", "b")
    ws.mkdir("/d")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.chmod("/a", 0o755)
    (root / "b").chmod(0o700)
    (root / "d").chmod(0o700)
    result = mirror.sync()
    assert result.pushed == (SyncedPath("/a", "attributes", "file"),)
    assert result.pulled == (
        SyncedPath("/b", "attributes", "file"),
        SyncedPath("/d", "attributes", "directory"),
    )
    assert same(ws, root)


def test_a_time_that_changes_alone_travels(ws: Workspace, root: Path) -> None:
    ws.write("/a", "a")
    ws.write("/b", "b")
    ws.symlink("x", "/l")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.utime("/a", mtime_ns=1_000_000_001)
    os.utime(root / "b", ns=(7, 2_000_000_003))
    os.utime(root / "l", ns=(7, 5), follow_symlinks=False)
    result = mirror.sync()
    assert [change.action for change in result.pushed + result.pulled] == ["attributes"] * 3
    assert (root / "a").stat().st_mtime_ns == 1_000_000_001
    assert ws.stat("/b").mtime_ns == 2_000_000_003
    assert ws.lstat("/l").mtime_ns == 5


def test_a_rename_travels(ws: Workspace, root: Path) -> None:
    for name in ("a/b/c", "a/b/d", "x/y"):
        ws.write(f"/{name}", name)
    mirror = ws.mirror(root)
    mirror.sync()
    ws.mv("/a", "/z")
    ws.mv("/z/b", "/z/e")
    (root / "x").rename(root / "w")
    mirror.sync()
    assert same(ws, root)
    assert (root / "z/e/c").read_text() == "a/b/c"
    assert ws.read_text("/w/y") == "x/y"


@pytest.mark.parametrize("by", ["workspace", "mirror"])
@pytest.mark.parametrize("before", ["file", "directory", "symlink"])
@pytest.mark.parametrize("after", ["file", "directory", "symlink"])
def test_something_becomes_something_else(
    ws: Workspace, root: Path, by: str, before: str, after: str
) -> None:
    def make(kind: str) -> None:
        if kind == "file":
            ws.write("/x", f"content {kind}")
        elif kind == "symlink":
            ws.symlink(f"target {kind}", "/x")
        else:
            ws.write("/x/y/z", "below")

    make(before)
    ws.mirror(root).sync()
    with Workspace.memory() as other:
        editor = ws if by == "workspace" else other
        if by == "mirror":
            other.mirror(root).sync()
        editor.rm("/x", recursive=True)
        if after == "file":
            editor.write("/x", "new")
        elif after == "symlink":
            editor.symlink("new", "/x")
        else:
            editor.write("/x/w", "new")
        if by == "mirror":
            other.mirror(root).sync()
        result = ws.mirror(root).sync()
    assert not result.conflicts
    assert not result.skipped
    assert same(ws, root)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_any_bytes(ws: Workspace, root: Path, name: str) -> None:
    ws.write(f"/{name}/{name}", "pushed")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / name / f"{name}2").write_text("pulled")
    mirror.sync()
    assert ws.read_text(f"/{name}/{name}2") == "pulled"
    assert same(ws, root)


def test_names_that_some_systems_take_for_one_are_two(ws: Workspace, root: Path) -> None:
    for name in ODD_NAMES:
        ws.write(f"/{name}", name.encode("utf-8", "surrogateescape"))
    ws.mirror(root).sync()
    assert same(ws, root)


def test_a_file_without_any_rights_travels(ws: Workspace, root: Path) -> None:
    ws.write("/f", "x")
    ws.chmod("/f", 0)
    ws.write("/d/g", "x")
    ws.chmod("/d", 0)
    mirror = ws.mirror(root)
    mirror.sync()
    assert (root / "f").read_text() == "x"
    assert not mirror.sync().changed
    assert ws.stat("/f").mode == 0
    ws.write("/f", "y")
    mirror.sync()
    assert (root / "f").read_text() == "y"
    assert ws.stat("/f").mode == 0


def test_setuid_does_not_travel(ws: Workspace, root: Path) -> None:
    ws.write("/a", "a")
    ws.chmod("/a", 0o4755)
    mirror = ws.mirror(root)
    mirror.sync()
    assert (root / "a").stat().st_mode & 0o7777 == 0o755
    (root / "b").write_text("b")
    (root / "b").chmod(0o6711)
    mirror.sync()
    assert ws.stat("/b").mode == 0o711
    assert ws.stat("/a").mode == 0o4755


def test_hard_links_of_the_workspace_are_files(ws: Workspace, root: Path) -> None:
    ws.write("/a", "one")
    ws.link("/a", "/b")
    mirror = ws.mirror(root)
    mirror.sync()
    assert (root / "a").stat().st_nlink == 1
    ws.write("/b", "two")
    assert [change.path for change in mirror.sync().pushed] == ["/a", "/b"]
    (root / "a").write_text("three")
    mirror.sync()
    assert (ws.read_text("/a"), ws.read_text("/b")) == ("three", "two")


def test_undo_of_a_pull_travels_back(ws: Workspace, root: Path) -> None:
    ws.write("/a", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "a").write_text("two")
    (root / "new").write_text("new")
    mirror.sync()
    ws.undo(force=True)
    mirror.sync()
    assert (root / "a").read_text() == "one"
    assert not (root / "new").exists()


def test_a_history_that_was_dropped_makes_it_compare_everything(ws: Workspace, root: Path) -> None:
    ws.write("/a", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/a", "two")
    ws.rm("/a")
    ws.write("/b", "three")
    ws.keep_history(revisions=0)
    ws.gc()
    mirror.sync()
    assert same(ws, root)


def test_pulled_content_survives_a_collection(ws: Workspace, root: Path) -> None:
    write_old(root / "f", "base\n")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/f", "mine\n")
    (root / "f").write_text("theirs\n")
    mirror.sync()
    ws.rm("/f")
    ws.gc(keep_revisions=0)
    assert mirror.diff("/f").paths[0].patch == (
        "<<<<<<< workspace\nmine\n||||||| base\nbase\n=======\ntheirs\n>>>>>>> mirror\n"
    )


# Seeing changes.


def test_a_rewrite_of_the_same_size_with_the_old_time_is_seen(ws: Workspace, root: Path) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    before = (root / "f").stat()
    (root / "f").write_text("two")
    os.utime(root / "f", ns=(before.st_atime_ns, before.st_mtime_ns))
    mirror.sync()
    assert ws.read_text("/f") == "two"


def test_a_rewrite_right_after_a_pull_is_seen(ws: Workspace, root: Path) -> None:
    root.mkdir()
    mirror = ws.mirror(root)
    for number in range(20):  # the clock ticks every few milliseconds: some are within one
        (root / "f").write_text(f"{number:02}")
        mirror.sync()
        (root / "f").write_text(f"{number:02}".replace("0", "x"))
        mirror.sync()
        assert ws.read_text("/f") == f"{number:02}".replace("0", "x")


def test_deep_trusts_no_stat_key(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "f").write_text("two")
    forged = ws.files.store.database
    status = (root / "f").stat()
    with ws.transaction():  # as if the file had looked like this before it was rewritten
        forged.run(
            "update mirror_base set seen_mtime_ns = ?, seen_ctime_ns = ?, racy = 0",
            (status.st_mtime_ns, status.st_ctime_ns),
        )
    assert not mirror.sync().changed
    assert mirror.sync(deep=True).pulled_total == 1
    assert ws.read_text("/f") == "two"


def test_a_file_that_is_only_touched_is_not_written(ws: Workspace, root: Path) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "f").chmod(0o600)
    (root / "f").chmod(0o644)  # only its ctime is another one
    revision = ws.files.revision()
    assert not mirror.sync().changed
    assert ws.files.revision() == revision


# Directions.


def test_push_leaves_the_workspace_and_pull_the_mirror(ws: Workspace, root: Path) -> None:
    ws.write("/mine", "1")
    ws.write("/theirs", "1")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/mine", "2")
    (root / "theirs").write_text("2")
    pushed = mirror.push()
    assert (pushed.pushed_total, pushed.pulled_total) == (1, 0)
    assert ws.read_text("/theirs") == "1"
    ws.write("/mine", "3")
    pulled = mirror.pull()
    assert (pulled.pushed_total, pulled.pulled_total) == (0, 1)
    assert (root / "mine").read_text() == "2"
    assert mirror.push().pushed_total == 1
    assert same(ws, root)


def test_what_is_not_pushed_is_not_forgotten(ws: Workspace, root: Path) -> None:
    ws.write("/f", "1")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/f", "2")
    ws.mkdir("/d")
    for _ in range(3):
        mirror.pull()
    assert mirror.sync().pushed_total == 2


def test_a_dry_run_changes_nothing(ws: Workspace, root: Path) -> None:
    ws.write("/f", "1")
    mirror = ws.mirror(root)
    with pytest.raises(NotFoundError):
        mirror.sync(dry_run=True)
    assert not root.exists()
    mirror.sync()
    ws.write("/f", "2")
    (root / "g").write_text("3")
    before = (workspace_tree(ws), directory_tree(root), ws.files.revision())
    planned = mirror.sync(dry_run=True)
    assert planned.dry_run
    assert (workspace_tree(ws), directory_tree(root), ws.files.revision()) == before
    done = mirror.sync()
    assert (planned.pushed, planned.pulled) == (done.pushed, done.pulled)


# Conflicts.


def clash(ws: Workspace, root: Path, policy: Policy, base: str, mine: str, theirs: str) -> None:
    ws.write("/f", base)
    ws.mirror(root).sync()
    ws.write("/f", mine)
    (root / "f").write_text(theirs)
    ws.mirror(root, policy=policy).sync()


@pytest.mark.parametrize(
    ("policy", "kept", "resolution"),
    [
        ("safe", "mine", None),
        ("workspace-wins", "mine", "workspace"),
        ("container-wins", "theirs", "mirror"),
        ("merge", "mine", None),
    ],
)
def test_what_both_changed_is_settled_by_the_policy(
    ws: Workspace, root: Path, policy: Policy, kept: str, resolution: str | None
) -> None:
    clash(ws, root, policy, "base", "mine", "theirs")
    assert ws.read_text("/f") == (root / "f").read_text() == kept
    (conflict,) = ws.mirror(root).conflicts(resolved=True)
    assert (conflict.path, conflict.clash, conflict.resolution) == ("/f", "content", resolution)
    stored = [
        ws.files.read_hash(bytes.fromhex(side.hash)).decode()
        for side in (conflict.base, conflict.workspace, conflict.mirror)
        if side is not None
    ]
    assert stored == ["base", "mine", "theirs"]


def test_fail_changes_nothing_at_all(ws: Workspace, root: Path) -> None:
    ws.write("/f", "base")
    ws.mirror(root).sync()
    ws.write("/f", "mine")
    ws.write("/g", "mine")
    (root / "f").write_text("theirs")
    (root / "h").write_text("theirs")
    with pytest.raises(ConflictError) as caught:
        ws.mirror(root, policy="fail").sync()
    assert caught.value.data == {"paths": ["/f"], "total": 1}
    assert not (root / "g").exists()
    assert not ws.exists("/h")
    assert not ws.mirror(root).conflicts(resolved=True)


def test_merge_brings_lines_of_both_together(ws: Workspace, root: Path) -> None:
    lines = [f"line {number}\n" for number in range(20)]
    clash(
        ws, root, "merge", "".join(lines), "".join(["mine\n", *lines]), "".join([*lines, "end\n"])
    )
    merged = "".join(["mine\n", *lines, "end\n"])
    assert ws.read_text("/f") == (root / "f").read_text() == merged
    assert not ws.mirror(root).conflicts(resolved=True)


def test_a_conflict_is_shown_with_both_sides(ws: Workspace, root: Path) -> None:
    clash(ws, root, "safe", "a\nb\n", "a\nmine\n", "a\ntheirs\n")
    (shown,) = ws.mirror(root).diff("/f").paths
    assert shown.direction == "conflict"
    assert shown.patch == (
        "a\n<<<<<<< workspace\nmine\n||||||| base\nb\n=======\ntheirs\n>>>>>>> mirror\n"
    )


@pytest.mark.parametrize(
    ("take", "kept"), [("workspace", "mine"), ("mirror", "theirs"), ("base", "base")]
)
def test_a_conflict_is_resolved_by_path(ws: Workspace, root: Path, take: str, kept: str) -> None:
    clash(ws, root, "safe", "base", "mine", "theirs")
    mirror = ws.mirror(root)
    resolved = mirror.resolve("/f", take=take)  # type: ignore[arg-type]
    assert resolved.resolution == take
    assert not mirror.conflicts()
    mirror.sync()
    assert ws.read_text("/f") == (root / "f").read_text() == kept


def test_a_conflict_is_resolved_with_other_content(ws: Workspace, root: Path) -> None:
    clash(ws, root, "safe", "base", "mine", "theirs")
    mirror = ws.mirror(root)
    assert mirror.resolve("f", data=b"both").resolution == "merged"
    mirror.sync()
    assert (root / "f").read_text() == "both"


def test_resolving_says_what_it_needs(ws: Workspace, root: Path) -> None:
    clash(ws, root, "safe", "base", "mine", "theirs")
    mirror = ws.mirror(root)
    with pytest.raises(NotFoundError):
        mirror.resolve("/other", take="mirror")
    with pytest.raises(RangeError):
        mirror.resolve("/f")
    with pytest.raises(RangeError):
        mirror.resolve("/f", take="mirror", data=b"x")


def test_removed_here_and_changed_there_stays(ws: Workspace, root: Path) -> None:
    ws.write("/d/f", "base")
    ws.write("/d/g", "base")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.rm("/d", recursive=True)
    (root / "d/f").write_text("theirs")
    result = mirror.sync()
    assert not result.conflicts
    assert ws.read_text("/d/f") == "theirs"
    assert not (root / "d/g").exists()
    assert same(ws, root)


def test_a_conflict_of_kinds_can_be_resolved_for_the_mirror(ws: Workspace, root: Path) -> None:
    ws.write("/d/f", "base")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.rm("/d", recursive=True)
    ws.write("/d", "a file")
    (root / "d/f").write_text("theirs")
    (conflict,) = mirror.sync().conflicts
    assert (conflict.path, conflict.clash) == ("/d/f", "place")
    ws.rm("/d")
    mirror.resolve("/d/f", take="mirror")
    mirror.sync()
    assert (root / "d/f").read_text() == "theirs"


# Which paths.


def test_caches_and_what_is_ignored_stay_where_they_are(ws: Workspace, root: Path) -> None:
    ws.write("/node_modules/mine", "x")
    ws.write("/a.log", "x")
    ws.write("/kept", "x")
    write_old(root / "p/node_modules/theirs", "y")
    write_old(root / "b.log", "y")
    mirror = ws.mirror(root, ignore=["*.log"])
    result = mirror.sync()
    assert [change.path for change in result.pushed] == ["/kept"]
    assert [change.path for change in result.pulled] == ["/p"]
    assert not mirror.sync().changed


def test_a_new_rule_removes_nothing(ws: Workspace, root: Path) -> None:
    ws.write("/build/out", "x")
    ws.write("/src", "x")
    ws.mirror(root).sync()
    result = ws.mirror(root, ignore=["/build/"]).sync()
    assert not result.changed
    assert ws.exists("/build/out")
    assert (root / "build/out").exists()
    ws.write("/build/out", "changed")
    assert not ws.mirror(root, ignore=["/build/"]).sync().changed


def test_a_rule_that_goes_lets_both_sides_meet_again(ws: Workspace, root: Path) -> None:
    ws.write("/build/same", "x")
    ws.write("/build/mine", "x")
    ignoring = ws.mirror(root, ignore=["/build/"])
    ignoring.sync()
    write_old(root / "build/same", "x")
    write_old(root / "build/theirs", "y")
    ignoring.sync()
    result = ws.mirror(root).sync()
    assert not result.conflicts
    assert same(ws, root)


def test_a_directory_with_a_cache_in_it_is_left(ws: Workspace, root: Path) -> None:
    ws.write("/p/f", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    write_old(root / "p/node_modules/m", "y")
    ws.rm("/p", recursive=True)
    result = mirror.sync()
    assert [(skipped.path, skipped.reason) for skipped in result.skipped] == [
        ("/p", "directory not empty")
    ]
    assert (root / "p/node_modules/m").exists()
    assert not ws.exists("/p")
    assert mirror.sync().skipped_total == 1


def test_the_workspace_s_own_database_stays_out(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "vshell.db") as ws:
        (tmp_path / "f").write_text("x")
        mirror = ws.mirror(tmp_path)
        assert [change.path for change in mirror.sync().pulled] == ["/f"]
        assert not mirror.sync().changed


# What is refused.


def test_a_root_that_is_gone_halts(ws: Workspace, root: Path) -> None:
    ws.write("/f", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(NotFoundError):
        mirror.sync()
    assert ws.exists("/f")


def test_another_root_halts_until_it_is_accepted(ws: Workspace, root: Path) -> None:
    ws.write("/f", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    root.rename(root.with_name("elsewhere"))
    root.mkdir()
    with pytest.raises(ConflictError) as caught:
        mirror.sync()
    assert caught.value.data["reason"] == "unmarked"
    mirror.restart()
    assert mirror.sync().pushed_total == 1
    assert ws.exists("/f")


def test_the_root_of_another_mirror_halts(ws: Workspace, root: Path, tmp_path: Path) -> None:
    ws.write("/f", "x")
    ws.mirror(root).sync()
    other = tmp_path / "other"
    ws.mirror(other).sync()
    root.rename(tmp_path / "away")
    other.rename(root)
    with pytest.raises(ConflictError) as caught:
        ws.mirror(root).sync()
    assert caught.value.data["reason"] == "other_root"


def test_an_emptied_root_halts_until_that_is_meant(ws: Workspace, root: Path) -> None:
    ws.write("/f", "x")
    ws.write("/g", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "f").unlink()
    (root / "g").unlink()
    with pytest.raises(ConflictError) as caught:
        mirror.sync()
    assert caught.value.data["reason"] == "emptied"
    assert mirror.sync(allow_emptied=True).pulled_total == 2
    assert not ws.ls("/").entries


def test_two_workspaces_share_a_directory(ws: Workspace, root: Path) -> None:
    with Workspace.memory() as other:
        ws.write("/a", "1")
        ws.mirror(root).sync()
        other.write("/b", "2")
        other.mirror(root).sync()
        ws.mirror(root).sync()
        assert workspace_tree(ws) == workspace_tree(other) == directory_tree(root)


def test_two_mirrors_of_one_workspace(ws: Workspace, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    ws.write("/f", "1")
    for place in (one, two):
        ws.mirror(place).sync()
    (one / "f").write_text("2")
    ws.mirror(one).sync()
    ws.mirror(two).sync()
    assert (two / "f").read_text() == "2"


def test_the_root_of_the_host_is_no_mirror(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    for place in ("/", tmp_path / "link"):
        with pytest.raises(PermissionDeniedError):
            ws.mirror(place)


def test_a_policy_that_there_is_not(ws: Workspace, root: Path) -> None:
    with pytest.raises(UnavailableError):
        ws.mirror(root, policy="best")  # type: ignore[arg-type]


def test_a_mirror_is_not_synchronised_in_a_transaction(ws: Workspace, root: Path) -> None:
    with pytest.raises(ConflictError), ws.transaction():
        ws.mirror(root).sync()


def test_another_synchronisation_is_waited_for(ws: Workspace, root: Path) -> None:
    mirror = ws.mirror(root, limits=SyncLimits(lock_timeout_s=0))
    mirror.sync()
    target = ws.mirror(root)._target
    with target.lock(1), pytest.raises(ConflictError):
        mirror.sync()
    mirror.sync()


def test_threads_take_turns(ws: Workspace, root: Path) -> None:
    mirror = ws.mirror(root)
    mirror.sync()
    failed: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for number in range(5):
                ws.write(f"/{worker}/mine{number}", "x")
                (root / f"theirs{worker}{number}").write_text("x")
                mirror.sync()
        except Exception as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    mirror.sync()
    assert same(ws, root)


# Limits.


def test_more_entries_than_allowed_are_refused(ws: Workspace, root: Path) -> None:
    for number in range(11):
        write_old(root / f"{number}", "")
    with pytest.raises(TooLargeError):
        ws.mirror(root, limits=SyncLimits(max_entries=10)).sync()
    assert not ws.ls("/").entries
    assert ws.mirror(root, limits=SyncLimits(max_entries=11)).sync().pulled_total == 11


def test_limits_may_be_a_mapping_of_their_fields(ws: Workspace, root: Path) -> None:
    assert SyncLimits.of({"max_entries": 10}) == SyncLimits(max_entries=10)
    with pytest.raises(RangeError, match="no such limit: max_enries") as caught:
        ws.mirror(root, limits={"max_enries": 10})
    assert "max_entries" in str(caught.value.hint)
    with pytest.raises(RangeError, match="max_bytes must not be negative"):
        ws.mirror(root, limits={"max_bytes": -1})
    root.mkdir()
    (root / "f").touch()
    with pytest.raises(TooLargeError):
        ws.mirror(root, limits={"max_entries": 0}).sync()


def test_a_file_that_is_too_large_is_skipped(ws: Workspace, root: Path) -> None:
    write_old(root / "small", "x" * 10)
    write_old(root / "large", "x" * 11)
    result = ws.mirror(root, limits=SyncLimits(max_file_bytes=10)).sync()
    assert [change.path for change in result.pulled] == ["/small"]
    assert [skipped.as_dict() for skipped in result.skipped] == [
        {"path": "/large", "reason": "it is too large"}
    ]


def test_more_bytes_than_allowed_are_refused(ws: Workspace, root: Path) -> None:
    write_old(root / "a", "x" * 10)
    write_old(root / "b", "x" * 10)
    with pytest.raises(TooLargeError):
        ws.mirror(root, limits=SyncLimits(max_bytes=19)).sync()
    assert not ws.ls("/").entries


def test_a_quota_refuses_the_whole_pull(root: Path) -> None:
    write_old(root / "a", "x" * 600)
    write_old(root / "b", "x" * 600)
    with Workspace.memory(quota_bytes=1000) as ws:
        with pytest.raises(QuotaExceededError):
            ws.mirror(root).sync()
        assert not ws.ls("/").entries
        ws.set_quota(None)
        assert ws.mirror(root).sync().pulled_total == 2


# Telling.


def test_status_says_what_would_be_done(ws: Workspace, root: Path) -> None:
    ws.write("/f", "1")
    root.mkdir()
    mirror = ws.mirror(root)
    status = mirror.status()
    assert (status.is_new, status.is_clean, status.pending.pushed_total) == (True, False, 1)
    mirror.sync()
    assert mirror.status().is_clean
    (root / "f").write_text("2")
    assert mirror.status().pending.pulled == (SyncedPath("/f", "write", "file"),)


def test_diff_shows_what_would_be_pushed_and_pulled(ws: Workspace, root: Path) -> None:
    for name in "abc":
        ws.write(f"/{name}", f"{name}\n")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/a", "A\n")
    (root / "b").write_text("B\n")
    diff = mirror.diff()
    assert [(one.path, one.direction) for one in diff.paths] == [("/a", "push"), ("/b", "pull")]
    assert "-a\n+A\n" in diff.paths[0].patch
    assert "-b\n+B\n" in diff.paths[1].patch
    cut = mirror.diff(max_paths=1)
    assert (len(cut.paths), cut.total, cut.truncated) == (1, 2, True)


def test_progress_is_told(ws: Workspace, root: Path) -> None:
    ws.write("/a", "1")
    write_old(root / "b", "2")
    told: list[SyncProgress] = []
    ws.mirror(root).sync(progress=told.append)
    assert [progress.phase for progress in told] == ["scan", "fetch", "pull", "push"]


def test_an_exception_from_progress_ends_it_and_running_again_completes(
    ws: Workspace, root: Path
) -> None:
    for number in range(5):
        ws.write(f"/{number}", "x")

    def stop(progress: SyncProgress) -> None:
        if progress.phase == "push" and progress.entries == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ws.mirror(root).sync(progress=stop)
    assert len(list(root.iterdir())) == 3
    assert not ws.mirror(root).sync().conflicts
    assert same(ws, root)


def test_a_result_is_plain_data(ws: Workspace, root: Path) -> None:
    ws.write("/f", "1")
    data = ws.mirror(root).sync().as_dict()
    assert data["pushed"] == [{"path": "/f", "action": "create", "kind": "file"}]
    assert data["dry_run"] is False


def test_a_path_that_is_none(ws: Workspace, root: Path) -> None:
    with pytest.raises(InvalidPathError):
        ws.mirror(root).diff("")


def test_the_mirror_s_name_does_not_say_where_it_is(ws: Workspace, root: Path) -> None:
    assert str(root.parent) not in ws.mirror(root).name
    assert ws.mirror(root, name="checkout").name == "checkout"
