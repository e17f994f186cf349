from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fs.workspaces import change, opened, raw, snapshot, write
from vshell.fs.check import check, repair
from vshell.fs.filesystem import FileSystem
from vshell.fs.snapshots import create_snapshot, delete_snapshot
from vshell.limits import CHUNK_BYTES


@pytest.fixture
def sound(files: FileSystem) -> FileSystem:
    """A workspace with one of everything, and nothing wrong."""
    write(files, "/d/e/f", b"text")
    write(files, "/d/g", b"other text")
    write(files, "/large", os.urandom(3 * CHUNK_BYTES + 5))
    write(files, "/empty")
    change(
        files,
        lambda: files.symlink("d/g", "/l"),
        lambda: files.link("/d/g", "/h"),
        lambda: files.append("/d/e/f", b" and more"),
        lambda: create_snapshot(files.store, "moment"),
    )
    assert check(files.store) == []
    return files


def damage(files: FileSystem, database: Path, statements: str) -> None:
    """Change rows behind the storage layer's back, by paths instead of numbers."""
    for name, path in {"F": "/d/e/f", "G": "/d/g", "D": "/d", "E": "/d/e", "L": "/large"}.items():
        statements = statements.replace(f":{name}", str(files.stat(path).inode))
    with raw(database) as connection:
        connection.execute(statements)


def test_an_empty_workspace_is_sound(files: FileSystem) -> None:
    assert check(files.store) == []


def test_a_workspace_without_content_is_sound(files: FileSystem) -> None:
    write(files, "/d/empty")
    change(files, lambda: create_snapshot(files.store, "moment"))
    assert check(files.store) == []


def test_content_that_only_a_snapshot_needs_is_no_problem(sound: FileSystem) -> None:
    change(sound, lambda: sound.remove_tree("/d"), lambda: sound.unlink("/large"))
    assert check(sound.store) == []
    change(sound, lambda: delete_snapshot(sound.store, "moment"))
    assert check(sound.store) == []


REPAIRABLE = {
    "an entry without an inode": (
        "delete from inode where id = :F",
        "the entry f in directory",
    ),
    "an entry that leads to no number at all": (
        "insert into entry values (1, x'78', 9999, 1)",
        "the entry x in directory 1 has no inode",
    ),
    "an entry of the wrong kind": (
        "update entry set kind = 3 where inode = :F",
        "has another kind than its inode",
    ),
    "an entry in a file": (
        "update entry set parent = :G where inode = :F",
        "which is no directory",
    ),
    "an entry in a directory that is gone": (
        "delete from inode where id = :E",
        "which is no directory",
    ),
    "a directory that nothing leads to": (
        "delete from entry where inode = :E",
        "cannot be reached from the root",
    ),
    "directories that lead to each other": (
        "delete from entry where inode = :D; insert into entry values (:E, x'78', :D, 2)",
        "cannot be reached from the root",
    ),
    "a file without a name": (
        "delete from entry where inode = :F",
        "has no name",
    ),
    "a link count of a file that is too high": (
        "update inode set nlink = 7 where id = :G",
        "says that it has 7 names",
    ),
    "a link count of a file that is too low": (
        "update inode set nlink = 1 where id = :G",
        "says that it has 1 names",
    ),
    "a link count of a directory": (
        "update inode set nlink = 9 where id = :D",
        "says that it has 9 links",
    ),
    "a size that is not the content's": (
        "update inode set size = 1 where id = :F",
        "has 1 bytes, and its content 13",
    ),
    "a size without content": (
        "update inode set size = 5 where kind = 2",
        "has 5 bytes, and no content",
    ),
    "a sum of sizes": (
        "update journal set live_bytes = 1 where id = (select max(id) from journal)",
        "the journal counts 1 bytes",
    ),
    "a missing root": (
        "delete from inode where id = 1",
        "the root is no directory",
    ),
    "a root that is a file": (
        "update inode set kind = 1 where id = 1",
        "the root is no directory",
    ),
    "a root inside itself": (
        "insert into entry values (:E, x'78', 1, 2)",
        "is the root",
    ),
}


@pytest.mark.parametrize("name", REPAIRABLE)
def test_damage_that_can_be_mended_is_found_and_mended(
    sound: FileSystem, database: Path, name: str
) -> None:
    statements, sentence = REPAIRABLE[name]
    damage(sound, database, statements)
    found = check(sound.store)
    assert any(sentence in problem for problem in found), found
    with sound.transaction("", "check"):
        repaired = repair(sound.store)
    assert any(sentence in problem for problem in repaired), repaired
    assert check(sound.store) == []


@pytest.mark.parametrize("name", REPAIRABLE)
def test_a_mended_workspace_works(sound: FileSystem, database: Path, name: str) -> None:
    damage(sound, database, REPAIRABLE[name][0])
    change(sound, lambda: repair(sound.store))
    write(sound, "/new/file", b"text")
    with opened(database) as fresh:
        assert snapshot(fresh) == snapshot(sound)
        assert fresh.read("/new/file") == b"text"
        assert check(fresh.store) == []


def test_mending_the_root_keeps_what_is_in_it(sound: FileSystem, database: Path) -> None:
    before = snapshot(sound)
    damage(sound, database, "delete from inode where id = 1")
    change(sound, lambda: repair(sound.store))
    assert snapshot(sound) == before


IN_OTHER_TABLES = {
    "a snapshot that is gone": (
        "insert into snapshot_inode values (9, 1, 2, 0, 0, null)",
        "rows of the snapshot 9",
    ),
    "chunks of a content that is gone": (
        "insert into content_chunk values (999, 0, 1)",
        "chunks of the content 999",
    ),
    "a retention that nobody can read": (
        "insert into setting values ('retention', '[')",
        "nobody can read the setting retention",
    ),
    "parts of an index segment that is gone": (
        "insert into index_part (segment, name, number, checksum, data) values (9, 'x', 0, 0, x'')",
        "parts of segment 9",
    ),
    "an index ahead of the content": (
        "insert into setting values ('index_up_to', 999)",
        "claims content up to 999",
    ),
    "an index with a gap": (
        "insert into setting values ('index_up_to', 2)",
        "2 contents are not in it",
    ),
    "a shell session that cannot be read": (
        "insert into shell_session values ('me', x'2f', 'x', x'', '{', 0)",
        "the shell session me",
    ),
    "calls of a run that is gone": (
        "insert into script_call values ('r', 1, 'm', x'', null, null, null)",
        "the script run r, which is gone",
    ),
    "rows of a mirror that is gone": (
        "insert into mirror_fetched values (5, 1)",
        "rows of the mirror 5",
    ),
    "what a mirror agreed on": (
        (
            "insert into mirror values (5, 'directory', 'm', '', '', x'', 0, 0, 0);"
            " insert into mirror_base values (5, x'61', 1, 0, 0, 999, 0, 0, 0, 0, 0, 0)"
        ),
        "mirror 5 lost what was agreed on at a",
    ),
    "what is being written to a mirror": (
        (
            "insert into mirror values (5, 'directory', 'm', '', '', x'', 0, 0, 0);"
            " insert into mirror_pending values (5, x'61', 1, 0, 0, 999)"
        ),
        "mirror 5 lost what is being written to a",
    ),
    "a mirror ahead of the history": (
        "insert into mirror values (5, 'directory', 'm', '', '', x'', 0, 99999, 0)",
        "mirror 5 knows the history up to 99999",
    ),
    "a job in no phase": (
        (
            "insert into job (container, machine, started_as, command, cwd, phase, owner, started_ns)"
            " values ('c', '', '', '[]', '/', 'dreaming', '', 0)"
        ),
        "an unknown phase: dreaming",
    ),
    "a job that cannot be read": (
        (
            "insert into job (container, machine, started_as, command, cwd, phase, owner, started_ns,"
            " report) values ('c', '', '', '[', '/', 'done', '', 0, '')"
        ),
        "nobody can read the command",
    ),
}


@pytest.mark.parametrize("name", IN_OTHER_TABLES)
def test_damage_in_what_belongs_to_others_is_found_and_mended(
    sound: FileSystem, database: Path, name: str
) -> None:
    statements, sentence = IN_OTHER_TABLES[name]
    before = snapshot(sound)
    damage(sound, database, statements)
    found = check(sound.store)
    assert any(sentence in problem for problem in found), found
    change(sound, lambda: repair(sound.store))
    assert check(sound.store) == []
    assert snapshot(sound) == before


LOST = {
    "an entry of a snapshot": (
        "delete from snapshot_entry where inode = :L",
        "snapshot moment lost the name of inode",
    ),
    "a directory of a snapshot": (
        "update snapshot_inode set kind = 1 where id = :D",
        "which is no directory",
    ),
    "the root of a snapshot": (
        "delete from snapshot_inode where id = 1",
        "snapshot moment lost its root",
    ),
    "all that a fork began with": (
        "insert into setting values ('fork_of', 'parent')",
        "snapshot of the fork lost its root",
    ),
    "a name of what a fork began with": (
        "insert into snapshot_inode values (0, 1, 2, 0, 0, null), (0, 7, 2, 0, 0, null)",
        "snapshot of the fork lost the name of inode 7",
    ),
    "what a fork shares with its parent": (
        "insert into setting values ('fork_shared_inodes', 99999)",
        "the fork shares inodes up to 99999",
    ),
    "content that a fork began with": (
        "insert into snapshot_inode values (0, 7, 1, 0, 0, 999)",
        "snapshot of the fork lost the content",
    ),
    "a side of a conflict": (
        (
            "insert into mirror values (5, 'directory', 'm', '', '', x'', 0, 0, 0);"
            " insert into mirror_conflict (mirror, path, clash, revision, time_ns, base_kind,"
            " workspace_kind, mirror_kind, mirror_content) values (5, x'61', '', 0, 0, 0, 1, 1, 999)"
        ),
        "lost a side of a",
    ),
    "a step that waits to be approved": (
        (
            "insert into script_run (id, kind, status, generation, session, cwd, language, source,"
            " inputs, limits, engine, seed, created_ns, updated_ns)"
            " values ('r', 'approval', 'ready', 0, '', '/', 'python', '', '{}', '{}', '', 0, 0, 0);"
            " insert into script_effect values ('r', 0, 'write', x'2f', null, 1, 1, 999, 0, 0)"
        ),
        "what the script run r would do",
    ),
    "another content than the history tells of": (
        "update inode set content = null, size = 0 where id = :F",
        "of the history made of it",
    ),
    "a mode that the history does not tell of": (
        "update inode set mode = 7 where id = :F",
        "of the history made of it",
    ),
    "a path that the history does not tell of": (
        "update entry set name = x'6767' where inode = :F",
        "does not tell how /d/e/gg came to be",
    ),
    "revisions that go back": (
        "update journal set revision = 1 where id = (select max(id) from journal)",
        "lower than the one before",
    ),
    "a version of the future": (
        "update inode set version = 999 where id = :F",
        "still to come",
    ),
    "a lost content": ("delete from content where size = 13", "lost its content"),
    "content that the history needs": ("delete from content where size = 4", "the history lost"),
    "changed bytes": ("update content set data = x'00' where size = 13", "is damaged"),
    "changed bytes of the same number": (
        "update content set data = zeroblob(13) where size = 13",
        "is damaged",
    ),
    "a changed hash": ("update content set hash = zeroblob(32) where size = 13", "is damaged"),
    "a changed size": ("update content set size = 14 where size = 13", "is damaged"),
    "a lost chunk": ("delete from chunk where id = 2", "lost its chunk 2"),
    "a changed chunk": (
        "update chunk set data = zeroblob(262144) where id = 2",
        "chunk 2 is damaged",
    ),
    "a cut chunk": ("update chunk set data = x'00' where id = 2", "chunk 2 is damaged"),
    "a list without its end": ("delete from content_chunk where position = 3", "is damaged"),
    "a list with a gap": ("update content_chunk set position = 9 where position = 3", "is damaged"),
    "a list in another order": (
        "update content_chunk set chunk = 3 - chunk where position < 2",
        "is damaged",
    ),
    "a changed size of a list": (
        "update content set size = size + 1 where data is null",
        "is damaged",
    ),
    "an inode of an unknown kind": ("update inode set kind = 7 where id = :F", "unknown kind 7"),
    "a directory with two names": (
        "insert into entry values (1, x'78', :E, 2)",
        "more than one name",
    ),
    "a name with a slash": (
        "update entry set name = x'612f62' where inode = :F",
        "impossible name",
    ),
    "a name with a NUL": ("update entry set name = x'6100' where inode = :F", "impossible name"),
    "an empty name": ("update entry set name = x'' where inode = :F", "impossible name"),
    "a name that is a dot": ("update entry set name = x'2e' where inode = :F", "impossible name"),
    "a name that leads up": ("update entry set name = x'2e2e' where inode = :F", "impossible name"),
    "a name over the limit": (
        "update entry set name = zeroblob(256) where inode = :F",
        "impossible name",
    ),
    "a name that is text": ("update entry set name = 'f' where inode = :F", "impossible name"),
    "a snapshot's content": (
        "update snapshot_inode set content = 999 where content is not null",
        "snapshot moment lost the content",
    ),
    "a snapshot's inode": (
        "delete from snapshot_inode where kind = 1",
        "snapshot moment lost inode",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_damage_that_cannot_be_mended_is_found_and_stays_found(
    sound: FileSystem, database: Path, name: str
) -> None:
    statements, sentence = LOST[name]
    damage(sound, database, statements)
    found = check(sound.store)
    assert any(sentence in problem for problem in found), found
    change(sound, lambda: repair(sound.store))
    left = check(sound.store)
    assert any(sentence in problem for problem in left), left


def test_damage_below_the_tables_is_found(sound: FileSystem, database: Path) -> None:
    sound.close()
    data = bytearray(database.read_bytes())
    page = 4096 * 3
    data[page : page + 100] = bytes(100)
    database.write_bytes(data)
    with opened(database) as files:
        assert any(problem.startswith("SQLite:") for problem in check(files.store))


def test_a_missing_index_entry_is_found(sound: FileSystem, database: Path) -> None:
    with raw(database) as connection:
        connection.pragma("writable_schema", True)
        connection.execute("delete from sqlite_schema where name = 'entry_directories'")
    with opened(database) as files:
        assert any(problem.startswith("SQLite:") for problem in check(files.store))


def test_many_problems_of_one_kind_are_cut(files: FileSystem, database: Path) -> None:
    change(files, lambda: [files.write(f"/{index}", b"x") for index in range(100)])
    damage_all: Callable[[str], object]
    with raw(database) as connection:
        damage_all = connection.execute
        damage_all("update inode set nlink = 5 where kind = 1")
    assert len(check(files.store)) == 20
    change(files, lambda: repair(files.store))
    assert check(files.store) == []


def test_several_problems_are_all_found_and_mended(sound: FileSystem, database: Path) -> None:
    for statements, _ in REPAIRABLE.values():
        if ":E" not in statements and "id = 1" not in statements and ":F" not in statements:
            damage(sound, database, statements)
    assert len(check(sound.store)) > 5
    change(sound, lambda: repair(sound.store))
    assert check(sound.store) == []


def test_a_sound_workspace_is_not_touched_by_mending(sound: FileSystem) -> None:
    before, revision = snapshot(sound), sound.revision()
    with sound.transaction():
        assert repair(sound.store) == []
    assert (snapshot(sound), sound.revision()) == (before, revision)


def test_names_of_any_bytes_can_be_told(files: FileSystem, database: Path) -> None:
    write(files, "/\udcff")
    with raw(database) as connection:
        connection.execute("delete from inode where kind = 1")
    (problem,) = check(files.store)
    assert "the entry \udcff in directory 1 has no inode" in problem


def test_damage_in_what_is_cached_is_found(sound: FileSystem, database: Path) -> None:
    assert sound.read("/d/e/f") == b"text and more"
    with raw(database) as connection:
        connection.execute("update content set data = zeroblob(13) where size = 13")
    assert any("is damaged" in problem for problem in check(sound.store))
