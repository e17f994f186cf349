"""Gzip files, against Python's own and against hostile ones."""

from __future__ import annotations

import gzip
import subprocess
import zlib
from collections.abc import Iterator

import pytest

from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NotFoundError,
    QuotaExceededError,
    TooLargeError,
)
from vshell.ops import compress as compress_module
from vshell.ops.compress import compress, decompress
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


CONTENTS = [b"", b"x", b"hello\n" * 1000, bytes(range(256)) * 4096]


@pytest.mark.parametrize("data", CONTENTS, ids=len)
def test_what_is_compressed_comes_out_the_same(workspace: Workspace, data: bytes) -> None:
    workspace.write("/a", data)
    made = compress(workspace, "/a")
    assert (made.path, made.destination) == ("/a", "/a.gz")
    assert made.bytes == workspace.stat("/a.gz").size
    assert decompress(workspace, "/a.gz", "/b").bytes == len(data)
    assert workspace.read_bytes("/b") == data


@pytest.mark.parametrize("data", CONTENTS, ids=len)
def test_gzip_reads_what_is_compressed(workspace: Workspace, data: bytes) -> None:
    workspace.write("/a", data)
    compress(workspace, "/a")
    done = subprocess.run(
        ["gzip", "-dc"], input=workspace.read_bytes("/a.gz"), capture_output=True, check=True
    )
    assert done.stdout == data


def test_the_same_bytes_are_compressed_to_the_same(workspace: Workspace) -> None:
    workspace.write("/a", "text")
    assert compress(workspace, "/a", "/1").bytes == compress(workspace, "/a", "/2").bytes
    assert workspace.hash("/1") == workspace.hash("/2")


def test_the_end_of_the_name_is_dropped_in_either_case(workspace: Workspace) -> None:
    workspace.write("/A.GZ", gzip.compress(b"text"))
    assert decompress(workspace, "/A.GZ").destination == "/A"


def test_a_file_without_that_end_is_replaced_by_its_content(workspace: Workspace) -> None:
    workspace.write("/a", gzip.compress(b"text"))
    assert decompress(workspace, "/a").destination == "/a"
    assert workspace.read_text("/a") == "text"


def test_several_members_and_zeros_at_the_end_are_read(workspace: Workspace) -> None:
    workspace.write("/a.gz", gzip.compress(b"one ") + gzip.compress(b"two") + bytes(100))
    decompress(workspace, "/a.gz")
    assert workspace.read_text("/a") == "one two"


WHOLE = gzip.compress(b"hello" * 100)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        WHOLE[:-1],
        WHOLE[:20],
        WHOLE[:-8] + bytes(8),
        WHOLE + b"more",
        WHOLE[:15] + b"\xff\xff" + WHOLE[17:],
        zlib.compress(b"text"),
    ],
    ids=range(8),
)
def test_a_damaged_file_is_refused_and_nothing_changed(workspace: Workspace, data: bytes) -> None:
    workspace.write("/a.gz", data)
    workspace.write("/a", "old")
    with pytest.raises(DecodeError):
        decompress(workspace, "/a.gz")
    with pytest.raises(DecodeError):
        decompress(workspace, "/a.gz", "/a.gz")
    assert workspace.read_text("/a") == "old"
    assert workspace.read_bytes("/a.gz") == data


def test_a_bomb_is_refused_before_it_goes_off(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress_module, "MAX_DECOMPRESSED_BYTES", 1024 * 1024)
    workspace.write("/bomb.gz", gzip.compress(bytes(64 * 1024 * 1024)))
    with pytest.raises(TooLargeError):
        decompress(workspace, "/bomb.gz")
    assert not workspace.exists("/bomb")


def test_a_quota_is_not_passed() -> None:
    with Workspace.memory(quota_bytes=100_000) as workspace:
        workspace.write("/a.gz", gzip.compress(bytes(10 * 1024 * 1024)))
        with pytest.raises(QuotaExceededError):
            decompress(workspace, "/a.gz", "/new/a")
        assert not workspace.exists("/new")


@pytest.mark.parametrize("call", [compress, decompress])
def test_directories_and_missing_files_are_refused(workspace: Workspace, call: object) -> None:
    assert callable(call)
    workspace.write("/d/a", gzip.compress(b"text"))
    with pytest.raises(IsDirectoryError):
        call(workspace, "/d")
    with pytest.raises(IsDirectoryError):
        call(workspace, "/d/a", "/d")
    with pytest.raises(NotFoundError):
        call(workspace, "/none")


def test_missing_directories_are_made(workspace: Workspace) -> None:
    workspace.write("/a", "text")
    compress(workspace, "/a", "/new/deep/a.gz")
    assert gzip.decompress(workspace.read_bytes("/new/deep/a.gz")) == b"text"
