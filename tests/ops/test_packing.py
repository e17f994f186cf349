"""A workspace as one file of the host, and back; other programs read and make the same files."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ops.packed_trees import (
    ENDINGS,
    LARGE,
    SECOND,
    each_ending,
    fill,
    make_host_tree,
    needs,
    on_host,
    shown,
    without_link_times,
)
from vshell.errors import (
    IsDirectoryError,
    NotFoundError,
    NotRegularError,
    PermissionDeniedError,
    UnavailableError,
)
from vshell.workspace import Workspace

# There and back.


@each_ending
def test_a_tree_comes_back_as_it_was(
    ws: Workspace, other: Workspace, tmp_path: Path, ending: str
) -> None:
    fill(ws)
    target = tmp_path / f"all{ending}"
    packed = ws.export_archive(target)
    assert other.import_archive(target) == packed
    precision = 1 if "t" in ending[1:2] else SECOND
    assert shown(other, precision_ns=precision) == shown(ws, precision_ns=precision)


@each_ending
def test_an_empty_workspace_comes_back(
    ws: Workspace, other: Workspace, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"all{ending}"
    ws.export_archive(target)
    assert other.import_archive(target).files == 0


@each_ending
def test_a_single_file_is_packed_under_its_name(
    ws: Workspace, other: Workspace, tmp_path: Path, ending: str
) -> None:
    ws.write("/a/b/c.txt", "c")
    ws.export_archive(tmp_path / f"x{ending}", source="/a/b/c.txt")
    other.import_archive(tmp_path / f"x{ending}", "/new/place")
    assert other.read_text("/new/place/c.txt") == "c"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60),
        st.tuples(st.binary(max_size=2000), st.integers(0, 0o7777), st.integers(0, 2**31 - 1)),
        max_size=4,
    ),
    ending=st.sampled_from(ENDINGS),
)
def test_any_names_modes_and_times_come_back(
    tmp_path: Path, files: dict[str, tuple[bytes, int, int]], ending: str
) -> None:
    with Workspace.memory() as one, Workspace.memory() as two:
        for name, (data, mode, seconds) in files.items():
            if name in (".", "..") or len(name.encode()) > 255:
                continue
            one.write(f"/{name}", data)
            one.chmod(f"/{name}", mode)
            one.utime(f"/{name}", mtime_ns=seconds * SECOND)
        one.export_archive(tmp_path / f"x{ending}")
        two.import_archive(tmp_path / f"x{ending}")
        assert shown(two) == shown(one)


@pytest.mark.parametrize("ending", [".tar", ".tgz"])
def test_tar_keeps_hard_links_of_files_and_links(
    ws: Workspace, other: Workspace, tmp_path: Path, ending: str
) -> None:
    ws.write("/a", "shared")
    ws.mkdir("/z")
    ws.link("/a", "/z/b")
    result = ws.export_archive(tmp_path / f"x{ending}")
    other.import_archive(tmp_path / f"x{ending}")
    assert result.bytes == 6
    assert other.stat("/a").inode == other.stat("/z/b").inode


@pytest.mark.parametrize("ending", [".zip", ".sqlar"])
def test_hard_links_become_copies_where_there_are_none(
    ws: Workspace, other: Workspace, tmp_path: Path, ending: str
) -> None:
    ws.write("/a", "shared")
    ws.link("/a", "/b")
    ws.export_archive(tmp_path / f"x{ending}")
    other.import_archive(tmp_path / f"x{ending}")
    assert other.read_text("/b") == "shared"
    assert other.stat("/a").inode != other.stat("/b").inode


def test_tar_keeps_names_that_are_not_utf_8(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    ws.write("/\udcff\udc80", "bytes")
    ws.symlink("\udcfe", "/link")
    ws.export_archive(tmp_path / "x.tar")
    other.import_archive(tmp_path / "x.tar")
    assert shown(other) == shown(ws)


@pytest.mark.parametrize("ending", [".zip", ".sqlar"])
def test_names_that_are_not_utf_8_are_skipped_and_reported_where_they_cannot_be(
    ws: Workspace, tmp_path: Path, ending: str
) -> None:
    ws.write("/\udcff/file", "bytes")
    result = ws.export_archive(tmp_path / f"x{ending}")
    assert [skipped.path for skipped in result.skipped] == ["\udcff", "\udcff/file"]
    assert result.files == 0


@pytest.mark.parametrize("seconds", [-1, -(2**31), 2**31, 2**32 + 1])
def test_tar_keeps_times_that_are_far_away(
    ws: Workspace, other: Workspace, tmp_path: Path, seconds: int
) -> None:
    ws.write("/a", "")
    ws.utime("/a", mtime_ns=seconds * SECOND + 5)
    ws.export_archive(tmp_path / "x.tar")
    other.import_archive(tmp_path / "x.tar")
    assert other.stat("/a").mtime_ns == seconds * SECOND + 5


# Exporting.


def test_an_archive_is_the_same_for_the_same_tree(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.export_archive(tmp_path / "1.tgz")
    ws.export_archive(tmp_path / "2.tgz")
    assert (tmp_path / "1.tgz").read_bytes() == (tmp_path / "2.tgz").read_bytes()


@each_ending
def test_nothing_is_left_when_packing_fails(
    ws: Workspace, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/a", LARGE)
    target = tmp_path / f"x{ending}"
    target.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UnavailableError, match="o space left"):
        ws.export_archive(target)
    assert os.listdir(tmp_path) == [target.name]
    assert target.read_bytes() == b"before"


def test_a_file_is_replaced_and_readable_by_its_owner_only(ws: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "x.tar"
    target.write_bytes(b"before")
    ws.export_archive(target)
    assert tarfile.is_tarfile(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_link_is_replaced_and_not_written_through(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "x.tar").symlink_to("precious")
    ws.export_archive(tmp_path / "x.tar")
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_directory_is_not_replaced(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "x.tar").mkdir()
    with pytest.raises(IsDirectoryError):
        ws.export_archive(tmp_path / "x.tar")


def test_a_link_to_a_directory_is_not_replaced(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "x").symlink_to("directory")
    with pytest.raises(IsDirectoryError):
        ws.export_archive(tmp_path / "x", format="tar")
    assert (tmp_path / "x").is_symlink()


def test_a_fifo_is_neither_replaced_nor_read(ws: Workspace, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(NotRegularError):
        ws.export_archive(tmp_path / "x.tar")
    with pytest.raises(NotRegularError):
        ws.import_archive(tmp_path / "x.tar")


def test_an_open_workspace_is_neither_replaced_nor_read(ws: Workspace, tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "other.sqlar"):
        with pytest.raises(PermissionDeniedError):
            ws.export_archive(tmp_path / "other.sqlar")
        with pytest.raises(PermissionDeniedError):
            ws.import_archive(tmp_path / "other.sqlar")


def test_the_name_must_say_the_format(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="does not say"):
        ws.export_archive(tmp_path / "x.rar")
    assert os.listdir(tmp_path) == []


def test_the_format_that_is_given_counts_more_than_the_name(ws: Workspace, tmp_path: Path) -> None:
    ws.export_archive(tmp_path / "x.tar", format="zip")
    assert zipfile.is_zipfile(tmp_path / "x.tar")


def test_a_missing_directory_of_the_target_is_not_found(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.export_archive(tmp_path / "no" / "x.tar")


# Other programs read what is packed.


@needs("tar")
@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
def test_tar_extracts_it(ws: Workspace, tmp_path: Path, ending: str) -> None:
    fill(ws)
    ws.link("/large", "/second")
    ws.write("/\udcff", "bytes")
    ws.export_archive(tmp_path / f"x{ending}")
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        ["tar", "-xpf", tmp_path / f"x{ending}", "-C", tmp_path / "out"],
        capture_output=True,
        check=True,
    )
    assert b"hdrcharset" in done.stderr or not done.stderr
    assert on_host(tmp_path / "out") == shown(ws, precision_ns=SECOND)
    assert (tmp_path / "out/large").samefile(tmp_path / "out/second")


@needs("unzip")
def test_unzip_extracts_it(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.export_archive(tmp_path / "x.zip")
    subprocess.run(["unzip", "-tqq", tmp_path / "x.zip"], check=True)
    subprocess.run(
        ["unzip", "-qq", tmp_path / "x.zip", "-d", tmp_path / "out"],
        check=True,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    # It does not set the times of links.
    found, expected = on_host(tmp_path / "out"), shown(ws, precision_ns=SECOND)
    assert without_link_times(found) == without_link_times(expected)


def test_python_tests_the_zip_archive(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.export_archive(tmp_path / "x.zip")
    done = subprocess.run(
        [sys.executable, "-m", "zipfile", "-t", tmp_path / "x.zip"], capture_output=True, check=True
    )
    assert done.stdout == b"Done testing\n"


def test_sqlite_reads_the_rows(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.export_archive(tmp_path / "x.sqlar")
    database = sqlite3.connect(tmp_path / "x.sqlar")
    found: dict[str, tuple[Any, ...]] = {}
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
    for name, mode, mtime, size, data in database.execute("select * from sqlar"):
        kind = kinds[stat.S_IFMT(mode)]
        content = data or b""
        if kind == "symlink":
            assert size == -1
            found[f"/{name}"] = (kind, 0, mtime, data)
            continue
        if len(content) != size:
            content = zlib.decompress(data)
        assert len(content) == size
        found[f"/{name}"] = (kind, stat.S_IMODE(mode), mtime, content)
    database.close()
    assert found == shown(ws, precision_ns=SECOND)


@needs("sqlite3")
def test_the_command_of_sqlite_extracts_it(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    # Before 3.46 the command fails at any link, also of its own archives.
    ws.rm("/link")
    ws.rm("/dangling")
    ws.export_archive(tmp_path / "x.sqlar")
    (tmp_path / "out").mkdir()
    subprocess.run(["sqlite3", tmp_path / "x.sqlar", "-Ax"], cwd=tmp_path / "out", check=True)
    found, expected = on_host(tmp_path / "out"), shown(ws, precision_ns=SECOND)
    # It makes what is in a directory after it has set the directory's time.
    for path, (kind, *_) in expected.items():
        if kind == "directory":
            assert found.pop(path)[:2] == expected[path][:2]
    expected = {path: what for path, what in expected.items() if what[0] != "directory"}
    assert without_link_times(found) == without_link_times(expected)


# What other programs pack is read.


@needs("tar")
@pytest.mark.parametrize("format", ["gnu", "pax", "ustar"])
def test_what_tar_packs_comes_in(ws: Workspace, tmp_path: Path, format: str) -> None:
    make_host_tree(tmp_path / "in")
    os.link(tmp_path / "in/large", tmp_path / "in/second")
    subprocess.run(
        ["tar", f"--format={format}", "-C", tmp_path / "in", "-cf", tmp_path / "x.tar", "."],
        check=True,
    )
    ws.import_archive(tmp_path / "x.tar")
    assert shown(ws, precision_ns=SECOND) == on_host(tmp_path / "in")
    assert ws.stat("/large").inode == ws.stat("/second").inode


@needs("tar")
def test_what_tar_packs_and_gzip_compresses_comes_in(ws: Workspace, tmp_path: Path) -> None:
    make_host_tree(tmp_path / "in")
    subprocess.run(["tar", "-C", tmp_path / "in", "-czf", tmp_path / "x.tgz", "."], check=True)
    ws.import_archive(tmp_path / "x.tgz")
    assert shown(ws, precision_ns=SECOND) == on_host(tmp_path / "in")


@needs("zip")
def test_what_zip_packs_comes_in(ws: Workspace, tmp_path: Path) -> None:
    make_host_tree(tmp_path / "in")
    subprocess.run(
        ["zip", "-qry", tmp_path / "x.zip", "."],
        cwd=tmp_path / "in",
        check=True,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    ws.import_archive(tmp_path / "x.zip")
    assert shown(ws, precision_ns=SECOND) == on_host(tmp_path / "in")


def test_what_python_zips_comes_in(ws: Workspace, tmp_path: Path) -> None:
    make_host_tree(tmp_path / "in")
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-c", tmp_path / "x.zip", "in/sub", "in/tool"],
        cwd=tmp_path,
        check=True,
    )
    ws.import_archive(tmp_path / "x.zip")
    assert ws.read_bytes("/sub/a.txt") == b"text\n" * 100
    assert ws.stat("/tool").mode == 0o755
    assert ws.stat("/tool").mtime_ns == (tmp_path / "in/tool").stat().st_mtime_ns


@needs("sqlite3")
def test_what_the_command_of_sqlite_packs_comes_in(ws: Workspace, tmp_path: Path) -> None:
    make_host_tree(tmp_path / "in")
    subprocess.run(
        ["sqlite3", tmp_path / "x.sqlar", "-Ac", *os.listdir(tmp_path / "in")],
        cwd=tmp_path / "in",
        check=True,
    )
    ws.import_archive(tmp_path / "x.sqlar")
    assert shown(ws, precision_ns=SECOND) == on_host(tmp_path / "in")
