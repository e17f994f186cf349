"""Walking a tree: what every operation that looks below a path starts with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY
from vshell.ops.context import Context
from vshell.ops.ignored import ignored_below


@dataclass(frozen=True, slots=True)
class Walk:
    """What is at a path and below it.

    Attributes:
        top: The path from the root, as it was asked for but without `..`.
        real: The same path without links: what the paths of the entries begin with.
        entries: What is at the path, first, and all that is below it, in no order.
        targets: What the links say, by their inodes.
    """

    top: str
    real: str
    entries: list[EntryDetails]
    targets: dict[int, str]

    def shown(self, path: str) -> str:
        """Return an entry's path as it is seen from the path that was asked for."""
        if self.top == self.real:
            return path
        below = path if self.real == "/" else path[len(self.real) :]
        return (below if self.top == "/" else self.top + below) or "/"

    def relative(self, path: str) -> str:
        """Return an entry's path from the top on, without a leading slash."""
        return path[len(self.real.rstrip("/")) + 1 :]

    def depth(self, path: str) -> int:
        """Return how many names below the top an entry is."""
        return 0 if path == self.real else self.relative(path).count("/") + 1


def walk(
    context: Context,
    path: str,
    *,
    follow: bool = False,
    max_depth: int | None = None,
    suffixes: Iterable[str] | None = None,
    ignore: bool = False,
    contents: Collection[int] | None = None,
) -> Walk:
    """Walk a tree, with one statement, or two when there are links.

    Args:
        path: Where to start, absolute; a file is a tree of one entry.
        follow: If it is a link, walk what it leads to. Others are never followed.
        max_depth: How deep; 0 is the path alone, None is all.
        suffixes: Only entries whose names end in one of these, and all directories.
        ignore: Leave out what the `.gitignore` files say, and every `.git`; but never
            what is at the path itself.
        contents: Only files that have one of these contents; None is all.

    Raises:
        NotFoundError: Nothing is there.
        NotDirectoryError: Something on the way is no directory.
        SymlinkLoopError: The links on the way lead in a circle.
        TooLargeError: A `.gitignore` file is over its limits.
    """
    with context.files.reading() if ignore else nullcontext():
        entries, targets = context.files.survey(
            path, follow=follow, max_depth=max_depth, suffixes=suffixes, contents=contents
        )
        real = entries[0].path
        if ignore and entries[0].kind == DIRECTORY:
            ignored = ignored_below(context, real)
            entries[1:] = [
                entry for entry in entries[1:] if not ignored(entry.path, entry.kind == DIRECTORY)
            ]
    return Walk(real if "/.." in path else path, real, entries, targets)
