"""The history of a workspace becomes commits, judged by the real git."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ops.git_repositories import ODD_NAMES, Tree, commit, git, git_text, git_tree, tree
from vshell import Workspace
from vshell.errors import (
    ConflictError,
    InvalidPathError,
    NotEmptyError,
    NotFoundError,
    RangeError,
    VshellError,
)


@pytest.fixture
def ws() -> Iterator[Workspace]:
    clock = iter(range(1_700_000_000, 1_800_000_000))
    with Workspace.memory(now=lambda: next(clock) * 10**9) as workspace:
        yield workspace


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return an empty repository with a working tree."""
    directory = tmp_path / "source"
    directory.mkdir()
    git(directory, "init", "-q")
    return directory


# Export.


def log(directory: Path, branch: str = "main") -> list[tuple[str, str, str]]:
    """Return author, time and subject of each commit, the oldest first."""
    text = git_text(directory, "log", "--reverse", "--format=%an%x00%at%x00%s", branch)
    return [tuple(line.split("\0")) for line in text.splitlines()]  # type: ignore[misc]


def commits(directory: Path, branch: str = "main") -> list[str]:
    return git_text(directory, "rev-list", "--reverse", branch).split()


def fsck(directory: Path) -> None:
    assert git(directory, "fsck", "--strict", "--full") == b""


def test_each_revision_becomes_a_commit(ws: Workspace, tmp_path: Path) -> None:
    ws.session("ann").write("/a", "1")
    ws.session("bob").write("/d/b", "1")
    ws.write("/a", "2")
    with ws.transaction():
        ws.write("/c", "3")
        ws.mv("/d", "/e")
    result = ws.export_git(tmp_path / "out.git")
    assert result.commits == 4
    assert result.commit == git_text(tmp_path / "out.git", "rev-parse", "HEAD")
    assert [(author, subject) for author, _, subject in log(tmp_path / "out.git")] == [
        ("ann", "write /a"),
        ("bob", "write 2 paths"),
        ("vshell", "write /a"),
        ("vshell", "write, mv 2 paths"),
    ]
    revisions = {row.revision: row.time_ns // 10**9 for row in ws.changes()}
    assert [int(time) for _, time, _ in log(tmp_path / "out.git")] == list(revisions.values())
    body = git_text(tmp_path / "out.git", "log", "-1", "--format=%b")
    assert body == "create /c\nrename /d -> /e\n\nVshell-Revision: 4"
    fsck(tmp_path / "out.git")


def test_files_links_modes_and_odd_names_are_right(ws: Workspace, tmp_path: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        if name != "a/b":
            ws.write(f"/{name}", f"{number}\n")
    ws.write("/a.c/x", "1")
    ws.write("/a/x", "1")
    ws.write("/large", random.Random(1).randbytes(700_000))
    ws.write("/empty", "")
    ws.chmod("/plain", 0o4711)
    ws.symlink("to\udcff/nowhere", "/link")
    ws.mkdir("/left/out", parents=True)
    ws.export_git(tmp_path / "out.git")
    assert git_tree(tmp_path / "out.git", "main") == tree(ws)
    fsck(tmp_path / "out.git")


def change_at_random(ws: Workspace, rng: random.Random) -> None:
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
        lambda: ws.symlink(other, one),
        lambda: ws.chmod(one, rng.choice([0o600, 0o755])),
        lambda: ws.undo(rng.randrange(1, 3)),
    ]
    with contextlib.suppress(VshellError):
        rng.choice(actions)()


@pytest.mark.parametrize("seed", range(6))
def test_every_state_there_was_is_a_commit(ws: Workspace, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    states: list[Tree] = []
    for _ in range(3):
        for _ in range(25):
            change_at_random(ws, rng)
            found = tree(ws)
            if found != (states[-1] if states else {}):
                states.append(found)
        ws.export_git(tmp_path / "out.git")
    out = tmp_path / "out.git"
    made = commits(out)
    assert len(made) == len(states)
    for state, made_commit in rng.sample(list(zip(states, made, strict=True)), 8):
        assert git_tree(out, made_commit) == state
    assert git_tree(out, "main") == states[-1]
    fsck(out)


def test_a_second_export_goes_on_where_the_first_ended(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", "1")
    first = ws.export_git(tmp_path / "out.git")
    assert ws.export_git(tmp_path / "out.git").commits == 0
    ws.write("/a", "2")
    ws.write("/b", "2")
    second = ws.export_git(tmp_path / "out.git")
    assert (first.commits, second.commits) == (1, 2)
    assert commits(tmp_path / "out.git")[0] == first.commit
    fsck(tmp_path / "out.git")


def test_exporting_at_once_or_in_parts_gives_the_same_commits(
    ws: Workspace, tmp_path: Path
) -> None:
    rng = random.Random(7)
    for _ in range(4):
        for _ in range(10):
            change_at_random(ws, rng)
        ws.export_git(tmp_path / "parts.git")
    ws.export_git(tmp_path / "whole.git")
    assert commits(tmp_path / "parts.git") == commits(tmp_path / "whole.git")


def test_since_makes_one_commit_of_what_was_before(ws: Workspace, tmp_path: Path) -> None:
    for number in range(5):
        ws.write(f"/{number}", "1")
    assert ws.export_git(tmp_path / "out.git", since=3).commits == 3
    assert [subject for _, _, subject in log(tmp_path / "out.git")] == [
        "The workspace at revision 3",
        "write /3",
        "write /4",
    ]
    for number in range(5, 9):
        ws.write(f"/{number}", "1")
    ws.export_git(tmp_path / "out.git", since=8)
    assert [subject for _, _, subject in log(tmp_path / "out.git")][3:] == [
        "write 3 paths",
        "write /8",
    ]
    with pytest.raises(RangeError):
        ws.export_git(tmp_path / "out.git", since=10)


def test_revisions_of_one_session_in_a_row_can_be_one_commit(ws: Workspace, tmp_path: Path) -> None:
    for name in ("ann", "ann", "bob", "ann", "ann"):
        ws.session(name).append("/a", "x")
    ws.export_git(tmp_path / "out.git", group_by="session")
    assert [author for author, _, _ in log(tmp_path / "out.git")] == ["ann", "bob", "ann"]
    assert ws.export_git(tmp_path / "all.git", group_by="all").commits == 1
    assert git_tree(tmp_path / "all.git", "main") == tree(ws)


def test_forgotten_history_begins_with_the_oldest_state_that_is_known(
    ws: Workspace, tmp_path: Path
) -> None:
    for number in range(4):
        ws.write(f"/{number}", "1")
    ws.export_git(tmp_path / "early.git")
    for number in range(4, 8):
        ws.write(f"/{number}", "1")
    ws.gc(keep_revisions=2)
    assert ws.export_git(tmp_path / "late.git").commits == 3
    assert git_tree(tmp_path / "late.git", "main") == tree(ws)
    with pytest.raises(NotFoundError, match="history") as caught:
        ws.export_git(tmp_path / "early.git")
    assert ws.export_git(tmp_path / "early.git", since=caught.value.data["first"]).commits == 3
    assert git_tree(tmp_path / "early.git", "main") == tree(ws)


def test_what_git_does_not_allow_is_skipped_with_a_reason(ws: Workspace, tmp_path: Path) -> None:
    for path in ("/.git/config", "/d/.GIT/x", "/git~1/x", "/.g\u200cit/x", "/a\\.git/x"):
        ws.write(path, "hostile")
    ws.write("/.git ", "file")
    ws.symlink("x", "/.gitmodules")
    ws.write("/d/.gitmodules/x", "1")
    ws.write("/.gitattributes", "a" * 3000)
    ws.write("/d/.gitattributes/x", "1")
    ws.write("/.github/fine", "1")
    result = ws.export_git(tmp_path / "out.git")
    assert set(git_tree(tmp_path / "out.git", "main")) == {".github/fine"}
    assert {path for path, _ in result.skipped} == {
        "/.git",
        "/.git ",
        "/d/.GIT",
        "/git~1",
        "/.g\u200cit",
        "/a\\.git",
        "/.gitmodules",
        "/d/.gitmodules",
        "/.gitattributes",
        "/d/.gitattributes",
    }
    fsck(tmp_path / "out.git")


def test_a_file_that_is_too_large_is_skipped(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vshell.ops.git_trees.MAX_BLOB_BYTES", 1000)
    ws.write("/large", "x" * 1001)
    ws.write("/small", "x" * 1000)
    result = ws.export_git(tmp_path / "out.git")
    assert [path for path, _ in result.skipped] == ["/large"]
    assert set(git_tree(tmp_path / "out.git", "main")) == {"small"}


@pytest.mark.parametrize("name", ["a\nb <c>", "<>", " . ", "", "ünï", "x\0y\ttab"])
def test_any_session_can_be_an_author(ws: Workspace, tmp_path: Path, name: str) -> None:
    ws.session(name).write("/new\nline\nVshell-Revision: 99", "1")
    ws.export_git(tmp_path / "out.git")
    ws.session(name).write("/b", "1")
    assert ws.export_git(tmp_path / "out.git").commits == 1
    fsck(tmp_path / "out.git")


def test_a_branch_of_somebody_else_is_not_touched(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("1")
    head = commit(source, "one")
    ws.write("/a", "1")
    with pytest.raises(ConflictError, match="checked out"):
        ws.export_git(source)
    git(source, "branch", "other")
    with pytest.raises(ConflictError, match="export"):
        ws.export_git(source, branch="other")
    assert commits(source, "other") == [head]
    ws.export_git(source, branch="agent/one")
    assert git_tree(source, "agent/one") == tree(ws)
    fsck(source)


def test_another_workspace_does_not_go_on_with_a_branch(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", "1")
    ws.export_git(tmp_path / "out.git")
    with Workspace.memory() as other:
        with pytest.raises(ConflictError, match="only 0"):
            other.export_git(tmp_path / "out.git")
        other.write("/a", "other")
        with pytest.raises(ConflictError, match="other files"):
            other.export_git(tmp_path / "out.git")


def test_a_directory_that_is_no_repository_stays_what_it_is(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("1")
    ws.write("/a", "1")
    with pytest.raises(NotEmptyError):
        ws.export_git(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("branch", ["", "a..b", "-x", "a b", "a.lock", "\udcff", "/a"])
def test_an_impossible_branch_is_refused(ws: Workspace, tmp_path: Path, branch: str) -> None:
    with pytest.raises(InvalidPathError, match="branch"):
        ws.export_git(tmp_path / "out.git", branch=branch)
    assert not (tmp_path / "out.git").exists()


def test_an_empty_workspace_has_nothing_to_commit(ws: Workspace, tmp_path: Path) -> None:
    result = ws.export_git(tmp_path / "out.git")
    assert (result.commit, result.commits) == (None, 0)
    ws.write("/a", "1")
    ws.rm("/a")
    assert ws.export_git(tmp_path / "out.git").commits == 2
    fsck(tmp_path / "out.git")


def test_what_was_exported_can_be_imported_with_its_history(ws: Workspace, tmp_path: Path) -> None:
    rng = random.Random(3)
    for number in range(25):
        change_at_random(ws.session(f"agent {number % 3}"), rng)  # type: ignore[arg-type]
    ws.export_git(tmp_path / "out.git")
    with Workspace.memory() as other:
        other.import_git(tmp_path / "out.git", history=True)
        assert tree(other) == tree(ws)
        assert {row.session for row in other.changes()} <= {"agent 0", "agent 1", "agent 2"}
