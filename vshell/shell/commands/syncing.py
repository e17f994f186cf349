"""`vshell-sync`: synchronising with what the shell's caller allows."""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import to_bytes
from vshell.shell.mirrors import ACTIONS


def run_sync(call: Invocation) -> int:
    words = list(call.operands)
    action = words.pop(0) if words and words[0] in ACTIONS else "sync"
    if len(words) > 1:
        raise UsageError(f"extra operand '{words[1]}'")
    names: list[str] = call.services.get("mirrors", list)()
    if call.parsed.flag("list"):
        call.write("".join(f"{name}\n" for name in names))
        return 0
    if not names:
        call.complain("this shell may synchronise with nothing")
        return 1
    if not words and len(names) > 1:
        raise UsageError(f"which mirror? There are {', '.join(names)}")
    name = words[0] if words else names[0]
    perform = call.services["synchronise"]
    exit_code, text, complaint = perform(action, name, call.parsed.flag("dry-run"))
    call.stdout.write(to_bytes(text))
    if complaint:
        call.complain(complaint)
    return int(exit_code)


COMMANDS: Final = (
    Command(
        "vshell-sync",
        "[-n] [sync|push|pull|status] [MIRROR]",
        "Bring the workspace and a mirror outside of it together.",
        run_sync,
        options=(
            Option(("-n", "--dry-run"), "Only say what would be done."),
            Option(("-l", "--list"), "List the mirrors that there are."),
        ),
        usage_status=2,
        description=(
            "Mirrors are given by whoever opened the shell; without any, nothing outside of the"
            " workspace can be reached. The exit code is 3 when both sides changed the same path."
        ),
    ),
)
