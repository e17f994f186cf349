"""Copying a whole workspace, so that the copy knows where it comes from."""

from __future__ import annotations

import os

from vshell.fs import lineage
from vshell.fs import snapshots as fs_snapshots
from vshell.ops.context import Context
from vshell.ops.read import Moment

__all__ = ["fork_to"]


def fork_to(context: Context, destination: str, *, at: Moment | None = None) -> None:
    """Copy the workspace to a new file of the host, as a fork that can be merged back.

    The file is there whole, or not at all.

    Args:
        context: The workspace.
        destination: The new file.
        at: The snapshot or revision to copy; None is now.

    Raises:
        ExistsError: The file exists.
        NotFoundError: Its directory does not, or there is no such moment.
    """
    files = context.files
    if at is not None:
        with files.reading():
            fs_snapshots.image_of(files.store, at)  # a moment that is not there must cost nothing
    lineage.ensure_workspace_id(files, os.urandom(16).hex())
    with files.copied_database(destination) as copy:
        origin = lineage.common_point(copy)
        if at is not None:
            with copy.transaction(context.name, "restore"):
                fs_snapshots.restore(copy, at)
        with copy.transaction(context.name, "fork"):
            lineage.record_fork(copy, os.urandom(16).hex(), origin)
