"""What the tests of the storage layer make workspaces with, and look into them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from vshell.fs.check import check
from vshell.fs.filesystem import FileSystem


class Clock:
    """Nanoseconds that go on by one second each time they are asked for."""

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self.time_ns = start_ns

    def __call__(self) -> int:
        self.time_ns += 1_000_000_000
        return self.time_ns


def change(files: FileSystem, *works: Callable[[], object]) -> None:
    """Do things one after the other in one transaction."""
    with files.transaction("", "test"):
        for work in works:
            work()


def write(files: FileSystem, path: str, data: bytes = b"", *, parents: bool = True) -> None:
    """Write one file in a transaction of its own."""
    with files.transaction("", "write"):
        files.write(path, data, parents=parents)


def problems(files: FileSystem) -> list[str]:
    """Return what a check finds, by a connection that trusts no cache of this one."""
    with opened(files.store.database.path) as other:
        return check(other.store)


@contextmanager
def opened(path: str | Path) -> Iterator[FileSystem]:
    files = FileSystem(str(path), create=False)
    try:
        yield files
    finally:
        files.close()


@contextmanager
def raw(path: str | Path) -> Iterator[apsw.Connection]:
    """Connect to the database behind the storage layer's back."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(1000)
    try:
        yield connection
    finally:
        connection.close()


def dump(path: str | Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with raw(path) as connection:
        tables = connection.execute(
            "select name from sqlite_schema where type = 'table'"
        ).fetchall()
        return {
            str(table): connection.execute(f"select * from {table} order by 1, 2").fetchall()
            for (table,) in tables
        }


def snapshot(files: FileSystem, top: str = "/") -> dict[str, tuple[str, int, int, bytes | str]]:
    """Return kind, mode, number of links and content of everything below `top`, by path."""
    found: dict[str, tuple[str, int, int, bytes | str]] = {}
    for entry in files.walk(top):
        stat = files.stat(entry.path, follow=False)
        content: bytes | str = b""
        if stat.kind == "file":
            content = files.read(entry.path)
        elif stat.kind == "symlink":
            content = files.readlink(entry.path)
        found[entry.path] = (stat.kind, stat.mode, stat.nlink, content)
    return found
