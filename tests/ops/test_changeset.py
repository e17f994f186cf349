"""What a part of the history comes to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.patch_trees import (
    Leaf,
    Tree,
    git_apply,
    put_host_tree,
    put_tree,
    read_host_tree,
    read_tree,
)
from vshell.errors import NotFoundError, VshellError
from vshell.ops.changeset import FileChange, combined_patch, net_changes, net_changes_after
from vshell.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def outline(changes: tuple[FileChange, ...]) -> list[tuple[str, str | None, str]]:
    return [(change.action, change.old_path, change.path) for change in changes]


_PATHS = ("/a", "/b", "/d", "/d/x", "/d/y", "/d/e", "/d/e/z", "/f", "/f/x")


def act(ws: Workspace, chooser: random.Random) -> None:
    """Do something, or fail to, as it may happen."""
    path, other = chooser.choice(_PATHS), chooser.choice(_PATHS)
    actions = (
        lambda: ws.write(path, f"{chooser.randrange(3)}\n" * chooser.randrange(6)),
        lambda: ws.append(path, f"{chooser.randrange(3)}\n"),
        lambda: ws.mkdir(path, parents=True),
        lambda: ws.mv(path, other),
        lambda: ws.mv(path, other),
        lambda: ws.cp(path, other, recursive=True),
        lambda: ws.rm(path, recursive=True),
        lambda: ws.chmod(path, chooser.choice((0o644, 0o755))),
        lambda: ws.utime(path),
        lambda: ws.symlink(other, path),
    )
    with suppress(VshellError):
        chooser.choice(actions)()


_State = tuple[str, str, str | None, int]


def inventory(ws: Workspace) -> dict[int, _State]:
    """Return path, kind, hash and mode of everything, by the inode, which never changes."""
    found: dict[int, _State] = {}
    for entry in ws.files.walk("/"):
        stat = ws.lstat(entry.path)
        found[stat.inode] = (entry.path, stat.kind, stat.hash, stat.mode)
    return found


def difference(before: dict[int, _State], after: dict[int, _State]) -> set[FileChange]:
    """Work out from two inventories what `net_changes` should say."""
    found = set()
    gone = {before[inode][:2]: before[inode] for inode in before.keys() - after.keys()}
    for inode, (path, kind, content, mode) in after.items():
        old = before.get(inode) or gone.pop((path, kind), None)
        if old is None:
            found.add(FileChange(path, None, None, content, None, mode, kind))  # type: ignore[arg-type]
        elif old != (path, kind, content, mode):
            old_path = old[0] if old[0] != path else None
            found.add(FileChange(path, old_path, old[2], content, old[3], mode, kind))  # type: ignore[arg-type]
    for path, kind, content, mode in gone.values():
        found.add(FileChange(path, None, content, None, mode, None, kind))  # type: ignore[arg-type]
    return found


@settings(max_examples=200)
@given(st.integers(0, 1 << 32), st.integers(0, 12), st.integers(0, 12))
def test_net_changes_are_what_two_inventories_show(seed: int, earlier: int, later: int) -> None:
    chooser = random.Random(seed)
    with Workspace.memory() as ws:
        for _ in range(earlier):
            act(ws, chooser)
        since, before = ws.files.revision(), inventory(ws)
        for _ in range(later):
            act(ws, chooser)
        assert set(net_changes(ws, since)) == difference(before, inventory(ws))


@settings(max_examples=200)
@given(st.integers(0, 1 << 32))
def test_net_changes_up_to_a_revision_stay_what_they_were_then(seed: int) -> None:
    chooser = random.Random(seed)
    with Workspace.memory() as ws:
        for _ in range(8):
            act(ws, chooser)
        since = ws.files.revision()
        for _ in range(6):
            act(ws, chooser)
        until, then = ws.files.revision(), net_changes(ws, since)
        for _ in range(8):
            act(ws, chooser)
        assert net_changes(ws, since, until) == then


@settings(max_examples=200)
@given(st.integers(0, 1 << 32))
def test_the_combined_patch_makes_the_state_after_of_the_state_before(seed: int) -> None:
    chooser = random.Random(seed)
    with Workspace.memory() as ws, Workspace.memory() as other:
        for _ in range(12):
            act(ws, chooser)
        since, before = ws.files.revision(), read_tree(ws, "/")
        for _ in range(12):
            act(ws, chooser)
        patch = combined_patch(ws, net_changes(ws, since))
        put_tree(other, "/", before)
        other.patch(patch)
        assert read_tree(other, "/") == read_tree(ws, "/")


def _has_link_in_the_way(before: Tree, after: Tree) -> bool:
    links = [path for path, leaf in before.items() if leaf.link]
    return any(path.startswith(link + "/") for link in links for path in after)


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 32))
def test_git_takes_the_combined_patch(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chooser = random.Random(seed)
    directory = tmp_path_factory.getbasetemp() / "combined"
    with Workspace.memory() as ws:
        for _ in range(12):
            act(ws, chooser)
        since, before = ws.files.revision(), read_tree(ws, "/")
        for _ in range(12):
            act(ws, chooser)
        after = read_tree(ws, "/")
        patch = combined_patch(ws, net_changes(ws, since))
    if patch and not _has_link_in_the_way(before, after):  # git looks where the link leads
        put_host_tree(directory, before)
        git_apply(directory, patch)
        assert read_host_tree(directory) == after


def test_what_is_changed_back_is_no_change(ws: Workspace) -> None:
    ws.write("/a", "1\n")
    since = ws.files.revision()
    ws.write("/a", "2\n")
    ws.mv("/a", "/b")
    ws.rm("/b")
    ws.write("/a", "1\n")
    assert net_changes(ws, since) == ()


def test_a_renamed_directory_renames_the_files_that_nobody_touched(ws: Workspace) -> None:
    ws.write("/d/e/x", "x\n")
    ws.write("/d/y", "y\n")
    since = ws.files.revision()
    ws.mv("/d", "/new")
    ws.write("/new/y", "z\n")
    assert outline(net_changes(ws, since)) == [
        ("rename", "/d", "/new"),
        ("rename", "/d/e", "/new/e"),
        ("rename", "/d/e/x", "/new/e/x"),
        ("rename", "/d/y", "/new/y"),
    ]


def test_files_that_changed_places_are_two_renames_and_two_modifications_in_the_patch(
    ws: Workspace,
) -> None:
    ws.write("/a", "a\n")
    ws.write("/b", "b\n")
    since = ws.files.revision()
    ws.mv("/a", "/t")
    ws.mv("/b", "/a")
    ws.mv("/t", "/b")
    changes = net_changes(ws, since)
    assert outline(changes) == [("rename", "/b", "/a"), ("rename", "/a", "/b")]
    assert "rename" not in combined_patch(ws, changes)


def test_what_was_replaced_by_something_from_elsewhere_is_gone(ws: Workspace) -> None:
    ws.write("/a", "a\n")
    ws.write("/b", "b\n")
    since = ws.files.revision()
    ws.mv("/a", "/b")
    assert outline(net_changes(ws, since)) == [("delete", None, "/b"), ("rename", "/a", "/b")]


def test_a_file_that_became_a_link_is_two_changes(ws: Workspace) -> None:
    ws.write("/a", "a\n")
    since = ws.files.revision()
    ws.rm("/a")
    ws.symlink("elsewhere", "/a")
    changes = net_changes(ws, since)
    assert [(change.action, change.kind) for change in changes] == [
        ("delete", "file"),
        ("create", "symlink"),
    ]


def test_the_open_transaction_counts(ws: Workspace) -> None:
    since = ws.files.revision()
    with ws.transaction():
        ws.write("/a", "a\n")
        assert outline(net_changes(ws, since)) == [("create", None, "/a")]


def test_a_position_tells_apart_what_one_transaction_does(ws: Workspace) -> None:
    with ws.transaction():
        ws.write("/a", "a\n")
        position = ws.files.journal_position()
        ws.write("/b", "b\n")
        assert outline(net_changes_after(ws, position)) == [("create", None, "/b")]


def test_a_mode_is_a_change_of_its_own(ws: Workspace) -> None:
    ws.write("/a", "a\n")
    since = ws.files.revision()
    ws.chmod("/a", 0o755)
    changes = net_changes(ws, since)
    assert outline(changes) == [("mode", None, "/a")]
    assert combined_patch(ws, changes) == ("diff --git a/a b/a\nold mode 100644\nnew mode 100755\n")


def test_a_change_tells_its_action_as_data(ws: Workspace) -> None:
    ws.write("/a", "a\n")
    [change] = net_changes(ws, 0)
    assert change.as_dict()["action"] == "create"


def test_a_patch_of_collected_content_says_what_is_missing(ws: Workspace) -> None:
    ws.write("/a", "one\n")
    since = ws.files.revision()
    ws.write("/a", "two\n")
    changes = net_changes(ws, since)
    ws.gc(keep_revisions=0)
    with pytest.raises(NotFoundError, match="not in the workspace any more") as caught:
        combined_patch(ws, changes)
    assert caught.value.filename == "/a"


def test_a_forgotten_part_of_the_history_is_no_empty_one(ws: Workspace) -> None:
    ws.write("/a", "one\n")
    ws.write("/a", "two\n")
    ws.write("/a", "three\n")
    ws.gc(keep_revisions=1)
    assert outline(net_changes(ws, 2)) == [("modify", None, "/a")]
    with pytest.raises(NotFoundError, match="does not reach revision 1"):
        net_changes(ws, 1)


def test_large_content_is_named_and_not_loaded(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/a", b"x\n")
    since = ws.files.revision()
    ws.truncate("/a", 1 << 30)
    patch = combined_patch(ws, net_changes(ws, since))
    assert patch == "diff --git a/a b/a\nBinary files a/a and b/a differ\n"


def test_links_and_modes_are_in_the_patch(ws: Workspace) -> None:
    ws.write("/run", "#!\n")
    since = ws.files.revision()
    ws.chmod("/run", 0o755)
    ws.symlink("run", "/link")
    patch = combined_patch(ws, net_changes(ws, since))
    with Workspace.memory() as other:
        other.write("/run", "#!\n")
        other.patch(patch)
        assert read_tree(other, "/") == {
            "run": Leaf(b"#!\n", executable=True),
            "link": Leaf(b"run", link=True),
        }
