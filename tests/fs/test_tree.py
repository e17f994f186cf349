from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fs.workspaces import change, opened, write
from vshell.errors import (
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
    SymlinkLoopError,
)
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import EntryDetails, EntryRow

Open = Callable[..., FileSystem]


def link(files: FileSystem, target: str, path: str) -> None:
    with files.transaction():
        files.symlink(target, path, parents=True)


# What a path leads to.


@pytest.mark.parametrize(
    ("asked", "real"),
    [
        ("/", "/"),
        ("/d", "/d"),
        ("/d/f", "/d/f"),
        ("/d/../d/f", "/d/f"),
        ("/..", "/"),
        ("/../../d", "/d"),
        ("/d/e/..", "/d"),
        ("/d/e/../..", "/"),
        ("/link", "/d/e"),
        ("/link/..", "/d"),
        ("/link/../f", "/d/f"),
        ("/d/up", "/"),
        ("/d/up/d/up/d/f", "/d/f"),
        ("/here/f", "/d/f"),
        ("/root/d/f", "/d/f"),
        ("/file-link", "/d/f"),
        ("/chain", "/d/f"),
        ("/absent/..", "/"),
        ("/absent/../d/f", "/d/f"),
        ("/d/absent/../f", "/d/f"),
    ],
)
def test_a_path_leads_through_links_and_back(files: FileSystem, asked: str, real: str) -> None:
    write(files, "/d/f", b"text")
    change(files, lambda: files.mkdir("/d/e"))
    for place, target in [
        ("/link", "d/e"),
        ("/d/up", ".."),
        ("/here", "./d/."),
        ("/root", "/"),
        ("/file-link", "/d/f"),
        ("/chain", "file-link"),
    ]:
        link(files, target, place)
    for _ in range(2):  # from the rows, and from the cache
        assert files.realpath(asked) == real
        assert files.stat(asked).inode == files.stat(real).inode


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("/absent", NotFoundError),
        ("/absent/f", NotFoundError),
        ("/absent/f/..", NotFoundError),
        ("/f/x", NotDirectoryError),
        ("/f/..", NotDirectoryError),
        ("/f/../f", NotDirectoryError),
        ("/dangling", NotFoundError),
        ("/dangling/x", NotFoundError),
        ("/loop", SymlinkLoopError),
        ("/loop/x", SymlinkLoopError),
        ("/link/x", NotDirectoryError),
    ],
)
def test_a_path_that_leads_nowhere_says_why(
    files: FileSystem, asked: str, error: type[Exception]
) -> None:
    write(files, "/f")
    for place, target in [("/dangling", "nowhere"), ("/loop", "loop"), ("/link", "f")]:
        link(files, target, place)
    for _ in range(2):
        with pytest.raises(error) as caught:
            files.stat(asked)
        assert getattr(caught.value, "filename", None) == asked


def test_a_missing_directory_is_named(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/a"))
    with pytest.raises(NotFoundError) as caught:
        files.stat("/a/b/c/d")
    assert caught.value.data == {"missing": "/a/b"}
    assert "/a/b does not exist" in str(caught.value.hint)


def test_forty_links_are_followed_and_forty_one_are_not(files: FileSystem) -> None:
    write(files, "/0", b"text")
    for index in range(1, 42):
        link(files, str(index - 1), f"/{index}")
    assert files.read("/40") == b"text"
    with pytest.raises(SymlinkLoopError):
        files.read("/41")


def test_links_in_all_segments_count_together(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"))
    link(files, ".", "/d/l")
    assert files.exists("/d" + "/l" * 40)
    with pytest.raises(SymlinkLoopError):
        files.stat("/d" + "/l" * 41)


def test_a_name_over_the_limit_is_not_reached_by_a_link(files: FileSystem) -> None:
    link(files, "x" * 256, "/link")
    with pytest.raises(NameTooLongError):
        files.stat("/link")
    with pytest.raises(NameTooLongError):
        change(files, lambda: files.write("/link", b"text"))
    assert files.names("/") == ["link"]


def test_lstat_is_of_the_link_and_stat_of_its_target(files: FileSystem) -> None:
    write(files, "/f", b"text")
    link(files, "f", "/l")
    for _ in range(2):
        assert files.stat("/l").kind == "file"
        assert files.stat("/l", follow=False).kind == "symlink"
        assert files.stat("/l", follow=False).size == 1


def test_a_link_in_the_middle_is_followed_by_lstat_too(files: FileSystem) -> None:
    write(files, "/d/f", b"text")
    link(files, "d", "/l")
    assert files.stat("/l/f", follow=False).inode == files.stat("/d/f").inode


@pytest.mark.parametrize("asked", ["/absent", "/f/x", "/dangling", "/loop"])
def test_what_leads_nowhere_does_not_exist(files: FileSystem, asked: str) -> None:
    write(files, "/f")
    link(files, "nowhere", "/dangling")
    link(files, "loop", "/loop")
    assert not files.exists(asked)
    assert files.exists(asked, follow=False) == (asked in ("/dangling", "/loop"))


# The caches show what is.


def test_a_name_that_was_taken_back_is_followed_once_it_is_a_link(open_files: Open) -> None:
    files = open_files()
    write(files, "/d/f", b"first")
    write(files, "/o/f", b"second")
    change(files, lambda: files.mkdir("/o/deep"))
    assert files.read("/d/absent/../f") == b"first"
    link(files, "/o/deep", "/d/absent")
    assert files.read("/d/absent/../f") == b"second"
    change(files, lambda: files.unlink("/d/absent"))
    assert files.read("/d/absent/../f") == b"first"


def test_a_name_that_was_taken_back_is_no_directory_once_it_is_a_file(files: FileSystem) -> None:
    write(files, "/f", b"text")
    assert files.read("/absent/../f") == b"text"
    write(files, "/absent")
    with pytest.raises(NotDirectoryError):
        files.read("/absent/../f")


def test_a_name_that_was_taken_back_is_followed_once_a_copy_has_it(files: FileSystem) -> None:
    write(files, "/d/f", b"text")
    assert files.realpath("/copy/../d") == "/d"
    change(files, lambda: files.copy_tree("/d", "/copy"))
    assert files.realpath("/copy/../d") == "/d"
    assert files.realpath("/copy") == "/copy"


def test_a_path_through_a_link_follows_where_the_link_leads_now(files: FileSystem) -> None:
    write(files, "/a/f", b"first")
    write(files, "/b/f", b"second")
    link(files, "a", "/l")
    assert files.read("/l/f") == b"first"
    change(files, lambda: files.unlink("/l"), lambda: files.symlink("b", "/l"))
    assert files.read("/l/f") == b"second"


def test_paths_below_a_directory_that_moved_are_known_by_their_new_names(
    files: FileSystem,
) -> None:
    write(files, "/a/b/f", b"text")
    link(files, "/a/b", "/l")
    assert files.read("/l/f") == files.read("/a/b/f") == b"text"
    change(files, lambda: files.rename("/a", "/c"))
    assert files.read("/c/b/f") == b"text"
    assert not files.exists("/a/b/f")
    assert not files.exists("/l/f")


def test_a_directory_in_place_of_a_removed_one_is_another(files: FileSystem) -> None:
    write(files, "/d/f", b"old")
    files.read("/d/f")
    inode = files.stat("/d").inode
    change(files, lambda: files.remove_tree("/d"), lambda: files.mkdir("/d"))
    assert not files.exists("/d/f")
    assert files.stat("/d").inode != inode


def test_a_file_in_place_of_another_shows_its_own_content(files: FileSystem) -> None:
    write(files, "/a", b"first")
    write(files, "/b", b"second")
    files.read("/a")
    change(files, lambda: files.rename("/b", "/a"))
    assert files.read("/a") == b"second"
    assert not files.exists("/b")


def test_every_name_of_a_file_shows_a_write_by_another_name(files: FileSystem) -> None:
    write(files, "/a", b"first")
    change(files, lambda: files.link("/a", "/b"))
    assert files.stat("/a").nlink == files.stat("/b").nlink == 2
    write(files, "/a", b"second")
    assert files.read("/b") == b"second"
    assert files.stat("/b").size == 6


def test_a_stat_that_is_kept_is_the_one_that_is_true(files: FileSystem) -> None:
    write(files, "/a", b"1")
    first = files.stat("/a")
    assert files.stat("/a") is first
    change(files, lambda: files.chmod("/a", 0o600))
    assert files.stat("/a").mode == 0o600


def test_the_caches_do_not_grow_without_end(
    files: FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vshell.fs.resolving._MAX_CACHED_PATHS", 50)
    monkeypatch.setattr("vshell.fs.resolving._MAX_CACHED_BYTES", 1000)
    link(files, "/", "/l")
    change(files, lambda: [files.write(f"/{index}", b"%099d" % index) for index in range(300)])
    for index in range(300):
        assert files.read(f"/l/{index}") == b"%099d" % index
    tree = files.store.tree
    assert max(len(tree.paths), len(tree.aliases), len(tree.inodes)) <= 53
    assert sum(len(data) for data in tree._contents.values()) <= 1000


def test_large_content_is_not_kept_at_hand(files: FileSystem) -> None:
    write(files, "/a", bytes(100_000))
    files.read("/a")
    assert sum(len(data) for data in files.store.tree._contents.values()) == 0


# Listing.


def test_a_directory_is_listed_in_the_order_of_its_bytes(files: FileSystem) -> None:
    names = ["b", "a", "B", "é", "\udcff", "a.", "a0", "~", "\U0001f600", "\uffff"]
    for name in names:
        write(files, f"/{name}")
    expected = sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))
    entries, total = files.list_directory("/")
    assert files.names("/") == [entry.path[1:] for entry in entries] == expected
    assert total == len(names)


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [(-1, 0, "abcde"), (2, 0, "ab"), (2, 3, "de"), (9, 4, "e"), (5, 5, ""), (0, 0, ""), (0, 2, "")],
)
def test_a_page_of_a_directory_knows_the_whole(
    files: FileSystem, limit: int, offset: int, expected: str
) -> None:
    for name in "abcde":
        write(files, f"/d/{name}")
    entries, total = files.list_directory("/d", limit=limit, offset=offset)
    assert ("".join(entry.path[-1] for entry in entries), total) == (expected, 5)


def test_an_entry_says_what_stat_says(files: FileSystem) -> None:
    write(files, "/d/f", b"text")
    link(files, "f", "/d/l")
    change(files, lambda: files.mkdir("/d/e", mode=0o700))
    entries, _ = files.list_directory("/d")
    kinds = {1: "file", 2: "directory", 3: "symlink"}
    for entry in entries:
        stat = files.stat(entry.path, follow=False)
        assert (entry.inode, kinds[entry.kind], entry.size, entry.mode, entry.mtime_ns) == (
            stat.inode,
            stat.kind,
            stat.size,
            stat.mode,
            stat.mtime_ns,
        )


def test_only_a_directory_is_listed(files: FileSystem) -> None:
    write(files, "/f")
    for ask in (files.names, files.list_directory, files.walk, files.walk_details):
        with pytest.raises(NotDirectoryError):
            ask("/f")
        with pytest.raises(NotFoundError):
            ask("/absent")


# Walking.


@pytest.fixture
def grown(files: FileSystem) -> FileSystem:
    """A small tree with everything that a walk can meet."""
    for path in ["/a/b/c/f.py", "/a/b/g.txt", "/a/h.py", "/i.py", "/z/\udcff.py"]:
        write(files, path)
    link(files, "/a", "/z/link")
    change(files, lambda: files.mkdir("/hollow.py"))
    return files


def _sorted(entries: list[EntryRow] | list[EntryDetails]) -> list[str]:
    return sorted(entry.path for entry in entries)


def test_a_walk_meets_everything_once_and_follows_no_link(grown: FileSystem) -> None:
    expected = [
        "/a",
        "/a/b",
        "/a/b/c",
        "/a/b/c/f.py",
        "/a/b/g.txt",
        "/a/h.py",
        "/hollow.py",
        "/i.py",
        "/z",
        "/z/link",
        "/z/\udcff.py",
    ]
    assert _sorted(grown.walk("/")) == expected
    assert _sorted(grown.walk_details("/")) == expected


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, []),
        (1, ["/a/b", "/a/h.py"]),
        (2, ["/a/b", "/a/b/c", "/a/b/g.txt", "/a/h.py"]),
        (3, ["/a/b", "/a/b/c", "/a/b/c/f.py", "/a/b/g.txt", "/a/h.py"]),
        (None, ["/a/b", "/a/b/c", "/a/b/c/f.py", "/a/b/g.txt", "/a/h.py"]),
    ],
)
def test_a_walk_goes_as_deep_as_asked(
    grown: FileSystem, depth: int | None, expected: list[str]
) -> None:
    assert _sorted(grown.walk("/a", max_depth=depth)) == expected
    assert _sorted(grown.walk_details("/a", max_depth=depth)) == expected


def test_a_walk_through_a_link_has_real_paths(grown: FileSystem) -> None:
    assert _sorted(grown.walk("/z/link", max_depth=1)) == ["/a/b", "/a/h.py"]


@pytest.mark.parametrize(
    ("suffixes", "expected"),
    [
        ([".py"], ["/a/b/c/f.py", "/a/h.py", "/hollow.py", "/i.py", "/z/\udcff.py"]),
        (
            [".py", ".txt"],
            ["/a/b/c/f.py", "/a/b/g.txt", "/a/h.py", "/hollow.py", "/i.py", "/z/\udcff.py"],
        ),
        (["\udcff.py"], ["/z/\udcff.py"]),
        (["longer than any name"], []),
        ([], []),
    ],
)
def test_a_walk_by_suffix_has_those_files_and_all_directories(
    grown: FileSystem, suffixes: list[str], expected: list[str]
) -> None:
    directories = {"/a", "/a/b", "/a/b/c", "/hollow.py", "/z"}
    found = _sorted(grown.walk("/", suffixes=suffixes))
    assert found == sorted(directories.union(expected))


def test_an_empty_suffix_is_the_end_of_every_name(grown: FileSystem) -> None:
    assert _sorted(grown.walk("/", suffixes=[".txt", ""])) == _sorted(grown.walk("/"))


def test_a_walk_is_one_statement(grown: FileSystem) -> None:
    grown.names("/")
    with grown.store.database.count_statements() as statements:
        grown.walk("/")
        grown.walk_details("/")
    assert len(statements) == 2


def test_walk_and_walk_details_agree(grown: FileSystem) -> None:
    rows = {(row.path, row.inode, row.kind) for row in grown.walk("/")}
    details = {(row.path, row.inode, row.kind) for row in grown.walk_details("/")}
    assert rows == details


# A cache never says what the rows do not.

_NAMES = st.sampled_from(["a", "b", "c"])
_PATHS = st.lists(_NAMES | st.just(".."), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
_STEPS = st.tuples(
    st.sampled_from(["mkdir", "write", "symlink", "rename", "remove", "link", "look"]),
    _PATHS,
    _PATHS,
)


def _step(files: FileSystem, kind: str, path: str, other: str) -> None:
    actions: dict[str, Callable[[], object]] = {
        "mkdir": lambda: files.mkdir(path),
        "write": lambda: files.write(path, other.encode()),
        "symlink": lambda: files.symlink(other, path),
        "rename": lambda: files.rename(path, other),
        "remove": lambda: files.remove_tree(path),
        "link": lambda: files.link(path, other),
        "look": lambda: files.stat(path),
    }
    try:
        change(files, actions[kind])
    except OSError:
        pass
    except ValueError:
        pass  # moved into itself


def _answer(files: FileSystem, path: str) -> object:
    try:
        stat = files.stat(path)
        real = files.realpath(path)
        return stat, real, files.names(path) if stat.kind == "directory" else files.read(path)
    except OSError as error:
        return type(error)


@given(steps=st.lists(_STEPS, max_size=25), asked=st.lists(_PATHS, min_size=1, max_size=5))
@settings(max_examples=100)
def test_what_the_caches_say_is_what_a_new_connection_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]], asked: list[str]
) -> None:
    database = tmp_path_factory.mktemp("caches") / "agent.db"
    files = FileSystem(str(database))
    try:
        for kind, path, other in steps:
            _step(files, kind, path, other)
            for question in (path, other, *asked):
                _answer(files, question)  # fills the caches
        with opened(database) as fresh:
            for question in asked:
                assert _answer(files, question) == _answer(fresh, question)
    finally:
        files.close()
