"""`uniq`: of equal lines that follow each other, the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    failing,
    records,
    require_input,
    require_write,
    stripped,
)
from vshell.shell.messages import quote_typographic

_FIELD: Final = re.compile(rb"[ \t\n]*[^ \t\n]*")
_UPPER: Final = bytes(byte - 32 if 97 <= byte <= 122 else byte for byte in range(256))
_METHODS: Final = {
    "all-repeated": ("none", "prepend", "separate"),
    "group": ("prepend", "append", "separate", "both"),
}


def _count(call: Invocation, name: str, what: str) -> int:
    text = call.parsed.value(name)
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"{text}: invalid number of {what}", hint=False)
    return int(text[:18])


def _method(call: Invocation, option: str, default: str) -> str | None:
    if not call.parsed.flag(option):
        return None
    word = call.parsed.value(option)
    if word is None:
        return default
    choices = _METHODS[option]
    fitting = [each for each in choices if each.startswith(word)]
    if word not in choices and len(fitting) != 1:
        shown = "\n".join(f"  - {quote_typographic(each)}" for each in choices)
        kind = "ambiguous" if fitting else "invalid"
        raise UsageError(
            f"{kind} argument {quote_typographic(word)} for {quote_typographic('--' + option)}\n"
            f"Valid arguments are:\n{shown}"
        )
    return fitting[0]


def _key(call: Invocation) -> Callable[[bytes], bytes] | None:
    fields = _count(call, "skip-fields", "fields to skip")
    characters = _count(call, "skip-chars", "bytes to skip")
    limit_given = call.parsed.flag("check-chars")
    limit = _count(call, "check-chars", "bytes to compare")
    fold = call.parsed.flag("ignore-case")
    if not (fields or characters or limit_given or fold):
        return None

    def key(line: bytes) -> bytes:
        position = 0
        for _ in range(fields):
            match = _FIELD.match(line, position)
            if match is None or position >= len(line):
                break
            position = match.end()
        found = line[position + characters :]
        if limit_given:
            found = found[:limit]
        return found.translate(_UPPER) if fold else found

    return key


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    if len(call.operands) > 2:
        raise UsageError(f"extra operand {quote_typographic(call.operands[2])}")
    repeated = _method(call, "all-repeated", "none") or ("none" if parsed.flag("D") else None)
    group = _method(call, "group", "separate")
    shapes = [parsed.flag(name) for name in ("count", "repeated", "D", "all-repeated", "unique")]
    if group is not None and any(shapes):
        raise UsageError("--group is mutually exclusive with -c/-d/-D/-u")
    if parsed.flag("count") and repeated is not None:
        raise UsageError("printing all duplicated lines and repeat counts is meaningless")
    key = _key(call)
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    source = require_input(call, call.operands[0] if call.operands else "-")
    runs = groupby(stripped(records(source, end), end), key)
    if group is not None:
        lines = _grouped(runs, group)
    elif repeated is not None:
        lines = _repeated(runs, repeated, keep=not parsed.flag("unique"))
    else:
        lines = _first_lines(call, runs)
    return _print(call, lines, end)


def _print(call: Invocation, lines: Iterator[bytes], end: bytes) -> int:
    target = call.operands[1] if len(call.operands) == 2 else "-"
    if target != "-":
        require_write(call, target, (line + end for line in lines))
        return 0
    with BufferedOutput(call.stdout) as out:
        for line in lines:
            out.write(line + end)
    return 0


Runs = Iterator[tuple[bytes, Iterator[bytes]]]


def _first_lines(call: Invocation, runs: Runs) -> Iterator[bytes]:
    parsed = call.parsed
    is_counted = parsed.flag("count")
    no_single, no_many = parsed.flag("repeated"), parsed.flag("unique")
    for _, group in runs:
        first = next(group)
        count = 1 + sum(1 for _ in group)
        if (no_single and count == 1) or (no_many and count > 1):
            continue
        yield b"%7d %s" % (count, first) if is_counted else first


def _repeated(runs: Runs, method: str, *, keep: bool) -> Iterator[bytes]:
    is_first = True
    for _, group in runs:
        first = next(group)
        second = next(group, None)
        if second is None:
            continue
        if method == "prepend" or (method == "separate" and not is_first):
            yield b""
        is_first = False
        yield first
        if keep:
            yield second
            yield from group


def _grouped(runs: Runs, method: str) -> Iterator[bytes]:
    is_first = True
    for _, group in runs:
        if method in ("prepend", "both") or (method == "separate" and not is_first):
            yield b""
        is_first = False
        yield from group
        if method == "append":
            yield b""
    if method == "both" and not is_first:
        yield b""


COMMANDS: Final = (
    Command(
        "uniq",
        "[OPTION]... [INPUT [OUTPUT]]",
        "Filter adjacent matching lines from INPUT, writing to OUTPUT.",
        run,
        options=(
            Option(("-c", "--count"), "Prefix lines by the number of occurrences."),
            Option(("-d", "--repeated"), "Only print duplicate lines, one for each group."),
            Option(("-D",), "Print all duplicate lines."),
            Option(
                ("--all-repeated",),
                "Like -D, groups apart: none, prepend, separate.",
                "METHOD",
                optional=True,
            ),
            Option(("-f", "--skip-fields"), "Avoid comparing the first N fields.", "N"),
            Option(
                ("--group",),
                "Show all items: separate, prepend, append, both.",
                "METHOD",
                optional=True,
            ),
            Option(("-i", "--ignore-case"), "Ignore differences in case."),
            Option(("-s", "--skip-chars"), "Avoid comparing the first N characters.", "N"),
            Option(("-u", "--unique"), "Only print unique lines."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
            Option(("-w", "--check-chars"), "Compare no more than N characters.", "N"),
        ),
    ),
)
