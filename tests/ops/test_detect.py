"""Telling what files are."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell.errors import IsDirectoryError, NotFoundError
from vshell.ops.detect import detect
from vshell.text.media_types import SNIFFED_BYTES, extension_of, media_type
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def made_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", "text")
    return target.getvalue()


def made_tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return target.getvalue()


def made_wave() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 8)
    return target.getvalue()


KNOWN = {
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/gif": b"GIF89a\1\0\1\0",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/bmp": b"BM\x46\0\0\0\0\0\0\0",
    "image/tiff": b"II*\0\x08\0\0\0",
    "image/avif": b"\0\0\0\x20ftypavif",
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3",
    "application/zip": made_zip(),
    "application/gzip": gzip.compress(b"text"),
    "application/x-tar": made_tar(),
    "application/vnd.sqlite3": b"SQLite format 3\0\x10\0",
    "application/x-elf": b"\x7fELF\2\1\1\0",
    "application/wasm": b"\0asm\1\0\0\0",
    "audio/wav": made_wave(),
    "audio/mpeg": b"ID3\3\0\0\0\0\0\0",
    "audio/ogg": b"OggS\0\2\0\0",
    "audio/flac": b"fLaC\0\0\0\x22",
    "video/mp4": b"\0\0\0\x20ftypisom",
    "video/quicktime": b"\0\0\0\x14ftypqt  ",
    "video/webm": b"\x1a\x45\xdf\xa3\x01\0",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_first_bytes_decide_whatever_the_name(name: str) -> None:
    for extension in (None, "txt", "dat", "ts"):
        found = media_type(KNOWN[name], extension)
        assert (found.name, found.binary) == (name, True)


def test_a_database_of_sqlite_is_known(tmp_path: Path, workspace: Workspace) -> None:
    database = sqlite3.connect(tmp_path / "a.db")
    database.execute("create table t (x)")
    database.close()
    workspace.write("/a.db", (tmp_path / "a.db").read_bytes())
    assert detect(workspace, "/a.db").mime == "application/vnd.sqlite3"


@pytest.mark.parametrize(
    ("extension", "head", "expected"),
    [
        (
            "docx",
            b"PK\3\4",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("jar", b"PK\3\4", "application/java-archive"),
        ("png", b"PK\3\4", "application/zip"),
        ("mkv", b"\x1a\x45\xdf\xa3", "video/x-matroska"),
        ("ogv", b"OggS\0", "video/ogg"),
        ("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-excel"),
        ("avi", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-cfb"),
    ],
)
def test_the_extension_tells_the_use_of_a_container(
    extension: str, head: bytes, expected: str
) -> None:
    assert media_type(head, extension).name == expected


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("ts", "application/typescript"),
        ("js", "application/javascript"),
        ("json", "application/json"),
        ("md", "text/markdown"),
        ("py", "text/x-python"),
        ("svg", "image/svg+xml"),
        ("html", "text/html"),
        ("unknown", "text/plain"),
        (None, "text/plain"),
    ],
)
def test_the_extension_decides_for_text(extension: str | None, expected: str) -> None:
    for head in (b"", b"text \xc3\xa9 \xe9\t\r\n\x1b[0m\f"):
        found = media_type(head, extension)
        assert (found.name, found.binary) == (expected, False)


@pytest.mark.parametrize("head", [b"\0", b"text\0", b"\1\2", b"x" * 8000 + b"\x08"])
def test_control_characters_make_a_file_binary(head: bytes) -> None:
    assert media_type(head, None).name == "application/octet-stream"
    found = media_type(head, "md")
    assert (found.name, found.binary) == ("text/markdown", True)


@pytest.mark.parametrize(
    "text",
    ["ID3 tags", "BMW", "MZ is not a program", "RIFF", "wOFF", "OTTO", "ustar", "PK", "fLaC"],
)
def test_text_is_not_taken_for_a_format_of_bytes(text: str) -> None:
    assert media_type(text.encode() * 100, None).name == "text/plain"


def test_only_the_beginning_of_a_file_is_looked_at(workspace: Workspace) -> None:
    workspace.write("/a", b"x" * SNIFFED_BYTES + b"\0")
    assert not detect(workspace, "/a").binary


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tar.gz", "gz"),
        ("A.PNG", "png"),
        (".env", "env"),
        ("a.", None),
        ("a", None),
    ],
)
def test_the_extension_is_what_follows_the_last_dot(name: str, expected: str | None) -> None:
    assert extension_of(name) == expected


def test_the_dot_of_a_directory_is_none_of_the_file(workspace: Workspace) -> None:
    workspace.write("/a.b/file", "text")
    found = workspace.detect("/a.b/file")
    assert (found.extension, found.description) == (None, "text/plain")


def test_what_is_told_of_a_file(workspace: Workspace) -> None:
    workspace.write("/d/a.json", "{}")
    assert workspace.session("me", cwd="/d").detect("a.json").as_dict() == {
        "path": "/d/a.json",
        "mime": "application/json",
        "description": "application/json (json)",
        "extension": "json",
        "binary": False,
    }


def test_a_directory_and_nothing_are_no_files(workspace: Workspace) -> None:
    with pytest.raises(IsDirectoryError):
        detect(workspace, "/")
    with pytest.raises(NotFoundError):
        detect(workspace, "/none")
