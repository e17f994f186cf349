"""What merges are tried on, and how what comes of them is looked at."""

from __future__ import annotations

from vshell import Workspace
from vshell.ops.merge import MergeResult

Tree = dict[str, tuple[str, int, bytes, tuple[str, ...]]]


NUMBERED = "".join(f"{number}\n" for number in range(1, 10))


def tree(ws: Workspace) -> Tree:
    """Return what a person would see: kind, mode, content, and the names of the same file."""
    names: dict[int, list[str]] = {}
    entries = ws.files.walk_details("/")
    for entry in entries:
        names.setdefault(entry.inode, []).append(entry.path)
    found: Tree = {}
    for entry in entries:
        stat = ws.lstat(entry.path)
        content = b""
        if stat.kind == "file":
            content = ws.read_bytes(entry.path)
        elif stat.kind == "symlink":
            content = ws.readlink(entry.path).encode()
        found[entry.path] = (stat.kind, stat.mode, content, tuple(sorted(names[entry.inode])))
    return found


def conflicts(result: MergeResult) -> list[tuple[str, str]]:
    return [(found.path, found.reason) for found in result.conflicts]
