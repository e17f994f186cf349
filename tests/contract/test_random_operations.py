"""A workspace and a real directory, driven by the same random operations."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.contract.backends import (
    Backend,
    DirectoryBackend,
    NotComparableError,
    WorkspaceBackend,
    outcome,
    same_files,
    tree,
)
from tests.fs.workspaces import Clock
from vshell.fs.check import check
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES, INLINE_BYTES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="error numbers are compared with Linux's"),
]

# Few names, so that operations meet what others left.
NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
# A third of the paths goes up somewhere.
UPWARDS = st.tuples(PATHS, PATHS).map("/..".join)
ANY_PATHS = PATHS | PATHS | UPWARDS
# `..` only in front: it never follows a name that may be missing (see `DirectoryBackend`).
TARGETS = PATHS | st.tuples(st.lists(st.just(".."), max_size=2), st.lists(NAMES, max_size=2)).map(
    lambda parts: "/".join([*parts[0], *parts[1]]) or "."
)
CONTENTS = st.binary(max_size=20) | st.sampled_from(
    [b"", b"x" * INLINE_BYTES, b"y" * (INLINE_BYTES + 1), bytes(2 * CHUNK_BYTES)]
)
OFFSETS = st.integers(0, 30) | st.sampled_from(
    [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]
)
FILE_MODES = st.sampled_from([0o600, 0o644, 0o755, 0o777])
DIRECTORY_MODES = st.sampled_from([0o700, 0o755, 0o777])
# Long before any clock of this test, so that a time that was set can be told from one that passed.
TIMES = st.sampled_from([0, 1_000_000_000, 999_999_999_000_000_007])
FIRST_CLOCK_NS = 1_500_000_000_000_000_000

PROBES = [
    *(f"/{name}" for name in "abc"),
    *(f"/{name}/{other}" for name in "abc" for other in "abc"),
    *(f"/{name}/../{other}" for name in "abc" for other in "abc" if name != other),
]
EXAMPLES = 2000 if os.environ.get("VSHELL_HYPOTHESIS") == "explore" else 60

Work = Callable[[Backend], object]


@st.composite
def works(draw: st.DrawFn) -> Work:
    """One operation with its arguments."""
    path, other = draw(ANY_PATHS), draw(ANY_PATHS)
    data, offset = draw(CONTENTS), draw(OFFSETS)
    kinds: dict[str, Work] = {
        "write": lambda backend: backend.write(path, data),
        "create": lambda backend: backend.create(path, data),
        "append": lambda backend: backend.append(path, data),
        "pwrite": lambda backend: backend.pwrite(path, offset, data),
        "truncate": lambda backend: backend.truncate(path, offset),
        "rmdir": lambda backend: backend.rmdir(path),
        "unlink": lambda backend: backend.unlink(path),
        "rename": lambda backend: backend.rename(path, other),
        "link": lambda backend: backend.link(path, other),
        "readlink": lambda backend: backend.readlink(path),
        "realpath": lambda backend: backend.realpath(path),
        "listdir": lambda backend: backend.listdir(path),
        "stat": lambda backend: backend.stat(path),
        "lstat": lambda backend: backend.lstat(path),
        "read": lambda backend: backend.read(path, offset, 10),
    }
    changing = ["mkdir", "mkdir", "symlink", "rename", "rename", "link", "write"]
    kind = draw(st.sampled_from([*kinds, *changing, "chmod", "utime"]))
    if kind == "mkdir":
        mode = draw(DIRECTORY_MODES)
        return lambda backend: backend.mkdir(path, mode)
    if kind == "symlink":
        target = draw(TARGETS)
        return lambda backend: backend.symlink(target, path)
    if kind == "chmod":
        file_mode = draw(FILE_MODES)
        return lambda backend: _chmod(backend, path, file_mode)
    if kind == "utime":
        time_ns = draw(TIMES)
        return lambda backend: backend.utime(path, time_ns)
    return kinds[kind]


def _chmod(backend: Backend, path: str, mode: int) -> None:
    """Set a mode that leaves the owner, who may not be root, what the directory needs."""
    backend.chmod(path, mode | (0o700 if backend.stat(path).kind == "directory" else 0))


class _UndoneError(Exception):
    pass


class TwoStores(RuleBasedStateMachine):
    """What one store answers, the other answers, whatever happened before."""

    def __init__(self) -> None:
        super().__init__()
        self._umask = os.umask(0)
        self._parent = Path(tempfile.mkdtemp())
        self._clock = Clock(FIRST_CLOCK_NS)
        self.directory = DirectoryBackend(self._parent / "directory")
        self.workspace = WorkspaceBackend(self._open())
        # A second connection, whose caches must never show what is not there any more.
        self.other = WorkspaceBackend(self._open())
        for backend in (self.directory, self.workspace):
            backend.mkdir("/a")  # the root of a new workspace has no time yet
            backend.mkdir("/b")
            backend.mkdir("/a/b")
            backend.write("/b/c", b"text")
            backend.symlink("a", "/c")

    def _open(self) -> FileSystem:
        return FileSystem(str(self._parent / "agent.db"), now=self._clock)

    def _compare(self, work: Work) -> None:
        try:
            expected = outcome(lambda: work(self.directory))
        except NotComparableError:
            return
        assert outcome(lambda: work(self.workspace)) == expected

    @rule(work=works())
    def do(self, work: Work) -> None:
        self._compare(work)

    @rule(several=st.lists(works(), min_size=2, max_size=5))
    def do_in_one_transaction(self, several: list[Work]) -> None:
        with self.workspace.files.transaction():
            for work in several:
                self._compare(work)

    @rule(undone=st.lists(works(), max_size=5), kept=works())
    def undo_in_the_middle_of_a_transaction(self, undone: list[Work], kept: Work) -> None:
        with self.workspace.files.transaction():
            self._do_and_undo(undone)
            self._compare(kept)

    @rule(undone=st.lists(works(), max_size=5))
    def undo(self, undone: list[Work]) -> None:
        self._do_and_undo(undone)

    def _do_and_undo(self, undone: list[Work]) -> None:
        try:
            with self.workspace.files.transaction():
                for work in undone:
                    outcome(lambda work=work: work(self.workspace))  # type: ignore[misc]
                raise _UndoneError
        except _UndoneError:
            pass

    @rule()
    def reopen(self) -> None:
        self.workspace.files.close()
        self.workspace = WorkspaceBackend(self._open())

    @rule()
    def use_the_other_connection(self) -> None:
        self.workspace, self.other = self.other, self.workspace

    @invariant()
    def every_short_path_leads_where_it_should(self) -> None:
        # Asked at each step, so that what the caches hold is old at the next.
        for path in PROBES:
            found = outcome(lambda path=path: self.workspace.files.stat(path))  # type: ignore[misc]
            assert outcome(lambda path=path: self.other.files.stat(path)) == found  # type: ignore[misc]
            try:
                expected = outcome(lambda path=path: self.directory.stat(path))  # type: ignore[misc]
            except NotComparableError:
                continue
            assert outcome(lambda path=path: self.workspace.stat(path)) == expected  # type: ignore[misc]

    def teardown(self) -> None:
        try:
            self._compare_everything()
        finally:
            self.workspace.files.close()
            self.other.files.close()
            shutil.rmtree(self._parent)
            os.umask(self._umask)

    def _compare_everything(self) -> None:
        expected = tree(self.directory)
        assert tree(self.workspace) == expected
        assert tree(self.other) == expected
        paths = list(expected)
        assert same_files(self.workspace, paths) == same_files(self.directory, paths)
        self._compare_times(["/", *paths])
        assert check(self.workspace.files.store) == []

    def _compare_times(self, paths: list[str]) -> None:
        times = sorted(
            (self.directory.mtime_ns(path), self.workspace.mtime_ns(path)) for path in paths
        )
        # A time that was set stays until something changes; what changed later is later.
        for theirs, ours in times:
            if theirs < FIRST_CLOCK_NS or ours < FIRST_CLOCK_NS:
                assert ours == theirs
        for theirs, ours in times:
            assert all(ours >= earlier for before, earlier in times if before < theirs)


TwoStores.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=30)


TestTwoStores = TwoStores.TestCase
