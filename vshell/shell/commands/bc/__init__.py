"""`bc`: arithmetic of any precision, with variables, functions and loops."""

from __future__ import annotations

import sys
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_bytes, to_text
from vshell.shell.commands.bc.machine import Jump, Machine, RuntimeFault
from vshell.shell.commands.bc.parser import Parser, SyntaxFault
from vshell.shell.messages import reason

_RECURSION: Final = 12_000
"""Enough for both of these; calls from Python to Python need no stack of the process."""


@failing
def run(call: Invocation) -> int:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        return _run(call)
    finally:
        sys.setrecursionlimit(before)


def _run(call: Invocation) -> int:
    parsed = call.parsed
    math = parsed.flag("mathlib")
    texts: list[str] = []
    for name in call.operands:
        try:
            texts.append(to_text(read_all(call, name)))
        except VshellError as error:
            raise Failure(f"File {name} is unavailable: {reason(error)}") from None
    with BufferedOutput(call.stdout) as out:
        machine = Machine(call, out, math, scale=20 if math else 0)
        for name, text in zip(call.operands, texts, strict=True):
            if not _run_text(machine, text, name):
                return 0
        _run_text(machine, to_text(call.stdin.read()), "(standard_in)")
    return 0


def _run_text(machine: Machine, text: str, name: str) -> bool:
    """Run a text; return whether it did not `quit`."""
    parser = Parser(text if text.endswith("\n") else text + "\n")
    while not parser.ended:
        try:
            statements = parser.line()
        except SyntaxFault:
            machine.out.flush()
            where = f"{name} {parser.line_number}"
            machine.call.stderr.write(to_bytes(f"{where}: syntax error\n"))
            parser.skip_line()
            continue
        if ("jump", "quit") in statements:
            return False  # at once, when it is read
        try:
            for statement in statements:
                machine.run(statement)
        except Jump as jump:
            if jump.kind in ("quit", "halt"):
                return False
        except (RuntimeFault, RecursionError) as fault:
            why = str(fault) if isinstance(fault, RuntimeFault) else "nested too deeply"
            machine.call.stderr.write(to_bytes(f"Runtime error (func=(main), adr=3): {why}\n"))
    return True


COMMANDS: Final = (
    Command(
        "bc",
        "[options] [file ...]",
        "An arbitrary precision calculator language.",
        run,
        options=(
            Option(("-l", "--mathlib"), "Use the predefined math routines."),
            Option(("-q", "--quiet"), "Don't print initial banner."),
            Option(("-i", "--interactive"), "Accepted."),
            Option(("-s", "--standard"), "Accepted."),
            Option(("-w", "--warn"), "Accepted."),
        ),
    ),
)
