"""`split`: a file, cut into pieces of a size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    Failure,
    failing,
    old_number,
    parse_size,
    pieces,
    records,
    require_input,
    require_write,
    to_bytes,
)
from vshell.shell.messages import quote, quote_typographic

MAX_FILES: Final = 100_000
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class _Suffixes:
    """The ends of the names: `aa`, `ab`, ..., longer when these are used up."""

    def __init__(self, alphabet: str, length: int, start: int, *, fixed: bool) -> None:
        self._alphabet = alphabet
        self._length = length
        self._next = start
        self._fixed = fixed
        self._head = ""

    def next(self) -> str:
        base = len(self._alphabet)
        # Before the last letter is first in use, names grow by two, as GNU's do.
        if not self._fixed and self._next >= base ** (self._length - 1) * (base - 1):
            self._head += self._alphabet[-1]
            self._next -= base ** (self._length - 1) * (base - 1)
            self._length += 1
        if self._next >= base**self._length:
            raise Failure("output file suffixes exhausted")
        number, letters = self._next, []
        for _ in range(self._length):
            number, index = divmod(number, base)
            letters.append(self._alphabet[index])
        self._next += 1
        return self._head + "".join(reversed(letters))


def _suffixes(call: Invocation, chunks: int) -> _Suffixes:
    parsed = call.parsed
    alphabet, start, given_start = _LETTERS, 0, False
    for name, value in parsed.given:
        if name in ("d", "numeric-suffixes"):
            alphabet, given_start, start = (
                "0123456789",
                value is not None,
                int(value or 0) if (value or "0").isdigit() else -1,
            )
        elif name in ("x", "hex-suffixes"):
            alphabet, given_start, start = "0123456789abcdef", value is not None, _hex(value or "0")
    if start < 0:
        raise UsageError("invalid start value for numerical suffix")
    length_text = parsed.value("suffix-length", "0") or ""
    if not length_text.isdigit():
        raise UsageError(f"invalid suffix length: {quote_typographic(length_text)}", hint=False)
    length = int(length_text[:3])
    needed = 1
    while chunks and len(alphabet) ** needed < chunks + start:
        needed += 1
    if chunks and length and length < needed:
        raise Failure(f"the suffix length needs to be at least {needed}")
    fixed = bool(length) or given_start or bool(chunks)
    return _Suffixes(alphabet, length or max(2, needed), start, fixed=fixed)


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1


@failing
def run_split(call: Invocation) -> int:
    parsed = call.parsed
    if len(call.operands) > 2:
        raise UsageError(f"extra operand {quote_typographic(call.operands[2])}")
    method, value = _method(call)
    name = call.operands[0] if call.operands else "-"
    prefix = call.operands[1] if len(call.operands) > 1 else "x"
    separator = _separator(parsed.values("separator"))
    chunks = 0
    if method == "number":
        kind, which, chunks = _chunks(value)
    else:
        which = 0
    source = require_input(
        call, name, "cannot open {name} for reading: {reason}".replace("{name}", quote(name))
    )
    if method == "number":
        parts = _in_chunks(source.read(), kind, chunks, separator)
        if which:
            call.stdout.write(list(parts)[which - 1])
            return 0
    else:
        parts = _METHODS[method](source, _count(value, method), separator)
    suffixes = _suffixes(call, chunks)
    extra = parsed.value("additional-suffix", "") or ""
    if "/" in extra:
        raise UsageError(
            f"invalid suffix {quote_typographic(extra)}, contains directory separator", hint=False
        )
    _write(call, parts, prefix, suffixes, extra)
    return 0


def _method(call: Invocation) -> tuple[str, str]:
    parsed = call.parsed
    methods = [(name, value or "") for name, value in parsed.given if name in (*_METHODS, "number")]
    old = old_number(parsed)
    if len({name for name, _ in methods}) + (old is not None) > 1 or len(methods) > 1:
        raise UsageError("cannot split in more than one way")
    if old is not None:
        return "lines", old
    return methods[0] if methods else ("lines", "1000")


def _count(text: str, method: str) -> int:
    size = parse_size(text)
    if not size:
        what = "lines" if method == "lines" else "bytes"
        why = ": Numerical result out of range" if size == 0 else ""
        raise UsageError(f"invalid number of {what}: {quote_typographic(text)}{why}", hint=False)
    return size


def _separator(values: list[str]) -> bytes:
    found = b"\n"
    for value in values:
        data = b"\0" if value == "\\0" else to_bytes(value)
        if not data:
            raise UsageError("empty record separator", hint=False)
        if len(data) > 1:
            raise UsageError(f"multi-character separator {quote_typographic(value)}", hint=False)
        found = data
    return found


def _chunks(text: str) -> tuple[str, int, int]:
    match = re.fullmatch(r"(?:([lr])/)?(?:(\d+)/)?(\d+)", text, re.ASCII)
    if match is None or not int(match[3][:12]) or int(match[3][:12]) > MAX_FILES:
        shown = text.rpartition("/")[2]
        why = ": Numerical result out of range" if shown == "0" else ""
        raise UsageError(f"invalid number of chunks: {quote_typographic(shown)}{why}", hint=False)
    which, count = int(match[2] or 0), int(match[3])
    if match[2] and not 0 < which <= count:
        raise UsageError(f"invalid chunk number: {quote_typographic(match[2])}", hint=False)
    return match[1] or "", which, count


def _in_chunks(data: bytes, kind: str, count: int, separator: bytes) -> Iterator[bytes]:
    if kind == "r":
        lines = data.split(separator)
        ended = [line + separator for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
        yield from (b"".join(ended[index::count]) for index in range(count))
        return
    size = len(data) // count
    bounds = [*(size * index for index in range(count)), len(data)]  # the last has the rest
    if kind == "l":
        bounds = [0, *(_line_end(data, bound, separator) for bound in bounds[1:-1]), len(data)]
    start = 0
    for end in bounds[1:]:
        yield data[start : max(start, end)]
        start = max(start, end)


def _line_end(data: bytes, position: int, separator: bytes) -> int:
    """A line belongs to the part that it begins in."""
    if position == 0 or position >= len(data):
        return position
    end = data.find(separator, position - 1)
    return len(data) if end < 0 else end + 1


def _by_lines(source: Input, count: int, separator: bytes) -> Iterator[bytes]:
    batch: list[bytes] = []
    for line in records(source, separator):
        batch.append(line)
        if len(batch) == count:
            yield b"".join(batch)
            batch.clear()
    if batch:
        yield b"".join(batch)


def _by_bytes(source: Input, count: int, _: bytes) -> Iterator[bytes]:
    held = b""
    for piece in pieces(source):
        held += piece
        while len(held) >= count:
            yield held[:count]
            held = held[count:]
    if held:
        yield held


def _by_line_bytes(source: Input, count: int, separator: bytes) -> Iterator[bytes]:
    held = b""
    for record in records(source, separator):
        line = record
        if held and len(held) + len(line) > count:
            yield held
            held = b""
        while len(line) > count:
            yield line[:count]
            line = line[count:]
        held += line
    if held:
        yield held


_METHODS: Final[dict[str, Callable[[Input, int, bytes], Iterator[bytes]]]] = {
    "lines": _by_lines,
    "bytes": _by_bytes,
    "line-bytes": _by_line_bytes,
}


def _write(
    call: Invocation, parts: Iterator[bytes], prefix: str, suffixes: _Suffixes, extra: str
) -> None:
    parsed = call.parsed
    program = parsed.value("filter")
    for number, part in enumerate(parts):
        if number >= MAX_FILES:
            raise Failure(f"more than {MAX_FILES} files")
        if not part and parsed.flag("elide-empty-files"):
            continue
        name = prefix + suffixes.next() + extra
        if parsed.flag("verbose"):
            call.write(f"creating file {quote(name)}\n")
        if program is not None:
            done = call.execute(("sh", "-c", f"FILE={quote(name)}; export FILE; {program}"), part)
            call.stdout.write(done.stdout)
            call.stderr.write(done.stderr)
        else:
            require_write(call, name, part)


COMMANDS: Final = (
    Command(
        "split",
        "[OPTION]... [FILE [PREFIX]]",
        "Output pieces of FILE to PREFIXaa, PREFIXab, ...",
        run_split,
        options=(
            Option(("-a", "--suffix-length"), "Generate suffixes of length N.", "N"),
            Option(
                ("--additional-suffix",), "Append an additional SUFFIX to file names.", "SUFFIX"
            ),
            Option(("-b", "--bytes"), "Put SIZE bytes per output file.", "SIZE"),
            Option(("-C", "--line-bytes"), "Put at most SIZE bytes of records per file.", "SIZE"),
            Option(("-d",), "Use numeric suffixes starting at 0."),
            Option(
                ("--numeric-suffixes",),
                "Same as -d, but allow setting the start value.",
                "FROM",
                optional=True,
            ),
            Option(("-x",), "Use hex suffixes starting at 0."),
            Option(
                ("--hex-suffixes",),
                "Same as -x, but allow setting the start value.",
                "FROM",
                optional=True,
            ),
            Option(("-e", "--elide-empty-files"), "Do not generate empty output files with '-n'."),
            Option(("--filter",), "Write to shell COMMAND; file name is $FILE.", "COMMAND"),
            Option(("-l", "--lines"), "Put NUMBER lines/records per output file.", "NUMBER"),
            Option(("-n", "--number"), "Generate CHUNKS output files.", "CHUNKS"),
            Option(("-t", "--separator"), "Use SEP instead of newline.", "SEP"),
            Option(("-u", "--unbuffered"), "Accepted."),
            Option(("--verbose",), "Print a diagnostic before each output file is opened."),
            *DIGITS,
        ),
    ),
)
