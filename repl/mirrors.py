"""`vshell sync`: the workspace and a real directory, kept the same both ways.

What was done goes to stdout, a line for each path; what came of it to stderr.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from vshell.errors import NotFoundError, VshellError

from .commands import Call, Command
from .grammar import Argument, UsageError, whole_number
from .output import Output, counted, printable
from .progress import progress_bar

if TYPE_CHECKING:
    from vshell.sync.mirror import Mirror
    from vshell.sync.results import (
        Conflict,
        SyncDiff,
        SyncedPath,
        SyncResult,
        SyncStatus,
    )

CONFLICT: Final = 3

_ACTIONS: Final = (
    "sync",
    "push",
    "pull",
    "status",
    "diff",
    "conflicts",
    "resolve",
    "restart",
)
_POLICIES: Final = ("safe", "workspace-wins", "container-wins", "merge", "fail")

_SYNC: Final = """\
Keep the workspace and a directory the same, both ways.

What only one side changed, the other gets; what both changed is a conflict, which keeps
what each of them had: the exit code is 3 then. Actions: sync (the default), push, pull,
status, diff [PATH], conflicts, resolve PATH --take SIDE, and restart, which accepts
another directory in the place of the one that was synchronised before."""


def mirror_commands() -> list[Command]:
    """Return the subcommands."""
    return [
        Command(
            "sync",
            "transfer",
            lambda: "Keep the workspace and a directory the same, both ways.",
            _arguments,
            _sync,
            creates=True,
            description=lambda: _SYNC,
        )
    ]


def _arguments() -> list[Argument]:
    return [
        Argument("directory", "The directory of the host.", metavar="DIR", required=True),
        Argument("action", "What to do (default: sync).", metavar="ACTION", choices=_ACTIONS),
        Argument("path", "For diff and resolve: the path in the workspace.", metavar="PATH"),
        Argument("watch", "Go on, whenever something changes.", ("--watch",), value=True),
        Argument("dry_run", "Only show what would be done.", ("-n", "--dry-run"), value=True),
        Argument(
            "policy",
            "What becomes of what both sides changed (default: safe).",
            ("--policy",),
            choices=_POLICIES,
        ),
        Argument(
            "take",
            "For resolve: whose content.",
            ("--take",),
            choices=("workspace", "mirror", "base"),
        ),
        Argument(
            "ignore", "A pattern for what is left alone.", ("--ignore",), "PATTERN", repeated=True
        ),
        Argument(
            "cache",
            "A pattern for what only the directory has (default: node_modules/ .venv/ target/).",
            ("--cache",),
            "PATTERN",
            repeated=True,
        ),
        Argument("name", "What the workspace knows the mirror by.", ("--name",), "NAME"),
        Argument("deep", "Compare the content of every file.", ("--deep",), value=True),
        Argument(
            "allow_emptied", "Go on when the directory is empty.", ("--allow-emptied",), value=True
        ),
        Argument(
            "max_entries",
            "How many entries the directory may have.",
            ("--max-entries",),
            "N",
            whole_number,
        ),
    ]


def _sync(call: Call) -> int:
    values, output = call.values, call.output
    action = values.get("action", "sync")
    _check(action, values)
    with _directory_named(values["directory"]):
        mirror = _mirror(call)
        return _RUNNERS[action](mirror, values, output)


def _check(action: str, values: dict[str, Any]) -> None:
    if "path" in values and action not in ("diff", "resolve"):
        raise UsageError(f"{action} takes no path")
    if action == "resolve" and ("path" not in values or "take" not in values):
        raise UsageError("resolve needs a path and --take workspace, mirror or base")
    if action != "resolve" and "take" in values:
        raise UsageError("--take belongs to resolve")
    if "watch" in values and (action != "sync" or "dry_run" in values):
        raise UsageError("--watch belongs to sync without --dry-run")
    if "dry_run" in values and action not in ("sync", "push", "pull"):
        raise UsageError(f"{action} changes no files; it takes no --dry-run")


def _mirror(call: Call) -> Mirror:
    from vshell.sync.mirror import open_directory
    from vshell.sync.results import SyncLimits

    values, context = call.values, call.open()
    limits = SyncLimits()
    if "max_entries" in values:
        limits = SyncLimits(max_entries=values["max_entries"])
    return open_directory(
        context.files,
        values["directory"],
        policy=values.get("policy", "safe"),
        ignore=values.get("ignore", ()),
        cache=values.get("cache"),
        name=values.get("name"),
        limits=limits,
        changing=context.changing,
        cwd=context.cwd,
    )


@contextmanager
def _directory_named(directory: str) -> Iterator[None]:
    """Say which directory it is, as errors do not: here it is no secret."""
    try:
        yield
    except VshellError as error:
        error.message = error.message.replace("the mirror's directory", printable(directory))
        if isinstance(error, NotFoundError) and os.path.isdir(directory):
            error.hint = error.hint or "`vshell sync DIR status` says more"
        raise


# Actions.


def _run_sync(mirror: Mirror, values: dict[str, Any], output: Output) -> int:
    if "watch" in values:
        for result in mirror.watch():
            _show(result, output)
            output.flush()
        return 0
    action = values.get("action", "sync")
    options = {
        name: values[name] for name in ("dry_run", "deep", "allow_emptied") if name in values
    }
    if action == "push":
        options.pop("allow_emptied", None)
    with progress_bar(action) as progress:
        result = getattr(mirror, action)(progress=progress, **options)
    _show(result, output)
    return CONFLICT if result.open_conflicts else 0


def _run_status(mirror: Mirror, values: dict[str, Any], output: Output) -> int:
    with progress_bar("status") as progress:
        status = mirror.status(deep="deep" in values, progress=progress)
    if output.as_json:
        output.json(status.as_dict())
    else:
        _show_status(status, output)
    return CONFLICT if status.conflicts or status.pending.open_conflicts else 0


def _run_diff(mirror: Mirror, values: dict[str, Any], output: Output) -> int:
    diff: SyncDiff = mirror.diff(values.get("path"))
    if output.as_json:
        output.json(diff.as_dict())
        return 0
    for one in diff.paths:
        output.line(output.style(f"# {one.direction}: {printable(one.path)}", "cyan"))
        output.data(one.patch)
    if diff.truncated:
        output.talk(f"{diff.total - len(diff.paths)} more paths differ")
    return 0


def _run_conflicts(mirror: Mirror, _: dict[str, Any], output: Output) -> int:
    found = mirror.conflicts()
    if output.as_json:
        output.json([conflict.as_dict() for conflict in found])
    else:
        for conflict in found:
            output.line(_told(conflict))
        output.talk(counted(len(found), "open conflict"))
    return CONFLICT if found else 0


def _run_resolve(mirror: Mirror, values: dict[str, Any], output: Output) -> int:
    conflict = mirror.resolve(values["path"], take=values["take"])
    if output.as_json:
        output.json(conflict.as_dict())
    else:
        output.talk(f"resolved: {printable(conflict.path)}; `sync` brings it to the directory")
    return 0


def _run_restart(mirror: Mirror, _: dict[str, Any], output: Output) -> int:
    mirror.restart()
    output.talk("the next synchronisation compares both sides anew")
    return 0


_RUNNERS: Final[dict[str, Callable[[Mirror, dict[str, Any], Output], int]]] = {
    "sync": _run_sync,
    "push": _run_sync,
    "pull": _run_sync,
    "status": _run_status,
    "diff": _run_diff,
    "conflicts": _run_conflicts,
    "resolve": _run_resolve,
    "restart": _run_restart,
}


# Showing.


def _show(result: SyncResult, output: Output) -> None:
    if output.as_json:
        output.json(result.as_dict())
        return
    for arrow, changes in (("->", result.pushed), ("<-", result.pulled)):
        for change in changes:
            output.line(_line(arrow, change))
    for conflict in result.conflicts:
        output.line(output.style(_told(conflict), "yellow"))
    for skipped in result.skipped:
        output.talk(f"skipped: {printable(skipped.path)}: {skipped.reason}")
    output.talk(_summary(result))


def _line(arrow: str, change: SyncedPath) -> str:
    end = "/" if change.kind == "directory" else ""
    return f"{arrow} {change.action:<10}  {printable(change.path)}{end}"


def _told(conflict: Conflict) -> str:
    chosen = conflict.resolution or "open"
    return f"conflict ({conflict.clash}, {chosen}): {printable(conflict.path)}"


def _summary(result: SyncResult) -> str:
    words = ("would be pushed", "pulled") if result.dry_run else ("pushed", "pulled")
    parts = [f"{result.pushed_total} {words[0]}", f"{result.pulled_total} {words[1]}"]
    if result.merged:
        parts.append(f"{len(result.merged)} merged")
    if result.conflicts:
        parts.append(counted(len(result.conflicts), "conflict"))
    if result.skipped_total:
        parts.append(f"{result.skipped_total} skipped")
    return ", ".join(parts)


def _show_status(status: SyncStatus, output: Output) -> None:
    if status.is_new:
        output.talk("never synchronised")
    _show(status.pending, output)
    for conflict in status.conflicts:
        output.line(output.style(_told(conflict), "yellow"))
    if status.conflicts:
        output.talk(counted(len(status.conflicts), "open conflict"))
