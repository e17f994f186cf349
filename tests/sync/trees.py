"""Both sides of a mirror as plain values that can be compared."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vshell import Workspace
from vshell.fs.schema import DIRECTORY, SYMLINK

Shown = tuple[str, bytes, int]
"""The kind, the content or target, and the permission bits; of a link always 0o777."""


def workspace_tree(ws: Workspace) -> dict[str, Shown]:
    found: dict[str, Shown] = {}
    for entry in ws.files.walk_details("/"):
        if entry.kind == DIRECTORY:
            found[entry.path] = ("directory", b"", entry.mode)
        elif entry.kind == SYMLINK:
            found[entry.path] = ("symlink", os.fsencode(ws.readlink(entry.path)), 0o777)
        else:
            found[entry.path] = ("file", ws.files.content(entry.content), entry.mode)
    return found


def directory_tree(root: Path) -> dict[str, Shown]:
    found: dict[str, Shown] = {}
    for above, directories, files in os.walk(root):
        for name in directories + files:
            place = os.path.join(above, name)
            path = place[len(str(root)) :]
            status = os.lstat(place)
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISDIR(status.st_mode):
                found[path] = ("directory", b"", mode)
            elif stat.S_ISLNK(status.st_mode):
                found[path] = ("symlink", os.fsencode(os.readlink(place)), 0o777)
            elif stat.S_ISREG(status.st_mode):
                found[path] = ("file", Path(place).read_bytes(), mode)
            else:
                found[path] = ("other", b"", mode)
    return found
