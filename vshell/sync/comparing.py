"""What changed in the mirror: a scan beside what it showed the last time.

Both come in tree order and are read side by side, so that neither has to be in memory:
only what differs is. An entry whose stat key is the same has the same content, unless it
was racy when the key was noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from vshell.fs.peers import Seen
from vshell.sync.target import DIRECTORY, Entry, tree_key

__all__ = ["Comparison", "compare", "is_below_any"]


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
    entries: Iterable[Entry], known: Iterator[tuple[str, Seen]], *, deep: bool = False
) -> Comparison:
    """Return what differs.

    Args:
        entries: What the mirror has, in tree order.
        known: What it showed the last time, in tree order.
        deep: Read every file again, whatever its stat key says.
    """
    found = Comparison()
    total = 0
    path_before, seen = next(known, _NO_MORE)
    for entry in entries:
        total += 1
        path = entry[0]
        if path_before != path:
            key = tree_key(path)
            while seen is not None and tree_key(path_before) < key:
                found.gone.append(path_before)
                path_before, seen = next(known, _NO_MORE)
        if seen is None or path_before != path:
            _note(found, entry)
            continue
        # The key and whether it is racy are compared at once: nearly all are as they were.
        if deep or seen[6] or entry[1:8] != seen or entry[8]:
            _note_known(found, entry, seen, deep=deep)
        path_before, seen = next(known, _NO_MORE)
    while seen is not None:
        found.gone.append(path_before)
        path_before, seen = next(known, _NO_MORE)
    found.total = total
    found.gone = [path for path in found.gone if not is_below_any(path, found.skipped)]
    return found


_NO_MORE: Final[tuple[str, Seen | None]] = ("", None)
"""No entry has this path: it is the root's."""


def _note_known(found: Comparison, entry: Entry, seen: Seen, *, deep: bool) -> None:
    if entry.key != seen[:6] or entry.reason:
        _note(found, entry)
    elif (deep or seen.racy) and entry.kind != DIRECTORY:
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
