"""What is the same thing on both sides of a merge, and in the state they began with.

A thing (a file, link or directory) gets one number for all three. It is found again by
its place first: what has the same name in the same directory, and is of the same kind,
is the same thing with other content, as for git; then by its inode, which a rename
keeps. So a directory that was renamed takes along what the other side did inside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import NamedTuple

from vshell.fs.lineage import Inventory, Item, MergeBase
from vshell.fs.paths import decode, join
from vshell.fs.schema import DIRECTORY, ROOT

Entry = tuple[int, bytes]
"""A name in a directory, which is given by its number."""

_Known = Callable[[int], int | None]


class Side:
    """A tree, by the numbers that all sides have in common.

    Attributes:
        items: What each thing is.
        entries: What each name stands for.
        names: The names of each thing.
        inodes: The inode of each thing, in the side's own database.
    """

    __slots__ = ("entries", "inodes", "items", "names")

    def __init__(self, inventory: Inventory, numbers: Mapping[int, int]) -> None:
        self.items: dict[int, Item] = {}
        self.inodes: dict[int, int] = {}
        for inode, item in inventory.items.items():
            self.items[numbers[inode]] = item
            self.inodes[numbers[inode]] = inode
        self.entries: dict[Entry, int] = {}
        self.names: dict[int, list[Entry]] = {}
        for (directory, name), inode in inventory.entries.items():
            entry, number = (numbers[directory], name), numbers[inode]
            self.entries[entry] = number
            self.names.setdefault(number, []).append(entry)

    def path(self, entry: Entry) -> str:
        """Return the path of a name."""
        names = [decode(entry[1])]
        while entry[0] != ROOT:
            entry = self.names[entry[0]][0]
            names.append(decode(entry[1]))
        return join("/", "/".join(reversed(names)))

    def is_directory(self, number: int) -> bool:
        item = self.items.get(number)
        return item is not None and item.kind == DIRECTORY


class Sides(NamedTuple):
    """Three trees with the same numbers for the same things."""

    base: Side
    parent: Side
    fork: Side


def match_sides(common: MergeBase, parent: Inventory, fork: Inventory) -> Sides:
    """Number the things of three trees.

    Args:
        common: What both began with.
        parent: The tree to merge into.
        fork: The tree to merge.
    """
    base = common.state

    def same_inode(number: int) -> int | None:
        return common.inodes.get(number, number if number <= common.shared else None)

    parent_numbers = _Matcher(base, parent, same_inode).run()
    fork_numbers = _Matcher(base, fork, lambda number: number).run()
    next_number = count(max(base.items) + 1)
    numbered = []
    for tree, numbers in ((parent, parent_numbers), (fork, fork_numbers)):
        new = frozenset(tree.items.keys() - numbers.keys())
        numbers.update(zip(sorted(new), next_number, strict=False))
        numbered.append(_Numbered(tree, numbers, new))
    _join_new(*numbered)
    return Sides(
        Side(base, {number: number for number in base.items}),
        Side(parent, parent_numbers),
        Side(fork, fork_numbers),
    )


def _children(tree: Inventory) -> dict[int, dict[bytes, int]]:
    found: dict[int, dict[bytes, int]] = {}
    for (directory, name), number in tree.entries.items():
        found.setdefault(directory, {})[name] = number
    return found


class _Matcher:
    """Finds the things of a base again in a tree that came from it."""

    def __init__(self, base: Inventory, tree: Inventory, same_inode: _Known) -> None:
        self._base = base
        self._tree = tree
        self._same_inode = same_inode
        self._base_children = _children(base)
        self._children = _children(tree)
        self._base_names = Counter(base.entries.values())
        self._names = Counter(tree.entries.values())
        self._found: dict[int, int] = {}
        self._taken: set[int] = set()

    def run(self) -> dict[int, int]:
        """Return the number in the base of each thing that was there."""
        self._match(ROOT, ROOT)
        by_kind = sorted(
            self._tree.items,
            key=lambda number: (self._tree.items[number].kind != DIRECTORY, number),
        )
        for number in by_kind:
            origin = self._same_inode(number)
            if origin is not None and number not in self._found and self._is_free(origin, number):
                self._match(origin, number)
        return self._found

    def _match(self, origin: int, number: int) -> None:
        """Note that two things are the same, and all that has the same place in them."""
        pending = [(origin, number)]
        while pending:
            origin, number = pending.pop()
            self._found[number] = origin
            self._taken.add(origin)
            old = self._base_children.get(origin, {})
            for name, child in self._children.get(number, {}).items():
                if name in old and child not in self._found and self._is_same(old[name], child):
                    pending.append((old[name], child))
                    # One thing has one counterpart, however many names lead to it.
                    self._found[child] = old[name]
                    self._taken.add(old[name])

    def _is_free(self, origin: int, number: int) -> bool:
        was = self._base.items.get(origin)
        return (
            was is not None
            and origin not in self._taken
            and was.kind == self._tree.items[number].kind
        )

    def _is_same(self, origin: int, number: int) -> bool:
        """Tell whether what has the same place is the same thing, or a new one in its place."""
        if not self._is_free(origin, number):
            return False
        known = self._same_inode(number)
        if known == origin:
            return True
        was_another = known is not None and known in self._base.items
        return not was_another and self._base_names[origin] == self._names[number] == 1


class _Numbered(NamedTuple):
    """A tree with the numbers of its inodes, and which of them are not in the base."""

    tree: Inventory
    numbers: dict[int, int]
    new: frozenset[int]


def _join_new(parent: _Numbered, fork: _Numbered) -> None:
    """Give what both sides made at the same place, of the same kind, one number."""
    parent_children, fork_children = _children(parent.tree), _children(fork.tree)
    parent_names = Counter(parent.tree.entries.values())
    fork_names = Counter(fork.tree.entries.values())
    inodes = {number: inode for inode, number in parent.numbers.items()}
    pending = [
        (inodes[number], inode)
        for inode, number in fork.numbers.items()
        if number in inodes and fork.tree.items[inode].kind == DIRECTORY
    ]
    while pending:
        mine, yours = pending.pop()
        names = parent_children.get(mine, {})
        for name, child in fork_children.get(yours, {}).items():
            twin = names.get(name)
            if twin not in parent.new or child not in fork.new:
                continue
            kind = fork.tree.items[child].kind
            if parent.tree.items[twin].kind == kind and (
                parent_names[twin] == fork_names[child] == 1
            ):
                fork.numbers[child] = parent.numbers[twin]
                if kind == DIRECTORY:
                    pending.append((twin, child))
