"""What the workspace knows of its mirrors: what was agreed on, what is on its way, conflicts.

All of it is rows of the same database, so that they change in one transaction with the
files that they are about. Paths are relative to the root of the mirror, without a leading
slash. Methods that write must run in a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from vshell.errors import NotDirectoryError, NotFoundError, SymlinkLoopError
from vshell.fs.content import EMPTY_HASH
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, encode
from vshell.fs.resolving import Node
from vshell.fs.schema import DIRECTORY

_PAGE: Final = 2048
_PATHS_AT_ONCE: Final = 500


class Peer(NamedTuple):
    """A mirror: a row of `mirror`."""

    id: int
    kind: str
    name: str
    root: str
    generation: str
    rules: bytes
    revision: int
    position: int
    serial: int


class Version(NamedTuple):
    """What is or was at a path; `content` is its number in the database."""

    kind: int
    mode: int
    mtime_ns: int
    content: int | None
    hash: bytes
    size: int


class Seen(NamedTuple):
    """How the mirror shows something: its stat key, and whether that is to be trusted."""

    kind: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    racy: int


class SeenPage(NamedTuple):
    """Some paths, in tree order, and the fields of `Seen` of each; columns compare quickly."""

    paths: list[str]
    fields: list[tuple[int, ...]]


class Agreed(NamedTuple):
    """What both sides agreed on at a path, and how the mirror showed it."""

    version: Version
    seen: Seen


class Touched(NamedTuple):
    """A row of the journal, as far as it says where something changed."""

    path: str
    old_path: str | None
    kind: int
    inode: int


class ConflictRow(NamedTuple):
    """A row of `mirror_conflict`."""

    id: int
    path: str
    clash: str
    revision: int
    time_ns: int
    resolution: str | None
    base: Version | None
    workspace: Version | None
    mirror: Version | None


_PEER: Final = (
    "select id, kind, name, root, generation, rules, revision, position, serial from mirror"
)
_SEEN: Final = (
    "b.kind, b.seen_mode, b.seen_size, b.seen_mtime_ns, b.seen_ctime_ns, b.seen_inode, b.racy"
)
_AGREED: Final = (
    "select b.path, b.kind, b.mode, b.mtime_ns, b.content, c.hash, c.size,"
    f" {_SEEN} from mirror_base b left join content c on c.id = b.content"
)
_CONFLICT: Final = (
    "select k.id, k.path, k.clash, k.revision, k.time_ns, k.resolution,"
    " k.base_kind, k.base_mode, k.base_mtime_ns, k.base_content, b.hash, b.size,"
    " k.workspace_kind, k.workspace_mode, k.workspace_mtime_ns, k.workspace_content,"
    " w.hash, w.size,"
    " k.mirror_kind, k.mirror_mode, k.mirror_mtime_ns, k.mirror_content, m.hash, m.size"
    " from mirror_conflict k left join content b on b.id = k.base_content"
    " left join content w on w.id = k.workspace_content"
    " left join content m on m.id = k.mirror_content"
)


class Peers:
    """The mirrors of one workspace."""

    def __init__(self, files: FileSystem) -> None:
        self._store = files.store
        self._database = files.store.database

    # Mirrors.

    def find(self, kind: str, name: str) -> Peer | None:
        """Return a mirror by its kind and name."""
        found = self._database.row(f"{_PEER} where kind = ? and name = ?", (kind, name))
        return Peer._make(found) if found else None

    def all(self) -> list[Peer]:
        """Return all mirrors, by kind and name."""
        return [Peer._make(row) for row in self._database.rows(f"{_PEER} order by kind, name")]

    def add(self, kind: str, name: str, root: str, generation: str) -> Peer:
        """Add a mirror that agrees on nothing yet."""
        self._database.run(
            "insert into mirror (kind, name, root, generation, rules, revision, position, serial)"
            " values (?, ?, ?, ?, x'', 0, 0, 0)",
            (kind, name, root, generation),
        )
        added = self.find(kind, name)
        assert added is not None
        return added

    def advance(self, peer: Peer) -> Peer:
        """Store what changed of a mirror, and note that something did; return it as it is now."""
        peer = peer._replace(serial=peer.serial + 1)
        self._database.run(
            "update mirror set root = ?, generation = ?, rules = ?, revision = ?, position = ?,"
            " serial = ? where id = ?",
            (*peer[3:], peer.id),
        )
        return peer

    def forget(self, peer: Peer) -> None:
        """Drop what was agreed on with a mirror; its conflicts stay."""
        for table in ("mirror_base", "mirror_pending", "mirror_fetched"):
            self._database.run(f"delete from {table} where mirror = ?", (peer.id,))

    # What was agreed on.

    def seen(self, peer: Peer) -> Iterator[SeenPage]:
        """Yield how the mirror showed each path, in tree order, without loading them all."""
        after = b""
        while True:
            rows = self._store.read(partial(self._seen_after, peer, after))
            if rows:
                yield SeenPage(_paths([row[0] for row in rows]), [row[1:] for row in rows])
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _seen_after(self, peer: Peer, start: bytes) -> list[tuple[Any, ...]]:
        return self._database.rows(
            f"select b.path, {_SEEN} from mirror_base b where b.mirror = ? and b.path > ?"
            " order by b.path limit ?",
            (peer.id, start, _PAGE),
        )

    def agreed(self, peer: Peer, paths: Collection[str]) -> dict[str, Agreed]:
        """Return what was agreed on at some paths."""
        found: dict[str, Agreed] = {}
        for some in _batches([_key(path) for path in paths], _PATHS_AT_ONCE):
            marks = ", ".join("?" * len(some))
            rows = self._database.rows(
                f"{_AGREED} where b.mirror = ? and b.path in ({marks})", (peer.id, *some)
            )
            found |= {_path(row[0]): _agreed(row) for row in rows}
        return found

    def agreed_below(self, peer: Peer, path: str) -> list[str]:
        """Return the paths below a path, or all for `""`, at which something was agreed on."""
        start = _key(path) + b"\0" if path else b""
        end = _key(path) + b"\1" if path else None
        rows = self._database.rows(
            "select path from mirror_base where mirror = ? and path >= ?"
            " and (?3 is null or path < ?3)",
            (peer.id, start, end),
        )
        return [_path(row[0]) for row in rows]

    def count(self, peer: Peer) -> int:
        """Return at how many paths something was agreed on."""
        found = self._database.row("select count(*) from mirror_base where mirror = ?", (peer.id,))
        assert found is not None
        return int(found[0])

    def agree(self, peer: Peer, rows: Iterable[tuple[str, Version, Seen]]) -> None:
        """Note what both sides agree on."""
        self._database.run_many(
            "insert or replace into mirror_base values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((peer.id, _key(path), *version[:4], *seen[1:]) for path, version, seen in rows),
        )

    def disagree(self, peer: Peer, paths: Iterable[str]) -> None:
        """Forget what was agreed on at some paths."""
        self._database.run_many(
            "delete from mirror_base where mirror = ? and path = ?",
            ((peer.id, _key(path)) for path in paths),
        )

    # What is on its way.

    def pending(self, peer: Peer) -> dict[str, Version | None]:
        """Return the paths to look at again, with what was being written there.

        The kind of a version is 0 where nothing was to be; a version of None says nothing.
        """
        rows = self._database.rows(
            "select p.path, p.kind, p.mode, p.mtime_ns, p.content, c.hash, c.size"
            " from mirror_pending p left join content c on c.id = p.content where p.mirror = ?",
            (peer.id,),
        )
        return {
            _path(row[0]): None if row[1] is None else _version(row[1:], absent=row[1] == 0)
            for row in rows
        }

    def await_paths(self, peer: Peer, rows: Iterable[tuple[str, Version]]) -> None:
        """Note what is being written to the mirror; the kind is 0 where nothing is to be."""
        self._database.run_many(
            "insert or replace into mirror_pending values (?, ?, ?, ?, ?, ?)",
            ((peer.id, _key(path), *version[:4]) for path, version in rows),
        )

    def look_again(self, peer: Peer, paths: Iterable[str]) -> None:
        """Note paths to look at again; what is being written there stays noted."""
        self._database.run_many(
            "insert or ignore into mirror_pending (mirror, path) values (?, ?)",
            ((peer.id, _key(path)) for path in paths),
        )

    def settle(self, peer: Peer, paths: Iterable[str]) -> None:
        """Forget that paths are to be looked at."""
        self._database.run_many(
            "delete from mirror_pending where mirror = ? and path = ?",
            ((peer.id, _key(path)) for path in paths),
        )

    def pin(self, peer: Peer, contents: Iterable[int]) -> None:
        """Keep content from being collected that no file has yet."""
        self._database.run_many(
            "insert or ignore into mirror_fetched values (?, ?)",
            ((peer.id, content) for content in contents),
        )

    def unpin(self, peer: Peer) -> None:
        """Stop keeping what `pin` keeps."""
        self._database.run("delete from mirror_fetched where mirror = ?", (peer.id,))

    # Conflicts.

    def add_conflict(
        self,
        peer: Peer,
        path: str,
        clash: str,
        resolution: str | None,
        versions: tuple[Version | None, Version | None, Version | None],
    ) -> int:
        """Add a conflict; return its number.

        Args:
            peer: The mirror.
            path: Where.
            clash: What it is about.
            resolution: Who won; None when that is open.
            versions: What was agreed on, what the workspace has, what the mirror has.
        """
        journal = self._store.journal
        states = [field for version in versions for field in (version or _NOTHING)[:4]]
        self._database.run(
            "insert into mirror_conflict (mirror, path, clash, revision, time_ns, resolution,"
            " base_kind, base_mode, base_mtime_ns, base_content,"
            " workspace_kind, workspace_mode, workspace_mtime_ns, workspace_content,"
            " mirror_kind, mirror_mode, mirror_mtime_ns, mirror_content)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (peer.id, _key(path), clash, journal.revision, journal.time_ns, resolution, *states),
        )
        return self._database.last_row_id()

    def conflicts(
        self, peer: Peer, *, path: str | None = None, is_open: bool = True, limit: int = -1
    ) -> list[ConflictRow]:
        """Return conflicts, the oldest first.

        Args:
            peer: The mirror.
            path: Only those at this path.
            is_open: Only those that nobody resolved.
            limit: How many at most; negative for all.
        """
        rows = self._database.rows(
            f"{_CONFLICT} where k.mirror = ?1 and (?2 is null or k.path = ?2)"
            " and (not ?3 or k.resolution is null) order by k.id limit ?4",
            (peer.id, None if path is None else _key(path), is_open, limit),
        )
        return [_conflict(row) for row in rows]

    def conflict(self, number: int) -> ConflictRow:
        """Return a conflict that is known to be there."""
        found = self._database.row(f"{_CONFLICT} where k.id = ?", (number,))
        assert found is not None
        return _conflict(found)

    def count_conflicts(self, peer: Peer) -> int:
        """Return how many conflicts nobody resolved."""
        found = self._database.row(
            "select count(*) from mirror_conflict where mirror = ? and resolution is null",
            (peer.id,),
        )
        assert found is not None
        return int(found[0])

    def resolve(self, conflict: int, resolution: str) -> None:
        """Note what was done about a conflict."""
        self._database.run(
            "update mirror_conflict set resolution = ? where id = ?", (resolution, conflict)
        )

    # The workspace's side.

    def touched_since(self, position: int) -> list[Touched] | None:
        """Return where something changed after a position of the journal.

        Returns:
            None when the journal does not reach back so far.
        """
        self._store.journal.load()
        if position == self._store.journal.position:
            return []
        found = self._database.row("select min(id) from journal where id > ?", (position,))
        if not found or found[0] != position + 1:
            return None
        rows = self._database.rows(
            "select path, old_path, kind, inode, action from journal where id > ?", (position,)
        )
        if any(not row[4] for row in rows):
            return None
        return [
            Touched(decode(path), None if old is None else decode(old), kind, inode)
            for path, old, kind, inode, _ in rows
        ]

    def names_of(self, inodes: Collection[int]) -> list[str]:
        """Return all paths of the files among these inodes that have several."""
        numbers = self._linked(inodes)
        if not numbers:
            return []
        tree = self._store.tree
        return [entry.path[1:] for entry in tree.walk(tree.root) if entry.inode in numbers]

    def _linked(self, inodes: Collection[int]) -> set[int]:
        rows = self._database.rows(
            "select i.id from json_each(?) j cross join inode i on i.id = j.value"
            " where i.kind <> 2 and i.nlink > 1",
            (json.dumps(sorted(set(inodes))),),
        )
        return {number for (number,) in rows}

    def versions_below(self, path: str) -> dict[str, Version]:
        """Return what is below a directory of the workspace, by paths relative to its root."""
        tree = self._store.tree
        node = self._node(path)
        if node is None or node.kind != DIRECTORY:
            return {}
        entries = tree.walk_details(node)
        contents = {entry.content for entry in entries if entry.content is not None}
        hashes = self._store.content.hashes(contents) if contents else {}
        return {
            entry.path[1:]: Version(
                entry.kind,
                entry.mode,
                entry.mtime_ns,
                entry.content,
                _hash(entry.kind, None if entry.content is None else hashes[entry.content]),
                entry.size,
            )
            for entry in entries
        }

    def version_of(self, path: str) -> Version | None:
        """Return what is at a path of the workspace, not behind a link."""
        node = self._node(path)
        if node is None:
            return None
        inode = self._store.tree.inode(node.inode)
        return Version(
            inode.kind,
            inode.mode,
            inode.mtime_ns,
            inode.content,
            _hash(inode.kind, inode.hash),
            inode.size,
        )

    def _node(self, path: str) -> Node | None:
        absolute = f"/{path}"
        try:
            node = self._store.tree.find(absolute, follow=False)
        except (NotFoundError, NotDirectoryError, SymlinkLoopError):
            return None
        return node if node.path == absolute else None


_NOTHING: Final = Version(0, 0, 0, None, b"", 0)


def _key(path: str) -> bytes:
    return encode(path).replace(b"/", b"\0")


def _paths(keys: list[bytes]) -> list[str]:
    """Do what `_path` does for many at once: no key has a slash in it, and none is empty."""
    joined = b"//".join(keys).replace(b"\0", b"/")
    return joined.decode("utf-8", "surrogateescape").split("//")


def _path(key: bytes) -> str:
    return decode(key.replace(b"\0", b"/"))


def _hash(kind: int, digest: bytes | None) -> bytes:
    if kind == DIRECTORY:
        return b""
    return EMPTY_HASH if digest is None else digest


def _version(row: tuple[Any, ...], *, absent: bool = False) -> Version:
    kind, mode, mtime_ns, content, digest, size = row
    return Version(kind, mode, mtime_ns, content, b"" if absent else _hash(kind, digest), size or 0)


def _conflict(row: tuple[Any, ...]) -> ConflictRow:
    base, workspace, mirror = (
        _version(row[start : start + 6]) if row[start] else None for start in (6, 12, 18)
    )
    number, path, clash, revision, time_ns, resolution = row[:6]
    return ConflictRow(
        number, _path(path), clash, revision, time_ns, resolution, base, workspace, mirror
    )


def _agreed(row: tuple[Any, ...]) -> Agreed:
    return Agreed(_version(row[1:7]), Seen._make(row[7:]))


def _batches(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
