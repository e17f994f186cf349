"""Commands that run another one: `stdbuf` and `setsid`; and `stty`, which finds no terminal."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote_typographic

_MODE: Final = re.compile(r"L|[0-9]+(?:[KMGTPEZY](?:B|iB)?|kB)?")


def _execute(call: Invocation) -> int:
    done = call.execute(call.operands, call.stdin.read())
    call.stdout.write(done.stdout)
    call.stderr.write(done.stderr)
    return done.exit_code


def run_stdbuf(call: Invocation) -> int:
    """Run a command; streams between commands are never held back for long here."""
    for name, value in call.parsed.given:
        if value == "L" and name == "input":
            raise UsageError("line buffering stdin is meaningless")
        if not _MODE.fullmatch(value or ""):
            raise UsageError(f"invalid mode {quote_typographic(value or '')}", hint=False)
    if not call.operands:
        raise UsageError("missing operand")
    if not call.parsed.given:
        raise UsageError("you must specify a buffering mode option")
    return _execute(call)


def run_setsid(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("no command specified")
    return _execute(call)


def run_stty(call: Invocation) -> int:
    for word in call.operands:
        if word.startswith("-") and word not in ("-a", "--all", "-g", "--save"):
            raise UsageError(f"invalid argument {quote_typographic(word)}")
    call.complain("'standard input': Inappropriate ioctl for device")
    return 1


COMMANDS: Final = (
    Command(
        "stdbuf",
        "OPTION... COMMAND",
        "Run COMMAND, with modified buffering operations for its standard streams.",
        run_stdbuf,
        options=(
            Option(("-i", "--input"), "Adjust standard input stream buffering.", "MODE"),
            Option(("-o", "--output"), "Adjust standard output stream buffering.", "MODE"),
            Option(("-e", "--error"), "Adjust standard error stream buffering.", "MODE"),
        ),
        permute=False,
        usage_status=125,
    ),
    Command(
        "setsid",
        "[options] <program> [arguments ...]",
        "Run a program in a new session.",
        run_setsid,
        options=(
            Option(("-c", "--ctty"), "Accepted: there is no terminal."),
            Option(("-f", "--fork"), "Accepted."),
            Option(("-w", "--wait"), "Wait for the program, as it is always done."),
        ),
        permute=False,
    ),
    Command(
        "stty",
        "[SETTING]...",
        "Print or change terminal characteristics, of which there are none.",
        run_stty,
        options=(
            Option(("-a", "--all"), "Print all current settings in human-readable form."),
            Option(("-g", "--save"), "Print all current settings in a stty-readable form."),
        ),
        raw=True,
    ),
)
