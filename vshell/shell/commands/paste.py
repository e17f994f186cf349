"""`paste`: lines of several files side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    each_input,
    failing,
    records,
    require_input,
    stripped,
    to_bytes,
    to_text,
)

_ESCAPES: Final = {
    ord("0"): b"",
    ord("b"): b"\b",
    ord("f"): b"\f",
    ord("n"): b"\n",
    ord("r"): b"\r",
    ord("t"): b"\t",
    ord("v"): b"\v",
    ord("\\"): b"\\",
}


def _delimiters(text: bytes) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while position < len(text):
        byte = text[position : position + 1]
        position += 1
        if byte == b"\\":
            if position == len(text):
                shown = to_text(text)
                raise UsageError(
                    f"delimiter list ends with an unescaped backslash: {shown}", hint=False
                )
            byte = _ESCAPES.get(text[position], text[position : position + 1])
            position += 1
        found.append(byte)
    return found or [b""]


@failing
def run(call: Invocation) -> int:
    delimiters = _delimiters(to_bytes(call.parsed.value("delimiters", "\t") or ""))
    end = b"\0" if call.parsed.flag("zero-terminated") else b"\n"
    names = call.operands or ("-",)
    if call.parsed.flag("serial"):
        return _serial(call, names, delimiters, end)
    lines: dict[int, Iterator[bytes]] = {}
    shared = stripped(records(call.stdin, end), end)
    for index, name in enumerate(names):
        source = require_input(call, name)
        lines[index] = shared if source is call.stdin else stripped(records(source, end), end)
    with BufferedOutput(call.stdout) as out:
        for row in _rows([lines[index] for index in range(len(names))]):
            out.write(_joined(row, delimiters) + end)
    return 0


def _rows(columns: Sequence[Iterator[bytes]]) -> Iterator[list[bytes]]:
    ended = [False] * len(columns)
    while True:
        row = []
        for index, column in enumerate(columns):
            line = None if ended[index] else next(column, None)
            ended[index] = line is None
            row.append(line or b"")
        if all(ended):
            return
        yield row


def _joined(parts: Sequence[bytes], delimiters: Sequence[bytes]) -> bytes:
    if len(delimiters) == 1:
        return delimiters[0].join(parts)
    pieces = [parts[0]]
    for part, delimiter in zip(parts[1:], cycle(delimiters), strict=False):
        pieces += (delimiter, part)
    return b"".join(pieces)


def _serial(call: Invocation, names: Sequence[str], delimiters: Sequence[bytes], end: bytes) -> int:
    failures: list[str] = []
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, names, failures):
            lines = list(stripped(records(source, end), end))
            out.write((_joined(lines, delimiters) if lines else b"") + end)
    return 1 if failures else 0


COMMANDS: Final = (
    Command(
        "paste",
        "[OPTION]... [FILE]...",
        "Write lines of the corresponding lines of each FILE, separated by TABs.",
        run,
        options=(
            Option(("-d", "--delimiters"), "Reuse characters from LIST instead of TABs.", "LIST"),
            Option(("-s", "--serial"), "Paste one file at a time instead of in parallel."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
)
