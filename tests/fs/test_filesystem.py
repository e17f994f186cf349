from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.fs.workspaces import Clock, change, problems, write
from vshell.errors import (
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
    RangeError,
    ReadOnlyError,
    StaleError,
    SymlinkLoopError,
    TooLargeError,
)
from vshell.fs.content import EMPTY_HASH, hash_of
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import Written
from vshell.limits import CHUNK_BYTES, MAX_FILE_BYTES

Open = Callable[..., FileSystem]


@pytest.fixture(autouse=True)
def sound(files: FileSystem) -> Iterator[None]:
    """Whatever a test does, the database is sound at its end."""
    yield
    if not files.closed:
        assert problems(files) == []


# Writing.


def test_a_write_says_what_it_did(files: FileSystem) -> None:
    with files.transaction():
        first = files.write("/a", b"old")
    with files.transaction():
        second = files.write("/a", b"newer")
    assert first == Written("/a", True, None, hash_of(b"old"), 3, 1)
    assert second == Written("/a", False, hash_of(b"old"), hash_of(b"newer"), 5, 2)


def test_a_new_file_has_the_usual_mode_or_the_one_asked_for(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b""), lambda: files.write("/b", b"", mode=0o4755))
    assert (files.stat("/a").mode, files.stat("/b").mode) == (0o644, 0o4755)


def test_an_overwrite_keeps_mode_inode_and_links_unless_told_else(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b"1", mode=0o600), lambda: files.link("/a", "/b"))
    before = files.stat("/a")
    write(files, "/a", b"22")
    after = files.stat("/a")
    assert (after.mode, after.inode, after.nlink) == (0o600, before.inode, 2)
    change(files, lambda: files.write("/a", b"3", mode=0o640))
    assert files.stat("/b").mode == 0o640


def test_only_twelve_bits_of_a_mode_are_kept(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b"", mode=0o177777), lambda: files.mkdir("/d", mode=-1))
    assert files.stat("/a").mode == files.stat("/d").mode == 0o7777


def test_a_link_is_written_through(files: FileSystem) -> None:
    change(files, lambda: files.symlink("target", "/l"))
    with files.transaction():
        written = files.write("/l", b"text")
    assert written.path == "/target"
    assert files.readlink("/l") == "target"
    assert files.read("/target") == b"text"


def test_the_same_bytes_again_are_a_new_version(files: FileSystem) -> None:
    write(files, "/a", b"same")
    write(files, "/a", b"same")
    assert files.stat("/a").version == 2


@pytest.mark.parametrize("taken", ["/f", "/l", "/dangling", "/loop"])
def test_exist_ok_refuses_whatever_is_there(files: FileSystem, taken: str) -> None:
    write(files, "/f", b"kept")
    change(
        files,
        lambda: files.symlink("f", "/l"),
        lambda: files.symlink("nowhere", "/dangling"),
        lambda: files.symlink("loop", "/loop"),
    )
    with pytest.raises(ExistsError):
        change(files, lambda: files.write(taken, b"new", exist_ok=False))
    assert files.read("/f") == b"kept"
    assert not files.exists("/nowhere")


def test_parents_are_made_when_asked(files: FileSystem) -> None:
    with pytest.raises(NotFoundError):
        write(files, "/a/b/c", parents=False)
    write(files, "/a/b/c", b"x")
    assert files.stat("/a/b").mode == 0o755


def test_parents_are_made_through_links_and_back(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"), lambda: files.symlink("/d", "/l"))
    write(files, "/l/x/y/f", b"1")
    write(files, "/l/p/../q/f", b"2")
    assert files.read("/d/x/y/f") == b"1"
    assert files.read("/d/q/f") == b"2"
    assert files.names("/d") == ["q", "x"]


def test_parents_are_not_made_below_a_file(files: FileSystem) -> None:
    write(files, "/f")
    with pytest.raises(NotDirectoryError):
        write(files, "/f/a/b")


@pytest.mark.parametrize("path", ["/", "/d", "/to-d"])
def test_a_directory_is_not_written(files: FileSystem, path: str) -> None:
    change(files, lambda: files.mkdir("/d"), lambda: files.symlink("d", "/to-d"))
    works: list[Callable[[], object]] = [
        lambda: files.write(path, b"x"),
        lambda: files.append(path, b"x"),
        lambda: files.write_at(path, 0, b"x"),
        lambda: files.truncate(path, 0),
    ]
    for work in works:
        with pytest.raises(IsDirectoryError):
            change(files, work)


def test_a_version_that_is_expected_must_be_there(files: FileSystem) -> None:
    write(files, "/a", b"1")
    version = files.stat("/a").version
    change(files, lambda: files.write("/a", b"2", expected_version=version))
    with pytest.raises(StaleError) as caught:
        change(files, lambda: files.write("/a", b"3", expected_version=version))
    assert caught.value.data == {"expected": version, "actual": version + 1}
    assert files.read("/a") == b"2"


def test_version_zero_expects_no_file(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b"1", expected_version=0))
    with pytest.raises(StaleError):
        change(files, lambda: files.write("/a", b"2", expected_version=0))
    with pytest.raises(StaleError, match="does not exist any more") as caught:
        change(files, lambda: files.write("/b", b"2", expected_version=1))
    assert caught.value.data == {"expected": 1, "actual": 0}


def test_attributes_and_names_do_not_change_the_version(files: FileSystem) -> None:
    write(files, "/a", b"1")
    change(
        files,
        lambda: files.chmod("/a", 0o600),
        lambda: files.utime("/a", 5),
        lambda: files.rename("/a", "/b"),
        lambda: files.link("/b", "/c"),
    )
    assert files.stat("/b").version == 1


def test_append_adds_at_the_end_and_makes_the_file(files: FileSystem) -> None:
    change(files, lambda: files.append("/a", b"one"), lambda: files.append("/a", b"two"))
    assert files.read("/a") == b"onetwo"


def test_appending_grows_a_file_over_the_edge_of_a_row(files: FileSystem) -> None:
    data = os.urandom(CHUNK_BYTES - 1)
    write(files, "/a", data)
    for piece in (b"1", b"2", b"3"):
        change(files, lambda piece=piece: files.append("/a", piece))  # type: ignore[misc]
    assert files.read("/a") == data + b"123"
    assert files.stat("/a").hash == hash_of(data + b"123").hex()


def test_appending_nothing_makes_an_empty_file(files: FileSystem) -> None:
    change(files, lambda: files.append("/a", b""), lambda: files.write_at("/b", 5, b""))
    assert files.read("/a") == files.read("/b") == b""


def test_writing_nothing_leaves_a_file_as_it_is(files: FileSystem) -> None:
    write(files, "/a", b"text")
    before = files.stat("/a")
    with files.transaction():
        assert files.append("/a", b"") == Written(
            "/a", False, hash_of(b"text"), hash_of(b"text"), 4, 1
        )
        files.write_at("/a", 1 << 70, b"")
    assert files.stat("/a") == before


def test_writing_in_the_middle_and_behind_the_end(files: FileSystem) -> None:
    write(files, "/a", b"0123456789")
    change(files, lambda: files.write_at("/a", 3, b"abc"), lambda: files.write_at("/a", 12, b"z"))
    assert files.read("/a") == b"012abc6789\0\0z"


def test_truncate_cuts_and_fills(files: FileSystem) -> None:
    write(files, "/a", b"0123456789")
    change(files, lambda: files.truncate("/a", 4))
    assert files.read("/a") == b"0123"
    change(files, lambda: files.truncate("/a", 6))
    assert files.read("/a") == b"0123\0\0"
    change(files, lambda: files.truncate("/a", 0))
    assert files.stat("/a").hash == EMPTY_HASH.hex()
    with pytest.raises(NotFoundError):
        change(files, lambda: files.truncate("/missing", 0))


def test_negative_numbers_are_out_of_range(files: FileSystem) -> None:
    write(files, "/a", b"text")
    works: list[Callable[[], object]] = [
        lambda: files.write_at("/a", -1, b"x"),
        lambda: files.truncate("/a", -1),
        lambda: files.read("/a", -1),
        lambda: files.read("/a", 0, -1),
        lambda: files.utime("/a", 1 << 63),
        lambda: files.utime("/a", -(1 << 63) - 1),
    ]
    for work in works:
        with pytest.raises(RangeError):
            change(files, work)


def test_a_file_over_the_limit_is_too_large(files: FileSystem) -> None:
    write(files, "/a", b"text")
    works: list[Callable[[], object]] = [
        lambda: files.truncate("/a", MAX_FILE_BYTES + 1),
        lambda: files.write_at("/a", MAX_FILE_BYTES, b"x"),
        lambda: files.write_at("/a", 1 << 70, b"x"),
        lambda: files.write_at("/new", 1 << 70, b"x"),
    ]
    for work in works:
        with pytest.raises(TooLargeError):
            change(files, work)
    assert files.read("/a") == b"text"


# Reading.


def test_bytes_and_metadata_come_from_one_moment(files: FileSystem) -> None:
    write(files, "/a", b"text")
    data, stat = files.read_with_stat("/a")
    assert (data, stat) == (b"text", files.stat("/a"))


def test_pieces_are_the_file(files: FileSystem) -> None:
    data = os.urandom(2 * CHUNK_BYTES + 5)
    write(files, "/a", data)
    write(files, "/empty")
    assert b"".join(files.pieces("/a")) == data
    assert list(files.pieces("/empty")) == []


def test_many_files_are_read_at_once(files: FileSystem) -> None:
    for name in "abc":
        write(files, f"/{name}", name.encode())
    with files.reading():
        found = {entry.path: data for entry, data in files.read_many(files.walk_details("/"))}
    assert found == {"/a": b"a", "/b": b"b", "/c": b"c"}


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, None, b"0123"), (1, 2, b"12"), (3, 9, b"3"), (4, 1, b""), (99, None, b""), (0, 0, b"")],
)
def test_a_range_is_a_slice(
    files: FileSystem, offset: int, length: int | None, expected: bytes
) -> None:
    write(files, "/a", b"0123")
    for _ in range(2):  # from the rows, and from the cache
        assert files.read("/a", offset, length) == expected


def test_a_range_beyond_any_number_is_empty(files: FileSystem) -> None:
    write(files, "/a", b"x")
    write(files, "/large", bytes(2 * CHUNK_BYTES))
    assert files.read("/a", 1 << 70, 1 << 70) == files.read("/large", 1 << 70) == b""


def test_a_directory_has_no_bytes(files: FileSystem) -> None:
    for ask in (files.read, files.read_with_stat, lambda path: list(files.pieces(path))):
        with pytest.raises(IsDirectoryError):
            ask("/")


def test_readlink_wants_a_link(files: FileSystem) -> None:
    write(files, "/a")
    change(files, lambda: files.symlink("../a/./b//", "/l"))
    assert files.readlink("/l") == "../a/./b//"
    for path in ("/", "/a"):
        with pytest.raises(NotRegularError):
            files.readlink(path)


# Times.


def test_times_are_those_of_the_clock_that_was_passed_in(open_files: Open) -> None:
    clock = Clock(0)
    files = open_files(now=clock)
    write(files, "/a", b"1")
    created = clock.time_ns
    change(files, lambda: files.chmod("/a", 0o600))
    stat = files.stat("/a")
    assert (stat.mtime_ns, stat.ctime_ns) == (created, clock.time_ns)
    write(files, "/a", b"2")
    stat = files.stat("/a")
    assert stat.mtime_ns == stat.ctime_ns == clock.time_ns


def test_a_directory_s_time_is_that_of_its_last_entry(open_files: Open) -> None:
    clock = Clock(0)
    files = open_files(now=clock)
    change(files, lambda: files.mkdir("/d"))
    works: list[Callable[[], object]] = [
        lambda: files.write("/d/f", b""),
        lambda: files.mkdir("/d/e"),
        lambda: files.link("/d/f", "/d/g"),
        lambda: files.symlink("f", "/d/l"),
        lambda: files.rename("/d/g", "/d/h"),
        lambda: files.rename("/d/h", "/h"),
        lambda: files.copy_entry("/d/f", "/d/copy"),
        lambda: files.copy_tree("/d/e", "/d/e2"),
        lambda: files.remove_tree("/d/e2"),
        lambda: files.unlink("/d/f"),
        lambda: files.rmdir("/d/e"),
        lambda: files.remove_tree("/d/copy"),
    ]
    for work in works:
        change(files, work)
        assert files.stat("/d").mtime_ns == clock.time_ns
        assert files.stat("/d").ctime_ns == clock.time_ns
    write(files, "/d/f2")
    before = files.stat("/d")
    write(files, "/d/f2", b"content")
    assert files.stat("/d") == before


@pytest.mark.parametrize("time_ns", [0, -1, 1, (1 << 63) - 1, -(1 << 63)])
def test_any_time_of_64_bits_can_be_set(files: FileSystem, time_ns: int) -> None:
    write(files, "/a")
    change(files, lambda: files.utime("/a", time_ns))
    assert files.stat("/a").mtime_ns == time_ns


def test_attributes_go_through_a_link_unless_told_else(files: FileSystem) -> None:
    write(files, "/a")
    change(files, lambda: files.symlink("a", "/l"))
    change(files, lambda: files.utime("/l", 7), lambda: files.chmod("/l", 0o600))
    assert (files.stat("/a").mtime_ns, files.stat("/a").mode) == (7, 0o600)
    change(files, lambda: files.utime("/l", 9, follow=False))
    assert files.stat("/a").mtime_ns == 7
    assert files.stat("/l", follow=False).mtime_ns == 9
    assert files.stat("/l", follow=False).mode == 0o777


# Settings.


def test_a_setting_is_kept_and_removed(files: FileSystem, open_files: Open) -> None:
    other = open_files()
    assert other.setting("colour") is None
    change(files, lambda: files.set_setting("colour", "blue"), lambda: files.set_setting("n", 3))
    assert (other.setting("colour"), other.setting("n")) == ("blue", 3)
    change(files, lambda: files.set_setting("colour", None))
    assert other.setting("colour") is None


def test_vacuum_wants_no_transaction(files: FileSystem) -> None:
    with pytest.raises(ReadOnlyError):
        change(files, files.vacuum)
    files.vacuum()


def test_a_loop_is_an_error_for_everything_that_follows(files: FileSystem) -> None:
    change(files, lambda: files.symlink("loop", "/loop"))
    works: list[Callable[[], object]] = [
        lambda: files.write("/loop", b""),
        lambda: files.append("/loop", b""),
        lambda: files.truncate("/loop", 0),
        lambda: files.chmod("/loop", 0),
        lambda: files.mkdir("/loop/d", parents=True),
        lambda: files.read("/loop"),
        lambda: files.names("/loop"),
        lambda: files.realpath("/loop"),
    ]
    for work in works:
        with pytest.raises(SymlinkLoopError):
            change(files, work)
