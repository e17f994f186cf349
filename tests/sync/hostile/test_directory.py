"""A mirror in which somebody does the worst: nothing outside it is ever read or written.

What the host must not lose stands in a directory beside the mirror; after each attack it
must be as it was, and its content must be nowhere in the workspace.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sync.trees import directory_tree, workspace_tree
from vshell import Workspace, host
from vshell.errors import TooLargeError
from vshell.sync import directory, directory_writing, looking
from vshell.sync.places import Places
from vshell.sync.results import SyncLimits, SyncResult
from vshell.sync.rules import MARKER

SECRET = "the host's own"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A directory of the host; it must be the same afterwards."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "secret").write_text(SECRET)
    (place / "below").mkdir()
    (place / "below" / "secret").write_text(SECRET)
    before = directory_tree(place), (place / "secret").stat()
    yield place
    after = directory_tree(place), (place / "secret").stat()
    assert after[0] == before[0]
    assert (after[1].st_mode, after[1].st_mtime_ns) == (before[1].st_mode, before[1].st_mtime_ns)


def nothing_leaked(ws: Workspace) -> bool:
    return not [shown for shown in workspace_tree(ws).values() if SECRET.encode() in shown[1]]


def reasons(result: SyncResult) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in result.skipped}


# Links.


@pytest.mark.parametrize(
    "target", ["{outside}/secret", "../outside/secret", "{outside}", "..", ".", "l", "", "/"]
)
def test_a_planted_link_is_text(ws: Workspace, root: Path, outside: Path, target: str) -> None:
    root.mkdir()
    target = target.format(outside=outside)
    if not target:
        return  # no such link can be made
    (root / "l").symlink_to(target)
    mirror = ws.mirror(root)
    mirror.sync()
    assert ws.readlink("/l") == target
    assert list(workspace_tree(ws)) == ["/l"]
    assert nothing_leaked(ws)


def test_a_file_that_became_a_link_is_replaced_and_not_followed(
    ws: Workspace, root: Path, outside: Path
) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "f").unlink()
    (root / "f").symlink_to(outside / "secret")
    ws.write("/f", "two")
    result = mirror.sync()
    assert [conflict.clash for conflict in result.conflicts] == ["kind"]
    assert not (root / "f").is_symlink()
    assert (root / "f").read_text() == "two"


def test_a_directory_that_became_a_link_is_not_written_through(
    ws: Workspace, root: Path, outside: Path
) -> None:
    ws.write("/below/mine", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "below/mine").unlink()
    (root / "below").rmdir()
    (root / "below").symlink_to(outside / "below")
    ws.write("/below/mine", "two")
    ws.write("/below/new", "new")
    mirror.sync()
    assert nothing_leaked(ws)
    assert workspace_tree(ws) == directory_tree(root)


def test_a_link_in_the_workspace_is_not_followed_either(
    ws: Workspace, root: Path, outside: Path
) -> None:
    ws.symlink(str(outside / "below"), "/l")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.rm("/l")
    ws.write("/l/secret", "mine")
    mirror.sync()
    assert (root / "l/secret").read_text() == "mine"


def test_a_link_out_of_the_mirror_is_named(ws: Workspace, root: Path, outside: Path) -> None:
    (root / "d" / "e").mkdir(parents=True)
    targets = {
        "absolute": str(outside),
        "up": "..",
        "d/inside": "../f",
        "d/out": "../../f",
        "d/e/around": "../../d/e",
        "d/e/far": "x/../../../../f",
    }
    for name, target in targets.items():
        (root / name).symlink_to(target)
    result = ws.mirror(root).sync()
    assert result.escaping == ("/absolute", "/d/e/far", "/d/out", "/up")


# Between a look and the next.


def swapped(place: Path, outside: Path) -> None:
    """Put a link to a directory of the host in the place of a directory."""
    place.rename(place.with_name("aside"))
    place.symlink_to(outside)


@pytest.mark.parametrize("by_names", [False, True], ids=["at once", "by names"])
def test_a_parent_that_is_swapped_during_the_walk(
    ws: Workspace, root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, by_names: bool
) -> None:
    (root / "d" / "below").mkdir(parents=True)
    (root / "d" / "below" / "secret").write_text("mine")
    if by_names:
        monkeypatch.setattr("vshell.sync.places._has_openat2", lambda: False)
    opened = Places.descriptor
    done: list[str] = []

    def descriptor(places: Places, path: str) -> int:
        if path == "d/below" and not done:
            done.append(path)
            places.forget("d")
            swapped(root / "d", outside)
        return opened(places, path)

    monkeypatch.setattr(Places, "descriptor", descriptor)
    result = ws.mirror(root).sync()
    assert done
    assert "/d/below" in reasons(result)
    assert nothing_leaked(ws)


def test_a_file_that_is_swapped_before_it_is_read(
    ws: Workspace, root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    (root / "f").write_text("mine")
    opened = host.open_regular

    def open_regular(name: str, place: int) -> tuple[int, os.stat_result]:
        if name == MARKER:
            return opened(name, place)
        (root / "f").unlink()
        (root / "f").symlink_to(outside / "secret")
        return opened(name, place)

    monkeypatch.setattr(directory, "open_regular", open_regular)
    result = ws.mirror(root).sync()
    assert reasons(result) == {"/f": "not a regular file"}
    assert nothing_leaked(ws)


@pytest.mark.parametrize("kind", ["link", "fifo", "file", "directory", "nothing"])
@pytest.mark.parametrize("is_new", [False, True], ids=["replacing", "new"])
def test_a_place_that_is_taken_while_it_is_written(
    ws: Workspace,
    root: Path,
    outside: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    is_new: bool,
) -> None:
    ws.write("/kept", "x")
    if not is_new:
        ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/f", "two")
    written = directory_writing.DirectoryWriter._write

    def write(writer: directory_writing.DirectoryWriter, *arguments: object) -> int:
        inode = written(writer, *arguments)  # type: ignore[arg-type]
        (root / "f").unlink(missing_ok=True)
        if kind == "link":
            (root / "f").symlink_to(outside / "secret")
        elif kind == "fifo":
            os.mkfifo(root / "f")
        elif kind == "file":
            (root / "f").write_text("theirs")
        elif kind == "directory":
            (root / "f").mkdir()
        return inode

    monkeypatch.setattr(directory_writing.DirectoryWriter, "_write", write)
    result = mirror.sync()
    monkeypatch.undo()
    if kind == "nothing" and is_new:
        assert not result.skipped
    else:
        assert list(reasons(result)) == ["/f"]
    assert not list(root.glob(".vshell-*"))
    if kind == "file":
        assert (root / "f").read_text() == "theirs"
        assert [conflict.path for conflict in mirror.sync().conflicts] == ["/f"]
    if kind != "fifo":
        mirror.sync()
        assert workspace_tree(ws) == directory_tree(root)


def test_a_write_between_the_last_look_and_the_exchange_is_put_back(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.write("/f", "two")
    required = directory_writing.DirectoryWriter._require

    def require(writer: directory_writing.DirectoryWriter, *arguments: object) -> None:
        required(writer, *arguments)  # type: ignore[arg-type]
        (root / "f").write_text("theirs")

    monkeypatch.setattr(directory_writing.DirectoryWriter, "_require", require)
    result = mirror.sync()
    monkeypatch.undo()
    assert reasons(result) == {"/f": "it changed meanwhile"}
    assert (root / "f").read_text() == "theirs"
    (conflict,) = mirror.sync().conflicts
    assert conflict.mirror is not None
    assert ws.files.read_hash(bytes.fromhex(conflict.mirror.hash)) == b"theirs"


def test_a_change_before_a_removal_is_kept(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/f", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    ws.rm("/f")
    looked = directory_writing._look

    def look(path: str, name: str, place: int) -> object:
        found = looked(path, name, place)
        if name == "f":
            (root / "f").write_text("theirs")
        return found

    monkeypatch.setattr(directory_writing, "_look", look)
    result = mirror.sync()
    monkeypatch.undo()
    assert reasons(result) == {"/f": "it changed meanwhile"}
    mirror.sync()
    assert ws.read_text("/f") == "theirs"


# What is no file.


def a_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(place.parent)  # a socket's path may have a hundred bytes
        try:
            made.bind(place.name)
        finally:
            os.chdir(here)


def a_device(place: Path) -> None:
    if os.geteuid():
        pytest.skip("only root makes devices")
    os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero never ends


@pytest.mark.parametrize(
    ("make", "reason"),
    [(os.mkfifo, "a FIFO"), (a_socket, "a socket"), (a_device, "a device")],
    ids=["fifo", "socket", "device"],
)
@pytest.mark.parametrize("flip", [False, True], ids=["new", "flipped"])
def test_what_is_no_file_is_skipped_and_never_opened(
    ws: Workspace, root: Path, make: Callable[[Path], None], reason: str, flip: bool
) -> None:
    root.mkdir()
    mirror = ws.mirror(root)
    if flip:
        ws.write("/d/x", "one")
        ws.write("/a", "a")
        mirror.sync()
        (root / "d/x").unlink()
        (root / "d").rmdir()
    else:
        (root / "a").write_text("a")
    make(root / "d")
    result = mirror.sync()
    assert reasons(result) == {"/d": reason}
    assert ws.exists("/d/x") == flip  # its loss there is not known to be a removal
    if flip:
        ws.write("/d/x", "two")
        assert "/d/x" in reasons(mirror.sync())
        (root / "d").unlink()
        mirror.sync()
        assert workspace_tree(ws) == directory_tree(root)


def test_a_device_behind_the_name_of_a_file_is_never_opened(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    (root / "f").write_text("mine")
    opened = os.open
    special: list[str] = []

    def swap_then_open(path: object, flags: int, *rest: object, **options: object) -> int:
        if path == b"f" and not special:
            (root / "f").unlink()
            a_device(root / "f")
            special.append("swapped")
        descriptor = opened(path, flags, *rest, **options)  # type: ignore[arg-type]
        if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not flags & os.O_PATH:
            special.append("opened")
        return descriptor

    monkeypatch.setattr(os, "open", swap_then_open)
    result = ws.mirror(root).sync()
    assert special == ["swapped"]
    assert reasons(result) == {"/f": "not a regular file"}


# Hard links.


def test_a_hard_link_to_a_file_of_the_host_is_never_written(
    ws: Workspace, root: Path, outside: Path
) -> None:
    ws.write("/f", "one")
    ws.write("/g", "one")
    mirror = ws.mirror(root)
    mirror.sync()
    for name in "fg":
        (root / name).unlink()
        os.link(outside / "secret", root / name)
    mirror.pull()
    ws.write("/f", "two")
    ws.chmod("/g", 0o600)
    result = mirror.sync()
    assert not result.skipped
    assert (root / "f").read_text() == "two"
    assert (root / "g").stat().st_nlink == 1


# Sizes and numbers.


def test_a_sparse_tebibyte_is_skipped(ws: Workspace, root: Path) -> None:
    root.mkdir()
    with (root / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (root / "a").write_text("a")
    result = ws.mirror(root).sync()
    assert reasons(result) == {"/sparse": "it is too large"}
    assert ws.exists("/a")


def test_a_sparse_file_stays_sparse(ws: Workspace, root: Path) -> None:
    root.mkdir()
    with (root / "sparse").open("wb") as file:
        file.write(b"begin")
        file.truncate(20_000_000)
    mirror = ws.mirror(root)
    mirror.sync()
    assert ws.read_bytes("/sparse", length=10) == b"begin" + bytes(5)
    assert ws.stat("/sparse").size == 20_000_000
    ws.mv("/sparse", "/other")
    mirror.sync()
    status = (root / "other").stat()
    assert status.st_size == 20_000_000
    assert status.st_blocks * 512 < 2_000_000


def test_too_many_entries_are_refused_before_any_is_read(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    for number in range(300):
        (root / f"{number}").touch()
    read: list[str] = []
    opened = host.open_regular

    def open_regular(name: str, place: int) -> tuple[int, os.stat_result]:
        read.append(name)
        return opened(name, place)

    monkeypatch.setattr(directory, "open_regular", open_regular)
    with pytest.raises(TooLargeError):
        ws.mirror(root, limits=SyncLimits(max_entries=299)).sync()
    assert set(read) <= {MARKER}


def test_directories_deeper_than_a_path_can_be_are_skipped(ws: Workspace, root: Path) -> None:
    root.mkdir()
    place = os.open(root, os.O_RDONLY)
    for _ in range(60):  # 60 names of 100 bytes: more than PATH_MAX
        os.mkdir("n" * 100, dir_fd=place)
        below = os.open("n" * 100, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    result = ws.mirror(root).sync()
    (skipped,) = result.skipped
    assert skipped.reason == "its path is too long"
    assert result.pulled_total == 40


def test_a_directory_that_may_not_be_read_removes_nothing(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/d/f", "x")
    ws.write("/e", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    opened = Places.descriptor

    def descriptor(places: Places, path: str) -> int:
        if path == "d":
            raise PermissionError(13, "Permission denied")
        return opened(places, path)

    monkeypatch.setattr(Places, "descriptor", descriptor)
    result = mirror.sync()
    assert reasons(result) == {"/d": "permission denied"}
    assert ws.exists("/d/f")


# Somebody writes meanwhile.


def test_a_file_that_keeps_changing_is_skipped(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    (root / "log").write_text("x" * 100_000)
    (root / "a").write_text("a")
    pieces = looking.read_pieces
    size = 100_000

    def read_pieces(descriptor: int, status: os.stat_result) -> Iterator[bytes]:
        nonlocal size
        yield from pieces(descriptor, status)
        if status.st_size > 1:
            size += 1
            os.truncate(root / "log", size)

    monkeypatch.setattr(directory, "read_pieces", read_pieces)
    result = ws.mirror(root).sync()
    assert reasons(result) == {"/log": "it keeps changing while it is read"}
    assert ws.exists("/a")
    monkeypatch.undo()
    ws.mirror(root).sync()
    assert ws.stat("/log").size == size


def test_a_process_that_writes_all_the_time_loses_nothing(ws: Workspace, root: Path) -> None:
    root.mkdir()
    mirror = ws.mirror(root)
    stop = threading.Event()
    last: dict[str, str] = {}

    def write() -> None:
        number = 0
        while not stop.is_set() or number < 50:
            name, text = f"f{number % 7}", f"{number:06}" * (1 + number % 300)
            temporary = root / "temporary"
            temporary.write_text(text)
            temporary.rename(root / name)
            last[name] = text
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            mirror.sync(allow_emptied=True)
            for name, shown in workspace_tree(ws).items():
                text = shown[1].decode()
                if name != "/temporary":
                    assert text == text[:6] * (len(text) // 6), f"half of {name}"
    finally:
        stop.set()
        writer.join()
    mirror.sync()
    assert {name: shown[1].decode() for name, shown in workspace_tree(ws).items()} == {
        f"/{name}": text for name, text in last.items()
    }
    assert not mirror.conflicts(resolved=True)


# A full disk.


def test_a_full_disk_leaves_whole_files_and_is_made_up_for(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        ws.write(f"/{number}", f"{number}" * 1000)
    written = os.write
    left = 3500

    def write(descriptor: int, data: bytes) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(28, "No space left on device")
        count = written(descriptor, data[:left])
        left -= count
        return count

    monkeypatch.setattr(os, "write", write)
    result = ws.mirror(root).sync()
    monkeypatch.undo()
    assert set(reasons(result).values()) == {"no space left on device"}
    for name, shown in directory_tree(root).items():
        assert shown[1] == (name[1:] * 1000).encode()
    assert not ws.mirror(root).sync().conflicts
    assert workspace_tree(ws) == directory_tree(root)


# A workspace that is hostile itself.


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_an_impossible_name_in_the_workspace_leads_nowhere(
    ws: Workspace, root: Path, outside: Path, name: str
) -> None:
    ws.write("/below/f", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    with ws.transaction():
        ws.files.store.database.run(
            "update entry set name = ? where name = x'66'", (name.encode(),)
        )
    ws.files.store.tree.forget()
    result = mirror.sync(deep=True)
    assert [skipped.reason for skipped in result.skipped] == ["its name is none"]
    assert set(directory_tree(root)) == {"/below"}
