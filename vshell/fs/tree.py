"""The tree of names: what a path leads to, what a directory holds, and what is below it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from vshell.errors import (
    CorruptError,
)
from vshell.fs.paths import decode, encode, join
from vshell.fs.records import EntryDetails, EntryRow, EntryStat, Inode
from vshell.fs.resolving import INODE_COLUMNS, Node, Resolver, inode_of
from vshell.fs.schema import DIRECTORY, FILE

_Entry = TypeVar("_Entry", EntryRow, EntryDetails, EntryStat)

_BELOW: Final = (
    # `union` and not `union all`: of two circles in a damaged tree, this never ends.
    "with recursive below (id, depth) as (select ?, 1 union"
    " select e.inode, depth + 1 from below join entry e on e.parent = below.id"
    " where e.kind = 2 and depth < ?)"
)
_ANY_DEPTH: Final = 20_000
"""Deeper than any tree, and an end to the walk of a damaged one that has a circle."""

_MAX_SUFFIXES: Final = 50
"""More alternatives are left to the caller: SQLite's expressions are 1,000 levels deep at most."""


class Tree(Resolver):
    """Entries and inodes of one database, many at once, too; see `Resolver` for one."""

    def children(self, directory: Node, *, limit: int = -1, offset: int = 0) -> list[EntryDetails]:
        """Return a directory's entries in the order of their names' bytes."""
        found = self._database.rows(
            "select e.name, i.id, i.kind, i.size, i.mode, i.mtime_ns, i.content"
            " from entry e join inode i on i.id = e.inode"
            " where e.parent = ? order by e.name limit ? offset ?",
            (directory.inode, limit, offset),
        )
        base = "" if directory.path == "/" else directory.path
        return self.shown([EntryDetails(f"{base}/{decode(row[0])}", *row[1:]) for row in found])

    def shown(self, entries: list[_Entry]) -> list[_Entry]:
        """Return the entries without those that are hidden."""
        hides = self.hides
        return entries if hides is None else [each for each in entries if not hides(each.path)]

    def names(self, directory: Node) -> list[str]:
        """Return the names in a directory in the order of their bytes."""
        found = self._database.rows(
            "select name from entry where parent = ? order by name", (directory.inode,)
        )
        names = [decode(name) for (name,) in found]
        hides = self.hides
        if hides is None:
            return names
        return [name for name in names if not hides(join(directory.path, name))]

    def count(self, directory: Node) -> int:
        """Return how many entries a directory has."""
        if self.hides is not None:
            return len(self.names(directory))
        found = self._database.row(
            "select count(*) from entry where parent = ?", (directory.inode,)
        )
        assert found is not None
        count: int = found[0]
        return count

    def walk(
        self,
        directory: Node,
        *,
        max_depth: int | None = None,
        suffixes: Sequence[str] | None = None,
    ) -> list[EntryRow]:
        """Return all entries below a directory, in no order, by one statement.

        Args:
            directory: Where to start; it is not part of the result.
            max_depth: How deep to go; 1 is the directory's own entries.
            suffixes: If given, only entries whose names end so, besides all directories;
                of no use when there are many.
        """
        if max_depth is not None and max_depth < 1:
            return []
        depth = _ANY_DEPTH if max_depth is None else max_depth
        condition, values = _suffix_condition(suffixes)
        found = self._database.rows(
            f"{_BELOW} select e.parent, e.name, e.inode, e.kind from entry e"
            f" where e.parent in (select id from below){condition}",
            (directory.inode, depth, *values),
        )
        path_of = directory_paths(directory, found)
        return self.shown(
            [
                EntryRow(path_of(parent) + decode(name), inode, kind)
                for parent, name, inode, kind in found
            ]
        )

    def walk_details(
        self,
        directory: Node,
        *,
        max_depth: int | None = None,
        suffixes: Sequence[str] | None = None,
    ) -> list[EntryDetails]:
        """Return the same as `walk`, with metadata."""
        if max_depth is not None and max_depth < 1:
            return []
        depth = _ANY_DEPTH if max_depth is None else max_depth
        condition, values = _suffix_condition(suffixes)
        found = self._database.rows(
            f"{_BELOW} select e.parent, e.name, e.inode, e.kind, i.size, i.mode, i.mtime_ns,"
            " i.content from entry e join inode i on i.id = e.inode"
            f" where e.parent in (select id from below){condition}",
            (directory.inode, depth, *values),
        )
        path_of = directory_paths(directory, found)
        return self.shown(
            [EntryDetails(path_of(row[0]) + decode(row[1]), *row[2:]) for row in found]
        )

    def walk_stats(self, directory: Node, *, max_depth: int | None = None) -> list[EntryStat]:
        """Return the same as `walk`, with all that `stat` tells."""
        if max_depth is not None and max_depth < 1:
            return []
        found = self._database.rows(
            f"{_BELOW} select e.parent, e.name, e.inode, e.kind, i.mode, i.size, i.mtime_ns,"
            " i.ctime_ns, i.nlink from entry e join inode i on i.id = e.inode"
            " where e.parent in (select id from below)",
            (directory.inode, _ANY_DEPTH if max_depth is None else max_depth),
        )
        path_of = directory_paths(directory, found)
        return self.shown([EntryStat(path_of(row[0]) + decode(row[1]), *row[2:]) for row in found])

    def with_contents(self, top: Node, contents: Collection[int]) -> list[EntryDetails]:
        """Return the files below a directory that have one of these contents, in no order.

        Two passes over the tables find them: indexes on the contents of inodes and on the
        inodes of entries would make each write dearer.
        """
        found = self._database.rows(
            "select id, size, mode, mtime_ns, content from inode where kind = 1"
            " and content in (select value from json_each(?))",
            (json.dumps(list(contents)),),
        )
        inodes = {row[0]: row[1:] for row in found}
        entries = self._database.rows(
            "select parent, name, inode from entry where kind = 1"
            " and inode in (select value from json_each(?))",
            (json.dumps(list(inodes)),),
        )
        if not entries:
            return []
        path_of = directory_paths(
            self.root,
            self._database.rows("select parent, name, inode, kind from entry where kind = 2"),
        )
        below = "/" if top.path == "/" else f"{top.path}/"
        return self.shown(
            [
                EntryDetails(path_of(parent) + decode(name), number, FILE, *inodes[number])
                for parent, name, number in entries
                if path_of(parent).startswith(below)
            ]
        )

    def inodes_below(self, directory: Node) -> dict[int, Inode]:
        """Return the inodes of all entries below a directory by their numbers."""
        found = self._database.rows(
            f"{_BELOW} select distinct {INODE_COLUMNS} from entry e join inode i on i.id = e.inode"
            " where e.parent in (select id from below)",
            (directory.inode, _ANY_DEPTH),
        )
        return {row[0]: inode_of(row) for row in found}


def _suffix_condition(suffixes: Sequence[str] | None) -> tuple[str, list[bytes]]:
    if suffixes is None or len(suffixes) > _MAX_SUFFIXES:
        return "", []
    encoded = [encode(suffix) for suffix in suffixes]
    tests = [f"substr(e.name, -{len(suffix)}) = ?" for suffix in encoded if suffix]
    if len(tests) < len(encoded):
        return "", []
    matches = " or ".join([f"e.kind = {DIRECTORY}", *tests])
    return f" and ({matches})", encoded


def directory_paths(top: Node, rows: Iterable[tuple[Any, ...]]) -> Callable[[int], str]:
    """Return what tells a directory's path, ending in a slash, by its inode.

    Args:
        top: The directory that the others are below.
        rows: Parent, name, inode and kind of what is below it; others than directories
            are passed over. A path is put together when it is asked for.
    """
    paths = {top.inode: "/" if top.path == "/" else f"{top.path}/"}
    places = {row[2]: row for row in rows if row[3] == DIRECTORY}

    def path_of(inode: int) -> str:
        path = paths.get(inode)
        if path is None:
            chain: list[tuple[Any, ...]] = []
            while inode not in paths:
                row = places.get(inode)
                if row is None or len(chain) > len(places):
                    raise CorruptError(
                        "a directory lies in itself, or in none", hint="`vshell check` says more"
                    )
                chain.append(row)
                inode = row[0]
            path = paths[inode]
            for row in reversed(chain):
                path = paths[row[2]] = f"{path}{decode(row[1])}/"
        return path

    return path_of
