"""What a part of the history comes to: one net change for each file, and one patch for all.

The rows of the journal are replayed on a tree that knows only the names they speak of,
and for each of these where it was before. A directory that moves takes its branch of
that tree along, and what is in it without being spoken of is listed at the end. So
the work grows with the number of rows and of files below renamed directories, and with
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vshell.errors import NotFoundError
from vshell.fs.paths import is_below, join, split
from vshell.fs.records import KIND_NAMES, Change, Kind
from vshell.ops.context import Context
from vshell.ops.lazy_patch import LazyPatch, Pair, Version, pairs_of, patch_text, stored
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class FileChange(Record):
    """What became of one file, link or directory.

    Attributes:
        path: Where it is; when it is gone, where it was.
        old_path: Where it was, if it was somewhere else; None otherwise.
        before_hash: What identified its content; None when it is new, or a directory.
        after_hash: What identifies its content; None when it is gone, or a directory.
        before_mode: Its permission bits before; None when it is new.
        after_mode: Its permission bits now; None when it is gone.
        kind: `"file"`, `"directory"` or `"symlink"`.
    """

    path: str
    old_path: str | None
    before_hash: str | None
    after_hash: str | None
    before_mode: int | None
    after_mode: int | None
    kind: Kind

    @property
    def action(self) -> Literal["create", "delete", "rename", "modify", "mode"]:
        """What happened, in one word; a rename can change content and mode as well."""
        if self.before_mode is None:
            return "create"
        if self.after_mode is None:
            return "delete"
        if self.old_path is not None:
            return "rename"
        return "mode" if self.before_hash == self.after_hash else "modify"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and the action by name."""
        return {"action": self.action} | Record.as_dict(self)


def net_changes(
    context: Context, since: int, until: int | None = None, *, session: str | None = None
) -> tuple[FileChange, ...]:
    """Return what the revisions after one and up to another come to.

    What was changed and changed back is left out, and so are times. A write to a file
    with several names counts for the name that was written to.

    Args:
        context: Whose files.
        since: The revision before the first one.
        until: The last revision; None for everything so far, the open transaction included.
        session: Whose changes; None for everybody's. Only without `until`.

    Returns:
        The changes in the order of their paths. At one path there can be two: what was
        there is gone, and something of another kind or from elsewhere came.

    Raises:
        NotFoundError: The history does not reach so far.
    """
    files = context.files
    with files.reading():
        first, last = files.complete_since(), files.revision()
        if not first <= since <= last:
            raise NotFoundError(
                f"the history does not reach revision {since}",
                hint=f"it goes from {first} to {last}",
                data={"first": first, "last": last},
            )
        rows = files.changes(since=since, until=until)
        if session is not None:
            rows = [row for row in rows if row.session == session]
        if until is None or until >= last:
            return _net(context, rows)
        return _net(context, rows, later=_net(context, files.changes(since=until)))


def net_changes_after(context: Context, position: int) -> tuple[FileChange, ...]:
    """Return what happened after the journal was at a position, as `net_changes` has it.

    Args:
        context: Whose files.
        position: What `journal_position` of its files was.
    """
    with context.files.reading():
        return _net(context, context.files.changes(position=position))


def net_changes_of(context: Context, rows: Iterable[Change]) -> tuple[FileChange, ...]:
    """Return what rows of the journal come to, which nobody but their writer wrote between."""
    with context.files.reading():
        return _net(context, rows)


def combined_patch(context: Context, changes: Iterable[FileChange]) -> str:
    """Return changes as one patch in git's dialect; directories are no part of it.

    Args:
        context: Whose files.
        changes: What `net_changes` returned.

    Raises:
        NotFoundError: A collection removed content that the patch needs.
        TooLargeError: The patch is over 256 Mi characters.
    """
    return patch_text(_pairs(context, changes))


def _pairs(context: Context, changes: Iterable[FileChange]) -> list[Pair]:
    before: list[Version] = []
    after: list[Version] = []
    renames: dict[str, str] = {}
    for change in changes:
        if change.kind == "directory":
            continue
        old_path = change.old_path or change.path
        if change.before_hash is not None:
            before.append(
                stored(context.files, old_path, change.kind, change.before_mode, change.before_hash)
            )
        if change.after_hash is not None:
            after.append(
                stored(
                    context.files, change.path, change.kind, change.after_mode, change.after_hash
                )
            )
        if change.old_path is not None:
            renames[change.path] = change.old_path
    return pairs_of(before, after, renames)


class Recorded:
    """What an operation did; complete when it is done.

    Attributes:
        changes: What it comes to.
        patch: The same as a patch.
    """

    __slots__ = ("changes", "patch")

    def __init__(self) -> None:
        self.changes: tuple[FileChange, ...] = ()
        self.patch = LazyPatch(lambda: "")


@contextmanager
def recording(context: Context, operation: str, *, dry_run: bool) -> Iterator[Recorded]:
    """Run what is inside as one transaction, and note what it comes to.

    Args:
        context: Who does it.
        operation: The name of what is done, for the journal.
        dry_run: Undo everything at the end. The patch is then computed at once, for
            what it needs will not be there later.
    """
    recorded = Recorded()
    try:
        with context.changing(operation):
            position = context.files.journal_position()
            yield recorded
            recorded.changes = net_changes_after(context, position)
            recorded.patch = LazyPatch(lambda: combined_patch(context, recorded.changes))
            if dry_run:
                _ = recorded.patch.text
                raise _DryRunError
    except _DryRunError:
        pass


class _DryRunError(Exception):
    """Ends a dry run, so that its transaction is undone."""


class _State(NamedTuple):
    kind: Kind
    hash: str | None
    mode: int


class _Branch:
    """A name in the tree, with the names below it that rows spoke of."""

    __slots__ = ("after", "before", "branches", "known", "origin")

    def __init__(self, origin: str | None) -> None:
        self.origin = origin
        self.branches: dict[str, _Branch] = {}
        self.known = False
        self.before: _State | None = None
        self.after: _State | None = None


class _Replay:
    """The tree in which rows happen, and what has gone from it."""

    def __init__(self) -> None:
        self.root = _Branch("/")
        self.gone: dict[str, _State] = {}

    def play(self, row: Change) -> None:
        before = _state(row.kind, row.before_hash, row.before_mode)
        after = _state(row.kind, row.after_hash, row.after_mode)
        source = row.old_path or row.path
        branch = self.reach(source)
        if row.action == "create":
            branch.origin = None
        elif not branch.known:
            branch.before = before
        branch.known = True
        branch.after = after
        if row.action in ("remove", "rename"):
            directory, name = split(source)
            del self.reach(directory).branches[name]
        if row.action == "rename":
            directory, name = split(row.path)
            self.reach(directory).branches[name] = branch
        elif row.action == "remove" and branch.origin is not None and branch.before is not None:
            self.gone[branch.origin] = branch.before

    def reach(self, path: str) -> _Branch:
        """Return the branch at a path, which is where its directory was before the rows."""
        branch = self.root
        for name in path.split("/"):
            if name and name not in branch.branches:
                origin = None if branch.origin is None else join(branch.origin, name)
                branch.branches[name] = _Branch(origin)
            branch = branch.branches[name] if name else branch
        return branch

    def origin_of(self, path: str) -> str | None:
        """Return where something without a row of its own was before; None if it has one."""
        branch = self.root
        rest = path.split("/")[1:]
        while rest and rest[0] in branch.branches:
            branch = branch.branches[rest.pop(0)]
        if branch.origin is None or (branch.known and not rest):
            return None
        return join(branch.origin, "/".join(rest)) if rest else branch.origin

    def known(self) -> Iterator[tuple[str, _Branch]]:
        """Yield what rows spoke of and what is there, with its path."""
        pending = [("/", self.root)]
        while pending:
            path, branch = pending.pop()
            if branch.known:
                yield path, branch
            pending += [(join(path, name), found) for name, found in branch.branches.items()]

    def moved(self) -> list[str]:
        """Return the directories that are somewhere else now, but for those in one another."""
        pending = [("/", self.root)]
        found: list[str] = []
        while pending:
            path, branch = pending.pop()
            if branch.origin not in (None, path):
                if branch.known and branch.after and branch.after.kind == "directory":
                    found.append(path)
                continue
            pending += [(join(path, name), below) for name, below in branch.branches.items()]
        return found


def _state(kind: Kind, content_hash: str | None, mode: int | None) -> _State | None:
    return None if mode is None else _State(kind, content_hash, mode)


def _net(
    context: Context, rows: Iterable[Change], *, later: tuple[FileChange, ...] = ()
) -> tuple[FileChange, ...]:
    """Replay rows; `later` is what came after them, up to the state that can be listed."""
    replay = _Replay()
    for row in rows:
        replay.play(row)
    found = [
        change for path, branch in replay.known() for change in _changes(path, branch, replay.gone)
    ]
    for directory in replay.moved():
        for path, state in _listing(context, directory, later).items():
            origin = replay.origin_of(path)
            if origin not in (None, path):
                found.append(_change(path, origin, state, state))
    found += [_change(path, None, state, None) for path, state in replay.gone.items()]
    return tuple(sorted(found, key=lambda change: (change.path, change.after_mode is not None)))


def _changes(path: str, branch: _Branch, gone: dict[str, _State]) -> Iterator[FileChange]:
    before, after = branch.before, branch.after
    if branch.origin is None:
        replaced = gone.get(path)
        if replaced and after and replaced.kind == after.kind:
            del gone[path]
            before = replaced
        else:
            before = None
    moved = branch.origin not in (None, path)
    if moved or before != after:
        yield _change(path, branch.origin if moved else None, before, after)


def _change(
    path: str, old_path: str | None, before: _State | None, after: _State | None
) -> FileChange:
    some = after or before
    assert some is not None
    return FileChange(
        path,
        old_path,
        before.hash if before else None,
        after.hash if after else None,
        before.mode if before else None,
        after.mode if after else None,
        some.kind,
    )


def _listing(context: Context, directory: str, later: tuple[FileChange, ...]) -> dict[str, _State]:
    """Return what was below a directory before `later` happened."""
    files = context.files
    found: dict[str, _State] = {}
    if is_directory_at(context, directory):
        entries = files.walk_details(directory)
        hashes = files.hashes(entries)
        found = {
            entry.path: _State(KIND_NAMES[entry.kind], hashes.get(entry.inode), entry.mode)
            for entry in entries
        }
    for change in later:
        if change.after_mode is not None:
            found.pop(change.path, None)
    for change in later:
        old_path = change.old_path or change.path
        if change.before_mode is not None and is_below(old_path, directory):
            found[old_path] = _State(change.kind, change.before_hash, change.before_mode)
    return found


def is_directory_at(context: Context, path: str) -> bool:
    """Tell whether a directory is at exactly this path, and not where a link leads."""
    files = context.files
    return (
        files.exists(path) and files.realpath(path) == path and files.stat(path).kind == "directory"
    )
