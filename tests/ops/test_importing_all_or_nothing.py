"""An import that fails or is disturbed: what is skipped, what is undone, what is told."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.ops.host_trees import at, reasons, tree_of, unprivileged
from vshell.errors import (
    ConflictError,
    PermissionDeniedError,
    QuotaExceededError,
)
from vshell.limits import CHUNK_BYTES
from vshell.ops.transfer import Progress
from vshell.workspace import Workspace

# Importing: what is skipped.


def test_what_is_neither_file_nor_directory_nor_link_is_skipped_and_reported(
    ws: Workspace, source: Path
) -> None:
    (source / "d").mkdir()
    os.mkfifo(source / "d" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
        result = ws.import_directory(source)
    assert reasons(result) == {"d/pipe": "a FIFO", "socket": "a socket"}
    assert tree_of(ws) == {"/d": "/"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_skipped_and_never_opened(ws: Workspace, tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "tape", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("not even root may make devices here")
    result = ws.import_directory(tmp_path)
    assert reasons(result) == {"tape": "a device"}


def test_what_may_not_be_read_is_skipped_and_reported(ws: Workspace, source: Path) -> None:
    (source / "secret").write_text("secret")
    (source / "locked").mkdir()
    (source / "locked" / "inside").touch()
    (source / "open").write_text("open")
    ws.write("/before", "")  # SQLite opens its other files as the one it runs as
    with unprivileged(source):
        (source / "secret").chmod(0)
        (source / "locked").chmod(0)
        result = ws.import_directory(source)
        (source / "locked").chmod(0o700)
    assert reasons(result) == {"locked": "permission denied", "secret": "permission denied"}
    assert tree_of(ws) == {"/before": "", "/open": "open"}


def test_a_source_that_may_not_be_read_is_an_error(ws: Workspace, source: Path) -> None:
    with unprivileged(source):
        source.chmod(0)
        with pytest.raises(PermissionDeniedError):
            ws.import_directory(source)
        source.chmod(0o700)


@pytest.mark.parametrize("planted", ["link", "fifo", "directory", "nothing"])
def test_a_file_that_is_swapped_after_it_was_listed_is_not_read(
    ws: Workspace, source: Path, place: Path, planted: str
) -> None:
    (place / "outside").write_text("outside")
    (source / "a").touch()
    (source / "b").write_text("text")

    def swap() -> None:
        (source / "b").unlink()
        if planted == "link":
            (source / "b").symlink_to(place / "outside")
        elif planted == "fifo":
            os.mkfifo(source / "b")
        elif planted == "directory":
            (source / "b").mkdir()

    result = ws.import_directory(source, progress=at(1, swap))
    why = "no such file or directory" if planted == "nothing" else "not a regular file"
    assert reasons(result) == {"b": why}
    assert tree_of(ws) == {"/a": ""}


def test_a_directory_that_is_swapped_for_a_link_is_not_followed(
    ws: Workspace, source: Path, place: Path
) -> None:
    (place / "outside").mkdir()
    (place / "outside" / "file").write_text("outside")
    (source / "a").touch()
    (source / "d").mkdir()

    def swap() -> None:
        (source / "d").rmdir()
        (source / "d").symlink_to(place / "outside")

    result = ws.import_directory(source, progress=at(1, swap))
    assert reasons(result) == {"d": "not a directory, or only a link to one"}
    assert tree_of(ws) == {"/a": ""}


@pytest.mark.parametrize("size", [0, 100, 3 * CHUNK_BYTES, 4 * CHUNK_BYTES])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    ws: Workspace, source: Path, size: int
) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 4 * CHUNK_BYTES)
    os.utime(path, ns=(1, 1))
    result = ws.import_directory(source, progress=at(0, lambda: path.write_bytes(b"n" * size)))
    assert result.skipped == ()
    assert ws.read_bytes("/large") == b"n" * size
    assert result.bytes == size


def test_a_file_that_grows_while_it_is_read_is_read_again(ws: Workspace, source: Path) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 4 * CHUNK_BYTES)

    def grow() -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    ws.import_directory(source, progress=at(0, grow))
    assert ws.read_bytes("/large") == b"o" * 4 * CHUNK_BYTES + b"more"


def test_a_file_that_never_stops_changing_is_skipped(ws: Workspace, source: Path) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 2 * CHUNK_BYTES)
    (source / "steady").write_text("text")

    def grow(state: Progress) -> None:
        if not state.entries:
            with open(path, "ab") as file:
                file.write(b"more" * CHUNK_BYTES)

    result = ws.import_directory(source, progress=grow)
    assert reasons(result) == {"large": "it kept changing while it was read"}
    assert tree_of(ws) == {"/steady": "text"}


def test_a_file_with_less_than_it_says_is_not_taken_for_an_empty_one(ws: Workspace) -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc here")
    with pytest.raises(ConflictError, match="kept changing"):
        ws.import_directory("/proc/self/status", "/status")
    assert tree_of(ws) == {}


def test_a_single_file_that_may_not_be_read_is_an_error(ws: Workspace, source: Path) -> None:
    (source / "secret").write_text("secret")
    with unprivileged(source):
        (source / "secret").chmod(0)
        with pytest.raises(PermissionDeniedError):
            ws.import_directory(source / "secret")
    assert tree_of(ws) == {}


def test_the_database_of_an_open_workspace_is_not_opened(place: Path, source: Path) -> None:
    (source / "file").write_text("text")
    with (
        Workspace.open(source / "agent.db") as ws,
        Workspace.open(source / "other.db") as other,
    ):
        other.write("/something", "text")
        result = ws.import_directory(source, "/here")
        assert tree_of(ws, "/here") == {"/here/file": "text"}
        assert set(reasons(result)) >= {"agent.db", "agent.db-wal", "other.db", "other.db-wal"}
        assert set(reasons(result).values()) == {"it belongs to a workspace that is open"}


def test_only_the_first_of_many_skipped_entries_are_named(ws: Workspace, source: Path) -> None:
    for number in range(1001):
        os.mkfifo(source / f"{number:04}")
    result = ws.import_directory(source)
    assert (len(result.skipped), result.skipped_total) == (1000, 1001)


# Importing: all or nothing.


def test_an_exception_from_progress_undoes_the_import(ws: Workspace, source: Path) -> None:
    for name in "abc":
        (source / name).write_text(name)

    def stop(state: Progress) -> None:
        if state.entries == 2:
            raise KeyboardInterrupt

    revision = ws.files.revision()
    with pytest.raises(KeyboardInterrupt):
        ws.import_directory(source, "/new", progress=stop)
    assert tree_of(ws) == {}
    assert ws.files.revision() == revision


@pytest.mark.parametrize("size", [1, 4 * CHUNK_BYTES])
def test_an_error_of_the_caller_is_not_taken_for_one_of_the_host(
    ws: Workspace, source: Path, target: Path, size: int
) -> None:
    def stop(state: Progress) -> None:
        raise BrokenPipeError(errno.EPIPE, "the caller's")

    (source / "file").write_bytes(b"x" * size)
    with pytest.raises(BrokenPipeError, match="the caller's"):
        ws.import_directory(source, progress=stop)
    ws.import_directory(source)
    with pytest.raises(BrokenPipeError, match="the caller's"):
        ws.export_directory("/", target, progress=stop)
    assert not [name for name in os.listdir(target) if name.startswith(".vshell")]


def test_an_import_that_would_not_fit_changes_nothing(ws: Workspace, source: Path) -> None:
    ws.set_quota(10)
    (source / "a").write_text("123456")
    (source / "b").write_text("123456")
    with pytest.raises(QuotaExceededError):
        ws.import_directory(source)
    assert tree_of(ws) == {}


def test_a_large_file_that_would_not_fit_is_not_read_first(ws: Workspace, source: Path) -> None:
    ws.set_quota(CHUNK_BYTES)
    with open(source / "huge", "wb") as file:
        file.truncate(1 << 35)
    told: list[Progress] = []
    with pytest.raises(QuotaExceededError):
        ws.import_directory(source, progress=told.append)
    assert told == []


def test_a_file_may_take_the_room_of_what_it_replaces(ws: Workspace, source: Path) -> None:
    ws.set_quota(10)
    ws.write("/a", "12345678")
    ws.symlink("12", "/b")
    (source / "a").write_text("87654321")
    (source / "b").write_text("21")
    ws.import_directory(source)
    assert ws.usage().live_bytes == 10


def test_changing_the_workspace_during_an_import_is_a_conflict(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("a")
    with pytest.raises(ConflictError):
        ws.import_directory(source, progress=at(1, lambda: ws.write("/a", "mine")))
    assert tree_of(ws) == {}


def test_an_import_is_part_of_the_transaction_around_it(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("a")

    def both() -> None:
        with ws.transaction():
            ws.write("/b", "b")
            ws.import_directory(source)
            assert tree_of(ws) == {"/a": "a", "/b": "b"}
            raise LookupError

    with pytest.raises(LookupError):
        both()
    assert tree_of(ws) == {}


def test_an_import_is_one_revision_in_the_name_of_its_session(ws: Workspace, source: Path) -> None:
    ws.write("/replaced", "old")
    ws.mkdir("/d")
    ws.symlink("old", "/link")
    (source / "d").mkdir(mode=0o700)
    (source / "d" / "new").write_text("new")
    (source / "replaced").write_text("new")
    (source / "link").symlink_to("new")
    revision = ws.files.revision()
    ws.session("one").import_directory(source)
    changes = ws.changes(revision).changes
    assert {change.revision for change in changes} == {revision + 1}
    assert {(change.session, change.operation) for change in changes} == {("one", "import")}
    assert {(change.action, change.path) for change in changes} == {
        ("remove", "/link"),
        ("create", "/link"),
        ("create", "/d/new"),
        ("write", "/replaced"),
        ("attributes", "/d"),
        ("attributes", "/"),
    }


def test_progress_tells_entries_and_bytes(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("12345")
    (source / "b").mkdir()
    (source / "b" / "c").write_text("123")
    told: list[Progress] = []
    ws.import_directory(source, progress=told.append)
    assert [(state.entries, state.total, state.bytes) for state in told] == [
        (1, None, 5),
        (2, None, 5),
        (3, None, 8),
    ]


def test_progress_goes_on_during_a_large_file(ws: Workspace, source: Path, target: Path) -> None:
    (source / "large").write_bytes(b"x" * 4 * CHUNK_BYTES)
    told: list[Progress] = []
    ws.import_directory(source, progress=told.append)
    sizes = [state.bytes for state in told]
    assert sizes == sorted(sizes)
    assert len(told) == 5
    told.clear()
    ws.export_directory("/", target, progress=told.append)
    assert [state.bytes // CHUNK_BYTES for state in told] == [1, 2, 3, 4]
