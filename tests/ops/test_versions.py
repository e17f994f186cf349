"""A change that names what it is meant for is refused on anything else, and says why."""

from __future__ import annotations

import contextlib
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from vshell import Session, Workspace
from vshell.errors import NotReadError, StaleError
from vshell.ops.catalog import OPERATIONS

WRITING: Final = [each.name for each in OPERATIONS if each.kind == "write"]

Change = Callable[[Session, Any], object]

# Each is called with the version of `/a`, or a mapping with it.
OF_PATHS: dict[str, Change] = {
    "write": lambda ws, version: ws.write("/a", "new", expected_version=version),
    "append": lambda ws, version: ws.append("/a", "new", expected_version=version),
    "edit": lambda ws, version: ws.edit(
        "/a", [{"old": "two", "new": "2"}], expected_version=version
    ),
    "truncate": lambda ws, version: ws.truncate("/a", 1, expected_version=version),
    "chmod": lambda ws, version: ws.chmod("/a", 0o600, expected_version=version),
    "utime": lambda ws, version: ws.utime("/a", mtime_ns=1, expected_version=version),
    "mv": lambda ws, version: ws.mv("/a", "/b", expected_version=version),
    "rm": lambda ws, version: ws.rm("/a", expected_version=version),
    "cp": lambda ws, version: ws.cp("/source", "/a", expected_version=version),
    "link": lambda ws, version: ws.link("/a", "/b", expected_version=version),
    "patch": lambda ws, version: ws.patch(
        "--- a/source\n+++ b/source\n@@ -1 +1 @@\n-source\n+patched\n",
        expected_version={"/a": version},
    ),
    "apply": lambda ws, version: ws.apply(
        [{"op": "write", "path": "/b", "data": "new"}], expected_version={"a": version}
    ),
}

# Nothing may be there, or a directory: `/d` of the first revision.
OF_PLACES: dict[str, Change] = {
    "mkdir": lambda ws, version: ws.mkdir(
        "/d" if version else "/new", exist_ok=True, mode=0o700, expected_version=version
    ),
    "symlink": lambda ws, version: ws.symlink("/a", "/new", expected_version=version),
}


def _import(ws: Session, version: Any) -> object:
    return ws.import_directory("tree", "/in", expected_version=version)


def _import_archive(ws: Session, version: Any) -> object:
    with zipfile.ZipFile("tree.zip", "w") as archive:
        archive.writestr("file", "text")
    return ws.import_archive("tree.zip", "/in", expected_version=version)


def _commit(tree: str) -> str:
    """Make a tree of the host a repository with one commit, unless it is one."""
    if not Path(tree, ".git").exists():
        who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run(["git", *who, *words], cwd=tree, check=True)
    return tree


def _import_git(ws: Session, version: Any) -> object:
    pytest.importorskip("dulwich")
    _commit("tree")
    return ws.import_git("tree", destination="/in", expected_version=version)


# Each is called with a revision of the workspace, or a mapping of paths.
OF_REVISIONS: dict[str, Change] = {
    "restore": lambda ws, version: ws.restore(2, expected_version=version),
    "undo": lambda ws, version: ws.undo(expected_version=version),
    "redo": lambda ws, version: ws.redo(expected_version=version),
    "apply": lambda ws, version: ws.apply(
        [{"op": "write", "path": "/b", "data": "new"}], expected_version=version
    ),
    "patch": lambda ws, version: ws.patch(
        "--- a/source\n+++ b/source\n@@ -1 +1 @@\n-source\n+patched\n", expected_version=version
    ),
    "import_directory": _import,
    "import_archive": _import_archive,
    "import_git": _import_git,
}
OF_REVISION_ALONE: dict[str, Change] = {
    "snapshot": lambda ws, version: ws.snapshot("name", expected_version=version),
}

# What does not take a version, and why.
WITHOUT: Final = {
    "check": "what it mends has no version that could be trusted",
    "delete_snapshot": "a name goes; every file and every other moment stays",
    "gc": "no file and no moment that is kept changes",
    "index": "what is found the faster is the same",
    "keep_history": "a setting, which says what holds from now on",
    "vacuum": "the same rows take less space",
}


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def filled(ws: Workspace, tmp_path: Path) -> Workspace:
    """`/a` has the content `two` and the version 3; an undo of it is the last revision."""
    with ws.transaction():
        ws.write("/a", "one")
        ws.write("/source", "source\n")
        ws.mkdir("/d")
    ws.write("/a", "half")
    ws.write("/a", "two")
    ws.write("/a", "three")
    ws.undo()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("text")
    return ws


def test_every_operation_that_changes_something_takes_a_version() -> None:
    taking = {
        each.name
        for each in OPERATIONS
        if any(parameter.name == "expected_version" for parameter in each.parameters)
    }
    assert taking | WITHOUT.keys() == set(WRITING)
    assert not taking & WITHOUT.keys()
    tried = OF_PATHS | OF_PLACES | OF_REVISIONS | OF_REVISION_ALONE
    assert taking == tried.keys(), "try each of them here"


@pytest.mark.parametrize("name", OF_PATHS)
def test_a_stale_version_is_refused_and_changes_nothing(filled: Workspace, name: str) -> None:
    ws = filled
    actual, revision = ws.stat("/a").version, ws.files.revision()
    with pytest.raises(StaleError) as caught:
        OF_PATHS[name](ws, 1)
    assert caught.value.data == {"expected": 1, "actual": actual}
    assert ws.read_text("/a") == "two"
    assert ws.files.revision() == revision


@pytest.mark.parametrize("name", OF_PATHS)
def test_the_version_that_is_there_is_accepted(filled: Workspace, name: str) -> None:
    revision = filled.files.revision()
    OF_PATHS[name](filled, filled.stat("/a").version)
    assert filled.files.revision() == revision + 1


@pytest.mark.parametrize("name", OF_PLACES)
def test_a_place_that_is_not_as_expected_is_refused(filled: Workspace, name: str) -> None:
    revision = filled.files.revision()
    with pytest.raises(StaleError) as caught:
        OF_PLACES[name](filled, 7)
    assert caught.value.data["expected"] == 7
    assert filled.files.revision() == revision
    OF_PLACES[name](filled, 0)
    assert filled.files.revision() == revision + 1


@pytest.mark.parametrize("name", OF_REVISIONS | OF_REVISION_ALONE)
def test_a_workspace_that_went_on_is_refused(filled: Workspace, name: str) -> None:
    ws, change = filled, (OF_REVISIONS | OF_REVISION_ALONE)[name]
    revision = ws.files.revision()
    with pytest.raises(StaleError) as caught:
        change(ws, revision - 1)
    assert caught.value.data == {"expected": revision - 1, "actual": revision}
    assert (ws.files.revision(), ws.snapshots()) == (revision, ())
    change(ws, revision)
    assert ws.files.revision() == revision + 1 or len(ws.snapshots()) == 1


@pytest.mark.parametrize("name", OF_REVISIONS)
def test_paths_that_are_not_as_expected_are_refused(filled: Workspace, name: str) -> None:
    version, revision = filled.stat("/a").version, filled.files.revision()
    with pytest.raises(StaleError) as caught:
        OF_REVISIONS[name](filled, {"/missing": 0, "a": version + 1})
    assert caught.value.data == {"expected": version + 1, "actual": version}
    assert filled.files.revision() == revision
    OF_REVISIONS[name](filled, {"/missing": 0, "a": version})
    assert filled.files.revision() == revision + 1


@pytest.mark.parametrize("name", ["cp", "mv", "link"])
def test_both_paths_can_be_named(filled: Workspace, name: str) -> None:
    source, destination = filled.stat("/source").version, filled.stat("/a").version
    change = getattr(filled, name)
    target = "/new" if name == "link" else "/a"
    there = 0 if name == "link" else destination
    for expected in ({"/source": source, target: 9}, {"/source": 9, target: there}):
        with pytest.raises(StaleError):
            change("/source", target, expected_version=expected)
    change("/source", target, expected_version={"/source": source, target: there})
    assert filled.read_text(target) == "source\n"


@pytest.mark.parametrize("name", [each for each in OF_PATHS if each not in ("apply", "patch")])
def test_a_member_of_a_batch_has_its_own_version(filled: Workspace, name: str) -> None:
    calls: dict[str, dict[str, object]] = {
        "write": {"data": "x"},
        "append": {"data": "x"},
        "edit": {"edits": [{"old": "two", "new": "2"}]},
        "truncate": {"size": 1},
        "chmod": {"mode": 0o600},
        "utime": {},
        "rm": {},
        "mv": {"src": "/a", "dst": "/b"},
        "cp": {"src": "/source", "dst": "/a"},
        "link": {"source": "/a", "path": "/b"},
    }
    call = {"op": name, "path": "/a", **calls[name]}
    if name in ("mv", "cp"):
        del call["path"]
    with pytest.raises(StaleError) as caught:
        filled.apply([call | {"expected_version": 1}])
    assert caught.value.data["index"] == 0
    filled.apply([call | {"expected_version": filled.stat("/a").version}])


def test_version_zero_means_that_nothing_may_be_there(ws: Workspace) -> None:
    ws.write("/a", "1", expected_version=0)
    with pytest.raises(StaleError):
        ws.write("/a", "2", expected_version=0)
    ws.append("/b", "1", expected_version=0)


def test_a_merge_can_expect_what_the_parent_is_at(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", "1")
    with ws.fork(tmp_path / "fork.db") as fork:
        fork.write("/b", "2")
        ws.write("/c", "3")
        with pytest.raises(StaleError):
            fork.merge_into(ws, expected_version=1)
        assert not ws.exists("/b")
        fork.merge_into(ws, expected_version=2)
    assert ws.read_text("/b") == "2"


# What was read.

Unread = Callable[[Session], object]

REPLACING: dict[str, Unread] = {
    "write": lambda me: me.write("/a", "mine"),
    "edit": lambda me: me.edit("/a", [{"old": "two", "new": "mine"}]),
    "truncate": lambda me: me.truncate("/a", 0),
    "patch": lambda me: me.patch("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-two\n+mine\n"),
    "cp": lambda me: me.cp("/source", "/a"),
    "mv": lambda me: me.mv("/source", "/a"),
    "apply": lambda me: me.apply([{"op": "write", "path": "/a", "data": "mine"}]),
    "restore": lambda me: me.restore(1),
    "import_directory": lambda me: me.import_directory("in"),
    "import_archive": lambda me: me.import_archive("in.zip"),
    "import_git": lambda me: me.import_git(_commit("in")),
}

# What replaces no content that was not read, and why.
LOSING_NOTHING: Final = WITHOUT | {
    "append": "what is there stays",
    "chmod": "the content stays",
    "utime": "the content stays",
    "link": "it replaces nothing",
    "mkdir": "it replaces nothing",
    "symlink": "it replaces nothing",
    "snapshot": "it changes no file",
    "rm": "that it removes is what it says, and not that it replaces",
    "undo": "it takes back what the session did itself, or what `force` says",
    "redo": "it takes an undo back",
}


@pytest.fixture
def unread(ws: Workspace, tmp_path: Path) -> Workspace:
    """A file `/a` that a session has not read, and a tree of the host that would replace it."""
    ws.write("/a", "one\n")
    ws.write("/a", "two\n")
    ws.write("/source", "source\n")
    tree = tmp_path / "in"
    tree.mkdir()
    (tree / "a").write_text("mine\n")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tree / "a", "a")
    return ws


def test_every_operation_that_changes_something_is_held_to_reading_or_loses_nothing() -> None:
    assert REPLACING.keys() | LOSING_NOTHING.keys() == set(WRITING)
    assert not REPLACING.keys() & LOSING_NOTHING.keys()


@pytest.mark.parametrize("name", REPLACING)
def test_what_was_not_read_is_not_replaced(unread: Workspace, name: str) -> None:
    if name == "import_git":
        pytest.importorskip("dulwich")
    me = unread.session("me", require_read=True)
    revision = unread.files.revision()
    with pytest.raises(NotReadError, match="/a"):
        REPLACING[name](me)
    assert unread.files.revision() == revision
    me.read("/a")
    unread.write("/a", "yours\n")
    with pytest.raises(StaleError) as caught:
        REPLACING[name](me)
    assert caught.value.data["expected"] != caught.value.data["actual"]
    unread.write("/a", "two\n")
    me.read("/a")
    if name == "restore":
        me.read("/source")
    REPLACING[name](me)


@pytest.mark.parametrize("name", REPLACING)
def test_what_a_session_put_there_itself_it_may_replace(unread: Workspace, name: str) -> None:
    me = unread.session("me", require_read=True)
    me.read("/a")
    me.append("/a", "")
    me.append("/a", "more\n")
    me.write("/a", "two\n")
    me.truncate("/a", 4)
    if name == "restore":
        me.read("/source")
    REPLACING[name](me)


def test_adding_to_a_file_is_no_reading_of_it(unread: Workspace) -> None:
    me = unread.session("me", require_read=True)
    me.append("/a", "mine\n")
    with pytest.raises(NotReadError):
        me.write("/a", "mine")
    me.append("/new", "mine\n")
    me.write("/new", "mine again\n")


def test_what_was_read_is_still_known_after_it_moved(unread: Workspace) -> None:
    unread.write("/d/b", "text")
    me = unread.session("me", require_read=True)
    me.read("/a")
    me.read("/d/b")
    me.mv("/a", "/moved")
    me.mv("/d", "/e")
    me.write("/moved", "mine")
    me.write("/e/b", "mine")
    unread.write("/a", "another")
    with pytest.raises(NotReadError):
        me.write("/a", "mine")


def test_a_link_can_be_replaced_unread(unread: Workspace) -> None:
    unread.symlink("/a", "/l")
    me = unread.session("me", require_read=True)
    me.mv("/source", "/l")
    assert unread.read_text("/a") == "two\n"


def test_what_is_new_needs_no_reading(unread: Workspace) -> None:
    me = unread.session("me", require_read=True)
    me.write("/new", "text")
    me.cp("/source", "/copy")
    me.mv("/source", "/moved")
    me.mv("/moved", "/moved")


def test_an_undone_transaction_was_no_reading(unread: Workspace) -> None:
    me = unread.session("me", require_read=True)
    with contextlib.suppress(KeyError), me.transaction():
        me.read("/a")
        me.write("/a", "mine")
        raise KeyError
    with pytest.raises(NotReadError):
        me.write("/a", "mine")


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
