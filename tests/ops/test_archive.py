"""Tar archives, against GNU tar and against hostile ones."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    OutputLimitError,
    PermissionDeniedError,
    QuotaExceededError,
    TooLargeError,
    UnavailableError,
    VshellError,
)
from vshell.ops import archive, tar_members
from vshell.ops.archive import create_archive, extract_archive, list_archive
from vshell.ops.ls import Entry
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def member(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def packed(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


def directory(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE)


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


def snapshot(workspace: Workspace) -> list[tuple[str, str, str | None]]:
    """Return all that there is: paths, contents and targets."""
    return [
        (entry.path, entry.kind, workspace.stat(entry.path).hash if entry.kind == "file" else None)
        for entry in _walk(workspace, "/")
    ]


def _walk(workspace: Workspace, path: str) -> Iterator[Entry]:
    for entry in workspace.ls(path).entries:
        yield entry
        if entry.kind == "directory":
            yield from _walk(workspace, entry.path)


# Making and extracting.


def fill(workspace: Workspace) -> None:
    workspace.write("/p/run.sh", "#!/bin/sh\n")
    workspace.chmod("/p/run.sh", 0o755)
    workspace.link("/p/run.sh", "/p/same.sh")
    workspace.symlink("run.sh", "/p/link")
    workspace.symlink("../run.sh", "/p/sub/up")
    workspace.write("/p/sub/big", bytes(range(256)) * 4096)
    workspace.write("/p/" + "long" * 60, "x")
    workspace.write("/p/ünï\n", "y")
    workspace.mkdir("/p/empty", mode=0o700)
    for path in ("/p/run.sh", "/p/sub/big", "/p/sub", "/p/empty"):
        workspace.utime(path, mtime_ns=1_234_567_890 * 10**9)


def test_what_is_packed_comes_out_the_same(workspace: Workspace) -> None:
    fill(workspace)
    made = create_archive(workspace, "/o.tar", ["/p"])
    assert list_archive(workspace, "/o.tar") == made.entries
    done = extract_archive(workspace, "/o.tar", "/out")
    assert done.entries == made.entries
    for entry in made.entries:
        old, new = workspace.lstat(f"/{entry.path}"), workspace.lstat(f"/out/{entry.path}")
        assert (old.kind, old.mode, old.hash, old.nlink) == (
            new.kind,
            new.mode,
            new.hash,
            new.nlink,
        )
        assert new.mtime_ns == old.mtime_ns // 10**9 * 10**9
    assert workspace.stat("/out/p/run.sh").inode == workspace.stat("/out/p/same.sh").inode
    assert workspace.readlink("/out/p/sub/up") == "../run.sh"


def test_gnu_tar_extracts_what_is_packed(workspace: Workspace, tmp_path: Path) -> None:
    fill(workspace)
    create_archive(workspace, "/o.tar", ["/p"])
    subprocess.run(["tar", "-x", "-C", tmp_path], input=workspace.read_bytes("/o.tar"), check=True)
    assert (tmp_path / "p/sub/big").read_bytes() == workspace.read_bytes("/p/sub/big")
    assert (tmp_path / "p/ünï\n").read_text() == "y"
    assert (tmp_path / "p" / ("long" * 60)).read_text() == "x"
    assert (tmp_path / "p/link").readlink() == Path("run.sh")
    assert (tmp_path / "p/run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "p/run.sh").samefile(tmp_path / "p/same.sh")
    assert (tmp_path / "p/sub").stat().st_mtime == 1_234_567_890


@pytest.mark.parametrize("format", ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"])
def test_what_gnu_tar_packs_is_extracted(workspace: Workspace, tmp_path: Path, format: str) -> None:
    (tmp_path / "t/deep").mkdir(parents=True)
    (tmp_path / "t/deep/file").write_text("text")
    (tmp_path / "t/link").symlink_to("deep/file")
    (tmp_path / "t/hard").hardlink_to(tmp_path / "t/deep/file")
    if format in ("gnu", "oldgnu", "pax", "posix"):
        (tmp_path / "t" / ("n" * 150)).write_text("long")
    made = subprocess.run(
        ["tar", "-C", tmp_path, f"--format={format}", "-c", "t"], capture_output=True, check=True
    )
    workspace.write("/t.tar", made.stdout)
    extract_archive(workspace, "/t.tar", "/")
    assert workspace.read_text("/t/link") == workspace.read_text("/t/hard") == "text"
    assert workspace.stat("/t/hard").nlink == 2
    assert workspace.exists("/t/" + "n" * 150) == (format not in ("ustar", "v7"))


def test_headers_are_extended_only_where_they_must_be(workspace: Workspace) -> None:
    workspace.write("/a" * 40, "x")
    assert create_archive(workspace, "/o.tar", ["/a"]).bytes == 512 * (39 + 2) + 1024
    workspace.write("/é", "x")
    assert create_archive(workspace, "/o.tar", ["/é"]).bytes == 512 * (3 + 1) + 1024


def test_names_are_those_of_the_paths_that_were_given(workspace: Workspace) -> None:
    workspace.write("/d/x/y", "1")
    workspace.symlink("/d", "/l")
    made = create_archive(workspace, "/o.tar", ["/l/x", "/l"])
    assert [entry.path for entry in made.entries] == ["l/x", "l/x/y", "l"]
    assert made.entries[-1].target == "/d"


def test_everything_is_packed_from_the_root(workspace: Workspace) -> None:
    workspace.write("/a", "1")
    made = create_archive(workspace, "/o.tar", ["/"])
    assert [entry.path for entry in made.entries] == [".", "a"]
    extract_archive(workspace, "/o.tar", "/out")
    assert workspace.read_text("/out/a") == "1"


def test_what_two_sources_share_is_packed_once(workspace: Workspace) -> None:
    workspace.write("/d/x", "1")
    made = create_archive(workspace, "/o.tar", ["/d/x", "/d"])
    assert [entry.path for entry in made.entries] == ["d/x", "d"]


def test_an_archive_is_not_packed_into_itself(workspace: Workspace) -> None:
    workspace.write("/d/x", "1")
    for _ in range(2):
        made = create_archive(workspace, "/d/o.tar", ["/d"])
        assert [entry.path for entry in made.entries] == ["d", "d/x"]


def test_a_source_that_is_missing_leaves_the_old_archive(workspace: Workspace) -> None:
    workspace.write("/o.tar", "old")
    with pytest.raises(NotFoundError):
        create_archive(workspace, "/o.tar", ["/none"])
    assert workspace.read_text("/o.tar") == "old"


def test_an_archive_over_the_quota_is_not_made() -> None:
    with Workspace.memory(quota_bytes=3000) as workspace:
        workspace.write("/d/x", b"x" * 1000)
        with pytest.raises(QuotaExceededError):
            create_archive(workspace, "/new/o.tar", ["/d"])
        assert not workspace.exists("/new")


def test_too_many_entries_are_not_packed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    workspace.write("/d/x", "")
    workspace.write("/d/y", "")
    with pytest.raises(OutputLimitError):
        create_archive(workspace, "/o.tar", ["/d"])


def test_files_that_exist_are_replaced_and_directories_kept(workspace: Workspace) -> None:
    workspace.write("/d/a", "new")
    create_archive(workspace, "/o.tar", ["/d"])
    workspace.write("/out/d/a", "old")
    workspace.write("/out/d/other", "stays")
    extract_archive(workspace, "/o.tar", "/out")
    assert workspace.read_text("/out/d/a") == "new"
    assert workspace.read_text("/out/d/other") == "stays"


@pytest.mark.parametrize("make", [Workspace.symlink, Workspace.link])
def test_a_link_that_is_in_the_way_is_replaced_and_not_written_through(
    workspace: Workspace, make: Callable[..., None]
) -> None:
    workspace.write("/precious", "mine")
    workspace.mkdir("/out")
    make(workspace, "/precious", "/out/a")
    workspace.write("/t.tar", packed(member("a", b"theirs")))
    extract_archive(workspace, "/t.tar", "/out")
    assert workspace.read_text("/precious") == "mine"
    assert workspace.read_text("/out/a") == "theirs"
    assert workspace.lstat("/out/a").kind == "file"


def test_the_destination_may_be_a_link(workspace: Workspace) -> None:
    workspace.mkdir("/real")
    workspace.symlink("/real", "/out")
    workspace.write("/t.tar", packed(member("a", b"1")))
    extract_archive(workspace, "/t.tar", "/out")
    assert workspace.read_text("/real/a") == "1"


def test_an_absolute_link_to_a_member_leads_to_what_came_out(workspace: Workspace) -> None:
    workspace.write("/p/a", "1")
    workspace.symlink("/p/a", "/p/l")
    create_archive(workspace, "/o.tar", ["/p"])
    extract_archive(workspace, "/o.tar", "/out")
    assert workspace.readlink("/out/p/l") == "/out/p/a"
    workspace.rm("/p", recursive=True)
    extract_archive(workspace, "/o.tar", "/")
    assert workspace.readlink("/p/l") == "/p/a"


def test_an_archive_without_its_last_blocks_is_extracted(workspace: Workspace) -> None:
    workspace.write("/t.tar", packed(member("a", b"1"))[:1024])
    assert [entry.path for entry in list_archive(workspace, "/t.tar")] == ["a"]


def test_an_empty_file_is_an_archive_of_nothing(workspace: Workspace) -> None:
    workspace.write("/t.tar", b"")
    assert list_archive(workspace, "/t.tar") == ()


# Hostile archives.

HOSTILE = {
    "an absolute name": [member("/etc/passwd", b"x")],
    "a name that leads out": [member("../x", b"x")],
    "a name that leads out at the end": [directory("a/b/../../..")],
    "a link out": [symlink("l", "../..")],
    "a link out from below": [directory("d"), symlink("d/l", "../../x")],
    "an absolute link": [symlink("l", "/etc/passwd")],
    "a link through a link": [symlink("here", "."), symlink("l", "here/../..")],
    "a link without a target": [symlink("l", "")],
    "a file through a link": [symlink("l", "."), member("l/x", b"x")],
    "a directory through a link": [directory("d"), symlink("l", "d"), directory("l/x")],
    "a hard link out": [hard_link("h", "../../precious")],
    "a hard link to an absolute name": [hard_link("h", "/precious")],
    "a hard link to what is there already": [hard_link("h", "before")],
    "a hard link to a link": [symlink("l", "x"), hard_link("h", "l")],
    "a hard link to itself": [hard_link("h", "h")],
    "a device": [member("dev", type=tarfile.CHRTYPE)],
    "a block device": [member("dev", type=tarfile.BLKTYPE)],
    "a pipe": [member("pipe", type=tarfile.FIFOTYPE)],
    "an unknown type": [member("what", type=b"Z")],
    "a name twice": [member("a", b"1"), member("a", b"2")],
    "a name twice in two spellings": [member("a", b"1"), member("./a", b"2")],
    "a file and a directory of one name": [member("a", b"1"), directory("a")],
    "a link in place of a file": [member("a", b"1"), symlink("a", "b")],
    "a file without a name": [member(".", b"x")],
    "a file in place of the destination": [member("./", b"x")],
    "the archive itself": [member("in.tar", b"x")],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_changed(workspace: Workspace, name: str) -> None:
    workspace.write("/precious", "mine")
    workspace.write("/out/before", "mine too")
    workspace.write("/out/in.tar", packed(member("first", b"1"), *HOSTILE[name]))
    before = snapshot(workspace)
    with pytest.raises(PermissionDeniedError, match="unsafe archive") as caught:
        extract_archive(workspace, "/out/in.tar", "/out")
    assert caught.value.data["entry"] == HOSTILE[name][-1][0].name.rstrip("/")
    assert snapshot(workspace) == before
    list_archive(workspace, "/out/in.tar")


def test_a_link_of_the_user_is_not_followed_out(workspace: Workspace) -> None:
    workspace.mkdir("/etc")
    workspace.mkdir("/out")
    workspace.symlink("/etc", "/out/d")
    workspace.write("/t.tar", packed(member("d/x", b"x")))
    with pytest.raises(PermissionDeniedError):
        extract_archive(workspace, "/t.tar", "/out")
    assert not workspace.exists("/etc/x")


def header_with(data: bytes, **fields: tuple[int, bytes]) -> bytes:
    """Return an archive with bytes of its first header replaced, and a right checksum."""
    header = bytearray(data[:512])
    for start, value in fields.values():
        header[start : start + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


def pax(*records: tuple[str, str], kind: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    data = b""
    for name, value in records:
        body = f" {name}={value}\n".encode()
        length = len(body) + 1
        while length != len(body) + len(str(length)):
            length = len(body) + len(str(length))
        data += str(length).encode() + body
    return member("pax", data, type=kind)


ONE = packed(member("a", b"12345"))
DAMAGED = {
    "text": b"hello world\n" * 100,
    "a short file": b"x",
    "half a header": ONE[:300],
    "a size beyond the end": header_with(ONE, size=(124, b"77777777777\0")),
    "a huge size": header_with(ONE, size=(124, b"\x80" + b"\xff" * 11)),
    "a negative size": header_with(ONE, size=(124, b"\xff" * 12)),
    "a cut file": ONE[:514],
    "a wrong checksum": ONE[:100] + b"zzz" + ONE[103:],
    "garbage after a member": ONE[:1024] + b"x" * 512,
    "a directory with content": header_with(ONE, type=(156, b"5")),
    "a link with content": header_with(ONE, type=(156, b"1")),
    "a broken record": packed(member("pax", b"99 path=x\n", type=b"x"), member("a")),
    "a record without a length": packed(member("pax", b"path=x\n", type=b"x"), member("a")),
    "a record of length 0": packed(member("pax", b"0 path=x\n", type=b"x"), member("a")),
    "a size that is no number": packed(pax(("size", "12x")), member("a")),
    "a size that lies": packed(pax(("size", "999999")), member("a")),
    "a time that is none": packed(pax(("mtime", "nan")), member("a")),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_is_refused_and_nothing_changed(workspace: Workspace, name: str) -> None:
    workspace.write("/t.tar", DAMAGED[name])
    for call in (list_archive, extract_archive):
        with pytest.raises(DecodeError):
            call(workspace, "/t.tar", *["/out"][: call is extract_archive])
    assert not workspace.exists("/out")


def test_sparse_files_are_refused(workspace: Workspace) -> None:
    sparse = packed(pax(("GNU.sparse.major", "1"), ("GNU.sparse.size", "99999999")), member("a"))
    for data in (sparse, header_with(ONE, type=(156, b"S"))):
        workspace.write("/t.tar", data)
        with pytest.raises(UnavailableError):
            extract_archive(workspace, "/t.tar", "/out")


def test_an_extended_header_has_a_limit(workspace: Workspace) -> None:
    workspace.write("/t.tar", packed(pax(("path", "x" * 70_000)), member("a")))
    with pytest.raises(TooLargeError):
        list_archive(workspace, "/t.tar")


def test_an_archive_has_a_limit_of_entries(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_members, "MAX_MEMBERS", 2)
    workspace.write("/t.tar", packed(*(member(str(number)) for number in range(3))))
    with pytest.raises(TooLargeError):
        extract_archive(workspace, "/t.tar", "/out")


def test_a_quota_is_not_passed_and_nothing_left() -> None:
    with Workspace.memory(quota_bytes=25_000) as workspace:
        workspace.write("/t.tar", packed(member("a", b"x" * 5000), member("b", b"x" * 5000)))
        with pytest.raises(QuotaExceededError):
            extract_archive(workspace, "/t.tar", "/out")
        assert not workspace.exists("/out")


def test_pax_records_name_size_and_time_a_member(workspace: Workspace) -> None:
    records = (("path", "näme"), ("mtime", "1.5"), ("comment", "a=b\nc"))
    workspace.write(
        "/t.tar", packed(pax(("mtime", "9"), kind=b"g"), pax(*records), member("x"), member("y"))
    )
    extract_archive(workspace, "/t.tar", "/out")
    assert workspace.stat("/out/näme").mtime_ns == 1_500_000_000
    assert workspace.stat("/out/y").mtime_ns == 9_000_000_000


def test_a_directory_is_not_replaced_by_a_file(workspace: Workspace) -> None:
    workspace.write("/out/a/b", "1")
    workspace.write("/t.tar", packed(member("first", b""), member("a", b"2")))
    with pytest.raises(IsDirectoryError):
        extract_archive(workspace, "/t.tar", "/out")
    assert not workspace.exists("/out/first")


def test_a_file_is_no_place_to_extract_to(workspace: Workspace) -> None:
    workspace.write("/t.tar", packed(member("a/b", b"2")))
    workspace.write("/out/a", "1")
    workspace.write("/f", "1")
    for destination in ("/f", "/out"):
        with pytest.raises(NotDirectoryError):
            extract_archive(workspace, "/t.tar", destination)


def test_permission_bits_beyond_the_nine_are_dropped(workspace: Workspace) -> None:
    workspace.write("/t.tar", packed(member("a", b"1", mode=0o6755), member("b", b"", mode=0o444)))
    extract_archive(workspace, "/t.tar", "/out")
    assert workspace.stat("/out/a").mode == 0o755
    assert workspace.stat("/out/b").mode == 0o444


NAMES = st.sampled_from(["a", "b", "d", "d/x", "d/l/y", "l", "../e", "/f", "l/x", ".", "d/../g"])
TARGETS = st.sampled_from(["a", "..", "../..", "/a", "/etc", "d", "d/x", ".", "d/../..", "l/../.."])
MEMBERS = st.lists(
    st.one_of(
        st.builds(lambda name: member(name, b"evil"), NAMES),
        st.builds(directory, NAMES),
        st.builds(symlink, NAMES, TARGETS),
        st.builds(hard_link, NAMES, TARGETS),
    ),
    max_size=6,
)


@given(MEMBERS)
def test_whatever_an_archive_holds_nothing_outside_changes(
    members: list[tuple[tarfile.TarInfo, bytes]],
) -> None:
    with Workspace.memory() as workspace:
        workspace.write("/a", "mine")
        workspace.write("/etc", "mine")
        workspace.mkdir("/out/d", parents=True)
        workspace.write("/t.tar", packed(*members))
        try:
            extract_archive(workspace, "/t.tar", "/out")
        except VshellError:
            assert snapshot(workspace)[2:4] == [
                ("/out", "directory", None),
                ("/out/d", "directory", None),
            ]
        outside = {entry.path for entry in workspace.ls("/").entries}
        assert outside == {"/a", "/etc", "/out", "/t.tar"}
        assert workspace.read_text("/a") == workspace.read_text("/etc") == "mine"
        for path, kind, _ in snapshot(workspace):
            if kind == "symlink" and workspace.exists(path):
                assert workspace.realpath(path).startswith("/out")


SEEDS = [
    packed(member("a", b"x" * 600, mode=0o755), directory("d"), symlink("d/l", "../a")),
    packed(pax(("path", "näme"), ("mtime", "1.5")), member("x", b"1"), hard_link("h", "näme")),
    packed(member("n" * 150, b"1"), format=tarfile.GNU_FORMAT),
]


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2600), st.binary(min_size=1, max_size=12)), max_size=3),
    st.booleans(),
)
def test_whatever_the_bytes_are_the_answer_or_error_is_ours(
    seed: bytes, changes: list[tuple[int, bytes]], mend: bool
) -> None:
    data = bytearray(seed)
    for start, value in changes:
        data[start : start + len(value)] = value
    if mend:
        for start in range(0, len(data) - 511, 512):
            if data[start + 257 : start + 262] == b"ustar":
                data[start : start + 512] = header_with(bytes(data[start : start + 512]))
    with Workspace.memory() as workspace:
        workspace.write("/t.tar", bytes(data))
        try:
            extract_archive(workspace, "/t.tar", "/out")
        except VshellError:
            assert not workspace.exists("/out")
        assert {entry.path for entry in workspace.ls("/").entries} <= {"/t.tar", "/out"}
