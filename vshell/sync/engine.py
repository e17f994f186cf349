"""One synchronisation, from the scan to the last file that is written.

1. Scan the mirror, and compare it with how it looked the last time.
2. Read what is new in it into the store. Nothing refers to it yet.
3. In one transaction: see what the workspace changed, plan, change the workspace, note
   conflicts, what is agreed on now, and what is about to be written to the mirror.
4. Write that, a batch after the other, and note each as agreed on.

After step 3 the mirror's changes are in the workspace or in a conflict, and what is left
is a change of the workspace alone. So a crash at any point is repaired by running again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from vshell.errors import ConflictError
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import ConflictRow, Peer, Peers, Version
from vshell.fs.transaction import Transaction
from vshell.sync.comparing import Comparison, compare
from vshell.sync.delivery import Delivery
from vshell.sync.gathering import Gathered, gather, seen_of
from vshell.sync.intake import Found, Intake
from vshell.sync.merging import Merger
from vshell.sync.planner import Conflicting, Plan, Policy, make_plan
from vshell.sync.pulling import pull
from vshell.sync.results import (
    LISTED,
    Conflict,
    Progress,
    SyncLimits,
    SyncProgress,
    SyncResult,
    conflict_of,
    teller,
)
from vshell.sync.rules import Rules
from vshell.sync.run import Direction, Run, choose, escaping_links, result_of, versions_of
from vshell.sync.target import Entry, Root, Target

__all__ = ["Engine", "Options", "Preview"]

_ATTEMPTS: Final = 5
_NEW: Final = Peer(0, "", "", "", "", b"", 0, 0, 0)
"""Stands for a mirror that was never synchronised."""


class Preview(NamedTuple):
    """What a synchronisation would do, with what it needs to show more of it."""

    result: SyncResult
    plan: Plan
    gathered: Gathered


@dataclass(frozen=True, slots=True)
class Options:
    """How to synchronise.

    Attributes:
        direction: Which side may change.
        deep: Trust no stat key, and compare all of the workspace.
        allow_emptied: Take a mirror in which nothing is any more for what it is to be.
        in_transaction: Is called in the transaction that changes the workspace, with what
            was pulled, so that more can be written down with it.
        progress: Is told how far it is.
    """

    direction: Direction = "both"
    deep: bool = False
    allow_emptied: bool = False
    in_transaction: Callable[[SyncResult], None] | None = None
    progress: Progress | None = None


class _Look(NamedTuple):
    """What one look at the mirror found."""

    peer: Peer
    comparison: Comparison
    found: Found


class _OvertakenError(Exception):
    """Another synchronisation of the same mirror has written since this one looked."""


class Engine:
    """Synchronises a workspace and a target.

    Args:
        files: The files of the workspace.
        target: The other side.
        name: The mirror's name; with the target's kind it identifies what is known of it.
        rules: What belongs to the mirror.
        policy: Settles conflicts.
        limits: What the mirror may ask for.
        changing: Opens a transaction under the caller's name.
    """

    def __init__(
        self,
        files: FileSystem,
        target: Target,
        *,
        name: str,
        rules: Rules,
        policy: Policy,
        limits: SyncLimits,
        changing: Callable[[str], Transaction],
    ) -> None:
        self.files = files
        self.target = target
        self.name = name
        self.rules = rules
        self.policy: Policy = policy
        self.limits = limits
        self.changing = changing
        self.peers = Peers(files)
        self._turn = threading.Lock()
        self._delivery = Delivery(files, target, self._find, changing)

    @property
    def peer(self) -> Peer | None:
        """What is known of the mirror; None when it was never synchronised."""
        return self.files.store.read(self._find)

    def _find(self) -> Peer | None:
        return self.peers.find(self.target.kind, self.name)

    def run(self, options: Options) -> SyncResult:
        """Synchronise; see `Mirror.sync`."""
        self._refuse_nesting()
        with self._locked(create=self.peer is None):
            for _ in range(_ATTEMPTS):
                peer = self._known(self.peer, self.target.identify())
                look = self._look(peer, options, stores=True)
                if options.in_transaction is None and self._is_idle(look):
                    return self._result(Run(Plan(), Gathered(), look.found.skipped))
                try:
                    run = self._settle(look, options)
                except _OvertakenError:
                    continue
                if options.direction != "pull":
                    self._delivery.push(run, options.progress)
                return self._result(run)
        raise ConflictError(
            "other synchronisations of this mirror keep overtaking this one",
            hint="try again when they are done",
        )

    def preview(self, options: Options) -> SyncResult:
        """Return what `run` would do; nothing is written on either side."""
        with self.previewing(options) as preview:
            return preview.result

    @contextmanager
    def previewing(self, options: Options) -> Iterator[Preview]:
        """Yield what `run` would do, while nobody synchronises the mirror."""
        with self._locked():
            peer = self.peer
            if peer is not None:
                _check_root(peer, self.target.identify())
            look = self._look(peer or _NEW, options, stores=False)
            with self.files.reading():
                gathered = self._gather(look, options)
                plan = make_plan(gathered.sides, self.policy, merge=self._merger(gathered, False))
                run = choose(
                    plan, gathered, look.found.skipped | gathered.skipped, options.direction
                )
                run.conflicts = [
                    self._previewed(conflict, gathered)
                    for conflict in plan.conflicts
                    if conflict.path not in run.left
                ]
                run.pushed = run.pushes if options.direction != "pull" else []
                yield Preview(self._result(run, dry_run=True), plan, gathered)

    def restart(self) -> None:
        """Forget what was agreed on with the mirror, and accept the root that is there now."""
        self._refuse_nesting()
        with self._locked(create=True):
            root = self.target.identify()
            identifier = root.uuid or str(uuid.uuid4())
            if root.uuid is None:
                self.target.mark(identifier)
            with self.changing("sync"):
                peer = self._find()
                if peer is not None:
                    self.peers.forget(peer)
                    self.peers.advance(
                        peer._replace(
                            root=identifier, generation=root.generation, rules=b"", position=0
                        )
                    )

    @contextmanager
    def _locked(self, *, create: bool = False) -> Iterator[None]:
        """Keep other threads away from the target, and other processes from its root."""
        timeout_s = self.limits.lock_timeout_s
        if not self._turn.acquire(timeout=timeout_s):
            raise ConflictError(
                "another synchronisation of this mirror is running",
                hint="try again when it is done",
            )
        try:
            with self.target.lock(timeout_s, create=create):
                yield
        finally:
            self._turn.release()

    def _result(self, run: Run, *, dry_run: bool = False) -> SyncResult:
        return result_of(run, self.files.revision(), dry_run=dry_run)

    def _refuse_nesting(self) -> None:
        with self.files.store.lock:  # then a transaction that is open is this thread's
            is_nested = self.files.store.depth > 0
        if is_nested:
            raise ConflictError(
                "a mirror cannot be synchronised inside a transaction",
                hint="synchronise when the transaction is done",
            )

    # Steps 1 and 2.

    def _known(self, peer: Peer | None, root: Root) -> Peer:
        """Return what is known of the mirror, after making sure that it is the one that it was."""
        if peer is not None:
            _check_root(peer, root)
            return peer
        identifier = root.uuid or str(uuid.uuid4())
        if root.uuid is None:
            self.target.mark(identifier)
        with self.changing("sync"):
            known = self._find()
            return known or self.peers.add(self.target.kind, self.name, identifier, root.generation)

    def _look(self, peer: Peer, options: Options, *, stores: bool) -> _Look:
        """Find out what changed in the mirror; what is new in it is stored, or only hashed."""
        comparison = self._compare(peer, options)
        intake = Intake(
            self.files,
            self.target,
            peer if stores else None,
            limits=self.limits,
            progress=options.progress,
        )
        found = intake.read(comparison.entries.values())
        found.skipped |= comparison.skipped
        return _Look(peer, comparison, found)

    def _compare(self, peer: Peer, options: Options) -> Comparison:
        scanned = self.target.scan(self.rules, max_entries=self.limits.max_entries)
        if options.progress is not None:
            scanned = _counted(scanned, options.progress)
        comparison = compare(scanned, self.peers.seen(peer), deep=options.deep)
        if len(comparison.gone) > 1 and not comparison.total and not options.allow_emptied:
            raise ConflictError(
                "nothing is in the mirror any more",
                hint="restore it; or synchronise with allow_emptied, which removes the files "
                "from the workspace too",
                data={"reason": "emptied", "gone": len(comparison.gone)},
            )
        return comparison

    # Step 3.

    def _gather(self, look: _Look, options: Options) -> Gathered:
        peer, comparison, found = look
        return gather(self.peers, peer, self.rules, found, comparison.gone, deep=options.deep)

    def _settle(self, look: _Look, options: Options) -> Run:
        """Change the workspace, and note what is agreed on and what is to be done."""
        with self.changing("sync"):
            known = self._find()
            if known is None or known.serial != look.peer.serial:
                raise _OvertakenError
            gathered = self._gather(look, options)
            plan = make_plan(gathered.sides, self.policy, merge=self._merger(gathered, True))
            self._refuse_conflicts(plan)
            run = choose(plan, gathered, look.found.skipped | gathered.skipped, options.direction)
            self._pull(run, options.progress)
            run.escaping = escaping_links(self.files, run.pulled)
            self._note(look.peer, run)
            if options.in_transaction is not None:
                options.in_transaction(self._result(run))
        return run

    def _is_idle(self, look: _Look) -> bool:
        """Tell quickly whether nothing at all is to be done, which is the usual case."""
        peer, comparison, _ = look
        if comparison.entries or comparison.gone or peer.rules != self.rules.digest:
            return False

        def nothing_waits() -> bool:
            return self.peers.touched_since(peer.position) == [] and not self.peers.pending(peer)

        return self.files.store.read(nothing_waits)

    def _merger(self, gathered: Gathered, stores: bool) -> Merger | None:
        if self.policy != "merge":
            return None
        return Merger(self.files, gathered, self.target, stores=stores)

    def _refuse_conflicts(self, plan: Plan) -> None:
        if self.policy != "fail" or not plan.conflicts:
            return
        paths = [f"/{conflict.path}" for conflict in plan.conflicts]
        raise ConflictError(
            f"both sides changed {len(paths)} path{'s' * (len(paths) > 1)}, at first {paths[0]}",
            path=paths[0],
            hint="choose another policy, or make them equal",
            data={"paths": paths[:LISTED], "total": len(paths)},
        )

    def _pull(self, run: Run, progress: Progress | None) -> None:
        failed = pull(self.files, run.pulled, teller(progress, "pull", len(run.pulled)))
        if not failed:
            return
        run.skipped |= failed
        run.left += failed
        run.pulled = [change for change in run.pulled if change[0] not in failed]
        run.pushes = [push for push in run.pushes if push.path not in failed]

    def _note(self, peer: Peer, run: Run) -> None:
        """Write down what is agreed on now, what is on its way, and what clashed."""
        peers, gathered = self.peers, run.gathered
        left = set(run.left)
        taken = [path for path in run.plan.decisions if path not in left]
        mirrored = {path: run.plan.decisions[path].sides.mirror for path in taken}
        peers.agree(
            peer,
            (
                (path, gathered.mirror[path], seen_of(gathered.entries[path]))
                for path, state in mirrored.items()
                if state is not None
            ),
        )
        peers.agree(
            peer,
            (
                (path, gathered.agreed[path].version, seen_of(gathered.entries[path]))
                for path in gathered.refreshed
            ),
        )
        gone = [path for path, state in mirrored.items() if state is None]
        peers.disagree(peer, [*gone, *gathered.forgotten])
        peers.settle(peer, [*taken, *gathered.settled, *gathered.forgotten])
        peers.look_again(peer, [*left, *gathered.skipped])
        peers.await_paths(peer, ((push.path, push.new or _ABSENT) for push in run.pushes))
        for conflict in run.plan.conflicts:
            if conflict.path not in left:
                run.conflicts.append(self._add_conflict(peer, conflict, gathered))
        peers.unpin(peer)
        self.files.store.journal.load()
        peers.advance(
            peer._replace(
                rules=self.rules.digest,
                revision=self.files.store.journal.revision,
                position=self.files.store.journal.position,
            )
        )

    def _add_conflict(self, peer: Peer, conflict: Conflicting, gathered: Gathered) -> Conflict:
        number = self.peers.add_conflict(
            peer,
            conflict.path,
            conflict.clash,
            conflict.resolution,
            versions_of(conflict, gathered),
        )
        return conflict_of(self.peers.conflict(number))

    def _previewed(self, conflict: Conflicting, gathered: Gathered) -> Conflict:
        row = ConflictRow(
            0,
            conflict.path,
            conflict.clash,
            self.files.revision(),
            self.files.store.now(),
            conflict.resolution,
            *versions_of(conflict, gathered),
        )
        return conflict_of(row)


_ABSENT: Final = Version(0, 0, 0, None, b"", 0)


def _check_root(peer: Peer, root: Root) -> None:
    """Make sure that a root is the one that was synchronised before.

    Raises:
        ConflictError: It is another one. `data["reason"]` says how that shows.
    """
    if root.uuid == peer.root and root.generation == peer.generation:
        return
    if root.uuid is None:
        reason, text = "unmarked", "the mirror's root lost its mark: it was made anew or emptied"
    elif root.uuid != peer.root:
        reason, text = "other_root", "another directory is in the place of the mirror's root"
    else:
        reason, text = "new_generation", "the mirror was created anew since the last time"
    raise ConflictError(
        text,
        hint="restore it where it was; or restart the mirror, which compares both sides anew",
        data={"reason": reason},
    )


def _counted(listings: Iterable[Sequence[Entry]], progress: Progress) -> Iterator[Sequence[Entry]]:
    number = 0
    for entries in listings:
        number += len(entries)
        progress(SyncProgress("scan", number, None))
        yield entries
