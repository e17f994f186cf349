"""Bringing what changed in a fork back into the workspace that it was forked from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from vshell.errors import ConflictError, NotFoundError
from vshell.fs import lineage
from vshell.fs.filesystem import FileSystem
from vshell.fs.lineage import Inventory, Item, MergeBase
from vshell.fs.schema import DIRECTORY, FILE, ROOT, SYMLINK
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.changeset import FileChange, recording
from vshell.ops.context import Context
from vshell.ops.lazy_patch import MAX_DIFF_LINES, LazyPatch, Patched
from vshell.ops.merge_apply import Applier, Wanted
from vshell.ops.merge_plan import Clash, ContentClash, Found, Plan
from vshell.ops.merge_sides import Entry, Sides, match_sides
from vshell.record import Record
from vshell.text.merge import Favor, Labels, Merged, merge_lines

Policy: TypeAlias = Literal["safe", "markers", "ours", "theirs", "fail"]
Reason: TypeAlias = Literal[
    "content", "binary", "link", "mode", "removed_in_parent", "removed_in_fork", "renamed", "taken"
]
Resolution: TypeAlias = Literal["open", "markers", "ours", "theirs"]

_WINNERS: Final[dict[str, Resolution]] = {"ours": "ours", "theirs": "theirs"}

_NO_MODE: Final = 0o10000
"""Permission bits that nothing has: what both made with other bits began with these."""

CONFLICTS_LISTED: Final = 1000
"""How many conflicts a result names; all are counted."""


@dataclass(frozen=True, slots=True)
class MergeConflict(Record):
    """A path at which both sides changed something, and not the same.

    Attributes:
        path: Where it is in the parent after the merge; if it is not there, in the fork.
        reason: `"content"`: both changed the same lines; `"binary"`: both changed a file
            that is no text, or too large to compare; `"link"`: both changed where a link
            leads; `"mode"`: both changed the permission bits; `"removed_in_parent"`,
            `"removed_in_fork"`: one removed what the other changed; `"renamed"`: both
            moved it, or into each other; `"taken"`: both put something else there.
        resolution: `"open"`: the parent keeps what it has, and the next merge tells of the
            conflict again until both sides agree; `"markers"`: the file in the parent has
            conflict markers; `"ours"`: the parent's was taken, `"theirs"`: the fork's.
        base_hash: What identified the content that both began with; None when nothing was
            there, or a directory.
        ours_hash: What identifies the parent's content; None as above.
        theirs_hash: What identifies the fork's content; None as above.
    """

    path: str
    reason: Reason
    resolution: Resolution
    base_hash: str | None
    ours_hash: str | None
    theirs_hash: str | None


@dataclass(frozen=True, slots=True)
class MergeResult(Patched):
    """What a merge did, or with `dry_run` would do.

    Attributes:
        changed: What became of the parent's files, links and directories.
        conflicts: Where both sides changed something; at most 1,000.
        conflicts_total: How many conflicts there are.
        revision: The parent's revision after it.
        dry_run: Whether nothing was changed.
        patch: The changes of the parent as one unified diff, computed when asked for.
    """

    changed: tuple[FileChange, ...]
    conflicts: tuple[MergeConflict, ...]
    conflicts_total: int
    revision: int
    dry_run: bool
    _patch: LazyPatch = field(repr=False, compare=False)


def merge_into(
    context: Context,
    parent: Context,
    *,
    policy: Policy = "safe",
    name: str | None = None,
    base: str | None = None,
    dry_run: bool = False,
) -> MergeResult:
    """Bring what changed here since the fork, or the last merge, into another workspace.

    What only one side changed is taken; where both changed a text, their lines are merged
    as git does it. A rename on one side and a change on the other go together, also for
    directories and what is new in them. The merge is one change of the parent, which
    `undo` there takes back; then a later merge brings the same changes again. The files
    here stay as they are.

    Args:
        parent: The workspace that this one was forked from, or a session of it.
        policy: What becomes of conflicts. `"safe"`: the parent keeps its own. `"markers"`:
            text gets conflict markers, all else stays as with `"safe"`. `"ours"`: the
            parent's is taken, of a text its lines where they conflict. `"theirs"`: the
            same with the fork's. `"fail"`: nothing is changed.
        name: Stands in the parent's journal as the session; by default the name of the
            parent's or of this session.
        base: A snapshot that both have, unchanged: what they began with. It is needed for
            workspaces that are no fork of each other.
        dry_run: Do everything, report it, and undo it.

    Raises:
        ConflictError: There are conflicts and `policy` is `"fail"`; or the two do not come
            from each other, or the snapshot is not the same in both.
        NotFoundError: One of them has no such snapshot.
        QuotaExceededError: It would not fit.
        ReadOnlyError: The parent was opened read-only.
    """
    fork = context.files
    who = Context(parent.files, name=name if name is not None else parent.name or context.name)
    with _both(fork, parent.files, who, context.name) as writable:
        common = _common_snapshot(fork, parent.files, base) if base else _base(fork, parent.files)
        with recording(who, "merge", dry_run=dry_run) as recorded:
            merge = _Merge(fork, parent.files, common, policy=policy, label=who.name or "theirs")
            merge.run()
            if writable and base is None and not dry_run:
                merge.advance()
            revision = parent.files.revision()
    return MergeResult(
        recorded.changes,
        tuple(merge.conflicts[:CONFLICTS_LISTED]),
        len(merge.conflicts),
        parent.files.revision() if dry_run else revision,
        dry_run,
        recorded.patch,
    )


@contextmanager
def _both(fork: FileSystem, parent: FileSystem, who: Context, name: str) -> Iterator[bool]:
    """Keep both workspaces as they are; yield whether the fork can note the merge.

    The fork's transaction is the outer one: if the process dies between the two commits,
    the next merge finds the same changes on both sides, which is no conflict.
    """
    if fork.store is parent.store:
        raise ConflictError("a workspace cannot be merged into itself")
    writable = not fork.store.database.read_only
    with ExitStack() as stack:
        # Two merges in opposite directions must not wait for each other.
        for store in sorted((fork.store, parent.store), key=id):
            stack.enter_context(store.lock)
        stack.enter_context(fork.transaction(name, "merge") if writable else fork.reading())
        stack.enter_context(who.changing("merge"))
        yield writable


def _base(fork: FileSystem, parent: FileSystem) -> MergeBase:
    """Return what a fork and its parent began with, after making sure that they are such."""
    origin = lineage.lineage(fork)
    hint = "merge with base=, the name of a snapshot that both have"
    if origin is None:
        raise ConflictError("the workspace is not known to be a fork", hint=hint)
    if origin.parent != lineage.workspace_id(parent):
        raise ConflictError("the workspace is not a fork of that one", hint=hint)
    if parent.revision() < origin.revision:
        raise ConflictError(
            "that workspace is a copy from before the fork",
            hint=hint,
            data={"forked_at": origin.revision, "revision": parent.revision()},
        )
    return lineage.merge_base(fork, parent)


def _common_snapshot(fork: FileSystem, parent: FileSystem, name: str) -> MergeBase:
    """Return a snapshot that both have, and which inodes are the same things in it."""
    trees = []
    for files, whose in ((parent, "parent"), (fork, "fork")):
        try:
            trees.append(lineage.snapshot(files.store, name))
        except NotFoundError as error:
            raise NotFoundError(
                f"the {whose} has no snapshot of that name: {name}", hint=error.hint
            ) from None
    ours, theirs = trees
    inodes = _paired(ours, theirs)
    if inodes is None:
        raise ConflictError(
            f"the snapshot is not the same in both workspaces: {name}",
            hint="name one that was made before they parted",
        )
    return MergeBase(theirs, inodes, 0)


def _paired(one: Inventory, other: Inventory) -> dict[int, int] | None:
    """Return the inodes of one tree that are at the places of another's; None if they differ."""
    children: dict[int, list[Entry]] = {}
    for entry in one.entries:
        children.setdefault(entry[0], []).append(entry)
    pairs = {ROOT: ROOT}
    pending = [ROOT]
    while pending:
        directory = pending.pop()
        for entry in children.get(directory, ()):
            mine, yours = one.entries[entry], other.entries.get((pairs[directory], entry[1]))
            if yours is None or pairs.setdefault(mine, yours) != yours:
                return None
            if _visible(one.items[mine]) != _visible(other.items[yours]):
                return None
            if one.items[mine].kind == DIRECTORY:
                pending.append(mine)
    return pairs if len(one.entries) == len(other.entries) else None


def _visible(item: Item) -> tuple[int, int, bytes]:
    return item.kind, item.mode, item.hash


class _Merge:
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
