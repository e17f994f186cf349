"""Which names a merge gives to what: a three-way merge of directories, without any I/O.

A tree is a set of entries: a name in a directory stands for a thing. The result starts
as one side, the `own` one, and what the other side did to its entries since the base is
brought in, entry by entry. What cannot be brought in, because both did different things
or no tree would come of it, is dropped and reported; the rest of the same move goes with
it, so that nothing is ever lost. Each round can only drop, so the rounds end, at worst
with the own side as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from vshell.fs.lineage import Item
from vshell.fs.paths import decode, join
from vshell.fs.schema import DIRECTORY, ROOT
from vshell.ops.merge_sides import Entry, Side

ContentClash = Literal["content", "binary", "link"]
Clash = Literal["removed_here", "removed_there", "renamed", "taken", "mode"] | ContentClash
"""Why something is not brought in: the own side removed it, the other one did, both renamed
it, another thing has its place, both changed its mode, or both changed its content."""


class Found(NamedTuple):
    """A conflict.

    Attributes:
        entry: Where it is on the own side; if it is not there, on the other. None is the root.
        clash: What it is about.
        base: What was there.
        own: What is there on the own side.
        other: What is there on the other side.
    """

    entry: Entry | None
    clash: Clash
    base: Item | None
    own: Item | None
    other: Item | None


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
        things: What they stand for, and the root.
        data: What becomes of things that both sides have and that the other side changed;
            all others are as the side that has them has them.
        conflicts: What was not brought in.
        dropped: The entries of the other side that were not brought in.
        disputed: Things that one side removed and the other changed.
        mode_conflicts: Things whose mode both changed; they have the own side's.
    """

    def __init__(self, base: Side, own: Side, other: Side) -> None:
        self._base = base
        self._own = own
        self._other = other
        self._own_children = _by_directory(own)
        self._other_children = _by_directory(other)
        self._incoming: dict[Entry, int | None] = {}
        self._touching: dict[int, set[Entry]] = {}
        self._raised: dict[Entry, int] = {}
        self._reported: set[tuple[Entry | None, Clash]] = set()
        self._explained: set[int] = set()
        self.conflicts: list[Found] = []
        self.dropped: set[Entry] = set()
        self.disputed: set[int] = set()
        self.mode_conflicts: set[int] = set()
        self.data: dict[int, Data] = {}
        self._collect()
        self._compare_things()
        self._replaced = self._replaced_directories()
        self._lost = self._lost_directories()
        while self._settle():
            pass
        self.entries = self._result()
        self.things = {ROOT, *self.entries.values()}
        self._places: dict[int, Entry | None] = {ROOT: None} | {
            number: entry
            for entry, number in self.entries.items()
            if own.is_directory(number) or other.is_directory(number)
        }
        self._merge_data()

    # What the other side did.

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
            self._refuse(entry, "taken")

    def _compare_things(self) -> None:
        """Find what one side removed and the other changed, and what both renamed."""
        base, own, other = self._base.items, self._own.items, self._other.items
        both = own.keys() & other.keys()
        for number in sorted(base.keys() - both):
            if number in own and _changed(self._base, self._own, number):
                self._dispute(number, "removed_there")
            elif number not in other or self._other.is_directory(number):
                continue  # whether a directory is still needed is seen later
            elif _changed(self._base, self._other, number):
                self._dispute(number, "removed_here")
        for number in sorted(both & base.keys() & self._touching.keys()):
            if self._is_renamed_twice(number):
                self._report_thing(number, "renamed")
                self._drop(self._touching[number])

    def _dispute(self, number: int, clash: Clash) -> None:
        """Keep what one side removed and the other changed as it is on the own side."""
        self.disputed.add(number)
        self._report_thing(number, clash)
        self._drop(self._touching.get(number, ()))
        self._drop(self._one_with(number))

    def _is_renamed_twice(self, number: int) -> bool:
        was, mine, yours = (
            set(side.names.get(number, ())) for side in (self._base, self._own, self._other)
        )
        both_left = self._own.is_directory(number) or bool((was - mine) & (was - yours))
        return bool(mine - was and yours - was) and mine - was != yours - was and both_left

    # Dropping.

    def _refuse(self, entry: Entry, clash: Clash) -> None:
        """Report that an entry is not brought in, and drop it."""
        brought = self._incoming.get(entry)
        if brought is not None:
            self._explained.add(brought)
        self._report_entry(entry, clash)
        self._drop([entry])

    def _drop(self, entries: Iterable[Entry]) -> None:
        """Do not bring entries in, nor what is one with them."""
        pending = list(entries)
        while pending:
            entry = pending.pop()
            if entry not in self._incoming:
                continue
            brought = self._incoming.pop(entry)
            self.dropped.add(entry)
            if brought is not None:
                pending += self._one_with(brought)
                self._report_dropped(entry, brought)
            displaced = self._own.entries.get(entry)
            if displaced is not None:
                pending += self._one_with(displaced)

    def _report_dropped(self, entry: Entry, number: int) -> None:
        """Report what goes with something else that is not brought in."""
        if number in self._explained or entry[0] not in self._own.items:
            return  # it is reported already, or its directory is
        if number in self._own.items:
            self._report_thing(number, "renamed")
        else:
            self._report_entry(entry, "taken")

    def _one_with(self, number: int) -> Iterator[Entry]:
        """Yield the entries that cannot come in when one about this thing does not."""
        if number in self._own.items and number in self._other.items:
            yield from self._touching.get(number, ())  # what was moved keeps its place
        elif self._own.is_directory(number):
            yield from self._inside(number)  # it stays, and so does what is in it
        elif self._other.is_directory(number):
            yield from self._other_children.get(number, ())

    def _inside(self, directory: int) -> Iterator[Entry]:
        """Yield what the own side has in a directory, but for what moved out of it."""
        pending = [directory]
        while pending:
            for entry in self._own_children.get(pending.pop(), ()):
                number = self._own.entries[entry]
                if number not in self._other.items:
                    yield entry
                    if self._own.is_directory(number):
                        pending.append(number)

    # Rounds.

    def _settle(self) -> bool:
        """Drop what would make no tree; return whether anything was."""
        return (
            self._raise_directories()
            or self._keep_filled()
            or self._keep_named()
            or self._break_cycles()
            or self._drop_unneeded()
        )

    def _raise_directories(self) -> bool:
        """Bring back directories that the own side removed and the other put something in."""
        self._raised = {}
        coming = [entry for entry, number in self._incoming.items() if number is not None]
        blocked = [entry for entry in sorted(coming) if not self._has_directory(entry[0])]
        for entry in blocked:
            self._refuse(entry, "taken")
        return bool(blocked)

    def _has_directory(self, directory: int) -> bool:
        """Tell whether a directory of the other side is in the result, or can be raised."""
        while directory not in self._own.items:
            entry = self._other.names[directory][0]
            if self._incoming.get(entry) != directory:
                is_free = entry not in self._own.entries and entry not in self.dropped
                if directory not in self._base.items or not is_free:
                    return False
                self._raised[entry] = directory
            directory = entry[0]
        return True

    def _replaced_directories(self) -> list[Entry]:
        """Return where the other side removed a directory, the deepest first."""
        found = [
            entry
            for entry in self._incoming
            if (number := self._own.entries.get(entry)) is not None
            and self._own.is_directory(number)
            and number not in self._other.items
        ]
        return sorted(found, key=lambda entry: -self._own.path(entry).count("/"))

    def _keep_filled(self) -> bool:
        """Keep directories that the other side removed and the own one put something in."""
        changed = False
        for entry in self._replaced:
            inside = self._own_children.get(self._own.entries[entry], ())
            if entry in self._incoming and any(found not in self._incoming for found in inside):
                changed = True
                if self._incoming[entry] is None:
                    del self._incoming[entry]
                else:
                    self._refuse(entry, "taken")
        return changed

    def _keep_named(self) -> bool:
        """Keep what would lose its last name as each side removed another one."""
        changed = False
        for number in sorted(self._touching.keys() & self._own.items.keys()):
            if number not in self._other.items:
                continue
            names = {*self._own.names.get(number, ()), *self._touching[number]}
            if not any(self._at(entry) == number for entry in names):
                self._report_thing(number, "renamed")
                self._drop(self._touching[number])
                changed = True
        return changed

    def _break_cycles(self) -> bool:
        """Find directories that would be inside themselves."""
        moved = {
            number: entry
            for found in (self._incoming, self._raised)
            for entry, number in found.items()
            if number is not None and self._other.is_directory(number)
        }
        for directory in moved:
            seen: dict[int, None] = {}
            above = directory
            while above != ROOT and above not in seen:
                seen[above] = None
                above = (moved.get(above) or self._own.names[above][0])[0]
            if above != ROOT:
                # The own side has no cycle, so something in this one was moved.
                cycle = list(seen)[list(seen).index(above) :]
                one = next(found for found in cycle if found in moved and found in self._own.items)
                self._refuse(moved[one], "renamed")
                return True
        return False

    def _lost_directories(self) -> list[int]:
        """Return the directories that the own side removed and the other changed."""
        return sorted(
            number
            for number in self._base.items.keys() - self._own.items.keys()
            if self._other.is_directory(number) and _changed(self._base, self._other, number)
        )

    def _drop_unneeded(self) -> bool:
        """Leave directories removed in which nothing new is."""
        needed = {entry[0] for entry, number in self._incoming.items() if number is not None}
        needed.update(entry[0] for entry in self._raised)
        changed = False
        for number in self._lost:
            if number not in needed and number not in self.disputed:
                self._dispute(number, "removed_here")
                changed = True
        return changed

    # The result.

    def _at(self, entry: Entry) -> int | None:
        if entry in self._incoming:
            return self._incoming[entry]
        return self._own.entries.get(entry)

    def _result(self) -> dict[Entry, int]:
        entries = self._own.entries | self._raised
        for entry, number in self._incoming.items():
            if number is None:
                del entries[entry]
            else:
                entries[entry] = number
        return entries

    def _merge_data(self) -> None:
        for number in sorted(self.things & self._other.items.keys()):
            mine, yours = self._own.items.get(number), self._other.items[number]
            was = self._base.items.get(number)
            if mine is None or (
                was is not None and was[1:3] == yours[1:3] and was.hash == yours.hash
            ):
                continue
            data = self._merged(number, was, mine, yours)
            if data != Data("own", mine.mode, mine.mtime_ns):
                self.data[number] = data

    def _merged(self, number: int, was: Item | None, mine: Item, yours: Item) -> Data:
        mode = mine.mode
        if yours.mode not in (mode, was and was.mode):
            if was is not None and was.mode == mode:
                mode = yours.mode
            else:
                self.mode_conflicts.add(number)
                self._report_thing(number, "mode")
        if mine.kind == DIRECTORY:
            return Data("own", mode, mine.mtime_ns)
        if yours.hash in (mine.hash, was and was.hash):
            return Data("own", mode, _merged_time(was, mine, yours))
        if was is not None and was.hash == mine.hash:
            return Data("other", mode, yours.mtime_ns)
        return Data("both", mode, None)

    # Reporting.

    def path(self, entry: Entry | None) -> str:
        """Return the path of an entry in the result; where it is not in it, on its side."""
        names: list[str] = []
        at = entry
        while at is not None and at[0] in self._places:
            names.append(decode(at[1]))
            at = self._places[at[0]]
        if at is None:
            return join("/", "/".join(reversed(names)))
        assert entry is not None
        return (self._own if entry[0] in self._own.items else self._other).path(entry)

    def report_content(self, number: int, clash: ContentClash) -> None:
        """Report that the contents of a thing that both have could not be merged."""
        self._report_thing(number, clash)

    def _report_entry(self, entry: Entry, clash: Clash) -> None:
        base, own, other = (
            side.items.get(side.entries.get(entry, 0))
            for side in (self._base, self._own, self._other)
        )
        self._report(Found(entry, clash, base, own, other))

    def _report_thing(self, number: int, clash: Clash) -> None:
        self._explained.add(number)
        base, own, other = (side.items.get(number) for side in (self._base, self._own, self._other))
        names = {*(self._own if own else self._other).names.get(number, ())}
        entry = min(names & {*self._base.names.get(number, ())} or names, default=None)
        self._report(Found(entry, clash, base, own, other))

    def _report(self, found: Found) -> None:
        if found[:2] not in self._reported:
            self._reported.add(found[:2])
            self.conflicts.append(found)


def _by_directory(side: Side) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in side.entries:
        found.setdefault(entry[0], []).append(entry)
    return found


def _changed(base: Side, side: Side, number: int) -> bool:
    """Tell whether a side wrote to a thing, changed its mode, or gave it a new name."""
    was, now = base.items[number], side.items[number]
    if (was.hash, was.mode) != (now.hash, now.mode):
        return True
    return not set(side.names.get(number, ())) <= set(base.names.get(number, ()))


def _merged_time(was: Item | None, mine: Item, yours: Item) -> int:
    if was is None or yours.mtime_ns == was.mtime_ns:
        return mine.mtime_ns
    return yours.mtime_ns if mine.mtime_ns == was.mtime_ns else max(mine.mtime_ns, yours.mtime_ns)
