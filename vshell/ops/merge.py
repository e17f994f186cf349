"""Bringing what changed in a fork back into the workspace that it was forked from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from vshell.errors import ConflictError, NotFoundError, RangeError
from vshell.fs import lineage
from vshell.fs.filesystem import FileSystem
from vshell.fs.lineage import Inventory, Item, MergeBase
from vshell.fs.schema import DIRECTORY, ROOT
from vshell.ops.changeset import FileChange, recording
from vshell.ops.context import Context, Versions
from vshell.ops.lazy_patch import LazyPatch, Patched
from vshell.record import Record

Policy: TypeAlias = Literal["safe", "markers", "ours", "theirs", "fail"]
Reason: TypeAlias = Literal[
    "content", "binary", "link", "mode", "removed_in_parent", "removed_in_fork", "renamed", "taken"
]
Resolution: TypeAlias = Literal["open", "markers", "ours", "theirs"]

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
    expected_version: Versions | None = None,
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
        expected_version: The revision that the parent must be at; or a mapping of its paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one.
        ConflictError: There are conflicts and `policy` is `"fail"`; or the two do not come
            from each other, or the snapshot is not the same in both.
        NotFoundError: One of them has no such snapshot.
        QuotaExceededError: It would not fit.
        RangeError: There is no such policy.
        ReadOnlyError: The parent was opened read-only.
    """
    from vshell.ops.merge_run import Merge

    if policy not in get_args(Policy):
        raise RangeError(f"policy is one of {', '.join(get_args(Policy))}, not {policy!r}")
    fork = context.files
    who = Context(parent.files, name=name if name is not None else parent.name or context.name)
    with _both(fork, parent.files, who, context.name) as writable:
        common = _common_snapshot(fork, parent.files, base) if base else _base(fork, parent.files)
        with recording(who, "merge", dry_run=dry_run) as recorded:
            who.require_versions(expected_version)
            merge = Merge(fork, parent.files, common, policy=policy, label=who.name or "theirs")
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
    if fork.store.database.path == parent.store.database.path:
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
    children: dict[int, list[tuple[int, bytes]]] = {}
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
