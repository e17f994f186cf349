"""A tree of the host goes into a workspace: what goes where, and over what."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.host_trees import SHARED, Seen, make_hostile, picture, tree_of, unprivileged
from vshell.errors import (
    InvalidPathError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
)
from vshell.workspace import Workspace

# Importing: what goes where.


def test_a_directory_goes_into_the_destination(ws: Workspace, source: Path) -> None:
    (source / "a").mkdir()
    (source / "a" / "file").write_text("text")
    (source / "link").symlink_to("a/file")
    result = ws.import_directory(source, "/some/place")
    assert tree_of(ws) == {
        "/some": "/",
        "/some/place": "/",
        "/some/place/a": "/",
        "/some/place/a/file": "text",
        "/some/place/link": "-> a/file",
    }
    assert (result.files, result.directories, result.symlinks, result.bytes) == (1, 1, 1, 4)


def test_a_relative_destination_starts_at_the_working_directory(
    ws: Workspace, source: Path
) -> None:
    (source / "file").write_text("text")
    ws.mkdir("/home")
    ws.session("one", cwd="/home").import_directory(source, "here")
    assert ws.read_text("/home/here/file") == "text"


def test_the_destination_may_be_a_link_to_a_directory(ws: Workspace, source: Path) -> None:
    (source / "file").write_text("text")
    ws.mkdir("/real")
    ws.symlink("/real", "/link")
    ws.import_directory(source, "/link")
    assert ws.read_text("/real/file") == "text"
    assert ws.lstat("/link").kind == "symlink"


def test_the_source_may_be_a_link_to_a_directory(ws: Workspace, source: Path, place: Path) -> None:
    (source / "file").write_text("text")
    (place / "link").symlink_to(source)
    ws.import_directory(place / "link")
    assert tree_of(ws) == {"/file": "text"}


@pytest.mark.parametrize(
    ("destination", "path"),
    [("/", "/file"), ("/there", "/there/file"), ("/new/name", "/new/name"), ("/old", "/old")],
)
def test_a_single_file_goes_into_a_directory_or_to_exactly_a_path(
    ws: Workspace, source: Path, destination: str, path: str
) -> None:
    (source / "file").write_text("text")
    os.chmod(source / "file", 0o750)
    os.utime(source / "file", ns=(5, 5))
    ws.mkdir("/there")
    ws.write("/old", "old")
    result = ws.import_directory(source / "file", destination)
    assert ws.read_text(path) == "text"
    assert (ws.stat(path).mode, ws.stat(path).mtime_ns) == (0o750, 5)
    assert result.files == 1


def test_a_directory_that_gets_a_single_file_has_a_new_time(ws: Workspace, source: Path) -> None:
    (source / "file").write_text("text")
    ws.mkdir("/d")
    ws.utime("/d", mtime_ns=5)
    ws.import_directory(source / "file", "/d")
    assert ws.stat("/d").mtime_ns > 5


def test_a_source_that_is_missing_is_an_error_without_its_path(ws: Workspace, source: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        ws.import_directory(source / "missing")
    assert str(source) not in str(caught.value)
    assert caught.value.filename is None


def test_a_source_of_another_kind_is_refused(ws: Workspace, source: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(NotRegularError):
        ws.import_directory(source / "pipe")


def test_a_source_with_a_nul_is_no_path(ws: Workspace) -> None:
    with pytest.raises(InvalidPathError):
        ws.import_directory("a\0b")


def test_a_directory_is_not_imported_into_a_file(ws: Workspace, source: Path) -> None:
    ws.write("/file", "text")
    with pytest.raises(NotDirectoryError):
        ws.import_directory(source, "/file")


# Importing: what is there already.


def test_directories_are_merged_and_files_replaced(ws: Workspace, source: Path) -> None:
    ws.write("/d/kept", "kept")
    ws.write("/d/both", "old")
    (source / "d").mkdir()
    (source / "d" / "both").write_text("new")
    (source / "d" / "added").write_text("added")
    ws.import_directory(source)
    assert tree_of(ws) == {
        "/d": "/",
        "/d/kept": "kept",
        "/d/both": "new",
        "/d/added": "added",
    }


def test_a_replaced_file_keeps_its_inode_and_gets_a_new_version(
    ws: Workspace, source: Path
) -> None:
    ws.write("/file", "old")
    before = ws.stat("/file")
    (source / "file").write_text("new")
    ws.import_directory(source)
    after = ws.stat("/file")
    assert after.inode == before.inode
    assert after.version > before.version
    assert ws.read_text("/file") == "new"


def test_caches_do_not_outlive_an_import(ws: Workspace, source: Path) -> None:
    ws.write("/d/file", "old")
    (source / "d").mkdir()
    (source / "d" / "file").write_text("new")
    (source / "d" / "sub").mkdir()
    ws.stat("/d")
    ws.read_bytes("/d/file")
    assert not ws.exists("/d/sub")
    ws.import_directory(source)
    assert ws.stat("/d").nlink == 3
    assert ws.read_bytes("/d/file") == b"new"
    assert ws.exists("/d/sub")


def test_the_same_tree_again_changes_nothing(ws: Workspace, source: Path) -> None:
    make_hostile(source)
    ws.import_directory(source)
    revision = ws.files.revision()
    ws.import_directory(source)
    assert ws.files.revision() == revision


def test_a_mode_or_time_that_changed_alone_travels(ws: Workspace, source: Path) -> None:
    (source / "file").write_text("text")
    (source / "d").mkdir()
    ws.import_directory(source)
    version = ws.stat("/file").version
    os.chmod(source / "file", 0o600)
    os.utime(source / "d", ns=(7, 7))
    ws.import_directory(source)
    assert (ws.stat("/file").mode, ws.stat("/file").version) == (0o600, version)
    assert ws.stat("/d").mtime_ns == 7


@pytest.mark.parametrize("link", ["/real", "/missing", "/"])
def test_a_link_where_a_directory_goes_is_an_error_and_not_followed(
    ws: Workspace, source: Path, link: str
) -> None:
    ws.mkdir("/real")
    ws.symlink(link, "/d")
    (source / "d").mkdir()
    (source / "d" / "file").touch()
    before = tree_of(ws), ws.files.revision()
    with pytest.raises(NotDirectoryError, match="/d"):
        ws.import_directory(source)
    assert (tree_of(ws), ws.files.revision()) == before


def test_a_file_where_a_directory_is_is_an_error_that_undoes_everything(
    ws: Workspace, source: Path
) -> None:
    ws.mkdir("/z")
    (source / "a").write_text("text")
    (source / "z").write_text("text")
    revision = ws.files.revision()
    with pytest.raises(IsDirectoryError) as caught:
        ws.import_directory(source)
    assert caught.value.filename == "/z"
    assert tree_of(ws) == {"/z": "/"}
    assert ws.files.revision() == revision


def test_files_and_links_replace_each_other(ws: Workspace, source: Path) -> None:
    ws.write("/outside", "outside")
    ws.symlink("/outside", "/was-link")
    ws.write("/was-file", "text")
    ws.symlink("old", "/stays-link")
    (source / "was-link").write_text("new")
    (source / "was-file").symlink_to("target")
    (source / "stays-link").symlink_to("new")
    ws.import_directory(source)
    assert tree_of(ws) == {
        "/outside": "outside",
        "/was-link": "new",
        "/was-file": "-> target",
        "/stays-link": "-> new",
    }


# Importing: hard links.


def nlinks(ws: Workspace, *paths: str) -> list[int]:
    return [ws.lstat(path).nlink for path in paths]


def same_file(ws: Workspace, *paths: str) -> bool:
    return len({ws.lstat(path).inode for path in paths}) == 1


def test_names_of_one_file_stay_names_of_one_file(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("text")
    (source / "d").mkdir()
    os.link(source / "a", source / "d" / "b")
    result = ws.import_directory(source)
    assert same_file(ws, "/a", "/d/b")
    assert nlinks(ws, "/a") == [2]
    assert (result.files, result.bytes) == (2, 4)


def test_a_name_outside_the_source_is_no_name_in_the_workspace(
    ws: Workspace, source: Path, place: Path
) -> None:
    (source / "a").write_text("text")
    os.link(source / "a", place / "elsewhere")
    ws.import_directory(source)
    assert nlinks(ws, "/a") == [1]


def test_another_name_of_a_replaced_file_keeps_what_it_has(ws: Workspace, source: Path) -> None:
    ws.write("/a", "old")
    ws.link("/a", "/other")
    (source / "a").write_text("new")
    ws.import_directory(source)
    assert tree_of(ws) == {"/a": "new", "/other": "old"}
    assert nlinks(ws, "/a", "/other") == [1, 1]


def test_two_files_that_were_one_in_the_workspace_come_apart(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("same")
    (source / "b").write_text("same")
    os.utime(source / "a", ns=(1, 1))
    os.utime(source / "b", ns=(1, 1))
    ws.import_directory(source / "a", "/a")
    ws.link("/a", "/b")
    ws.import_directory(source)
    assert not same_file(ws, "/a", "/b")
    assert nlinks(ws, "/a", "/b") == [1, 1]


def test_two_files_that_become_one_share_what_was_there(ws: Workspace, source: Path) -> None:
    ws.write("/a", "old a")
    ws.write("/b", "old b")
    (source / "a").write_text("new")
    os.link(source / "a", source / "b")
    ws.import_directory(source)
    assert same_file(ws, "/a", "/b")
    assert tree_of(ws) == {"/a": "new", "/b": "new"}


def test_a_name_that_is_gone_from_a_file_can_come_back_elsewhere(
    ws: Workspace, source: Path
) -> None:
    (source / "a").write_text("shared")
    os.link(source / "a", source / "c")
    os.utime(source / "a", ns=(1, 1))
    ws.import_directory(source / "a", "/a")
    ws.link("/a", "/b")
    (source / "b").write_text("another")
    ws.import_directory(source)
    assert tree_of(ws) == {"/a": "shared", "/b": "another", "/c": "shared"}
    assert same_file(ws, "/a", "/c")
    assert nlinks(ws, "/a", "/b") == [2, 1]


def test_all_names_of_a_file_can_become_links(ws: Workspace, source: Path) -> None:
    ws.write("/a", "old")
    ws.link("/a", "/b")
    (source / "a").symlink_to("x")
    (source / "b").symlink_to("y")
    ws.import_directory(source)
    assert tree_of(ws) == {"/a": "-> x", "/b": "-> y"}
    assert ws.usage().files == 0


Tree = dict[str, tuple[str, str]]
_NAMES = st.sampled_from(["a", "b", "c"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_ENTRIES = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(["", "x", "y", "z"])),
    st.tuples(st.just("symlink"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("link"), st.sampled_from(["a", "a/a", "b", "b/c"])),
    st.tuples(st.just("directory"), st.just("")),
)
_TREES = st.dictionaries(_PATHS, _ENTRIES, max_size=8)


def make(top: Path, tree: Tree) -> None:
    """Make what can be made of a drawn tree."""
    for path, (kind, value) in sorted(tree.items()):
        where = top / path
        if not all(parent.is_dir() and not parent.is_symlink() for parent in above(top, where)):
            continue
        where.parent.mkdir(parents=True, exist_ok=True)
        if kind == "directory":
            where.mkdir(exist_ok=True)
        elif os.path.lexists(where):
            continue
        elif kind == "file":
            where.write_text(value)
            os.utime(where, ns=(1, 1))
        elif kind == "symlink":
            where.symlink_to(value)
        elif (top / value).is_file() and not (top / value).is_symlink():
            os.link(top / value, where)


def above(top: Path, where: Path) -> list[Path]:
    return [
        parent for parent in where.parents if parent.is_relative_to(top) and os.path.lexists(parent)
    ]


def clashes(old: dict[str, Seen], new: dict[str, Seen]) -> bool:
    return any(
        (old[path].kind == "directory") != (new[path].kind == "directory")
        for path in old.keys() & new.keys()
    )


@settings(max_examples=150)
@given(old=_TREES, new=_TREES)
def test_an_import_over_an_import_is_the_new_tree_over_the_old_one(old: Tree, new: Tree) -> None:
    with tempfile.TemporaryDirectory(dir=SHARED) as directory, Workspace.memory() as ws:
        top = Path(directory)
        for name, tree in (("old", old), ("new", new)):
            (top / name).mkdir()
            make(top / name, tree)
        ws.import_directory(top / "old")
        first, second = picture(top / "old"), picture(top / "new")
        if clashes(first, second):
            with pytest.raises((IsDirectoryError, NotDirectoryError)):
                ws.import_directory(top / "new")
            expected = first
        else:
            ws.import_directory(top / "new")
            expected = first | second
        ws.export_directory("/", top / "out")
        found = picture(top / "out")
        assert {path: one[:4] for path, one in found.items()} == {
            path: one[:4] for path, one in expected.items()
        }
        if expected is not first:
            for path, one in second.items():
                assert set(one.names) == set(found[path].names) & set(second), path
        assert ws.check().problems == ()


# Importing: what is ignored.


def test_what_git_ignores_is_left_out_when_asked(ws: Workspace, source: Path) -> None:
    files = {
        ".gitignore": "*.log\n/build/\nnode_modules/\n!kept.log\n",
        "a.log": "",
        "kept.log": "",
        "build/out": "",
        "sub/build/out": "",
        "sub/.gitignore": "!a.log\n*.tmp\n/deep/er\n",
        "sub/a.log": "",
        "sub/x.tmp": "",
        "sub/deep/er": "",
        "sub/deep/node_modules/.gitignore": "!*\n",
        "sub/deep/node_modules/x": "",
        "sub/deep/er2/.gitignore": "er\n",
        "sub/deep/er2/er": "",
        "sub/deep/er2/b/er": "",
        "sub/deep/er2/b/b.log": "",
        "x.tmp": "",
    }
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    git = ["git", "-C", str(source)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    result = ws.import_directory(source, ignore=True)
    assert {path for path, text in tree_of(ws).items() if text != "/"} == {
        f"/{path}" for path in listed.stdout.splitlines()
    }
    assert result.ignored == 9
    assert not ws.exists("/.git")


def test_git_and_what_it_ignores_is_imported_unless_asked(ws: Workspace, source: Path) -> None:
    (source / ".git").mkdir()
    (source / ".gitignore").write_text("*\n")
    (source / "file").touch()
    result = ws.import_directory(source)
    assert tree_of(ws) == {"/.git": "/", "/.gitignore": "*\n", "/file": ""}
    assert result.ignored == 0


def test_an_ignored_directory_is_not_even_read(ws: Workspace, source: Path) -> None:
    (source / ".gitignore").write_text("d/\n")
    (source / "d").mkdir()
    with unprivileged(source):
        ws.write("/before", "")
        (source / "d").chmod(0)
        result = ws.import_directory(source, ignore=True)
        (source / "d").chmod(0o700)
    assert result.skipped == ()


def test_a_link_named_gitignore_says_nothing(ws: Workspace, source: Path, place: Path) -> None:
    (place / "outside").write_text("*\n")
    (source / ".gitignore").symlink_to(place / "outside")
    (source / "file").touch()
    ws.import_directory(source, ignore=True)
    assert ws.exists("/file")
