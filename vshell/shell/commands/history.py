"""What only a workspace has: `log`, `undo`, `redo`, `snapshot`, `restore`; and `history`."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import Change
from vshell.fs.snapshots import Restored
from vshell.ops import moments, upkeep
from vshell.ops.log import log
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote_typographic
from vshell.shell.timeformat import format_time, zone_of


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not int(text[:9]):
        raise UsageError(f"invalid number {quote_typographic(text)}")
    return int(text[:9])


def _line(call: Invocation, change: Change) -> str:
    when = format_time("%Y-%m-%d %H:%M:%S", change.time_ns, zone_of(call.environment))
    path = f"{change.old_path} -> {change.path}" if change.old_path else change.path
    who = f" {change.session}" if change.session else ""
    return f"{change.revision:>6}  {when}  {change.operation:<8} {change.action:<10} {path}{who}\n"


def run_log(call: Invocation) -> int:
    count = _number(call.parsed.value("max-count"), 20)
    path = call.operands[0] if call.operands else None
    since = _number(call.parsed.value("since"), 0) if call.parsed.flag("since") else 0
    if path is not None and not call.parsed.flag("patch"):
        found = list(upkeep.history(call.context, path, limit=count))
        call.write("".join(_line(call, change) for change in found if change.revision > since))
        return 0
    shown = 0
    for entry in log(call.context, path, n=count).entries:
        changes = entry.changes[::-1][: count - shown] if entry.revision > since else ()
        call.write("".join(_line(call, change) for change in changes))
        if changes and call.parsed.flag("patch"):
            call.write(entry.patch)
        shown += len(changes)
    return 0


def run_history(call: Invocation) -> int:
    name = call.parsed.value("file")
    if name is not None:
        count = _number(call.operands[0] if call.operands else None, 1000)
        found = upkeep.history(call.context, name, limit=count)
        call.write("".join(_line(call, change) for change in found))
        return 0
    lines: list[str] = call.services["history"]() if "history" in call.services else []
    count = _number(call.operands[0] if call.operands else None, max(1, len(lines)))
    first = max(0, len(lines) - count)
    call.write("".join(f"{at + 1:>5}  {lines[at]}\n" for at in range(first, len(lines))))
    return 0


def _restored(call: Invocation, done: Restored) -> int:
    plural = "" if done.changed == 1 else "s"
    call.write(f"revision {done.revision}: {done.changed} path{plural} as in {done.state_of}\n")
    return 0


def run_undo(call: Invocation) -> int:
    return _restored(call, moments.undo(call.context, _one(call)))


def run_redo(call: Invocation) -> int:
    return _restored(call, moments.redo(call.context, _one(call)))


def _one(call: Invocation) -> int:
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    return _number(call.operands[0] if call.operands else None, 1)


def run_snapshot(call: Invocation) -> int:
    if call.parsed.flag("delete"):
        for name in call.operands:
            moments.delete_snapshot(call.context, name)
        return 0
    if not call.operands:
        zone = zone_of(call.environment)
        for each in moments.snapshots(call.context):
            when = format_time("%Y-%m-%d %H:%M:%S", each.time_ns, zone)
            call.write(f"{each.revision:>6}  {when}  {each.name}\n")
        return 0
    for name in call.operands:
        made = moments.snapshot(call.context, name)
        call.write(f"{made.name}: revision {made.revision}\n")
    return 0


def run_restore(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    moment = call.operands[0]
    number = int(moment) if moment.isascii() and moment.isdigit() else None
    status = 0
    for path in call.operands[1:] or ("/",):
        try:
            done = moments.restore(call.context, moment if number is None else number, path=path)
        except VshellError as error:
            call.complain(error.message)
            status = 1
            continue
        _restored(call, done)
    return status


COMMANDS: Final = (
    Command(
        "log",
        "[OPTION]... [FILE]",
        "Show what happened in the workspace, or to FILE, newest first.",
        run_log,
        options=(
            Option(("-n", "--max-count"), "Show at most NUM changes (default 20).", "NUM"),
            Option(("-p", "--patch"), "Show each revision as a patch, too."),
            Option(("--since",), "Show only what happened after this revision.", "REVISION"),
        ),
    ),
    Command(
        "history",
        "[-f FILE] [N]",
        "Show the lines that were typed, or what happened to a file.",
        run_history,
        options=(Option(("-f", "--file"), "Show what happened to FILE.", "FILE"),),
    ),
    Command("undo", "[N]", "Take back the last change, or the last N.", run_undo),
    Command("redo", "[N]", "Do again what was taken back, N times.", run_redo),
    Command(
        "snapshot",
        "[OPTION] [NAME]...",
        "Name the state that the workspace is in, or list the names.",
        run_snapshot,
        options=(Option(("-d", "--delete"), "Forget the names."),),
    ),
    Command(
        "restore",
        "SNAPSHOT|REVISION [PATH]...",
        "Put the workspace, or paths in it, back into an earlier state.",
        run_restore,
    ),
)
