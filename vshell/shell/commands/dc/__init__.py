"""`dc`: a calculator on a stack, as GNU's."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, failing, read_all, to_text
from vshell.shell.commands.dc.machine import Machine, Quit


@failing
def run(call: Invocation) -> int:
    with BufferedOutput(call.stdout) as out:
        machine = Machine(call, out)
        given = [(name, value or "") for name, value in call.parsed.given]
        given += [("file", name) for name in call.operands]
        try:
            for name, value in given or [("file", "-")]:
                text = value if name == "expression" else _file(call, value)
                if text is not None:
                    machine.run(text)
        except Quit:
            pass
    return 0


def _file(call: Invocation, name: str) -> str | None:
    try:
        return to_text(read_all(call, name))
    except VshellError:
        call.complain(f"Could not open file {name}")
        return None


COMMANDS: Final = (
    Command(
        "dc",
        "[OPTION] [file ...]",
        "A calculator in reverse-polish notation.",
        run,
        options=(
            Option(("-e", "--expression"), "Evaluate expression.", "EXPR"),
            Option(("-f", "--file"), "Evaluate contents of file.", "FILE"),
        ),
    ),
)
