from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fs.workspaces import Clock, change, problems, write
from vshell.errors import QuotaExceededError, RangeError
from vshell.fs import space
from vshell.fs.collecting import collect
from vshell.fs.content import EMPTY_HASH, hash_of
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Change
from vshell.fs.snapshots import undo

Open = Callable[..., FileSystem]


def story(changes: list[Change]) -> list[tuple[str, str]]:
    return [(entry.action, entry.path) for entry in changes]


# What is recorded.


def test_a_new_file_is_recorded_with_what_it_holds(open_files: Open) -> None:
    clock = Clock(0)
    files = open_files(now=clock)
    with files.transaction("ada", "write"):
        files.write("/a", b"text", mode=0o600)
    assert files.changes() == [
        Change(
            revision=1,
            time_ns=clock.time_ns,
            session="ada",
            operation="write",
            action="create",
            path="/a",
            old_path=None,
            kind="file",
            before_hash=None,
            after_hash=hash_of(b"text").hex(),
            before_mode=None,
            after_mode=0o600,
        )
    ]


def test_an_overwrite_is_recorded_with_before_and_after(files: FileSystem) -> None:
    write(files, "/a", b"old")
    write(files, "/a", b"new")
    last = files.changes()[-1]
    assert last.action == "write"
    assert last.before_hash == hash_of(b"old").hex()
    assert last.after_hash == hash_of(b"new").hex()
    assert (last.before_mode, last.after_mode) == (0o644, 0o644)


def test_an_empty_file_has_the_hash_of_nothing(files: FileSystem) -> None:
    write(files, "/a", b"")
    write(files, "/a", b"x")
    change(files, lambda: files.truncate("/a", 0))
    change(files, lambda: files.unlink("/a"))
    empty = EMPTY_HASH.hex()
    hashes = [(entry.before_hash, entry.after_hash) for entry in files.changes()]
    x = hash_of(b"x").hex()
    assert hashes == [(None, empty), (empty, x), (x, empty), (empty, None)]


def test_a_directory_has_no_hash(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"))
    change(files, lambda: files.rmdir("/d"))
    assert {(entry.before_hash, entry.after_hash) for entry in files.changes()} == {(None, None)}


def test_a_rename_is_recorded_with_both_names(files: FileSystem) -> None:
    write(files, "/a", b"text")
    change(files, lambda: files.rename("/a", "/b"))
    last = files.changes()[-1]
    assert (last.action, last.path, last.old_path) == ("rename", "/b", "/a")
    assert last.before_hash == last.after_hash == hash_of(b"text").hex()


def test_what_a_rename_replaced_is_recorded_as_removed(files: FileSystem) -> None:
    write(files, "/a", b"new")
    write(files, "/b", b"old")
    change(files, lambda: files.rename("/a", "/b"))
    removed, renamed = files.changes(since=2)
    assert (removed.action, removed.path, removed.before_hash) == (
        "remove",
        "/b",
        hash_of(b"old").hex(),
    )
    assert (renamed.action, renamed.path) == ("rename", "/b")


def test_attributes_are_recorded_with_the_modes(files: FileSystem) -> None:
    write(files, "/a")
    change(files, lambda: files.chmod("/a", 0o755))
    last = files.changes()[-1]
    assert (last.action, last.before_mode, last.after_mode) == ("attributes", 0o644, 0o755)


def test_what_happens_through_a_link_is_recorded_where_it_happens(files: FileSystem) -> None:
    write(files, "/d/a", b"1")
    change(files, lambda: files.symlink("d", "/l"))
    before = files.revision()
    write(files, "/l/a", b"2")
    change(files, lambda: files.chmod("/l/a", 0o600))
    change(files, lambda: files.rename("/l/a", "/l/b"))
    change(files, lambda: files.unlink("/l/b"))
    assert story(files.changes(since=before)) == [
        ("write", "/d/a"),
        ("attributes", "/d/a"),
        ("rename", "/d/b"),
        ("remove", "/d/b"),
    ]


def test_made_parents_are_recorded_before_what_is_in_them(files: FileSystem) -> None:
    write(files, "/a/b/c", b"x")
    assert story(files.changes()) == [("create", "/a"), ("create", "/a/b"), ("create", "/a/b/c")]


def test_what_changes_nothing_is_not_recorded(files: FileSystem) -> None:
    write(files, "/a", b"text")
    before = files.revision()
    change(files, lambda: files.append("/a", b""))
    change(files, lambda: files.write_at("/a", 99, b""))
    change(files, lambda: files.rename("/a", "/a"))
    assert files.revision() == before


def test_names_of_any_bytes_are_recorded(files: FileSystem) -> None:
    write(files, "/\udcff\n", b"x")
    change(files, lambda: files.rename("/\udcff\n", "/\udcfe"))
    assert (files.changes()[-1].path, files.changes()[-1].old_path) == ("/\udcfe", "/\udcff\n")


# Asking for it.


@pytest.fixture
def busy(files: FileSystem) -> FileSystem:
    """Ten revisions with two changes each."""
    for index in range(1, 11):
        with files.transaction():
            files.write(f"/a{index}", b"x")
            files.write(f"/b{index}", b"y")
    return files


@pytest.mark.parametrize(
    ("since", "until", "revisions"),
    [
        (0, None, range(1, 11)),
        (3, None, range(4, 11)),
        (10, None, []),
        (99, None, []),
        (-1, None, range(1, 11)),
        (0, 2, [1, 2]),
        (4, 6, [5, 6]),
        (6, 4, []),
        (0, 0, []),
    ],
)
def test_changes_are_those_after_since_up_to_until(
    busy: FileSystem, since: int, until: int | None, revisions: list[int]
) -> None:
    found = busy.changes(since=since, until=until)
    assert [entry.revision for entry in found] == [number for number in revisions for _ in "ab"]


def test_a_limit_gives_the_oldest_first(busy: FileSystem) -> None:
    assert story(busy.changes(since=2, limit=3)) == [
        ("create", "/a3"),
        ("create", "/b3"),
        ("create", "/a4"),
    ]


def test_changes_below_a_path_are_those_of_whole_names(files: FileSystem) -> None:
    for path in ["/d", "/d0", "/d.x", "/d-x"]:
        write(files, f"{path}/f")
    paths = [entry.path for entry in files.changes(path="/d")]
    assert paths == ["/d", "/d/f"]
    assert len(files.changes(path="/")) == 8


def test_a_rename_belongs_to_both_places(files: FileSystem) -> None:
    write(files, "/a/f")
    change(files, lambda: files.mkdir("/b"))
    before = files.revision()
    change(files, lambda: files.rename("/a/f", "/b/f"))
    assert len(files.changes(since=before, path="/a")) == 1
    assert len(files.changes(since=before, path="/b")) == 1
    assert len(files.changes(since=before, path="/c")) == 0


def test_history_is_of_one_path_newest_first(files: FileSystem) -> None:
    write(files, "/a", b"1")
    write(files, "/ab", b"x")
    write(files, "/a", b"2")
    change(files, lambda: files.rename("/a", "/c"))
    assert [entry.action for entry in files.history("/a")] == ["rename", "write", "create"]
    assert [entry.action for entry in files.history("/a", limit=1, offset=1)] == ["write"]


def test_the_history_of_the_root_has_no_beginning(files: FileSystem) -> None:
    assert files.history("/") == []
    change(files, lambda: files.chmod("/", 0o700))
    assert [entry.action for entry in files.history("/")] == ["attributes"]


# Pruning.


@pytest.mark.parametrize("since", [0, 3, 7, 8])
def test_what_is_kept_is_found_from_any_revision(busy: FileSystem, since: int) -> None:
    with busy.transaction():
        collect(busy.store, busy.transaction, keep_revisions=3)
    found = {entry.revision for entry in busy.changes(since=since)}
    assert found == set(range(max(8, since + 1), 11))


def test_pruning_everything_leaves_no_part_of_a_revision(
    busy: FileSystem, open_files: Open
) -> None:
    for again in (busy, open_files()):
        with again.transaction():
            collect(again.store, again.transaction, keep_revisions=0)
        assert again.changes() == again.history("/b10") == again.history("/") == []
        assert space.usage(again.store).journal_rows == 0


def test_what_was_pruned_cannot_be_undone_by_half(busy: FileSystem) -> None:
    with busy.transaction():
        collect(busy.store, busy.transaction, keep_revisions=0)
    with pytest.raises(RangeError, match="only 0 changes"):
        change(busy, lambda: undo(busy, 1, session=None))
    write(busy, "/new")
    change(busy, lambda: undo(busy, 1, session=None))
    assert len(busy.names("/")) == 20


def test_pruning_everything_keeps_the_counters(busy: FileSystem, open_files: Open) -> None:
    inode = busy.stat("/b10").inode
    with busy.transaction():
        collect(busy.store, busy.transaction, keep_revisions=0)
    again = open_files()
    assert again.revision() == 10
    write(again, "/new", b"z")
    assert again.stat("/new").inode == inode + 1
    assert again.revision() == 11
    assert problems(again) == []


# The quota.


def test_a_file_that_fits_exactly_is_written(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10))
    write(files, "/a", b"0123456789")
    with pytest.raises(QuotaExceededError) as caught:
        write(files, "/b", b"x")
    assert caught.value.data == {"quota": 10, "used": 10, "needed": 1}


def test_what_is_removed_makes_room(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10))
    write(files, "/a", b"0123456789")
    write(files, "/a", b"01234")
    write(files, "/b", b"56789")
    change(files, lambda: files.unlink("/a"))
    write(files, "/c", b"01234")
    assert files.store.journal.live_bytes == 10


def test_a_second_name_takes_no_room_and_the_last_one_gives_it_back(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10))
    write(files, "/a", b"0123456789")
    change(files, lambda: files.link("/a", "/b"))
    change(files, lambda: files.unlink("/a"))
    with pytest.raises(QuotaExceededError):
        write(files, "/c", b"x")
    change(files, lambda: files.unlink("/b"))
    write(files, "/c", b"x")


def test_equal_files_count_each(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10))
    write(files, "/a", b"012345")
    with pytest.raises(QuotaExceededError):
        write(files, "/b", b"012345")


@pytest.mark.parametrize(
    "grow",
    [
        lambda files: files.append("/a", b"x"),
        lambda files: files.write_at("/a", 10, b"x"),
        lambda files: files.write_at("/new", 0, b"x"),
        lambda files: files.truncate("/a", 11),
        lambda files: files.copy_entry("/a", "/b"),
        lambda files: files.copy_tree("/d", "/e"),
        lambda files: files.overwrite_from("/a", "/empty"),
        lambda files: files.symlink("target", "/l"),
        lambda files: files.write("/new", iter([b"x"])),
    ],
)
def test_everything_that_grows_asks_the_quota(
    files: FileSystem, grow: Callable[[FileSystem], object]
) -> None:
    write(files, "/a", b"01234")
    write(files, "/d/f", b"56789")
    write(files, "/empty")
    change(files, lambda: files.set_quota(10))
    write(files, "/a", b"01234")
    before = files.revision()
    with pytest.raises(QuotaExceededError):
        change(files, lambda: grow(files))
    assert files.revision() == before
    assert problems(files) == []


def test_a_stream_over_the_quota_is_not_taken_to_its_end(files: FileSystem) -> None:
    change(files, lambda: files.set_quota(10_000))
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(QuotaExceededError):
        change(files, lambda: files.write("/a", endless()))  # type: ignore[arg-type]
    assert taken == 11
    assert files.names("/") == []


def test_the_quota_is_seen_by_every_process(open_files: Open) -> None:
    files, other = open_files(), open_files()
    other.names("/")
    change(files, lambda: files.set_quota(3))
    with pytest.raises(QuotaExceededError):
        write(other, "/a", b"1234")


def test_a_quota_below_what_is_there_lets_files_shrink(files: FileSystem) -> None:
    write(files, "/a", b"0123456789")
    change(files, lambda: files.set_quota(5))
    write(files, "/a", b"01234567")
    with pytest.raises(QuotaExceededError):
        write(files, "/a", b"012345678")
