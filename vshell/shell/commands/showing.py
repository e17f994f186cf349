"""`cat`, `tee`, `head` and `tail`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, Parsed, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    open_input,
    parse_size,
    pieces,
    records,
    to_bytes,
    write_file,
)
from vshell.shell.messages import quote, quote_if_needed, quote_typographic, reason
from vshell.shell.options import help_text, parse, version_text

_STDIN: Final = "standard input"


# cat


def run_cat(call: Invocation) -> int:
    parsed = call.parsed
    everything = parsed.flag("show-all")
    ends = everything or parsed.flag("show-ends") or parsed.flag("e")
    tabs = everything or parsed.flag("show-tabs") or parsed.flag("t")
    hidden = everything or parsed.flag("show-nonprinting") or parsed.flag("e") or parsed.flag("t")
    nonblank = parsed.flag("number-nonblank")
    numbers = parsed.flag("number") or nonblank
    squeezes = parsed.flag("squeeze-blank")
    plain = not (ends or tabs or hidden or numbers or squeezes)
    printer = _Cat(ends, tabs, hidden, numbers, nonblank, squeezes)
    status = 0
    with BufferedOutput(call.stdout) as out:
        for operand in call.operands or ("-",):
            try:
                source = open_input(call, operand)
                for piece in pieces(source):
                    out.write(piece if plain else printer.show(piece))
                    if operand == "-":
                        out.flush()
            except VshellError as error:
                out.flush()
                call.complain(f"{quote_if_needed(operand)}: {reason(error)}")
                status = 1
    return status


class _Cat:
    """Shows bytes as the options of `cat` say; what it knows lasts from file to file."""

    def __init__(self, *flags: bool) -> None:
        self._ends, self._tabs, self._hidden, self._numbers, self._nonblank, self._squeezes = flags
        self._line = 0
        self._at_start = True
        self._blanks = 0
        self._pending_return = False
        self._table = [_shown(byte) if self._hidden else bytes([byte]) for byte in range(256)]
        self._table[ord("\n")] = b"\n"
        self._table[ord("\t")] = b"^I" if self._tabs else b"\t"
        tab = b"\\x09" if self._tabs else b""
        hidden = b"\\x00-\\x08\\x0a-\\x1f\\x7f-\\xff" if self._hidden else b""
        self._special = re.compile(b"[" + hidden + tab + b"]" if hidden or tab else b"(?!)")

    def show(self, piece: bytes) -> bytes:
        parts: list[bytes] = []
        for line in piece.splitlines(keepends=True) if b"\r" not in piece else _lines(piece):
            ended = line.endswith(b"\n")
            body = line[:-1] if ended else line
            blank = self._at_start and not body
            self._blanks = self._blanks + 1 if blank and ended else 0
            if self._squeezes and self._blanks > 1:
                continue
            if self._at_start and self._numbers and not (self._nonblank and blank):
                self._line += 1
                parts.append(b"%6d\t" % self._line)
            parts.append(self._body(body, ended=ended))
            if ended:
                parts.append(b"$\n" if self._ends else b"\n")
            self._at_start = ended
        return b"".join(parts)

    def _replaced(self, found: re.Match[bytes]) -> bytes:
        return self._table[found[0][0]]

    def _body(self, body: bytes, *, ended: bool) -> bytes:
        if not (self._hidden or self._tabs or self._ends):
            return body
        text = self._special.sub(self._replaced, body)
        if self._ends and ended and not self._hidden and text.endswith(b"\r"):
            text = text[:-1] + b"^M"
        return text


def _lines(piece: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in piece.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _shown(byte: int) -> bytes:
    prefix = b""
    if byte >= 128:
        prefix, byte = b"M-", byte - 128
    if byte == 127:
        return prefix + b"^?"
    if byte < 32:
        return prefix + b"^" + bytes([byte + 64])
    return prefix + bytes([byte])


# tee


def run_tee(call: Invocation) -> int:
    append = call.parsed.flag("append")
    status = 0
    chunks: list[bytes] = []
    for piece in pieces(call.stdin):
        chunks.append(piece)
        call.stdout.write(piece)
    data = b"".join(chunks)
    for operand in call.operands:
        try:
            if operand == "-":
                write_file(call, "./-", data)
            elif append and not operand.startswith("/dev/"):
                _append(call, operand, data)
            else:
                write_file(call, operand, data)
        except VshellError as error:
            call.complain(f"{quote_if_needed(operand)}: {reason(error)}")
            status = 1
    return status


def _append(call: Invocation, operand: str, data: bytes) -> None:
    context = call.context
    path = context.resolve(operand)
    with context.changing(call.name):
        written = context.files.append(path, data)
        before = None if written.before is None else written.before.hex()
        context.note_appended(path, before, written.after.hex())


# head


class _Amount:
    """How much of a file: lines or bytes, from the start or not.

    Attributes:
        count: How many.
        sign: `-` or `+` in front of it, or nothing.
        unit: `lines` or `bytes`.
    """

    __slots__ = ("count", "sign", "unit")

    def __init__(self, text: str, unit: str) -> None:
        self.unit = unit
        self.sign = text[:1] if text[:1] in ("-", "+") else ""
        count = parse_size(text[len(self.sign) :])
        if count is None:
            raise UsageError(f"invalid number of {unit}: {quote_typographic(text)}", hint=False)
        if count >= 1 << 64 and unit == "lines":
            raise UsageError(
                f"invalid number of lines: {quote_typographic(text)}:"
                " Value too large for defined data type",
                hint=False,
            )
        self.count = count


def _parse(call: Invocation, command: Command) -> tuple[Parsed, list[str]]:
    """Parse the words, in the old form too: `-5`, `-20c`, `+3`."""
    words = list(call.operands)
    if words:
        old = _old_form(words[0], command.name)
        if old is not None:
            words[:1] = old
    parsed = parse(command, words, call.environment)
    return parsed, list(parsed.operands)


def _old_form(word: str, name: str) -> list[str] | None:
    sign, rest = word[:1], word[1:]
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    letters = rest[len(digits) :]
    if sign not in ("-", "+") or not digits or (sign == "+" and name == "head"):
        return None
    plus = "+" if sign == "+" else ""
    out: list[str] = []
    unit, factor = "-n", ""
    for letter in letters:
        if letter in "bkm" and name == "head":
            unit, factor = "-c", letter
        elif letter in "cl":
            unit = "-c" if letter == "c" else "-n"
        elif letter == "b" and name == "tail":
            unit, factor = "-c", "b"
        elif letter in "qvz" and name == "head":
            out.append(f"-{letter}")
        elif letter == "f" and name == "tail":
            out.append("-f")
        else:
            return None
    return [unit, f"{plus}{digits}{factor}", *out]


def _amount(parsed: Parsed) -> _Amount:
    name = parsed.last("lines", "bytes")
    if name is None:
        return _Amount("10", "lines")
    return _Amount(parsed.value(name) or "", name)


def run_head(call: Invocation) -> int:
    parsed, operands = _parse(call, _HEAD)
    if _shows_help(call, parsed, _HEAD):
        return 0
    amount = _amount(parsed)
    separator = b"\0" if parsed.flag("zero-terminated") else b"\n"
    return _each(call, parsed, operands, lambda source: _head(source, amount, separator))


def _shows_help(call: Invocation, parsed: Parsed, command: Command) -> bool:
    name = parsed.last("help", "version")
    if name is not None:
        call.write((help_text if name == "help" else version_text)(command))
    return name is not None


def _head(source: Input, amount: _Amount, separator: bytes) -> Iterator[bytes]:
    count = amount.count
    if amount.sign == "-":
        data = source.read()
        if amount.unit == "bytes":
            yield data[: max(0, len(data) - count)]
        else:
            lines = list(records(_Buffer(data), separator))
            yield b"".join(lines[: max(0, len(lines) - count)])
        return
    if amount.unit == "bytes":
        while count > 0 and (piece := source.read(min(count, 65536))):
            count -= len(piece)
            yield piece
        return
    if not count:
        return
    if separator == b"\n":
        while count and (line := source.readline()):
            yield line
            count -= 1
        return
    for place, record in enumerate(records(source, separator), 1):
        yield record
        if place == count:
            return


class _Buffer:
    """Bytes as an input."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def read(self, size: int = -1, /) -> bytes:
        end = len(self._data) if size < 0 else self._place + size
        piece = self._data[self._place : end]
        self._place += len(piece)
        return piece

    def readline(self) -> bytes:
        end = self._data.find(b"\n", self._place) + 1 or len(self._data)
        return self.read(end - self._place)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


def _each(
    call: Invocation,
    parsed: Parsed,
    operands: Sequence[str],
    show: Callable[[Input], Iterator[bytes]],
) -> int:
    """Show a part of each file, with headings when there are several."""
    quiet = parsed.last("quiet", "silent", "verbose")
    titled = quiet == "verbose" or (quiet is None and len(operands) > 1)
    status, first = 0, True
    with BufferedOutput(call.stdout) as out:
        for operand in operands or ("-",):
            try:
                source = open_input(call, operand)
            except VshellError as error:
                out.flush()
                # A directory can be opened, and only reading it fails: its heading comes first.
                if error.code == "is_directory":
                    if titled:
                        out.write(_title(operand, first=first))
                        out.flush()
                        first = False
                    call.complain(f"error reading {quote(operand)}: {reason(error)}")
                else:
                    call.complain(f"cannot open {quote(operand)} for reading: {reason(error)}")
                status = 1
                continue
            if titled:
                out.write(_title(operand, first=first))
                first = False
            for piece in show(source):
                out.write(piece)
    return status


def _title(operand: str, *, first: bool) -> bytes:
    name = _STDIN if operand == "-" else operand
    return to_bytes(("" if first else "\n") + f"==> {name} <==\n")


# tail


def run_tail(call: Invocation) -> int:
    parsed, operands = _parse(call, _TAIL)
    if _shows_help(call, parsed, _TAIL):
        return 0
    if parsed.flag("f") or parsed.flag("follow") or parsed.flag("F"):
        raise UsageError(
            "following (-f, -F) is not supported: the shell runs one line at a time;"
            " `vshell watch` follows changes",
            hint=False,
        )
    amount = _amount(parsed)
    separator = b"\0" if parsed.flag("zero-terminated") else b"\n"
    return _each(call, parsed, operands, lambda source: _tail(source, amount, separator))


def _tail(source: Input, amount: _Amount, separator: bytes) -> Iterator[bytes]:
    count = amount.count
    if amount.sign == "+":
        yield from _from(source, max(count - 1, 0), amount.unit, separator)
    elif amount.unit == "bytes":
        rest = b""
        for piece in pieces(source):
            rest = (rest + piece)[-count:] if count else b""
        yield rest
    else:
        last: deque[bytes] = deque(maxlen=count)
        last.extend(records(source, separator))
        yield b"".join(last)


def _from(source: Input, skip: int, unit: str, separator: bytes) -> Iterator[bytes]:
    if unit == "bytes":
        while skip > 0 and (piece := source.read(min(skip, 65536))):
            skip -= len(piece)
        yield from pieces(source)
        return
    for place, record in enumerate(records(source, separator)):
        if place >= skip:
            yield record


_NUMBERED: Final = (
    Option(("-q", "--quiet"), "Never print headers giving file names."),
    Option(("--silent",), "The same as -q."),
    Option(("-v", "--verbose"), "Always print headers giving file names."),
    Option(("-z", "--zero-terminated"), "Line delimiter is NUL, not newline."),
)
_HEAD: Final = Command(
    "head",
    "[OPTION]... [FILE]...",
    "Print the first 10 lines of each FILE to standard output.",
    run_head,
    options=(
        Option(("-c", "--bytes"), "Print the first NUM bytes; with '-', all but the last.", "NUM"),
        Option(("-n", "--lines"), "Print the first NUM lines; with '-', all but the last.", "NUM"),
        *_NUMBERED,
    ),
    raw=True,
)
_TAIL: Final = Command(
    "tail",
    "[OPTION]... [FILE]...",
    "Print the last 10 lines of each FILE to standard output.",
    run_tail,
    options=(
        Option(("-c", "--bytes"), "Output the last NUM bytes; with '+', from byte NUM.", "NUM"),
        Option(("-f",), "Not supported."),
        Option(("--follow",), "Not supported.", "HOW", optional=True),
        Option(("-F",), "Not supported."),
        Option(("-n", "--lines"), "Output the last NUM lines; with '+', from line NUM.", "NUM"),
        Option(("--max-unchanged-stats",), "Only means something with --follow.", "N"),
        Option(("--pid",), "Only means something with -f.", "PID"),
        Option(("--retry",), "Only means something with -f."),
        Option(("-s", "--sleep-interval"), "Only means something with -f.", "N"),
        *_NUMBERED,
    ),
    raw=True,
)

COMMANDS: Final = (
    Command(
        "cat",
        "[OPTION]... [FILE]...",
        "Concatenate FILE(s) to standard output.",
        run_cat,
        options=(
            Option(("-A", "--show-all"), "Equivalent to -vET."),
            Option(("-b", "--number-nonblank"), "Number nonempty output lines, overrides -n."),
            Option(("-e",), "Equivalent to -vE."),
            Option(("-E", "--show-ends"), "Display $ at end of each line."),
            Option(("-n", "--number"), "Number all output lines."),
            Option(("-s", "--squeeze-blank"), "Suppress repeated empty output lines."),
            Option(("-t",), "Equivalent to -vT."),
            Option(("-T", "--show-tabs"), "Display TAB characters as ^I."),
            Option(("-u",), "(ignored)"),
            Option(("-v", "--show-nonprinting"), "Use ^ and M- notation, except for LFD and TAB."),
        ),
    ),
    Command(
        "tee",
        "[OPTION]... [FILE]...",
        "Copy standard input to each FILE, and also to standard output.",
        run_tee,
        options=(
            Option(("-a", "--append"), "Append to the given FILEs, do not overwrite."),
            Option(("-i", "--ignore-interrupts"), "Ignore interrupt signals."),
            Option(("-p",), "Diagnose errors writing to non pipes."),
            Option(("--output-error",), "Set behavior on write error.", "MODE", optional=True),
        ),
    ),
    _HEAD,
    _TAIL,
)
