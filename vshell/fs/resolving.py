"""What a path leads to and what is there, with the caches of both.

Every answer that a cache gives is one that the database would give: `state` is what
the change counter said when the caches were last true (`Store.fresh` compares), and
whoever changes a row says so here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vshell.errors import (
    CorruptError,
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
    SymlinkLoopError,
)
from vshell.fs.content import ContentStore
from vshell.fs.database import Database
from vshell.fs.paths import decode, encode, join
from vshell.fs.records import Inode, Stat
from vshell.fs.schema import DIRECTORY, ROOT, SYMLINK
from vshell.limits import INLINE_BYTES, MAX_NAME_BYTES, MAX_SYMLINKS
from vshell.text.line_marks import LineMarks

if TYPE_CHECKING:
    from vshell.fs.path_table import PathTable

_MAX_CACHED_PATHS: Final = 50_000
_MAX_CACHED_BYTES: Final = 8 * 1024 * 1024
_MAX_CACHED_CONTENT: Final = 64 * 1024

INODE_COLUMNS: Final = (
    "i.id, i.kind, i.mode, i.size, i.mtime_ns, i.ctime_ns, i.nlink, i.content, i.version,"
    # No left join: in an overlay `content` is a view, which only a subquery can look into.
    " (select c.hash from content c where c.id = i.content)"
)
# A join over `entry` would do the same, but SQLite plans such a join anew for each
# value that is bound (10 us), and this one once.
_INODE: Final = f"select {INODE_COLUMNS} from inode i where i.id ="
_HASH_TYPES: Final = (bytes, type(None))


class Node:
    """What a path leads to: one entry, by its path without links and `..`."""

    __slots__ = ("inode", "kind", "name", "parent", "path", "stat", "stat_of")

    def __init__(self, path: str, inode: int, kind: int, parent: int, name: bytes) -> None:
        self.path = path
        self.inode = inode
        self.kind = kind
        self.parent = parent
        self.name = name
        self.stat: Stat | None = None
        self.stat_of: Inode | None = None


class Place(NamedTuple):
    """Where a path leads, whether or not something is there yet."""

    directory: Node
    name: str
    path: str
    node: Node | None


class Resolver:
    """From paths to entries and inodes of one database.

    Args:
        database: Where they are.
        content: Where the targets of links are.
    """

    def __init__(self, database: Database, content: ContentStore) -> None:
        self._database = database
        self._content = content
        self.state = b""
        self.root = Node("/", ROOT, DIRECTORY, ROOT, b"")
        self.paths: dict[str, Node] = {}
        self.aliases: dict[str, Node] = {}
        self.inodes: dict[int, Inode] = {}
        self.table: PathTable | None = None
        self.table_wanted = 0
        self.line_marks = LineMarks()
        self.hides: Callable[[str], bool] | None = None
        self._contents: dict[int, bytes] = {}
        self._cached_bytes = 0
        self.forget()

    # The caches.

    def forget(self) -> None:
        """Drop every cached answer."""
        self.state = b""
        self.paths.clear()
        self.aliases.clear()
        self.inodes.clear()
        self.table = None
        self.table_wanted = 0
        self.line_marks.clear()
        self._contents.clear()
        self._cached_bytes = 0
        self.paths["/"] = self.root

    def forget_paths(self) -> None:
        """Drop which path leads where, after a directory moved or went."""
        self.paths.clear()
        self.aliases.clear()
        self.paths["/"] = self.root

    def forget_inodes(self, numbers: Iterable[int]) -> None:
        """Drop what some inodes are, after statements of their own have changed them."""
        for number in numbers:
            self.inodes.pop(number, None)

    def remember(self, node: Node, inode: Inode) -> None:
        """Note a new or changed entry."""
        if len(self.paths) > _MAX_CACHED_PATHS:
            self.forget_paths()
        if len(self.inodes) > _MAX_CACHED_PATHS:
            self.inodes.clear()
        self.paths[node.path] = node
        self.inodes[inode.id] = inode

    def added(self, node: Node, inode: Inode) -> None:
        """Note a new entry: paths that took its name back before a `..` may lead elsewhere now."""
        self.aliases.clear()
        self.remember(node, inode)

    def removed(self, path: str) -> None:
        """Note that the entry is gone."""
        self.paths.pop(path, None)
        self.aliases.clear()

    # From a path to a node.

    def cached(self, path: str) -> Node | None:
        """Return what `path` leads to with links followed, if that is known."""
        node = self.paths.get(path)
        if node is None or node.kind == SYMLINK:
            return self.aliases.get(path)
        return node

    def find(self, path: str, *, follow: bool = True) -> Node:
        """Return what `path` leads to.

        Raises:
            NotFoundError: Nothing is there.
            NotDirectoryError: Something on the way is no directory.
            SymlinkLoopError: More than 40 links are on the way.
        """
        node = self.cached(path) if follow else self.paths.get(path)
        if node is None:
            node = self.locate(path, follow=follow).node
            if node is None:
                raise NotFoundError(f"no such file or directory: {path}", path=path)
            if node.path != path:
                if len(self.aliases) > _MAX_CACHED_PATHS:
                    self.aliases.clear()
                if follow:
                    self.aliases[path] = node
        return node

    def locate(self, path: str, *, follow: bool = True) -> Place:
        """Return the place that `path` names, of which only the last name may be missing.

        A link is followed in every segment, in the last one if `follow`. `..` leads
        to the parent of the directory reached so far, as in POSIX; after a name that
        does not exist it takes that name back.

        Raises:
            NotFoundError: A directory on the way is missing. `data["missing"]` is its path.
            NotDirectoryError: Something on the way is no directory.
            SymlinkLoopError: More than 40 links are on the way.
            NameTooLongError: A link on the way names something with more than 255 bytes.
        """
        place = self._nearby(path, follow=follow)
        if place is not None:
            return place
        reached = [self.root]
        pending = [part for part in reversed(path.split("/")) if part]
        links = 0
        while pending:
            name = pending.pop()
            if name == "..":
                if len(reached) > 1:
                    reached.pop()
                continue
            directory = reached[-1]
            node = self.child(directory, name)
            if node is None:
                if not pending:
                    return Place(directory, name, join(directory.path, name), None)
                if pending[-1] == "..":
                    pending.pop()
                    continue
                raise NotFoundError(
                    f"no such file or directory: {path}",
                    path=path,
                    hint=f"{join(directory.path, name)} does not exist",
                    data={"missing": join(directory.path, name)},
                )
            if node.kind == SYMLINK and (pending or follow):
                links += 1
                if links > MAX_SYMLINKS:
                    raise SymlinkLoopError(f"too many levels of symbolic links: {path}", path=path)
                self._follow(path, node, reached, pending)
            elif not pending:
                return Place(directory, name, node.path, node)
            elif node.kind != DIRECTORY:
                raise NotDirectoryError(
                    f"not a directory: {path}", path=path, hint=f"{node.path} is no directory"
                )
            else:
                reached.append(node)
        node = reached[-1]
        return Place(reached[-2] if len(reached) > 1 else node, decode(node.name), node.path, node)

    def _nearby(self, path: str, *, follow: bool) -> Place | None:
        """Return the place when its directory is known, without walking the way to it."""
        parent, _, name = path.rpartition("/")
        directory = self.paths.get(parent or "/")
        if directory is None or directory.kind != DIRECTORY or name in ("", ".."):
            return None
        node = self.child(directory, name)
        if node is not None and node.kind == SYMLINK and follow:
            return None
        return Place(directory, name, join(directory.path, name), node)

    def _follow(self, path: str, link: Node, reached: list[Node], pending: list[str]) -> None:
        target = self.target(link)
        if not target:
            raise NotFoundError(f"the link is empty: {path}", path=path)
        if target[0] == "/":
            del reached[1:]
        parts = [part for part in reversed(target.split("/")) if part not in ("", ".")]
        if any(len(encode(part)) > MAX_NAME_BYTES for part in parts):
            raise NameTooLongError(
                f"a name in the link's target has more than {MAX_NAME_BYTES} bytes: {path}",
                path=path,
                hint=f"{link.path} is the link",
            )
        pending += parts

    def child(self, directory: Node, name: str) -> Node | None:
        """Return the entry of that name, or None."""
        path = join(directory.path, name)
        if self.hides is not None and self.hides(path):
            return None
        node = self.paths.get(path)
        if node is None:
            encoded = encode(name)
            found = self._database.row(
                f"{_INODE} (select inode from entry where parent = ? and name = ?)",
                (directory.inode, encoded),
            )
            if found is None:
                return None
            inode = inode_of(found)
            node = Node(path, inode.id, inode.kind, directory.inode, encoded)
            self.remember(node, inode)
        return node

    # What a node is.

    def inode(self, number: int) -> Inode:
        """Return the row of an inode that exists."""
        inode = self.inodes.get(number)
        if inode is None:
            found = self._database.row(
                f"{_INODE} ?",
                (number,),
            )
            if found is None:
                raise NotFoundError(f"no inode has the number {number}")
            inode = self.inodes[number] = inode_of(found)
        return inode

    def load_inodes(self, paths: Iterable[str]) -> None:
        """Read the rows of what is known to be at some paths, by one statement."""
        known = [node.inode for path in paths if (node := self.paths.get(path)) is not None]
        missing = [number for number in known if number not in self.inodes]
        if missing:
            found = self._database.rows(
                f"select {INODE_COLUMNS} from json_each(?) j cross join inode i on i.id = j.value",
                (json.dumps(missing),),
            )
            self.inodes.update((row[0], inode_of(row)) for row in found)

    def data(self, inode: Inode) -> bytes:
        """Return the whole content of a file or link that is one row."""
        content = inode.content
        if content is None:
            return b""
        data = self._contents.get(content)
        if data is None:
            data = self._content.read_inline(content)
            self.remember_data(content, data)
        return data

    def cached_data(self, content: int) -> bytes | None:
        """Return the bytes of small content that is at hand."""
        return self._contents.get(content)

    def remember_data(self, content: int | None, data: bytes) -> None:
        """Keep small content at hand: it is immutable."""
        size = len(data)
        if content is None or size > _MAX_CACHED_CONTENT:
            return
        if self._cached_bytes + size > _MAX_CACHED_BYTES:
            self._contents.clear()
            self._cached_bytes = 0
        self._contents[content] = data
        self._cached_bytes += size

    def is_inline(self, inode: Inode) -> bool:
        """Tell whether `data` may be asked for."""
        return inode.size <= INLINE_BYTES

    def target(self, link: Node) -> str:
        """Return the target of a link, as it was given."""
        return decode(self.data(self.inode(link.inode)))

    def is_empty(self, directory: Node) -> bool:
        """Tell whether a directory has no entries."""
        return not self._database.row(
            "select 1 from entry where parent = ? limit 1", (directory.inode,)
        )


def inode_of(row: tuple[Any, ...]) -> Inode:
    """Return a row of `INODE_COLUMNS` as what it is."""
    inode = Inode._make(row)
    if inode.hash.__class__ not in _HASH_TYPES:  # the one column that is used far from here
        raise CorruptError(
            f"the content of inode {inode.id} has an impossible hash",
            hint="`vshell check` says what is wrong",
        )
    return inode
