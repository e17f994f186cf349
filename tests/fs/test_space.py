from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fs.workspaces import change, opened, problems, snapshot, write
from vshell.fs.check import check
from vshell.fs.collecting import GcResult, collect
from vshell.fs.filesystem import FileSystem
from vshell.fs.space import Usage, usage
from vshell.limits import CHUNK_BYTES

Open = Callable[..., FileSystem]


def gc(files: FileSystem, keep_revisions: int | None = None) -> GcResult:
    return collect(files.store, lambda: files.transaction("", "gc"), keep_revisions=keep_revisions)


def stored_bytes(files: FileSystem) -> int:
    return usage(files.store).content_bytes


def test_an_empty_workspace_holds_its_root(files: FileSystem, database: Path) -> None:
    assert usage(files.store) == Usage(
        files=0,
        directories=1,
        symlinks=0,
        live_bytes=0,
        content_bytes=0,
        history_bytes=0,
        database_bytes=database.stat().st_size,
        log_bytes=0,
        free_bytes=0,
        revisions=0,
        journal_rows=0,
        quota_bytes=None,
        index_bytes=0,
    )


def test_usage_counts_what_is_there(files: FileSystem) -> None:
    write(files, "/d/a", b"12345")
    write(files, "/d/b", b"12345")
    change(
        files,
        lambda: files.link("/d/a", "/d/c"),
        lambda: files.symlink("d/a", "/l"),
        lambda: files.set_quota(1000),
    )
    found = usage(files.store)
    assert (found.files, found.directories, found.symlinks) == (2, 2, 1)
    assert found.live_bytes == 5 + 5 + 3
    assert found.content_bytes == 5 + 3
    assert found.history_bytes == 0
    assert (found.revisions, found.journal_rows, found.quota_bytes) == (3, 5, 1000)


def test_history_is_what_no_file_has_any_more(files: FileSystem) -> None:
    write(files, "/a", b"old")
    write(files, "/a", b"newer")
    assert usage(files.store).history_bytes == 3


def test_chunks_that_contents_share_count_once(files: FileSystem) -> None:
    write(files, "/a", os.urandom(3 * CHUNK_BYTES))
    change(files, lambda: files.write_at("/a", 5, b"changed"))
    found = usage(files.store)
    assert found.content_bytes == 4 * CHUNK_BYTES
    assert found.history_bytes == CHUNK_BYTES


def test_the_log_counts_until_it_is_in_the_file(files: FileSystem, database: Path) -> None:
    write(files, "/a", os.urandom(100_000))
    assert usage(files.store).log_bytes == database.with_name("agent.db-wal").stat().st_size
    files.store.database.checkpoint()
    assert usage(files.store).log_bytes == 0


def test_usage_is_of_one_moment(files: FileSystem, open_files: Open) -> None:
    other = open_files()
    with files.reading():
        assert usage(files.store).files == 0
        write(other, "/a", b"x")
        during = usage(files.store)
        assert (during.files, during.live_bytes, during.content_bytes) == (0, 0, 0)
    assert usage(files.store).files == 1


# Collecting.


def test_nothing_is_collected_while_history_needs_it(files: FileSystem) -> None:
    write(files, "/a", b"old")
    write(files, "/a", os.urandom(2 * CHUNK_BYTES))
    write(files, "/a", b"newer")
    change(files, lambda: files.unlink("/a"))
    assert gc(files) == GcResult(0, 0, 0, 0)


def test_what_was_stored_and_undone_leaves_nothing(files: FileSystem) -> None:
    def fail() -> None:
        files.write("/a", os.urandom(2 * CHUNK_BYTES))
        raise KeyError

    with pytest.raises(KeyError):
        change(files, fail)
    assert stored_bytes(files) == 0


def test_forgotten_history_gives_its_bytes_back(files: FileSystem) -> None:
    for index in range(5):
        write(files, "/a", b"%d" % index * 100)
    result = gc(files, keep_revisions=2)
    # Revision 4 overwrote what revision 3 wrote, so that is needed to undo it.
    assert result == GcResult(contents=2, chunks=0, bytes=200, journal_rows=3)
    assert files.read("/a") == b"4" * 100
    assert [entry.revision for entry in files.changes()] == [4, 5]


def test_chunks_go_when_no_list_has_them(files: FileSystem) -> None:
    write(files, "/a", os.urandom(3 * CHUNK_BYTES))
    write(files, "/b", b"x")
    change(files, lambda: files.write_at("/a", 0, b"changed"))
    change(files, lambda: files.write_at("/a", 0, b"again"))
    result = gc(files, keep_revisions=0)
    assert (result.chunks, result.bytes) == (2, 2 * CHUNK_BYTES)
    assert files.read("/a", 0, 7) == b"agained"
    assert problems(files) == []


@pytest.mark.parametrize("keep", [None, 0, 1, 3, 100])
def test_collecting_never_touches_what_files_hold(files: FileSystem, keep: int | None) -> None:
    for index in range(6):
        write(files, f"/{index % 3}", os.urandom(CHUNK_BYTES + index))
    change(files, lambda: files.symlink("target", "/l"), lambda: files.copy_entry("/0", "/copy"))
    before = snapshot(files)
    gc(files, keep)
    assert snapshot(files) == before
    assert problems(files) == []


def test_collecting_keeps_the_counters(files: FileSystem) -> None:
    for index in range(3):
        write(files, f"/{index}", b"12345")
    before = usage(files.store)
    gc(files, keep_revisions=0)
    after = usage(files.store)
    assert (after.revisions, after.live_bytes) == (before.revisions, before.live_bytes)
    write(files, "/new", b"x")
    assert files.revision() == before.revisions + 1
    assert files.stat("/new").inode == files.stat("/2").inode + 1


def test_another_process_reads_on_after_a_collection(open_files: Open) -> None:
    files, other = open_files(), open_files()
    write(files, "/a", b"old")
    assert other.read("/a") == b"old"
    write(files, "/a", b"new")
    gc(files, keep_revisions=0)
    write(files, "/b", b"takes the id that was freed")
    assert other.read("/a") == b"new"
    assert other.read("/b") == b"takes the id that was freed"


def test_a_collection_that_is_undone_removes_nothing(files: FileSystem) -> None:
    write(files, "/a", b"old")
    write(files, "/a", b"new")
    before = usage(files.store)

    def fail() -> None:
        collect(files.store, files.transaction, keep_revisions=0)
        raise KeyError

    with pytest.raises(KeyError):
        change(files, fail)
    assert usage(files.store) == before
    assert len(files.changes()) == 2


def test_vacuum_gives_back_what_was_collected(files: FileSystem, database: Path) -> None:
    write(files, "/a", os.urandom(1_000_000))
    change(files, lambda: files.unlink("/a"))
    gc(files, keep_revisions=0)
    files.store.database.checkpoint()
    assert usage(files.store).free_bytes > 900_000
    files.vacuum()
    after = usage(files.store)
    assert after.free_bytes == 0
    assert database.stat().st_size == after.database_bytes < 200_000
    assert problems(files) == []


def test_vacuum_keeps_everything(files: FileSystem) -> None:
    for index in range(20):
        write(files, f"/d{index % 3}/{index}", os.urandom(index * 1000))
    before, changes = snapshot(files), files.changes()
    files.vacuum()
    assert (snapshot(files), files.changes()) == (before, changes)


_CONTENTS = st.sampled_from([b"", b"a", b"bb", b"c" * (CHUNK_BYTES + 1), b"d" * (2 * CHUNK_BYTES)])
_STEPS = st.tuples(
    st.sampled_from(["write", "append", "remove", "rename", "copy", "gc"]),
    st.sampled_from(["/a", "/b", "/c"]),
    st.sampled_from(["/a", "/b", "/c"]),
    _CONTENTS,
    st.sampled_from([None, 0, 1, 2, 5]),
)


@given(st.lists(_STEPS, max_size=20))
@settings(max_examples=40)
def test_collecting_at_any_time_changes_no_file(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, str, str, bytes, int | None]],
) -> None:
    database = tmp_path_factory.mktemp("gc") / "agent.db"
    files = FileSystem(str(database))
    expected: dict[str, bytes] = {}
    for kind, path, other, data, keep in steps:
        if kind == "write":
            write(files, path, data)
            expected[path] = data
        elif kind == "append":
            change(files, lambda path=path, data=data: files.append(path, data))  # type: ignore[misc]
            expected[path] = expected.get(path, b"") + data
        elif kind == "gc":
            gc(files, keep)
        elif path in expected and kind == "remove":
            change(files, lambda path=path: files.unlink(path))  # type: ignore[misc]
            del expected[path]
        elif path in expected and path != other and kind == "rename":
            change(files, lambda path=path, other=other: files.rename(path, other))  # type: ignore[misc]
            expected[other] = expected.pop(path)
        elif path in expected and other not in expected and kind == "copy":
            change(files, lambda path=path, other=other: files.copy_entry(path, other))  # type: ignore[misc]
            expected[other] = expected[path]
    files.close()
    with opened(database) as fresh:
        assert {f"/{name}": fresh.read(f"/{name}") for name in fresh.names("/")} == expected
        assert problems(fresh) == []


def test_a_collection_can_be_done_in_small_parts(files: FileSystem) -> None:
    for index in range(20):
        write(files, "/a", bytes([index]) * 1000)
    found = []
    while True:
        with files.transaction("", "gc"):
            found.append(collect(files.store, files.transaction, keep_revisions=0, max_bytes=2500))
        if found[-1].is_complete:
            break
    assert [each.contents for each in found] == [3, 3, 3, 3, 3, 3, 1]
    assert sum(each.bytes for each in found) == 19_000
    assert check(files.store) == []


def test_a_reader_sees_what_a_collection_removes(files: FileSystem, database: Path) -> None:
    with opened(database) as reader:
        write(files, "/a", b"old")
        with reader.reading():
            assert reader.read("/a") == b"old"
            write(files, "/a", b"new")
            change(files, lambda: collect(files.store, files.transaction, keep_revisions=0))
            reader.store.tree.forget()
            assert reader.read("/a") == b"old"
        assert reader.read("/a") == b"new"
