"""`shuf`: lines in random order."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    Failure,
    failing,
    records,
    require_input,
    require_write,
    stripped,
    to_bytes,
)
from vshell.shell.messages import quote, quote_typographic

# shuf.


class _Bytes(random.Random):
    """Random numbers out of a file's bytes, so that the same file gives the same order."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)


@failing
def run_shuf(call: Invocation) -> int:
    parsed = call.parsed
    counts = [_count(text) for text in parsed.values("head-count")]
    count = min(counts) if counts else None
    source = _random(call)
    entries = _entries(call)
    repeat = parsed.flag("repeat")
    if repeat and count != 0 and not len(entries):
        raise Failure("no lines to repeat")
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    if repeat:
        chosen: Iterator[object] = _endless(source, entries, count)
    else:
        size = len(entries) if count is None else min(count, len(entries))
        chosen = iter(source.sample(entries, size))
    lines = (_line_of(item) + end for item in chosen)
    target = parsed.value("output")
    if target is not None:
        require_write(call, target, b"".join(lines))
        return 0
    with BufferedOutput(call.stdout) as out:
        for line in lines:
            out.write(line)
    return 0


def _line_of(item: object) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def _endless(
    source: random.Random, entries: Sequence[object], count: int | None
) -> Iterator[object]:
    done = 0
    while count is None or done < count:
        yield source.choice(entries)
        done += 1


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid line count: {quote_typographic(text)}", hint=False)
    return int(text[:18])


def _random(call: Invocation) -> random.Random:
    name = call.parsed.value("random-source")
    if name is None:
        return random.SystemRandom()
    return _Bytes(require_input(call, name).read(4096))


def _entries(call: Invocation) -> Sequence[object]:
    parsed = call.parsed
    ranges = parsed.values("input-range")
    if parsed.flag("echo"):
        if ranges:
            raise UsageError("cannot combine -e and -i options")
        return [to_bytes(word) for word in call.operands]
    if ranges:
        if len(ranges) > 1:
            raise UsageError("multiple -i options specified", hint=False)
        if call.operands:
            raise UsageError(f"extra operand {quote(call.operands[0])}")
        match = re.fullmatch(r"(\d{1,18})-(\d{1,18})", ranges[0], re.ASCII)
        if match is None or int(match[1]) > int(match[2]) + 1:
            raise UsageError(f"invalid input range: {quote_typographic(ranges[0])}", hint=False)
        return range(int(match[1]), int(match[2]) + 1)
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    source = require_input(call, call.operands[0] if call.operands else "-")
    return list(stripped(records(source, end), end))


COMMANDS: Final = (
    Command(
        "shuf",
        "[OPTION]... [FILE]\n  or:  shuf -e [OPTION]... [ARG]...\n  or:  shuf -i LO-HI [OPTION]...",
        "Write a random permutation of the input lines to standard output.",
        run_shuf,
        options=(
            Option(("-e", "--echo"), "Treat each ARG as an input line."),
            Option(("-i", "--input-range"), "Treat each number LO through HI as a line.", "LO-HI"),
            Option(("-n", "--head-count"), "Output at most COUNT lines.", "COUNT"),
            Option(("-o", "--output"), "Write result to FILE.", "FILE"),
            Option(("--random-source",), "Get random bytes from FILE.", "FILE"),
            Option(("-r", "--repeat"), "Output lines can be repeated."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
)
