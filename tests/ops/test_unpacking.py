"""Archives come in whole or not at all, and none of their lies is believed."""

from __future__ import annotations

import gzip
import io
import sqlite3
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ops.packed_trees import ENDINGS, LARGE, SECOND, each_ending, shown
from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    PermissionDeniedError,
    QuotaExceededError,
    TooLargeError,
    UnavailableError,
    VshellError,
)
from vshell.limits import CHUNK_BYTES
from vshell.ops import packing_members, packing_zip
from vshell.workspace import Workspace

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
