"""A workspace as one file of the host, and back; other programs read and make the same files."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vshell.errors import (
    DecodeError,
    ExistsError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
    PermissionDeniedError,
    QuotaExceededError,
    ReadOnlyError,
    TooLargeError,
    UnavailableError,
    VshellError,
)
from vshell.limits import CHUNK_BYTES, INLINE_BYTES
from vshell.ops import packing_members, packing_zip
from vshell.ops.find import FoundEntry
from vshell.workspace import Workspace

SECOND = 10**9
TIME = 1_700_000_001 * SECOND + 123_456_789
ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip", ".sqlar")
LARGE = bytes(range(256)) * 1500 + os.urandom(INLINE_BYTES)

each_ending = pytest.mark.parametrize("ending", ENDINGS)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is missing")


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace
        assert workspace.check().problems == ()


@pytest.fixture
def other() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace
        assert workspace.check().problems == ()


def below(ws: Workspace) -> list[FoundEntry]:
    return [entry for entry in ws.find("/").entries if entry.path != "/"]


def fill(ws: Workspace) -> None:
    ws.mkdir("/empty")
    ws.mkdir("/deep/er/est", parents=True)
    ws.write("/deep/er/est/file.txt", "text\n" * 50)
    ws.write("/nothing", b"")
    ws.write("/grün ✓", b"\0\1\2")
    ws.write("/large", LARGE)
    ws.write("/" + "n" * 150, "long name")
    ws.write("/tool", "#!/bin/sh\n")
    ws.chmod("/tool", 0o750)
    ws.chmod("/deep/er", 0o700)
    ws.symlink("deep/er/est/file.txt", "/link")
    ws.symlink("/nowhere/ü", "/dangling")
    for number, entry in enumerate(below(ws)):
        ws.utime(entry.path, mtime_ns=TIME + number * 7 * SECOND, follow=False)


def shown(ws: Workspace, *, precision_ns: int = 1) -> dict[str, tuple[Any, ...]]:
    found = {}
    for entry in below(ws):
        status = ws.lstat(entry.path)
        content: bytes | str = b""
        if status.kind == "file":
            content = ws.read_bytes(entry.path)
        elif status.kind == "symlink":
            content = ws.readlink(entry.path)
        found[entry.path] = (
            status.kind,
            0 if status.kind == "symlink" else status.mode,
            status.mtime_ns // precision_ns,
            content,
        )
    return found


def on_host(top: Path) -> dict[str, tuple[Any, ...]]:
    """What is below a directory of the host, as `shown` says it with times in seconds."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in top.rglob("*"):
        status = path.lstat()
        mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns // SECOND
        name = "/" + str(path.relative_to(top))
        if path.is_symlink():
            found[name] = ("symlink", 0, mtime, os.readlink(path))
        elif path.is_dir():
            found[name] = ("directory", mode, mtime, b"")
        else:
            found[name] = ("file", mode, mtime, path.read_bytes())
    return found


def without_link_times(found: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {
        path: (kind, mode, 0 if kind == "symlink" else mtime, content)
        for path, (kind, mode, mtime, content) in found.items()
    }


def make_host_tree(top: Path) -> None:
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "sub" / "a.txt").write_text("text\n" * 100)
    (top / "large").write_bytes(LARGE)
    (top / "nothing").write_bytes(b"")
    (top / "tool").write_text("x")
    (top / "tool").chmod(0o755)
    (top / "grün").write_text("y")
    (top / "link").symlink_to("sub/a.txt")
    for number, path in enumerate(sorted(top.rglob("*"))):
        when = 1_600_000_000 + 2 * number  # zip's own times are even
        os.utime(path, (when, when), follow_symlinks=False)


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


# Importing.


def tar_of(path: Path, *members: tuple[str, bytes, str]) -> Path:
    """Write a tar archive of names, types, and content or target."""
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, kind, text in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            data = text.encode() if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            info.linkname = "" if data else text
            archive.addfile(info, io.BytesIO(data))
    return path


def sqlar_of(path: Path, *rows: tuple[Any, ...], table: str = "") -> Path:
    with sqlite3.connect(path) as database:
        database.execute(
            table or "create table sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data)"
        )
        database.executemany("insert into sqlar values (?, ?, 0, ?, ?)", rows)
    database.close()
    return path


def refuse(
    ws: Workspace, source: Path, error: type[VshellError], match: str | None = None
) -> VshellError:
    """Import it, make sure that it is refused, and that nothing changed."""
    ws.write("/here", "before")
    before, revision = shown(ws), ws.files.revision()
    with pytest.raises(error, match=match) as caught:
        ws.import_archive(source, "/")
    assert shown(ws) == before
    assert ws.files.revision() == revision
    assert str(source.parent) not in str(caught.value)
    return caught.value


FILE, LINK, SYMLINK, DIRECTORY = (
    tarfile.REGTYPE,
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
)


def test_an_import_is_one_change_with_what_was_there_kept(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/d/old", "old")
    ws.write("/d/both", "old")
    before = ws.files.revision()
    ws.import_archive(tar_of(tmp_path / "x.tar", ("both", FILE, "new"), ("a/b", FILE, "b")), "/d")
    assert ws.read_text("/d/old") == "old"
    assert ws.read_text("/d/both") == "new"
    assert ws.read_text("/d/a/b") == "b"
    assert ws.files.revision() == before + 1


def test_undo_takes_an_import_back(ws: Workspace, tmp_path: Path) -> None:
    ws.write("/both", "old")
    before = shown(ws)
    ws.import_archive(tar_of(tmp_path / "x.tar", ("both", FILE, "new"), ("a/b", FILE, "b")))
    ws.undo()
    assert shown(ws).keys() == before.keys()
    assert ws.read_text("/both") == "old"


@pytest.mark.parametrize("ending", [".tar", ".tgz"])
@pytest.mark.parametrize(
    ("members", "match"),
    [
        ([("/etc/passwd", FILE, "x")], "absolute"),
        ([("good", FILE, "x"), ("a/../../b", FILE, "x")], r"has \.\."),
        ([("..", DIRECTORY, "")], r"has \.\."),
        ([("l", SYMLINK, "/d"), ("l/f", FILE, "x")], "on its way"),
        ([("l", SYMLINK, "/d"), ("l", DIRECTORY, "")], "twice"),
        ([("f", FILE, "x"), ("f/g", FILE, "x")], "on its way"),
        ([("f", FILE, "x"), ("./f", FILE, "y")], "twice"),
        ([("d", DIRECTORY, ""), ("d", FILE, "x")], "twice"),
        ([("d/f", FILE, "x"), ("d", SYMLINK, "/")], "twice"),
        ([("l", LINK, "here")], "no file before it"),
        ([("l", LINK, "../here")], r"has \.\."),
        ([("l", LINK, "l")], "no file before it"),
        ([("d", tarfile.CHRTYPE, "")], "device"),
        ([("d", tarfile.FIFOTYPE, "")], "device"),
        ([(".", FILE, "x")], "no name"),
        ([("l", SYMLINK, "")], "no path"),
    ],
)
def test_an_unsafe_archive_is_refused(
    ws: Workspace, tmp_path: Path, ending: str, members: list[tuple[str, bytes, str]], match: str
) -> None:
    error = refuse(ws, tar_of(tmp_path / f"x{ending}", *members), PermissionDeniedError, match)
    assert error.data["entry"]


def test_nothing_goes_through_a_link_of_the_workspace(ws: Workspace, tmp_path: Path) -> None:
    ws.mkdir("/elsewhere")
    ws.symlink("/elsewhere", "/l")
    refuse(ws, tar_of(tmp_path / "x.tar", ("l/f", FILE, "x")), NotDirectoryError)
    assert ws.ls("/elsewhere").entries == ()


def test_a_file_does_not_replace_a_directory(ws: Workspace, tmp_path: Path) -> None:
    ws.mkdir("/d")
    refuse(ws, tar_of(tmp_path / "x.tar", ("d", FILE, "x")), IsDirectoryError)


def test_a_name_that_is_too_long_is_refused(ws: Workspace, tmp_path: Path) -> None:
    refuse(ws, tar_of(tmp_path / "x.tar", ("n" * 256, FILE, "x")), NameTooLongError)


@each_ending
def test_a_file_over_the_limit_is_refused(
    ws: Workspace, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.memory() as source:
        source.write("/a", LARGE)
        source.export_archive(tmp_path / f"x{ending}")
    monkeypatch.setattr("vshell.ops.unpacking.MAX_FILE_BYTES", len(LARGE) - 1)
    refuse(ws, tmp_path / f"x{ending}", TooLargeError)


@each_ending
def test_an_archive_with_too_many_entries_is_refused(
    ws: Workspace, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.memory() as source:
        for number in range(4):
            source.write(f"/{number}", "")
        source.export_archive(tmp_path / f"x{ending}")
    for module in ("tar_members", "packing_members", "packing_sqlar"):
        monkeypatch.setattr(f"vshell.ops.{module}.MAX_MEMBERS", 3)
    refuse(ws, tmp_path / f"x{ending}", TooLargeError, "more than 3 entries")


@each_ending
def test_a_bomb_is_stopped_by_the_quota(ws: Workspace, tmp_path: Path, ending: str) -> None:
    with Workspace.memory() as source:
        source.write("/a", bytes(20 * CHUNK_BYTES))
        source.export_archive(tmp_path / f"x{ending}")
    ws.set_quota(10 * CHUNK_BYTES)
    refuse(ws, tmp_path / f"x{ending}", QuotaExceededError)


@each_ending
def test_an_archive_that_is_cut_off_is_refused(ws: Workspace, tmp_path: Path, ending: str) -> None:
    with Workspace.memory() as source:
        source.write("/a", LARGE)
        source.export_archive(tmp_path / f"x{ending}")
    whole = (tmp_path / f"x{ending}").read_bytes()
    for share in (0.99, 0.5, 0.1):
        # The end of a plain tar archive is zeros, which may be missing.
        length = min(int(len(whole) * share), len(LARGE))
        (tmp_path / f"x{ending}").write_bytes(whole[:length])
        refuse(ws, tmp_path / f"x{ending}", DecodeError)


@each_ending
@pytest.mark.parametrize("data", [b"", b"no archive\n" * 100, bytes(range(256)) * 8])
def test_what_is_no_archive_is_refused(
    ws: Workspace, tmp_path: Path, ending: str, data: bytes
) -> None:
    (tmp_path / f"x{ending}").write_bytes(data)
    if data or ending != ".tar":
        refuse(ws, tmp_path / f"x{ending}", DecodeError)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ending=st.sampled_from(ENDINGS),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
    ),
)
def test_a_damaged_archive_is_refused_or_read_and_nothing_else(
    tmp_path: Path, ending: str, changes: list[tuple[float, int]]
) -> None:
    with Workspace.memory() as ws:
        ws.write("/a/b", "text" * 30)
        ws.symlink("a", "/l")
        ws.export_archive(tmp_path / f"x{ending}")
        data = bytearray((tmp_path / f"x{ending}").read_bytes())
        for place, value in changes:
            data[int(place * len(data))] = value
        (tmp_path / f"x{ending}").write_bytes(data)
        before = shown(ws)
        try:
            ws.import_archive(tmp_path / f"x{ending}", "/new")
        except VshellError:
            assert shown(ws) == before
        assert ws.check().problems == ()


def test_a_wrong_checksum_of_gzip_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tgz", ("a", FILE, "x"))
    data = path.read_bytes()
    path.write_bytes(data[:-8] + bytes(4) + data[-4:])
    refuse(ws, path, DecodeError)


def test_a_compressed_archive_without_blocks_at_its_end_comes_in(
    ws: Workspace, tmp_path: Path
) -> None:
    data = gzip.decompress(tar_of(tmp_path / "x.tgz", ("a", FILE, "x")).read_bytes())
    (tmp_path / "x.tgz").write_bytes(gzip.compress(data[:1024]))
    assert ws.import_archive(tmp_path / "x.tgz").files == 1


# Zip archives that lie.


def zip_of(path: Path, name: str, data: bytes, **attributes: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        for attribute, value in attributes.items():
            setattr(info, attribute, value)
        archive.writestr(info, data)
    return path


def patched(path: Path, offset: int, value: bytes) -> Path:
    """Overwrite a field of the first entry of a zip archive's directory."""
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02") + offset
    data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", [1, 99, 101, 2**31])
def test_a_zip_archive_that_lies_of_a_size_is_refused(
    ws: Workspace, tmp_path: Path, size: int
) -> None:
    path = patched(zip_of(tmp_path / "x.zip", "a", b"x" * 100), 24, struct.pack("<L", size))
    refuse(ws, path, DecodeError)


def test_a_zip_archive_whose_entries_overlap_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "a", b"x" * 100)
    refuse(ws, patched(path, 20, struct.pack("<L", 10**6)), DecodeError, "overlap")


def test_an_encrypted_zip_archive_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "a", b"x" * 100)
    refuse(ws, patched(path, 8, b"\1"), UnavailableError, "encrypted")


def test_a_zip_archive_by_another_method_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "a", b"x" * 100, compress_type=zipfile.ZIP_LZMA)
    refuse(ws, path, UnavailableError, "method 14")


def test_a_device_in_a_zip_archive_is_refused(ws: Workspace, tmp_path: Path) -> None:
    mode = (stat.S_IFCHR | 0o600) << 16
    path = zip_of(tmp_path / "x.zip", "a", b"", create_system=3, external_attr=mode)
    refuse(ws, path, PermissionDeniedError, "device")


@pytest.mark.parametrize("name", ["/a", "../a", "a/../../b"])
def test_a_zip_archive_that_leads_out_is_refused(ws: Workspace, tmp_path: Path, name: str) -> None:
    refuse(ws, zip_of(tmp_path / "x.zip", name, b"x"), PermissionDeniedError)


def test_a_zip_archive_of_a_system_without_modes_gets_usual_ones(
    ws: Workspace, tmp_path: Path
) -> None:
    path = zip_of(tmp_path / "x.zip", "a", b"x", create_system=0, date_time=(2020, 2, 3, 4, 5, 6))
    ws.import_archive(path)
    assert ws.stat("/a").mode == 0o644
    local = time.mktime((2020, 2, 3, 4, 5, 6, 0, 0, -1))
    assert ws.stat("/a").mtime_ns == int(local) * SECOND


def test_more_than_four_gigabytes_are_announced_as_such() -> None:
    entry = packing_members.PackedEntry(
        "a", "file", 5 * 2**30, 0o644, 0, "", packing_members.no_pieces
    )
    # `ZipFile.open` makes room for 64-bit numbers when the size says so beforehand.
    assert packing_zip._info(entry).file_size == 5 * 2**30


# SQLite archives that lie.


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (("a", 0o100644, 5, zlib.compress(b"x" * 100)), "as long"),
        (("a", 0o100644, 500, zlib.compress(b"x" * 100)), "as long"),
        (("a", 0o100644, 99, zlib.compress(b"x" * 100)), "as long"),
        (("a", 0o100644, 100, None), "as long"),
        (("a", 0o100644, -2, b""), "as long"),
        (("a", 0o100644, 100, b"not compressed"), "not compressed"),
        (("a", 0o100644, 200, zlib.compress(b"x" * 200)[:-6]), "as long"),
        (("a", 0o120777, -1, b"x" * 5000), "target"),
        (("a", 0o40755, 1, b"x"), "directory"),
        (("a", "mode", 1, b"x"), "number"),
        ((b"a", 0o100644, 1, b"x"), "name"),
        (("n" * 5000, 0o100644, 1, b"x"), "name"),
    ],
)
def test_a_sqlite_archive_that_lies_is_refused(
    ws: Workspace, tmp_path: Path, row: tuple[Any, ...], match: str
) -> None:
    refuse(ws, sqlar_of(tmp_path / "x.sqlar", row), DecodeError, match)


@pytest.mark.parametrize("name", ["/a", "../a", "a\0b"])
def test_a_sqlite_archive_that_leads_out_is_refused(
    ws: Workspace, tmp_path: Path, name: str
) -> None:
    path = sqlar_of(tmp_path / "x.sqlar", (name, 0o100644, 1, b"x"))
    refuse(ws, path, PermissionDeniedError)


@pytest.mark.parametrize(
    "statement",
    [
        "create table other(name)",
        "create table sqlar(name, mode, mtime, sz)",
        "create view sqlar as select 'a' name, 33188 mode, 0 mtime, 1 sz, x'00' data",
        "create table sqlar(name, mode, mtime, sz, data as (zeroblob(1000000)))",
        "create virtual table sqlar using fts5(name, mode, mtime, sz, data)",
        "create table sqlar(name primary key, mode, mtime, sz, data) without rowid",
    ],
)
def test_a_database_with_another_table_is_refused(
    ws: Workspace, tmp_path: Path, statement: str
) -> None:
    database = sqlite3.connect(tmp_path / "x.sqlar")
    database.execute(statement)
    database.close()
    refuse(ws, tmp_path / "x.sqlar", DecodeError)


def test_text_in_a_database_that_is_none_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = sqlar_of(tmp_path / "x.sqlar")
    with sqlite3.connect(path) as database:
        database.execute("insert into sqlar values ('a', cast(x'80' as text), 0, 1, 'x')")
    database.close()
    refuse(ws, path, DecodeError)


# Backups.


def test_a_backup_is_a_workspace_with_everything(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.snapshot("then")
    ws.write("/later", "later")
    ws.backup(tmp_path / "copy.db")
    with Workspace.open(tmp_path / "copy.db", create=False) as copy:
        assert shown(copy) == shown(ws)
        assert copy.files.revision() == ws.files.revision()
        assert [snapshot.name for snapshot in copy.snapshots()] == ["then"]


def test_a_backup_does_not_replace_a_file(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(ExistsError):
        ws.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_backup_has_nothing_of_an_open_transaction(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ReadOnlyError), ws.transaction():
        ws.backup(tmp_path / "copy.db")
    assert os.listdir(tmp_path) == []
