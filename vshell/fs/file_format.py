"""The format of the file: that of a new workspace, and whether another one has it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import apsw

from vshell.errors import CorruptError, InvalidPathError, NewerSchemaError, NotFoundError
from vshell.fs import schema

_PAGE_BYTES: Final = 4096

_WAL_FORMAT: Final = b"\x02\x02"
"""Bytes 18 and 19 of the header of a database in WAL mode (https://sqlite.org/fileformat.html)."""


def host_path(path: str) -> str:
    """Return the path from the host's root, for else SQLite takes `:memory:` for no file."""
    try:
        data = path.encode()
    except UnicodeEncodeError:
        raise InvalidPathError("the path of the workspace's file is not UTF-8") from None
    if b"\0" in data or not data:
        raise InvalidPathError("the path of the workspace's file is empty or holds a NUL byte")
    return os.path.abspath(path)


def create_database(path: str, *, allowed: bool, flush: bool) -> None:
    """Put an empty workspace at `path`, unless another process is quicker.

    Args:
        path: Where.
        allowed: Whether it may be made at all.
        flush: Bring it to the disk, which takes longer than all the rest.
    """
    if not allowed:
        raise NotFoundError("the workspace does not exist", hint="open it with create=True")
    target = Path(path)
    # Only its owner reads an agent's files; mkstemp sees to the mode. A link and not a
    # rename: a workspace that another process made meanwhile must not be replaced.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:  # buffered: it writes all of it, or raises
            file.write(_template())
            file.flush()
            if flush:  # or SQLite would flush a log for a file that is not there
                os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def flush_directory(path: str) -> None:
    """Bring a new name to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_tables(connection: apsw.Connection) -> None:
    """Refuse tables that are not those of the format, before anybody works with them.

    A trigger or an index that somebody put into a file could do or refuse anything
    whenever it is written to. Other tables beside ours do no harm; that an index of
    ours is missing is for a check to find.
    """
    found = _definitions(connection)
    ours = _definitions_after(schema.MIGRATIONS)
    missing = {kind for sql, kind in ours.items() if sql not in found}
    foreign = {kind for sql, kind in found.items() if sql not in ours}
    if "table" in missing or foreign & {"trigger", "index"}:
        raise foreign_tables()


def identify(connection: apsw.Connection) -> int:
    """Return the database's version after making sure that it is a workspace."""
    application = connection.pragma("application_id")
    version: int = connection.pragma("user_version")
    if application == version == 0 and not _has_tables(connection):
        return 0  # an empty file, such as a temporary one: it becomes a workspace
    if application != schema.APPLICATION_ID:
        raise CorruptError(
            "the file is an SQLite database, but no vshell workspace",
            hint="name another file, or a new one to create a workspace",
        )
    if version > schema.VERSION:
        raise NewerSchemaError(
            f"the workspace has format {version}; this release knows up to {schema.VERSION}",
            hint="upgrade vshell",
            data={"found": version, "supported": schema.VERSION},
        )
    return version


def _has_tables(connection: apsw.Connection) -> bool:
    return bool(connection.execute("select 1 from sqlite_schema limit 1").fetchall())


def foreign_tables() -> CorruptError:
    return CorruptError(
        "the workspace's tables are not those of its format", hint="open a copy of it that works"
    )


def _definitions(connection: apsw.Connection) -> dict[str, str]:
    """Return the statements that made what a database has, and what each of them made."""
    found = connection.execute("select sql, type from sqlite_schema where sql is not null")
    return {_without_comments(str(sql)): str(kind) for sql, kind in found.fetchall()}


def _without_comments(sql: str) -> str:
    return " ".join(line.partition("--")[0].strip() for line in sql.splitlines())


@cache
def _definitions_after(migrations: tuple[str, ...]) -> dict[str, str]:
    connection = _made_by(migrations)
    found = _definitions(connection)
    connection.close()
    return found


def _made_by(migrations: tuple[str, ...]) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.pragma("page_size", _PAGE_BYTES)
    for migration in migrations:
        connection.execute(migration)
    return connection


@cache
def _template() -> bytes:
    """Return the bytes of an empty workspace: copying them is 100 times faster than the DDL."""
    connection = _made_by(schema.MIGRATIONS)
    connection.pragma("application_id", schema.APPLICATION_ID)
    connection.pragma("user_version", schema.VERSION)
    data = bytearray(connection.serialize("main"))
    connection.close()
    data[18:20] = _WAL_FORMAT
    return bytes(data)
