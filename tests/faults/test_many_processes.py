"""Several processes that write one database at once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.fs.workspaces import opened, problems, write
from tests.processes import Child
from vshell.errors import StaleError
from vshell.fs.collecting import collect
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

WRITERS = 4
ROUNDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


def run_together(*works: object) -> list[object]:
    """Start a child for each, let them go at the same moment, and return their results."""
    ready, go = os.pipe(), os.pipe()

    def start(work: object) -> Child:
        def wait_and_work() -> object:
            os.write(ready[1], b".")
            os.read(go[0], 1)
            assert callable(work)
            return work()

        return Child(wait_and_work)

    children = [start(work) for work in works]
    for _ in children:
        os.read(ready[0], 1)
    os.write(go[1], b"." * len(children))
    results = [child.result() for child in children]
    for end in (*ready, *go):
        os.close(end)
    return results


def test_nothing_is_lost_when_four_processes_write_at_once(database: Path) -> None:
    def write_own(writer: int) -> int:
        with opened(database) as files:
            for index in range(ROUNDS):
                write(files, f"/{writer}/{index}", b"%d-%d" % (writer, index))
        return writer

    FileSystem(str(database)).close()
    run_together(*(lambda writer=writer: write_own(writer) for writer in range(WRITERS)))
    with opened(database) as files:
        for writer in range(WRITERS):
            for index in range(ROUNDS):
                assert files.read(f"/{writer}/{index}") == b"%d-%d" % (writer, index)
        assert files.revision() == WRITERS * ROUNDS
        assert problems(files) == []


def test_no_update_of_a_counter_is_lost_by_comparing_versions(database: Path) -> None:
    def add() -> int:
        conflicts = 0
        with opened(database) as files:
            for _ in range(ROUNDS):
                while True:
                    data, stat = files.read_with_stat("/count")
                    try:
                        with files.transaction():
                            files.write(
                                "/count", b"%d" % (int(data) + 1), expected_version=stat.version
                            )
                        break
                    except StaleError:
                        conflicts += 1
        return conflicts

    files = FileSystem(str(database))
    write(files, "/count", b"0")
    files.close()
    run_together(*[add] * WRITERS)
    with opened(database) as files:
        assert files.read("/count") == b"%d" % (WRITERS * ROUNDS)
        assert problems(files) == []


def test_no_update_of_a_counter_is_lost_inside_transactions(database: Path) -> None:
    def add() -> None:
        with opened(database) as files:
            for _ in range(ROUNDS):
                with files.transaction():
                    files.write("/count", b"%d" % (int(files.read("/count")) + 1))

    files = FileSystem(str(database))
    write(files, "/count", b"0")
    files.close()
    run_together(*[add] * WRITERS)
    with opened(database) as files:
        assert files.read("/count") == b"%d" % (WRITERS * ROUNDS)


def test_appends_of_several_processes_are_all_there_and_whole(database: Path) -> None:
    def append(writer: int) -> None:
        with opened(database) as files:
            for index in range(ROUNDS):
                with files.transaction():
                    files.append("/log", b"%d %d\n" % (writer, index))

    FileSystem(str(database)).close()
    run_together(*(lambda writer=writer: append(writer) for writer in range(WRITERS)))
    with opened(database) as files:
        lines = files.read("/log").splitlines()
    for writer in range(WRITERS):
        mine = [line for line in lines if line.startswith(b"%d " % writer)]
        assert mine == [b"%d %d" % (writer, index) for index in range(ROUNDS)]
    assert len(lines) == WRITERS * ROUNDS


def test_a_reader_never_sees_half_of_a_transaction(database: Path) -> None:
    def write_both() -> None:
        with opened(database) as files:
            for index in range(ROUNDS):
                with files.transaction():
                    files.write("/a", b"%d" % index)
                    files.write("/b", bytes([index]) * (CHUNK_BYTES + 1))

    def read_both() -> int:
        different = set()
        with opened(database) as files:
            while (index := int(files.read("/a"))) < ROUNDS - 1:
                with files.reading():
                    index = int(files.read("/a"))
                    assert files.read("/b") == bytes([index]) * (CHUNK_BYTES + 1)
                    different.add(index)
        return len(different)

    files = FileSystem(str(database))
    with files.transaction():
        files.write("/a", b"0")
        files.write("/b", bytes(CHUNK_BYTES + 1))
    files.close()
    run_together(write_both, read_both, read_both)


def test_upkeep_and_writers_do_not_harm_each_other(database: Path) -> None:
    def write_many(writer: int) -> None:
        with opened(database) as files:
            for index in range(ROUNDS):
                write(files, f"/{writer}", os.urandom(CHUNK_BYTES // 8 + index))
                write(files, f"/{writer}-last", b"%d" % index)

    def keep_up() -> None:
        with opened(database) as files:
            for _ in range(ROUNDS // 4):
                with files.transaction():
                    collect(files.store, files.transaction, keep_revisions=3)
                files.store.database.checkpoint()

    FileSystem(str(database)).close()
    run_together(lambda: write_many(1), lambda: write_many(2), keep_up)
    with opened(database) as files:
        assert files.read("/1-last") == files.read("/2-last") == b"%d" % (ROUNDS - 1)
        assert problems(files) == []


def test_threads_and_processes_take_turns_together(database: Path) -> None:
    def add(files: FileSystem) -> None:
        for _ in range(ROUNDS // 2):
            with files.transaction():
                files.write("/count", b"%d" % (int(files.read("/count")) + 1))

    def add_in_threads() -> None:
        with opened(database) as files:
            threads = [threading.Thread(target=add, args=(files,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    files = FileSystem(str(database))
    write(files, "/count", b"0")
    files.close()
    run_together(add_in_threads, add_in_threads)
    with opened(database) as files:
        assert files.read("/count") == b"%d" % (2 * 2 * (ROUNDS // 2))
