"""Files as `ls`, `stat`, `find` and `du` show them: modes, owners, blocks, whole trees.

A workspace has no owners, no blocks and no devices. What is shown is what a small Linux
system of one user would: everything is root's, a block has 4,096 bytes, a directory takes
one of them, an empty file and a short link take none.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from typing import Final

from vshell.errors import NotDirectoryError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import encode
from vshell.fs.records import KIND_CODES, EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.command import Invocation

OWNER: Final = "root"
OWNER_ID: Final = 0
DEVICE: Final = 1
"""The number of the one device that all files are on."""

BLOCK_BYTES: Final = 4096
_SECTOR_BYTES: Final = 512
_SHORT_LINK_BYTES: Final = 59
"""Targets up to this size are kept in an ext4 inode."""

TYPE_BITS: Final = {FILE: stat.S_IFREG, DIRECTORY: stat.S_IFDIR, SYMLINK: stat.S_IFLNK}


def node_at(call: Invocation, path: str, *, follow: bool = False) -> EntryStat:
    """Return what is at a path as it was typed.

    A final slash means the directory that a link leads to, as in POSIX.

    Raises:
        VshellError: Nothing is there, or the way to it is blocked.
    """
    resolved = call.context.resolve(path)
    if path.endswith(("/", "/.")):
        node = stat_node(call.context.files, resolved, follow=True)
        if node.kind != DIRECTORY:
            raise NotDirectoryError(f"not a directory: {resolved}", path=resolved)
        return node
    return stat_node(call.context.files, resolved, follow=follow)


def stat_node(files: FileSystem, path: str, *, follow: bool = False) -> EntryStat:
    """Return what is at an absolute path; errors as `FileSystem.stat`."""
    found = files.stat(path, follow=follow)
    return EntryStat(
        path,
        found.inode,
        KIND_CODES[found.kind],
        found.mode,
        found.size,
        found.mtime_ns,
        found.ctime_ns,
        found.nlink,
    )


def shown_size(node: EntryStat) -> int:
    """Return the size in bytes as `stat` shows it: a directory's is one block."""
    return BLOCK_BYTES if node.kind == DIRECTORY else node.size


def disk_bytes(node: EntryStat) -> int:
    """Return what a file takes on the disk of our imagination."""
    if node.kind == DIRECTORY:
        return BLOCK_BYTES
    if node.kind == SYMLINK and node.size <= _SHORT_LINK_BYTES:
        return 0
    return -(-node.size // BLOCK_BYTES) * BLOCK_BYTES


def sectors(node: EntryStat) -> int:
    """Return how many blocks of 512 bytes it takes."""
    return disk_bytes(node) // _SECTOR_BYTES


def mode_text(node: EntryStat) -> str:
    """Return type and permissions, such as `-rw-r--r--`."""
    return stat.filemode(TYPE_BITS[node.kind] | node.mode)


def name_of(path: str) -> str:
    """Return the last component of an absolute path."""
    return path.rpartition("/")[2]


class Listing:
    """Everything below a directory, read by one statement.

    Args:
        files: The files.
        path: An absolute path that leads to the directory.
        max_depth: How deep to read; 1 is the directory's own entries, None is all.

    Raises:
        VshellError: It is no directory, or missing.
    """

    def __init__(self, files: FileSystem, path: str, *, max_depth: int | None = None) -> None:
        self.top = files.realpath(path)
        self._entries: dict[str, list[EntryStat]] = {}
        found = files.walk_stats(self.top, max_depth=max_depth)
        # Text sorts as its UTF-8 does, but for bytes that are none.
        found.sort(key=_path_of if all(map(_is_ascii, found)) else _by_name)
        for entry in found:
            parent = entry.path.rpartition("/")[0] or "/"
            self._entries.setdefault(parent, []).append(entry)

    def entries(self, directory: str) -> list[EntryStat]:
        """Return what is in a directory, by the order of the names' bytes.

        Args:
            directory: The path of one below `top`, or `top` itself.
        """
        return self._entries.get(directory, [])

    def below(self, path: str) -> Iterable[EntryStat]:
        """Yield everything below a directory, in no order."""
        pending = [path]
        while pending:
            for entry in self._entries.get(pending.pop(), ()):
                yield entry
                if entry.kind == DIRECTORY:
                    pending.append(entry.path)


def _path_of(entry: EntryStat) -> str:
    return entry.path


def _is_ascii(entry: EntryStat) -> bool:
    return entry.path.isascii()


def _by_name(entry: EntryStat) -> bytes:
    return encode(entry.path)


def typed_join(directory: str, name: str) -> str:
    """Return the path of a name in a directory that was typed: `.` gives `./name`."""
    return f"{directory}{name}" if directory.endswith("/") else f"{directory}/{name}"
