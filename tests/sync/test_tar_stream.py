"""Tar as it goes to a container and as a hostile one sends it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import CorruptError
from vshell.sync.tar_stream import END, Member, TarReader, header, padded

NAMES = st.binary(min_size=1, max_size=300).filter(
    lambda name: b"\0" not in name and not name.endswith(b"/")
)
TIMES = st.integers(min_value=0, max_value=1 << 62)


def pieces(data: bytes, size: int = 700) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def members(data: bytes) -> list[tuple[Member, bytes]]:
    reader = TarReader(pieces(data))
    found = []
    while (member := reader.next()) is not None:
        found.append((member, b"".join(reader.content())))
    return found


@given(NAMES, st.binary(max_size=2000), TIMES)
def test_what_is_written_is_what_tarfile_reads(name: bytes, data: bytes, time_ns: int) -> None:
    packed = header(name, b"0", mode=0o640, mtime_ns=time_ns, size=len(data)) + padded(data) + END
    with tarfile.open(fileobj=io.BytesIO(packed), encoding="utf-8") as archive:
        (member,) = archive.getmembers()
        assert member.name.encode("utf-8", "surrogateescape") == name
        assert (member.size, member.mode) == (len(data), 0o640)
        assert member.mtime == pytest.approx(time_ns / 1e9)
        file = archive.extractfile(member)
        assert file is not None
        assert file.read() == data


@given(st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=5), st.integers(1, 2000))
def test_what_tarfile_writes_is_read(files: list[tuple[bytes, bytes]], size: int) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    reader = TarReader(pieces(output.getvalue(), size))
    for name, data in files:
        member = reader.next()
        assert member is not None
        assert (member.name, b"".join(reader.content())) == (name, data)
    assert reader.next() is None


def test_a_link_has_its_target() -> None:
    for target in (b"a", b"../" + b"z" * 300):
        data = header(b"link", b"2", mode=0o777, mtime_ns=1, target=target) + END
        (found,) = members(data)
        assert found[0].is_symlink
        assert found[0].target == target


def test_what_is_not_read_is_passed_over() -> None:
    data = b"".join(
        header(name, b"0", mode=0o600, mtime_ns=0, size=5000) + padded(bytes(5000))
        for name in (b"a", b"b")
    )
    reader = TarReader(pieces(data + END))
    names = []
    while (member := reader.next()) is not None:
        names.append(member.name)
    assert names == [b"a", b"b"]


def test_devices_and_hard_links_have_no_content() -> None:
    data = b"".join(
        header(b"x", type, mode=0o600, mtime_ns=0, size=1 << 40)
        for type in (b"1", b"3", b"4", b"6")
    )
    assert [(found[0].is_file, found[1]) for found in members(data + END)] == [(False, b"")] * 4


@pytest.mark.parametrize(
    "data",
    [
        header(b"a", b"0", mode=0, mtime_ns=0, size=9999) + b"short",
        b"no tar at all".ljust(512, b"x"),
        header(b"a", b"L", mode=0, mtime_ns=0, size=1 << 40) + bytes(1024),
        header(b"a", b"L", mode=0, mtime_ns=0, size=100) + bytes(20),
        header(b"a", b"0", mode=0, mtime_ns=0)[:124] + b"-0000000001\0" + bytes(376),
    ],
    ids=["truncated", "garbage", "a name of a tebibyte", "half a name", "a negative size"],
)
def test_a_damaged_archive_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptError):
        members(data)


@given(st.binary(max_size=3000))
def test_garbage_never_does_more_than_fail(data: bytes) -> None:
    try:
        found = members(data)
    except CorruptError:
        return
    assert all(len(content) <= len(data) for _, content in found)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 1023))
def test_a_changed_archive_never_does_more_than_fail(change: bytes, place: int) -> None:
    good = bytearray(header(b"name", b"0", mode=0o600, mtime_ns=5, size=4) + padded(b"data") + END)
    good[place : place + len(change)] = change
    try:
        members(bytes(good))
    except CorruptError:
        return
