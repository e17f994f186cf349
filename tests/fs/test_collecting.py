"""Collecting in parts: nobody waits long, and nothing goes that came back meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.fs.workspaces import change, problems, snapshot, write
from vshell.fs import collecting
from vshell.fs.collecting import GcResult, collect
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

Open = Callable[..., FileSystem]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every workspace counts as large, and every part is small."""
    monkeypatch.setattr(collecting, "SMALL_ROWS", 0)
    monkeypatch.setattr(collecting, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(collecting, "CONTENTS_AT_ONCE", 2)


def between(files: FileSystem, work: Callable[[int], object]) -> Callable[..., object]:
    """Return what makes transactions, and does something before each."""
    count = 0

    @contextmanager
    def transaction() -> Iterator[None]:
        nonlocal count
        count += 1
        work(count)
        with files.transaction("", "gc"):
            yield

    return transaction


def counted(files: FileSystem, **options: int) -> tuple[GcResult, int]:
    parts: list[int] = []
    result = collect(files.store, between(files, parts.append), **options)  # type: ignore[arg-type]
    return result, len(parts)


def fill(files: FileSystem, count: int) -> None:
    for number in range(count):
        write(files, "/a", b"content %d" % number)


@pytest.mark.usefixtures("small_parts")
def test_a_large_collection_comes_in_parts(files: FileSystem) -> None:
    fill(files, 20)
    result, parts = counted(files, keep_revisions=2)
    assert (result.journal_rows, result.contents, result.is_complete) == (18, 17, True)
    assert parts == 6 + 9
    assert [entry.revision for entry in files.changes()] == [19, 20]
    assert problems(files) == []


def test_a_small_workspace_is_collected_in_one_transaction(files: FileSystem) -> None:
    fill(files, 20)
    before = files.store.commits
    with files.store.database.count_statements() as statements:
        collect(files.store, files.transaction, keep_revisions=2)
    assert files.store.commits == before + 1
    assert statements.statements.count("commit") == 1


@pytest.mark.usefixtures("small_parts")
def test_a_revision_is_never_cut_in_two(files: FileSystem) -> None:
    for number in range(4):
        change(files, *[lambda n=n, m=number: files.write(f"/{n}", b"%d" % m) for n in range(5)])
    seen: list[list[int]] = []

    def look(_: int) -> None:
        revisions = [entry.revision for entry in files.changes()]
        seen.append([revisions.count(number) for number in sorted(set(revisions))])

    collect(files.store, between(files, look), keep_revisions=1)  # type: ignore[arg-type]
    assert seen[0] == [5, 5, 5, 5]
    assert seen[-1] == [5]
    assert {count for counts in seen for count in counts} == {5}


@pytest.mark.usefixtures("small_parts")
def test_what_is_stored_again_meanwhile_stays(files: FileSystem, open_files: Open) -> None:
    other = open_files()
    fill(files, 20)

    def write_again(part: int) -> None:
        if part == 8:  # what is to go is known already
            write(other, "/b", b"content 12")

    result = collect(files.store, between(files, write_again), keep_revisions=2)  # type: ignore[arg-type]
    assert result.contents == 16
    assert other.read("/b") == b"content 12"
    assert problems(files) == []


@pytest.mark.usefixtures("small_parts")
def test_what_is_stored_again_and_forgotten_meanwhile_stays(
    files: FileSystem, open_files: Open
) -> None:
    other = open_files()
    fill(files, 20)

    def write_and_forget(part: int) -> None:
        if part == 8:
            write(other, "/b", b"content 12")
            change(other, lambda: other.store.journal.prune(keep_revisions=0))

    collect(files.store, between(files, write_and_forget), keep_revisions=2)  # type: ignore[arg-type]
    assert other.read("/b") == b"content 12"
    assert problems(files) == []


@pytest.mark.usefixtures("small_parts")
def test_a_limit_ends_a_collection_and_the_next_goes_on(files: FileSystem) -> None:
    for _ in range(6):
        write(files, "/a", os.urandom(1000))
    freed = []
    while True:
        result, _ = counted(files, keep_revisions=0, max_bytes=1500)
        freed.append(result.bytes)
        if result.is_complete:
            break
    assert freed == [2000, 2000, 1000]


@pytest.mark.usefixtures("small_parts")
def test_chunks_that_others_still_have_stay(files: FileSystem) -> None:
    write(files, "/a", os.urandom(6 * CHUNK_BYTES))
    change(files, lambda: files.write_at("/a", 5, b"changed"))
    change(files, lambda: files.write_at("/a", 5, b"again"))
    before = snapshot(files)
    result, _ = counted(files, keep_revisions=0)
    assert (result.contents, result.chunks, result.bytes) == (2, 2, 2 * CHUNK_BYTES)
    assert snapshot(files) == before
    assert problems(files) == []


@pytest.mark.usefixtures("small_parts")
def test_a_collection_in_a_transaction_is_undone_with_it(files: FileSystem) -> None:
    fill(files, 10)
    with pytest.raises(KeyError):
        _collect_and_fail(files)
    assert len(files.changes()) == 10
    assert problems(files) == []


def _collect_and_fail(files: FileSystem) -> None:
    with files.transaction():
        assert collect(files.store, files.transaction, keep_revisions=1).journal_rows == 9
        raise KeyError
