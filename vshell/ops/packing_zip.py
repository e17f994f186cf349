"""Zip archives as files of the host.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Modes and kinds stand in
the external attributes as Unix has them, times to the second in the extended timestamp
that Info-ZIP defined (`UT`, 0x5455). Names are UTF-8; there are no hard links.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from vshell.errors import UnavailableError, VshellError
from vshell.fs.paths import decode, encode
from vshell.limits import CHUNK_BYTES, MAX_PATH_BYTES
from vshell.ops.packing_members import (
    PackedEntry,
    PackedKind,
    Unpacked,
    check_count,
    check_packed_bytes,
    damaged,
    file_size,
    no_pieces,
)

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_UNIX: Final = 3
_DOS_DIRECTORY: Final = 0x10
_TIMESTAMP: Final = 0x5455
_ENCRYPTED: Final = 0x1
_UTF_8: Final = 0x800
_STORED_OR_DEFLATED: Final = (0, 8)
_KINDS: Final[dict[int, PackedKind]] = {
    0o000000: "file",
    0o100000: "file",
    0o040000: "directory",
    0o120000: "symlink",
}
_TYPES: Final = {"file": 0o100000, "directory": 0o040000, "symlink": 0o120000}

_END_BYTES: Final = 22
_LOCATOR_BYTES: Final = 20
_END_64_BYTES: Final = 56
_HEADER_BYTES: Final = 46
_MAX_COMMENT_BYTES: Final = 65_536
_READ_BYTES: Final = 1024 * 1024


def pack_zip(file: BinaryIO, entries: Iterable[PackedEntry]) -> None:
    """Write a zip archive."""
    from zipfile import ZIP_DEFLATED, ZipFile

    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for entry in entries:
            with archive.open(_info(entry), "w") as target:
                if entry.kind == "symlink":
                    target.write(encode(entry.target))
                for piece in entry.pieces():
                    target.write(piece)


def _info(entry: PackedEntry) -> ZipInfo:
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

    is_directory = entry.kind == "directory"
    info = ZipInfo(entry.name + "/" * is_directory, _dos_time(entry.mtime_ns // 10**9))
    info.create_system = _UNIX
    info.external_attr = (_TYPES[entry.kind] | entry.mode) << 16 | _DOS_DIRECTORY * is_directory
    info.compress_type = ZIP_DEFLATED if entry.size else ZIP_STORED
    info.file_size = entry.size  # decides whether it gets 64-bit numbers
    info.extra = _timestamp(entry.mtime_ns // 10**9)
    return info


def _dos_time(seconds: int) -> tuple[int, int, int, int, int, int]:
    """Return the local time, which is what the format has, as far as it reaches."""
    first, last = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
    local = time.localtime(max(0, min(seconds, 2**32)))
    found = (
        local.tm_year,
        local.tm_mon,
        local.tm_mday,
        local.tm_hour,
        local.tm_min,
        local.tm_sec,
    )
    return max(first, min(found, last))


def _timestamp(seconds: int) -> bytes:
    fits = -(2**31) <= seconds < 2**31
    return struct.pack("<HHBi", _TIMESTAMP, 5, 1, seconds) if fits else b""


# Reading.


def unpack_zip(file: BinaryIO) -> Unpacked:
    """Yield the entries of a zip archive; of one that is none of ours, its name alone.

    Raises:
        DecodeError: It is no zip archive, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 entries.
        UnavailableError: It is encrypted, or compressed by anything but deflate.
    """
    from zipfile import ZipFile

    size = file_size(file)
    _check_directory(file, size)
    with _zip_errors(), ZipFile(file) as archive:
        check_packed_bytes(sum(info.compress_size for info in archive.infolist()), size)
        for info in archive.infolist():
            yield _entry(archive, info)


@contextmanager
def _zip_errors() -> Iterator[None]:
    """Turn what `zipfile` says of a damaged archive into our errors."""
    from zipfile import BadZipFile

    try:
        yield
    except VshellError:  # some are a `ValueError`, too
        raise
    except (BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError):
        raise damaged("it is not what zip programs make") from None
    except NotImplementedError:
        raise UnavailableError("the archive needs a later version of the zip format") from None


def _check_directory(file: BinaryIO, size: int) -> None:
    """Count the entries before `zipfile` makes an object of each."""
    directory_bytes, end = _directory(file, size)
    count, at = 0, end - directory_bytes
    window, start = b"", at
    while at + _HEADER_BYTES <= end:
        if at + _HEADER_BYTES > start + len(window):
            file.seek(at)
            window, start = file.read(_READ_BYTES), at
        header = window[at - start : at - start + _HEADER_BYTES]
        if header[:4] != b"PK\x01\x02":
            raise damaged("its directory is not where it says")
        at += _HEADER_BYTES + sum(struct.unpack_from("<HHH", header, 28))
        count += 1
        check_count(count)
    file.seek(0)


def _directory(file: BinaryIO, size: int) -> tuple[int, int]:
    """Return how many bytes the directory has, and where it ends."""
    tail_bytes = min(size, _END_BYTES + _MAX_COMMENT_BYTES)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    plain = tail[-_END_BYTES:]
    is_plain = len(plain) == _END_BYTES and plain[:4] == b"PK\x05\x06" and plain[-2:] == b"\0\0"
    found = len(tail) - _END_BYTES if is_plain else tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END_BYTES:
        raise damaged("it has no directory, as zip archives have")
    end = size - tail_bytes + found
    directory_bytes: int = struct.unpack_from("<L", tail, found + 12)[0]
    before = end - _LOCATOR_BYTES - _END_64_BYTES
    if before >= 0:
        file.seek(before)
        record = file.read(_END_64_BYTES + _LOCATOR_BYTES)
        if record[_END_64_BYTES:][:4] == b"PK\x06\x07" and record[:4] == b"PK\x06\x06":
            directory_bytes, end = struct.unpack_from("<Q", record, 40)[0], before
    if directory_bytes > end:
        raise damaged("its directory is longer than it")
    return directory_bytes, end


def _entry(archive: ZipFile, info: ZipInfo) -> PackedEntry | str:
    if info.flag_bits & _ENCRYPTED:
        raise UnavailableError("the archive is encrypted", hint="decrypt it first")
    if info.compress_type not in _STORED_OR_DEFLATED:
        raise UnavailableError(
            f"the archive uses compression method {info.compress_type}",
            hint="make it with deflate, as zip programs do unless told otherwise",
        )
    name = _name(info)
    kind, mode = _kind_and_mode(info, is_directory=name.endswith("/"))
    if kind is None:
        return name
    size = info.file_size
    if size and kind == "directory":
        raise damaged("a directory in it has content")
    target = ""
    if kind == "symlink":
        if size > MAX_PATH_BYTES:
            raise damaged("the target of a link in it is too long")
        target, size = decode(b"".join(_content(archive, info))), 0
    pieces = partial(_content, archive, info) if size else no_pieces
    return PackedEntry(name, kind, size, mode, _mtime_ns(info), target, pieces)


def _name(info: ZipInfo) -> str:
    """Return the name; what Unix programs wrote without saying how is bytes as they are."""
    name = info.orig_filename
    if info.flag_bits & _UTF_8 or info.create_system != _UNIX:
        return name
    return decode(name.encode("cp437"))


def _kind_and_mode(info: ZipInfo, *, is_directory: bool) -> tuple[PackedKind | None, int]:
    unix = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = _KINDS.get(unix & 0o170000)
    if is_directory and unix & 0o170000 == 0:
        kind = "directory"
    if is_directory and kind != "directory":
        raise damaged("a name in it ends with a slash and is no directory's")
    default = 0o755 if kind == "directory" else 0o644
    return kind, unix & 0o7777 if unix else default


def _mtime_ns(info: ZipInfo) -> int:
    extra, at = info.extra, 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        if number == _TIMESTAMP and length >= 5 and at + 9 <= len(extra) and extra[at + 4] & 1:
            seconds: int = struct.unpack_from("<i", extra, at + 5)[0]
            return seconds * 10**9
        at += 4 + length
    # A month of 0 or an hour of 31 is a time, too: `mktime` counts on from the last valid one.
    return int(time.mktime((*info.date_time, 0, 0, -1))) * 10**9


def _content(archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    with _zip_errors(), archive.open(info) as source:
        while piece := source.read(CHUNK_BYTES):
            yield piece
