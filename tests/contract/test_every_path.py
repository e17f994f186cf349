"""Every operation on every sort of path: a workspace answers as a real directory does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.backends import (
    Backend,
    DirectoryBackend,
    NotComparableError,
    WorkspaceBackend,
    outcome,
    same_files,
    tree,
)

# One of every sort, and every way to fail.
PATHS = [
    "/",
    "/file",
    "/twin",
    "/empty",
    "/full",
    "/full/file",
    "/full/inner",
    "/to-file",
    "/to-empty",
    "/to-full",
    "/to-link",
    "/absolute",
    "/full/up",
    "/full/here",
    "/dangling",
    "/dangling-deep",
    "/loop",
    "/missing",
    "/missing/below",
    "/file/below",
    "/to-file/below",
    "/dangling/below",
    "/loop/below",
    "/empty/new",
    "/to-full/file",
    "/to-full/new",
    "/full/up/file",
    "/full/here/new",
    "/full/inner/../file",
    "/to-full/../file",
    "/to-full/inner/..",
    "/full/..",
    "/..",
    "/missing/..",
    "/missing/../file",
    "/file/..",
    "/loop/..",
    "/full/new/../file",
    "/" + "n" * 255,
    "/" + "n" * 256,
    "/full/" + "é" * 128,
    "/\udcff\n",
]


def furnish(backend: Backend) -> None:
    backend.write("/file", b"content")
    backend.link("/file", "/twin")
    backend.mkdir("/empty", 0o700)
    backend.mkdir("/full")
    backend.write("/full/file", b"other content")
    backend.mkdir("/full/inner")
    backend.symlink("file", "/to-file")
    backend.symlink("empty", "/to-empty")
    backend.symlink("full", "/to-full")
    backend.symlink("to-file", "/to-link")
    backend.symlink("/full/inner", "/absolute")
    backend.symlink("..", "/full/up")
    backend.symlink(".", "/full/here")
    backend.symlink("nowhere", "/dangling")
    backend.symlink("nowhere/deep", "/dangling-deep")
    backend.symlink("loop", "/loop")
    backend.write("/\udcff\n", b"odd name")


UNARY: dict[str, Callable[[Backend, str], object]] = {
    "stat": lambda backend, path: backend.stat(path),
    "lstat": lambda backend, path: backend.lstat(path),
    "exists": lambda backend, path: backend.exists(path),
    "read": lambda backend, path: backend.read(path),
    "read a range": lambda backend, path: backend.read(path, 2, 3),
    "write": lambda backend, path: backend.write(path, b"written"),
    "write nothing": lambda backend, path: backend.write(path, b""),
    "create": lambda backend, path: backend.create(path, b"created"),
    "append": lambda backend, path: backend.append(path, b"appended"),
    "append nothing": lambda backend, path: backend.append(path, b""),
    "pwrite": lambda backend, path: backend.pwrite(path, 3, b"in the middle"),
    "pwrite behind the end": lambda backend, path: backend.pwrite(path, 50, b"x"),
    "pwrite nothing": lambda backend, path: backend.pwrite(path, 50, b""),
    "truncate": lambda backend, path: backend.truncate(path, 3),
    "extend": lambda backend, path: backend.truncate(path, 30),
    "mkdir": lambda backend, path: backend.mkdir(path, 0o711),
    "rmdir": lambda backend, path: backend.rmdir(path),
    "unlink": lambda backend, path: backend.unlink(path),
    "symlink": lambda backend, path: backend.symlink("anything", path),
    "readlink": lambda backend, path: backend.readlink(path),
    "realpath": lambda backend, path: backend.realpath(path),
    "chmod": lambda backend, path: backend.chmod(path, 0o751),
    "utime": lambda backend, path: backend.utime(path, 1_000_000_007),
    "listdir": lambda backend, path: backend.listdir(path),
}
BINARY: dict[str, Callable[[Backend, str, str], object]] = {
    "rename": lambda backend, source, path: backend.rename(source, path),
    "link": lambda backend, source, path: backend.link(source, path),
}


class _UndoneError(Exception):
    """Takes a workspace back to how it was furnished."""


class Pair:
    """A workspace and a directory with the same in them."""

    def __init__(self, workspace: WorkspaceBackend, parent: Path) -> None:
        self._workspace = workspace
        self._parent = parent
        self._numbers = itertools.count()
        self._directory = self._new_directory()
        self.compared = 0
        furnish(workspace)

    def _new_directory(self) -> DirectoryBackend:
        directory = DirectoryBackend(self._parent / f"directory-{next(self._numbers)}")
        furnish(directory)
        return directory

    def compare(self, work: Callable[[Backend], object]) -> None:
        """Do something in both, see that it came to the same, and undo it."""
        directory = self._directory
        try:
            expected = outcome(lambda: work(directory))
        except NotComparableError:
            return
        try:
            with self._workspace.files.transaction():
                assert outcome(lambda: work(self._workspace)) == expected
                left, right = tree(self._workspace), tree(directory)
                assert left == right
                paths = list(left)
                assert same_files(self._workspace, paths) == same_files(directory, paths)
                raise _UndoneError
        except _UndoneError:
            self.compared += 1
        if expected == (None, None):  # something was changed
            self._directory = self._new_directory()


@pytest.fixture
def pair(workspace: WorkspaceBackend, directory: DirectoryBackend, tmp_path: Path) -> Pair:
    return Pair(workspace, tmp_path)


@pytest.mark.parametrize("name", UNARY)
def test_an_operation_answers_alike_on_every_path(pair: Pair, name: str) -> None:
    for path in PATHS:
        pair.compare(lambda backend, path=path: UNARY[name](backend, path))  # type: ignore[misc]
    assert pair.compared >= len(PATHS) - 7


@pytest.mark.parametrize("source", PATHS)
@pytest.mark.parametrize("name", BINARY)
def test_an_operation_answers_alike_on_every_pair_of_paths(
    pair: Pair, name: str, source: str
) -> None:
    for path in PATHS:
        pair.compare(lambda backend, path=path: BINARY[name](backend, source, path))  # type: ignore[misc]
