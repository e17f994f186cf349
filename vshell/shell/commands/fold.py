"""`fold`: long lines, broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    BufferedOutput,
    each_input,
    failing,
    old_number,
    records,
)
from vshell.shell.messages import quote_typographic

# fold.


@failing
def run_fold(call: Invocation) -> int:
    parsed = call.parsed
    text = old_number(parsed, "width") or parsed.value("width", "80") or ""
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < 2**60:
        small = text.isascii() and text.isdigit()
        why = ": Numerical result out of range" if small else ""
        raise UsageError(f"invalid number of columns: {quote_typographic(text)}{why}", hint=False)
    width = int(text)
    failures: list[str] = []
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            for line in records(source):
                body = line.removesuffix(b"\n")
                parts = _folded(
                    body, width, bytes_only=parsed.flag("bytes"), spaces=parsed.flag("spaces")
                )
                out.write(b"\n".join(parts) + line[len(body) :])
    return 1 if failures else 0


def _folded(line: bytes, width: int, *, bytes_only: bool, spaces: bool) -> Iterator[bytes]:
    is_plain = bytes_only or not any(byte in line for byte in b"\t\b\r")
    while line:
        size = width if is_plain else _fitting(line, width)
        if size >= len(line):
            break
        if spaces:
            blank = max(line.rfind(b" ", 0, size), line.rfind(b"\t", 0, size)) + 1
            size = blank or size
        yield line[:size]
        line = line[size:]
    yield line


def _fitting(line: bytes, width: int) -> int:
    """Return how many bytes fit into a width in which tabs and backspaces count as seen."""
    column = 0
    for index, byte in enumerate(line):
        if byte == 9:
            after = column + 8 - column % 8
        elif byte == 8:
            after = max(column - 1, 0)
        elif byte == 13:
            after = 0
        else:
            after = column + 1
        if after > width and index:
            return index
        column = after
    return len(line)


COMMANDS: Final = (
    Command(
        "fold",
        "[OPTION]... [FILE]...",
        "Wrap input lines in each FILE.",
        run_fold,
        options=(
            Option(("-b", "--bytes"), "Count bytes rather than columns."),
            Option(("-s", "--spaces"), "Break at spaces."),
            Option(("-w", "--width"), "Use WIDTH columns instead of 80.", "WIDTH"),
            *DIGITS,
        ),
    ),
)
