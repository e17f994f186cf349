"""How much room a workspace has, as `stat -f` and `df` say it."""

from __future__ import annotations

from typing import Final

from vshell.ops.upkeep import usage
from vshell.shell.command import Invocation

_FREE_BYTES: Final = 64 * 1024**3
"""What `df` says is free when there is no quota: nothing else is a limit that it knows."""


def space(call: Invocation) -> tuple[int, int, int]:
    """Return the bytes that there are, those that are free, and the number of files."""
    found = usage(call.context)
    entries = found.files + found.directories + found.symlinks
    if found.quota_bytes is None:
        return found.live_bytes + _FREE_BYTES, _FREE_BYTES, entries
    return found.quota_bytes, max(0, found.quota_bytes - found.live_bytes), entries
