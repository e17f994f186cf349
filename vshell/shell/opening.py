"""Opening shells on a workspace: all of one workspace share its workers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike
from vshell.ops.context import Context
from vshell.shell.limits import ShellLimits
from vshell.shell.programs import Programs
from vshell.shell.rules import Rules
from vshell.shell.shell import ENVIRONMENT, Ask, Shell
from vshell.shell.workers import Workers

if TYPE_CHECKING:
    from vshell.script.limits import Limits
    from vshell.sync.mirror import Mirror


def open_shell(
    context: Context,
    session: str | None,
    *,
    rules: Rules | Mapping[str, Any] | None = None,
    ask: Ask | None = None,
    limits: ShellLimits | Limits | Mapping[str, Any] | None = None,
    spool: PathLike | None = None,
    programs: Programs | None = None,
    mirrors: Mapping[str, PathLike | Mirror] | None = None,
) -> Shell:
    """Return a shell; see `Session.shell`.

    Args:
        programs: What runs programs in other languages; without, there are none.
    """
    return Shell(
        context,
        workers_of(context.files),
        session=session,
        rules=rules,
        ask=ask,
        limits=limits,
        spool=spool,
        programs=programs,
        mirrors=mirrors,
    )


def workers_of(files: FileSystem) -> Workers:
    """Return the workers of a workspace, which end with it."""
    workers = files.attachments.get("shell")
    if workers is None:
        opening = {
            "path": os.path.abspath(files.path),
            "read_only": files.store.database.read_only,
            "durability": files.durability,
            "lock_timeout_s": files.lock_timeout_s,
            "environment": ENVIRONMENT,
        }
        workers = Workers(opening)
        files.attachments["shell"] = workers
    assert isinstance(workers, Workers)
    return workers
