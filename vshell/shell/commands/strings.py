"""`strings`: the printable parts of files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import DIGITS, BufferedOutput, old_number, read_all, to_bytes
from vshell.shell.messages import reason

_WIDE: Final = {"b": (2, "big"), "l": (2, "little"), "B": (4, "big"), "L": (4, "little")}


def _found(data: bytes, least: int, encoding: str, *, spaces: bool) -> Iterator[tuple[int, bytes]]:
    letters = rb"\t\x20-\x7e" + (rb"\n\r\v\f" if spaces else b"")
    if encoding == "S":
        letters += rb"\x80-\xff"
    if encoding in _WIDE:
        size, order = _WIDE[encoding]
        zeros = rb"\0" * (size - 1)
        unit = zeros + b"[%s]" % letters if order == "big" else b"[%s]" % letters + zeros
        for match in re.finditer(b"(?:%s){%d,}" % (unit, least), data):
            part = match.group()
            yield match.start(), part[size - 1 :: size] if order == "big" else part[::size]
        return
    for match in re.finditer(b"[%s]{%d,}" % (letters, least), data):
        yield match.start(), match.group()


def run(call: Invocation) -> int:
    parsed = call.parsed
    text = old_number(parsed, "bytes") or parsed.value("bytes", "4") or ""
    if not text.isdigit():
        raise UsageError(f"invalid integer argument {text}", hint=False)
    least = min(int(text[:9]), 2**16)
    if not least:
        raise UsageError("invalid minimum string length 0", hint=False)
    radix = "o" if parsed.flag("o") else parsed.value("radix")
    if radix not in (None, "o", "d", "x"):
        raise UsageError(f"invalid radix {radix}", hint=False)
    encoding = parsed.value("encoding", "s") or ""
    if encoding not in ("s", "S", *_WIDE):
        raise UsageError(f"invalid encoding {encoding}", hint=False)
    end = to_bytes(parsed.value("output-separator", "\n") or "")
    status = 0
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("{standard input}",):
            try:
                data = call.stdin.read() if not call.operands else read_all(call, name)
            except VshellError as error:
                call.complain(_complaint(name, error.code, reason(error)))
                status = 1
                continue
            for offset, found in _found(
                data, least, encoding, spaces=parsed.flag("include-all-whitespace")
            ):
                lead = f"{name}: " if parsed.flag("print-file-name") else ""
                lead += f"{offset:7{radix}} " if radix else ""
                out.write(to_bytes(lead) + found + end)
    return status


def _complaint(name: str, code: str, why: str) -> str:
    if code == "not_found":
        return f"'{name}': No such file"
    if code == "is_directory":
        return f"Warning: '{name}' is a directory"
    return f"{name}: {why}"


COMMANDS: Final = (
    Command(
        "strings",
        "[option(s)] [file(s)]",
        "Display printable strings in [file(s)] (stdin by default).",
        run,
        options=(
            Option(("-a", "--all"), "Scan the entire file (default)."),
            Option(("-d", "--data"), "Accepted: all is scanned."),
            Option(("-f", "--print-file-name"), "Print the name of the file before each string."),
            Option(("-n", "--bytes"), "Locate sequences of at least MIN characters.", "MIN"),
            Option(("-t", "--radix"), "Print the location in base 8, 10 or 16.", "{o,d,x}"),
            Option(("-o",), "An alias for --radix=o."),
            Option(("-w", "--include-all-whitespace"), "Include all whitespace."),
            Option(("-e", "--encoding"), "Character size and endianness.", "{s,S,b,l,B,L}"),
            Option(("-s", "--output-separator"), "String used to separate strings.", "STRING"),
            *DIGITS,
        ),
    ),
)
