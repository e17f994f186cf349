"""Several changes as one: all or nothing, tried out only, or as far as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext

from vshell.errors import VshellError
from vshell.ops.context import Context


class _Undo(Exception):  # noqa: N818 - it is no error
    """Leaves a transaction that was only tried out."""


def run_batch(
    context: Context,
    operation: str,
    changes: Iterable[Callable[[], None]],
    *,
    dry_run: bool,
    rollback_on_error: bool,
) -> None:
    """Make changes, one after the other, in one transaction.

    Args:
        context: Whose files.
        operation: What stands in the journal.
        changes: Each makes one change.
        dry_run: Make all of them, so that what would fail fails, and then undo them.
        rollback_on_error: Undo all when one fails. If not, those before it are kept, and
            nothing after it is tried.

    Raises:
        VshellError: What the change raised that failed; its `data` has that change's
            `index`, and `rolledBack`, which says whether those before it were undone.
    """
    failure: VshellError | None = None
    try:
        with context.changing(operation):
            failure = _run(context, operation, changes, keep=not (dry_run or rollback_on_error))
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    if failure is not None:
        raise failure


def _run(
    context: Context, operation: str, changes: Iterable[Callable[[], None]], *, keep: bool
) -> VshellError | None:
    for index, change in enumerate(changes):
        try:
            # A savepoint, so that what failed leaves nothing half done.
            with context.changing(operation) if keep else nullcontext():
                change()
        except VshellError as error:
            error.data |= {"index": index, "rolledBack": not keep}
            if keep:
                return error
            raise
    return None
