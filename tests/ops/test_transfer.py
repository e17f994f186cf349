"""Whole trees from the host into a workspace, and out again."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.errors import (
    ConflictError,
    CorruptError,
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotRegularError,
    PermissionDeniedError,
    QuotaExceededError,
    UnavailableError,
)
from vshell.host import HostTree
from vshell.limits import CHUNK_BYTES, INLINE_BYTES
from vshell.ops.transfer import Progress, TransferResult
from vshell.workspace import Workspace

NOBODY = 65534
SHARED = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace
        assert workspace.check().problems == ()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose content is gone after the test, however deep and locked it is."""
    directory = Path(tempfile.mkdtemp(dir=SHARED))
    yield directory
    with HostTree.open(directory.parent) as above:
        above.remove(directory.name)


@pytest.fixture
def source(place: Path) -> Path:
    (place / "source").mkdir()
    return place / "source"


@pytest.fixture
def target(place: Path) -> Path:
    return place / "target"


class Seen(NamedTuple):
    """What a comparison of two trees sees of an entry."""

    kind: str
    mode: int
    mtime_ns: int
    content: str
    names: tuple[str, ...]


def picture(directory: Path) -> dict[str, Seen]:
    """Return what there is to know about a tree of the host."""
    found: dict[str, Seen] = {}
    groups: dict[tuple[int, int], list[str]] = {}
    identities: dict[str, tuple[int, int]] = {}
    with HostTree.open(directory) as tree:
        for visited in tree.walk(on_error=fail):
            found[visited.path] = seen(tree, "directory", visited.status, None)
            for entry in visited.entries:
                if entry.kind != "directory":
                    path = f"{visited.path}/{entry.name}" if visited.path else entry.name
                    status = tree.status(entry.name)
                    found[path] = seen(tree, entry.kind, status, entry.name)
                    identities[path] = (status.st_dev, status.st_ino)
                    groups.setdefault(identities[path], []).append(path)
    return {
        path: one._replace(names=tuple(sorted(groups.get(identities.get(path, (0, 0)), ()))))
        for path, one in found.items()
    }


def seen(tree: HostTree, kind: str, status: os.stat_result, name: str | None) -> Seen:
    content = ""
    if kind == "symlink" and name is not None:
        content = tree.read_link(name)
    elif kind == "file" and name is not None:
        descriptor, _ = tree.open_file(name)
        with open(descriptor, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return Seen(kind, stat.S_IMODE(status.st_mode), status.st_mtime_ns, content, ())


def fail(path: str, error: OSError) -> None:
    raise AssertionError(path) from error


def differences(one: Path, other: Path) -> str:
    """Return what `diff` says, which sees names and content, but neither modes nor times."""
    run = subprocess.run(
        ["diff", "-r", "--no-dereference", "--brief", one, other], capture_output=True, check=False
    )
    return os.fsdecode(run.stdout + run.stderr)


def tree_of(ws: Workspace, path: str = "/") -> dict[str, str]:
    """Return the files of a workspace with their text, links with their target, directories."""
    found = {}
    for entry in ws.files.walk_details(path):
        status = ws.lstat(entry.path)
        if status.kind == "directory":
            found[entry.path] = "/"
        elif status.kind == "symlink":
            found[entry.path] = f"-> {ws.readlink(entry.path)}"
        else:
            found[entry.path] = ws.read_bytes(entry.path).decode("utf-8", "replace")
    return found


def reasons(result: TransferResult) -> dict[str, str]:
    assert len(result.skipped) == result.skipped_total
    return dict(result.skipped)


@contextmanager
def unprivileged(top: Path) -> Iterator[None]:
    """Be somebody whom modes bind; root is bound by none."""
    if os.geteuid() != 0:
        yield
        return
    for directory in [top, *top.parents]:
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            os.chmod(directory, 0o711)
    for where, directories, files in os.walk(top):
        for name in [".", *directories, *files]:
            os.chown(Path(where, name), NOBODY, NOBODY, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def at(entries: int, action: Callable[[], object]) -> Callable[[Progress], None]:
    """Return a progress function that does something once, after so many entries."""
    waiting = [action]

    def progress(state: Progress) -> None:
        if state.entries == entries and waiting:
            waiting.pop()()

    return progress


# There and back again.


def make_hostile(top: Path) -> None:
    """Make everything that is hard to copy."""
    base = os.fsencode(top)

    def write(name: bytes, data: bytes = b"content\n") -> None:
        with open(base + b"/" + name, "wb") as file:
            file.write(data)

    os.makedirs(base + b"/empty/directories/all the way")
    os.makedirs(base + b"/odd")
    for number in range(1, 256):
        if number not in b"/.":
            write(b"odd/%c" % number)
    for name in (b"-rf", b"~", b"*", b"$(id)", b"'\"`", b".gitignore", b"...", b"a\\b"):
        write(b"odd/" + name)
    write(b"odd/\xff\xfe not utf-8 \xc3\x28")
    write("odd/\u00e9".encode())
    write("odd/e\u0301".encode())
    write("odd/\U0001f600".encode())
    write(b"odd/CASE")
    write(b"odd/case")
    write(b"odd/" + b"n" * 255)
    os.mkdir(base + b"/new\nline\n")
    write(b"new\nline\n/\n")
    deep = base
    for number in range(60):
        deep += b"/deep%d" % number
        os.mkdir(deep)
    os.symlink(b"nowhere", base + b"/dangling")
    os.symlink(b"loop", base + b"/loop")
    os.symlink(b"other-loop", base + b"/one-loop")
    os.symlink(b"one-loop", base + b"/other-loop")
    os.symlink(b"/etc/passwd", base + b"/absolute")
    os.symlink(b"../../../..", base + b"/above")
    os.symlink(b".", base + b"/self")
    os.symlink(b"\xff" * 255, base + b"/odd link")
    write(b"empty file", b"")
    write(b"just inline", bytes(range(256)) * (INLINE_BYTES // 256))
    write(b"just too large", bytes(range(256)) * (INLINE_BYTES // 256) + b"x")
    write(b"large", b"abcdefg\n" * 200_000)
    with open(base + b"/sparse", "wb") as file:
        file.truncate(3_000_000)
        file.seek(1_500_000)
        file.write(b"middle")
    write(b"linked")
    os.link(base + b"/linked", base + b"/linked again")
    os.link(base + b"/linked", base + b"/odd/linked from elsewhere")
    os.link(base + b"/dangling", base + b"/dangling again", follow_symlinks=False)
    write(b"set-id")
    os.chmod(base + b"/set-id", 0o755)
    write(b"secret")
    os.chmod(base + b"/secret", 0o000 if os.geteuid() == 0 else 0o400)
    write(b"executable")
    os.chmod(base + b"/executable", 0o755)
    os.mkdir(base + b"/read-only")
    write(b"read-only/file")
    os.chmod(base + b"/read-only", 0o555)
    set_times(top)


def set_times(top: Path) -> None:
    """Give everything a time of its own, some before 1970 and some far away."""
    times = [1, -1, -5_000_000_000_000_000_001, 4_102_444_800_123_456_789, 999_999_999]
    entries = [
        os.path.join(where, name)
        for where, directories, files in os.walk(os.fsencode(top), topdown=False)
        for name in [*files, *directories, b"."]
    ]
    for number, path in enumerate(entries):
        time_ns = times[number % 5] + number * 1_000_003
        os.utime(path, ns=(0, time_ns), follow_symlinks=False)


def test_a_hostile_tree_comes_back_as_it_was(ws: Workspace, source: Path, target: Path) -> None:
    make_hostile(source)
    before = picture(source)
    imported = ws.import_directory(source)
    exported = ws.export_directory("/", target)
    assert imported.skipped == exported.skipped == ()
    assert differences(source, target) == ""
    assert picture(target) == before
    assert picture(source) == before
    assert (imported.files, imported.directories, imported.symlinks, imported.bytes) == (
        exported.files,
        exported.directories,
        exported.symlinks,
        exported.bytes,
    )


def test_a_tree_deeper_than_any_path_comes_back_as_it_was(
    ws: Workspace, source: Path, target: Path
) -> None:
    with HostTree.open(source) as tree:
        for _ in range(1000):
            tree.make_directory("directory")
            tree.enter("directory")
            tree.make_file("file", [b"content"], mode=0o644, mtime_ns=1)
    assert ws.import_directory(source).skipped == ()
    assert ws.export_directory("/", target).directories == 1000
    assert picture(target) == picture(source)


@pytest.mark.slow
def test_thousands_of_real_files_come_back_as_they_were(place: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    # What is installed beside the library is no part of it, and may be gigabytes.
    left_out = shutil.ignore_patterns("site-packages", "dist-packages", "test", "*.so", "*.a")
    shutil.copytree(library, place / "source", symlinks=True, ignore=left_out)
    set_times(place / "source")
    with Workspace.open(place / "agent.db") as workspace:
        imported = workspace.import_directory(place / "source")
        workspace.export_directory("/", place / "target")
        assert workspace.check().ok
    assert imported.skipped == ()
    assert imported.files + imported.directories > 1500
    assert differences(place / "source", place / "target") == ""
    assert picture(place / "source") == picture(place / "target")


@pytest.mark.slow
def test_four_thousand_files_come_back_as_they_were_and_again(place: Path) -> None:
    for number in range(4200):
        directory = place / "source" / f"d{number % 37}" / f"e{number % 5}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file {number}").write_bytes(b"%d\n" % number * (number % 900))
    set_times(place / "source")
    with Workspace.open(place / "agent.db") as workspace:
        assert workspace.import_directory(place / "source").files == 4200
        revision = workspace.files.revision()
        workspace.import_directory(place / "source")
        assert workspace.files.revision() == revision
        for _ in range(2):
            workspace.export_directory("/", place / "target")
            assert differences(place / "source", place / "target") == ""
            assert picture(place / "source") == picture(place / "target")
        assert workspace.check().ok


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


# Importing: what is skipped.


def test_what_is_neither_file_nor_directory_nor_link_is_skipped_and_reported(
    ws: Workspace, source: Path
) -> None:
    (source / "d").mkdir()
    os.mkfifo(source / "d" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
        result = ws.import_directory(source)
    assert reasons(result) == {"d/pipe": "a FIFO", "socket": "a socket"}
    assert tree_of(ws) == {"/d": "/"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_skipped_and_never_opened(ws: Workspace, tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "tape", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("not even root may make devices here")
    result = ws.import_directory(tmp_path)
    assert reasons(result) == {"tape": "a device"}


def test_what_may_not_be_read_is_skipped_and_reported(ws: Workspace, source: Path) -> None:
    (source / "secret").write_text("secret")
    (source / "locked").mkdir()
    (source / "locked" / "inside").touch()
    (source / "open").write_text("open")
    ws.write("/before", "")  # SQLite opens its other files as the one it runs as
    with unprivileged(source):
        (source / "secret").chmod(0)
        (source / "locked").chmod(0)
        result = ws.import_directory(source)
        (source / "locked").chmod(0o700)
    assert reasons(result) == {"locked": "permission denied", "secret": "permission denied"}
    assert tree_of(ws) == {"/before": "", "/open": "open"}


def test_a_source_that_may_not_be_read_is_an_error(ws: Workspace, source: Path) -> None:
    with unprivileged(source):
        source.chmod(0)
        with pytest.raises(PermissionDeniedError):
            ws.import_directory(source)
        source.chmod(0o700)


@pytest.mark.parametrize("planted", ["link", "fifo", "directory", "nothing"])
def test_a_file_that_is_swapped_after_it_was_listed_is_not_read(
    ws: Workspace, source: Path, place: Path, planted: str
) -> None:
    (place / "outside").write_text("outside")
    (source / "a").touch()
    (source / "b").write_text("text")

    def swap() -> None:
        (source / "b").unlink()
        if planted == "link":
            (source / "b").symlink_to(place / "outside")
        elif planted == "fifo":
            os.mkfifo(source / "b")
        elif planted == "directory":
            (source / "b").mkdir()

    result = ws.import_directory(source, progress=at(1, swap))
    why = "no such file or directory" if planted == "nothing" else "not a regular file"
    assert reasons(result) == {"b": why}
    assert tree_of(ws) == {"/a": ""}


def test_a_directory_that_is_swapped_for_a_link_is_not_followed(
    ws: Workspace, source: Path, place: Path
) -> None:
    (place / "outside").mkdir()
    (place / "outside" / "file").write_text("outside")
    (source / "a").touch()
    (source / "d").mkdir()

    def swap() -> None:
        (source / "d").rmdir()
        (source / "d").symlink_to(place / "outside")

    result = ws.import_directory(source, progress=at(1, swap))
    assert reasons(result) == {"d": "not a directory, or only a link to one"}
    assert tree_of(ws) == {"/a": ""}


@pytest.mark.parametrize("size", [0, 100, 3 * CHUNK_BYTES, 4 * CHUNK_BYTES])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    ws: Workspace, source: Path, size: int
) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 4 * CHUNK_BYTES)
    os.utime(path, ns=(1, 1))
    result = ws.import_directory(source, progress=at(0, lambda: path.write_bytes(b"n" * size)))
    assert result.skipped == ()
    assert ws.read_bytes("/large") == b"n" * size
    assert result.bytes == size


def test_a_file_that_grows_while_it_is_read_is_read_again(ws: Workspace, source: Path) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 4 * CHUNK_BYTES)

    def grow() -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    ws.import_directory(source, progress=at(0, grow))
    assert ws.read_bytes("/large") == b"o" * 4 * CHUNK_BYTES + b"more"


def test_a_file_that_never_stops_changing_is_skipped(ws: Workspace, source: Path) -> None:
    path = source / "large"
    path.write_bytes(b"o" * 2 * CHUNK_BYTES)
    (source / "steady").write_text("text")

    def grow(state: Progress) -> None:
        if not state.entries:
            with open(path, "ab") as file:
                file.write(b"more" * CHUNK_BYTES)

    result = ws.import_directory(source, progress=grow)
    assert reasons(result) == {"large": "it kept changing while it was read"}
    assert tree_of(ws) == {"/steady": "text"}


def test_a_file_with_less_than_it_says_is_not_taken_for_an_empty_one(ws: Workspace) -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc here")
    with pytest.raises(ConflictError, match="kept changing"):
        ws.import_directory("/proc/self/status", "/status")
    assert tree_of(ws) == {}


def test_a_single_file_that_may_not_be_read_is_an_error(ws: Workspace, source: Path) -> None:
    (source / "secret").write_text("secret")
    with unprivileged(source):
        (source / "secret").chmod(0)
        with pytest.raises(PermissionDeniedError):
            ws.import_directory(source / "secret")
    assert tree_of(ws) == {}


def test_the_database_of_an_open_workspace_is_not_opened(place: Path, source: Path) -> None:
    (source / "file").write_text("text")
    with (
        Workspace.open(source / "agent.db") as ws,
        Workspace.open(source / "other.db") as other,
    ):
        other.write("/something", "text")
        result = ws.import_directory(source, "/here")
        assert tree_of(ws, "/here") == {"/here/file": "text"}
        assert set(reasons(result)) >= {"agent.db", "agent.db-wal", "other.db", "other.db-wal"}
        assert set(reasons(result).values()) == {"it belongs to a workspace that is open"}


def test_only_the_first_of_many_skipped_entries_are_named(ws: Workspace, source: Path) -> None:
    for number in range(1001):
        os.mkfifo(source / f"{number:04}")
    result = ws.import_directory(source)
    assert (len(result.skipped), result.skipped_total) == (1000, 1001)


# Importing: all or nothing.


def test_an_exception_from_progress_undoes_the_import(ws: Workspace, source: Path) -> None:
    for name in "abc":
        (source / name).write_text(name)

    def stop(state: Progress) -> None:
        if state.entries == 2:
            raise KeyboardInterrupt

    revision = ws.files.revision()
    with pytest.raises(KeyboardInterrupt):
        ws.import_directory(source, "/new", progress=stop)
    assert tree_of(ws) == {}
    assert ws.files.revision() == revision


@pytest.mark.parametrize("size", [1, 4 * CHUNK_BYTES])
def test_an_error_of_the_caller_is_not_taken_for_one_of_the_host(
    ws: Workspace, source: Path, target: Path, size: int
) -> None:
    def stop(state: Progress) -> None:
        raise BrokenPipeError(errno.EPIPE, "the caller's")

    (source / "file").write_bytes(b"x" * size)
    with pytest.raises(BrokenPipeError, match="the caller's"):
        ws.import_directory(source, progress=stop)
    ws.import_directory(source)
    with pytest.raises(BrokenPipeError, match="the caller's"):
        ws.export_directory("/", target, progress=stop)
    assert not [name for name in os.listdir(target) if name.startswith(".vshell")]


def test_an_import_that_would_not_fit_changes_nothing(ws: Workspace, source: Path) -> None:
    ws.set_quota(10)
    (source / "a").write_text("123456")
    (source / "b").write_text("123456")
    with pytest.raises(QuotaExceededError):
        ws.import_directory(source)
    assert tree_of(ws) == {}


def test_a_large_file_that_would_not_fit_is_not_read_first(ws: Workspace, source: Path) -> None:
    ws.set_quota(CHUNK_BYTES)
    with open(source / "huge", "wb") as file:
        file.truncate(1 << 35)
    told: list[Progress] = []
    with pytest.raises(QuotaExceededError):
        ws.import_directory(source, progress=told.append)
    assert told == []


def test_a_file_may_take_the_room_of_what_it_replaces(ws: Workspace, source: Path) -> None:
    ws.set_quota(10)
    ws.write("/a", "12345678")
    ws.symlink("12", "/b")
    (source / "a").write_text("87654321")
    (source / "b").write_text("21")
    ws.import_directory(source)
    assert ws.usage().live_bytes == 10


def test_changing_the_workspace_during_an_import_is_a_conflict(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("a")
    with pytest.raises(ConflictError):
        ws.import_directory(source, progress=at(1, lambda: ws.write("/a", "mine")))
    assert tree_of(ws) == {}


def test_an_import_is_part_of_the_transaction_around_it(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("a")

    def both() -> None:
        with ws.transaction():
            ws.write("/b", "b")
            ws.import_directory(source)
            assert tree_of(ws) == {"/a": "a", "/b": "b"}
            raise LookupError

    with pytest.raises(LookupError):
        both()
    assert tree_of(ws) == {}


def test_an_import_is_one_revision_in_the_name_of_its_session(ws: Workspace, source: Path) -> None:
    ws.write("/replaced", "old")
    ws.mkdir("/d")
    ws.symlink("old", "/link")
    (source / "d").mkdir(mode=0o700)
    (source / "d" / "new").write_text("new")
    (source / "replaced").write_text("new")
    (source / "link").symlink_to("new")
    revision = ws.files.revision()
    ws.session("one").import_directory(source)
    changes = ws.changes(revision).changes
    assert {change.revision for change in changes} == {revision + 1}
    assert {(change.session, change.operation) for change in changes} == {("one", "import")}
    assert {(change.action, change.path) for change in changes} == {
        ("remove", "/link"),
        ("create", "/link"),
        ("create", "/d/new"),
        ("write", "/replaced"),
        ("attributes", "/d"),
        ("attributes", "/"),
    }


def test_progress_tells_entries_and_bytes(ws: Workspace, source: Path) -> None:
    (source / "a").write_text("12345")
    (source / "b").mkdir()
    (source / "b" / "c").write_text("123")
    told: list[Progress] = []
    ws.import_directory(source, progress=told.append)
    assert [(state.entries, state.total, state.bytes) for state in told] == [
        (1, None, 5),
        (2, None, 5),
        (3, None, 8),
    ]


def test_progress_goes_on_during_a_large_file(ws: Workspace, source: Path, target: Path) -> None:
    (source / "large").write_bytes(b"x" * 4 * CHUNK_BYTES)
    told: list[Progress] = []
    ws.import_directory(source, progress=told.append)
    sizes = [state.bytes for state in told]
    assert sizes == sorted(sizes)
    assert len(told) == 5
    told.clear()
    ws.export_directory("/", target, progress=told.append)
    assert [state.bytes // CHUNK_BYTES for state in told] == [1, 2, 3, 4]


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


# Exporting.


def test_a_directory_of_the_workspace_goes_into_the_target(ws: Workspace, target: Path) -> None:
    ws.write("/d/e/file", "text")
    ws.symlink("e/file", "/d/link")
    ws.write("/other", "other")
    result = ws.export_directory("/d", target / "made" / "too")
    assert (target / "made" / "too" / "link").read_text() == "text"
    assert (result.files, result.directories, result.symlinks, result.bytes) == (1, 1, 1, 4)
    assert sorted(os.listdir(target / "made" / "too")) == ["e", "link"]


@pytest.mark.parametrize("given", ["there", "there/", "new/", "name", "new/name"])
def test_a_single_file_is_exported_into_a_directory_or_to_exactly_a_path(
    ws: Workspace, place: Path, given: str
) -> None:
    (place / "there").mkdir()
    ws.write("/d/file", "text")
    ws.chmod("/d/file", 0o640)
    ws.utime("/d/file", mtime_ns=5)
    result = ws.export_directory("/d/file", f"{place}/{given}")
    found = place / given / "file" if given.startswith("there") or given[-1] == "/" else None
    status = os.stat(found or place / given)
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, 5)
    assert result.files == 1


def test_a_single_file_does_not_go_through_a_planted_link(ws: Workspace, place: Path) -> None:
    (place / "outside").write_text("outside")
    (place / "name").symlink_to("outside")
    ws.write("/file", "text")
    ws.export_directory("/file", place / "name")
    assert (place / "outside").read_text() == "outside"
    assert not (place / "name").is_symlink()


def test_a_source_that_is_missing_makes_no_target(ws: Workspace, target: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.export_directory("/missing", target)
    assert not target.exists()


def test_a_target_that_is_a_file_is_refused(ws: Workspace, target: Path) -> None:
    target.touch()
    ws.mkdir("/d")
    with pytest.raises((NotDirectoryError, ExistsError)) as caught:
        ws.export_directory("/d", target)
    assert str(target) not in str(caught.value)


def test_a_new_target_has_the_mode_of_the_source_and_an_old_one_keeps_its_own(
    ws: Workspace, place: Path
) -> None:
    ws.mkdir("/d", mode=0o750)
    (place / "old").mkdir(mode=0o700)
    ws.export_directory("/d", place / "old")
    ws.export_directory("/d", place / "new")
    assert stat.S_IMODE(os.stat(place / "old").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(place / "new").st_mode) == 0o750


def test_other_files_of_the_target_are_not_touched(ws: Workspace, target: Path) -> None:
    target.mkdir()
    (target / "other").write_text("other")
    (target / "d").mkdir()
    (target / "d" / "other").write_text("other")
    ws.write("/d/file", "text")
    ws.export_directory("/", target)
    assert (target / "other").read_text() == "other"
    assert sorted(os.listdir(target / "d")) == ["file", "other"]


def test_files_and_links_of_the_target_are_replaced(ws: Workspace, target: Path) -> None:
    target.mkdir()
    (target / "a").write_text("old")
    (target / "b").symlink_to("a")
    (target / "c").symlink_to("old")
    os.mkfifo(target / "d")
    ws.symlink("new", "/a")
    ws.write("/b", "new b")
    ws.symlink("new", "/c")
    ws.write("/d", "new d")
    ws.export_directory("/", target)
    assert os.readlink(target / "a") == os.readlink(target / "c") == "new"
    assert (target / "b").read_text() == "new b"
    assert (target / "d").read_text() == "new d"


def test_without_overwrite_an_existing_file_stops_everything(ws: Workspace, target: Path) -> None:
    (target / "d").mkdir(parents=True)
    (target / "d" / "z").write_text("old")
    ws.write("/a", "new")
    ws.write("/d/z", "new")
    with pytest.raises(ExistsError, match="d/z"):
        ws.export_directory("/", target, overwrite=False)
    assert os.listdir(target) == ["d"]
    assert (target / "d" / "z").read_text() == "old"


def test_without_overwrite_directories_are_merged(ws: Workspace, target: Path) -> None:
    (target / "d").mkdir(parents=True)
    ws.write("/d/new", "new")
    ws.export_directory("/", target, overwrite=False)
    assert (target / "d" / "new").read_text() == "new"


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o1777])
def test_special_bits_are_set_only_when_asked(ws: Workspace, place: Path, bits: int) -> None:
    ws.write("/file", "text")
    ws.chmod("/file", bits)
    ws.mkdir("/d", mode=bits)
    ws.export_directory("/", place / "plain")
    ws.export_directory("/", place / "special", special_bits=True)
    for name in ("file", "d"):
        assert stat.S_IMODE(os.stat(place / "plain" / name).st_mode) == bits & 0o777
        assert stat.S_IMODE(os.stat(place / "special" / name).st_mode) == bits


def test_locked_directories_are_written_and_written_again(ws: Workspace, place: Path) -> None:
    for name, mode in (("read-only", 0o555), ("locked", 0o000), ("blind", 0o311)):
        ws.write(f"/{name}/sub/file", "text")
        ws.chmod(f"/{name}/sub", mode)
        ws.chmod(f"/{name}", mode)
    (place / "mine").mkdir()
    with unprivileged(place / "mine"):
        for text in ("text", "new text"):
            ws.write("/read-only/sub/file", text)
            ws.write("/locked/sub/file", text)
            result = ws.export_directory("/", place / "mine" / "target")
            assert result.skipped == ()
    found = {}
    with HostTree.open(place / "mine" / "target") as tree:
        for name in ("read-only", "locked", "blind"):
            found[name] = stat.S_IMODE(tree.status(name).st_mode)
            tree.go(name, writable=True)
            found[f"{name}/sub"] = stat.S_IMODE(tree.status("sub").st_mode)
            tree.go(f"{name}/sub", writable=True)
            tree.go("")
    assert found == {
        "read-only": 0o555,
        "read-only/sub": 0o555,
        "locked": 0,
        "locked/sub": 0,
        "blind": 0o311,
        "blind/sub": 0o311,
    }
    assert (place / "mine" / "target" / "locked" / "sub" / "file").read_text() == "new text"


def test_hard_links_become_copies_where_the_host_has_none(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))

    ws.write("/a", "text")
    ws.link("/a", "/b")
    monkeypatch.setattr(os, "link", refuse)
    assert ws.export_directory("/", target).files == 2
    assert (target / "b").read_text() == "text"
    assert os.stat(target / "b").st_nlink == 1


def test_what_the_host_cannot_hold_is_skipped_and_reported(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.symlink("target", "/link")
    ws.write("/bad/inside", "text")
    ws.mkdir("/bad/directory")
    ws.write("/good", "text")
    make = os.mkdir

    def refuse(path: bytes, *arguments: Any, **options: Any) -> None:
        if path == b"bad":
            raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ))
        make(path, *arguments, **options)

    def refuse_link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "symlink", refuse_link)
    monkeypatch.setattr(os, "mkdir", refuse)
    result = ws.export_directory("/", target)
    assert set(reasons(result)) == {"link", "bad", "bad/inside", "bad/directory"}
    assert os.listdir(target) == ["good"]


def test_a_full_disk_is_an_error_and_leaves_no_half_file(
    ws: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/file", "text")

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(UnavailableError, match="no space left") as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/file"
    assert os.listdir(target) == []


def test_what_is_exported_is_the_state_at_the_beginning(place: Path, target: Path) -> None:
    with Workspace.open(place / "agent.db") as ws, Workspace.open(place / "agent.db") as other:
        for name in "abc":
            ws.write(f"/{name}", "old")

        def change() -> None:
            other.write("/c", "new")
            other.rm("/b")

        ws.export_directory("/", target, progress=at(1, change))
        assert [(target / name).read_text() for name in "abc"] == ["old"] * 3
        assert ws.read_text("/c") == "new"


def test_progress_tells_how_many_entries_there_are(ws: Workspace, target: Path) -> None:
    ws.write("/d/file", "12345")
    ws.symlink("x", "/link")
    told: list[Progress] = []
    ws.export_directory("/", target, progress=told.append)
    assert [(state.entries, state.total, state.bytes) for state in told] == [
        (1, 3, 0),
        (2, 3, 5),
        (3, 3, 5),
    ]


# Exporting: what somebody planted.


@pytest.mark.parametrize("link", ["../outside", "/absolute", ".", "missing", "d"])
def test_a_link_where_a_directory_goes_is_refused_before_anything_is_written(
    ws: Workspace, place: Path, target: Path, link: str
) -> None:
    outside = place / "outside"
    outside.mkdir()
    target.mkdir()
    (target / "d").symlink_to(outside if link == "/absolute" else link)
    ws.write("/a", "text")
    ws.write("/d/file", "text")
    with pytest.raises(NotDirectoryError) as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/d"
    assert os.listdir(target) == ["d"]
    assert os.listdir(outside) == []


def test_a_directory_where_a_file_goes_is_refused_before_anything_is_written(
    ws: Workspace, target: Path
) -> None:
    (target / "z").mkdir(parents=True)
    ws.write("/a", "text")
    ws.write("/z", "text")
    with pytest.raises(IsDirectoryError) as caught:
        ws.export_directory("/", target)
    assert caught.value.filename == "/z"
    assert os.listdir(target) == ["z"]


@pytest.mark.parametrize("kind", ["symlink", "hard link"])
def test_a_planted_link_where_a_file_goes_is_replaced_and_not_written_through(
    ws: Workspace, place: Path, target: Path, kind: str
) -> None:
    outside = place / "outside"
    outside.write_text("outside")
    outside.chmod(0o600)
    target.mkdir()
    if kind == "symlink":
        (target / "file").symlink_to(outside)
    else:
        os.link(outside, target / "file")
    before = os.stat(outside)
    ws.write("/file", "text")
    ws.chmod("/file", 0o777)
    ws.export_directory("/", target)
    after = os.stat(outside)
    assert outside.read_text() == "outside"
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert (target / "file").read_text() == "text"


@pytest.mark.parametrize("entries", [1, 2, 3, 4])
def test_a_target_that_is_swapped_for_a_link_leads_nobody_outside(
    ws: Workspace, place: Path, target: Path, entries: int
) -> None:
    outside = place / "outside"
    (outside / "e").mkdir(parents=True)
    for path in ("/d/a", "/d/b", "/d/e/c", "/d/e/f", "/d/g"):
        ws.write(path, "text")
        ws.chmod(path, 0o777)
    before = picture(outside)

    def swap() -> None:
        (target / "d").rename(target / "moved")
        (target / "d").symlink_to(outside)

    ws.export_directory("/d", target / "d", progress=at(entries, swap))
    assert picture(outside) == before
    assert (target / "moved" / "g").read_text() == "text"


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 6])
def test_a_swapped_directory_does_not_pass_its_attributes_to_what_the_link_leads_to(
    ws: Workspace, place: Path, target: Path, entries: int
) -> None:
    outside = place / "outside"
    (outside / "e").mkdir(parents=True)
    for path in ("/d/a", "/d/b", "/d/e/c", "/d/e/f", "/z/g"):
        ws.write(path, "text")
    for path in ("/d", "/d/e"):
        ws.chmod(path, 0o777)
    before = picture(outside)

    def swap() -> None:
        (target / "d").rename(target / "moved")
        (target / "d").symlink_to(outside)

    with pytest.raises(NotDirectoryError):
        ws.export_directory("/", target, progress=at(entries, swap))
    assert picture(outside) == before


def test_a_name_that_appears_during_the_export_is_not_taken_over(
    ws: Workspace, target: Path
) -> None:
    """So it also is when the host takes `A` and `a` for one name."""
    ws.write("/a", "a")
    ws.write("/b", "b")
    with pytest.raises(ExistsError) as caught:
        ws.export_directory(
            "/", target, progress=at(1, lambda: (target / "b").write_text("theirs"))
        )
    assert caught.value.filename == "/b"
    assert (target / "b").read_text() == "theirs"


@pytest.mark.parametrize(
    "name", [b"..", b".", b"", b"../../escaped", b"/escaped", b"x/../../../escaped", b"a\0b"]
)
def test_impossible_names_of_a_hostile_workspace_are_refused(
    place: Path, target: Path, name: bytes
) -> None:
    with Workspace.open(place / "agent.db") as ws:
        ws.write("/d/file", "text")
    connection = apsw.Connection(str(place / "agent.db"))
    connection.execute("update entry set name = ? where name = ?", (name, b"file"))
    connection.close()
    with Workspace.open(place / "agent.db") as ws, pytest.raises(CorruptError):
        ws.export_directory("/", target)
    assert not target.exists()
    assert not (place / "escaped").exists()


# Exporting: what is deleted.


def test_delete_removes_what_the_source_does_not_have(
    ws: Workspace, place: Path, target: Path
) -> None:
    (place / "outside").mkdir()
    (place / "outside" / "kept").touch()
    (target / "d" / "gone").mkdir(parents=True)
    (target / "d" / "gone" / "file").touch()
    (target / "gone").symlink_to(place / "outside")
    ws.write("/d/file", "text")
    ws.utime("/d", mtime_ns=5)
    result = ws.export_directory("/", target, delete=True)
    assert sorted(picture(target)) == ["", "d", "d/file"]
    assert os.listdir(place / "outside") == ["kept"]
    assert os.stat(target / "d").st_mtime_ns == 5
    assert result.removed == 3


def test_delete_replaces_what_is_of_another_kind(ws: Workspace, place: Path, target: Path) -> None:
    (place / "outside").mkdir()
    (target / "file" / "inside").mkdir(parents=True)
    (target / "d").symlink_to(place / "outside")
    ws.write("/file", "text")
    ws.write("/d/inside", "text")
    ws.export_directory("/", target, delete=True)
    assert (target / "file").read_text() == "text"
    assert not (target / "d").is_symlink()
    assert (target / "d" / "inside").read_text() == "text"
    assert os.listdir(place / "outside") == []


def test_delete_with_a_single_file_is_refused(ws: Workspace, target: Path) -> None:
    ws.write("/file", "text")
    with pytest.raises(NotDirectoryError):
        ws.export_directory("/file", target, delete=True)
    assert not target.exists()


def test_delete_never_removes_an_open_workspace(target: Path) -> None:
    (target / "d").mkdir(parents=True)
    (target / "d" / "gone").touch()
    with Workspace.open(target / "d" / "agent.db") as ws, Workspace.open(target / "b.db") as other:
        ws.write("/file", "text")
        other.write("/file", "text")
        result = ws.export_directory("/", target, delete=True)
        assert {"b.db", "d"} <= set(reasons(result))
        assert not (target / "d" / "gone").exists()
        assert (target / "d" / "agent.db").exists()
        assert (target / "file").read_text() == "text"


def test_an_open_workspace_is_not_overwritten(target: Path) -> None:
    target.mkdir()
    with Workspace.open(target / "agent.db") as ws:
        ws.write("/agent.db", "text")
        with pytest.raises(PermissionDeniedError):
            ws.export_directory("/", target)
        assert ws.read_text("/agent.db") == "text"


@pytest.mark.parametrize("root", ["/", "//", "/..", "/./", "/usr/.."])
def test_the_root_of_the_host_is_no_target(ws: Workspace, root: str) -> None:
    # The workspace is empty: were this not refused, nothing would be written.
    with pytest.raises(PermissionDeniedError):
        ws.export_directory("/", root)


def test_a_link_that_is_the_way_to_a_directory_is_not_replaced_by_a_file(
    ws: Workspace, target: Path
) -> None:
    (target / "real").mkdir(parents=True)
    (target / "way").symlink_to("real")
    ws.write("/way", "file")
    with pytest.raises(IsDirectoryError):
        ws.export_directory("/", target)
    assert (target / "way").is_symlink()
    ws.export_directory("/", target, delete=True)
    assert (target / "way").read_text() == "file"
