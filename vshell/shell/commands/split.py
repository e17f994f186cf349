"""`split` and `csplit`: one file as several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    Failure,
    failing,
    old_number,
    open_input,
    parse_size,
    pieces,
    records,
    require_input,
    require_write,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, quote_typographic, reason

_MAX_FILES: Final = 100_000
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
    if match is None or not int(match[3][:12]) or int(match[3][:12]) > _MAX_FILES:
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
        if number >= _MAX_FILES:
            raise Failure(f"more than {_MAX_FILES} files")
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


# csplit.


class _Pattern:
    """Where to split: at a line's number, or at lines that match."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.repeat: int | None = 0  # None is as often as can be
        self.line: int | None = None
        self.regex: Any = None
        self.offset = 0
        self.skips = False
        match = re.fullmatch(r"([/%])(.*)\1([-+]?\d+)?", text, re.DOTALL)
        if match:
            from vshell.text.posix_regex import PosixRegexError, compile_posix

            self.skips = match[1] == "%"
            self.offset = int(match[3] or 0)
            try:
                self.regex = compile_posix(match[2])
            except PosixRegexError as error:
                raise Failure(f"{text}: invalid regular expression: {error}") from None
        elif text[:1] in ("/", "%"):
            if text.count(text[0]) < 2:
                raise Failure(f"{text}: closing delimiter {quote_typographic(text[0])} missing")
            raise Failure(f"{text}: integer expected after delimiter")
        elif text.isdigit() and text.isascii():
            self.line = int(text[:18])
            if not self.line:
                raise Failure(f"{text}: line number must be greater than zero")
        else:
            raise Failure(f"{quote_typographic(text)}: invalid pattern")


def _patterns(words: tuple[str, ...]) -> list[_Pattern]:
    patterns: list[_Pattern] = []
    last = 0
    for word in words:
        repeat = re.fullmatch(r"\{(\d+|\*)\}", word)
        if repeat and patterns:
            patterns[-1].repeat = None if repeat[1] == "*" else int(repeat[1][:9])
            continue
        pattern = _Pattern(word)
        if pattern.line is not None:
            if pattern.line < last:
                raise Failure(
                    f"line number {quote_typographic(word)} is smaller than preceding line number,"
                    f" {last}"
                )
            last = pattern.line
        patterns.append(pattern)
    return patterns


class _Splitter:
    def __init__(self, call: Invocation, lines: list[bytes]) -> None:
        parsed = call.parsed
        self._call = call
        self._lines = lines
        self._position = 0
        self._quiet = parsed.flag("quiet") or parsed.flag("silent")
        self._prefix = parsed.value("prefix", "xx") or ""
        self._format = parsed.value("suffix-format")
        digits = parsed.value("digits", "2") or ""
        if not digits.isdigit():
            raise Failure(f"invalid number: {quote_typographic(digits)}")
        self._digits = int(digits[:3])
        self._elide = parsed.flag("elide-empty-files")
        self._suppress = parsed.flag("suppress-matched")
        self.files: list[tuple[str, bytes]] = []

    def run(self, patterns: list[_Pattern]) -> None:
        for pattern in patterns:
            done = 0
            while pattern.repeat is None or done <= pattern.repeat:
                if not self._one(pattern, done):
                    break
                done += 1
        self._emit(len(self._lines))

    def _one(self, pattern: _Pattern, done: int) -> bool:
        end = self._end(pattern, done)
        if end is None:
            if pattern.repeat is None and pattern.regex is not None:
                return False
            if not pattern.skips:
                self._emit(len(self._lines))
            suffix = f" on repetition {done}" if done else ""
            what = "line number out of range" if pattern.line is not None else "match not found"
            raise Failure(f"{quote_typographic(pattern.text)}: {what}{suffix}")
        if pattern.skips:
            self._position = end
        else:
            self._emit(end)
        if self._suppress:
            self._position = min(end + 1, len(self._lines))
        return True

    def _end(self, pattern: _Pattern, done: int) -> int | None:
        if pattern.line is not None:
            end = pattern.line * (done + 1) - 1
            return (
                end
                if end < len(self._lines)
                or (end == len(self._lines) and pattern.repeat is not None)
                else None
            )
        start = self._position + (1 if self._position or done else 0)
        if self._position == 0 and not self.files and not done:
            start = 0
        for index in range(start, len(self._lines)):
            if pattern.regex.search(to_text(self._lines[index].removesuffix(b"\n")), timeout=20):
                end = index + pattern.offset
                return end if self._position <= end <= len(self._lines) else None
        return None

    def _emit(self, end: int) -> None:
        data = b"".join(self._lines[self._position : end])
        self._position = max(end, self._position)
        if not data and self._elide:
            return
        if len(self.files) >= _MAX_FILES:
            raise Failure(f"more than {_MAX_FILES} files")
        self.files.append((self._name(), data))
        if not self._quiet:
            self._call.write(f"{len(data)}\n")

    def _name(self) -> str:
        number = len(self.files)
        if self._format is None:
            return f"{self._prefix}{number:0{self._digits}d}"
        match = re.fullmatch(
            r"((?:[^%]|%%)*)%([-+ #0]*)(\d{0,3})(?:\.(\d{1,3}))?([diuoxX])((?:[^%]|%%)*)",
            self._format,
        )
        if match is None:
            raise Failure(
                "missing % conversion specification in suffix"
                if "%" not in self._format
                else "invalid conversion specifier in suffix"
            )
        lead, flags, width, precision, letter, tail = match.groups()
        shown = (
            f"%{flags}{width}{'.' + precision if precision else ''}{letter.replace('u', 'd')}"
            % number
        )
        return self._prefix + lead.replace("%%", "%") + shown + tail.replace("%%", "%")


@failing
def run_csplit(call: Invocation) -> int:
    if len(call.operands) < 2:
        if not call.operands:
            raise UsageError("missing operand")
        raise UsageError(f"missing operand after {quote_typographic(call.operands[0])}")
    name, *words = call.operands
    patterns = _patterns(tuple(words))
    try:
        lines = list(open_input(call, name))
    except VshellError as error:
        raise Failure(f"cannot open {quote(name)} for reading: {reason(error)}") from None
    splitter = _Splitter(call, lines)
    try:
        splitter.run(patterns)
    except Failure:
        if call.parsed.flag("keep-files"):
            _keep(call, splitter)
        raise
    _keep(call, splitter)
    return 0


def _keep(call: Invocation, splitter: _Splitter) -> None:
    with call.context.changing("csplit"):
        for name, data in splitter.files:
            require_write(call, name, data)


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
    Command(
        "csplit",
        "[OPTION]... FILE PATTERN...",
        "Output pieces of FILE separated by PATTERN(s) to files 'xx00', 'xx01', ...",
        run_csplit,
        options=(
            Option(("-b", "--suffix-format"), "Use sprintf FORMAT instead of %02d.", "FORMAT"),
            Option(("-f", "--prefix"), "Use PREFIX instead of 'xx'.", "PREFIX"),
            Option(("-k", "--keep-files"), "Do not remove output files on errors."),
            Option(("--suppress-matched",), "Suppress the lines matching PATTERN."),
            Option(("-n", "--digits"), "Use specified number of digits instead of 2.", "DIGITS"),
            Option(("-s", "--quiet"), "Do not print counts of output file sizes."),
            Option(("--silent",), "The same."),
            Option(("-z", "--elide-empty-files"), "Remove empty output files."),
        ),
    ),
)
