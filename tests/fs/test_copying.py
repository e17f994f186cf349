from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import apsw
import pytest

from tests.fs.workspaces import change, dump, opened, problems, raw, write
from tests.processes import in_child
from vshell.errors import ExistsError, NotFoundError, ReadOnlyError
from vshell.fs.change_counter import QueryChangeCounter
from vshell.fs.filesystem import FileSystem

Open = Callable[..., FileSystem]


def copy(files: FileSystem, name: str = "copy.db") -> Path:
    target = Path(files.path).parent / name
    with files.copied_database(str(target)):
        pass
    return target


def merged(files: FileSystem) -> bool:
    return files.store.database.counter.log_bytes() == 0


def test_a_copy_has_all_rows_wherever_they_are(open_files: Open, database: Path) -> None:
    files = open_files()
    write(files, "/a", os.urandom(300_000))
    files.store.database.checkpoint()
    assert merged(files)
    assert dump(copy(files)) == dump(database)
    write(files, "/b", os.urandom(300_000))
    assert not merged(files)
    assert dump(copy(files, "second.db")) == dump(database)


def test_a_copy_is_whole_without_the_shared_counter(files: FileSystem, database: Path) -> None:
    write(files, "/a", os.urandom(300_000))
    connection = files.store.database._connection
    files.store.database.counter = QueryChangeCounter(connection)
    assert dump(copy(files)) == dump(database)


def test_a_log_that_a_reader_keeps_from_the_file_is_copied(
    open_files: Open, database: Path
) -> None:
    files, reader = open_files(lock_timeout_s=0.01), open_files()
    write(files, "/a", b"before")
    with reader.reading():
        assert reader.read("/a") == b"before"
        write(files, "/a", os.urandom(100_000))
        files.store.database.checkpoint()
        assert not merged(files)
        assert dump(copy(files)) == dump(database)


def test_a_copy_through_an_old_read_is_what_is_committed(open_files: Open, database: Path) -> None:
    files, writer = open_files(), open_files()
    files.store.database.checkpoint()
    with files.reading():
        assert files.names("/") == []
        write(writer, "/a", b"after")
        assert dump(copy(files)) == dump(database)


def test_only_the_part_of_a_log_that_counts_is_copied(files: FileSystem, database: Path) -> None:
    write(files, "/a", os.urandom(1_000_000))
    files.store.database._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    write(files, "/b", b"small")
    log_bytes = files.store.database.counter.log_bytes()
    assert log_bytes is not None
    assert log_bytes < 50_000 < database.with_name("agent.db-wal").stat().st_size
    assert dump(copy(files)) == dump(database)


def test_a_copy_leaves_the_locks_of_the_process_alone(files: FileSystem, database: Path) -> None:
    write(files, "/a", b"text")
    copy(files)

    def leave_the_log() -> str:
        with raw(database) as connection:
            connection.set_busy_timeout(0)
            try:
                return str(connection.pragma("journal_mode", "delete"))
            except apsw.BusyError:
                return "locked"

    assert in_child(leave_the_log) == "locked"
    write(files, "/b", b"text")
    assert problems(files) == []


def test_copies_made_while_others_write_are_states_that_were(
    open_files: Open, database: Path
) -> None:
    files, writer = open_files(), open_files()
    writer.store.database._connection.wal_autocheckpoint(20)
    over = Event()

    def write_pairs() -> None:
        number = 0
        while not over.is_set():
            data = b"%d" % number * 5000
            change(
                writer,
                lambda data=data: writer.write("/a", data),  # type: ignore[misc]
                lambda data=data: writer.write("/b", data),  # type: ignore[misc]
            )
            number += 1

    thread = Thread(target=write_pairs)
    thread.start()
    try:
        targets = [copy(files, f"copy{number}.db") for number in range(12)]
    finally:
        over.set()
        thread.join()
    seen = []
    for target in targets:
        with opened(target) as other:
            assert problems(other) == []
            if other.exists("/a"):
                assert other.read("/a") == other.read("/b")
                seen.append(other.revision())
    assert seen == sorted(seen)


def test_a_file_with_much_free_space_is_copied_without_it(
    files: FileSystem, database: Path
) -> None:
    write(files, "/a", os.urandom(2_000_000))
    change(files, lambda: files.unlink("/a"))
    with files.transaction():
        files.store.database.run("delete from chunk")
        files.store.database.run("delete from content_chunk")
        files.store.database.run("delete from content")
        files.store.journal.prune(keep_revisions=0)
    files.store.database.checkpoint()
    target = copy(files)
    assert dump(target) == dump(database)
    assert target.stat().st_size < database.stat().st_size / 4


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_copy_is_the_only_file_that_stays(
    open_files: Open, database: Path, durability: str
) -> None:
    files = open_files(durability=durability)
    write(files, "/a", b"text")
    target = copy(files)
    files.close()
    assert sorted(path.name for path in database.parent.iterdir()) == ["agent.db", "copy.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_is_done_to_a_copy_is_in_it_before_it_has_a_name(files: FileSystem) -> None:
    target = Path(files.path).with_name("copy.db")
    with files.copied_database(str(target)) as other:
        write(other, "/new", b"text")
        assert not target.exists()
    with opened(target) as found:
        assert found.read("/new") == b"text"
    assert not files.exists("/new")


def test_nothing_stays_of_a_copy_that_failed(files: FileSystem, database: Path) -> None:
    with (
        pytest.raises(KeyError),
        files.copied_database(str(database.with_name("copy.db"))),
    ):
        raise KeyError
    assert [path.name for path in database.parent.iterdir() if path.is_dir()] == []
    assert not database.with_name("copy.db").exists()


def test_a_read_only_workspace_can_be_copied(open_files: Open, database: Path) -> None:
    write(open_files(), "/a", b"text")
    reader = open_files(read_only=True)
    assert dump(copy(reader)) == dump(database)


@pytest.mark.parametrize(
    ("target", "error"),
    [("agent.db", ExistsError), ("missing/copy.db", NotFoundError)],
)
def test_a_place_that_cannot_be_is_refused(
    files: FileSystem, database: Path, target: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        copy(files, target)
    assert problems(files) == []


def test_a_copy_is_not_made_inside_a_transaction(files: FileSystem, database: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ReadOnlyError))
        stack.enter_context(files.transaction())
        copy(files)
    assert not database.with_name("copy.db").exists()
