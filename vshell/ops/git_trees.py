"""The tree of the workspace as git trees, replayed from one revision to the next.

It is replayed inode by inode, so that a rename of a directory is one move and a write to
a file with several names changes all of them. A directory's git tree is kept until
something in it changes.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vshell.fs.filesystem import FileSystem
from vshell.fs.image import Image
from vshell.fs.paths import decode, encode, split
from vshell.fs.schema import DIRECTORY, ROOT, SYMLINK
from vshell.fs.timeline import Step
from vshell.ops.git_repository import (
    DIRECTORY_MODE,
    EXECUTABLE_MODE,
    FILE_MODE,
    SYMLINK_MODE,
    guarded,
    refused_directory,
    refused_entry,
    refused_name,
)
from vshell.ops.transfer_result import Tally

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile
    from dulwich.repo import Repo

MAX_BLOB_BYTES: Final = 256 * 1024**2
"""Larger files are left out: git objects are made in memory."""

_PACK_BYTES: Final = 32 * 1024**2
_PACK_OBJECTS: Final = 20_000


class _Leaf(NamedTuple):
    """A file or link."""

    kind: int
    mode: int
    content: int | None


class _Directory:
    """A directory; `tree` is its git tree, None for an empty one, and true if not `stale`."""

    __slots__ = ("children", "name", "parent", "stale", "tree")

    def __init__(self, parent: int, name: bytes) -> None:
        self.parent = parent
        self.name = name
        self.children: dict[bytes, int] = {}
        self.tree: ObjectID | None = None
        self.stale = True


class ObjectWriter:
    """Writes objects into a repository, many at a time, and none that it has already."""

    def __init__(self, repository: Repo) -> None:
        self._store = repository.object_store
        self._waiting: list[tuple[ShaFile, None]] = []
        self._known: set[ObjectID] = set()
        self._bytes = 0

    def add(self, item: ShaFile) -> ObjectID:
        """Have an object there after the next `flush`; return its hash."""
        sha = item.id
        if sha in self._known:
            return sha
        self._known.add(sha)
        with guarded():
            if sha in self._store:
                return sha
            self._waiting.append((item, None))
            self._bytes += item.raw_length()
        if self._bytes > _PACK_BYTES or len(self._waiting) >= _PACK_OBJECTS:
            self.flush()
        return sha

    def flush(self) -> None:
        """Write what was added."""
        if self._waiting:
            with guarded():
                self._store.add_objects(self._waiting)
        self._waiting = []
        self._bytes = 0


class ReplayedTree:
    """The tree of the workspace at one moment after the other.

    Args:
        files: The files, inside `reading()`.
        writer: Takes the objects.
        tally: Notes what cannot be in a commit.
        image: The tree to begin with.
    """

    def __init__(self, files: FileSystem, writer: ObjectWriter, tally: Tally, image: Image) -> None:
        self._files = files
        self._writer = writer
        self._tally = tally
        self._directories = {ROOT: _Directory(ROOT, b"")}
        self._leaves: dict[int, _Leaf] = {}
        self._holders: dict[int, Counter[int]] = {}
        self._blobs: dict[int | None, ObjectID] = {}
        self._skipped: set[str] = set()
        for path, number in image.paths.items():
            found = image.inodes[number]
            if number != ROOT:
                self._put(path, number, _Leaf(found.kind, found.mode, found.content))

    # Replaying.

    def apply(self, step: Step) -> None:
        """Do what a row of the journal says."""
        if step.action == "remove":
            self._take(step.path, step.inode)
        elif step.action == "create":
            self._put(step.path, step.inode, _Leaf(step.kind, step.mode, step.content))
        elif step.action == "rename" and step.old_path is not None:
            self._move(step.old_path, step.path, step.inode)
        elif step.kind != DIRECTORY:
            self._leaves[step.inode] = _Leaf(step.kind, step.mode, step.content)
            for directory, names in self._holders[step.inode].items():
                if names:
                    self._touch(directory)

    def _find(self, path: str) -> tuple[int, bytes]:
        """Return the directory that has a path, and the name in it."""
        above, name = split(path)
        number = ROOT
        for part in above.split("/"):
            if part:
                number = self._directories[number].children[encode(part)]
        return number, encode(name)

    def _put(self, path: str, number: int, leaf: _Leaf) -> None:
        above, name = self._find(path)
        if leaf.kind == DIRECTORY:
            self._directories[number] = _Directory(above, name)
        else:
            self._leaves[number] = leaf
            self._holders.setdefault(number, Counter())[above] += 1
        self._directories[above].children[name] = number
        self._touch(above)

    def _take(self, path: str, number: int) -> None:
        above, name = self._find(path)
        del self._directories[above].children[name]
        self._touch(above)
        if self._directories.pop(number, None) is None:
            self._holders[number][above] -= 1

    def _move(self, old_path: str, path: str, number: int) -> None:
        directory = self._directories.get(number)
        self._take(old_path, number)
        if directory is None:
            self._put(path, number, self._leaves[number])
            return
        above, name = self._find(path)
        directory.parent, directory.name = above, name
        self._directories[number] = directory
        self._directories[above].children[name] = number
        self._touch(above)

    def _touch(self, number: int) -> None:
        directory = self._directories[number]
        while not directory.stale:
            directory.stale = True
            directory = self._directories[directory.parent]

    # Objects.

    def write(self) -> ObjectID | None:
        """Write the tree as it is now; return its hash, or None when it is empty."""
        pending = [ROOT]
        while pending:
            directory = self._directories[pending[-1]]
            stale = [
                number
                for name, number in directory.children.items()
                if number in self._directories
                and self._directories[number].stale
                and not _refused_directory(name)
            ]
            if stale:
                pending += stale
                continue
            pending.pop()
            if directory.stale:
                directory.tree = self._write_directory(directory)
                directory.stale = False
        return self._directories[ROOT].tree

    def _write_directory(self, directory: _Directory) -> ObjectID | None:
        from dulwich.objects import Tree

        tree = Tree()
        for name, number in directory.children.items():
            found = self._entry(name, number)
            if isinstance(found, str):
                self._skip(directory, name, found)
            elif found is not None:
                tree.add(name, *found)
        return self._writer.add(tree) if len(tree) else None

    def _entry(self, name: bytes, number: int) -> tuple[int, ObjectID] | str | None:
        """Return an entry of a git tree, or why there is none; None for an empty directory."""
        directory = self._directories.get(number)
        if directory is not None:
            if reason := _refused_directory(name):
                return reason
            if directory.tree is None:
                return None
            return DIRECTORY_MODE, directory.tree
        leaf = self._leaves[number]
        if self._files.store.content.find(leaf.content).size > MAX_BLOB_BYTES:
            return f"it has more than {MAX_BLOB_BYTES} bytes"
        mode = EXECUTABLE_MODE if leaf.mode & 0o100 else FILE_MODE
        if leaf.kind == SYMLINK:
            mode = SYMLINK_MODE
        load = partial(self._files.content, leaf.content)
        reason = refused_name(name) or refused_entry(name, mode, load)
        return reason or (mode, self._blob(leaf.content))

    def _blob(self, content: int | None) -> ObjectID:
        from dulwich.objects import Blob

        if content not in self._blobs:
            self._blobs[content] = self._writer.add(Blob.from_string(self._files.content(content)))
        return self._blobs[content]

    def _skip(self, directory: _Directory, name: bytes, reason: str) -> None:
        names = [name]
        while directory.name:
            names.append(directory.name)
            directory = self._directories[directory.parent]
        path = decode(b"/" + b"/".join(reversed(names)))
        if path not in self._skipped:
            self._skipped.add(path)
            self._tally.skip(path, reason)


def _refused_directory(name: bytes) -> str | None:
    return refused_name(name) or refused_directory(name)
