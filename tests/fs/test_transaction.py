from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fs.workspaces import Clock, change, dump, opened, problems, snapshot, write
from tests.processes import Child
from vshell.errors import (
    ClosedError,
    NotFoundError,
    OperationTimeoutError,
    QuotaExceededError,
    ReadOnlyError,
)
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

Open = Callable[..., FileSystem]


class ExpectedError(Exception):
    """What a test raises to leave a transaction."""


def fail(*_: object) -> None:
    raise ExpectedError


# All or nothing.


def test_a_transaction_is_seen_by_others_at_once_and_at_its_end(open_files: Open) -> None:
    files, other = open_files(), open_files()
    with files.transaction():
        files.write("/a", b"1")
        files.write("/b", b"2")
        assert files.names("/") == ["a", "b"]
        assert other.names("/") == []
    assert other.names("/") == ["a", "b"]


def test_a_transaction_is_one_revision(files: FileSystem) -> None:
    change(files, lambda: [files.write(f"/{index}", b"x") for index in range(5)])
    assert files.revision() == 1
    assert {entry.revision for entry in files.changes()} == {1}


def test_a_transaction_without_a_change_takes_no_revision(files: FileSystem) -> None:
    with files.transaction():
        assert files.names("/") == []
    assert files.revision() == 0


def test_an_exception_undoes_everything(files: FileSystem, database: Path) -> None:
    write(files, "/d/kept", b"before")
    before = dump(database)

    def many_changes() -> None:
        files.write("/d/kept", b"after")
        files.append("/d/kept", bytes(2 * CHUNK_BYTES))
        files.mkdir("/new")
        files.link("/d/kept", "/new/link")
        files.symlink("x", "/new/symlink")
        files.rename("/d", "/e")
        files.chmod("/e", 0o700)
        files.remove_tree("/new")
        files.set_quota(10**9)
        fail()

    with pytest.raises(ExpectedError):
        change(files, many_changes)
    assert dump(database) == before


def test_the_caches_forget_what_was_undone(files: FileSystem) -> None:
    write(files, "/d/a", b"before")
    files.read("/d/a")

    def look_and_fail() -> None:
        files.write("/d/a", b"after!")
        files.write("/d/new", b"new")
        files.rename("/d", "/e")
        assert files.read("/e/a") == b"after!"
        fail(files.stat("/e/new"))

    with pytest.raises(ExpectedError):
        change(files, look_and_fail)
    assert files.read("/d/a") == b"before"
    assert files.stat("/d/a").size == 6
    assert not files.exists("/e")
    assert not files.exists("/d/new")


def test_the_counters_go_on_where_they_were_before_what_was_undone(files: FileSystem) -> None:
    write(files, "/a", b"12345")
    inode = files.stat("/a").inode
    with pytest.raises(ExpectedError):
        change(files, lambda: fail(files.write("/b", b"x"), files.write("/c", b"y")))
    write(files, "/b", b"67")
    assert files.revision() == 2
    assert files.stat("/b").inode == inode + 1
    assert files.store.journal.live_bytes == 7
    assert problems(files) == []


def test_the_quota_that_was_undone_is_not_in_force(files: FileSystem) -> None:
    def set_quota_and_fail(quota_bytes: int | None) -> None:
        with files.transaction():
            files.set_quota(quota_bytes)
            fail()

    with pytest.raises(ExpectedError):
        set_quota_and_fail(1)
    write(files, "/a", b"more than one")
    change(files, lambda: files.set_quota(20))
    with pytest.raises(ExpectedError):
        set_quota_and_fail(None)
    with pytest.raises(QuotaExceededError):
        write(files, "/b", b"more than twenty in all")


def test_room_that_was_undone_can_be_used_again(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10))
    with pytest.raises(ExpectedError):
        change(files, lambda: fail(files.write("/a", b"0123456789")))
    write(files, "/b", b"0123456789")


def test_a_keyboard_interrupt_undoes_everything_too(files: FileSystem) -> None:
    def interrupt() -> None:
        files.write("/a", b"x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change(files, interrupt)
    assert files.names("/") == []


def test_changes_need_a_transaction(files: FileSystem, database: Path) -> None:
    write(files, "/a", b"x")
    change(files, lambda: files.mkdir("/d"))
    before = dump(database)
    outside: list[Callable[[], object]] = [
        lambda: files.write("/b", b""),
        lambda: files.append("/a", b""),
        lambda: files.truncate("/a", 0),
        lambda: files.mkdir("/e"),
        lambda: files.unlink("/a"),
        lambda: files.rmdir("/d"),
        lambda: files.rename("/a", "/b"),
        lambda: files.link("/a", "/b"),
        lambda: files.symlink("a", "/b"),
        lambda: files.chmod("/a", 0),
        lambda: files.utime("/a", 0),
        lambda: files.remove_tree("/d"),
        lambda: files.copy_tree("/d", "/e"),
        lambda: files.copy_entry("/a", "/b"),
        lambda: files.set_quota(1),
    ]
    for work in outside:
        with pytest.raises(AssertionError, match="transaction"):
            work()
    assert dump(database) == before


# Nesting.


def test_an_inner_transaction_can_be_undone_alone(files: FileSystem) -> None:
    with files.transaction():
        files.write("/outer", b"1")
        with pytest.raises(ExpectedError):
            change(files, lambda: fail(files.write("/inner", b"2")))
        assert files.names("/") == ["outer"]
        files.write("/later", b"3")
    assert files.names("/") == ["later", "outer"]
    assert problems(files) == []


def test_an_outer_transaction_undoes_the_inner_ones(files: FileSystem) -> None:
    def nested() -> None:
        change(files, lambda: files.write("/inner", b"1"))
        fail()

    with pytest.raises(ExpectedError):
        change(files, nested)
    assert files.names("/") == []


def test_transactions_nest_to_any_depth(files: FileSystem) -> None:
    def nest(depth: int) -> None:
        files.write(f"/{depth:03}", b"x")
        if depth < 100:
            change(files, lambda: nest(depth + 1))
        if depth == 50:
            fail()

    def survive() -> None:
        files.write("/first", b"")
        with pytest.raises(ExpectedError):
            change(files, lambda: nest(50))
        change(files, lambda: nest(99))

    change(files, survive)
    assert files.names("/") == ["099", "100", "first"]
    assert files.revision() == 1
    assert problems(files) == []


def test_an_undone_inner_transaction_gives_back_its_room_and_its_numbers(
    files: FileSystem,
) -> None:
    change(files, lambda: files.set_quota(10))
    with files.transaction():
        files.write("/a", b"12345")
        with pytest.raises(ExpectedError):
            change(files, lambda: fail(files.write("/b", b"12345")))
        assert files.store.journal.live_bytes == 5
        files.write("/c", b"12345")
    assert files.stat("/c").inode == files.stat("/a").inode + 1
    assert problems(files) == []


def test_an_undone_inner_transaction_leaves_no_stale_cache(open_files: Open) -> None:
    files = open_files()
    write(files, "/d/a", b"before")

    def move_and_fail() -> None:
        files.write("/d/a", b"x")
        files.rename("/d", "/e")
        fail()

    with files.transaction():
        with pytest.raises(ExpectedError):
            change(files, move_and_fail)
        assert files.read("/d/a") == b"before"
    assert snapshot(files) == snapshot(open_files())


def test_a_revision_that_was_undone_inside_is_taken_by_what_follows(files: FileSystem) -> None:
    with files.transaction():
        with pytest.raises(ExpectedError):
            change(files, lambda: fail(files.write("/a", b"x")))
        version = files.write("/b", b"y").version
    assert version == files.revision() == 1


# Who did it.


def test_changes_carry_the_session_and_the_operation(files: FileSystem) -> None:
    with files.transaction("ada", "edit"):
        files.write("/a", b"x")
    (found,) = files.changes()
    assert (found.session, found.operation) == ("ada", "edit")


def test_inside_another_transaction_the_outer_operation_stays(files: FileSystem) -> None:
    with files.transaction("ada", "apply"):
        files.write("/a", b"x")
        with files.transaction("ada", "edit"):
            files.write("/b", b"x")
        files.write("/c", b"x")
    assert {found.operation for found in files.changes()} == {"apply"}


def test_inside_a_nameless_transaction_each_operation_has_its_own_name(files: FileSystem) -> None:
    with files.transaction("ada", ""):
        with files.transaction("ada", "edit"):
            files.write("/a", b"x")
        with files.transaction("ben", "write"):
            files.write("/b", b"x")
        files.write("/c", b"x")
    stamps = [(found.session, found.operation) for found in files.changes()]
    assert stamps == [("ada", "edit"), ("ben", "write"), ("ada", "")]


def test_the_stamp_of_one_transaction_is_not_that_of_the_next(files: FileSystem) -> None:
    with files.transaction("ada", "edit"):
        files.write("/a", b"x")
    with files.transaction():
        files.write("/b", b"x")
    assert [(found.session, found.operation) for found in files.changes()] == [
        ("ada", "edit"),
        ("", ""),
    ]


def test_all_changes_of_a_transaction_have_its_time(open_files: Open) -> None:
    files = open_files(now=Clock(5))
    change(files, lambda: (files.write("/a", b"x"), files.write("/b", b"x")))
    times = {found.time_ns for found in files.changes()}
    assert times == {files.stat("/a").mtime_ns} == {files.stat("/b").ctime_ns}


def test_a_clock_that_fails_leaves_no_transaction_open(open_files: Open) -> None:
    files = open_files(now=fail)
    for _ in range(2):
        with pytest.raises(ExpectedError):
            write(files, "/a")
    write(open_files(), "/b")
    assert files.names("/") == ["b"]


# Reading.


def test_what_is_read_together_is_of_one_moment(open_files: Open) -> None:
    files, other = open_files(), open_files()
    write(files, "/a", b"before")
    with files.reading():
        assert files.read("/a") == b"before"
        write(other, "/a", b"after!")
        write(other, "/b")
        assert files.read("/a") == b"before"
        assert files.names("/") == ["a"]
    assert files.read("/a") == b"after!"


def test_what_was_committed_before_is_read(open_files: Open) -> None:
    files, other = open_files(), open_files()
    write(files, "/a", b"before")
    files.read("/a")
    write(other, "/a", b"after!")
    with files.reading():
        assert files.read("/a") == b"after!"


def test_nothing_is_changed_while_a_moment_is_read(files: FileSystem) -> None:
    with files.reading(), pytest.raises(ReadOnlyError, match="being read"):
        write(files, "/a")
    write(files, "/a")


def test_a_transaction_reads_its_own_changes_together_too(files: FileSystem) -> None:
    with files.transaction():
        files.write("/a", b"x")
        with files.reading():
            assert files.read("/a") == b"x"
        files.write("/b", b"x")
    assert files.names("/") == ["a", "b"]


# Taking turns.


def test_threads_take_turns(files: FileSystem) -> None:
    write(files, "/count", b"0")

    def add() -> None:
        for _ in range(50):
            with files.transaction():
                files.write("/count", b"%d" % (int(files.read("/count")) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read("/count") == b"200"
    assert problems(files) == []


def test_a_thread_never_sees_half_of_another_s_transaction(files: FileSystem) -> None:
    change(files, lambda: (files.write("/a", b"0"), files.write("/b", b"0")))
    stop = threading.Event()

    def write_both() -> None:
        for index in range(200):
            text = b"%d" % index
            change(files, lambda text=text: (files.write("/a", text), files.write("/b", text)))  # type: ignore[misc]
        stop.set()

    writer = threading.Thread(target=write_both)
    writer.start()
    while not stop.is_set():
        with files.reading():
            assert files.read("/a") == files.read("/b")
    writer.join()


def test_a_writer_waits_for_another_process(open_files: Open, database: Path) -> None:
    files = open_files(lock_timeout_s=20)
    go, started = os.pipe(), os.pipe()

    def hold() -> None:
        with opened(database) as other, other.transaction():
            other.write("/held", b"x")
            os.write(started[1], b".")
            os.read(go[0], 1)

    child = Child(hold)
    os.read(started[0], 1)
    release = threading.Timer(0.05, lambda: os.write(go[1], b"."))
    release.start()
    with files.transaction():
        assert files.exists("/held")
    child.result()
    release.join()
    for end in (*go, *started):
        os.close(end)


def test_waiting_for_another_process_ends_with_a_timeout(open_files: Open, database: Path) -> None:
    files = open_files(lock_timeout_s=0.05)
    go, started = os.pipe(), os.pipe()

    def hold() -> None:
        with opened(database) as other, other.transaction():
            os.write(started[1], b".")
            os.read(go[0], 1)

    child = Child(hold)
    os.read(started[0], 1)
    begin = time.monotonic()
    with pytest.raises(OperationTimeoutError) as caught:
        write(files, "/a")
    assert 0.04 < time.monotonic() - begin < 5
    assert caught.value.code == "timeout"
    assert "lock_timeout_s" in str(caught.value.hint)
    os.write(go[1], b".")
    child.result()
    write(files, "/a")  # nothing is left of the attempt
    for end in (*go, *started):
        os.close(end)


def test_reading_waits_for_nobody(open_files: Open, database: Path) -> None:
    files, other = open_files(lock_timeout_s=0), open_files()
    write(files, "/a", b"x")
    with other.transaction():
        other.write("/a", b"y")
        assert files.read("/a") == b"x"
        assert files.names("/") == ["a"]


# Closing.


def test_closing_in_one_thread_waits_for_the_transaction_of_another(open_files: Open) -> None:
    files = open_files()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with files.transaction():
            held.set()
            done.wait()
            files.write("/a", b"x")

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    release = threading.Timer(0.02, done.set)
    release.start()
    files.close()
    thread.join()
    release.join()
    assert open_files().names("/") == ["a"]


def test_an_error_inside_is_not_hidden_by_one_at_the_end(files: FileSystem) -> None:
    with pytest.raises(NotFoundError):
        change(files, lambda: files.unlink("/missing"))
    files.close()
    with pytest.raises(ClosedError):
        change(files, lambda: files.unlink("/missing"))
