"""What files do, claim by claim, in a workspace and in a real directory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.backends import Backend, Outcome, Status, outcome, same_files, tree

OK = Outcome(None, None)


def error(work: Callable[[], object]) -> str | None:
    return outcome(work).error


# Names.


@pytest.mark.parametrize(
    "name",
    ["a" * 255, "é" * 127, "\udcff", "\udc80\udcfe", "a\nb", " ", "~", "...", "..a", "\\", "-"],
)
def test_any_bytes_but_slash_and_nul_are_a_name(backend: Backend, name: str) -> None:
    backend.write(f"/{name}", b"text")
    assert backend.listdir("/") == [name]
    assert backend.read(f"/{name}") == b"text"


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128])
def test_a_name_of_256_bytes_is_too_long(backend: Backend, name: str) -> None:
    assert error(lambda: backend.stat(f"/{name}")) == "ENAMETOOLONG"
    assert error(lambda: backend.read(f"/{name}")) == "ENAMETOOLONG"
    assert error(lambda: backend.mkdir(f"/{name}")) == "ENAMETOOLONG"
    assert error(lambda: backend.unlink(f"/{name}")) == "ENAMETOOLONG"
    assert error(lambda: backend.stat(f"/{name}/below")) == "ENAMETOOLONG"
    assert backend.listdir("/") == []


def test_a_name_over_the_limit_is_not_reached_by_a_link(backend: Backend) -> None:
    backend.symlink("a" * 256, "/l")
    assert error(lambda: backend.write("/l", b"")) == "ENAMETOOLONG"
    assert error(lambda: backend.stat("/l")) == "ENAMETOOLONG"
    assert backend.lstat("/l").size == 256


def test_names_are_in_the_order_of_their_bytes(backend: Backend) -> None:
    for name in ["b", "B", "a", "é", "\udcff", "a.b", "ab", "\uffff", "\U0001f600"]:
        backend.write(f"/{name}", b"")
    assert backend.listdir("/") == [
        "B", "a", "a.b", "ab", "b", "é", "\uffff", "\U0001f600", "\udcff",
    ]  # fmt: skip


def test_slashes_and_dots_mean_nothing(backend: Backend) -> None:
    backend.mkdir("/d")
    backend.write("//d/./f", b"text")
    assert backend.read("/./d//./f") == b"text"
    assert backend.listdir("/d/") == ["f"]
    assert backend.realpath("/d/.//f") == "/d/f"


# Reading and writing.


def test_a_write_replaces_what_was_there(backend: Backend) -> None:
    backend.write("/a", b"a longer text")
    backend.write("/a", b"short")
    assert backend.read("/a") == b"short"
    assert backend.stat("/a") == Status("file", 5, 0o644, 1)


def test_an_append_adds_at_the_end(backend: Backend) -> None:
    backend.append("/a", b"one")
    backend.append("/a", b"two")
    assert backend.read("/a") == b"onetwo"


@pytest.mark.parametrize("offset", [0, 2, 5, 9])
def test_a_pwrite_overwrites_and_fills_gaps_with_zeros(backend: Backend, offset: int) -> None:
    backend.write("/a", b"01234")
    backend.pwrite("/a", offset, b"xyz")
    expected = bytearray(b"01234".ljust(offset, b"\0"))
    expected[offset : offset + 3] = b"xyz"
    assert backend.read("/a") == expected


def test_a_pwrite_makes_the_file(backend: Backend) -> None:
    backend.pwrite("/a", 3, b"x")
    assert backend.read("/a") == b"\0\0\0x"


def test_a_pwrite_of_nothing_fills_no_gap(backend: Backend) -> None:
    backend.write("/a", b"text")
    backend.pwrite("/a", 100, b"")
    assert backend.read("/a") == b"text"


def test_truncate_cuts_and_fills(backend: Backend) -> None:
    backend.write("/a", b"01234")
    backend.truncate("/a", 2)
    backend.truncate("/a", 4)
    assert backend.read("/a") == b"01\0\0"
    assert error(lambda: backend.truncate("/missing", 0)) == "ENOENT"


@pytest.mark.parametrize(
    ("offset", "length", "expected"), [(0, 2, b"01"), (3, 9, b"34"), (5, 1, b""), (99, 1, b"")]
)
def test_a_read_ends_at_the_end(
    backend: Backend, offset: int, length: int, expected: bytes
) -> None:
    backend.write("/a", b"01234")
    assert backend.read("/a", offset, length) == expected


def test_an_exclusive_write_wants_a_free_place(backend: Backend) -> None:
    backend.create("/a", b"text")
    backend.symlink("nowhere", "/l")
    assert error(lambda: backend.create("/a", b"")) == "EEXIST"
    assert error(lambda: backend.create("/l", b"")) == "EEXIST"
    assert not backend.exists("/nowhere")
    assert backend.read("/a") == b"text"


@pytest.mark.parametrize("path", ["/", "/d"])
def test_a_directory_is_neither_read_nor_written(backend: Backend, path: str) -> None:
    backend.mkdir("/d")
    assert error(lambda: backend.read(path)) == "EISDIR"
    assert error(lambda: backend.write(path, b"")) == "EISDIR"
    assert error(lambda: backend.append(path, b"")) == "EISDIR"
    assert error(lambda: backend.truncate(path, 0)) == "EISDIR"
    assert error(lambda: backend.unlink(path)) == "EISDIR"


# What writes change beside the content.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("write", True),
        ("write nothing", True),
        ("append", True),
        ("append nothing", False),
        ("pwrite", True),
        ("pwrite nothing", False),
        ("truncate", True),
        ("truncate to its size", True),
        ("chmod", False),
        ("link", False),
        ("rename", False),
        ("read", False),
    ],
)
def test_what_sets_the_time_of_a_file(backend: Backend, name: str, expected: bool) -> None:
    works: dict[str, Callable[[], object]] = {
        "write": lambda: backend.write("/a", b"text"),
        "write nothing": lambda: backend.write("/a", b""),
        "append": lambda: backend.append("/a", b"x"),
        "append nothing": lambda: backend.append("/a", b""),
        "pwrite": lambda: backend.pwrite("/a", 0, b"x"),
        "pwrite nothing": lambda: backend.pwrite("/a", 0, b""),
        "truncate": lambda: backend.truncate("/a", 1),
        "truncate to its size": lambda: backend.truncate("/a", 4),
        "chmod": lambda: backend.chmod("/a", 0o600),
        "link": lambda: backend.link("/a", "/b"),
        "rename": lambda: backend.rename("/a", "/b"),
        "read": lambda: backend.read("/a"),
    }
    backend.write("/a", b"text")
    backend.utime("/a", 1_000_000_000)
    works[name]()
    path = "/b" if name == "rename" else "/a"
    assert (backend.mtime_ns(path) != 1_000_000_000) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("create", True),
        ("overwrite", False),
        ("mkdir", True),
        ("rmdir", True),
        ("unlink", True),
        ("link", True),
        ("symlink", True),
        ("rename inside", True),
        ("rename away", True),
        ("rename here", True),
        ("rename to itself", False),
        ("chmod", False),
    ],
)
def test_what_sets_the_time_of_a_directory(backend: Backend, name: str, expected: bool) -> None:
    works: dict[str, Callable[[], object]] = {
        "create": lambda: backend.write("/d/new", b""),
        "overwrite": lambda: backend.write("/d/f", b"more"),
        "mkdir": lambda: backend.mkdir("/d/new"),
        "rmdir": lambda: backend.rmdir("/d/e"),
        "unlink": lambda: backend.unlink("/d/f"),
        "link": lambda: backend.link("/d/f", "/d/new"),
        "symlink": lambda: backend.symlink("f", "/d/new"),
        "rename inside": lambda: backend.rename("/d/f", "/d/new"),
        "rename away": lambda: backend.rename("/d/f", "/new"),
        "rename here": lambda: backend.rename("/o", "/d/new"),
        "rename to itself": lambda: backend.rename("/d/f", "/d/f"),
        "chmod": lambda: backend.chmod("/d", 0o700),
    }
    backend.mkdir("/d")
    backend.mkdir("/d/e")
    backend.write("/d/f", b"text")
    backend.write("/o", b"text")
    backend.utime("/d", 1_000_000_000)
    works[name]()
    assert (backend.mtime_ns("/d") != 1_000_000_000) is expected


def test_every_name_of_a_file_shows_its_mode_and_time(backend: Backend) -> None:
    backend.write("/a", b"text")
    backend.link("/a", "/b")
    backend.chmod("/a", 0o640)
    backend.utime("/b", 7_000_000_000)
    assert backend.stat("/b") == Status("file", 4, 0o640, 2)
    assert backend.mtime_ns("/a") == 7_000_000_000


# Directories.


def test_a_directory_counts_the_directories_in_it(backend: Backend) -> None:
    backend.mkdir("/d", 0o750)
    backend.mkdir("/d/e")
    backend.write("/d/f", b"")
    backend.symlink("e", "/d/l")
    assert backend.stat("/d") == Status("directory", 0, 0o750, 3)
    backend.rename("/d/e", "/e")
    assert backend.stat("/d").nlink == 2


def test_mkdir_wants_a_parent_and_a_free_place(backend: Backend) -> None:
    backend.write("/f", b"")
    backend.symlink("nowhere", "/dangling")
    backend.symlink("loop", "/loop")
    assert error(lambda: backend.mkdir("/missing/d")) == "ENOENT"
    assert error(lambda: backend.mkdir("/f/d")) == "ENOTDIR"
    for path in ("/", "/f", "/dangling", "/loop"):
        assert error(lambda path=path: backend.mkdir(path)) == "EEXIST"  # type: ignore[misc]


def test_rmdir_wants_an_empty_directory(backend: Backend) -> None:
    backend.mkdir("/d")
    backend.write("/d/f", b"")
    backend.symlink("d", "/l")
    assert error(lambda: backend.rmdir("/d")) == "ENOTEMPTY"
    assert error(lambda: backend.rmdir("/d/f")) == "ENOTDIR"
    assert error(lambda: backend.rmdir("/l")) == "ENOTDIR"
    assert error(lambda: backend.rmdir("/missing")) == "ENOENT"
    backend.unlink("/d/f")
    assert outcome(lambda: backend.rmdir("/d")) == OK


# Links.


def test_a_path_goes_through_links_in_every_segment(backend: Backend) -> None:
    backend.mkdir("/a")
    backend.mkdir("/a/b")
    backend.write("/a/b/f", b"text")
    backend.symlink("a", "/la")
    backend.symlink("b", "/a/lb")
    backend.symlink("f", "/a/b/lf")
    backend.symlink("/la/lb/lf", "/all")
    assert backend.read("/la/lb/lf") == backend.read("/all") == b"text"
    assert backend.realpath("/all") == "/a/b/f"
    backend.write("/la/lb/new", b"x")
    assert backend.listdir("/a/b") == ["f", "lf", "new"]


def test_up_from_a_link_is_up_from_where_it_leads(backend: Backend) -> None:
    backend.mkdir("/a")
    backend.mkdir("/a/b")
    backend.write("/a/f", b"in a")
    backend.write("/f", b"in root")
    backend.symlink("a/b", "/l")
    assert backend.read("/l/../f") == b"in a"
    assert backend.realpath("/l/..") == "/a"
    assert backend.read("/l/../../f") == b"in root"


def test_up_from_a_file_is_no_path(backend: Backend) -> None:
    backend.write("/f", b"")
    assert error(lambda: backend.stat("/f/..")) == "ENOTDIR"
    assert error(lambda: backend.read("/f/../f")) == "ENOTDIR"


def test_a_loop_is_one_after_forty_links(backend: Backend) -> None:
    backend.write("/0", b"text")
    for index in range(1, 42):
        backend.symlink(str(index - 1), f"/{index}")
    assert backend.read("/40") == b"text"
    assert error(lambda: backend.read("/41")) == "ELOOP"
    assert backend.readlink("/41") == "40"


def test_links_that_lead_to_each_other_are_a_loop(backend: Backend) -> None:
    backend.symlink("b", "/a")
    backend.symlink("a", "/b")
    assert error(lambda: backend.stat("/a")) == "ELOOP"
    assert error(lambda: backend.read("/a")) == "ELOOP"
    assert error(lambda: backend.listdir("/a")) == "ELOOP"
    assert error(lambda: backend.realpath("/a")) == "ELOOP"
    assert error(lambda: backend.write("/a/x", b"")) == "ELOOP"
    assert not backend.exists("/a")
    assert backend.lstat("/a") == Status("symlink", 1, 0o777, 1)


def test_a_dangling_link_is_written_through(backend: Backend) -> None:
    backend.symlink("target", "/l")
    assert error(lambda: backend.read("/l")) == "ENOENT"
    assert not backend.exists("/l")
    backend.write("/l", b"text")
    assert backend.read("/target") == b"text"
    assert backend.readlink("/l") == "target"


@pytest.mark.parametrize("target", ["", "x" * 4097])
def test_a_target_that_can_be_none_is_refused(backend: Backend, target: str) -> None:
    expected = "ENAMETOOLONG" if target else "ENOENT"
    assert error(lambda: backend.symlink(target, "/l")) == expected


@pytest.mark.parametrize("target", ["a", "../a/./b//", "\udcff", "a\nb", "/", "/a/b", " "])
def test_a_target_is_kept_as_it_was_given(backend: Backend, target: str) -> None:
    backend.symlink(target, "/l")
    assert backend.readlink("/l") == target
    assert backend.lstat("/l").size == len(target.encode("utf-8", "surrogateescape"))


def test_only_a_link_is_read_as_one(backend: Backend) -> None:
    backend.write("/f", b"")
    assert error(lambda: backend.readlink("/f")) == "EINVAL"
    assert error(lambda: backend.readlink("/")) == "EINVAL"
    assert error(lambda: backend.readlink("/missing")) == "ENOENT"


def test_a_hard_link_is_another_name(backend: Backend) -> None:
    backend.write("/a", b"text")
    backend.link("/a", "/b")
    backend.write("/b", b"other")
    assert backend.read("/a") == b"other"
    assert same_files(backend, ["/a", "/b"]) == [["/a", "/b"]]
    backend.unlink("/a")
    assert backend.stat("/b").nlink == 1


def test_a_hard_link_to_a_link_is_the_link(backend: Backend) -> None:
    backend.symlink("nowhere", "/l")
    backend.link("/l", "/m")
    assert backend.readlink("/m") == "nowhere"
    assert backend.lstat("/m").nlink == 2


def test_a_hard_link_wants_a_file_and_a_free_place(backend: Backend) -> None:
    backend.write("/a", b"")
    backend.mkdir("/d")
    assert error(lambda: backend.link("/d", "/e")) == "EPERM"
    assert error(lambda: backend.link("/", "/e")) == "EPERM"
    assert error(lambda: backend.link("/a", "/d")) == "EEXIST"
    assert error(lambda: backend.link("/d", "/a")) == "EEXIST"
    assert error(lambda: backend.link("/d", "/missing/e")) == "ENOENT"
    assert error(lambda: backend.link("/missing", "/a")) == "ENOENT"


# Renaming.


def test_a_file_replaces_a_file(backend: Backend) -> None:
    backend.write("/a", b"new")
    backend.write("/b", b"old")
    backend.rename("/a", "/b")
    assert {path: content for path, (_, content) in tree(backend).items()} == {"/b": b"new"}


def test_a_rename_between_names_of_one_file_does_nothing(backend: Backend) -> None:
    backend.write("/a", b"text")
    backend.link("/a", "/b")
    backend.rename("/a", "/b")
    assert backend.listdir("/") == ["a", "b"]


def test_a_link_is_renamed_and_replaced_itself(backend: Backend) -> None:
    backend.write("/f", b"text")
    backend.symlink("f", "/l")
    backend.rename("/l", "/m")
    assert backend.readlink("/m") == "f"
    backend.write("/g", b"other")
    backend.rename("/g", "/m")
    assert backend.lstat("/m").kind == "file"
    assert backend.read("/f") == b"text"


def test_a_directory_replaces_only_an_empty_directory(backend: Backend) -> None:
    for path in ("/d", "/empty", "/full"):
        backend.mkdir(path)
    backend.write("/d/f", b"text")
    backend.write("/full/f", b"")
    backend.write("/file", b"")
    backend.symlink("empty", "/link")
    assert error(lambda: backend.rename("/d", "/full")) == "ENOTEMPTY"
    assert error(lambda: backend.rename("/d", "/file")) == "ENOTDIR"
    assert error(lambda: backend.rename("/d", "/link")) == "ENOTDIR"
    assert error(lambda: backend.rename("/file", "/empty")) == "EISDIR"
    assert outcome(lambda: backend.rename("/d", "/empty")) == OK
    assert backend.read("/empty/f") == b"text"
    assert not backend.exists("/d")


def test_a_directory_does_not_move_into_itself(backend: Backend) -> None:
    backend.mkdir("/d")
    backend.mkdir("/d/e")
    backend.symlink("d/e", "/l")
    for path in ("/d/x", "/d/e/x", "/l/x", "/d/e"):
        assert error(lambda path=path: backend.rename("/d", path)) == "EINVAL"  # type: ignore[misc]
    assert error(lambda: backend.rename("/d", "/d/missing/x")) == "ENOENT"
    assert error(lambda: backend.rename("/d/e", "/d")) == "ENOTEMPTY"
    assert outcome(lambda: backend.rename("/d", "/d")) == OK


def test_a_directory_moves_out_by_a_path_through_itself(backend: Backend) -> None:
    backend.mkdir("/d")
    backend.mkdir("/o")
    backend.symlink("/o", "/d/l")
    assert outcome(lambda: backend.rename("/d", "/d/l/moved")) == OK
    assert backend.listdir("/o/moved") == ["l"]
    assert outcome(lambda: backend.rename("/o/moved", "/o/moved/../back")) == OK
    assert backend.listdir("/o") == ["back"]


# Whatever ends a path.


@pytest.mark.parametrize("path", ["/d/", "/d//", "/d/.", "/d/./", "/l/", "/l/."])
def test_what_trails_a_directory_means_nothing(backend: Backend, path: str) -> None:
    backend.mkdir("/d")
    backend.write("/d/f", b"")
    backend.symlink("d", "/l")
    assert backend.listdir(path) == ["f"]
    assert backend.stat(path).kind == "directory"


def test_a_path_that_ends_in_up_is_a_directory(backend: Backend) -> None:
    backend.mkdir("/d")
    backend.mkdir("/d/e")
    assert error(lambda: backend.mkdir("/d/e/..")) == "EEXIST"
    assert error(lambda: backend.unlink("/d/e/..")) == "EISDIR"
    assert error(lambda: backend.write("/d/e/..", b"")) == "EISDIR"
    assert error(lambda: backend.readlink("/d/e/..")) == "EINVAL"
    assert backend.listdir("/d/e/..") == ["e"]
