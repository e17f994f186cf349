"""Copying a whole workspace, so that the copy knows where it comes from."""

from __future__ import annotations

import os

from vshell.fs import lineage
from vshell.ops.context import Context
from vshell.ops.moments import compare, restore
from vshell.ops.read import Moment

__all__ = ["copy_to", "record_origin"]


def copy_to(context: Context, destination: str, *, at: Moment | None = None) -> None:
    """Copy the workspace to a new file of the host; `record_origin` on the copy comes next.

    Raises:
        ExistsError: The file exists.
        NotFoundError: Its directory does not, or there is no such moment.
    """
    if at is not None:
        compare(context, at)  # a moment that does not exist must leave no file
    lineage.ensure_workspace_id(context.files, os.urandom(16).hex())
    context.files.copy_database(destination)


def record_origin(copy: Context, *, at: Moment | None = None) -> None:
    """Make a copy a workspace of its own, as it was at a moment, that can be merged back."""
    origin = lineage.common_point(copy.files)
    if at is not None:
        restore(copy, at)
    with copy.changing("fork"):
        lineage.record_fork(copy.files, os.urandom(16).hex(), origin)
