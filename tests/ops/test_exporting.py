"""A tree of the workspace goes to the host, over what is there or was planted."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.ops.host_trees import at, picture, reasons, unprivileged
from vshell.errors import (
    CorruptError,
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from vshell.host import HostTree
from vshell.ops.transfer import Progress
from vshell.workspace import Workspace

# Exporting.


def test_a_directory_of_the_workspace_goes_into_the_target(ws: Workspace, target: Path) -> None:
    ws.write("/d/e/file", "text")
    ws.symlink("e/file", "/d/link")
    ws.write("/other", "other")
    result = ws.export_directory("/d", target / "made" / "too")
    assert (target / "made" / "too" / "link").read_text() == "text"
    assert (result.files, result.directories, result.symlinks, result.bytes) == (1, 1, 1, 4)
    assert sorted(os.listdir(target / "made" / "too")) == ["e", "link"]


@pytest.mark.parametrize("given", ["there", "there/", "new/", "name", "new/name"])
def test_a_single_file_is_exported_into_a_directory_or_to_exactly_a_path(
    ws: Workspace, place: Path, given: str
) -> None:
    (place / "there").mkdir()
    ws.write("/d/file", "text")
    ws.chmod("/d/file", 0o640)
    ws.utime("/d/file", mtime_ns=5)
    result = ws.export_directory("/d/file", f"{place}/{given}")
    found = place / given / "file" if given.startswith("there") or given[-1] == "/" else None
    status = os.stat(found or place / given)
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, 5)
    assert result.files == 1


def test_a_single_file_does_not_go_through_a_planted_link(ws: Workspace, place: Path) -> None:
    (place / "outside").write_text("outside")
    (place / "name").symlink_to("outside")
    ws.write("/file", "text")
    ws.export_directory("/file", place / "name")
    assert (place / "outside").read_text() == "outside"
    assert not (place / "name").is_symlink()


def test_a_source_that_is_missing_makes_no_target(ws: Workspace, target: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.export_directory("/missing", target)
    assert not target.exists()


def test_a_target_that_is_a_file_is_refused(ws: Workspace, target: Path) -> None:
    target.touch()
    ws.mkdir("/d")
    with pytest.raises((NotDirectoryError, ExistsError)) as caught:
        ws.export_directory("/d", target)
    assert str(target) not in str(caught.value)


def test_a_new_target_has_the_mode_of_the_source_and_an_old_one_keeps_its_own(
    ws: Workspace, place: Path
) -> None:
    ws.mkdir("/d", mode=0o750)
    (place / "old").mkdir(mode=0o700)
    ws.export_directory("/d", place / "old")
    ws.export_directory("/d", place / "new")
    assert stat.S_IMODE(os.stat(place / "old").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(place / "new").st_mode) == 0o750


def test_other_files_of_the_target_are_not_touched(ws: Workspace, target: Path) -> None:
    target.mkdir()
    (target / "other").write_text("other")
    (target / "d").mkdir()
    (target / "d" / "other").write_text("other")
    ws.write("/d/file", "text")
    ws.export_directory("/", target)
    assert (target / "other").read_text() == "other"
    assert sorted(os.listdir(target / "d")) == ["file", "other"]


def test_files_and_links_of_the_target_are_replaced(ws: Workspace, target: Path) -> None:
    target.mkdir()
    (target / "a").write_text("old")
    (target / "b").symlink_to("a")
    (target / "c").symlink_to("old")
    os.mkfifo(target / "d")
    ws.symlink("new", "/a")
    ws.write("/b", "new b")
    ws.symlink("new", "/c")
    ws.write("/d", "new d")
    ws.export_directory("/", target)
    assert os.readlink(target / "a") == os.readlink(target / "c") == "new"
    assert (target / "b").read_text() == "new b"
    assert (target / "d").read_text() == "new d"


def test_without_overwrite_an_existing_file_stops_everything(ws: Workspace, target: Path) -> None:
    (target / "d").mkdir(parents=True)
    (target / "d" / "z").write_text("old")
    ws.write("/a", "new")
    ws.write("/d/z", "new")
    with pytest.raises(ExistsError, match="d/z"):
        ws.export_directory("/", target, overwrite=False)
    assert os.listdir(target) == ["d"]
    assert (target / "d" / "z").read_text() == "old"


def test_without_overwrite_directories_are_merged(ws: Workspace, target: Path) -> None:
    (target / "d").mkdir(parents=True)
    ws.write("/d/new", "new")
    ws.export_directory("/", target, overwrite=False)
    assert (target / "d" / "new").read_text() == "new"


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o1777])
def test_special_bits_are_set_only_when_asked(ws: Workspace, place: Path, bits: int) -> None:
    ws.write("/file", "text")
    ws.chmod("/file", bits)
    ws.mkdir("/d", mode=bits)
    ws.export_directory("/", place / "plain")
    ws.export_directory("/", place / "special", special_bits=True)
    for name in ("file", "d"):
        assert stat.S_IMODE(os.stat(place / "plain" / name).st_mode) == bits & 0o777
        assert stat.S_IMODE(os.stat(place / "special" / name).st_mode) == bits


def test_locked_directories_are_written_and_written_again(ws: Workspace, place: Path) -> None:
    for name, mode in (("read-only", 0o555), ("locked", 0o000), ("blind", 0o311)):
        ws.write(f"/{name}/sub/file", "text")
        ws.chmod(f"/{name}/sub", mode)
        ws.chmod(f"/{name}", mode)
    (place / "mine").mkdir()
    with unprivileged(place / "mine"):
        for text in ("text", "new text"):
            ws.write("/read-only/sub/file", text)
            ws.write("/locked/sub/file", text)
            result = ws.export_directory("/", place / "mine" / "target")
            assert result.skipped == ()
    found = {}
    with HostTree.open(place / "mine" / "target") as tree:
        for name in ("read-only", "locked", "blind"):
            found[name] = stat.S_IMODE(tree.status(name).st_mode)
            tree.go(name, writable=True)
            found[f"{name}/sub"] = stat.S_IMODE(tree.status("sub").st_mode)
            tree.go(f"{name}/sub", writable=True)
            tree.go("")
    assert found == {
        "read-only": 0o555,
        "read-only/sub": 0o555,
        "locked": 0,
        "locked/sub": 0,
        "blind": 0o311,
        "blind/sub": 0o311,
    }
    assert (place / "mine" / "target" / "locked" / "sub" / "file").read_text() == "new text"


def test_hard_links_become_copies_where_the_host_has_none(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))

    ws.write("/a", "text")
    ws.link("/a", "/b")
    monkeypatch.setattr(os, "link", refuse)
    assert ws.export_directory("/", target).files == 2
    assert (target / "b").read_text() == "text"
    assert os.stat(target / "b").st_nlink == 1


def test_what_the_host_cannot_hold_is_skipped_and_reported(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.symlink("target", "/link")
    ws.write("/bad/inside", "text")
    ws.mkdir("/bad/directory")
    ws.write("/good", "text")
    make = os.mkdir

    def refuse(path: bytes, *arguments: Any, **options: Any) -> None:
        if path == b"bad":
            raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ))
        make(path, *arguments, **options)

    def refuse_link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "symlink", refuse_link)
    monkeypatch.setattr(os, "mkdir", refuse)
    result = ws.export_directory("/", target)
    assert set(reasons(result)) == {"link", "bad", "bad/inside", "bad/directory"}
    assert os.listdir(target) == ["good"]


def test_a_full_disk_is_an_error_and_leaves_no_half_file(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/file", "text")

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(UnavailableError, match="no space left") as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/file"
    assert os.listdir(target) == []


def test_what_is_exported_is_the_state_at_the_beginning(place: Path, target: Path) -> None:
    with Workspace.open(place / "agent.db") as ws, Workspace.open(place / "agent.db") as other:
        for name in "abc":
            ws.write(f"/{name}", "old")

        def change() -> None:
            other.write("/c", "new")
            other.rm("/b")

        ws.export_directory("/", target, progress=at(1, change))
        assert [(target / name).read_text() for name in "abc"] == ["old"] * 3
        assert ws.read_text("/c") == "new"


def test_progress_tells_how_many_entries_there_are(ws: Workspace, target: Path) -> None:
    ws.write("/d/file", "12345")
    ws.symlink("x", "/link")
    told: list[Progress] = []
    ws.export_directory("/", target, progress=told.append)
    assert [(state.entries, state.total, state.bytes) for state in told] == [
        (1, 3, 0),
        (2, 3, 5),
        (3, 3, 5),
    ]


# Exporting: what somebody planted.


@pytest.mark.parametrize("link", ["../outside", "/absolute", ".", "missing", "d"])
def test_a_link_where_a_directory_goes_is_refused_before_anything_is_written(
    ws: Workspace, place: Path, target: Path, link: str
) -> None:
    outside = place / "outside"
    outside.mkdir()
    target.mkdir()
    (target / "d").symlink_to(outside if link == "/absolute" else link)
    ws.write("/a", "text")
    ws.write("/d/file", "text")
    with pytest.raises(NotDirectoryError) as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/d"
    assert os.listdir(target) == ["d"]
    assert os.listdir(outside) == []


def test_a_directory_where_a_file_goes_is_refused_before_anything_is_written(
    ws: Workspace, target: Path
) -> None:
    (target / "z").mkdir(parents=True)
    ws.write("/a", "text")
    ws.write("/z", "text")
    with pytest.raises(IsDirectoryError) as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/z"
    assert os.listdir(target) == ["z"]


@pytest.mark.parametrize("kind", ["symlink", "hard link"])
def test_a_planted_link_where_a_file_goes_is_replaced_and_not_written_through(
    ws: Workspace, place: Path, target: Path, kind: str
) -> None:
    outside = place / "outside"
    outside.write_text("outside")
    outside.chmod(0o600)
    target.mkdir()
    if kind == "symlink":
        (target / "file").symlink_to(outside)
    else:
        os.link(outside, target / "file")
    before = os.stat(outside)
    ws.write("/file", "text")
    ws.chmod("/file", 0o777)
    ws.export_directory("/", target)
    after = os.stat(outside)
    assert outside.read_text() == "outside"
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert (target / "file").read_text() == "text"


@pytest.mark.parametrize("entries", [1, 2, 3, 4])
def test_a_target_that_is_swapped_for_a_link_leads_nobody_outside(
    ws: Workspace, place: Path, target: Path, entries: int
) -> None:
    outside = place / "outside"
    (outside / "e").mkdir(parents=True)
    for path in ("/d/a", "/d/b", "/d/e/c", "/d/e/f", "/d/g"):
        ws.write(path, "text")
        ws.chmod(path, 0o777)
    before = picture(outside)

    def swap() -> None:
        (target / "d").rename(target / "moved")
        (target / "d").symlink_to(outside)

    ws.export_directory("/d", target / "d", progress=at(entries, swap))
    assert picture(outside) == before
    assert (target / "moved" / "g").read_text() == "text"


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 6])
def test_a_swapped_directory_does_not_pass_its_attributes_to_what_the_link_leads_to(
    ws: Workspace, place: Path, target: Path, entries: int
) -> None:
    outside = place / "outside"
    (outside / "e").mkdir(parents=True)
    for path in ("/d/a", "/d/b", "/d/e/c", "/d/e/f", "/z/g"):
        ws.write(path, "text")
    for path in ("/d", "/d/e"):
        ws.chmod(path, 0o777)
    before = picture(outside)

    def swap() -> None:
        (target / "d").rename(target / "moved")
        (target / "d").symlink_to(outside)

    with pytest.raises(NotDirectoryError):
        ws.export_directory("/", target, progress=at(entries, swap))
    assert picture(outside) == before


def test_a_name_that_appears_during_the_export_is_not_taken_over(
    ws: Workspace, target: Path
) -> None:
    """So it also is when the host takes `A` and `a` for one name."""
    ws.write("/a", "a")
    ws.write("/b", "b")
    with pytest.raises(ExistsError) as caught:
        ws.export_directory(
            "/", target, progress=at(1, lambda: (target / "b").write_text("theirs"))
        )
    assert caught.value.filename == "/b"
    assert (target / "b").read_text() == "theirs"


@pytest.mark.parametrize(
    "name", [b"..", b".", b"", b"../../escaped", b"/escaped", b"x/../../../escaped", b"a\0b"]
)
def test_impossible_names_of_a_hostile_workspace_are_refused(
    place: Path, target: Path, name: bytes
) -> None:
    with Workspace.open(place / "agent.db") as ws:
        ws.write("/d/file", "text")
    connection = apsw.Connection(str(place / "agent.db"))
    connection.execute("update entry set name = ? where name = ?", (name, b"file"))
    connection.close()
    with Workspace.open(place / "agent.db") as ws, pytest.raises(CorruptError):
        ws.export_directory("/", target)
    assert not target.exists()
    assert not (place / "escaped").exists()


# Exporting: what is deleted.


def test_delete_removes_what_the_source_does_not_have(
    ws: Workspace, place: Path, target: Path
) -> None:
    (place / "outside").mkdir()
    (place / "outside" / "kept").touch()
    (target / "d" / "gone").mkdir(parents=True)
    (target / "d" / "gone" / "file").touch()
    (target / "gone").symlink_to(place / "outside")
    ws.write("/d/file", "text")
    ws.utime("/d", mtime_ns=5)
    result = ws.export_directory("/", target, delete=True)
    assert sorted(picture(target)) == ["", "d", "d/file"]
    assert os.listdir(place / "outside") == ["kept"]
    assert os.stat(target / "d").st_mtime_ns == 5
    assert result.removed == 3


def test_delete_replaces_what_is_of_another_kind(ws: Workspace, place: Path, target: Path) -> None:
    (place / "outside").mkdir()
    (target / "file" / "inside").mkdir(parents=True)
    (target / "d").symlink_to(place / "outside")
    ws.write("/file", "text")
    ws.write("/d/inside", "text")
    ws.export_directory("/", target, delete=True)
    assert (target / "file").read_text() == "text"
    assert not (target / "d").is_symlink()
    assert (target / "d" / "inside").read_text() == "text"
    assert os.listdir(place / "outside") == []


def test_delete_with_a_single_file_is_refused(ws: Workspace, target: Path) -> None:
    ws.write("/file", "text")
    with pytest.raises(NotDirectoryError):
        ws.export_directory("/file", target, delete=True)
    assert not target.exists()


def test_delete_never_removes_an_open_workspace(target: Path) -> None:
    (target / "d").mkdir(parents=True)
    (target / "d" / "gone").touch()
    with Workspace.open(target / "d" / "agent.db") as ws, Workspace.open(target / "b.db") as other:
        ws.write("/file", "text")
        other.write("/file", "text")
        result = ws.export_directory("/", target, delete=True)
        assert {"b.db", "d"} <= set(reasons(result))
        assert not (target / "d" / "gone").exists()
        assert (target / "d" / "agent.db").exists()
        assert (target / "file").read_text() == "text"


def test_an_open_workspace_is_not_overwritten(target: Path) -> None:
    target.mkdir()
    with Workspace.open(target / "agent.db") as ws:
        ws.write("/agent.db", "text")
        with pytest.raises(PermissionDeniedError):
            ws.export_directory("/", target)
        assert ws.read_text("/agent.db") == "text"


@pytest.mark.parametrize("root", ["/", "//", "/..", "/./", "/usr/.."])
def test_the_root_of_the_host_is_no_target(ws: Workspace, root: str) -> None:
    # The workspace is empty: were this not refused, nothing would be written.
    with pytest.raises(PermissionDeniedError):
        ws.export_directory("/", root)


def test_a_link_that_is_the_way_to_a_directory_is_not_replaced_by_a_file(
    ws: Workspace, target: Path
) -> None:
    (target / "real").mkdir(parents=True)
    (target / "way").symlink_to("real")
    ws.write("/way", "file")
    with pytest.raises(IsDirectoryError):
        ws.export_directory("/", target)
    assert (target / "way").is_symlink()
    ws.export_directory("/", target, delete=True)
    assert (target / "way").read_text() == "file"
