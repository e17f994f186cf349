"""Damaged and foreign files: each gives an error of ours or a workspace that works.

Every case is a file made by chance: a good workspace, cut, with bits flipped, with bytes of
its header, its pages' headers or its rows changed, with pages lost or swapped, beside a
damaged log; or something else altogether. A child process opens it and does a bit of
everything. No case may end the process, hang, take memory without end, or raise anything
that is no `VshellError`; and what a check calls sound must be readable to the last byte.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import apsw

from tests.faults.actions import act, open_workspace
from tests.faults.batches import described, leaks, run_cases
from tests.faults.findings import Findings
from tests.faults.scene import scratch
from vshell.errors import VshellError
from vshell.workspace import Workspace

_PAGE_BYTES: Final = 4096
_ACTIONS: Final = 60

Mutation = Callable[[Path, random.Random], None]


# What the cases begin with.


def make_samples(directory: Path, seed: int) -> list[Path]:
    """Make good workspaces: a closed one, one whose log is not copied yet, and an old one."""
    directory.mkdir()
    closed = directory / "closed.db"
    with open_workspace(closed) as workspace:
        for number in range(_ACTIONS):
            act(workspace, seed, number)
        with workspace.transaction():
            for index in range(150):
                workspace.write(f"/many/file-{index}", f"file {index}\n" * (index % 40))
        workspace.index()
    logged = directory / "logged.db"
    shutil.copyfile(closed, logged)
    workspace = open_workspace(logged)
    for number in range(_ACTIONS, 2 * _ACTIONS):
        act(workspace, seed, number)
    kept = directory / "kept.db"
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{logged}{suffix}", f"{kept}{suffix}")
    workspace.close()
    logged.unlink()
    old = directory / "old.db"
    shutil.copyfile(Path(__file__).parents[2] / "fixtures" / "schema" / "v1.db", old)
    return [closed, kept, old]


# Damage.


def _change(path: Path, work: Callable[[bytearray], None]) -> None:
    data = bytearray(path.read_bytes())
    if data:
        work(data)
    path.write_bytes(data)


def _cut(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    pages = chance.randrange(size // _PAGE_BYTES + 1) * _PAGE_BYTES
    os.truncate(path, chance.choice((pages, chance.randrange(size + 1), chance.randrange(101))))


def _flip_bits(path: Path, chance: random.Random) -> None:
    def work(data: bytearray) -> None:
        for _ in range(chance.choice((1, 2, 8, 64))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)

    _change(path, work)


def _change_header(path: Path, chance: random.Random) -> None:
    def work(data: bytearray) -> None:
        for _ in range(chance.choice((1, 1, 3))):
            position = chance.randrange(100)
            value = chance.choice((0, 1, 255, chance.randrange(256)))
            data[position : position + 1] = bytes([value])

    _change(path, work)


def _change_page_header(path: Path, chance: random.Random) -> None:
    """Change what a page says of itself: its kind, its cells, and where they are."""

    def work(data: bytearray) -> None:
        for _ in range(chance.choice((1, 1, 4))):
            start = chance.randrange(max(1, len(data) // _PAGE_BYTES)) * _PAGE_BYTES
            start += 100 if start == 0 else 0
            position = start + chance.choice((chance.randrange(12), chance.randrange(80)))
            value = chance.choice((0, 2, 5, 10, 13, 255, chance.randrange(256)))
            if position < len(data):
                data[position] = value

    _change(path, work)


def _change_bytes_of_rows(path: Path, chance: random.Random) -> None:
    """Change bytes where rows are: towards the end of a page."""

    def work(data: bytearray) -> None:
        for _ in range(chance.choice((1, 4, 30))):
            start = chance.randrange(max(1, len(data) // _PAGE_BYTES)) * _PAGE_BYTES
            position = start + _PAGE_BYTES - 1 - min(chance.randrange(400), chance.randrange(4000))
            if position < len(data):
                data[position] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))

    _change(path, work)


def _lose_pages(path: Path, chance: random.Random) -> None:
    def work(data: bytearray) -> None:
        count = max(1, len(data) // _PAGE_BYTES)
        for _ in range(chance.choice((1, 3))):
            first, second = (chance.randrange(count) * _PAGE_BYTES for _ in range(2))
            kept = bytes(data[first : first + _PAGE_BYTES])
            other = chance.choice(
                (
                    bytes(len(kept)),
                    chance.randbytes(len(kept)),
                    bytes(data[second : second + _PAGE_BYTES]),
                )
            )
            data[first : first + len(other)] = other
            if chance.random() < 0.3:
                data[second : second + len(kept)] = kept

    _change(path, work)


def _change_log(path: Path, chance: random.Random) -> None:
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        log.write_bytes(chance.randbytes(chance.choice((0, 10, 32, 5000, 9000))))
    else:
        chance.choice((_cut, _flip_bits, _change_header))(log, chance)
    if chance.random() < 0.3:
        path.with_name(f"{path.name}-shm").write_bytes(chance.randbytes(32768))
    if chance.random() < 0.2:
        path.with_name(f"{path.name}-journal").write_bytes(chance.randbytes(9000))


def _change_rows(path: Path, chance: random.Random) -> None:
    """Change values and rows through SQL, so that every page is in order."""
    connection = apsw.Connection(str(path))
    connection.pragma("foreign_keys", False)
    tables = [
        row[0] for row in connection.execute("select name from sqlite_schema where type='table'")
    ]
    for _ in range(chance.choice((1, 2, 6))):
        table = chance.choice(tables)
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        column = chance.choice(columns)
        value: Any = chance.choice(
            (
                None,
                0,
                1,
                -1,
                3,
                7,
                2**31,
                2**62,
                -(2**63),
                1.5,
                "",
                "text",
                "9",
                b"",
                b"\0",
                b"x" * 300,
            )
        )
        [(count,)] = connection.execute(f"select count(*) from {table}").fetchall()
        row = chance.randrange(max(1, int(str(count))))
        where = f"{columns[0]} = (select {columns[0]} from {table} limit 1 offset {row})"
        order = chance.random()
        with suppress(apsw.ConstraintError, apsw.MismatchError):
            if order < 0.7:
                connection.execute(f"update {table} set {column} = ? where {where}", (value,))
            elif order < 0.9:
                connection.execute(f"delete from {table} where {where}")
            else:
                connection.execute(f"update {table} set {column} = {chance.choice(columns)}")
    connection.close()


def _change_schema(path: Path, chance: random.Random) -> None:
    """Change what the database says of its tables, or take the tables away."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma writable_schema = on")
    name = chance.choice([row[0] for row in connection.execute("select name from sqlite_schema")])
    sql = chance.choice(
        (
            "update sqlite_schema set sql = replace(sql, 'integer', 'text') where name = ?",
            "update sqlite_schema set sql = 'create table x (y)' where name = ?",
            "update sqlite_schema set rootpage = 2 where name = ?",
            "update sqlite_schema set rootpage = 99999 where name = ?",
            "update sqlite_schema set sql = null where name = ?",
            "delete from sqlite_schema where name = ?",
            "update sqlite_schema set sql = replace(sql, 'content', 'contents') where name = ?",
            "update sqlite_schema set type = 'view' where name = ?",
        )
    )
    with suppress(sqlite3.Error):
        connection.execute(sql, (name,))
    if chance.random() < 0.2:
        version = chance.choice((0, 1, 2, 3, 10**6, -1))
        connection.execute(f"pragma user_version = {version}")
    connection.close()


def _trap(path: Path, chance: random.Random) -> None:
    """Put triggers and views where the tables are, which would run in every statement."""
    connection = sqlite3.connect(path, isolation_level=None)
    table = chance.choice(("inode", "entry", "journal", "content"))
    endless = (
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    )
    sql = chance.choice(
        (
            f"create trigger t after insert on {table} begin delete from inode; end",
            f"create trigger t before insert on {table} begin select raise(abort, 'no'); end",
            f"create trigger t after insert on {table} begin insert into setting values (random(), 1); end",
            f"alter table {table} rename to other; create view {table} as select * from other",
            f"alter table {table} rename to other; create view {table} as {endless}",
            f"alter table {table} add column more default 1",
            f"drop table {table}",
        )
    )
    for statement in sql.split("; create view"):
        text = (
            statement
            if statement.startswith(("create", "alter", "drop"))
            else f"create view{statement}"
        )
        connection.execute(text)
    connection.close()


def _replace(path: Path, chance: random.Random) -> None:
    """Put something else in the file's place."""
    for suffix in ("", "-wal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    kind = chance.randrange(8)
    if kind == 0:
        path.write_bytes(b"")
    elif kind == 1:
        path.write_bytes(chance.randbytes(chance.choice((1, 99, 100, 4096, 70_000))))
    elif kind == 2:
        path.write_bytes(b"SQLite format 3\0" + chance.randbytes(chance.choice((0, 84, 8000))))
    elif kind == 3:
        path.write_text("a text\n" * chance.randrange(2000))
    elif kind == 4:
        path.mkdir()
    elif kind == 5:
        os.mkfifo(path)
    elif kind == 6:
        path.symlink_to(
            chance.choice(("/dev/zero", "/dev/null", "/dev/full", "missing", path.name))
        )
    else:
        _other_application(path, chance)


def _other_application(path: Path, chance: random.Random) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"pragma page_size = {chance.choice((512, 1024, 65536))}")
    connection.execute(chance.choice(("pragma journal_mode = wal", "pragma encoding = 'utf-16'")))
    connection.execute("create table bookmark (url text, title text)")
    connection.execute("insert into bookmark values ('https://example.org', 'x')")
    if chance.random() < 0.7:
        connection.execute("pragma application_id = 1987277932")
        connection.execute(f"pragma user_version = {chance.choice((0, 1, 2, 3, 999))}")
    if chance.random() < 0.5:
        for table in ("journal", "inode", "entry", "content", "chunk", "content_chunk", "setting"):
            connection.execute(
                f"create table {table} ({chance.choice(('x', 'id, revision', 'id'))})"
            )
    connection.close()


MUTATIONS: Final[dict[str, Mutation]] = {
    "cut": _cut,
    "bits flipped": _flip_bits,
    "header": _change_header,
    "page headers": _change_page_header,
    "bytes of rows": _change_bytes_of_rows,
    "pages": _lose_pages,
    "log": _change_log,
    "rows": _change_rows,
    "schema": _change_schema,
    "triggers and views": _trap,
    "another file": _replace,
}


# What is done with a case.


def _everything(workspace: Workspace) -> None:
    for entry in workspace.files.walk_details("/"):
        if entry.kind == 1:
            workspace.read_bytes(entry.path)
        else:
            workspace.lstat(entry.path)


_WORKS: Final[dict[str, Callable[[Workspace], object]]] = {
    "ls": lambda workspace: workspace.ls("/"),
    "everything": _everything,
    "stat": lambda workspace: workspace.stat("/many/file-7"),
    "read": lambda workspace: workspace.read("/many/file-39"),
    "grep": lambda workspace: workspace.grep("line 1"),
    "find": lambda workspace: workspace.find("/", name="*7"),
    "changes": lambda workspace: workspace.changes(limit=50),
    "history": lambda workspace: workspace.history("/one"),
    "usage": lambda workspace: workspace.usage(),
    "snapshots": lambda workspace: [
        workspace.compare(found.name) for found in workspace.snapshots()
    ],
    "export": lambda workspace: workspace.export_directory(
        "/", workspace.files.store.database.path + ".out"
    ),
    "check": lambda workspace: workspace.check(),
    "write": lambda workspace: workspace.write("/new/file", "text"),
    "overwrite": lambda workspace: workspace.write("/many/file-3", "text"),
    "write at": lambda workspace: workspace.append("/one", "more"),
    "move": lambda workspace: workspace.mv("/many", "/moved"),
    "copy": lambda workspace: workspace.cp("/moved", "/copied", recursive=True),
    "remove": lambda workspace: workspace.rm("/moved", recursive=True),
    "snapshot": lambda workspace: workspace.snapshot("another"),
    "undo": lambda workspace: workspace.undo(2),
    "restore": lambda workspace: [workspace.restore(found.name) for found in workspace.snapshots()],
    "redo": lambda workspace: workspace.redo(),
    "index": lambda workspace: workspace.index(rebuild=True),
    "gc": lambda workspace: workspace.gc(keep_revisions=1),
    "vacuum": lambda workspace: workspace.vacuum(),
    "repair": lambda workspace: workspace.check(repair=True),
    "write again": lambda workspace: workspace.write("/new/other", "text"),
}


def exercise(path: Path) -> tuple[str, list[str]]:
    """Open a file and do everything with it; return what it is, and what went wrong."""
    failures: list[str] = []
    try:
        workspace = Workspace.open(path, create=False, lock_timeout_s=0.5)
    except VshellError as error:
        return f"refused: {error.code}", leaks(error, path)
    except Exception as error:  # noqa: BLE001 - what is no error of ours is what is looked for
        return "failed", [described("open", error)]
    refused = 0
    sound = False
    for name, work in _WORKS.items():
        try:
            result = work(workspace)
            if name == "check":
                sound = result.ok  # type: ignore[attr-defined]
                if sound:
                    _everything(workspace)
        except VshellError as error:
            refused += 1
            failures += leaks(error, path)
            if sound and name == "check":
                failures.append(f"the check calls it sound, but: {error!r}")
        except Exception as error:  # noqa: BLE001
            failures.append(described(name, error))
    try:
        workspace.close()
    except VshellError as error:
        failures += leaks(error, path)
    except Exception as error:  # noqa: BLE001
        failures.append(described("close", error))
    return ("sound" if sound else "opened") + (" with refusals" if refused else ""), failures


# Cases.


def make_case(samples: list[Path], path: Path, seed: str) -> str:
    """Make the file of a case; return the kind of damage."""
    chance = random.Random(seed)
    sample = chance.choice(samples)
    for suffix in ("", "-wal"):
        source = sample.with_name(f"{sample.name}{suffix}")
        if source.exists():
            shutil.copyfile(source, path.with_name(f"{path.name}{suffix}"))
    kind = chance.choice(list(MUTATIONS))
    MUTATIONS[kind](path, chance)
    return kind


def run(*, count: int, seed: int = 0) -> Findings:
    """Exercise so many cases."""
    with scratch() as directory:
        samples = make_samples(directory / "samples", seed)

        def case(place: Path, name: str, announce: Callable[[str], None]) -> tuple[str, list[str]]:
            announce(make_case(samples, place / "agent.db", name))
            return exercise(place / "agent.db")

        return run_cases(case, count=count, seed=seed)
