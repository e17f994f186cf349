"""`col` and `colrm`: lines without what was typed over, and without some columns."""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, to_bytes, to_text
from vshell.shell.names import display_width

_TAB: Final = 8


def run_col(call: Invocation) -> int:
    if call.operands:
        raise UsageError("bad usage")
    with BufferedOutput(call.stdout) as out:
        for line in call.stdin:
            out.write(to_bytes(_flat(call, to_text(line.removesuffix(b"\n"))) + "\n"))
    return 0


def _flat(call: Invocation, line: str) -> str:
    """Return a line with each column written once, or with overstrikes where it was."""
    columns: dict[int, list[str]] = {}
    place = 0
    for letter in line:
        if letter == "\b":
            place = max(0, place - 1)
        elif letter == "\r":
            place = 0
        elif letter == "\t":
            place += _TAB - place % _TAB
        elif letter == " ":
            place += 1
        elif letter.isprintable() or call.parsed.flag("pass"):
            columns.setdefault(place, []).append(letter)
            place += display_width(letter)
    parts: list[str] = []
    at = 0
    for place in sorted(columns):
        parts.append(_blanks(at, place, tabs=not call.parsed.flag("spaces")))
        letters = columns[place]
        parts.append(letters[-1] if call.parsed.flag("no-backspaces") else "\b".join(letters))
        at = place + display_width(letters[-1])
    return "".join(parts)


def _blanks(at: int, place: int, *, tabs: bool) -> str:
    count = place - at
    if not tabs or count < 2:
        return " " * count
    stops = place // _TAB - at // _TAB
    return "\t" * stops + " " * (place % _TAB if stops else count)


def run_colrm(call: Invocation) -> int:
    numbers: list[int] = []
    for word in call.operands[:2]:
        if not word.isdigit() or len(word) > 9:
            raise UsageError("first argument" if not numbers else "second argument", hint=False)
        numbers.append(int(word))
    first = numbers[0] if numbers else 0
    last = numbers[1] if len(numbers) > 1 else 0
    with BufferedOutput(call.stdout) as out:
        for line in call.stdin:
            out.write(to_bytes(_without(to_text(line), first, last)))
    return 0


def _without(line: str, first: int, last: int) -> str:
    kept: list[str] = []
    column = 0
    for letter in line:
        if letter == "\n":
            kept.append(letter)
            continue
        if letter == "\b":
            column = max(0, column - 1)
        elif letter == "\t":
            column += _TAB - column % _TAB
        else:
            column += max(1, display_width(letter))
        if not first or column < first:
            kept.append(letter)
        elif last and column > last:
            # A tab that reaches out of what is cut leaves the rest of it.
            kept.append(" " * (column - last) if letter == "\t" and kept else letter)
    return "".join(kept)


COMMANDS: Final = (
    Command(
        "col",
        "[options]",
        "Filter out reverse line feeds and what was typed over from standard input.",
        run_col,
        options=(
            Option(("-b", "--no-backspaces"), "Do not output backspaces."),
            Option(("-f", "--fine"), "Accepted: there are no half lines."),
            Option(("-h", "--tabs"), "Convert multiple spaces to tabs, as it is always done."),
            Option(("-l", "--lines"), "Accepted.", "NUM"),
            Option(("-p", "--pass"), "Pass unknown control sequences through."),
            Option(("-x", "--spaces"), "Do not convert spaces to tabs."),
        ),
    ),
    Command(
        "colrm",
        "[startcol [endcol]]",
        "Filter out the specified columns.",
        run_colrm,
    ),
)
