from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fs.workspaces import change, opened, write
from tests.processes import Child
from vshell.errors import NotFoundError
from vshell.fs.collecting import collect
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Change
from vshell.fs.watch import Cursor, watch

Open = Callable[..., FileSystem]


def seen(
    files: FileSystem, *, path: str | None = None, since: int = 0
) -> list[tuple[int, str, str]]:
    """Return what a watch tells until nothing is left to tell."""
    found = watch(files, path, since=since, timeout_s=0, poll_s=0)
    return [(entry.revision, entry.action, entry.path) for entry in found]


def endless(files: FileSystem, *, path: str | None = None, since: int = 0) -> Iterator[Change]:
    return watch(files, path, since=since, timeout_s=30, poll_s=0.001)


def test_a_watch_tells_what_happened_after_the_revision_that_is_known(files: FileSystem) -> None:
    write(files, "/a")
    write(files, "/b")
    write(files, "/c")
    assert seen(files, since=1) == [(2, "create", "/b"), (3, "create", "/c")]
    assert seen(files, since=3) == []


def test_a_watch_tells_of_one_path_and_what_is_below_it(files: FileSystem) -> None:
    write(files, "/d/a")
    write(files, "/d0")
    write(files, "/e/a")
    change(files, lambda: files.rename("/e/a", "/d/b"))
    assert [path for _, _, path in seen(files, path="/d")] == ["/d", "/d/a", "/d/b"]


def test_a_watch_goes_on_with_what_happens_while_it_waits(files: FileSystem) -> None:
    changes = endless(files)
    for index in range(20):
        write(files, f"/{index}")
        assert next(changes).path == f"/{index}"


def test_a_watch_sees_another_connection(open_files: Open) -> None:
    files, other = open_files(), open_files()
    changes = endless(files)
    for index in range(20):
        write(other, f"/{index}")
        assert next(changes).path == f"/{index}"


def test_a_watch_sees_another_process(files: FileSystem, database: Path) -> None:
    started = os.pipe()

    def write_many() -> None:
        with opened(database) as other:
            os.read(started[0], 1)
            for index in range(50):
                write(other, f"/{index}", b"%d" % index)

    child = Child(write_many)
    changes = endless(files)
    os.write(started[1], b".")
    assert [next(changes).path for _ in range(50)] == [f"/{index}" for index in range(50)]
    child.result()
    os.close(started[0])
    os.close(started[1])


def test_a_watch_sees_nothing_of_what_was_undone(files: FileSystem) -> None:
    def fail() -> None:
        files.write("/undone", b"")
        raise KeyError

    with pytest.raises(KeyError):
        change(files, fail)
    write(files, "/kept")
    assert seen(files) == [(1, "create", "/kept")]


def test_a_watch_that_starts_again_where_it_was_misses_and_repeats_nothing(
    files: FileSystem,
) -> None:
    told: list[str] = []
    since = 0
    for index in range(30):
        change(files, lambda index=index: [files.write(f"/{index}-{n}", b"") for n in range(3)])  # type: ignore[misc]
        if index % 4 == 0:
            for entry in watch(files, None, since=since, timeout_s=0, poll_s=0):
                told.append(entry.path)
                since = entry.revision
    told += [path for _, _, path in seen(files, since=since)]
    assert told == [f"/{index}-{n}" for index in range(30) for n in range(3)]


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 7, 100])
def test_batches_of_any_size_tell_the_same(
    files: FileSystem, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("vshell.fs.watch._BATCH", batch)
    for size in (1, 4, 2, 7, 3, 1):
        with files.transaction():
            for index in range(size):
                files.write(f"/{files.store.journal.next_revision}-{index}", b"")
    expected = [(entry.revision, entry.action, entry.path) for entry in files.changes()]
    assert len(expected) == 18
    assert seen(files) == expected


def test_a_watch_from_the_beginning_tells_what_is_kept(files: FileSystem) -> None:
    for index in range(5):
        write(files, f"/{index}")
    change(files, lambda: collect(files.store, files.transaction, keep_revisions=2))
    assert [path for _, _, path in seen(files, since=0)] == ["/3", "/4"]
    assert [path for _, _, path in seen(files, since=3)] == ["/3", "/4"]


def test_a_watch_says_that_what_it_should_tell_is_not_kept(files: FileSystem) -> None:
    for index in range(5):
        write(files, f"/{index}")
    cursor = Cursor(files, None, since=2)
    change(files, lambda: collect(files.store, files.transaction, keep_revisions=2))
    with pytest.raises(NotFoundError) as lost:
        seen(files, since=2)
    assert lost.value.data == {"first": 3, "last": 5}
    with pytest.raises(NotFoundError):
        cursor.next()


def test_a_watch_ends_when_nothing_happens_for_its_time(files: FileSystem) -> None:
    write(files, "/a")
    assert len(list(watch(files, None, since=0, timeout_s=0.01, poll_s=0.001))) == 1


def test_waiting_costs_no_statement(files: FileSystem) -> None:
    write(files, "/a")
    assert seen(files) == [(1, "create", "/a")]
    changes = watch(files, None, since=1, timeout_s=0.02, poll_s=0.001)
    with files.store.database.count_statements() as statements:
        assert list(changes) == []
    assert len(statements) <= 2


def test_a_watch_looks_at_the_caches_in_its_turn(
    files: FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = files.store
    fresh, in_turn = store.fresh, []

    def recorded() -> bytes:
        in_turn.append(store.lock._is_owned())  # type: ignore[attr-defined]
        return fresh()

    monkeypatch.setattr(store, "fresh", recorded)
    write(files, "/a")
    assert len(seen(files)) == 1
    assert set(in_turn) == {True}


def test_a_watch_in_one_thread_disturbs_no_reader_in_another(open_files: Open) -> None:
    files, other = open_files(), open_files()
    write(files, "/a", b"0")
    told: list[int] = []

    def tell() -> None:
        for entry in watch(files, "/a", since=1, timeout_s=30, poll_s=0):
            told.append(entry.revision)
            if entry.revision == 301:
                return

    watcher = threading.Thread(target=tell)
    watcher.start()
    for index in range(1, 301):
        write(other, "/a", b"%d" % index)
        assert files.read("/a") == b"%d" % index
        assert files.stat("/a").version == index + 1
    watcher.join()
    assert told == list(range(2, 302))
