"""Working in a directory of the host that somebody else may change at any time."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.host_trees import unprivileged
from vshell.errors import (
    InvalidPathError,
)
from vshell.host import (
    MAX_OPEN_DIRECTORIES,
    HostDirectory,
    HostTree,
    identity,
    reason,
)
from vshell.limits import CHUNK_BYTES

NOBODY = 65534


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Path]:
    """A directory whose content is gone after the test, however deep it is."""
    directory = tmp_path / "top"
    directory.mkdir()
    yield directory
    with HostTree.open(tmp_path) as tree:
        for entry in tree.entries():
            tree.remove(entry.name)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[HostTree]:
    """A place for deep trees: on some disks, removing a directory takes milliseconds."""
    shared = "/dev/shm"
    parent = shared if os.access(shared, os.W_OK) else tmp_path
    directory = tempfile.mkdtemp(dir=parent)
    with HostTree.open(directory) as opened:
        yield opened
    with HostTree.open(parent) as above:
        above.remove(Path(directory).name)


@pytest.fixture
def tree(top: Path) -> Iterator[HostTree]:
    with HostTree.open(top) as opened:
        yield opened


def walk(tree: HostTree) -> list[HostDirectory]:
    return list(tree.walk(on_error=fail))


def fail(path: str, error: OSError) -> None:
    raise AssertionError(path) from error


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def write(tree: HostTree, name: str, data: bytes = b"new", *, replace: bool = False) -> None:
    tree.make_file(name, [data], mode=0o640, mtime_ns=1, replace=replace)


# Names and places.


def test_entries_have_their_kinds_and_are_ordered_by_the_bytes_of_their_names(
    top: Path, tree: HostTree
) -> None:
    (top / "file").touch()
    (top / "directory").mkdir()
    (top / "link").symlink_to("directory")
    os.mkfifo(top / "pipe")
    (top / "\U0001f600").touch()
    (top / "\ue000").touch()
    found = [(entry.name, entry.kind) for entry in tree.entries()]
    assert found == [
        ("directory", "directory"),
        ("file", "file"),
        ("link", "symlink"),
        ("pipe", "other"),
        ("\ue000", "file"),
        ("\U0001f600", "file"),
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b"])
def test_what_is_no_name_is_never_looked_up(tree: HostTree, name: str) -> None:
    with pytest.raises(InvalidPathError):
        tree.enter(name)


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a\0b"])
def test_what_is_no_name_is_never_written(top: Path, tree: HostTree, name: str) -> None:
    with pytest.raises(InvalidPathError):
        write(tree, name)
    assert os.listdir(top) == []


def test_names_that_are_no_utf8_stand_for_their_bytes(top: Path, tree: HostTree) -> None:
    write(tree, "\udcff\n\u00e9")
    assert os.listdir(os.fsencode(top)) == [b"\xff\n\xc3\xa9"]


def test_names_are_the_same_in_a_locale_of_ascii(top: Path) -> None:
    (top / "\u00e9").mkdir()
    program = (
        "import sys; from vshell.host import HostTree; tree = HostTree.open(sys.argv[1]);"
        "tree.enter(tree.entries()[0].name); print(ascii(tree.path), sys.getfilesystemencoding())"
    )
    environment = os.environ | {
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    run = subprocess.run(
        [sys.executable, "-c", program, str(top)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert run.stdout.split()[0] == r"'\xe9'"


def test_the_place_is_kept_relative_to_the_top(top: Path, tree: HostTree) -> None:
    (top / "a" / "b").mkdir(parents=True)
    tree.enter("a")
    tree.enter("b")
    assert (tree.path, tree.depth) == ("a/b", 2)
    assert tree.leave() == "b"
    assert tree.path == "a"


def test_going_to_a_path_leaves_and_enters_what_is_between(top: Path, tree: HostTree) -> None:
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "c").mkdir()
    (top / "a" / "c" / "here").touch()
    tree.go("a/b")
    tree.go("a/c")
    assert [entry.name for entry in tree.entries()] == ["here"]
    tree.go("")
    assert [entry.name for entry in tree.entries()] == ["a"]


@pytest.mark.parametrize("target", [".", "..", "/", "real"])
def test_a_link_to_a_directory_is_never_entered(top: Path, tree: HostTree, target: str) -> None:
    (top / "real").mkdir()
    (top / "link").symlink_to(target)
    with pytest.raises(NotADirectoryError):
        tree.enter("link")
    with pytest.raises(NotADirectoryError):
        tree.go("link/real")
    assert tree.path == ""


def test_closing_closes_every_descriptor(top: Path) -> None:
    (top / "a" / "b").mkdir(parents=True)
    before = open_descriptors()
    with HostTree.open(top) as tree:
        tree.go("a/b")
        assert open_descriptors() == before + 3
    assert open_descriptors() == before


# Depth.


def make_deep(tree: HostTree, depth: int, name: str) -> None:
    for _ in range(depth):
        tree.make_directory(name)
        tree.enter(name)
    write(tree, "bottom")
    tree.go("")


def test_a_tree_deeper_than_any_path_is_walked_with_few_descriptors(deep: HostTree) -> None:
    make_deep(deep, 1000, "n" * 200)
    before = open_descriptors()
    most = 0
    visited = []
    for found in deep.walk(on_error=fail):
        most = max(most, open_descriptors() - before)
        visited = [found]
    assert visited[0].depth == 1000
    assert len(visited[0].path) == 1000 * 201 - 1
    assert [entry.name for entry in visited[0].entries] == ["bottom"]
    assert most <= MAX_OPEN_DIRECTORIES + 1


def test_a_tree_deeper_than_any_path_is_removed(deep: HostTree) -> None:
    make_deep(deep, 1000, "n" * 255)
    deep.enter("n" * 255)
    deep.leave()
    assert deep.remove("n" * 255) == (1001, True)
    assert deep.entries() == []


def test_a_directory_that_was_closed_for_being_too_many_opens_again(tree: HostTree) -> None:
    depth = 3 * MAX_OPEN_DIRECTORIES
    make_deep(tree, depth, "d")
    tree.go("/".join("d" * depth))
    while tree.depth:
        tree.leave()
        assert "d" in [entry.name for entry in tree.entries()]


@pytest.mark.parametrize("planted", ["link", "directory"])
def test_a_parent_that_was_swapped_meanwhile_is_not_taken_for_the_old_one(
    top: Path, tree: HostTree, planted: str
) -> None:
    depth = 2 * MAX_OPEN_DIRECTORIES
    make_deep(tree, depth, "d")
    outside = top.parent / "outside"
    (outside / "d").mkdir(parents=True)
    tree.go("/".join("d" * depth))
    (top / "d").rename(top / "moved")
    if planted == "link":
        (top / "d").symlink_to(outside)
    else:
        (top / "d" / "d").mkdir(parents=True)
    tree.go("d/d")
    with pytest.raises(OSError, match=r"took its place|Not a directory") as caught:
        write(tree, "file")
    assert caught.value.errno in (errno.ESTALE, errno.ENOTDIR)
    assert not (outside / "d" / "file").exists()


def test_a_directory_that_moves_while_it_is_open_is_written_to_where_it_went(
    top: Path, tree: HostTree
) -> None:
    (top / "d").mkdir()
    tree.enter("d")
    (top / "d").rename(top / "moved")
    outside = top.parent / "outside"
    outside.mkdir()
    (top / "d").symlink_to(outside)
    write(tree, "file")
    assert os.listdir(top / "moved") == ["file"]
    assert os.listdir(outside) == []


# Walking.


def test_a_walk_visits_directories_before_what_is_in_them_in_order(
    top: Path, tree: HostTree
) -> None:
    for path in ["b/y", "b/x", "a", "b-"]:
        (top / path).mkdir(parents=True)
    assert [(found.path, found.depth) for found in walk(tree)] == [
        ("", 0),
        ("a", 1),
        ("b", 1),
        ("b/x", 2),
        ("b/y", 2),
        ("b-", 1),
    ]


def test_a_walk_leaves_out_the_directories_that_are_taken_from_its_entries(
    top: Path, tree: HostTree
) -> None:
    for path in ["a/inside", "b"]:
        (top / path).mkdir(parents=True)
    visited = []
    for found in tree.walk(on_error=fail):
        visited.append(found.path)
        found.entries[:] = [entry for entry in found.entries if entry.name != "a"]
    assert visited == ["", "b"]


def test_a_walk_does_not_follow_a_link_that_took_the_place_of_a_directory(
    top: Path, tree: HostTree
) -> None:
    (top / "d").mkdir()
    outside = top.parent / "outside"
    outside.mkdir()
    errors = []
    visited = []
    for found in tree.walk(on_error=lambda path, error: errors.append((path, reason(error)))):
        visited.append(found.path)
        if not found.path:
            (top / "d").rmdir()
            (top / "d").symlink_to(outside)
    assert visited == [""]
    assert errors == [("d", "not a directory, or only a link to one")]


def test_a_walk_goes_on_after_a_directory_that_may_not_be_read(top: Path) -> None:
    for path in ["a/inside", "b"]:
        (top / path).mkdir(parents=True)
    errors = []
    with unprivileged(top), HostTree.open(top) as tree:
        (top / "a").chmod(0)
        found = [
            found.path for found in tree.walk(on_error=lambda path, error: errors.append(path))
        ]
        (top / "a").chmod(0o700)
    assert (found, errors) == (["", "b"], ["a"])


# Opening files.


def test_a_regular_file_is_opened_and_described(top: Path, tree: HostTree) -> None:
    (top / "file").write_bytes(b"content")
    descriptor, status = tree.open_file("file")
    try:
        assert (os.read(descriptor, 100), status.st_size) == (b"content", 7)
    finally:
        os.close(descriptor)


def plant(top: Path, kind: str) -> None:
    if kind == "link":
        (top / "file").write_bytes(b"secret")
        (top / "planted").symlink_to("file")
    elif kind == "device":
        (top / "planted").symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(top / "planted")
    elif kind == "directory":
        (top / "planted").mkdir()
    else:
        # The address of a socket has room for 107 bytes only.
        directory = os.open(top, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{directory}/planted")
        os.close(directory)


@pytest.mark.parametrize("kind", ["link", "device", "fifo", "directory", "socket"])
def test_what_is_no_regular_file_is_not_opened_as_one(top: Path, tree: HostTree, kind: str) -> None:
    plant(top, kind)
    before = open_descriptors()
    with pytest.raises(OSError, match="not a regular file"):
        tree.open_file("planted")
    assert open_descriptors() == before


def test_a_device_is_not_opened_as_a_file(tree: HostTree) -> None:
    with HostTree.open("/dev") as devices, pytest.raises(OSError, match="not a regular file"):
        devices.open_file("null")


# Writing files.


def test_a_new_file_has_its_content_mode_and_time(top: Path, tree: HostTree) -> None:
    tree.make_file("file", [b"one ", b"two"], mode=0o4751, mtime_ns=1_234_567_890_123_456_789)
    status = os.stat(top / "file")
    assert (top / "file").read_bytes() == b"one two"
    assert stat.S_IMODE(status.st_mode) == 0o4751
    assert status.st_mtime_ns == 1_234_567_890_123_456_789
    assert os.listdir(top) == ["file"]


def test_a_name_that_is_taken_is_not_taken_over_by_accident(top: Path, tree: HostTree) -> None:
    (top / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write(tree, "file")
    assert (top / "file").read_bytes() == b"old"
    assert os.listdir(top) == ["file"]


@pytest.mark.parametrize("target", ["../outside", "/absolute", "dangling", "planted"])
def test_a_planted_link_is_replaced_and_what_it_leads_to_stays(
    top: Path, tree: HostTree, target: str
) -> None:
    outside = top.parent / "outside"
    outside.write_bytes(b"old")
    where = str(outside) if target == "/absolute" else target
    (top / "planted").symlink_to(where)
    write(tree, "planted", replace=True)
    assert not (top / "planted").is_symlink()
    assert (top / "planted").read_bytes() == b"new"
    assert outside.read_bytes() == b"old"


def test_another_name_of_a_replaced_file_keeps_the_old_content(top: Path, tree: HostTree) -> None:
    (top / "file").write_bytes(b"old")
    os.link(top / "file", top.parent / "other")
    write(tree, "file", replace=True)
    assert (top.parent / "other").read_bytes() == b"old"
    assert (top / "file").read_bytes() == b"new"


@pytest.mark.parametrize("replace", [False, True])
def test_a_directory_is_never_replaced_by_a_file(top: Path, tree: HostTree, replace: bool) -> None:
    (top / "d").mkdir()
    with pytest.raises(OSError, match=r"exists|Is a directory"):
        write(tree, "d", replace=replace)
    assert os.listdir(top) == ["d"]


def test_a_failure_in_the_middle_leaves_nothing_behind(top: Path, tree: HostTree) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError("the source failed")

    before = open_descriptors()
    with pytest.raises(RuntimeError, match="the source failed"):
        tree.make_file("file", pieces(), mode=0o644, mtime_ns=0)
    assert os.listdir(top) == []
    assert open_descriptors() == before


def test_nobody_sees_a_file_before_it_is_whole(top: Path, tree: HostTree) -> None:
    seen = []

    def pieces() -> Iterator[bytes]:
        seen.append((top / "file").exists())
        yield b"content"
        seen.append((top / "file").exists())

    tree.make_file("file", pieces(), mode=0o644, mtime_ns=0)
    assert seen == [False, False]


def test_chunks_of_zeros_take_no_space(top: Path, tree: HostTree) -> None:
    zeros = bytes(CHUNK_BYTES)
    tree.make_file("file", [zeros, b"x", zeros, zeros], mode=0o644, mtime_ns=0)
    status = os.stat(top / "file")
    assert status.st_blocks * 512 < CHUNK_BYTES
    assert (top / "file").read_bytes() == zeros + b"x" + zeros + zeros


def test_a_link_has_its_target_and_time(top: Path, tree: HostTree) -> None:
    tree.make_symlink("link", "../any where\udcff", mtime_ns=5)
    status = os.lstat(top / "link")
    assert os.readlink(os.fsencode(top / "link")) == b"../any where\xff"
    assert status.st_mtime_ns == 5
    assert tree.read_link("link") == "../any where\udcff"


def test_a_link_replaces_a_file_only_when_asked(top: Path, tree: HostTree) -> None:
    (top / "file").touch()
    with pytest.raises(FileExistsError):
        tree.make_symlink("file", "target", mtime_ns=0)
    tree.make_symlink("file", "target", mtime_ns=0, replace=True)
    assert os.readlink(top / "file") == "target"
    assert os.listdir(top) == ["file"]


def test_a_hard_link_is_made_across_directories(top: Path, tree: HostTree) -> None:
    made = tree.make_file("file", [b"content"], mode=0o644, mtime_ns=0)
    (top / "d").mkdir()
    tree.enter("d")
    with tree.duplicate() as source:
        tree.make_link("name", source, "file", made, replace=False)
    assert os.stat(top / "d" / "name").st_ino == os.stat(top / "file").st_ino
    assert os.listdir(top / "d") == ["name"]


def test_a_file_that_was_swapped_gets_no_second_name(top: Path, tree: HostTree) -> None:
    made = tree.make_file("file", [b"content"], mode=0o644, mtime_ns=0)
    (top / "secret").write_bytes(b"secret")
    os.rename(top / "secret", top / "file")
    with tree.duplicate() as source, pytest.raises(OSError, match="took its place"):
        tree.make_link("name", source, "file", made, replace=False)
    assert os.listdir(top) == ["file"]


def test_a_directory_gets_its_mode_and_time(top: Path, tree: HostTree) -> None:
    tree.make_directory("d")
    assert stat.S_IMODE(os.stat(top / "d").st_mode) == 0o700
    tree.enter("d")
    tree.set_attributes(mode=0o555, mtime_ns=7)
    status = os.stat(top / "d")
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o555, 7)


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444, 0o555])
def test_a_directory_of_ones_own_can_be_written_to_whatever_its_mode(top: Path, mode: int) -> None:
    (top / "d").mkdir()
    with unprivileged(top), HostTree.open(top) as tree:
        (top / "d").chmod(mode)
        tree.enter("d", writable=True)
        write(tree, "file")
    assert os.listdir(top / "d") == ["file"]


def test_making_a_directory_writable_does_not_follow_a_link(top: Path) -> None:
    outside = top.parent / "outside"
    outside.mkdir(mode=0o500)
    (top / "d").symlink_to(outside)
    with HostTree.open(top) as tree, pytest.raises(NotADirectoryError):
        tree.enter("d", writable=True)
    assert stat.S_IMODE(os.stat(outside).st_mode) == 0o500


# Removing.


def test_a_tree_is_removed_without_what_its_links_lead_to(top: Path, tree: HostTree) -> None:
    outside = top.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "link").symlink_to(outside)
    (top / "d" / "e" / "file").touch()
    assert tree.remove("d") == (4, True)
    assert os.listdir(top) == []
    assert os.listdir(outside) == ["kept"]


def test_what_is_spared_stays_with_the_directories_above_it(top: Path, tree: HostTree) -> None:
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "f").mkdir()
    for path in ["d/e/spared", "d/e/file", "d/f/file"]:
        (top / path).touch()
    spared = {identity(os.stat(top / "d" / "e" / "spared"))}
    assert tree.remove("d", spared=spared) == (3, False)
    assert os.listdir(top / "d") == ["e"]
    assert os.listdir(top / "d" / "e") == ["spared"]


def test_a_tree_is_removed_whatever_the_modes_in_it(top: Path) -> None:
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "e" / "file").touch()
    with unprivileged(top), HostTree.open(top) as tree:
        (top / "d" / "e").chmod(0)
        (top / "d").chmod(0o500)
        assert tree.remove("d") == (3, True)
    assert os.listdir(top) == []
