"""POSIX-shaped files over the rows of one database.

Paths are absolute and normalised (`paths.absolute`). What changes something must
run inside `transaction()`; what only reads may run anywhere. An error leaves
nothing changed that the transaction around it would not undo.
"""

from __future__ import annotations

from vshell.errors import (
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
    PermissionDeniedError,
    RangeError,
    ReadOnlyError,
    SymlinkLoopError,
)
from vshell.fs import trees
from vshell.fs.paths import encode, is_below, join, split
from vshell.fs.records import Inode
from vshell.fs.resolving import Node, Place
from vshell.fs.schema import DIRECTORY, PERMISSION_BITS, ROOT, SYMLINK
from vshell.fs.writing import FileWriter
from vshell.limits import MAX_PATH_BYTES


class FileSystem(FileWriter):
    """The files of one workspace; see `OpenFiles` for how to open them."""

    # Making and removing entries.

    def mkdir(
        self, path: str, *, mode: int = 0o755, parents: bool = False, exist_ok: bool = False
    ) -> bool:
        """Make a directory; return whether it is new.

        Args:
            path: Where.
            mode: Its permission bits; missing parents get 0o755.
            parents: Make missing parents.
            exist_ok: Accept a directory that is there already.

        Raises:
            ExistsError: Something is there already.
            NotFoundError: A parent is missing and `parents` is false.
            NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        place = self._place(path, follow=False, parents=parents)
        if place.node is not None:
            if exist_ok and self._leads_to_directory(path, place.node):
                return False
            raise ExistsError(f"file exists: {path}", path=path)
        self._make_directory(place, mode)
        return True

    def symlink(self, target: str, path: str, *, parents: bool = False) -> None:
        """Make a symbolic link at `path`; its target may be any text and need not exist.

        Raises:
            ExistsError: Something is there already.
            InvalidPathError: The target holds a NUL or stands for no bytes.
            NameTooLongError: The target has more than 4,096 bytes.
            NotFoundError: The target is empty, or a parent is missing and `parents` is false.
            NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        try:
            data = encode(target)
        except UnicodeEncodeError:
            data = b"\0"
        if b"\0" in data:
            raise InvalidPathError(f"not a possible target of a link: {path}", path=path)
        if len(data) > MAX_PATH_BYTES:
            raise NameTooLongError(
                f"the link's target has {len(data)} bytes; {MAX_PATH_BYTES} are allowed: {path}",
                path=path,
            )
        if not data:
            raise NotFoundError(f"a link must have a target: {path}", path=path)
        place = self._place(path, follow=False, parents=parents)
        if place.node is not None:
            raise ExistsError(f"file exists: {path}", path=path)
        self._journal.reserve(len(data))
        self._create(place, SYMLINK, 0o777, self._content.put(data))

    def link(self, source: str, path: str, *, parents: bool = False) -> None:
        """Give a file a second name (a hard link); of a link, to the link itself.

        Raises:
            PermissionDeniedError: `source` is a directory.
            ExistsError: Something is at `path` already.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._tree.find(source, follow=False)
        place = self._place(path, follow=False, parents=parents)
        if place.node is not None:
            raise ExistsError(f"file exists: {path}", path=path)
        if node.kind == DIRECTORY:
            raise PermissionDeniedError(
                f"a directory cannot have a hard link: {source}", path=source
            )
        before = self._tree.inode(node.inode)
        after = before._replace(nlink=before.nlink + 1, ctime_ns=self._journal.time_ns)
        self._add_entry(place, after)
        self._update(after)
        self._journal.record("create", place.path, None, after)

    def unlink(self, path: str) -> None:
        """Remove a file or a link.

        Raises:
            IsDirectoryError: It is a directory.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._node(path, follow=False)
        if node.kind == DIRECTORY:
            raise IsDirectoryError(
                f"is a directory: {path}", path=path, hint="remove it recursively"
            )
        self._remove(node)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory.

        Raises:
            NotEmptyError: It has entries.
            NotDirectoryError: It is no directory.
            PermissionDeniedError: It is the root.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._node(path, follow=False)
        if node.kind != DIRECTORY:
            raise NotDirectoryError(f"not a directory: {path}", path=path)
        _refuse_root(node, path)
        if not self._tree.is_empty(node):
            raise NotEmptyError(
                f"directory not empty: {path}", path=path, hint="remove it recursively"
            )
        self._remove(node)

    def rename(
        self, source: str, path: str, *, overwrite: bool = True, parents: bool = False
    ) -> None:
        """Move a file, link or directory to `path`, replacing what is there as POSIX has it.

        A file replaces a file, a directory an empty directory. The cost does not
        depend on how much a directory holds.

        Raises:
            ExistsError: Something is at `path` and `overwrite` is false.
            IsDirectoryError: A file would replace a directory.
            NotDirectoryError: A directory would replace a file.
            NotEmptyError: A directory would replace one that is not empty.
            InvalidPathError: A directory would move into itself.
            PermissionDeniedError: `source` or `path` is the root.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._tree.find(source, follow=False)
        _refuse_root(node, source)
        place = self._place(path, follow=False, parents=parents)
        if node.kind == DIRECTORY and is_below(place.path, node.path) and place.path != node.path:
            raise _into_itself(source, path)
        if place.node is not None:
            _refuse_root(place.node, path)
            if not overwrite:
                raise ExistsError(
                    f"file exists: {path}", path=path, hint="replace it with overwrite"
                )
            if place.node.inode == node.inode:
                return  # two names of one file, as POSIX has it
            self._replaceable(node, place.node, path)
            self._remove(place.node)
        self._move(node, place)

    def remove_tree(self, path: str) -> int:
        """Remove whatever is at `path` and everything below it; return how many entries went.

        Raises:
            PermissionDeniedError: It is the root.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._node(path, follow=False)
        _refuse_root(node, path)
        removed = trees.remove_tree(self.store, node) if node.kind == DIRECTORY else 0
        self._remove(node)
        return removed + 1

    def copy_tree(
        self, source: str, path: str, *, parents: bool = False, preserve: bool = False
    ) -> int:
        """Copy a directory to `path`, which must be free; return how many entries are new.

        Args:
            source: The directory.
            path: Where the copy goes.
            parents: Make missing parents of `path`.
            preserve: Keep the times.

        Raises:
            ExistsError, InvalidPathError, QuotaExceededError: see `trees.copy_tree`.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        directory = self._directory(source)
        place = self._place(path, follow=False, parents=parents)
        return trees.copy_tree(self.store, directory, place, preserve=preserve)

    def copy_entry(
        self, source: str, path: str, *, parents: bool = False, preserve: bool = False
    ) -> None:
        """Copy a file, or a link as a link, to `path`, which must be free; no content is copied.

        Raises:
            ExistsError: Something is at `path`.
            IsDirectoryError: `source` is a directory.
            QuotaExceededError: The copy would not fit.
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """
        node = self._tree.find(source, follow=False)
        if node.kind == DIRECTORY:
            raise IsDirectoryError(
                f"is a directory: {source}", path=source, hint="copy it recursively"
            )
        place = self._place(path, follow=False, parents=parents)
        if place.node is not None:
            raise ExistsError(f"file exists: {path}", path=path)
        inode = self._tree.inode(node.inode)
        self._journal.reserve(inode.size)
        self._create(place, node.kind, inode.mode, self._stored(inode))
        if preserve:
            self.utime(place.path, inode.mtime_ns, follow=False)

    def _move(self, node: Node, place: Place) -> None:
        tree, journal = self._tree, self._journal
        name = encode(place.name) if place.name else place.node.name if place.node else b""
        parent = place.directory.inode if place.node is None else place.node.parent
        self._database.run(
            "update entry set parent = ?, name = ? where parent = ? and name = ?",
            (parent, name, node.parent, node.name),
        )
        before = tree.inode(node.inode)
        after = before._replace(ctime_ns=journal.time_ns)
        self._update(after)
        links = 1 if node.kind == DIRECTORY else 0
        if parent == node.parent:
            self._touch(parent, 0)
        else:
            self._touch(node.parent, -links)
            self._touch(parent, links)
        journal.record("rename", place.path, before, after, old_path=node.path)
        if node.kind == DIRECTORY:
            tree.forget_paths()
        else:
            tree.removed(node.path)
        tree.remember(Node(place.path, node.inode, node.kind, parent, name), after)

    def _replaceable(self, node: Node, old: Node, path: str) -> None:
        if old.kind == DIRECTORY:
            if node.kind != DIRECTORY:
                raise IsDirectoryError(
                    f"is a directory: {path}",
                    path=path,
                    hint=f"name the file in it: {join(path, split(node.path)[1])}",
                )
            if not self._tree.is_empty(old):
                raise NotEmptyError(f"directory not empty: {path}", path=path)
        elif node.kind == DIRECTORY:
            raise NotDirectoryError(f"not a directory: {path}", path=path)

    def _remove(self, node: Node) -> None:
        inode = self._tree.inode(node.inode)
        last = node.kind == DIRECTORY or inode.nlink == 1
        self._database.run(
            "delete from entry where parent = ? and name = ?", (node.parent, node.name)
        )
        if last:
            self._database.run("delete from inode where id = ?", (inode.id,))
            self._tree.inodes.pop(inode.id, None)
        else:
            self._update(inode._replace(nlink=inode.nlink - 1, ctime_ns=self._journal.time_ns))
        self._touch(node.parent, -1 if node.kind == DIRECTORY else 0)
        self._journal.record("remove", node.path, inode, None, delta=-inode.size if last else 0)
        if node.kind == DIRECTORY:
            self._tree.forget_paths()
        else:
            self._tree.removed(node.path)

    def _leads_to_directory(self, path: str, node: Node) -> bool:
        if node.kind == SYMLINK:
            try:
                node = self._tree.find(path)
            except (NotFoundError, NotDirectoryError, SymlinkLoopError):
                return False
        return node.kind == DIRECTORY

    # Attributes.

    def chmod(self, path: str, mode: int, *, follow: bool = True) -> None:
        """Set the twelve permission bits; errors as `Tree.find`."""
        before = self._tree.inode(self._node(path, follow=follow).inode)
        self._set_attributes(path, before, before._replace(mode=mode & PERMISSION_BITS), follow)

    def utime(self, path: str, mtime_ns: int, *, follow: bool = True) -> None:
        """Set the time of the last change to the content; errors as `Tree.find`.

        Raises:
            RangeError: The time is outside what 64 bits hold.
        """
        if not -(1 << 63) <= mtime_ns < 1 << 63:
            raise RangeError(f"the time is out of range: {path}", path=path)
        before = self._tree.inode(self._node(path, follow=follow).inode)
        self._set_attributes(path, before, before._replace(mtime_ns=mtime_ns), follow)

    def _node(self, path: str, *, follow: bool) -> Node:
        assert self.store.depth, "changes need a transaction"
        return self._tree.find(path, follow=follow)

    def _set_attributes(self, path: str, before: Inode, after: Inode, follow: bool) -> None:
        after = after._replace(ctime_ns=self._journal.time_ns)
        self._update(after)
        self._journal.record("attributes", self._node(path, follow=follow).path, before, after)

    def vacuum(self) -> None:
        """Give the disk back what removed rows took; outside transactions only.

        Raises:
            OperationTimeoutError: Another process is writing.
            ReadOnlyError: The workspace was opened read-only, or a transaction is open.
        """
        with self.store.lock:
            self.store.fresh()
            if self.store.depth or self._database.read_only:
                raise ReadOnlyError("cannot vacuum inside a transaction or a read-only workspace")
            try:
                self._database.vacuum()
            except Exception as error:
                self.store.explain(error)
                raise

    def set_quota(self, quota_bytes: int | None) -> None:
        """Set how many bytes all files together may have; None for no limit."""
        self.set_setting("quota_bytes", quota_bytes)
        self._journal.quota_bytes = quota_bytes

    def set_setting(self, name: str, value: str | int | None) -> None:
        """Store a setting that every process sees; None removes it."""
        assert self.store.depth, "changes need a transaction"
        self._database.run("delete from setting where name = ?", (name,))
        if value is not None:
            self._database.run("insert into setting values (?, ?)", (name, value))


def _refuse_root(node: Node, path: str) -> None:
    if node.inode == ROOT:
        raise PermissionDeniedError("the root directory cannot be moved or removed", path=path)


def _into_itself(source: str, path: str) -> InvalidPathError:
    return InvalidPathError(
        f"a directory cannot move into itself: {source} to {path}",
        path=path,
        hint="move what it holds, or name a place outside it",
    )
