"""All entries of a workspace in memory, for searches and globs that come again and again.

The rows of a tree say where an entry is by its directory, so that the paths of a few
contents, or of all names that end in `.py`, take passes over two tables. Who asks
often is answered from a table of all paths instead.

Commits of this process do not end it: what they did is in the journal, so that the paths
that it names are looked at again, and no others. Where that does not tell all (a
directory was moved, a file has two names, rows of the journal are gone), or when another
process committed, the table is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Final

from vshell.errors import NotDirectoryError, NotFoundError
from vshell.fs.database import Database
from vshell.fs.journal import Journal
from vshell.fs.paths import decode, split
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY
from vshell.fs.tree import Tree

__all__ = ["PathTable", "PathTables"]

MAX_ENTRIES: Final = 100_000
"""How many entries a table may have: about 30 MB."""

_MAX_CHANGES: Final = 2_000
"""With more changes than this, to make the table anew takes no longer than to correct it."""

_FEW: Final = 8
"""To look up more than an eighth of the entries takes longer than to pass over all of them."""

_path_of = attrgetter("path")


class PathTable:
    """The entries of one state, by path; the root is not among them.

    Args:
        entries: All of them.
        position: The last row of the journal that they show.
    """

    def __init__(self, entries: Iterable[EntryDetails], position: int) -> None:
        self.position = position
        self._by_path = {entry.path: entry for entry in entries}
        self._ordered: list[EntryDetails] = []
        self._paths: list[str] = []
        self._by_content: dict[int, list[str]] = {}

    def below(self, directory: str, suffixes: Iterable[str] | None = None) -> list[EntryDetails]:
        """Return what is below a directory, ordered by path.

        Args:
            directory: The directory.
            suffixes: Only what ends in one of these, and directories.
        """
        found = self._in_order()
        if directory != "/":
            first = bisect_left(self._paths, f"{directory}/")
            last = bisect_left(self._paths, f"{directory}0")  # what follows a slash
            found = found[first:last]
        ends = ("",) if suffixes is None else tuple(suffixes)
        if "" in ends:
            return found[:]
        return [entry for entry in found if entry[0].endswith(ends) or entry[2] == DIRECTORY]

    def with_contents(self, directory: str, contents: Collection[int]) -> list[EntryDetails]:
        """Return what is below a directory and has one of these contents, in no order."""
        if len(contents) > len(self._by_path) // _FEW:
            return [entry for entry in self.below(directory) if entry.content in contents]
        if not self._by_content:
            for entry in self._by_path.values():
                self._note_content(entry)
        known, by_path = self._by_content, self._by_path
        below = "/" if directory == "/" else f"{directory}/"
        return [
            by_path[path]
            for content in contents
            for path in known.get(content, ())
            if path.startswith(below)
        ]

    def put(self, path: str, entry: EntryDetails | None) -> None:
        """Note what is at a path now; None: nothing."""
        self._ordered = []
        before = self._by_path.pop(path, None)
        if self._by_content and before is not None and before.content is not None:
            self._by_content[before.content].remove(path)
        if entry is not None:
            self._by_path[path] = entry
            if self._by_content:
                self._note_content(entry)

    def _note_content(self, entry: EntryDetails) -> None:
        if entry.content is not None:
            self._by_content.setdefault(entry.content, []).append(entry.path)

    def _in_order(self) -> list[EntryDetails]:
        if not self._ordered:
            self._ordered = sorted(self._by_path.values(), key=_path_of)
            self._paths = [entry.path for entry in self._ordered]
        return self._ordered


class PathTables:
    """Keeps the table of one database true, and makes it once it is asked for repeatedly.

    Args:
        database: Where the rows are.
        tree: Reads them; it holds the table, and drops it when somebody else committed.
        journal: Tells what was changed.
    """

    def __init__(self, database: Database, tree: Tree, journal: Journal) -> None:
        self._database = database
        self._tree = tree
        self._journal = journal

    def get(self, *, worth_making: bool) -> PathTable | None:
        """Return the table; None when there is none yet, or it would be too large.

        Call it outside of transactions, inside a question to `Store.read`.

        Args:
            worth_making: The question is one for which a table is made when it comes for
                the second time.
        """
        tree = self._tree
        if tree.hides is not None:
            return None
        self._journal.load()
        table = tree.table
        if table is not None and not self._catch_up(table):
            table = tree.table = None
        if table is None and worth_making:
            tree.table_wanted += 1
            if tree.table_wanted == 2 and self._is_small():
                entries = tree.walk_details(tree.root)
                table = tree.table = PathTable(entries, self._journal.position)
                tree.table_wanted = 1
        return table

    def _is_small(self) -> bool:
        found = self._database.row("select count(*) from entry")
        return found is not None and found[0] <= MAX_ENTRIES

    def _catch_up(self, table: PathTable) -> bool:
        """Bring the table to the journal's end; return whether that tells all."""
        missing = self._journal.position - table.position
        if not missing:
            return True
        if not 0 < missing <= _MAX_CHANGES:
            return False
        rows = self._database.rows(
            "select action, path, old_path, kind from journal where id > ?", (table.position,)
        )
        if len(rows) != missing:
            return False
        paths: set[str] = set()
        for action, path, old_path, kind in rows:
            if not action or (kind == DIRECTORY and action in ("rename", "remove")):
                return False
            paths.add(decode(path))
            if old_path is not None:
                paths.add(decode(old_path))
        paths |= {split(path)[0] for path in paths}  # whose time of change it is, too
        paths.discard("/")
        self._tree.load_inodes(paths)
        if not all(self._look_again(table, path) for path in paths):
            return False
        table.position = self._journal.position
        return True

    def _look_again(self, table: PathTable, path: str) -> bool:
        """Correct what the table has at a path; return whether that is all that is to do."""
        try:
            node = self._tree.find(path, follow=False)
        except (NotFoundError, NotDirectoryError):
            table.put(path, None)
            return True
        inode = self._tree.inode(node.inode)
        if inode.kind != DIRECTORY and inode.nlink > 1:
            return False
        metadata = (inode.size, inode.mode, inode.mtime_ns, inode.content)
        table.put(path, EntryDetails(node.path, node.inode, node.kind, *metadata))
        return True
