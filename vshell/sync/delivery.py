"""Writing to the mirror what a plan wants there, and noting each as agreed on.

What fails stays pending in the database, and is tried again the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Peer, Peers
from vshell.fs.transaction import Transaction
from vshell.sync.gathering import seen_of
from vshell.sync.pushing import Push, operations_for, with_content
from vshell.sync.results import Progress, teller
from vshell.sync.run import Run
from vshell.sync.target import Entry, Outcome, Target, tree_key

__all__ = ["Delivery"]

_BATCH_ENTRIES: Final = 512
_BATCH_S: Final = 1.0


class Delivery:
    """Writes to one mirror.

    Args:
        files: The workspace.
        target: The mirror, locked.
        peer: Looks up what is known of it.
        changing: Opens a transaction under the caller's name.
    """

    def __init__(
        self,
        files: FileSystem,
        target: Target,
        peer: Callable[[], Peer | None],
        changing: Callable[[str], Transaction],
    ) -> None:
        self._files = files
        self._target = target
        self._peer = peer
        self._changing = changing
        self._peers = Peers(files)

    def push(self, run: Run, progress: Progress | None) -> None:
        """Do what a run is to do in the mirror, and note in it what was done."""
        steps = operations_for(run.pushes)
        if not steps:
            return
        pushes = {push.path: push for push in run.pushes}
        waiting = _Waiting(steps_left={}, deadline_s=time.monotonic() + _BATCH_S)
        for step in steps:
            path = step.operation.path
            waiting.steps_left[path] = waiting.steps_left.get(path, 0) + 1
        tell = teller(progress, "push", len(steps))
        outcomes = self._target.apply(with_content(self._files, steps))
        for number, outcome in enumerate(outcomes, 1):
            tell(number)
            if waiting.take(outcome):
                run.pushed.append(pushes[outcome.path])
            if waiting.is_due():
                self._note_pushed(waiting, pushes)
        self._note_pushed(waiting, pushes)
        run.skipped |= waiting.failed
        run.pushed.sort(key=lambda push: tree_key(push.path))

    def _note_pushed(self, waiting: _Waiting, pushes: dict[str, Push]) -> None:
        done = waiting.done
        if not done:
            return
        with self._changing("sync"):
            peer = self._peer()
            assert peer is not None, "a mirror is never removed"
            agreed = []
            for path, entry in done.items():
                new = pushes[path].new
                if new is not None and entry is not None:
                    agreed.append((path, new, seen_of(entry)))
            self._peers.agree(peer, agreed)
            self._peers.disagree(peer, [path for path, entry in done.items() if entry is None])
            self._peers.settle(peer, done)
            self._peers.advance(peer)
        waiting.done = {}
        waiting.deadline_s = time.monotonic() + _BATCH_S


@dataclass(slots=True)
class _Waiting:
    """What was written to the mirror and is not noted yet."""

    steps_left: dict[str, int]
    deadline_s: float
    done: dict[str, Entry | None] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def take(self, outcome: Outcome) -> bool:
        """Take an outcome; tell whether all that was to be done at its path is done."""
        path = outcome.path
        self.steps_left[path] -= 1
        if outcome.reason:
            self.failed.setdefault(path, outcome.reason)
        if self.steps_left[path] or path in self.failed:
            return False
        self.done[path] = outcome.entry
        return True

    def is_due(self) -> bool:
        return len(self.done) >= _BATCH_ENTRIES or time.monotonic() > self.deadline_s
