"""A directory with all that is below it, as a tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from vshell.fs.paths import PathLike, split
from vshell.fs.records import KIND_NAMES, EntryDetails, Kind
from vshell.fs.schema import DIRECTORY
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.find import check_numbers
from vshell.ops.ls import check_page
from vshell.ops.walking import Walk, walk
from vshell.record import Record, quick_constructor


@dataclass(frozen=True, slots=True)
class TreeNode(Record):
    """A file, directory or link, and what is in it.

    Attributes:
        path: Its path from the root.
        name: Its name; the root has none.
        kind: `"file"`, `"directory"` or `"symlink"`.
        size: Bytes of content; of a link, of its target; 0 for a directory.
        target: What a link says; None for anything else.
        children: What a directory holds, by name; None for anything else, and for a
            directory that was not entered because of `max_depth`.
        truncated: Whether the limit left out some of the children.
    """

    path: str
    name: str
    kind: Kind
    size: int
    target: str | None
    children: tuple[TreeNode, ...] | None = field(repr=False)
    truncated: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the tree as JSON-ready data; a tree of any depth."""
        whole: list[dict[str, Any]] = []
        pending = [(self, whole)]
        while pending:
            node, siblings = pending.pop()
            children: list[dict[str, Any]] | None = None if node.children is None else []
            siblings.append(
                {
                    "path": node.path,
                    "name": node.name,
                    "kind": node.kind,
                    "size": node.size,
                    "target": node.target,
                    "children": children,
                    "truncated": node.truncated,
                }
            )
            if children is not None:
                pending += [(child, children) for child in reversed(node.children or ())]
        return whole[0]


_tree_node = quick_constructor(TreeNode)


def tree(
    context: Context,
    path: PathLike = "/",
    *,
    max_depth: int | None = None,
    ignore: bool = False,
    limit: int = WALK_ENTRIES,
) -> TreeNode:
    """Return what is at a path with all that is below it; links are not followed.

    Args:
        path: The directory, usually.
        max_depth: How many levels below it; None is all.
        ignore: Leave out what the `.gitignore` files say, and every `.git`.
        limit: How many nodes at most. When there are more, the upper levels go before
            the lower ones; a directory of which something is missing says so.

    Raises:
        NotFoundError: Nothing is there.
        NotDirectoryError: Something on the way is no directory.
        RangeError: `limit` is less than 1 or `max_depth` negative.
        TooLargeError: A `.gitignore` file is over its limits.
    """
    check_page(limit, 0)
    check_numbers(max_depth=max_depth)
    found = walk(context, context.resolve(path), max_depth=max_depth, ignore=ignore)
    return _Builder(found, max_depth, limit).build()


class _Builder:
    def __init__(self, found: Walk, max_depth: int | None, limit: int) -> None:
        self._found = found
        self._max_depth = max_depth
        self._is_real = found.top == found.real
        below = sorted(found.entries[1:], key=attrgetter("path"))
        below.sort(key=lambda entry: entry.path.count("/"))
        self._levels = found.entries[:1] + below[: limit - 1]
        self._short = {split(entry.path)[0] for entry in below[limit - 1 :]}

    def build(self) -> TreeNode:
        # From the deepest level up, so that children are there before their directory.
        children: dict[str, list[TreeNode]] = defaultdict(list)
        for entry in reversed(self._levels):
            path = entry.path
            node = self._node(entry, children.pop(path, ()))
            children[path[: path.rindex("/")] or "/"].append(node)
        return node

    def _node(self, entry: EntryDetails, children: Sequence[TreeNode]) -> TreeNode:
        real, inode, kind, size, _, _, _ = entry
        path = real if self._is_real else self._found.shown(real)
        return _tree_node(
            path,
            path[path.rindex("/") + 1 :],
            KIND_NAMES[kind],
            size,
            self._found.targets.get(inode),
            tuple(reversed(children)) if kind == DIRECTORY and self._enters(real) else None,
            real in self._short,
        )

    def _enters(self, path: str) -> bool:
        return self._max_depth is None or self._found.depth(path) < self._max_depth
