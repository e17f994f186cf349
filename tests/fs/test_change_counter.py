from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fs.workspaces import change, opened, raw, write
from tests.processes import Child, in_child
from vshell.errors import NotFoundError
from vshell.fs.change_counter import (
    ChangeCounter,
    QueryChangeCounter,
    SharedChangeCounter,
    open_change_counter,
)
from vshell.fs.filesystem import FileSystem

Open = Callable[..., FileSystem]


@pytest.fixture(params=["shared memory", "query"])
def open_counted(
    request: pytest.FixtureRequest, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> Open:
    """Opens the test's database with each of the two counters."""
    if request.param == "query":
        monkeypatch.setattr("vshell.fs.database.open_change_counter", QueryChangeCounter)
    return open_files


@pytest.fixture
def counter(open_counted: Open) -> ChangeCounter:
    """The counter of a workspace that another connection changes."""
    return open_counted().store.database.counter


def test_the_shared_memory_is_read_where_there_is_one(files: FileSystem) -> None:
    assert isinstance(files.store.database.counter, SharedChangeCounter)


def test_a_database_without_a_log_is_asked(tmp_path: Path) -> None:
    with raw(tmp_path / "plain.db") as connection:
        connection.execute("create table setting (name); select 1 from setting")
        counter = open_change_counter(connection)
        assert isinstance(counter, QueryChangeCounter)
        before = counter.state()
        with raw(tmp_path / "plain.db") as other:
            other.execute("insert into setting values ('a')")
        assert counter.state() != before


def test_a_database_in_memory_is_asked() -> None:
    with raw(":memory:") as connection:
        connection.execute("create table setting (name)")
        assert isinstance(open_change_counter(connection), QueryChangeCounter)


def test_the_state_stays_while_nothing_is_committed(counter: ChangeCounter, database: Path) -> None:
    before = counter.state()
    with opened(database) as other:
        other.names("/")
        with other.transaction():
            assert counter.state() == before
    assert counter.state() == before


def test_the_state_stays_when_another_connection_undoes_its_work(
    counter: ChangeCounter, database: Path
) -> None:
    before = counter.state()
    with opened(database) as other, pytest.raises(NotFoundError):
        change(other, lambda: (other.write("/a", b"text"), other.read("/missing")))
    assert counter.state() == before


def test_the_state_moves_with_each_commit_of_another_connection(
    counter: ChangeCounter, database: Path
) -> None:
    states = {counter.state()}
    with opened(database) as other:
        for index in range(50):
            write(other, "/a", b"%d" % index)
            states.add(counter.state())
    assert len(states) == 51


def test_the_state_moves_with_a_commit_of_another_process(
    counter: ChangeCounter, database: Path
) -> None:
    def write_elsewhere() -> None:
        write(FileSystem(str(database)), "/a", b"text")

    before = counter.state()
    in_child(write_elsewhere)
    assert counter.state() != before


def test_the_state_moves_although_the_log_starts_anew(
    counter: ChangeCounter, database: Path
) -> None:
    states = {counter.state()}
    with opened(database) as other:
        for index in range(20):
            other.store.database.checkpoint()
            write(other, "/a", b"%d" % index)
            states.add(counter.state())
    assert len(states) >= 21


@pytest.mark.parametrize("upkeep", ["checkpoint", "vacuum"])
def test_upkeep_by_another_connection_makes_nothing_stale(open_counted: Open, upkeep: str) -> None:
    first, second = open_counted(), open_counted()
    for index in range(10):
        write(first, "/a", b"%d" % index)
        assert second.read("/a") == b"%d" % index
        getattr(first.store.database, upkeep)()
        assert second.read("/a") == b"%d" % index
        assert second.stat("/a").size == 1


def test_two_connections_of_one_process_never_show_what_is_stale(open_counted: Open) -> None:
    first, second = open_counted(), open_counted()
    for index in range(100):
        writer, reader = (first, second) if index % 3 else (second, first)
        write(writer, "/a", b"%d" % index)
        assert reader.read("/a") == b"%d" % index
        assert reader.stat("/a") == writer.stat("/a")


def test_two_processes_never_show_what_is_stale(open_counted: Open, database: Path) -> None:
    files = open_counted()
    to_child, from_parent = os.pipe(), os.pipe()

    def echo() -> list[bytes]:
        seen = []
        with opened(database) as other:
            while os.read(to_child[0], 1) == b".":
                seen.append(other.read("/a"))
                write(other, "/b", seen[-1])
                os.write(from_parent[1], b".")
        return seen

    write(files, "/b", b"")
    child = Child(echo)
    for index in range(100):
        write(files, "/a", b"%d" % index)
        os.write(to_child[1], b".")
        os.read(from_parent[0], 1)
        assert files.read("/b") == b"%d" % index
    os.write(to_child[1], b"!")
    assert child.result() == [b"%d" % index for index in range(100)]
    for end in (*to_child, *from_parent):
        os.close(end)


def test_a_reader_sees_what_is_removed_and_made_again(open_counted: Open) -> None:
    first, second = open_counted(), open_counted()
    for index in range(20):
        write(first, "/d/a", b"%d" % index)
        assert second.read("/d/a") == b"%d" % index
        change(first, lambda: first.remove_tree("/d"))
        assert not second.exists("/d/a")
        assert second.names("/") == []


def test_its_own_commit_is_told_from_one_of_another(open_counted: Open) -> None:
    first, second = open_counted(), open_counted()
    counter = first.store.database.counter
    before = counter.state()
    write(first, "/a")
    assert counter.after_commit(before, changed=True) == counter.state()
    if isinstance(counter, SharedChangeCounter):
        write(second, "/b")
        assert counter.after_commit(before, changed=True) is None


def test_its_own_commit_keeps_the_cache(open_counted: Open) -> None:
    files = open_counted()
    write(files, "/a", b"text")
    files.read("/a")
    with files.store.database.count_statements() as statements:
        assert files.stat("/a").size == 4
        assert files.read("/a") == b"text"
    assert [sql for sql in statements.statements if "setting" not in sql] == []


def test_a_commit_between_an_empty_one_and_the_look_after_it_is_noticed(
    files: FileSystem, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_files()
    write(files, "/a", b"before")
    files.read("/a")
    counter = files.store.database.counter
    after_commit = counter.after_commit

    def interrupted(before: bytes, *, changed: bool) -> bytes | None:
        write(other, "/a", b"after")
        return after_commit(before, changed=changed)

    monkeypatch.setattr(counter, "after_commit", interrupted)
    with files.transaction():
        assert files.read("/a") == b"before"
    assert files.read("/a") == b"after"


def test_a_commit_between_its_own_and_the_look_after_it_is_noticed(
    files: FileSystem, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_files()
    write(files, "/a", b"before")
    counter = files.store.database.counter
    after_commit = counter.after_commit

    def interrupted(before: bytes, *, changed: bool) -> bytes | None:
        write(other, "/a", b"after")
        return after_commit(before, changed=changed)

    with monkeypatch.context() as patch:
        patch.setattr(counter, "after_commit", interrupted)
        write(files, "/b")
    assert files.read("/a") == b"after"


def test_a_commit_while_a_question_is_answered_is_noticed(
    files: FileSystem, open_files: Open
) -> None:
    other = open_files()
    asked = 0

    def write_both() -> None:
        other.write("/a", b"%d" % asked)
        other.write("/b", b"%d" % asked)

    def question() -> tuple[bytes, bytes]:
        nonlocal asked
        first = files._read(files._file("/a"), 0, None)
        asked += 1
        change(other, write_both)
        return first, files._read(files._file("/b"), 0, None)

    change(other, write_both)
    first, second = files.store.read(question)
    assert first == second
    assert files.read("/a") == b"%d" % asked


def test_a_commit_just_before_a_moment_is_read_is_noticed(
    files: FileSystem, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_files()
    write(files, "/a", b"before")
    files.read("/a")
    begin_read = files.store.database.begin_read

    def late() -> None:
        write(other, "/a", b"after!")
        begin_read()

    monkeypatch.setattr(files.store.database, "begin_read", late)
    with files.reading():
        assert files.read("/a") == b"after!"


def test_looking_costs_no_statement(files: FileSystem) -> None:
    with files.store.database.count_statements() as statements:
        files.store.database.counter.state()
    assert len(statements) == 0
