"""`rev`: lines, reversed."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import (
    BufferedOutput,
    open_input,
    records,
    to_bytes,
    to_text,
)
from vshell.shell.messages import reason


def run_rev(call: Invocation) -> int:
    status = 0
    end = b"\0" if call.parsed.flag("zero") else b"\n"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                source = open_input(call, name, dash=not call.operands)
            except VshellError as error:
                call.complain(f"cannot open {name}: {reason(error)}")
                status = 1
                continue
            for line in records(source, end):
                body = line.removesuffix(end)
                # A line is a string of C's, which ends at a NUL.
                shown = body.partition(b"\0")[0]
                ended = line[len(body) :] if len(shown) == len(body) else b""
                out.write(to_bytes(to_text(shown)[::-1]) + ended)
    return status


COMMANDS: Final = (
    Command(
        "rev",
        "[OPTION] [FILE]...",
        "Reverse lines characterwise.",
        run_rev,
        options=(Option(("-0", "--zero"), "Lines end with NUL, not newline."),),
    ),
)
