"""What one synchronisation comes to: what of a plan is done, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode
from vshell.fs.peers import Version
from vshell.fs.records import KIND_NAMES
from vshell.sync.gathering import Gathered
from vshell.sync.planner import Conflicting, Decision, Plan
from vshell.sync.pulling import Change, action_of
from vshell.sync.pushing import Push
from vshell.sync.results import LISTED, Conflict, Skipped, SyncedPath, SyncResult
from vshell.sync.target import SYMLINK, tree_key

__all__ = ["Direction", "Run", "choose", "escaping_links", "result_of", "versions_of"]

Direction = Literal["both", "push", "pull"]


@dataclass(slots=True)
class Run:
    """What one synchronisation does, and did.

    Attributes:
        plan: What was decided.
        gathered: What it was decided on.
        skipped: What is left as it is, with the reason.
        pulled: What changes in the workspace.
        pushes: What is to change in the mirror.
        conflicts: What clashed.
        merged: Where the changes of both sides came together.
        left: What waits for a synchronisation in the other direction.
        escaping: The links among what is pulled that lead out of the mirror.
        pushed: What did change in the mirror.
    """

    plan: Plan
    gathered: Gathered
    skipped: dict[str, str]
    pulled: list[Change] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    escaping: list[str] = field(default_factory=list)
    pushed: list[Push] = field(default_factory=list)


def choose(plan: Plan, gathered: Gathered, skipped: dict[str, str], direction: Direction) -> Run:
    """Say what of a plan is done in which direction."""
    run = Run(plan, gathered, skipped)
    for path, decision in plan.decisions.items():
        if direction == "push" and decision.pulls:
            run.left.append(path)
            continue
        new = _result_version(path, decision, gathered)
        if decision.pulls:
            run.pulled.append((path, gathered.workspace.get(path), new))
        if decision.pushes:
            old = gathered.mirror.get(path) if decision.sides.mirror else None
            seen = gathered.entries.get(path) if decision.sides.mirror else None
            run.pushes.append(Push(path, seen, old, new))
        if decision.source == "merged":
            run.merged.append(path)
    return run


def _result_version(path: str, decision: Decision, gathered: Gathered) -> Version | None:
    result = decision.result
    if result is None:
        return None
    versions = gathered.workspace if decision.source == "workspace" else gathered.mirror
    if decision.source == "merged":
        versions = gathered.merged
    return versions[path]._replace(mode=result.mode, mtime_ns=result.mtime_ns)


def versions_of(
    conflict: Conflicting, gathered: Gathered
) -> tuple[Version | None, Version | None, Version | None]:
    agreed = gathered.agreed.get(conflict.path)
    return (
        agreed.version if agreed and conflict.sides.base else None,
        gathered.workspace.get(conflict.path) if conflict.sides.workspace else None,
        gathered.mirror.get(conflict.path) if conflict.sides.mirror else None,
    )


def _synced(path: str, old: Version | None, new: Version | None) -> SyncedPath:
    version = new or old
    assert version is not None
    return SyncedPath(f"/{path}", action_of(old, new), KIND_NAMES[version.kind])


def result_of(run: Run, revision: int, *, dry_run: bool = False) -> SyncResult:
    """Return what callers see of a run."""
    skipped = sorted(run.skipped.items(), key=lambda item: tree_key(item[0]))
    return SyncResult(
        pushed=tuple(_synced(push.path, push.old, push.new) for push in run.pushed[:LISTED]),
        pulled=tuple(_synced(*change) for change in run.pulled[:LISTED]),
        conflicts=tuple(run.conflicts),
        merged=tuple(f"/{path}" for path in run.merged),
        skipped=tuple(Skipped(f"/{path}", reason) for path, reason in skipped[:LISTED]),
        pushed_total=len(run.pushed),
        pulled_total=len(run.pulled),
        skipped_total=len(skipped),
        revision=revision,
        dry_run=dry_run,
        escaping=tuple(f"/{path}" for path in run.escaping[:LISTED]),
    )


def escaping_links(files: FileSystem, changes: list[Change]) -> list[str]:
    """Return the paths of links that lead out of the mirror, if they are taken at their word."""
    return [
        path
        for path, _, new in changes
        if new is not None
        and new.kind == SYMLINK
        and _leads_out(path, decode(files.content(new.content)))
    ]


def _leads_out(path: str, target: str) -> bool:
    depth = path.count("/")
    for name in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(name, 1)
        if depth < 0:
            return True
    return target.startswith("/")
