"""`jq`: JSON, filtered by a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vshell.shell.command import Command, Input, Invocation, Option, Output
from vshell.shell.command_io import failing, to_bytes
from vshell.shell.commands.jq.running import run_program
from vshell.shell.commands.jq.settings import SHORT, UsageFailure, read_settings


def file_operands(call: Invocation) -> list[str]:
    """Return the files that are meant; `yq` reads them itself.

    Raises:
        Failure: The words are wrong.
    """
    return read_settings(call).files


def run_on(call: Invocation, source: Input, out: Output, *, compact: bool) -> int:
    """Run a program on JSON from elsewhere, for `yq`.

    Raises:
        Failure: The words or the program are wrong.
    """
    settings = read_settings(call)
    settings.files = []
    settings.program = settings.program or "."
    if compact:
        settings.indent, settings.is_coloured = None, False
        settings.flags -= {"raw-output", "join-output", "raw-output0"}
    return run_program(replace(call, stdin=source, stdout=out), settings)


@failing
def run(call: Invocation) -> int:
    try:
        settings = read_settings(call)
    except UsageFailure as usage:
        call.stderr.write(to_bytes(f"jq: {usage}\n{usage.hint}"))
        return 2
    if settings.program is None:
        settings.program = "."
    return run_program(call, settings)


_HELP: Final = {
    "n": "Use `null` as the single input value.",
    "r": "Output strings raw, without escapes and quotes.",
    "j": "Like -r, without newlines.",
    "c": "Compact instead of pretty-printed output.",
    "s": "Read all inputs into an array.",
    "R": "Read each line as a string.",
    "S": "Sort keys of objects on output.",
    "e": "Set the exit status by the last output.",
    "a": "Escape all but ASCII.",
    "C": "Colour the output.",
    "M": "Without colours, as it is when nothing is said.",
    "f": "Read the program from a file.",
}

COMMANDS: Final = (
    Command(
        "jq",
        "[OPTIONS] FILTER [FILES...]",
        "Process JSON by a program.",
        run,
        options=(
            *(Option((f"-{letter}", f"--{SHORT[letter]}"), text) for letter, text in _HELP.items()),
            Option(("--seq",), "Begin each output with the separator of RFC 7464."),
            Option(("--stream",), "Take each leaf of the inputs with its path for an input."),
            Option(("-L",), "Where modules are; there are none here.", "directory"),
            Option(("--tab",), "Use tabs for indentation."),
            Option(("--indent",), "Use n spaces for indentation.", "n"),
            Option(("--arg",), "Set variable $a to string v.", "a v"),
            Option(("--argjson",), "Set variable $a to JSON value v.", "a v"),
            Option(("--slurpfile",), "Set variable $a to the values in file f.", "a f"),
            Option(("--rawfile",), "Set variable $a to the text of file f.", "a f"),
            Option(("--args",), "Remaining arguments are string arguments."),
            Option(("--jsonargs",), "Remaining arguments are JSON arguments."),
            Option(("--raw-output0",), "Like -r, with NUL after each output."),
        ),
        raw=True,
        usage_status=2,
    ),
)
