"""What a run's calls work on, and how its effects get to the workspace.

- `OverlayView`: a pinned state of the files and an overlay over it. Nothing is locked while
  the script runs; at the end one short transaction makes sure that nobody has changed what
  the script looked at, and applies what it did.
- `HeldView`: the caller's own open transaction. Others wait already, and the script has to see
  what was done in it; what the script did is undone alone.
- `DirectView`: the files themselves, each call a transaction of its own.
"""

from __future__ import annotations

from typing import Protocol

from vshell.errors import VshellError
from vshell.fs.content import Stored
from vshell.fs.effects import (
    Effect,
    apply_effects,
    effects_of,
    reads_of,
    require_unchanged,
    transfer,
)
from vshell.fs.overlay import Overlay
from vshell.fs.reads import ReadSet
from vshell.fs.records import Change
from vshell.fs.transaction import Transaction
from vshell.ops.changeset import FileChange, combined_patch, net_changes_after, net_changes_of
from vshell.ops.context import Context
from vshell.ops.lazy_patch import LazyPatch

__all__ = ["OPERATION", "DirectView", "HeldView", "OverlayView", "Recorded", "View", "holds_lock"]

OPERATION = "run"
"""What the journal calls it."""


class Recorded:
    """What a run changed, or would change.

    Attributes:
        changes: One entry for each file.
        patch: The same as a patch.
    """

    __slots__ = ("changes", "patch")

    def __init__(self, context: Context, changes: tuple[FileChange, ...]) -> None:
        self.changes = changes
        self.patch = LazyPatch(lambda: combined_patch(context, changes))


class View(Protocol):
    """Where a run's calls go."""

    @property
    def context(self) -> Context:
        """What the calls work on."""

    @property
    def can_discard(self) -> bool:
        """Whether nothing of the run would be left if it were dropped now."""

    def finish(self, *, dry_run: bool) -> Recorded:
        """Bring what was done to the workspace, or with `dry_run` only tell what it is.

        Raises:
            ConflictError: Somebody else changed what the run looked at.
            VshellError: It cannot be applied.
        """

    def close(self) -> None:
        """Drop what `finish` has not brought to the workspace. Idempotent."""


def holds_lock(context: Context) -> bool:
    """Tell whether this thread is inside a transaction of its own."""
    store = context.files.store
    if not store.lock.acquire(blocking=False):
        return False  # another thread's
    try:
        return store.depth > 0
    finally:
        store.lock.release()


class OverlayView:
    """A pinned state and an overlay over it.

    Args:
        session: Whose run it is.
        overlay: Idle; it is pinned here.
        max_write_bytes: How much new content it takes.
    """

    def __init__(self, session: Context, overlay: Overlay, max_write_bytes: int) -> None:
        self._session = session
        self._overlay = overlay
        overlay.pin(max_write_bytes=max_write_bytes)
        self.context = session.on(overlay)
        self.effects: list[Effect] = []

    @property
    def can_discard(self) -> bool:
        return True

    @property
    def overlay(self) -> Overlay:
        return self._overlay

    @property
    def reads(self) -> ReadSet:
        """What was looked at; complete after `finish`."""
        return self._overlay.reads

    def stored(self, effect: Effect) -> Stored:
        """Return the content of an effect as the workspace has it; call it in a transaction."""
        return transfer(self._overlay, self._session.files, effect)

    def finish(self, *, dry_run: bool) -> Recorded:
        overlay, session = self._overlay, self._session
        if not overlay.changed:
            session.adopt_reads(self.context)
            return Recorded(session, ())
        self.effects = effects_of(overlay)
        reads_of(overlay, self.effects)
        changes = net_changes_after(self.context, overlay.base_position)
        if dry_run:
            recorded = Recorded(self.context, changes)
            _ = recorded.patch.text  # what it needs will not be there later
            return recorded
        files = session.files
        with session.changing(OPERATION):
            require_unchanged(files, overlay.base_revision, overlay.reads)
            apply_effects(files, self.effects, self.stored)
        session.adopt_reads(self.context)
        return Recorded(session, changes)

    def close(self) -> None:
        self._overlay.discard()


class _DroppedError(VshellError):
    """Ends a transaction so that it is undone."""


class HeldView:
    """The caller's open transaction; see `DirectView` for the arguments."""

    def __init__(self, session: Context) -> None:
        self.context = session
        self._transaction: Transaction | None = session.changing(OPERATION)
        self._transaction.__enter__()
        self._position = session.files.journal_position()

    @property
    def can_discard(self) -> bool:
        return True

    def finish(self, *, dry_run: bool) -> Recorded:
        recorded = Recorded(self.context, net_changes_after(self.context, self._position))
        if dry_run:
            _ = recorded.patch.text
        else:
            self._end(None)
        return recorded

    def close(self) -> None:
        self._end(_DroppedError("dropped"))

    def _end(self, error: VshellError | None) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.__exit__(None if error is None else type(error), error)


class DirectView:
    """The files themselves.

    Args:
        session: Whose run it is.
    """

    def __init__(self, session: Context) -> None:
        self.context = session
        self.rows: list[Change] = []

    @property
    def can_discard(self) -> bool:
        return not self.rows

    def finish(self, *, dry_run: bool) -> Recorded:
        assert not dry_run, "what was applied at once cannot be tried out"
        return Recorded(self.context, net_changes_of(self.context, self.rows))

    def close(self) -> None:
        """Do nothing: there is nothing to drop."""
