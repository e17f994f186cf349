from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.fs.make_schema_fixture import FIXTURES, LARGE, SPARSE_BYTES, describe, make
from tests.fs.workspaces import opened, problems, raw, write
from vshell.errors import CorruptError, ReadOnlyError
from vshell.fs import jobs, schema, shells
from vshell.fs.content import hash_of
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Peers
from vshell.fs.runs import RunStore

STORED = sorted(FIXTURES.glob("v*.db"))


@pytest.fixture(params=STORED, ids=lambda stored: stored.stem)
def stored(request: pytest.FixtureRequest, database: Path) -> Path:
    """A copy of a database that an earlier release, or this one, has written."""
    original: Path = request.param
    shutil.copyfile(original, database)
    shutil.copyfile(original.with_suffix(".json"), database.with_suffix(".json"))
    return database


def test_there_is_a_stored_database_of_every_format() -> None:
    assert [file.stem for file in STORED] == [
        f"v{version}" for version in range(1, schema.VERSION + 1)
    ]


def test_a_stored_database_has_the_format_of_its_name() -> None:
    for original in STORED:
        header = original.read_bytes()[:100]
        assert int.from_bytes(header[60:64], "big") == int(original.stem[1:]) <= schema.VERSION
        assert int.from_bytes(header[68:72], "big") == schema.APPLICATION_ID


def test_an_old_database_holds_what_it_held(stored: Path) -> None:
    with opened(stored) as files:
        assert describe(files) == json.loads(stored.with_suffix(".json").read_text())


def test_an_old_database_has_the_bytes_that_its_hashes_say(stored: Path) -> None:
    with opened(stored) as files:
        for entry in files.walk("/"):
            stat = files.stat(entry.path, follow=False)
            if stat.kind == "file":
                data = files.read(entry.path)
                assert (len(data), hash_of(data).hex()) == (stat.size, stat.hash)
        assert files.read("/source/large") == LARGE + b"the end\n"
        assert files.read("/sparse") == bytes(SPARSE_BYTES - 3) + b"end"
        assert files.read("/relative/module.py") == b"print('two')\n"


def test_an_old_database_has_what_shells_runs_mirrors_and_jobs_kept(stored: Path) -> None:
    has_them = int(stored.with_suffix(".db").read_bytes()[63]) >= 3
    with opened(stored) as files:
        assert shells.names(files) == ["ada"] * has_them
        assert [run.id for run in RunStore(files).newest(5)] == ["run"] * has_them
        assert [peer.name for peer in Peers(files).all()] == ["mirror"] * has_them
        assert [job.command for job in jobs.latest(files)] == [("true",)] * has_them


def test_an_old_database_is_sound(stored: Path) -> None:
    with opened(stored) as files:
        assert problems(files) == []


def test_an_old_database_is_of_the_current_format_once_opened(stored: Path) -> None:
    with opened(stored):
        pass
    with raw(stored) as connection:
        assert connection.pragma("user_version") == schema.VERSION


def test_an_old_database_can_be_changed(stored: Path) -> None:
    with opened(stored) as files:
        before = files.revision()
        write(files, "/new/file", b"text")
        assert files.revision() == before + 1
        assert problems(files) == []


def test_the_script_still_makes_what_is_stored_for_the_current_format(database: Path) -> None:
    make(database)
    with opened(database) as files:
        assert describe(files) == json.loads(STORED[-1].with_suffix(".json").read_text())


def test_the_stored_databases_are_small() -> None:
    assert all(original.stat().st_size < 2_000_000 for original in STORED)


# Migrations.

_NEXT = "alter table setting add column note text; update setting set note = 'migrated'"


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release whose format has one migration more."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _NEXT))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)


@pytest.mark.usefixtures("next_release")
def test_a_later_release_migrates_and_keeps_everything(database: Path) -> None:
    shutil.copyfile(STORED[-1], database)
    with opened(database) as files:
        assert describe(files) == json.loads(STORED[-1].with_suffix(".json").read_text())
        assert problems(files) == []
    with raw(database) as connection:
        assert connection.pragma("user_version") == schema.VERSION
        assert connection.execute("select distinct note from setting").fetchall() == [("migrated",)]


@pytest.mark.usefixtures("next_release")
def test_a_migration_runs_once(database: Path) -> None:
    shutil.copyfile(STORED[-1], database)
    with opened(database), opened(database) as second:
        assert second.revision() > 0


@pytest.mark.usefixtures("next_release")
def test_an_old_database_is_not_upgraded_by_reading(database: Path) -> None:
    shutil.copyfile(STORED[-1], database)
    before = hashlib.sha256(database.read_bytes()).digest()
    with pytest.raises(ReadOnlyError, match="upgraded"):
        FileSystem(str(database), read_only=True)
    assert hashlib.sha256(database.read_bytes()).digest() == before


def test_a_migration_that_fails_leaves_the_old_database(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(STORED[-1], database)
    with monkeypatch.context() as patch:
        patch.setattr(
            schema, "MIGRATIONS", (*schema.MIGRATIONS, f"{_NEXT}; insert into missing values (1)")
        )
        patch.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(CorruptError):
            FileSystem(str(database))
    with opened(database) as files:
        assert problems(files) == []
    with raw(database) as connection:
        columns = [row[1] for row in connection.execute("pragma table_info(setting)")]
    assert columns == ["name", "value"]


# The tables themselves.


@pytest.fixture
def plan(files: FileSystem, database: Path) -> Callable[[str], str]:
    def explain(sql: str) -> str:
        with raw(database) as connection:
            rows = connection.execute(f"explain query plan {sql}").fetchall()
        return " / ".join(str(row[3]) for row in rows)

    return explain


def test_a_walk_reads_the_directories_by_their_own_index(plan: Callable[[str], str]) -> None:
    found = plan(
        "with recursive below (id) as (select 1 union all select e.inode from below"
        " join entry e on e.parent = below.id where e.kind = 2) select id from below"
    )
    assert "entry_directories" in found


def test_a_look_up_by_name_and_a_listing_use_the_key(plan: Callable[[str], str]) -> None:
    assert "PRIMARY KEY" in plan("select inode from entry where parent = 1 and name = x'61'")
    listing = plan("select name from entry where parent = 1 order by name")
    assert "PRIMARY KEY" in listing
    assert "TEMP B-TREE" not in listing


def test_a_name_is_in_a_directory_once(files: FileSystem, database: Path) -> None:
    write(files, "/a")
    with raw(database) as connection, pytest.raises(apsw.ConstraintError):
        connection.execute("insert into entry values (1, x'61', 2, 1)")
