"""Which names a merge gives to what: a three-way merge of directories, without any I/O.

A tree is a set of entries: a name in a directory stands for a thing. The result starts
as one side, the `own` one, and what the other side did to its entries since the base is
brought in, entry by entry. What cannot be brought in, because both did different things
or no tree would come of it, is dropped and reported; the rest of the same move goes with
it, so that nothing is ever lost. Each round can only drop, so the rounds end, at worst
with the own side as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from vshell.ops.merge_sides import Entry, Side

Clash = Literal["gone_here", "gone_there", "renamed", "taken", "content", "mode"]
"""Why something is not brought in: the own side removed it, the other one did, both renamed
it, another thing has its place, both wrote it, both changed its mode."""


class Found(NamedTuple):
    """A conflict.

    Attributes:
        path: Where it is on the own side; if it is not there, on the other.
        clash: What it is about.
        base: What was there.
        own: What is there on the own side.
        other: What is there on the other side.
    """

    path: str
    clash: Clash
    base: int | None
    own: int | None
    other: int | None


class Data(NamedTuple):
    """What a thing that both sides have becomes.

    Attributes:
        source: Whose content it has; `"both"`: lines of both, if they can be merged.
        mode: Its permission bits.
        mtime_ns: When its content changed; None is now.
    """

    source: Literal["own", "other", "both"]
    mode: int
    mtime_ns: int | None


class Plan:
    """What a merge comes to.

    Attributes:
        entries: The names of the result.
        data: What becomes of things that both sides have and of which the other side
            changed the content, mode or time; all others are as the one side has them.
        conflicts: What was not brought in.
        dropped: The entries of the other side that were not brought in.
        disputed: Things that one side removed and the other changed.
        mode_conflicts: Things that have the own side's mode, as both changed it.
    """

    def __init__(self, base: Side, own: Side, other: Side) -> None:
        self._base = base
        self._own = own
        self._other = other
        self._incoming: dict[Entry, int | None] = {}
        self._touching: dict[int, set[Entry]] = {}
        self._raised: dict[Entry, int] = {}
        self._reported: set[tuple[str, int | None]] = set()
        self.conflicts: list[Found] = []
        self.dropped: set[Entry] = set()
        self.disputed: set[int] = set()
        self.mode_conflicts: set[int] = set()
        self.data: dict[int, Data] = {}
        self._collect()
        self._compare_things()
        while self._settle():
            pass
        self.entries = self._result()
        self._merge_data()

    # Entries.

    def _collect(self) -> None:
        """Find what the other side did to its entries, and what of it stands against ours."""
        base, own, other = self._base.entries, self._own.entries, self._other.entries
        taken: list[Entry] = []
        for entry in base.keys() | other.keys():
            was, mine, yours = base.get(entry), own.get(entry), other.get(entry)
            if yours in (was, mine) or (yours is None and mine != was):
                continue
            self._incoming[entry] = yours
            for number in (yours, mine):
                if number is not None:
                    self._touching.setdefault(number, set()).add(entry)
            if mine not in (was, None):
                taken.append(entry)
        for entry in sorted(taken):
            self._drop(entry, "taken")

    def _drop(self, entry: Entry, clash: Clash) -> None:
        """Do not bring an entry in, and nothing that is one with it."""
        self._report_entry(entry, clash)
        pending = [entry]
        while pending:
            entry = pending.pop()
            if entry not in self._incoming:
                continue
            brought = self._incoming.pop(entry)
            self.dropped.add(entry)
            if brought is not None and self._is_own_place(entry):
                self._report_entry(entry, "taken", brought)
            for number in (brought, self._own.entries.get(entry)):
                if number is not None:
                    pending += self._one_with(number)

    def _one_with(self, number: int) -> Iterator[Entry]:
        """Yield the entries that cannot come in when one about this thing does not."""
        if number in self._own.items and number in self._other.items:
            yield from self._touching.get(number, ())  # what was moved keeps its place
        elif number in self._own.items:
            if self._own.is_directory(number):
                yield from self._inside(number)  # it stays, and so does what is in it
        elif self._other.is_directory(number):
            yield from self._incoming_inside(number)

    def _inside(self, directory: int) -> Iterator[Entry]:
        pending = [directory]
        while pending:
            directory = pending.pop()
            for entry in self._own_children.get(directory, ()):
                yield entry
                number = self._own.entries[entry]
                if self._own.is_directory(number):
                    pending.append(number)

    def _incoming_inside(self, directory: int) -> list[Entry]:
        return [entry for entry in self._other_children.get(directory, ()) if entry in self._incoming]
