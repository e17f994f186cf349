"""What bashkit says, in bash's words: output, errors, and whether a text is a script."""

from __future__ import annotations

import re
from typing import Any, Final

from vshell.shell.engine import (
    CANCELLED,
    LIMIT_EXIT_CODE,
    Check,
    OnOutput,
    Outcome,
    Plan,
    PlannedCommand,
    PlannedRedirect,
)
from vshell.shell.words import output_from_engine

_ENGINE_CANCELLED: Final = "execution cancelled"
_PLACE: Final = re.compile(
    r"parse error(?: at line (\d+), column (\d+))?: (?:bash: )?(.*)", re.DOTALL
)
_UNFINISHED: Final = (
    "unexpected end of file",
    "unexpected EOF",
    "unexpected end of input",
    "unterminated",
)
_SUGGESTION: Final = re.compile(rb"(?<=: command not found)\. [A-Z][^\n]*")
"""bashkit's guess, which knows its own commands only."""
_GETOPTS: Final = re.compile(
    rb"(?m)^(bash: )line \d+: getopts: (illegal option|option requires an argument) -- '(.)'$"
)


def errors_from_engine(data: bytes) -> bytes:
    """Return what was written to standard error as bash has it."""
    data = _SUGGESTION.sub(b"", output_from_engine(data))
    return _GETOPTS.sub(rb"\1\2 -- \3", data) if b"getopts: " in data else data


def told(stdout: str, stderr: str) -> tuple[tuple[str, bytes], ...]:
    """Return what the engine says that was printed, as the host is told it."""
    found = []
    if stdout:
        found.append(("stdout", output_from_engine(stdout.encode("utf-8", "replace"))))
    if stderr:
        found.append(("stderr", errors_from_engine(stderr.encode("utf-8", "replace"))))
    return tuple(found)


def failed(error: str, exit_code: int, on_output: OnOutput) -> Outcome:
    """Return the outcome of a script that the engine gave up."""
    if error.startswith("parse error"):
        found = _PLACE.match(error)
        line = found[1] if found and found[1] else "1"
        message = found[3] if found else error
        on_output("stderr", f"bash: line {line}: {message.strip()}\n".encode())
        return Outcome(2)
    if _ENGINE_CANCELLED in error:
        return Outcome(130, CANCELLED)
    return Outcome(LIMIT_EXIT_CODE if exit_code in (0, 1) else exit_code, error)


def refused(error: str) -> Check:
    """Return what a text is that the engine does not take for a script."""
    found = _PLACE.match(error)
    if found is None:
        return Check("error", error)
    line, column, message = found.groups()
    unfinished = any(sign in message for sign in _UNFINISHED)
    return Check(
        "incomplete" if unfinished else "error",
        message.strip(),
        int(line) if line else None,
        int(column) if column else None,
    )


def plan_of(found: Any) -> Plan:
    """Return what the engine's analysis says."""
    commands = tuple(
        PlannedCommand(each.name, tuple(each.args), each.context)
        for each in found.commands
        if not each.is_assignment_only
    )
    redirects = tuple(PlannedRedirect(each.path, each.mode) for each in found.redirects)
    return Plan(commands, redirects, tuple(found.functions), bool(found.is_opaque))
