"""The mirrors that a shell's caller lets its scripts synchronise, by names of the caller's.

A script never names a place of the host: `vshell-sync` in the worker asks the host for one
of these names, and the host does it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from vshell.errors import RangeError, VshellError
from vshell.fs.paths import PathLike
from vshell.ops.context import Context

if TYPE_CHECKING:
    from vshell.sync.mirror import Mirror
    from vshell.sync.results import Conflict, SyncResult

ACTIONS: Final = ("sync", "push", "pull", "status")


class Mirrors:
    """The mirrors of one shell; used in the host.

    Args:
        context: Whose files, and whose doing it is.
        given: A directory of the host, or a mirror, by the name that scripts know it by.

    Raises:
        RangeError: A name is empty or has white space, or a value is neither.
    """

    def __init__(self, context: Context, given: Mapping[str, PathLike | Mirror]) -> None:
        self._context = context
        self._given = dict(given)
        for name, value in self._given.items():
            if (
                not isinstance(name, str)
                or not name
                or name.startswith("-")
                or len(name.split()) > 1
            ):
                raise RangeError(f"a mirror needs a name of one word, not {name!r}")
            if not isinstance(value, (str, os.PathLike)) and not hasattr(value, "sync"):
                raise RangeError(
                    f"the mirror {name} is no directory, and no mirror: {value!r:.100}"
                )

    @property
    def names(self) -> list[str]:
        """The names that scripts may use."""
        return sorted(self._given)

    def perform(self, action: str, name: str, *, dry_run: bool) -> tuple[int, str, str]:
        """Do what a script asks for; return exit code, output and complaint.

        Nothing that it asks for is trusted to be one of the actions or names.
        """
        if action not in ACTIONS:
            return 2, "", f"there is no action '{action}'"
        if name not in self._given:
            return 1, "", f"there is no mirror '{name}'"
        try:
            mirror = self._mirror(name)
            if action == "status":
                status = mirror.status()
                lines = _lines(status.pending) + [_told(each) for each in status.conflicts]
                return 0, "".join(f"{line}\n" for line in lines), ""
            perform = {"sync": mirror.sync, "push": mirror.push, "pull": mirror.pull}[action]
            result = perform(dry_run=dry_run)
        except VshellError as error:
            return 1, "", f"{name}: {error.hint or error.code}"
        text = "".join(f"{line}\n" for line in _lines(result))
        return (3 if any(each.is_open for each in result.conflicts) else 0), text, ""

    def _mirror(self, name: str) -> Mirror:
        value = self._given[name]
        if not isinstance(value, (str, os.PathLike)):
            return value
        from vshell.sync.mirror import open_directory

        mirror = open_directory(
            self._context.files,
            value,
            policy="safe",
            ignore=(),
            cache=None,
            name=None,
            limits=None,
            changing=self._context.changing,
            cwd="/",
        )
        self._given[name] = mirror
        return mirror


def _lines(result: SyncResult) -> list[str]:
    """Return what was done, one thing a line; a list that was cut says so."""
    lines = [f"-> {each.action} {each.path}" for each in result.pushed]
    lines += [f"<- {each.action} {each.path}" for each in result.pulled]
    lines += [_told(each) for each in result.conflicts]
    lines += [f"skipped {each.path}: {each.reason}" for each in result.skipped]
    left = result.pushed_total + result.pulled_total - len(result.pushed) - len(result.pulled)
    return [*lines, f"... and {left} more"] if left > 0 else lines


def _told(conflict: Conflict) -> str:
    return f"conflict ({conflict.clash}, {conflict.resolution or 'open'}) {conflict.path}"
