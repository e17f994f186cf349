from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fs.workspaces import change, problems, snapshot, write
from vshell.errors import (
    ExistsError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
)
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES


@pytest.fixture(autouse=True)
def sound(files: FileSystem) -> Iterator[None]:
    yield
    assert problems(files) == []


@pytest.fixture
def grown(files: FileSystem) -> FileSystem:
    """A tree with links of both sorts, inside and out."""
    write(files, "/t/a/one", b"1")
    write(files, "/t/a/b/two", b"22")
    write(files, "/t/large", bytes(2 * CHUNK_BYTES + 1))
    write(files, "/t/\udcff\n", b"")
    write(files, "/outside", b"out")
    change(
        files,
        lambda: files.mkdir("/t/hollow", mode=0o700),
        lambda: files.link("/t/a/one", "/t/a/b/one-inside"),
        lambda: files.link("/t/a/b/two", "/two-outside"),
        lambda: files.link("/outside", "/t/out-inside"),
        lambda: files.symlink("../outside", "/t/relative"),
        lambda: files.symlink("/t/a", "/t/absolute"),
        lambda: files.symlink("nowhere", "/t/dangling"),
    )
    return files


# Removing.


def test_a_tree_goes_with_all_that_is_in_it(grown: FileSystem) -> None:
    count = len(grown.walk("/t"))
    with grown.transaction():
        assert grown.remove_tree("/t") == count + 1
    assert grown.names("/") == ["outside", "two-outside"]
    assert grown.stat("/").nlink == 2


def test_a_file_keeps_its_names_outside_the_tree(grown: FileSystem) -> None:
    change(grown, lambda: grown.remove_tree("/t"))
    assert grown.read("/two-outside") == b"22"
    assert grown.read("/outside") == b"out"
    assert grown.stat("/two-outside").nlink == grown.stat("/outside").nlink == 1


def test_what_is_freed_is_what_has_no_name_left(grown: FileSystem) -> None:
    change(grown, lambda: grown.remove_tree("/t"))
    assert grown.store.journal.live_bytes == len(b"22") + len(b"out")


def test_links_out_of_a_tree_are_not_followed(grown: FileSystem) -> None:
    write(grown, "/kept/f", b"x")
    change(grown, lambda: grown.symlink("/kept", "/t/to-kept"))
    change(grown, lambda: grown.remove_tree("/t"))
    assert grown.read("/kept/f") == b"x"


def test_removing_a_link_removes_the_link(grown: FileSystem) -> None:
    with grown.transaction():
        assert grown.remove_tree("/t/absolute") == 1
    assert grown.exists("/t/a/one")


def test_removing_a_file_removes_the_file(grown: FileSystem) -> None:
    with grown.transaction():
        assert grown.remove_tree("/t/a/one") == 1
    assert grown.stat("/t/a/b/one-inside").nlink == 1


def test_the_root_is_not_removed(grown: FileSystem) -> None:
    before = snapshot(grown)
    with pytest.raises(PermissionDeniedError):
        change(grown, lambda: grown.remove_tree("/"))
    assert snapshot(grown) == before


def test_what_was_removed_is_recorded_from_the_bottom_up(grown: FileSystem) -> None:
    below = {entry.path for entry in grown.walk("/t")}
    before = grown.revision()
    change(grown, lambda: grown.remove_tree("/t"))
    paths = [entry.path for entry in grown.changes(since=before)]
    assert set(paths) == below | {"/t"}
    assert len(paths) == len(below) + 1
    for index, path in enumerate(paths):
        assert not any(later.startswith(path + "/") for later in paths[index + 1 :])


def test_nothing_there_is_not_found(files: FileSystem) -> None:
    with pytest.raises(NotFoundError):
        change(files, lambda: files.remove_tree("/missing"))


# Copying.


def test_a_copy_has_what_the_tree_has(grown: FileSystem) -> None:
    with grown.transaction():
        assert grown.copy_tree("/t", "/p/copy", parents=True) == len(grown.walk("/t")) + 1
    original = {
        path.removeprefix("/t"): (kind, mode, content)
        for path, (kind, mode, _, content) in snapshot(grown, "/t").items()
    }
    copy = {
        path.removeprefix("/p/copy"): (kind, mode, content)
        for path, (kind, mode, _, content) in snapshot(grown, "/p/copy").items()
    }
    assert copy == original
    assert grown.stat("/p/copy").nlink == grown.stat("/t").nlink


def test_hard_links_inside_the_tree_are_links_in_the_copy(grown: FileSystem) -> None:
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    one, inside = grown.stat("/c/a/one"), grown.stat("/c/a/b/one-inside")
    assert one.inode == inside.inode != grown.stat("/t/a/one").inode
    assert one.nlink == 2


def test_hard_links_out_of_the_tree_are_cut_in_the_copy(grown: FileSystem) -> None:
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    assert grown.stat("/c/a/b/two").nlink == 1
    assert grown.stat("/two-outside").nlink == 2
    assert grown.stat("/c/out-inside").nlink == 1


def test_a_copy_and_its_original_change_apart(grown: FileSystem) -> None:
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    write(grown, "/c/a/one", b"changed")
    change(grown, lambda: grown.unlink("/c/a/b/two"))
    assert grown.read("/t/a/one") == b"1"
    assert grown.read("/t/a/b/two") == b"22"
    assert grown.read("/c/a/b/one-inside") == b"changed"


def test_a_copy_stores_no_content(grown: FileSystem) -> None:
    count = "select (select count(*) from content) + (select count(*) from chunk)"
    before = grown.store.database.row(count)
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    assert grown.store.database.row(count) == before


@pytest.mark.parametrize("preserve", [False, True])
def test_times_are_kept_when_asked(grown: FileSystem, preserve: bool) -> None:
    change(grown, lambda: grown.utime("/t/a/one", 7), lambda: grown.utime("/t", 9))
    change(grown, lambda: grown.copy_tree("/t", "/c", preserve=preserve))
    kept = (grown.stat("/c/a/one").mtime_ns == 7, grown.stat("/c").mtime_ns == 9)
    assert kept == (preserve, preserve)


def test_a_copy_counts_in_full(grown: FileSystem) -> None:
    size = sum({entry.inode: entry.size for entry in grown.walk_details("/t")}.values())
    before = grown.store.journal.live_bytes
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    assert grown.store.journal.live_bytes == before + size


def test_a_copy_that_does_not_fit_changes_nothing(grown: FileSystem) -> None:
    change(grown, lambda: grown.set_quota(grown.store.journal.live_bytes + 1000))
    before, revision = snapshot(grown), grown.revision()
    with pytest.raises(QuotaExceededError):
        change(grown, lambda: grown.copy_tree("/t", "/c"))
    assert (snapshot(grown), grown.revision()) == (before, revision)


def test_a_copy_is_recorded_from_the_top_down(grown: FileSystem) -> None:
    before = grown.revision()
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    changes = grown.changes(since=before)
    assert {entry.action for entry in changes} == {"create"}
    paths = [entry.path for entry in changes]
    assert set(paths) == {"/c"} | {entry.path for entry in grown.walk("/c")}
    seen = {""}
    for path in paths:
        assert path.rpartition("/")[0] in seen
        seen.add(path)


def test_a_file_in_the_copy_has_the_version_of_the_copy(grown: FileSystem) -> None:
    change(grown, lambda: grown.copy_tree("/t", "/c"))
    assert grown.stat("/c/a/one").version == grown.revision()


def test_a_link_to_a_directory_is_copied_as_the_directory(grown: FileSystem) -> None:
    change(grown, lambda: grown.copy_tree("/t/absolute", "/c"))
    assert grown.read("/c/one") == b"1"


def test_a_copy_replaces_nothing(grown: FileSystem) -> None:
    change(grown, lambda: grown.mkdir("/taken"))
    with pytest.raises(ExistsError):
        change(grown, lambda: grown.copy_tree("/t", "/taken"))


def test_only_a_directory_is_copied_so(grown: FileSystem) -> None:
    with pytest.raises(NotDirectoryError):
        change(grown, lambda: grown.copy_tree("/outside", "/c"))


def test_trees_cost_statements_by_kind_of_row_and_not_by_file(files: FileSystem) -> None:
    kinds = []
    for size in (3, 300):
        for index in range(size):
            write(files, f"/t/{index}")
        with files.store.database.count_statements() as copying:
            change(files, lambda: files.copy_tree("/t", "/c"))
        with files.store.database.count_statements() as removing:
            change(files, lambda: files.remove_tree("/t"), lambda: files.remove_tree("/c"))
        # A statement that is run for many rows is counted for each, so its text tells it.
        kinds.append((len(set(copying.statements)), len(set(removing.statements))))
    assert kinds[0] == kinds[1]
