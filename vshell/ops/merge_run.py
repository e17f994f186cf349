"""One merge: what becomes of contents, of the parent, and of what both have in common."""

from __future__ import annotations

from typing import Final

from vshell.errors import ConflictError
from vshell.fs import lineage
from vshell.fs.filesystem import FileSystem
from vshell.fs.lineage import Inventory, Item, MergeBase
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.lazy_patch import MAX_DIFF_LINES
from vshell.ops.merge import CONFLICTS_LISTED, MergeConflict, Policy, Reason, Resolution
from vshell.ops.merge_apply import Applier, Wanted
from vshell.ops.merge_plan import Clash, ContentClash, Found, Plan
from vshell.ops.merge_sides import Sides, match_sides
from vshell.text.merge import Favor, Labels, Merged, merge_lines

_WINNERS: Final[dict[str, Resolution]] = {"ours": "ours", "theirs": "theirs"}

_NO_MODE: Final = 0o10000
"""Permission bits that nothing has: what both made with other bits began with these."""


class Merge:
    """One merge, inside transactions of both workspaces."""

    def __init__(
        self,
        fork: FileSystem,
        parent: FileSystem,
        common: MergeBase,
        *,
        policy: Policy,
        label: str,
    ) -> None:
        self._fork = fork
        self._parent = parent
        self._policy = policy
        self._label = label
        self._present = lineage.present(fork.store)
        self._sides: Sides = match_sides(common, lineage.present(parent.store), self._present)
        base, ours, theirs = self._sides
        self._fork_wins = policy == "theirs"
        own, other = (theirs, ours) if self._fork_wins else (ours, theirs)
        self._plan = Plan(base, own, other)
        self._unmerged: set[int] = set()
        self._inodes: dict[int, int] = {}
        self.conflicts: list[MergeConflict] = []

    def run(self) -> None:
        """Change the parent.

        Raises:
            ConflictError: There are conflicts and the policy is `"fail"`.
        """
        wanted = self._wanted()
        self.conflicts = [self._told(found) for found in self._plan.conflicts]
        self.conflicts.sort(key=lambda conflict: conflict.path.split("/"))
        if self.conflicts and self._policy == "fail":
            raise ConflictError(
                f"the merge has {len(self.conflicts)} conflicts, the first at"
                f" {self.conflicts[0].path}",
                path=self.conflicts[0].path,
                hint="see them with dry_run=True, or choose another policy",
                data={
                    "conflicts": [found.as_dict() for found in self.conflicts[:CONFLICTS_LISTED]],
                    "total": len(self.conflicts),
                },
            )
        applier = Applier(
            self._parent, self._fork.store, self._sides.parent, self._plan.entries, wanted
        )
        self._inodes = applier.run()

    # Content.

    def _wanted(self) -> dict[int, Wanted]:
        """Return what is to be made or changed in the parent."""
        ours, theirs = self._sides.parent.items, self._sides.fork.items
        wanted: dict[int, Wanted] = {}
        for number in self._plan.things:
            if number not in ours:
                wanted[number] = _as_it_is(theirs[number])
            elif number in theirs:
                found = self._merged(number, ours[number], theirs[number])
                if found is not None:
                    wanted[number] = found
        return wanted

    def _merged(self, number: int, mine: Item, yours: Item) -> Wanted | None:
        """Return what becomes of a thing that both have; None when it stays."""
        data = self._plan.data.get(number)
        own = yours if self._fork_wins else mine
        if data is None:
            wanted = _as_it_is(own)
        elif data.source == "both":
            wanted = self._merged_content(number, mine, yours, data.mode)
        else:
            source = own if data.source == "own" else (mine if self._fork_wins else yours)
            wanted = _as_it_is(source)._replace(mode=data.mode, mtime_ns=data.mtime_ns)
        same_time = mine.kind == DIRECTORY or wanted.mtime_ns == mine.mtime_ns
        is_same = (wanted.hash, wanted.mode) == (mine.hash, mine.mode)
        return None if is_same and same_time else wanted

    def _merged_content(self, number: int, mine: Item, yours: Item, mode: int) -> Wanted:
        """Return what becomes of content that both changed."""
        clash, merged = self._merged_lines(number, mine, yours)
        if merged is None or merged.conflicts:
            self._plan.report_content(number, clash)
            if self._resolution(clash) == "open":
                self._unmerged.add(number)
                merged = None
        own = yours if self._fork_wins else mine
        if merged is None:
            return _as_it_is(own)._replace(mode=mode)
        stored = self._parent.store.content.put(merged.data)
        for item in (mine, yours):
            if stored.hash == item.hash:  # the side has the other's changes already
                return _as_it_is(item)._replace(mode=mode)
        return Wanted(FILE, mode, None, stored.hash, stored.id)

    def _merged_lines(
        self, number: int, mine: Item, yours: Item
    ) -> tuple[ContentClash, Merged | None]:
        """Merge the lines of a text; return None for what is none, and what to call that."""
        if mine.kind == SYMLINK:
            return "link", None
        was = self._sides.base.items.get(number)
        versions = [(self._parent, mine), (self._fork, yours)]
        versions += [(self._fork, was)] if was is not None else []
        texts = [_text(files, item) for files, item in versions]
        ours, theirs, base = (*texts, b"")[:3]
        if ours is None or theirs is None or base is None:
            return "binary", None
        if sum(text.count(b"\n") for text in (ours, theirs, base)) > MAX_DIFF_LINES:
            return "binary", None
        labels = Labels("ours", "base", self._label)
        merged = merge_lines(base, ours, theirs, labels=labels)
        if merged.conflicts and self._policy in _WINNERS:
            favor: Favor = "ours" if self._policy == "ours" else "theirs"
            settled = merge_lines(base, ours, theirs, favor=favor)
            merged = Merged(settled.data, merged.conflicts)
        return "content", merged

    # Conflicts.

    def _resolution(self, clash: Clash) -> Resolution:
        if self._policy == "markers":
            return "markers" if clash == "content" else "open"
        return _WINNERS.get(self._policy, "open")

    def _told(self, found: Found) -> MergeConflict:
        mine, yours = found.own, found.other
        if self._fork_wins:
            mine, yours = yours, mine
        return MergeConflict(
            self._plan.path(found.entry),
            self._reason(found.clash),
            self._resolution(found.clash),
            _hash_text(found.base),
            _hash_text(mine),
            _hash_text(yours),
        )

    def _reason(self, clash: Clash) -> Reason:
        if clash == "removed_here":
            return "removed_in_fork" if self._fork_wins else "removed_in_parent"
        if clash == "removed_there":
            return "removed_in_parent" if self._fork_wins else "removed_in_fork"
        return clash

    # What both have in common afterwards.

    def advance(self) -> None:
        """Note what both have in common now: the fork's state, but for open conflicts."""
        if self._policy in _WINNERS:
            state = self._present
        else:
            state = _common_state(self._sides, self._plan, self._unmerged)
        parent_inodes = self._sides.parent.inodes | self._inodes
        fork_inodes = self._sides.base.inodes | self._sides.fork.inodes
        pairs = {
            parent_inodes[number]: fork_inodes[number]
            for number in self._plan.things
            if number in parent_inodes and fork_inodes.get(number) in state.items
        }
        lineage.save_merge(self._fork, self._parent, state, pairs)


def _common_state(sides: Sides, plan: Plan, unmerged: set[int]) -> Inventory:
    """Return the fork's tree, but what conflicts as it was, so that it will conflict again."""
    base, fork = sides.base, sides.fork
    items = {
        number: item
        for number, now in fork.items.items()
        if (item := _common_item(number, now, base.items.get(number), plan, unmerged))
    }
    entries = {
        entry: number
        for entry, number in fork.entries.items()
        if number in items and entry[0] in items and entry not in plan.dropped
    }
    kept_names = {fork.entries[entry] for entry in plan.dropped & fork.entries.keys()}
    kept_names &= base.items.keys()
    before = [entry for entry in plan.dropped if entry in base.entries]
    for number in plan.disputed | kept_names:
        items.setdefault(number, base.items[number])
        before += [entry for entry in base.names.get(number, ()) if entry not in entries]
    while before:
        entry = before.pop()
        entries[entry] = base.entries[entry]
        for number in (entry[0], base.entries[entry]):
            if number not in items:
                items[number] = base.items[number]
                before += [name for name in base.names.get(number, ()) if name not in entries]
    inodes = base.inodes | fork.inodes
    return Inventory(
        {inodes[number]: item for number, item in items.items()},
        {(inodes[entry[0]], entry[1]): inodes[number] for entry, number in entries.items()},
    )


def _common_item(
    number: int, now: Item, was: Item | None, plan: Plan, unmerged: set[int]
) -> Item | None:
    if was is None:
        if number not in plan.things or number in unmerged:
            return None
        return now._replace(mode=_NO_MODE) if number in plan.mode_conflicts else now
    if number in plan.disputed:
        return was
    if number in unmerged:
        now = was._replace(mode=now.mode)
    return now._replace(mode=was.mode) if number in plan.mode_conflicts else now


def _as_it_is(item: Item) -> Wanted:
    return Wanted(item.kind, item.mode, item.mtime_ns, item.hash, item.content)


def _text(files: FileSystem, item: Item) -> bytes | None:
    """Return a text's bytes; None when it is no text, or too large for a line merge."""
    content = files.store.content
    stored = content.find(item.content)
    if stored.size > MAX_TEXT_BYTES:
        return None
    data = content.read(stored)
    return None if b"\0" in data else data


def _hash_text(item: Item | None) -> str | None:
    return None if item is None or item.kind == DIRECTORY else item.hash.hex()
