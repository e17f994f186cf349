"""Commits into the workspace and its history into commits, judged by the real git."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import (
    ConflictError,
    CorruptError,
    InvalidPathError,
    IsDirectoryError,
    NotEmptyError,
    NotFoundError,
    RangeError,
    UnavailableError,
    VshellError,
)

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "core.quotePath",
    "GIT_CONFIG_VALUE_1": "false",
}

ODD_NAMES = [
    "plain",
    "with space",
    "new\nline",
    'tab\tand "quotes"',
    "back\\slash",
    "ünïcode",
    "b\udce4d",
    "-dash",
    "a.b",
    "a-b",
    "a/b",
    "a0",
    ".gitignore",
    ".gitattributes",
    "x" * 255,
]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    clock = iter(range(1_700_000_000, 1_800_000_000))
    with Workspace.memory(now=lambda: next(clock) * 10**9) as workspace:
        yield workspace


def git(
    directory: Path, *words: str, data: bytes = b"", environment: dict[str, str] | None = None
) -> bytes:
    done = subprocess.run(
        ["git", *words],
        cwd=directory,
        env=ENVIRONMENT | (environment or {}),
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def git_text(directory: Path, *words: str) -> str:
    return git(directory, *words).decode("utf-8", "surrogateescape").strip()


def commit(
    directory: Path, message: str, *, author: str = "Ann", seconds: int = 1_600_000_000
) -> str:
    git(directory, "add", "-A")
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", author),
            ("EMAIL", "a@example.invalid"),
            ("DATE", f"{seconds} +0200"),
        )
    }
    git(directory, "commit", "-q", "--allow-empty", "-m", message, environment=who)
    return git_text(directory, "rev-parse", "HEAD")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return an empty repository with a working tree."""
    directory = tmp_path / "source"
    directory.mkdir()
    git(directory, "init", "-q")
    return directory


Tree = dict[str, tuple[str, bool, bytes]]


def tree(ws: Workspace, at: str = "/") -> Tree:
    """Return the files and links below a directory, as git would see them."""
    found: Tree = {}
    for entry in ws.files.walk_details(at):
        stat = ws.lstat(entry.path)
        name = entry.path.removeprefix(at).lstrip("/")
        if stat.kind == "file":
            found[name] = ("file", bool(stat.mode & 0o100), ws.read_bytes(entry.path))
        elif stat.kind == "symlink":
            target = ws.readlink(entry.path).encode("utf-8", "surrogateescape")
            found[name] = ("symlink", False, target)
    return found


def git_tree(directory: Path, commit: str) -> Tree:
    """Return the same of a commit."""
    found: Tree = {}
    for line in git(directory, "ls-tree", "-rz", commit).split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, kind, sha = head.decode().split()
        assert kind == "blob"
        data = git(directory, "cat-file", "blob", sha)
        path = name.decode("utf-8", "surrogateescape")
        found[path] = ("symlink" if mode == "120000" else "file", mode == "100755", data)
    return found


def write_host_tree(directory: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        if name == "a/b":
            continue
        path = directory / name
        path.write_bytes(b"content %d\n" % number)
    (directory / "d" / "e").mkdir(parents=True)
    (directory / "d" / "e" / "run").write_text("#!/bin/sh\n")
    (directory / "d" / "e" / "run").chmod(0o755)
    (directory / "d" / "binary").write_bytes(bytes(range(256)) * 2000)
    (directory / "d" / "empty").touch()
    (directory / "link").symlink_to("d/e/run")
    (directory / "dangling").symlink_to("/no/such\udcff")


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


def git_text_of(directory: Path, words: list[str], data: bytes) -> str:
    return git(directory, *words, data=data).decode().strip()


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
