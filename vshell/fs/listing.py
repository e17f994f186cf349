"""Asking the file system about many files: listings, walks, and what a search must read.

Paths are absolute and normalised (`paths.absolute`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from vshell.errors import NotDirectoryError
from vshell.fs.path_table import PathTable
from vshell.fs.paths import decode
from vshell.fs.reading import FileReader
from vshell.fs.records import EntryDetails, EntryRow, EntryStat
from vshell.fs.resolving import Node
from vshell.fs.schema import DIRECTORY, ROOT, SYMLINK
from vshell.fs.search_index import Question
from vshell.text.line_marks import LineMarks


class FileLister(FileReader):
    """What can be asked of directories and trees; see `OpenFiles` for how to open them."""

    # Searching.

    def candidates(self, question: Question) -> set[int] | None:
        """Return the contents that may hold what a question asks for; None: any of them.

        Call it inside `reading()`.
        """
        answer = self.store.index.answer(question)
        if answer.contents is None:
            return None
        tail = self._database.rows("select id from content where id > ?", (answer.up_to,))
        return answer.contents.union(number for (number,) in tail) if tail else answer.contents

    @property
    def line_marks(self) -> LineMarks:
        """Where the lines of contents are, by the contents' numbers; for use in `reading()`."""
        return self._tree.line_marks

    def fold_index(self) -> None:
        """Take some of what was written lately into the search index, if nobody is writing."""
        store = self.store
        with store.lock:
            if self._database.read_only or store.depth or store.pinned:
                return
            if not store.read(store.index.wants_folding) or not self._database.try_begin():
                return
            try:
                before = store.fresh()
                store.index.fold()
                self._database.commit()
            except BaseException:
                self._database.rollback()
                store.fresh()
                raise
            store.settle(before, changed=True)

    def build_index(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Take everything into the search index; call it inside `transaction()`.

        Args:
            progress: Called with how many contents are done, and how many there are.
        """
        assert self.store.depth, "changes need a transaction"
        self.store.index.build(progress)

    def drop_index(self) -> None:
        """Forget the search index; call it inside `transaction()`."""
        assert self.store.depth, "changes need a transaction"
        self.store.index.drop()

    # Listing.

    def list_directory(
        self, path: str, *, limit: int = -1, offset: int = 0
    ) -> tuple[list[EntryDetails], int]:
        """Return a directory's entries, ordered by the bytes of their names, and how many it has.

        Raises:
            NotDirectoryError: It is none.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """

        def entries() -> tuple[list[EntryDetails], int]:
            directory = self._directory(path)
            found = self._tree.children(directory, limit=limit, offset=offset)
            complete = not offset and (limit < 0 or len(found) < limit)
            return found, len(found) if complete else self._tree.count(directory)

        return self.store.read(entries)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, ordered by their bytes; errors as `list_directory`."""
        return self.store.read(lambda: self._tree.names(self._directory(path)))

    def walk(
        self, path: str, *, max_depth: int | None = None, suffixes: Iterable[str] | None = None
    ) -> list[EntryRow]:
        """Return everything below a directory, in no order; links are not followed.

        Args:
            path: The directory, which is not part of the result.
            max_depth: How deep; 1 is the directory's own entries, None is all.
            suffixes: Only entries whose names end in one of these, and all directories.

        Raises:
            NotDirectoryError: It is no directory.
            NotFoundError, SymlinkLoopError: see `Tree.find`.
        """
        ends = None if suffixes is None else list(suffixes)

        return self.store.read(
            lambda: self._tree.walk(self._directory(path), max_depth=max_depth, suffixes=ends)
        )

    def walk_known(
        self, path: str, *, suffixes: Iterable[str] | None = None
    ) -> list[EntryDetails] | None:
        """Return the same as `walk`, with metadata, if all paths are in memory already."""

        def everything() -> list[EntryDetails] | None:
            directory = self._directory(path)
            table = self._table(worth_making=directory.inode == ROOT)
            return None if table is None else table.below(directory.path, suffixes)

        return self.store.read(everything)

    def walk_details(
        self, path: str, *, max_depth: int | None = None, suffixes: Iterable[str] | None = None
    ) -> list[EntryDetails]:
        """Return the same as `walk`, with metadata."""
        return self.store.read(
            lambda: self._walk(self._directory(path), max_depth=max_depth, suffixes=suffixes)
        )

    def walk_stats(self, path: str, *, max_depth: int | None = None) -> list[EntryStat]:
        """Return the same as `walk`, with all that `stat` tells."""
        return self.store.read(
            lambda: self._tree.walk_stats(self._directory(path), max_depth=max_depth)
        )

    def survey(
        self,
        path: str,
        *,
        follow: bool = False,
        max_depth: int | None = None,
        suffixes: Iterable[str] | None = None,
        contents: Collection[int] | None = None,
    ) -> tuple[list[EntryDetails], dict[int, str]]:
        """Return what is at `path`, first, and everything below it, and the targets of links.

        Args:
            path: A file, link or directory. The paths in the result are those without
                links and `..`, so the first one says what the others begin with.
            follow: If it is a link, survey what it leads to. Others are never followed.
            max_depth: How deep; 0 is the path alone, None is all.
            suffixes: As for `walk`; what is at `path` is always there.
            contents: Only files with one of these contents, whatever else is said.

        Returns:
            The entries, and the target of each link by the link's inode.

        Raises:
            NotFoundError, NotDirectoryError, SymlinkLoopError: see `Tree.find`.
        """

        def everything() -> tuple[list[EntryDetails], dict[int, str]]:
            top = self._tree.find(path, follow=follow)
            inode = self._tree.inode(top.inode)
            metadata = (inode.size, inode.mode, inode.mtime_ns, inode.content)
            found = [EntryDetails(top.path, top.inode, top.kind, *metadata)]
            if top.kind == DIRECTORY:
                found += self._below(top, contents, max_depth=max_depth, suffixes=suffixes)
            links = [entry for entry in found if entry.kind == SYMLINK]
            read = self._read_batch(links) if links else ()
            return found, {entry.inode: decode(target) for entry, target in read}

        return self.store.read(everything)

    def _below(
        self,
        top: Node,
        contents: Collection[int] | None,
        *,
        max_depth: int | None,
        suffixes: Iterable[str] | None,
    ) -> list[EntryDetails]:
        """Return what `survey` finds below a directory."""
        if contents is None:
            return self._walk(top, max_depth=max_depth, suffixes=suffixes)
        table = self._table(worth_making=True)
        if table is not None:
            return table.with_contents(top.path, contents)
        return self._tree.with_contents(top, contents)

    def _walk(
        self, directory: Node, *, max_depth: int | None, suffixes: Iterable[str] | None
    ) -> list[EntryDetails]:
        ends = None if suffixes is None else list(suffixes)
        if max_depth is None:
            table = self._table(worth_making=directory.inode == ROOT)
            if table is not None:
                return table.below(directory.path, ends)
        return self._tree.walk_details(directory, max_depth=max_depth, suffixes=ends)

    def _table(self, *, worth_making: bool) -> PathTable | None:
        return None if self.store.depth else self.store.tables.get(worth_making=worth_making)

    def _directory(self, path: str) -> Node:
        node = self._tree.find(path)
        if node.kind != DIRECTORY:
            raise NotDirectoryError(f"not a directory: {path}", path=path)
        return node
