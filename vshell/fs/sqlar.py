"""SQLite archives: the database of another kind that `sqlite3 -A` makes and reads.

Format: https://sqlite.org/sqlar.html. One table, `sqlar`, has a row for each entry: the
mode with the kind in it as Unix has it, the time in whole seconds, the size, and the
content, compressed by zlib where that makes it smaller. A link has the size -1 and its
target as content; a directory has no content.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, Self

import apsw

from vshell.errors import DecodeError, InvalidPathError, UnavailableError
from vshell.fs.translation import translated
from vshell.limits import CHUNK_BYTES

MAX_ROW_BYTES: Final = 1_000_000_000 - 16 * 1024
"""The largest content of one row: SQLite's limit for a whole one, and room for the name."""

_TABLE: Final = "create table sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB)"
_COLUMNS: Final = {"name", "mode", "mtime", "sz", "data"}
_IN_MEMORY_BYTES: Final = 4 * 1024 * 1024
_COMPRESSION: Final = 6
_LINK_SIZE: Final = -1

# `octet_length` looks at the header of a row alone: a value of a gigabyte is not loaded.
_ROWS: Final = (
    "select rowid, case when typeof(name) = 'text' and octet_length(name) <= ?"
    " then cast(name as blob) end, mode, mtime, sz, ifnull(octet_length(data), 0)"
    " from sqlar limit ?"
)


class SqlarRow(NamedTuple):
    """One entry of an archive.

    Attributes:
        row: Its number.
        name: Its name's bytes; None of one that is too long or no text.
        mode: Kind and permission bits as Unix has them.
        mtime_s: When it last changed, in seconds since 1970.
        size: Bytes of content; -1 of a link.
        stored: Bytes that are stored.
    """

    row: int
    name: bytes | None
    mode: int
    mtime_s: int
    size: int
    stored: int


class SqlarWriter:
    """Fills an archive; use it as a context manager.

    Args:
        path: An empty file of the host.

    Raises:
        UnavailableError: The host does not take what is written.
    """

    def __init__(self, path: str) -> None:
        self._connection = _open(path, apsw.SQLITE_OPEN_READWRITE)

    def __enter__(self) -> Self:
        with _translated():
            # Nobody else knows the file, and it is thrown away when anything fails.
            self._connection.pragma("journal_mode", "off")
            self._connection.pragma("synchronous", False)
            self._connection.execute("begin")
            self._connection.execute(_TABLE)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                with _translated():
                    self._connection.execute("commit")
        finally:
            self._connection.close(True)

    def add(self, name: str, mode: int, mtime_s: int) -> None:
        """Add a directory."""
        self._insert(name, mode, mtime_s, 0, None)

    def add_link(self, name: str, mode: int, mtime_s: int, target: bytes) -> None:
        """Add a symbolic link."""
        try:
            self._insert(name, mode, mtime_s, _LINK_SIZE, target.decode())
        except UnicodeDecodeError:  # the format wants text, which cannot say these bytes
            self._insert(name, mode, mtime_s, _LINK_SIZE, target)

    def add_file(
        self, name: str, mode: int, mtime_s: int, size: int, pieces: Iterable[bytes]
    ) -> None:
        """Add a file of at most `MAX_ROW_BYTES` bytes."""
        # How long the row becomes must be known before it is made, so both forms are kept.
        with (
            tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as plain,
            tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as packed,
        ):
            compressor = zlib.compressobj(_COMPRESSION)
            for piece in pieces:
                plain.write(piece)
                packed.write(compressor.compress(piece))
            packed.write(compressor.flush())
            smaller = packed if packed.tell() < size else plain
            length = smaller.tell()
            smaller.seek(0)
            if length <= CHUNK_BYTES:
                self._insert(name, mode, mtime_s, size, smaller.read())
                return
            self._insert(name, mode, mtime_s, size, apsw.zeroblob(length))
            row = self._connection.last_insert_rowid()
            with _translated(), self._connection.blob_open("main", "sqlar", "data", row, True) as b:
                while data := smaller.read(CHUNK_BYTES):
                    b.write(data)

    def _insert(
        self,
        name: str,
        mode: int,
        mtime_s: int,
        size: int,
        data: str | bytes | apsw.zeroblob | None,
    ) -> None:
        with _translated():
            self._connection.execute(
                "insert into sqlar values (?, ?, ?, ?, ?)", (name, mode, mtime_s, size, data)
            )


class SqlarReader:
    """Reads an archive that nobody vouches for; use it as a context manager.

    Args:
        path: A file of the host.

    Raises:
        DecodeError: It is no SQLite archive, or damaged.
        UnavailableError: It cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._connection = _open(path, apsw.SQLITE_OPEN_READONLY)

    def __enter__(self) -> Self:
        try:
            with _translated():
                connection = self._connection
                connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
                connection.pragma("trusted_schema", False)
                connection.pragma("cell_size_check", True)
                connection.execute("begin")
                self._check_table()
        except BaseException:
            self._connection.close(True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close(True)

    def _check_table(self) -> None:
        """Make sure that it is a plain table: a view or a generated column runs what it likes."""
        kinds = self._connection.execute(
            "select type from pragma_table_list where schema = 'main' and name = 'sqlar'"
        ).fetchall()
        columns = self._connection.execute(
            "select name from pragma_table_xinfo('sqlar') where hidden = 0"
        ).fetchall()
        if kinds != [("table",)] or not {name for (name,) in columns} >= _COLUMNS:
            raise DecodeError("not a SQLite archive: it has no table sqlar as these have")

    def rows(self, limit: int, max_name_bytes: int) -> list[SqlarRow]:
        """Return what is in it, at most so many entries.

        Raises:
            DecodeError: A number in it is none.
        """
        with _translated():
            found: list[tuple[Any, ...]] = self._connection.execute(
                _ROWS, (max_name_bytes, limit)
            ).fetchall()
        rows = [SqlarRow._make(row) for row in found]
        for row in rows:
            if not all(isinstance(value, int) for value in (row.mode, row.mtime_s, row.size)):
                raise DecodeError("the archive is damaged: a number in it is none")
        return rows

    def pieces(self, row: SqlarRow) -> Iterator[bytes]:
        """Yield the content, never more than it says it has and one piece.

        Raises:
            DecodeError: It is damaged.
        """
        stored = self._stored(row)
        if row.size in (row.stored, _LINK_SIZE):
            yield from stored
            return
        decompressor = zlib.decompressobj()
        done = 0
        try:
            for piece in stored:
                data = piece
                while data and done <= row.size:
                    found = decompressor.decompress(data, CHUNK_BYTES)
                    done += len(found)
                    yield found
                    data = decompressor.unconsumed_tail
            if done <= row.size:
                yield decompressor.flush()
        except zlib.error:
            raise DecodeError("the archive is damaged: content in it is not compressed") from None
        if not decompressor.eof:
            raise DecodeError("the archive is damaged: content in it is not as long as it says")

    def _stored(self, row: SqlarRow) -> Iterator[bytes]:
        if not row.stored:
            return
        with _translated():
            blob = self._connection.blob_open("main", "sqlar", "data", row.row, False)
            try:
                while piece := blob.read(CHUNK_BYTES):
                    yield piece
            finally:
                blob.close()  # twice is harmless: the archive may have been closed before


def _open(path: str, access: int) -> apsw.Connection:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InvalidPathError("the path of a SQLite archive must be UTF-8") from None
    with _translated():
        return apsw.Connection(os.path.abspath(path), flags=access | apsw.SQLITE_OPEN_NOMUTEX)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn SQLite's errors into ours; they are about an archive, not about the workspace."""
    try:
        yield
    except (
        apsw.NotADBError,
        apsw.CorruptError,
        apsw.AbortError,
        apsw.MismatchError,
        apsw.TooBigError,
        UnicodeDecodeError,
    ):
        raise DecodeError("not a SQLite archive, or a damaged one") from None
    except apsw.SQLError:
        raise DecodeError("not a SQLite archive: its table sqlar is not as these have it") from None
    except (apsw.FullError, apsw.IOError) as error:
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHORT_READ:
            raise DecodeError("the archive is damaged: it is cut off") from None
        raise UnavailableError(
            "the disk that holds the archive is full or reported an error"
        ) from None
    except (apsw.BusyError, apsw.CantOpenError, apsw.ReadOnlyError):
        raise UnavailableError(
            "the archive cannot be opened, or another program writes to it", hint="try again"
        ) from None
    except apsw.Error as error:
        raise translated(error) from None
