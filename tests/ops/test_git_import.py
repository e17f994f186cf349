"""Commits of a repository come into the workspace, as the real git shows them."""

from __future__ import annotations

import contextlib
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.git_repositories import (
    commit,
    git,
    git_text,
    git_text_of,
    git_tree,
    tree,
    write_host_tree,
)
from vshell import Workspace
from vshell.errors import (
    ConflictError,
    CorruptError,
    IsDirectoryError,
    NotFoundError,
    UnavailableError,
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


# Import.


def test_the_files_of_a_commit_are_imported(ws: Workspace, source: Path) -> None:
    write_host_tree(source)
    head = commit(source, "one")
    result = ws.import_git(source)
    assert tree(ws) == git_tree(source, head)
    assert (result.commit, result.commits, result.skipped) == (head, 1, ())
    assert result.files + result.symlinks == len(tree(ws))
    assert {change.revision for change in ws.changes()} == {1}
    assert ws.check().ok


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", "v1", "light", "{hash}", "{short}"])
def test_a_commit_is_found_by_branch_tag_or_hash(ws: Workspace, source: Path, ref: str) -> None:
    (source / "a").write_text("1")
    head = commit(source, "one")
    git(source, "tag", "light")
    git(source, "-c", "user.name=x", "-c", "user.email=y", "tag", "-a", "v1", "-m", "one")
    assert ws.import_git(source, ref=ref.format(hash=head, short=head[:10])).commit == head


def test_a_packed_and_bare_repository_is_read(ws: Workspace, source: Path, tmp_path: Path) -> None:
    write_host_tree(source)
    for number in range(5):
        (source / "d" / "binary").write_bytes(bytes(range(256)) * 2000 + b"%d" % number)
        head = commit(source, str(number))
    git(source, "clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    git(tmp_path / "bare.git", "gc", "-q", "--aggressive")
    ws.import_git(tmp_path / "bare.git")
    assert tree(ws) == git_tree(source, head)


def test_an_import_goes_to_a_directory_and_keeps_what_else_is_there(
    ws: Workspace, source: Path
) -> None:
    (source / "a").write_text("new")
    commit(source, "one")
    ws.write("/sub/a", "old")
    ws.write("/sub/mine", "mine")
    ws.import_git(source, destination="/sub")
    assert tree(ws) == {"sub/a": ("file", False, b"new"), "sub/mine": ("file", False, b"mine")}


def test_nothing_is_written_through_a_link_of_the_workspace(ws: Workspace, source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "a").write_text("new")
    (source / "b").write_text("new")
    commit(source, "one")
    ws.write("/kept/a", "old")
    ws.symlink("/kept/a", "/b")
    ws.import_git(source)
    assert ws.read_text("/kept/a") == "old"
    assert ws.lstat("/b").kind == "file"
    ws.rm("/d", recursive=True)
    ws.symlink("/kept", "/d")
    with pytest.raises(VshellError):
        ws.import_git(source)
    assert ws.read_text("/kept/a") == "old"


def test_a_failed_import_changes_nothing(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("1")
    commit(source, "one")
    (source / "b").write_text("1")
    commit(source, "two")
    ws.mkdir("/b")
    with pytest.raises(IsDirectoryError):
        ws.import_git(source, history=True)
    assert tree(ws) == {}


def test_each_commit_becomes_a_revision(ws: Workspace, source: Path) -> None:
    states = []
    for number, author in enumerate(["Ann", "Bob Ünï", "Ann"]):
        (source / "a").write_text(str(number))
        (source / f"new{number}").write_text(str(number))
        states.append(commit(source, str(number), author=author, seconds=1_500_000_000 + number))
    result = ws.import_git(source, history=True)
    assert (result.commits, result.revision) == (3, 3)
    rows = [(row.revision, row.session, row.time_ns, row.operation) for row in ws.changes()]
    assert sorted(set(rows)) == [
        (1, "Ann", 1_500_000_000 * 10**9, "import_git"),
        (2, "Bob Ünï", 1_500_000_001 * 10**9, "import_git"),
        (3, "Ann", 1_500_000_002 * 10**9, "import_git"),
    ]
    for state in reversed(states):
        assert tree(ws) == git_tree(source, state)
        ws.undo()
    assert tree(ws) == {}


def test_a_history_with_all_kinds_of_changes_arrives(ws: Workspace, source: Path) -> None:
    write_host_tree(source)
    commit(source, "one")
    (source / "link").unlink()
    (source / "link").mkdir()
    (source / "link" / "inside").write_text("1")
    (source / "a-b").unlink()
    (source / "plain").chmod(0o755)
    commit(source, "link to directory")
    git(source, "mv", "d", "moved")
    commit(source, "rename")
    git(source, "rm", "-rq", "link")
    (source / "link").write_text("file")
    (source / "plain").unlink()
    (source / "plain").symlink_to("link")
    head = commit(source, "directory to file")
    result = ws.import_git(source, history=True)
    assert tree(ws) == git_tree(source, head)
    assert not ws.exists("/d")
    assert result.removed > 0
    assert ws.check().ok


def test_first_parents_are_followed_through_a_merge(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("1")
    commit(source, "one")
    git(source, "checkout", "-q", "-b", "side")
    for name in ("x", "y"):
        (source / name).write_text("1")
        commit(source, name)
    git(source, "checkout", "-q", "main")
    (source / "b").write_text("1")
    commit(source, "two")
    who = ["-c", "user.name=x", "-c", "user.email=y"]
    git(source, *who, "merge", "-q", "--no-edit", "side")
    assert ws.import_git(source, history=True).commits == 3
    assert set(tree(ws)) == {"a", "b", "x", "y"}


def test_a_shallow_clone_has_the_history_that_it_has(
    ws: Workspace, source: Path, tmp_path: Path
) -> None:
    for number in range(4):
        (source / "a").write_text(str(number))
        commit(source, str(number))
    git(source, "clone", "-q", "--depth=2", f"file://{source}", str(tmp_path / "shallow"))
    assert ws.import_git(tmp_path / "shallow", history=True).commits == 2


def test_a_history_needs_transactions_of_its_own(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("1")
    commit(source, "one")
    with ws.transaction(), pytest.raises(ConflictError, match="transaction"):
        ws.import_git(source, history=True)
    with ws.transaction():
        ws.import_git(source)


def hostile_commit(directory: Path, entries: list[tuple[str, bytes, bytes]]) -> None:
    """Make a commit of a tree that git itself would refuse to make."""
    tree = b""
    for mode, name, data in sorted(entries, key=lambda entry: entry[1]):
        words = ["hash-object", "-w", "--stdin"]
        sha = data.decode() if mode in ("40000", "160000") else git_text_of(directory, words, data)
        tree += mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha)
    root = git_text_of(
        directory, ["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], tree
    )
    made = f"tree {root}\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n".encode()
    head = git_text_of(directory, ["hash-object", "-t", "commit", "-w", "--stdin"], made)
    git(directory, "update-ref", "refs/heads/main", head)


def test_what_git_would_not_check_out_is_skipped(ws: Workspace, source: Path) -> None:
    (source / "inside").write_text("1")
    commit(source, "one")
    below = git_text(source, "rev-parse", "HEAD^{tree}").encode()
    hostile_commit(
        source,
        [
            ("100644", b"..", b"up"),
            ("100644", b".", b"here"),
            ("100644", b"a/../../b", b"slash"),
            ("40000", b".git", below),
            ("40000", b".GIT ", below),
            ("100644", b"git~1", b"short"),
            ("160000", b"submodule", b"1" * 40),
            ("120000", b"empty", b""),
            ("100644", b"x" * 300, b"long"),
            ("100644", b"fine", b"fine"),
        ],
    )
    ws.write("/b", "mine")
    result = ws.import_git(source, destination="/sub", history=True)
    assert set(tree(ws)) == {"b", "sub/fine"}
    assert result.skipped_total == 9
    assert ("submodule", "a submodule") in result.skipped


def test_what_was_skipped_is_not_removed_later(ws: Workspace, source: Path) -> None:
    hostile_commit(source, [("100644", b"../mine", b"up"), ("160000", b"module", b"1" * 40)])
    first = git_text(source, "rev-parse", "main")
    empty = git_text_of(source, ["mktree"], b"")
    made = f"tree {empty}\nparent {first}\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n"
    head = git_text_of(source, ["hash-object", "-t", "commit", "-w", "--stdin"], made.encode())
    git(source, "update-ref", "refs/heads/main", head)
    ws.write("/mine", "mine")
    ws.write("/sub/module", "mine")
    ws.import_git(source, destination="/sub", history=True)
    assert set(tree(ws)) == {"mine", "sub/module"}


def test_a_tree_that_stands_for_billions_of_files_is_skipped_where_it_is_too_deep(
    ws: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vshell.ops.git_import.MAX_ENTRIES", 5000)
    sha = git_text_of(source, ["hash-object", "-w", "--stdin"], b"x")
    kind, mode = "blob", "100644"
    for _ in range(10):
        lines = "".join(f"{mode} {kind} {sha}\tf{number}\n" for number in range(10))
        sha, kind, mode = git_text_of(source, ["mktree"], lines.encode()), "tree", "040000"
    made = f"tree {sha}\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n"
    head = git_text_of(source, ["hash-object", "-t", "commit", "-w", "--stdin"], made.encode())
    with pytest.raises(VshellError, match="5000 entries"):
        ws.import_git(source, ref=head)
    assert tree(ws) == {}


def test_a_damaged_repository_is_reported(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("1")
    commit(source, "one")
    blob = git_text(source, "rev-parse", "HEAD:a")
    path = source / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    other = zlib.compress(b"blob 1\0" + b"2")
    for damage in (b"", b"nonsense", path.read_bytes()[:5], other, zlib.compress(b"tree 0\0")):
        path.write_bytes(damage)
        with pytest.raises(CorruptError):
            ws.import_git(source)
    path.unlink()
    with pytest.raises(CorruptError, match="incomplete"):
        ws.import_git(source)
    assert tree(ws) == {}


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "tree {tree}\n\n",
        "author A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n",
        "tree {tree}\nauthor A <> 1 +0000\ncommitter A <> x +0000\n\nx\n",
        "tree {blob}\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n",
        "tree {tree}\nparent {blob}\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\nx\n",
    ],
)
def test_a_broken_commit_is_an_error_of_ours(
    ws: Workspace, source: Path, text: str, history: bool
) -> None:
    (source / "a").write_text("1")
    commit(source, "one")
    found = {
        "tree": git_text(source, "rev-parse", "HEAD^{tree}"),
        "blob": git_text(source, "rev-parse", "HEAD:a"),
    }
    words = ["hash-object", "-t", "commit", "--literally", "-w", "--stdin"]
    head = git_text_of(source, words, text.format(**found).encode())
    (source / ".git" / "refs" / "heads" / "bad").write_text(f"{head}\n")
    with contextlib.suppress(VshellError):
        ws.import_git(source, ref="bad", history=history)
    assert set(tree(ws)) <= {"a"}


def test_a_commit_of_any_time_and_author_is_imported(ws: Workspace, source: Path) -> None:
    empty = git_text_of(source, ["mktree"], b"")
    blob = git_text_of(source, ["hash-object", "-w", "--stdin"], b"1")
    full = git_text_of(source, ["mktree"], f"100644 blob {blob}\ta\n".encode())
    parent = ""
    for number, (who, time) in enumerate([("<>", -5), ("\udcff\t <>", 10**15), ("x" * 999, 0)]):
        tree_now = empty if number == 1 else full
        text = (
            f"tree {tree_now}\n{parent}author {who} {time} +0000\ncommitter {who} {time} +0000\n\n"
        )
        words = ["hash-object", "-t", "commit", "--literally", "-w", "--stdin"]
        head = git_text_of(source, words, text.encode("utf-8", "surrogateescape"))
        parent = f"parent {head}\n"
    (source / ".git" / "refs" / "heads" / "odd").write_text(f"{head}\n")
    ws.import_git(source, ref="odd", history=True)
    assert tree(ws) == {"a": ("file", False, b"1")}
    assert {change.session for change in ws.changes()} == {"git", "\ufffd", "x" * 200}
    assert ws.check().ok


def test_what_is_missing_is_said(ws: Workspace, source: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such commit"):
        ws.import_git(source)
    with pytest.raises(NotFoundError, match="no git repository"):
        ws.import_git(tmp_path)
    with pytest.raises(NotFoundError):
        ws.import_git(tmp_path / "missing")


def test_a_missing_extra_is_named(
    ws: Workspace, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "dulwich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dulwich", None)
    for call in (ws.import_git, ws.export_git):
        with pytest.raises(UnavailableError, match=r"pip install 'vshell\[git\]'"):
            call(source)
