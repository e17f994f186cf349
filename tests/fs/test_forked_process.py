"""A process that was forked has none of the locks: it may not use what was open."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fs.workspaces import opened, problems, write
from tests.processes import Child, in_child
from vshell.errors import (
    ClosedError,
    UnavailableError,
)
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

Open = Callable[..., FileSystem]


class ExpectedError(Exception):
    """What a test raises to leave a transaction."""


def fail(*_: object) -> None:
    raise ExpectedError


# After a fork.


def test_a_forked_child_is_told_to_open_the_workspace_again(files: FileSystem) -> None:
    write(files, "/a", b"x")
    uses: list[Callable[[], object]] = [
        lambda: files.read("/a"),
        lambda: files.stat("/a"),
        lambda: files.names("/"),
        files.revision,
        lambda: write(files, "/b"),
        lambda: files.copy_database("/nowhere/copy.db"),
    ]
    for use in uses:
        with pytest.raises(UnavailableError, match="forked") as caught:
            in_child(use)
        assert "again" in str(caught.value.hint)
    assert files.read("/a") == b"x"


def test_a_child_may_open_the_workspace_itself(files: FileSystem, database: Path) -> None:
    write(files, "/a", b"x")
    in_child(lambda: write(FileSystem(str(database)), "/a", b"y"))
    assert files.read("/a") == b"y"


def test_what_a_child_commits_outlives_that_the_parent_closes(
    open_files: Open, database: Path
) -> None:
    files = open_files()
    write(files, "/a", b"x")
    closed, opened_there = os.pipe(), os.pipe()

    def write_later() -> None:
        with opened(database) as other:
            os.write(opened_there[1], b".")
            os.read(closed[0], 1)
            write(other, "/b", b"y")
            os.write(opened_there[1], b".")
            os.read(closed[0], 1)

    child = Child(write_later)
    os.read(opened_there[0], 1)
    files.close()
    os.write(closed[1], b".")
    os.read(opened_there[0], 1)
    assert open_files().names("/") == ["a", "b"]
    os.write(closed[1], b".")
    child.result()
    for end in (*closed, *opened_there):
        os.close(end)


@pytest.mark.parametrize("busy", ["transaction", "reading"])
def test_a_child_forked_inside_a_transaction_cannot_open_the_workspace(
    files: FileSystem, database: Path, busy: str
) -> None:
    with getattr(files, busy)(), pytest.raises(UnavailableError, match="forked") as caught:
        in_child(lambda: FileSystem(str(database)))
    assert "anew" in str(caught.value.hint)
    in_child(lambda: write(FileSystem(str(database)), "/a"))
    assert files.names("/") == ["a"]


def test_a_child_knows_a_closed_workspace_as_closed(files: FileSystem) -> None:
    files.close()
    with pytest.raises(ClosedError):
        in_child(lambda: files.names("/"))


def test_a_child_that_is_forked_inside_a_transaction_is_refused_too(
    files: FileSystem,
) -> None:
    with files.transaction():
        files.write("/a", b"x")
        with pytest.raises(UnavailableError, match="forked"):
            in_child(lambda: files.write("/b", b"y"))
        with pytest.raises(UnavailableError, match="forked"):
            in_child(lambda: files.names("/"))
    assert files.names("/") == ["a"]
    assert problems(files) == []


def test_a_child_that_ends_the_parent_s_transaction_changes_nothing(files: FileSystem) -> None:
    transaction = files.transaction()
    with transaction:
        files.write("/a", b"x")
        with pytest.raises(UnavailableError, match="forked"):
            in_child(lambda: transaction.__exit__(None))
    assert files.names("/") == ["a"]
    assert problems(files) == []


def test_a_child_that_drops_the_workspace_leaves_the_parent_s_alone(database: Path) -> None:
    held = [FileSystem(str(database))]
    transactions = [held[0].transaction()]
    transactions[0].__enter__()

    def drop() -> None:
        connection = weakref.ref(held[0].store.database._connection)
        transactions.clear()
        held.clear()
        gc.collect()
        assert connection() is not None

    # More than the page cache holds, so that a part is in the log already.
    for index in range(40):
        held[0].write(f"/{index}", os.urandom(CHUNK_BYTES))
    in_child(drop)
    held[0].write("/last", b"x")
    transactions[0].__exit__(None)
    held[0].close()
    with opened(database) as other:
        assert len(other.names("/")) == 41
        assert problems(other) == []


def test_a_child_does_not_wait_for_a_thread_that_is_not_there(files: FileSystem) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with files.transaction():
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        for use in (files.read, files.stat, files.names):
            child = Child(lambda use=use: use("/a"))  # type: ignore[misc]
            with pytest.raises(UnavailableError, match="forked"):
                child.result()
    finally:
        done.set()
        thread.join()
