"""An overlay behaves as the workspace would, holds no lock, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import ConflictError, NotFoundError, QuotaExceededError, VshellError
from vshell.fs.effects import apply_effects, effects_of, reads_of, require_unchanged, transfer
from vshell.fs.filesystem import FileSystem
from vshell.fs.overlay import Overlay
from vshell.fs.reads import ReadSet
from vshell.ops.context import Context
from vshell.ops.state import State


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as opened:
        opened.write("/src/a.py", "a = 1\n")
        opened.write("/src/b.py", "b = 2\n")
        opened.write("/docs/large.bin", bytes(range(256)) * 3000)
        opened.symlink("src/a.py", "/link")
        yield opened


@pytest.fixture
def overlay(workspace: Workspace) -> Iterator[Overlay]:
    made = Overlay(workspace.files.store.database.path)
    made.pin()
    yield made
    made.discard()
    made.close()


def tree_of(context: Context) -> dict[str, tuple[object, ...]]:
    """Return every path with what it is, and which others are the same file."""
    files = context.files
    found: dict[str, tuple[object, ...]] = {}
    groups: dict[int, str] = {}
    for entry in sorted(files.walk_details("/")):
        stat = files.stat(entry.path, follow=False)
        timed = entry.path.endswith((".tar", ".gz"))  # it holds times
        data = b"" if timed or stat.kind == "directory" else files.content(entry.content)
        same = groups.setdefault(entry.inode, entry.path)
        found[entry.path] = (stat.kind, stat.mode, stat.nlink, data, same)
    return found


def committed(workspace: Workspace, overlay: Overlay) -> None:
    effects = effects_of(overlay)
    with workspace.changing("run"):
        require_unchanged(workspace.files, overlay.base_revision, reads_of(overlay, effects))
        apply_effects(
            workspace.files, effects, lambda effect: transfer(overlay, workspace.files, effect)
        )


def do_everything(state: State) -> None:
    state.write_file("/src/new/deep.txt", "deep")
    state.append_file("/src/new/deep.txt", " and more")
    state.append_file("/docs/large.bin", b"end")
    state.write_file_bytes("/huge", b"x" * 700_000)
    state.append_file("/huge", b"y")
    state.rm("/src/b.py")
    state.mv("/src/a.py", "/moved.py")
    state.cp("/docs", "/copied", {"recursive": True})
    state.move_tree("/copied", "/copies/docs")
    state.symlink("../moved.py", "/src/link")
    state.mkdir("/empty/inside", {"recursive": True})
    state.create_archive("/all.tar", ["/docs", "/src"])
    state.extract_archive("/all.tar", "/unpacked")
    state.compress_file("/moved.py")
    state.write_json("/data.json", {"a": [1, 2]})
    state.update_json("/data.json", [{"op": "set", "path": ".a[0]", "value": 9}])
    state.replace_in_files("/**/*.py", "a", "z")
    state.remove_tree("/copies")


def test_an_overlay_shows_its_changes_and_the_workspace_does_not(
    workspace: Workspace, overlay: Overlay
) -> None:
    before = tree_of(workspace)
    state = State(Context(overlay))
    do_everything(state)
    assert state.read_file("/src/new/deep.txt") == "deep and more"
    assert state.read_file("/moved.py") == "z = 1\n"
    assert len(state.read_file_bytes("/huge")) == 700_001
    assert tree_of(workspace) == before
    assert workspace.check().ok


def test_what_an_overlay_did_comes_out_the_same_in_the_workspace(
    workspace: Workspace, overlay: Overlay, tmp_path: Path
) -> None:
    with workspace.fork(tmp_path / "fork.db") as direct:
        do_everything(State(Context(overlay)))
        do_everything(direct.state)
        inside = tree_of(Context(overlay))
        committed(workspace, overlay)
        assert tree_of(workspace) == tree_of(direct) == inside
    assert workspace.check().ok
    assert {change.operation for change in workspace.changes(4).changes} == {"run"}
    assert len({change.revision for change in workspace.changes(4).changes}) == 1


def test_hard_links_inside_a_copied_tree_stay_links(workspace: Workspace, overlay: Overlay) -> None:
    overlay.discard()
    workspace.link("/src/a.py", "/src/same.py")
    overlay.pin()
    State(Context(overlay)).copy_tree("/src", "/copy")
    State(Context(overlay)).move_tree("/copy", "/moved")
    committed(workspace, overlay)
    assert workspace.stat("/moved/a.py").inode == workspace.stat("/moved/same.py").inode


def test_a_second_name_of_an_old_file_is_one(workspace: Workspace, overlay: Overlay) -> None:
    with overlay.transaction():
        overlay.rename("/src", "/lib")
        overlay.link("/lib/a.py", "/same.py")
        overlay.write("/same.py", b"changed")
    committed(workspace, overlay)
    assert workspace.read_text("/lib/a.py") == "changed"
    assert workspace.stat("/lib/a.py").inode == workspace.stat("/same.py").inode
    assert workspace.check().ok


def random_step(chance: random.Random, files: FileSystem) -> None:
    """Do something somewhere; what cannot be done there is an error, and undone."""
    names = ["/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/src/a.py", "/src", "/link"]
    one, other = chance.choice(names), chance.choice(names)
    data = str(chance.random()).encode()
    steps: list[Callable[[], object]] = [
        lambda: files.write(one, data, parents=True),
        lambda: files.append(one, data),
        lambda: files.mkdir(one, parents=True),
        lambda: files.rename(one, other),
        lambda: files.rename(one, other, parents=True),
        lambda: files.unlink(one),
        lambda: files.remove_tree(one),
        lambda: files.link(one, other),
        lambda: files.symlink(other.lstrip("/"), one),
        lambda: files.copy_tree(one, other),
        lambda: files.chmod(one, chance.choice([0o600, 0o755])),
        lambda: files.utime(one, chance.randrange(10**18)),
        lambda: files.truncate(one, 3),
    ]
    step = chance.choice(steps)
    with contextlib.suppress(VshellError), files.transaction():
        step()


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_done_in_an_overlay_comes_out_the_same(
    workspace: Workspace, overlay: Overlay, tmp_path: Path, seed: int
) -> None:
    with workspace.fork(tmp_path / "fork.db") as direct:
        for files in (overlay, direct.files):
            chance = random.Random(seed)
            for _ in range(40):
                random_step(chance, files)
        inside = tree_of(Context(overlay))
        assert inside == tree_of(direct)
        committed(workspace, overlay)
        assert tree_of(workspace) == inside
    assert workspace.check().ok


def test_times_that_were_asked_for_are_kept(workspace: Workspace, overlay: Overlay) -> None:
    with overlay.transaction():
        overlay.utime("/src/a.py", 12345)
        overlay.chmod("/src/b.py", 0o600)
    committed(workspace, overlay)
    assert workspace.stat("/src/a.py").mtime_ns == 12345
    assert workspace.stat("/src/b.py").mode == 0o600


def test_a_discarded_overlay_leaves_nothing(workspace: Workspace, overlay: Overlay) -> None:
    for number in range(3):
        State(Context(overlay)).write_file("/new", f"{number}")
        overlay.discard()
        overlay.pin()
        assert not State(Context(overlay)).exists("/new")
    assert workspace.usage().files == 3


def test_others_write_while_an_overlay_is_open(workspace: Workspace, overlay: Overlay) -> None:
    State(Context(overlay)).write_file("/mine", "overlay")
    workspace.write("/theirs", "workspace")
    committed(workspace, overlay)
    assert workspace.read_text("/mine") == "overlay"
    assert workspace.read_text("/theirs") == "workspace"
    assert workspace.check().ok


def test_a_failed_operation_in_an_overlay_is_undone_alone(
    workspace: Workspace, overlay: Overlay
) -> None:
    state = State(Context(overlay))
    state.write_file("/kept", "1")
    with pytest.raises(NotFoundError):
        state.move_tree("/none", "/elsewhere/below")
    with contextlib.suppress(RuntimeError), overlay.transaction():
        overlay.write("/never", b"x")
        raise RuntimeError
    assert state.read_file("/kept") == "1"
    assert not state.exists("/never")
    assert not state.exists("/elsewhere")


def test_an_overlay_takes_only_so_many_bytes(overlay: Overlay) -> None:
    overlay.discard()
    overlay.pin(max_write_bytes=1000)
    state = State(Context(overlay))
    state.write_file("/a", "x" * 900)
    with pytest.raises(QuotaExceededError):
        state.write_file("/b", "y" * 200)
    assert not state.exists("/b")


def test_the_quota_of_the_workspace_holds_in_an_overlay(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "small.db", quota_bytes=100) as small:
        overlay = Overlay(small.files.store.database.path)
        overlay.pin()
        with pytest.raises(QuotaExceededError):
            State(Context(overlay)).write_file("/a", "x" * 101)
        overlay.close()


CONFLICTS = {
    "the file that was read is written": ("read_file", "/src/a.py", ("write", "/src/a.py")),
    "the file that was read is removed": ("read_file", "/src/a.py", ("rm", "/src/a.py")),
    "the file that was read through a link is written": (
        "read_file",
        "/link",
        ("write", "/src/a.py"),
    ),
    "the link that was followed is removed": ("read_file", "/link", ("rm", "/link")),
    "a path that was missing is made": ("exists", "/x/y", ("write", "/x/y")),
    "a directory on the way is made": ("exists", "/x/y/z", ("mkdir", "/x")),
    "a file that would match appears": ("glob", "/src/*.py", ("write", "/src/c.py")),
    "a file that matches goes": ("glob", "/src/*.py", ("rm", "/src/a.py")),
    "a listed directory gets a file": ("readdir", "/src", ("write", "/src/c.txt")),
    "a directory above is renamed": ("read_file", "/src/a.py", ("mv", "/src")),
    "a directory in a walk is renamed": ("glob", "/**/*.py", ("mv", "/docs")),
    "a searched file is written": ("search", "/src/**", ("write", "/src/b.py")),
}
HARMLESS = {
    "another file is written": ("read_file", "/src/a.py", ("write", "/src/b.py")),
    "a file appears beside": ("read_file", "/src/a.py", ("write", "/src/c.py")),
    "a file of another ending appears": ("glob", "/src/*.py", ("write", "/src/c.txt")),
    "a file elsewhere appears": ("glob", "/src/*.py", ("write", "/docs/c.py")),
    "a file that was only listed is written": ("readdir", "/src", ("write", "/src/a.py")),
    "a file deeper than the listing appears": ("readdir", "/", ("write", "/src/c.py")),
}


def read_then_change(
    workspace: Workspace, overlay: Overlay, case: tuple[str, str, tuple[str, str]]
) -> None:
    question, path, (action, changed) = case
    state = State(Context(overlay))
    if question == "search":
        state.search_files(path, "nothing")
    else:
        state.dispatch(question, [path])
    state.write_file("/result", "done")
    if action == "write":
        workspace.write(changed, "changed")
    elif action == "rm":
        workspace.rm(changed)
    elif action == "mkdir":
        workspace.mkdir(changed)
    else:
        workspace.mv(changed, "/elsewhere")


@pytest.mark.parametrize("case", CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_change_that_would_have_shown_is_a_conflict(
    workspace: Workspace, overlay: Overlay, case: tuple[str, str, tuple[str, str]]
) -> None:
    read_then_change(workspace, overlay, case)
    with pytest.raises(ConflictError):
        committed(workspace, overlay)
    assert not workspace.exists("/result")


@pytest.mark.parametrize("case", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_change_that_would_not_have_shown_is_none(
    workspace: Workspace, overlay: Overlay, case: tuple[str, str, tuple[str, str]]
) -> None:
    read_then_change(workspace, overlay, case)
    committed(workspace, overlay)
    assert workspace.read_text("/result") == "done"


def test_a_conflict_is_found_when_the_history_is_gone(
    workspace: Workspace, overlay: Overlay
) -> None:
    State(Context(overlay)).write_file("/result", "done")
    for number in range(3):
        workspace.write("/other", f"{number}")
    workspace.gc(keep_revisions=0)
    with pytest.raises(ConflictError, match="history"):
        committed(workspace, overlay)


def test_what_was_read_survives_being_stored() -> None:
    reads = ReadSet()
    reads.names.add("/a")
    reads.add_walk("/src", depth=2, suffixes=[".py"], details=True)
    reads.add_walk("/src")
    again = ReadSet.of_data(reads.as_data())
    assert again.as_data() == reads.as_data()
