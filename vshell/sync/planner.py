"""What a synchronisation does: a three-way comparison of paths, without any I/O.

For each path that may differ there are three states: what both sides last agreed on (the
base), what the workspace has, and what the mirror has. Content, permission bits and time
are compared by themselves, so that a `chmod` on one side and an edit on the other come
together. What only one side changed, the other gets; what one removed and the other
changed stays; what both changed differently is a *clash*, which the policy settles.

Then the results must be a tree: a directory that still holds something stays, and where
one side has a file and the other side something below a directory of that name, the policy
says whose it is. Whatever content loses is in `Plan.conflicts`, so nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from vshell.fs.schema import DIRECTORY, FILE
from vshell.sync.target import tree_key

__all__ = [
    "POLICIES",
    "Clash",
    "Conflicting",
    "Decision",
    "Merge",
    "Plan",
    "Policy",
    "Resolution",
    "Sides",
    "State",
    "make_plan",
]

Policy = Literal["safe", "workspace-wins", "container-wins", "merge", "fail"]
POLICIES: Final[tuple[Policy, ...]] = (
    "safe",
    "workspace-wins",
    "container-wins",
    "merge",
    "fail",
)

Side = Literal["workspace", "mirror"]
Clash = Literal["content", "kind", "mode", "place"]
"""Both changed the content; both changed it and one is no file; both changed the permission
bits; one has something where the other has a file instead of the directory above it."""

Resolution = Literal["workspace", "mirror"]


class State(NamedTuple):
    """What is at a path.

    Attributes:
        kind: `FILE`, `DIRECTORY` or `SYMLINK`.
        hash: Identifies the content, or the target of a link; empty of a directory.
        mode: The permission bits; of a link always 0o777.
        mtime_ns: When the content changed; of a directory 0.
    """

    kind: int
    hash: bytes
    mode: int
    mtime_ns: int


class Sides(NamedTuple):
    """The three states of a path; None is nothing."""

    base: State | None
    workspace: State | None
    mirror: State | None


class Decision(NamedTuple):
    """What a path is to be on both sides.

    Attributes:
        sides: What it was.
        result: What it is to be; None is nothing.
        source: Which side has the content of the result.
    """

    sides: Sides
    result: State | None
    source: Side | Literal["merged"]

    @property
    def pulls(self) -> bool:
        """Whether the workspace has to change."""
        return self.result != self.sides.workspace

    @property
    def pushes(self) -> bool:
        """Whether the mirror has to change."""
        return self.result != self.sides.mirror


class Conflicting(NamedTuple):
    """A clash.

    Attributes:
        path: Where.
        clash: What it is about.
        sides: The three states.
        resolution: Which side the policy chose for good; None when it waits for somebody
            to say, and the result is what the workspace has.
    """

    path: str
    clash: Clash
    sides: Sides
    resolution: Resolution | None


Merge = Callable[[str, Sides], State | None]
"""Merges the contents of two files, or says that they do not merge with None."""


@dataclass(slots=True)
class Plan:
    """What a synchronisation does.

    Attributes:
        decisions: For each path what it is to be, in tree order.
        conflicts: What clashed, in tree order.
    """

    decisions: dict[str, Decision] = field(default_factory=dict)
    conflicts: list[Conflicting] = field(default_factory=list)


def make_plan(
    paths: Mapping[str, Sides], policy: Policy = "safe", *, merge: Merge | None = None
) -> Plan:
    """Decide what becomes of paths.

    Args:
        paths: The states of each path at which some of the three differ. A path that is
            not there has the same on all sides; where something is below it, a directory.
        policy: Settles clashes: `"safe"`, `"merge"` and `"fail"` keep what the workspace
            has and leave the conflict open, `"workspace-wins"` and `"container-wins"` close it.
        merge: Is asked before the policy when both sides changed a file.
    """
    planner = _Planner(policy, merge)
    for path in sorted(paths, key=tree_key):
        planner.decide(path, paths[path])
    planner.make_tree()
    planner.plan.conflicts.sort(key=lambda conflict: tree_key(conflict.path))
    return planner.plan


class _Planner:
    def __init__(self, policy: Policy, merge: Merge | None) -> None:
        self.plan = Plan()
        self._merge = merge
        self._winner: Side = "mirror" if policy == "container-wins" else "workspace"
        self._resolution: Resolution | None = (
            self._winner if policy in ("workspace-wins", "container-wins") else None
        )
        self._clashing: set[str] = set()

    # One path by itself.

    def decide(self, path: str, sides: Sides) -> None:
        base, workspace, mirror = sides
        was, mine, theirs = _content(base), _content(workspace), _content(mirror)
        if workspace is None or mirror is None:
            decision = self._with_absent(sides)
        elif mine == theirs:
            decision = self._combined(path, sides, workspace, "workspace")
        elif mine == was:
            decision = self._combined(path, sides, mirror, "mirror")
        elif theirs == was:
            decision = self._combined(path, sides, workspace, "workspace")
        else:
            decision = self._clashed(path, sides, workspace, mirror)
        self.plan.decisions[path] = decision

    def _with_absent(self, sides: Sides) -> Decision:
        """Decide where at least one side has nothing: a change goes before a removal."""
        base, workspace, mirror = sides
        if mirror is not None and _is_changed(base, mirror):
            return Decision(sides, mirror, "mirror")
        if workspace is not None and _is_changed(base, workspace):
            return Decision(sides, workspace, "workspace")
        return Decision(sides, None, "mirror" if mirror is None else "workspace")

    def _combined(self, path: str, sides: Sides, content: State, source: Side) -> Decision:
        """Take the content of one side, and of each side the attributes that it changed."""
        base, workspace, mirror = sides
        assert workspace is not None
        assert mirror is not None
        if workspace.kind != mirror.kind:
            return Decision(sides, content, source)
        mode = self._mode(path, sides, base, workspace, mirror)
        mtime_ns = content.mtime_ns
        if workspace.hash == mirror.hash:
            mtime_ns = _mtime_ns(base, workspace, mirror)
        return Decision(sides, content._replace(mode=mode, mtime_ns=mtime_ns), source)

    def _mode(
        self, path: str, sides: Sides, base: State | None, workspace: State, mirror: State
    ) -> int:
        if mirror.mode == workspace.mode:
            return workspace.mode
        if base is not None and base.kind == workspace.kind:
            if workspace.mode == base.mode:
                return mirror.mode
            if mirror.mode == base.mode:
                return workspace.mode
        self._clash(path, "mode", sides)
        return workspace.mode if self._winner == "workspace" else mirror.mode

    def _clashed(self, path: str, sides: Sides, workspace: State, mirror: State) -> Decision:
        both_files = workspace.kind == mirror.kind == FILE
        if both_files and self._merge is not None:
            merged = self._merge(path, sides)
            if merged is not None:
                mode = self._mode(path, sides, sides.base, workspace, mirror)
                return Decision(sides, merged._replace(mode=mode), "merged")
        self._clash(path, "content" if workspace.kind == mirror.kind else "kind", sides)
        if self._winner == "workspace":
            return Decision(sides, workspace, "workspace")
        return Decision(sides, mirror, "mirror")

    def _clash(self, path: str, clash: Clash, sides: Sides) -> None:
        if path not in self._clashing:
            self._clashing.add(path)
            self.plan.conflicts.append(Conflicting(path, clash, sides, self._resolution))

    # All of them together.

    def make_tree(self) -> None:
        """Let everything that stays have directories above it."""
        for path, decision in list(self.plan.decisions.items()):
            if decision.result is None:
                continue
            above = self._above(path)
            blocker = next((place for place in above if self._is_no_directory(place)), None)
            if blocker is not None and self._yields(path, blocker):
                continue
            for place in above:
                self._keep_directory(place)

    def _above(self, path: str) -> list[str]:
        """Return the directories above a path that something is decided about."""
        above = []
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in self.plan.decisions:
                above.append(path)
        return above

    def _is_no_directory(self, path: str) -> bool:
        result = self.plan.decisions[path].result
        return result is not None and result.kind != DIRECTORY

    def _yields(self, path: str, blocker: str) -> bool:
        """Settle what one side has below a file of the other; tell whether the file stays.

        Only one side can have the file and only the other one what is below it.
        """
        decision, above = self.plan.decisions[path], self.plan.decisions[blocker]
        if above.source == self._winner:
            self._drop(path, decision)
            return True
        self._clash(blocker, "kind", above.sides)
        return False

    def _drop(self, path: str, decision: Decision) -> None:
        self.plan.decisions[path] = Decision(decision.sides, None, self._winner)
        assert decision.result is not None
        if decision.result.kind != DIRECTORY:
            self._clash(path, "place", decision.sides)

    def _keep_directory(self, path: str) -> None:
        decision = self.plan.decisions[path]
        if decision.result is not None and decision.result.kind == DIRECTORY:
            return
        for state, source in (
            (decision.sides.workspace, "workspace"),
            (decision.sides.mirror, "mirror"),
        ):
            if state is not None and state.kind == DIRECTORY:
                kept: Side = "workspace" if source == "workspace" else "mirror"
                self.plan.decisions[path] = Decision(decision.sides, state, kept)
                return
        raise AssertionError(f"nothing has the directory above what is below it: {path!r}")


def _content(state: State | None) -> tuple[int, bytes] | None:
    return None if state is None else (state.kind, state.hash)


def _is_changed(base: State | None, state: State) -> bool:
    """Tell whether a state is worth more than a removal: a time alone is not."""
    return base is None or (base.kind, base.hash, base.mode) != (
        state.kind,
        state.hash,
        state.mode,
    )


def _mtime_ns(base: State | None, workspace: State, mirror: State) -> int:
    """Return the time of content that both sides have."""
    if base is not None:
        if workspace.mtime_ns == base.mtime_ns:
            return mirror.mtime_ns
        if mirror.mtime_ns == base.mtime_ns:
            return workspace.mtime_ns
    return max(workspace.mtime_ns, mirror.mtime_ns)
