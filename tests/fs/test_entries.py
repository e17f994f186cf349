"""Making, linking, renaming, copying and removing entries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.fs.workspaces import change, problems, snapshot, write
from vshell.errors import (
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
    PermissionDeniedError,
)
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES

Open = Callable[..., FileSystem]


@pytest.fixture(autouse=True)
def sound(files: FileSystem) -> Iterator[None]:
    """Whatever a test does, the database is sound at its end."""
    yield
    if not files.closed:
        assert problems(files) == []


# Directories.


def test_mkdir_says_whether_it_is_new(files: FileSystem) -> None:
    with files.transaction():
        assert files.mkdir("/d", mode=0o700) is True
        assert files.mkdir("/d", exist_ok=True) is False
    assert files.stat("/d").mode == 0o700


@pytest.mark.parametrize("exist_ok", [False, True])
@pytest.mark.parametrize("taken", ["/f", "/to-f", "/dangling", "/loop"])
def test_mkdir_refuses_what_is_no_directory(files: FileSystem, taken: str, exist_ok: bool) -> None:
    write(files, "/f")
    change(
        files,
        lambda: files.symlink("f", "/to-f"),
        lambda: files.symlink("nowhere", "/dangling"),
        lambda: files.symlink("loop", "/loop"),
    )
    with pytest.raises(ExistsError):
        change(files, lambda: files.mkdir(taken, exist_ok=exist_ok))


def test_mkdir_accepts_a_link_to_a_directory_when_asked(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"), lambda: files.symlink("d", "/l"))
    change(files, lambda: files.mkdir("/l", exist_ok=True))
    with pytest.raises(ExistsError):
        change(files, lambda: files.mkdir("/l"))


def test_the_root_is_there_and_stays(files: FileSystem) -> None:
    works: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: files.mkdir("/"), ExistsError),
        (lambda: files.rmdir("/"), PermissionDeniedError),
        (lambda: files.unlink("/"), IsDirectoryError),
        (lambda: files.rename("/", "/x"), PermissionDeniedError),
        (lambda: files.symlink("x", "/"), ExistsError),
        (lambda: files.copy_tree("/", "/x"), InvalidPathError),
    ]
    for work, error in works:
        with pytest.raises(error):
            change(files, work)
    change(files, lambda: files.mkdir("/", exist_ok=True))
    change(files, lambda: files.mkdir("/d"))
    with pytest.raises(PermissionDeniedError):
        change(files, lambda: files.rename("/d", "/"))


def test_a_directory_counts_the_directories_in_it(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/a"), lambda: files.mkdir("/b"))
    change(files, lambda: files.mkdir("/a/c"), lambda: files.write("/a/f", b""))
    assert (files.stat("/").nlink, files.stat("/a").nlink, files.stat("/b").nlink) == (4, 3, 2)
    change(files, lambda: files.rename("/a/c", "/b/c"))
    assert (files.stat("/a").nlink, files.stat("/b").nlink) == (2, 3)
    change(files, lambda: files.rmdir("/b/c"))
    assert files.stat("/b").nlink == 2


def test_rmdir_wants_an_empty_directory(files: FileSystem) -> None:
    write(files, "/d/f")
    change(files, lambda: files.symlink("d", "/l"))
    for path, error in [
        ("/d", NotEmptyError),
        ("/d/f", NotDirectoryError),
        ("/l", NotDirectoryError),
    ]:
        with pytest.raises(error):
            change(files, lambda path=path: files.rmdir(path))  # type: ignore[misc]


# Links.


def test_a_hard_link_is_the_same_file(files: FileSystem) -> None:
    write(files, "/a", b"text")
    change(files, lambda: files.link("/a", "/d/b", parents=True))
    assert files.stat("/a").inode == files.stat("/d/b").inode
    change(files, lambda: files.unlink("/a"))
    assert files.read("/d/b") == b"text"
    assert files.stat("/d/b").nlink == 1


def test_a_hard_link_to_a_link_is_the_link(files: FileSystem) -> None:
    change(files, lambda: files.symlink("nowhere", "/l"), lambda: files.link("/l", "/m"))
    assert files.readlink("/m") == "nowhere"
    assert files.stat("/l", follow=False).nlink == 2


def test_a_directory_has_one_name(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"))
    with pytest.raises(PermissionDeniedError):
        change(files, lambda: files.link("/d", "/e"))


@pytest.mark.parametrize("taken", ["/f", "/d", "/dangling"])
def test_links_replace_nothing(files: FileSystem, taken: str) -> None:
    write(files, "/f")
    change(files, lambda: files.mkdir("/d"), lambda: files.symlink("nowhere", "/dangling"))
    with pytest.raises(ExistsError):
        change(files, lambda: files.link("/f", taken))
    with pytest.raises(ExistsError):
        change(files, lambda: files.symlink("f", taken))


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("", NotFoundError),
        ("a\0b", InvalidPathError),
        (chr(0xD800), InvalidPathError),
        ("x" * 4097, NameTooLongError),
    ],
)
def test_what_can_be_no_target_is_refused(
    files: FileSystem, target: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        change(files, lambda: files.symlink(target, "/l"))
    assert files.names("/") == []


@pytest.mark.parametrize("target", ["x" * 4096, "\udcff", "/", " ", "a\nb", "../../.."])
def test_any_other_text_is_a_target(files: FileSystem, target: str) -> None:
    change(files, lambda: files.symlink(target, "/l"))
    assert files.readlink("/l") == target


# Renaming.


def test_overwrite_false_replaces_nothing_not_even_itself(files: FileSystem) -> None:
    write(files, "/a", b"a")
    change(files, lambda: files.link("/a", "/b"), lambda: files.mkdir("/d"))
    for path in ("/a", "/b", "/d"):
        with pytest.raises(ExistsError):
            change(files, lambda path=path: files.rename("/a", path, overwrite=False))  # type: ignore[misc]
    change(files, lambda: files.rename("/a", "/new", overwrite=False))
    assert files.names("/") == ["b", "d", "new"]


def test_a_file_that_would_replace_a_directory_is_told_where_to_go(files: FileSystem) -> None:
    write(files, "/a")
    change(files, lambda: files.mkdir("/d"))
    with pytest.raises(IsDirectoryError) as caught:
        change(files, lambda: files.rename("/a", "/d"))
    assert "/d/a" in str(caught.value.hint)


def test_a_directory_moves_to_a_place_that_only_looks_as_if_it_were_inside(
    files: FileSystem,
) -> None:
    change(files, lambda: files.mkdir("/d"), lambda: files.mkdir("/o"))
    change(files, lambda: files.symlink("/o", "/d/l"))
    change(files, lambda: files.rename("/d", "/d/../e"))
    assert files.names("/") == ["e", "o"]
    change(files, lambda: files.rename("/e", "/e/l/moved"))
    assert files.names("/o") == ["moved"]


@pytest.mark.parametrize("place", ["/d/x", "/d/e/x", "/l/x", "/d/../d/x", "/d/e", "/d/new/x"])
def test_a_directory_does_not_move_or_copy_into_itself(files: FileSystem, place: str) -> None:
    change(
        files,
        lambda: files.mkdir("/d/e", parents=True),
        lambda: files.symlink("d/e", "/l"),
    )
    before = snapshot(files)
    with pytest.raises(InvalidPathError, match="itself"):
        change(files, lambda: files.rename("/d", place, parents=True))
    with pytest.raises((InvalidPathError, ExistsError)):
        change(files, lambda: files.copy_tree("/d", place, parents=True))
    assert snapshot(files) == before


def test_rename_makes_parents_when_asked(files: FileSystem) -> None:
    write(files, "/a", b"x")
    with pytest.raises(NotFoundError):
        change(files, lambda: files.rename("/a", "/p/q/a"))
    change(files, lambda: files.rename("/a", "/p/q/a", parents=True))
    assert files.read("/p/q/a") == b"x"


def test_a_moved_directory_takes_everything_along(files: FileSystem) -> None:
    write(files, "/a/b/f", b"x")
    write(files, "/a/g", b"y")
    inode = files.stat("/a/b/f").inode
    change(files, lambda: files.rename("/a", "/new/place", parents=True))
    assert files.read("/new/place/b/f") == b"x"
    assert files.stat("/new/place/b/f").inode == inode
    assert files.names("/") == ["new"]


# Copying single entries.


def test_a_copy_is_a_file_of_its_own(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b"text", mode=0o600), lambda: files.utime("/a", 7))
    change(files, lambda: files.copy_entry("/a", "/p/b", parents=True))
    change(files, lambda: files.copy_entry("/a", "/c", preserve=True))
    assert files.read("/p/b") == b"text"
    assert files.stat("/p/b").mode == 0o600
    assert (files.stat("/p/b").mtime_ns != 7, files.stat("/c").mtime_ns) == (True, 7)
    write(files, "/p/b", b"changed")
    assert files.read("/a") == b"text"


def test_a_copied_link_is_a_link(files: FileSystem) -> None:
    change(files, lambda: files.symlink("nowhere", "/l"))
    change(files, lambda: files.copy_entry("/l", "/m"))
    assert files.readlink("/m") == "nowhere"


def test_a_copy_of_one_entry_replaces_nothing_and_takes_no_directory(files: FileSystem) -> None:
    write(files, "/a")
    change(files, lambda: files.mkdir("/d"))
    with pytest.raises(ExistsError):
        change(files, lambda: files.copy_entry("/a", "/d"))
    with pytest.raises(IsDirectoryError):
        change(files, lambda: files.copy_entry("/d", "/e"))


def test_copied_content_is_stored_once(files: FileSystem) -> None:
    write(files, "/a", os.urandom(3 * CHUNK_BYTES))
    change(files, lambda: files.copy_entry("/a", "/b"))
    count = files.store.database.row("select count(*) from chunk")
    assert count == (3,)
    assert files.read("/a") == files.read("/b")


def test_overwriting_from_another_file_keeps_the_target(files: FileSystem) -> None:
    change(files, lambda: files.write("/a", b"new"), lambda: files.write("/b", b"old", mode=0o600))
    inode = files.stat("/b").inode
    change(files, lambda: files.overwrite_from("/a", "/b"))
    assert files.read("/b") == b"new"
    assert (files.stat("/b").inode, files.stat("/b").mode) == (inode, 0o600)
    with pytest.raises(IsDirectoryError):
        change(files, lambda: files.overwrite_from("/", "/b"))


# Removing.


@pytest.mark.parametrize("path", ["/d", "/"])
def test_unlink_removes_no_directory(files: FileSystem, path: str) -> None:
    change(files, lambda: files.mkdir("/d"))
    with pytest.raises(IsDirectoryError):
        change(files, lambda: files.unlink(path))


def test_unlink_removes_the_link_and_not_its_target(files: FileSystem) -> None:
    write(files, "/a", b"x")
    change(files, lambda: files.symlink("a", "/l"), lambda: files.symlink("loop", "/loop"))
    change(files, lambda: files.unlink("/l"), lambda: files.unlink("/loop"))
    assert files.names("/") == ["a"]
    with pytest.raises(NotFoundError):
        change(files, lambda: files.unlink("/l"))


def test_no_inode_number_is_given_twice(files: FileSystem) -> None:
    seen = set()
    for index in range(20):
        write(files, "/a", b"%d" % index)
        seen.add(files.stat("/a").inode)
        change(files, lambda: files.unlink("/a"))
    assert len(seen) == 20
