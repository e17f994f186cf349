"""A scripted day in a workspace, the same to the last row whenever it is run."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.faults.faulty import FaultPlan, intercept_shared_locks
from tests.faults.kept import NOW_NS, keep_run, keep_shell_line
from tests.fs.workspaces import dump
from vshell.fs import lineage
from vshell.fs.database import Durability
from vshell.ops.edit import edit
from vshell.workspace import Workspace

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Scene:
    """A directory of the host with a workspace in it, and what is to be imported.

    Attributes:
        directory: The directory.
        plan: The faults.
        durability: How the workspace is opened.
        lock_timeout_s: The same.
    """

    directory: Path
    plan: FaultPlan
    durability: Durability = "power"
    lock_timeout_s: float = 0.05
    opened: Workspace | None = None

    @property
    def path(self) -> Path:
        return self.directory / "agent.db"

    @property
    def workspace(self) -> Workspace:
        assert self.opened is not None
        return self.opened

    def open(self) -> None:
        self.opened = Workspace.open(
            self.path,
            durability=self.durability,
            lock_timeout_s=self.lock_timeout_s,
            now=lambda: NOW_NS,
        )
        database = self.opened.files.store.database
        # SQLite's own copying of the log into the database is to happen often.
        database._connection.wal_autocheckpoint(40)
        if self.plan.fault is None or self.plan.fault.call == "shared lock":
            intercept_shared_locks(self.opened, self.plan)

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def abandon(self) -> None:
        """Close what is open without faults, however often it takes."""
        if self.opened is not None and not self.opened.closed:
            self.opened.close()

    def remove(self) -> None:
        """Remove the workspace and what belongs to it."""
        self.abandon()
        self.opened = None
        for path in self.directory.glob("*agent.db*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def state(self) -> Rows | None:
        """Return all rows that are committed, as another connection sees them."""
        with self.plan.off():
            return dump(self.path) if self.path.exists() and self.path.stat().st_size else None


Step = Callable[[Scene], object]
FORKS_OWN_TABLES: Final = frozenset({"setting", "snapshot_entry", "snapshot_inode"})
"""In which a fork of the present differs: they say what it is a fork of."""

SMALL: Final = "".join(f"line {number}\n" for number in range(8))
LARGE: Final = random.Random(1).randbytes(270_000)


def _transaction(scene: Scene) -> None:
    workspace = scene.workspace
    with workspace.transaction():
        workspace.write("/a/first", "1")
        workspace.write("/a/second", "2")
        workspace.rm("/a/renamed")


def _read(scene: Scene) -> None:
    workspace = scene.workspace
    assert workspace.read_bytes("/large") == LARGE[:266_000] + b"patch" + LARGE[266_005:]
    assert workspace.read_text("/a/first") == "1"
    assert [entry.name for entry in workspace.ls("/a").entries] == ["first", "linked", "second"]


def _identify(scene: Scene) -> None:
    # What chance would choose when it is forked first.
    lineage.ensure_workspace_id(scene.workspace.files, "the day's")


def _backup(scene: Scene) -> None:
    with _copy_beside(scene, frozenset()) as target:
        scene.workspace.backup(target)


def _fork(scene: Scene) -> None:
    with _copy_beside(scene, FORKS_OWN_TABLES) as target:
        scene.workspace.fork(target).close()


def _fork_of_past(scene: Scene) -> None:
    with _copy_beside(scene, None) as target:
        scene.workspace.fork(target, at="first").close()


@contextmanager
def _copy_beside(scene: Scene, apart: frozenset[str] | None) -> Iterator[Path]:
    """Yield where to put a copy; in the end it must be whole or missing.

    Args:
        scene: The scene.
        apart: The tables in which it differs; None: it is of another state.
    """
    target = scene.directory / "copy of agent.db"
    try:
        yield target
    finally:
        with scene.plan.off():
            if target.exists() and not _is_whole(target, scene.path, apart):
                raise AssertionError("the copy is neither whole nor missing")
            for path in scene.directory.glob("*copy of agent.db*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_whole(copy: Path, original: Path, apart: frozenset[str] | None) -> bool:
    with Workspace.open(copy, create=False) as workspace:
        if not workspace.check().ok:
            return False
        if apart is None:
            return not workspace.compare("first").changes
    rows, others = dump(copy), dump(original)
    return all(rows[table] == others[table] for table in rows if table not in apart)


def _edit(scene: Scene) -> None:
    edit(scene.workspace, "/a/small", {"old": "line 3", "new": "edited"})


def _write_at(scene: Scene) -> None:
    workspace = scene.workspace
    with workspace.changing("write_at"):
        workspace.files.write_at("/large", 266_000, b"patch")


def _import(scene: Scene) -> None:
    source = scene.directory / "source"
    if not source.exists():
        make_source(source)
    scene.workspace.import_directory(source, "/imported")


def make_source(source: Path) -> None:
    """Make a small tree of the host, always the same."""
    (source / "below").mkdir(parents=True)
    for name, data in (("one", b"one"), ("below/two", b"two"), ("below/more", LARGE[:9000])):
        (source / name).write_bytes(data)
    for path in (source / "one", source / "below/two", source / "below/more", source / "below"):
        path.chmod(0o750)
        os.utime(path, ns=(NOW_NS, NOW_NS))
    source.chmod(0o755)
    os.utime(source, ns=(NOW_NS, NOW_NS))


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("create", Scene.open),
    ("write small", lambda scene: scene.workspace.write("/a/small", SMALL)),
    ("write large", lambda scene: scene.workspace.write("/large", LARGE)),
    ("snapshot", lambda scene: scene.workspace.snapshot("first")),
    ("edit", _edit),
    ("write at", _write_at),
    ("rename", lambda scene: scene.workspace.mv("/a/small", "/a/renamed")),
    ("link", lambda scene: scene.workspace.link("/a/renamed", "/a/linked")),
    ("transaction", _transaction),
    ("reopen", Scene.reopen),
    ("read", _read),
    ("import", _import),
    ("index", lambda scene: scene.workspace.index()),
    ("shell line", lambda scene: keep_shell_line(scene.workspace, "shell", LARGE[:5000])),
    ("kept run", lambda scene: keep_run(scene.workspace, "run", "running")),
    ("merge of the index", lambda scene: scene.workspace.index()),
    ("vacuum", lambda scene: scene.workspace.vacuum()),
    ("backup", _backup),
    ("name", _identify),
    ("fork", _fork),
    ("fork of the past", _fork_of_past),
    ("remove tree", lambda scene: scene.workspace.rm("/imported", recursive=True)),
    ("undo", lambda scene: scene.workspace.undo()),
    ("redo", lambda scene: scene.workspace.redo()),
    ("restore", lambda scene: scene.workspace.restore("first")),
    ("forget", lambda scene: scene.workspace.delete_snapshot("first")),
    ("gc", lambda scene: scene.workspace.gc(keep_revisions=2)),
    ("vacuum again", lambda scene: scene.workspace.vacuum()),
    ("close", Scene.close),
)


def copy_files(source: Path, target: Path) -> None:
    """Copy a workspace as it is on the disk, as if its process had just been killed."""
    for path in source.glob("agent.db*"):
        if not path.name.endswith("-shm"):
            shutil.copyfile(path, target / path.name)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory for databases, in memory where the host has it: only the calls count."""
    shared = "/dev/shm"
    parent = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="vshell-faults-", dir=parent) as directory:
        yield Path(directory)
