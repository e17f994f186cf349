"""What archives are made of in tests, and how what comes of them is looked at."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from vshell.limits import INLINE_BYTES
from vshell.ops.find import FoundEntry
from vshell.workspace import Workspace

SECOND = 10**9


TIME = 1_700_000_001 * SECOND + 123_456_789


ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip", ".sqlar")


LARGE = bytes(range(256)) * 1500 + os.urandom(INLINE_BYTES)


each_ending = pytest.mark.parametrize("ending", ENDINGS)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is missing")


def below(ws: Workspace) -> list[FoundEntry]:
    return [entry for entry in ws.find("/").entries if entry.path != "/"]


def fill(ws: Workspace) -> None:
    ws.mkdir("/empty")
    ws.mkdir("/deep/er/est", parents=True)
    ws.write("/deep/er/est/file.txt", "text\n" * 50)
    ws.write("/nothing", b"")
    ws.write("/grün ✓", b"\0\1\2")
    ws.write("/large", LARGE)
    ws.write("/" + "n" * 150, "long name")
    ws.write("/tool", "#!/bin/sh\n")
    ws.chmod("/tool", 0o750)
    ws.chmod("/deep/er", 0o700)
    ws.symlink("deep/er/est/file.txt", "/link")
    ws.symlink("/nowhere/ü", "/dangling")
    for number, entry in enumerate(below(ws)):
        ws.utime(entry.path, mtime_ns=TIME + number * 7 * SECOND, follow=False)


def shown(ws: Workspace, *, precision_ns: int = 1) -> dict[str, tuple[Any, ...]]:
    found = {}
    for entry in below(ws):
        status = ws.lstat(entry.path)
        content: bytes | str = b""
        if status.kind == "file":
            content = ws.read_bytes(entry.path)
        elif status.kind == "symlink":
            content = ws.readlink(entry.path)
        found[entry.path] = (
            status.kind,
            0 if status.kind == "symlink" else status.mode,
            status.mtime_ns // precision_ns,
            content,
        )
    return found


def on_host(top: Path) -> dict[str, tuple[Any, ...]]:
    """What is below a directory of the host, as `shown` says it with times in seconds."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in top.rglob("*"):
        status = path.lstat()
        mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns // SECOND
        name = "/" + str(path.relative_to(top))
        if path.is_symlink():
            found[name] = ("symlink", 0, mtime, os.readlink(path))
        elif path.is_dir():
            found[name] = ("directory", mode, mtime, b"")
        else:
            found[name] = ("file", mode, mtime, path.read_bytes())
    return found


def without_link_times(found: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {
        path: (kind, mode, 0 if kind == "symlink" else mtime, content)
        for path, (kind, mode, mtime, content) in found.items()
    }


def make_host_tree(top: Path) -> None:
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "sub" / "a.txt").write_text("text\n" * 100)
    (top / "large").write_bytes(LARGE)
    (top / "nothing").write_bytes(b"")
    (top / "tool").write_text("x")
    (top / "tool").chmod(0o755)
    (top / "grün").write_text("y")
    (top / "link").symlink_to("sub/a.txt")
    for number, path in enumerate(sorted(top.rglob("*"))):
        when = 1_600_000_000 + 2 * number  # zip's own times are even
        os.utime(path, (when, when), follow_symlinks=False)
