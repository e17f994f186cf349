"""A writer that is killed at any moment: what it was told is done, is done, and nothing is half."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path

import pytest

from tests.fs.workspaces import opened, problems, write
from tests.processes import Child
from vshell.fs.collecting import collect
from vshell.fs.content import hash_of
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

KILLS = 100
LONGEST_LIFE_S = 0.06

pytestmark = pytest.mark.slow


def content(step: int, size: int) -> bytes:
    """Bytes that no other step writes."""
    return (b"%d " % step) * (size // len(b"%d " % step) + 1)


def work(database: Path, first: int, acknowledge: int) -> None:
    """Do one transaction after the other, each of several changes, and tell of each."""
    with opened(database) as files:
        step = first
        while True:
            with files.transaction("writer", f"step {step}"):
                # Two files that must always agree, one of them with chunks at times.
                size = 10 if step % 4 else CHUNK_BYTES + step
                files.write("/one", content(step, size))
                files.write("/two", content(step, size))
                files.append("/log", b"%d\n" % step)
                files.mkdir(f"/dirs/{step}", parents=True)
                files.write(f"/dirs/{step}/file", b"%d" % step)
                if step % 3 == 0:
                    files.rename(f"/dirs/{step}", f"/dirs/moved-{step}")
                if step >= 8:
                    old = step - 8
                    files.remove_tree(f"/dirs/moved-{old}" if old % 3 == 0 else f"/dirs/{old}")
            os.write(acknowledge, step.to_bytes(8, "big"))
            step += 1


def expected_directories(last: int) -> set[str]:
    return {
        f"moved-{step}" if step % 3 == 0 else f"{step}"
        for step in range(max(0, last - 7), last + 1)
    }


def verify(database: Path, acknowledged: int) -> int:
    """Check everything that must hold; return the last step that is there."""
    with opened(database) as files:
        if not files.exists("/log"):
            assert acknowledged == -1
            return -1
        log = files.read("/log").split()
        last = int(log[-1])
        # A commit that was not acknowledged in time may be there, but only that one.
        assert acknowledged <= last <= acknowledged + 1
        assert log == [b"%d" % step for step in range(last + 1)]
        one = files.read("/one")
        assert one == files.read("/two") == content(last, 10 if last % 4 else CHUNK_BYTES + last)
        assert files.stat("/one").hash == hash_of(one).hex()
        assert set(files.names("/dirs")) == expected_directories(last)
        assert files.revision() == last + 1
        assert files.changes(since=last)[0].operation == f"step {last}"
        assert problems(files) == []
        with files.transaction():  # so that checking does not take longer and longer
            collect(files.store, files.transaction, keep_revisions=3)
        return last


def kill_at_a_random_moment(database: Path, first: int, moments: random.Random) -> int:
    """Start a writer, kill it, and return the last step that it told of."""
    reader, writer = os.pipe()
    child = Child(lambda: work(database, first, writer))
    os.close(writer)
    time.sleep(moments.uniform(0, LONGEST_LIFE_S))
    child.kill()
    with open(reader, "rb") as acknowledged:
        told = acknowledged.read()
    return int.from_bytes(told[-8:], "big") if told else first - 1


def test_what_was_acknowledged_is_there_after_a_kill_and_nothing_is_half(tmp_path: Path) -> None:
    database = tmp_path / "agent.db"
    FileSystem(str(database)).close()
    moments = random.Random(20240229)
    last = -1
    for _ in range(KILLS):
        acknowledged = kill_at_a_random_moment(database, last + 1, moments)
        last = verify(database, max(acknowledged, last))
    assert last > KILLS // 10  # the writers got somewhere


def test_a_kill_while_the_workspace_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    moments = random.Random(7)
    for index in range(30):
        database = tmp_path / f"{index}.db"
        child = Child(lambda database=database: write(FileSystem(str(database)), "/a", b"text"))  # type: ignore[misc]
        time.sleep(moments.uniform(0, 0.01))
        child.kill()
        if database.exists():
            with opened(database) as files:
                assert files.names("/") in ([], ["a"])
                assert problems(files) == []


def test_others_go_on_at_once_when_the_writer_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "agent.db"
    FileSystem(str(database)).close()
    reader, writer = os.pipe()

    def hold_for_ever() -> None:
        with opened(database) as files, files.transaction():
            files.write("/half", bytes(10 * CHUNK_BYTES))
            os.write(writer, b".")
            signal.pause()

    child = Child(hold_for_ever)
    os.read(reader, 1)
    child.kill()
    files = FileSystem(str(database), lock_timeout_s=0.5)
    write(files, "/whole", b"text")
    assert files.names("/") == ["whole"]
    assert problems(files) == []
    files.close()
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_killed_holds_nobody_up(tmp_path: Path) -> None:
    database = tmp_path / "agent.db"
    files = FileSystem(str(database), lock_timeout_s=0.5)
    write(files, "/a", b"text")
    reader, writer = os.pipe()

    def read_for_ever() -> None:
        with opened(database) as other, other.reading():
            other.read("/a")
            os.write(writer, b".")
            signal.pause()

    child = Child(read_for_ever)
    assert select.select([reader], [], [], 10)[0]
    child.kill()
    write(files, "/a", b"more")
    files.store.database.checkpoint()
    assert database.with_name("agent.db-wal").stat().st_size == 0
    files.close()
    os.close(reader)
    os.close(writer)
