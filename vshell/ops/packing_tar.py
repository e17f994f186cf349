"""Tar archives as files of the host, plain and compressed by gzip.

POSIX pax (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html): times to the
nanosecond, names of any bytes, hard links. Gzip: RFC 1952.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO, Final

from vshell.limits import CHUNK_BYTES
from vshell.ops.packing_members import PackedEntry, Unpacked, damaged, file_size, no_pieces
from vshell.ops.tar_members import BLOCK_BYTES, Member, read_members

_END: Final = bytes(2 * BLOCK_BYTES)
_RECORD_BYTES: Final = 20 * BLOCK_BYTES
_COMPRESSION: Final = 6
_MAX_STREAM_BYTES: Final = 1 << 62
_MAX_TRAILING_BYTES: Final = 64 * 1024**2
_WINDOW_BYTES: Final = 1024 * 1024


def pack_tar(file: BinaryIO, entries: Iterable[PackedEntry]) -> None:
    """Write a tar archive."""
    size = 0
    for entry in entries:
        header = _header(entry)
        file.write(header)
        file.writelines(entry.pieces())
        padding = bytes(-entry.size % BLOCK_BYTES)
        file.write(padding)
        size += len(header) + entry.size + len(padding)
    # Others' tools write whole records, and some complain about less.
    file.write(_END + bytes(-(size + len(_END)) % _RECORD_BYTES))


def pack_tar_gz(file: BinaryIO, entries: Iterable[PackedEntry]) -> None:
    """Write a tar archive compressed by gzip; the same entries make the same bytes."""
    with gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0) as compressed:
        pack_tar(compressed, entries)  # type: ignore[arg-type]  # all it needs is `write`


def _header(entry: PackedEntry) -> bytes:
    import tarfile

    kinds = {
        "file": tarfile.REGTYPE,
        "directory": tarfile.DIRTYPE,
        "symlink": tarfile.SYMTYPE,
        "link": tarfile.LNKTYPE,
    }
    info = tarfile.TarInfo(entry.name)
    info.type = kinds[entry.kind]
    info.mode = entry.mode
    info.size = entry.size
    info.linkname = entry.target
    info.mtime, nanoseconds = divmod(entry.mtime_ns, 10**9)
    if nanoseconds or entry.mtime_ns < 0:
        whole, part = divmod(abs(entry.mtime_ns), 10**9)
        sign = "-" if entry.mtime_ns < 0 else ""
        info.pax_headers = {"mtime": f"{sign}{whole}.{part:09}"}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


# Reading.


def unpack_tar(file: BinaryIO) -> Unpacked:
    """Yield the entries of a tar archive; of one that is none of ours, its name alone.

    Raises:
        DecodeError: It is no tar archive, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 entries, or too large a header.
        UnavailableError: It has sparse files.
    """
    size = file_size(file)
    yield from _entries(_Window(file), size)


def unpack_tar_gz(file: BinaryIO) -> Unpacked:
    """Yield the entries of a compressed tar archive; errors as for `unpack_tar`."""
    with gzip.GzipFile(fileobj=file, mode="rb") as compressed:
        stream = _Stream(compressed)
        yield from _entries(stream, _MAX_STREAM_BYTES)
        stream.finish()


def _entries(source: _Window | _Stream, size: int) -> Unpacked:
    for member in read_members(source.read, size, "the archive"):
        yield member.name if member.kind == "other" else _entry(source, member)


def _entry(source: _Window | _Stream, member: Member) -> PackedEntry:
    assert member.kind != "other"
    return PackedEntry(
        member.name,
        member.kind,
        member.size,
        member.mode,
        member.mtime_ns,
        member.target,
        partial(_content, source, member) if member.size else no_pieces,
    )


def _content(source: _Window | _Stream, member: Member) -> Iterator[bytes]:
    end = member.offset + member.size
    for start in range(member.offset, end, CHUNK_BYTES):
        yield source.read(start, min(CHUNK_BYTES, end - start))


class _Window:
    """Any bytes of a file, read in large steps: most entries are small."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = 0
        self._bytes = b""

    def read(self, offset: int, length: int) -> bytes:
        start = offset - self._start
        if start < 0 or start + length > len(self._bytes):
            self._file.seek(offset)
            self._bytes = self._file.read(max(length, _WINDOW_BYTES))
            self._start, start = offset, 0
        return self._bytes[start : start + length]


class _Stream:
    """The bytes of a compressed file, each of which can be asked for once, in their order."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._at = 0

    def read(self, offset: int, length: int) -> bytes:
        while self._at < offset:
            if not self._take(min(offset - self._at, CHUNK_BYTES)):
                raise damaged("it is cut off")
        data = self._take(length)
        # Some writers leave the blocks of zeros at the end out.
        return bytes(length) if offset and length == BLOCK_BYTES and not data else data

    def finish(self) -> None:
        """Read to the end, where the checksum is."""
        end = self._at + _MAX_TRAILING_BYTES
        while self._take(CHUNK_BYTES):
            if self._at > end:
                raise damaged("there is too much after its end")

    def _take(self, length: int) -> bytes:
        try:
            data = self._stream.read(length)
        except (gzip.BadGzipFile, zlib.error):
            raise damaged("it is not what gzip made") from None
        except EOFError:
            raise damaged("it is cut off") from None
        self._at += len(data)
        return data
