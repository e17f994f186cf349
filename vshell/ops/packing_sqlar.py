"""SQLite archives as files of the host; see `vshell.fs.sqlar` for the format."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from functools import partial
from typing import Final

from vshell.fs.paths import decode, encode
from vshell.fs.sqlar import SqlarReader, SqlarRow, SqlarWriter
from vshell.limits import MAX_PATH_BYTES
from vshell.ops.packing_members import (
    PackedEntry,
    Unpacked,
    check_count,
    check_packed_bytes,
    damaged,
    no_pieces,
)
from vshell.ops.tar_members import MAX_MEMBERS

_MAX_TIME_S: Final = 2**33


def pack_sqlar(path: str, entries: Iterable[PackedEntry]) -> None:
    """Fill an empty file of the host."""
    with SqlarWriter(path) as archive:
        for entry in entries:
            mtime_s = entry.mtime_ns // 10**9
            if entry.kind == "directory":
                archive.add(entry.name, stat.S_IFDIR | entry.mode, mtime_s)
            elif entry.kind == "symlink":
                target = encode(entry.target)
                archive.add_link(entry.name, stat.S_IFLNK | entry.mode, mtime_s, target)
            else:
                mode = stat.S_IFREG | entry.mode
                archive.add_file(entry.name, mode, mtime_s, entry.size, entry.pieces())


def unpack_sqlar(path: str, size: int) -> Unpacked:
    """Yield the entries of a SQLite archive; of one that is none of ours, its name alone.

    Args:
        path: The file on the host.
        size: How many bytes it has.

    Raises:
        DecodeError: It is none, or contradicts itself.
        TooLargeError: It has more than 100,000 entries.
        UnavailableError: It cannot be read.
    """
    with SqlarReader(path) as archive:
        rows = archive.rows(MAX_MEMBERS + 1, MAX_PATH_BYTES)
        check_count(len(rows))
        check_packed_bytes(sum(row.stored for row in rows), size)
        for row in rows:
            yield _entry(archive, row)


def _entry(archive: SqlarReader, row: SqlarRow) -> PackedEntry | str:
    if row.name is None:
        raise damaged("a name in it is too long, or none")
    name = decode(row.name)
    mode = stat.S_IMODE(row.mode & 0o7777)
    mtime_ns = row.mtime_s * 10**9 if abs(row.mtime_s) < _MAX_TIME_S else 0
    kind = stat.S_IFMT(row.mode & 0o177777)
    if row.size == -1:
        if kind not in (0, stat.S_IFLNK) or row.stored > MAX_PATH_BYTES:
            raise damaged("a link in it is none, or its target is too long")
        target = decode(b"".join(archive.pieces(row)))
        return PackedEntry(name, "symlink", 0, mode, mtime_ns, target, no_pieces)
    if row.size < 0 or row.stored > row.size or (row.size and not row.stored):
        raise damaged("content in it is not as long as it says")
    if kind == stat.S_IFDIR:
        if row.size:
            raise damaged("a directory in it has content")
        return PackedEntry(name, "directory", 0, mode, mtime_ns, "", no_pieces)
    if kind not in (0, stat.S_IFREG):
        return name
    pieces = partial(archive.pieces, row) if row.size else no_pieces
    return PackedEntry(name, "file", row.size, mode, mtime_ns, "", pieces)
