"""`file` says of binary formats what the real one says."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.shell.differential import check


def _zip(method: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a", b"x" * 40, compress_type=method)
    return data.getvalue()


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x20\x08\x02\0\0\0"
CONTENTS = {
    "gif": b"GIF89a\x20\0\x10\0",
    "png": PNG,
    "dex": b"dex\n035\0",
    "ar": b"!<arch>\n",
    "cpio": b"07070100000000",
    "java 8": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "java 17": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    "java 21": b"\xca\xfe\xba\xbe\0\0\0\x41",
    "bzip2": bz2.compress(b"x", 3),
    "7-zip": b"7z\xbc\xaf\x27\x1c\0\x04",
    "gzip": gzip.compress(b"hello", 9, mtime=0),
    "gzip with its time": gzip.compress(b"hello", 1, mtime=1_700_000_000),
    "zip stored": _zip(zipfile.ZIP_STORED),
    "zip deflated": _zip(zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_format_is_told_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    check(tmp_path, ["file", "f"], files={"f": CONTENTS[name]})
