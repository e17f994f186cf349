"""A synchronisation that is killed at any step, and what the next one makes of it.

Every system call that changes the mirror and every statement that changes the database is a
point at which the process can die. One run counts the points; others die at one of them.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from tests.processes import Child
from tests.sync.trees import Shown, workspace_tree
from vshell import Workspace
from vshell.fs.database import Database
from vshell.sync import places

Tree = dict[str, Shown]

_CALLS = ("open", "write", "rename", "unlink", "rmdir", "mkdir", "symlink", "fchmod", "utime")


class Scene:
    """A workspace and a mirror that agreed once, and that both were edited since."""

    def __init__(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        self.database = place / "workspace.db"
        self.root = place / "mirror"
        with Workspace.open(self.database) as ws:
            for name in ("a", "b", "d/e", "d/f", "gone/x", "both", "big"):
                ws.write(f"/{name}", f"{name}: base")
            ws.mirror(self.root).sync()
            self._edit_workspace(ws)
            self._edit_mirror()
            self.before = workspace_tree(ws)

    def _edit_workspace(self, ws: Workspace) -> None:
        ws.write("/a", "by the workspace")
        ws.write("/new/deep/file", "new")
        ws.write("/big", bytes(range(256)) * 3000)
        ws.rm("/gone", recursive=True)
        ws.rm("/d/f")
        ws.write("/d/f/is/a/directory", "now")
        ws.symlink("a", "/link")
        ws.chmod("/d/e", 0o755)
        ws.write("/both", "mine")

    def _edit_mirror(self) -> None:
        (self.root / "b").write_text("by the mirror")
        (self.root / "theirs").mkdir()
        (self.root / "theirs/file").write_text("theirs")
        (self.root / "theirs/large").write_bytes(bytes(range(255)) * 2000)
        (self.root / "both").write_text("theirs")

    def synchronise(self) -> None:
        with Workspace.open(self.database) as ws:
            ws.mirror(self.root).sync()

    def workspace(self) -> Tree:
        with Workspace.open(self.database) as ws:
            return workspace_tree(ws)


def count_points(scene: Scene) -> int:
    """Synchronise in another process; return at how many points it could have died."""
    counted: int = Child(lambda: _armed(scene, None)).result()
    return counted


def die_at(scene: Scene, point: int) -> None:
    """Synchronise in another process that dies at a point."""
    child = Child(lambda: _armed(scene, point))
    os.waitpid(child.id, 0)
    os.close(child._output)


def _armed(scene: Scene, point: int | None) -> int:
    reached = 0

    def pass_point() -> None:
        nonlocal reached
        reached += 1
        if reached == point:
            _die()

    def armed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            pass_point()
            return function(*arguments, **options)

        return call

    for name in _CALLS:
        setattr(os, name, armed(getattr(os, name)))
    places._rename = armed(places._rename)
    for method in ("run", "run_many", "commit", "begin"):
        setattr(Database, method, armed(getattr(Database, method)))
    scene.synchronise()
    return reached


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody lives here")
