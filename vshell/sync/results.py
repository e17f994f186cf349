"""What a synchronisation tells: frozen, bounded, and ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, NamedTuple

from vshell.errors import RangeError
from vshell.fs.peers import ConflictRow, Version
from vshell.fs.records import KIND_NAMES, Kind
from vshell.limits import MAX_FILE_BYTES
from vshell.record import Record

__all__ = [
    "Conflict",
    "ConflictSide",
    "PathDiff",
    "Skipped",
    "SyncAction",
    "SyncDiff",
    "SyncLimits",
    "SyncPhase",
    "SyncProgress",
    "SyncResult",
    "SyncStatus",
    "SyncedPath",
]

SyncAction = Literal["create", "write", "attributes", "remove"]
SyncPhase = Literal["scan", "fetch", "pull", "push"]

LISTED: Final = 10_000
"""How many paths a list of a result has at most; the totals count all."""


class SyncProgress(NamedTuple):
    """How far a synchronisation is.

    Attributes:
        phase: What it is doing.
        entries: How many entries are done in this phase.
        total: How many there are; None when that is not known.
    """

    phase: SyncPhase
    entries: int
    total: int | None


Progress = Callable[[SyncProgress], None]


@dataclass(frozen=True, slots=True)
class SyncLimits(Record):
    """What a mirror may ask of the workspace.

    Attributes:
        max_entries: How many entries it may have; more are an error.
        max_file_bytes: Larger files are skipped, sparse or not.
        max_bytes: How many bytes may be read from it at once; more are an error.
        lock_timeout_s: How long to wait for another synchronisation, in seconds.
    """

    max_entries: int = 500_000
    max_file_bytes: int = min(2 * 1024**3, MAX_FILE_BYTES)
    max_bytes: int = 16 * 1024**3
    lock_timeout_s: float = 30.0

    @classmethod
    def of(cls, given: SyncLimits | Mapping[str, float] | None) -> SyncLimits:
        """Return limits from what a caller gave.

        Raises:
            RangeError: There is no limit of that name, or one is negative.
        """
        if isinstance(given, SyncLimits):
            return given
        known = {field.name for field in fields(cls)}
        for name, value in (given or {}).items():
            if name not in known:
                raise RangeError(
                    f"no such limit: {name}", hint=f"there are {', '.join(sorted(known))}"
                )
            if value < 0:
                raise RangeError(f"{name} must not be negative, as {value} is")
        return cls(**(given or {}))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class SyncedPath(Record):
    """What happened to one path on one side.

    Attributes:
        path: The path in the workspace.
        action: `"create"`, `"write"`, `"attributes"` (mode or time alone) or `"remove"`.
        kind: `"file"`, `"directory"` or `"symlink"`: what it is now, or was.
    """

    path: str
    action: SyncAction
    kind: Kind


@dataclass(frozen=True, slots=True)
class Skipped(Record):
    """What was left as it is on both sides.

    Attributes:
        path: The path in the workspace.
        reason: Why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConflictSide(Record):
    """What one side had at the path of a conflict.

    Attributes:
        kind: `"file"`, `"directory"` or `"symlink"`.
        mode: The permission bits.
        mtime_ns: When its content changed, in nanoseconds since 1970.
        size: Bytes of content.
        hash: Identifies the content, in hex; empty of a directory.
    """

    kind: Kind
    mode: int
    mtime_ns: int
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Conflict(Record):
    """A path that both sides changed. What each of them had is kept.

    Attributes:
        number: Identifies it.
        path: The path in the workspace.
        clash: What both changed: `"content"`, `"kind"`, `"mode"`, or `"place"` (one has a
            file where the other has a directory above it).
        resolution: `"workspace"`, `"mirror"` or `"merged"`: what was chosen; None when
            nobody chose yet, and both sides have what the workspace had.
        revision: The workspace's revision when it was found.
        time_ns: When that was, in nanoseconds since 1970.
        base: What both sides last agreed on; None for nothing.
        workspace: What the workspace had.
        mirror: What the mirror had.
    """

    number: int
    path: str
    clash: str
    resolution: str | None
    revision: int
    time_ns: int
    base: ConflictSide | None
    workspace: ConflictSide | None
    mirror: ConflictSide | None

    @property
    def is_open(self) -> bool:
        """Whether nobody chose yet."""
        return self.resolution is None


@dataclass(frozen=True, slots=True)
class SyncResult(Record):
    """What a synchronisation did; of a dry run, what it would do.

    The lists have at most 10,000 paths each; the totals count all.

    Attributes:
        pushed: What changed in the mirror, in tree order.
        pulled: What changed in the workspace.
        conflicts: What both sides had changed, and what the policy made of it.
        merged: Paths in which the changes of both sides came together.
        skipped: What was left as it is, and why. It is tried again the next time.
        pushed_total: How many paths changed in the mirror.
        pulled_total: How many paths changed in the workspace.
        skipped_total: How many paths were left as they are.
        revision: The workspace's revision afterwards.
        dry_run: Whether nothing was really done.
        escaping: The links that were pulled and lead, as text, to something outside the
            mirror: by an absolute target, or by more `..` than there are directories.
    """

    pushed: tuple[SyncedPath, ...]
    pulled: tuple[SyncedPath, ...]
    conflicts: tuple[Conflict, ...]
    merged: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    pushed_total: int
    pulled_total: int
    skipped_total: int
    revision: int
    dry_run: bool
    escaping: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything changed on either side."""
        return bool(self.pushed_total or self.pulled_total)

    @property
    def open_conflicts(self) -> tuple[Conflict, ...]:
        """The conflicts that wait for somebody to choose."""
        return tuple(conflict for conflict in self.conflicts if conflict.is_open)


@dataclass(frozen=True, slots=True)
class SyncStatus(Record):
    """What the next synchronisation would do, and what waits for a decision.

    Attributes:
        name: The mirror's name.
        kind: `"directory"` or `"container"`.
        is_new: It was never synchronised.
        pending: What a synchronisation would do now.
        conflicts: The conflicts that nobody resolved, the oldest first.
    """

    name: str
    kind: str
    is_new: bool
    pending: SyncResult
    conflicts: tuple[Conflict, ...]

    @property
    def is_clean(self) -> bool:
        """Whether both sides are the same and nothing waits."""
        pending = self.pending
        waits = pending.conflicts or pending.skipped or self.conflicts
        return not (pending.changed or waits)


@dataclass(frozen=True, slots=True)
class PathDiff(Record):
    """How one path differs.

    Attributes:
        path: The path in the workspace.
        direction: `"push"`: from what the mirror has to what the workspace has; `"pull"`:
            the other way; `"conflict"`: the patch is the text with both sides' changes
            marked, and what was there before, as `git merge-file --diff3` writes it.
        patch: A unified diff or the marked text; of what is no text, a line that says so.
    """

    path: str
    direction: Literal["push", "pull", "conflict"]
    patch: str


@dataclass(frozen=True, slots=True)
class SyncDiff(Record):
    """How both sides differ.

    Attributes:
        paths: The differences, in tree order.
        total: How many paths differ.
        truncated: Whether `paths` has not all of them.
    """

    paths: tuple[PathDiff, ...]
    total: int
    truncated: bool


def teller(progress: Progress | None, phase: SyncPhase, total: int) -> Callable[[int], None]:
    """Return what is told how many entries of a phase are done."""
    if progress is None:
        return lambda _: None
    return lambda number: progress(SyncProgress(phase, number, total))


def conflict_of(row: ConflictRow) -> Conflict:
    """Return a conflict as callers see it."""
    return Conflict(
        row.id,
        f"/{row.path}",
        row.clash,
        row.resolution,
        row.revision,
        row.time_ns,
        _side(row.base),
        _side(row.workspace),
        _side(row.mirror),
    )


def _side(version: Version | None) -> ConflictSide | None:
    if version is None:
        return None
    return ConflictSide(
        KIND_NAMES[version.kind],
        version.mode,
        version.mtime_ns,
        version.size,
        version.hash.hex(),
    )
