"""What changed in the mirror: a scan beside what it showed the last time.

Both come in tree order and are read side by side, so that neither has to be in memory:
only what differs is. An entry whose stat key is the same has the same content, unless it
was racy when the key was noted. Mostly nothing differs, so many are compared at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from vshell.fs.peers import SeenPage
from vshell.sync.target import DIRECTORY, Entry, tree_key

__all__ = ["Comparison", "compare", "is_below_any"]

_PATH: Final = itemgetter(0)
_SHOWN: Final = itemgetter(slice(1, 8))
_RACY: Final = itemgetter(7)
_REASON: Final = itemgetter(8)


@dataclass(slots=True)
class Comparison:
    """What differs from the last time.

    Attributes:
        entries: What is new, has another stat key, or is to be read again.
        gone: The paths at which nothing is any more.
        skipped: What cannot be mirrored, with the reason; nothing is known of what is below.
        total: How many entries there are.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    total: int = 0


def compare(
    listings: Iterable[Sequence[Entry]], known: Iterable[SeenPage], *, deep: bool = False
) -> Comparison:
    """Return what differs.

    Args:
        listings: What the mirror has, in tree order.
        known: What it showed the last time, in tree order.
        deep: Read every file again, whatever its stat key says.
    """
    found = Comparison()
    before = _Before(known)
    for entries in listings:
        found.total += len(entries)
        if deep or not before.skip(entries):
            _compare_each(found, entries, before, deep=deep)
    while before.has(1):
        found.gone.append(before.take()[0])
    found.gone = [path for path in found.gone if not is_below_any(path, found.skipped)]
    return found


class _Before:
    """What the mirror showed the last time, from one place on.

    Args:
        pages: All of it.
    """

    def __init__(self, pages: Iterable[SeenPage]) -> None:
        self._pages = iter(pages)
        self._paths: list[str] = []
        self._fields: list[tuple[int, ...]] = []
        self._place = 0

    def has(self, count: int) -> bool:
        """Tell whether so many are left."""
        while len(self._paths) - self._place < count:
            page = next(self._pages, None)
            if page is None:
                return False
            self._paths = self._paths[self._place :] + page.paths
            self._fields = self._fields[self._place :] + page.fields
            self._place = 0
        return True

    def skip(self, entries: Sequence[Entry]) -> bool:
        """Go on behind entries if they are just as they were; tell whether they are."""
        if not self.has(len(entries)):
            return False
        end = self._place + len(entries)
        if (
            self._paths[self._place : end] != list(map(_PATH, entries))
            or self._fields[self._place : end] != list(map(_SHOWN, entries))
            or any(map(_RACY, entries))
            or any(map(_REASON, entries))
        ):
            return False
        self._place = end
        return True

    @property
    def path(self) -> str:
        """The next path; `""`, which is no entry's, at the end."""
        return self._paths[self._place] if self.has(1) else ""

    def take(self) -> tuple[str, tuple[int, ...]]:
        """Return the next path and what was seen there, and go on."""
        self._place += 1
        return self._paths[self._place - 1], self._fields[self._place - 1]


def _compare_each(
    found: Comparison, entries: Iterable[Entry], before: _Before, *, deep: bool
) -> None:
    for entry in entries:
        path = entry[0]
        next_path = before.path
        if next_path != path and next_path:
            key = tree_key(path)
            while next_path and tree_key(next_path) < key:
                found.gone.append(before.take()[0])
                next_path = before.path
        if next_path != path:
            _note(found, entry)
            continue
        _, seen = before.take()
        # The key and whether it is racy are compared at once: nearly all are as they were.
        if deep or seen[6] or entry[1:8] != seen or entry[8]:
            _note_known(found, entry, seen, deep=deep)


def _note_known(found: Comparison, entry: Entry, seen: tuple[int, ...], *, deep: bool) -> None:
    if entry.key != seen[:6] or entry.reason:
        _note(found, entry)
    elif (deep or seen[6]) and entry.kind != DIRECTORY:
        found.entries[entry.path] = entry


def _note(found: Comparison, entry: Entry) -> None:
    if entry.reason:
        found.skipped[entry.path] = entry.reason
    else:
        found.entries[entry.path] = entry


def is_below_any(path: str, places: Iterable[str] | dict[str, str]) -> bool:
    """Tell whether a path is one of some paths, or below one of them."""
    if not places:
        return False
    known = places if isinstance(places, dict) else set(places)
    while path not in known:
        path = path.rpartition("/")[0]
        if not path:
            return False
    return True
