"""Simple filters of lines: `rev`, `tac`, `nl`, `fold`, `expand`, `unexpand`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    BufferedOutput,
    each_input,
    failing,
    old_number,
    open_input,
    records,
    stripped,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, quote_typographic, reason


def run_rev(call: Invocation) -> int:
    status = 0
    end = b"\0" if call.parsed.flag("zero") else b"\n"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                source = open_input(call, name, dash=not call.operands)
            except VshellError as error:
                call.complain(f"cannot open {name}: {reason(error)}")
                status = 1
                continue
            for line in records(source, end):
                body = line.removesuffix(end)
                out.write(to_bytes(to_text(body)[::-1]) + line[len(body) :])
    return status


# tac.


@failing
def run_tac(call: Invocation) -> int:
    parsed = call.parsed
    failures: list[str] = []
    separator = parsed.value("separator", "\n") or ""
    if not separator and parsed.flag("regex"):
        raise UsageError("separator cannot be empty", hint=False)
    before = parsed.flag("before")
    split = (
        _regex_splitter(separator)
        if parsed.flag("regex")
        else _plain_splitter(to_bytes(separator) or b"\0")
    )
    form = "failed to open {quoted} for reading: {reason}"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                data = open_input(call, name).read()
            except VshellError as error:
                what = f"{quote(name)}: read error" if error.code == "is_directory" else None
                message = form.format(quoted=quote(name), reason=reason(error))
                call.complain(message if what is None else f"{name}: read error: {reason(error)}")
                failures.append(name)
                continue
            for part in reversed(_cut(data, list(split(data)), before=before)):
                out.write(part)
    return 1 if failures else 0


Splitter = Callable[[bytes], Iterator[tuple[int, int]]]


def _plain_splitter(separator: bytes) -> Splitter:
    pattern = re.compile(re.escape(separator))
    return lambda data: ((match.start(), match.end()) for match in pattern.finditer(data))


def _regex_splitter(separator: str) -> Splitter:
    from vshell.text.posix_regex import compile_posix

    pattern = compile_posix(separator)

    def split(data: bytes) -> Iterator[tuple[int, int]]:
        text = to_text(data)
        offsets = [0]
        for character in text:
            offsets.append(offsets[-1] + len(to_bytes(character)))
        end = len(text)
        # From the end backwards, as `tac` looks for them: the latest start that matches.
        found = []
        while end > 0:
            for start in range(end - 1, -1, -1):
                match = pattern.match(text, start, end)
                if match and match.end() > start:
                    found.append((offsets[start], offsets[match.end()]))
                    end = start
                    break
            else:
                break
        yield from reversed(found)

    return split


def _cut(data: bytes, separators: Sequence[tuple[int, int]], *, before: bool) -> list[bytes]:
    places = [start if before else end for start, end in separators]
    bounds = [0, *places, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]


# nl.


class _Numbering:
    """What `nl` was asked for, and where it is."""

    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        self.styles = {
            section: self._style(parsed.value(f"{section}-numbering", default) or "", section)
            for section, default in (("header", "n"), ("body", "t"), ("footer", "n"))
        }
        self.start = _integer(
            parsed.value("starting-line-number", "1"), "invalid starting line number"
        )
        self.step = _integer(parsed.value("line-increment", "1"), "invalid line number increment")
        self.blanks = _integer(
            parsed.value("join-blank-lines", "1"), "invalid line number of blank lines", 1
        )
        self.width = _integer(
            parsed.value("number-width", "6"), "invalid line number field width", 1
        )
        if self.width > 10_000_000:
            raise UsageError(
                f"invalid line number field width: {quote_typographic(str(self.width))}", hint=False
            )
        self.format = parsed.value("number-format", "rn") or ""
        if self.format not in ("ln", "rn", "rz"):
            raise UsageError(f"invalid line numbering format: {quote_typographic(self.format)}")
        self.separator = to_bytes(parsed.value("number-separator", "\t") or "")
        mark = to_bytes(parsed.value("section-delimiter", "\\:") or "")
        self.mark = mark + b":" if len(mark) == 1 else mark
        self.renumber = not parsed.flag("no-renumber")
        self.number = self.start
        self.section = "body"
        self.blank_count = 0

    def _style(self, text: str, section: str) -> Any:
        if text in ("a", "t", "n"):
            return text
        if text.startswith("p"):
            from vshell.text.posix_regex import compile_posix

            return compile_posix(text[1:])
        raise UsageError(f"invalid {section} numbering style: {quote_typographic(text)}")

    def section_of(self, line: bytes) -> str | None:
        if self.mark:
            for count, section in ((3, "header"), (2, "body"), (1, "footer")):
                if line == self.mark * count:
                    return section
        return None

    def numbers(self, line: bytes) -> bool:
        style = self.styles[self.section]
        if style == "a":
            if line or self.blanks == 1:
                return True
            self.blank_count += 1
            if self.blank_count < self.blanks:
                return False
            self.blank_count = 0
            return True
        if style == "t":
            return bool(line)
        if style == "n":
            return False
        return style.search(to_text(line)) is not None

    def prefix(self) -> bytes:
        text = str(self.number)
        if self.format == "ln":
            shown = text.ljust(self.width)
        elif self.format == "rz":
            shown = text.zfill(self.width)
        else:
            shown = text.rjust(self.width)
        self.number += self.step
        return shown.encode() + self.separator


def _integer(text: str | None, message: str, least: int | None = None) -> int:
    if text is None or not re.fullmatch(r"\s*[-+]?\d+", text, re.ASCII):
        raise UsageError(f"{message}: {quote_typographic(text or '')}", hint=False)
    value = int(text[:24])
    if (least is not None and value < least) or not -(2**63) <= value < 2**63:
        suffix = (
            ": Numerical result out of range"
            if least is not None
            else ": Value too large for defined data type"
        )
        raise UsageError(f"{message}: {quote_typographic(text)}{suffix}", hint=False)
    return value


@failing
def run_nl(call: Invocation) -> int:
    numbering = _Numbering(call)
    failures: list[str] = []
    empty = b" " * (numbering.width + len(numbering.separator))
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            for line in stripped(records(source)):
                section = numbering.section_of(line)
                if section is not None:
                    numbering.section = section
                    if numbering.renumber:
                        numbering.number = numbering.start
                    out.write(b"\n")
                elif numbering.numbers(line):
                    out.write(numbering.prefix() + line + b"\n")
                else:
                    out.write(empty + line + b"\n")
    return 1 if failures else 0


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


# expand and unexpand.


class _Stops:
    """Tab stops: every so many columns, or a list."""

    def __init__(self, values: Sequence[str], *, default: int = 8) -> None:
        self.list: list[int] = []
        self._every = 0
        self._after = 0
        for value in values:
            self._read(value)
        if not self.list and not self._every and not self._after:
            self._every = default
        elif len(self.list) == 1 and not self._every and not self._after:
            self._every = self.list.pop()

    def _read(self, value: str) -> None:
        for word in re.split(r"[, \t]", value):
            if not word:
                continue
            mark = word[0] if word[0] in "/+" else ""
            digits = word[len(mark) :]
            if not digits.isascii() or not digits.isdigit():
                rest = digits.lstrip("0123456789")
                if rest[:1] in ("/", "+"):
                    raise UsageError(
                        f"{quote_typographic(rest[0])} specifier not at start of number:"
                        f" {quote_typographic(rest)}",
                        hint=False,
                    )
                raise UsageError(
                    f"tab size contains invalid character(s): {quote_typographic(rest)}", hint=False
                )
            number = int(digits[:18])
            if mark == "/":
                self._every = number
            elif mark == "+":
                self._after = number
            elif number == 0:
                raise UsageError("tab size cannot be 0", hint=False)
            elif self.list and number <= self.list[-1]:
                raise UsageError("tab sizes must be ascending", hint=False)
            else:
                self.list.append(number)

    def next(self, column: int) -> int | None:
        """Return the first stop after a column, or None when there is none."""
        for stop in self.list:
            if stop > column:
                return stop
        if self._after:
            last = self.list[-1] if self.list else 0
            return column + self._after - (column - last) % self._after
        if self._every:
            return column + self._every - column % self._every
        return None


def _stops(call: Invocation) -> _Stops:
    values: list[str] = []
    for name, value in call.parsed.given:
        if name == "tabs":
            values.append(value or "")
        elif name.isdigit():  # the old `-4,8`
            values.append(name + (value or ""))
    return _Stops(values)


@failing
def run_expand(call: Invocation) -> int:
    stops = _stops(call)
    initial = call.parsed.flag("initial")
    failures: list[str] = []
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            for line in records(source):
                out.write(_expanded(line, stops, initial=initial) if b"\t" in line else line)
    return 1 if failures else 0


def _expanded(line: bytes, stops: _Stops, *, initial: bool) -> bytes:
    result = bytearray()
    column = 0
    for index, byte in enumerate(line):
        if byte == 9:
            stop = stops.next(column)
            size = 1 if stop is None else stop - column
            result += b" " * size
            column += size
            continue
        if byte == 8:
            column = max(column - 1, 0)
        else:
            column += 1
        if initial and byte not in b" \t":
            return bytes(result) + line[index:]
        result.append(byte)
    return bytes(result)


@failing
def run_unexpand(call: Invocation) -> int:
    parsed = call.parsed
    stops = _stops(call)
    everything = (parsed.flag("all") or parsed.flag("tabs")) and not parsed.flag("first-only")
    failures: list[str] = []
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            for line in records(source):
                out.write(_unexpanded(line, stops, everything=everything))
    return 1 if failures else 0


def _unexpanded(line: bytes, stops: _Stops, *, everything: bool) -> bytes:
    """Turn blanks that reach a tab stop into a tab.

    One blank just before a stop stays a blank, unless more blanks follow it.
    """
    result = bytearray()
    column, pending = 0, 0
    starts_at_stop = False  # whether the first pending blank ended at a stop
    was_blank = True
    for index, byte in enumerate(line):
        if byte not in b" \t":
            result += _blanks(pending, starts_at_stop)
            if not everything:
                return bytes(result) + line[index:]
            pending, starts_at_stop, was_blank = 0, False, False
            column = max(column - 1, 0) if byte == 8 else column + 1
            result.append(byte)
            continue
        stop = stops.next(column)
        if stop is None:
            return bytes(result + _blanks(pending, starts_at_stop)) + line[index:]
        column = stop if byte == 9 else column + 1
        if byte == 9 or (was_blank and column == stop):
            result += b"\t\t" if starts_at_stop else b"\t"
            pending, starts_at_stop = 0, False
        else:
            starts_at_stop = starts_at_stop or column == stop
            pending += 1
        was_blank = True
    return bytes(result + _blanks(pending, starts_at_stop))


def _blanks(count: int, starts_at_stop: bool) -> bytes:
    if count > 1 and starts_at_stop:
        return b"\t" + b" " * (count - 1)
    return b" " * count


_TABS: Final = Option(("-t", "--tabs"), "Have tabs N characters apart, or at the LIST.", "LIST")

COMMANDS: Final = (
    Command(
        "rev",
        "[OPTION] [FILE]...",
        "Reverse lines characterwise.",
        run_rev,
        options=(Option(("-0", "--zero"), "Lines end with NUL, not newline."),),
    ),
    Command(
        "tac",
        "[OPTION]... [FILE]...",
        "Write each FILE to standard output, last line first.",
        run_tac,
        options=(
            Option(("-b", "--before"), "Attach the separator before instead of after."),
            Option(("-r", "--regex"), "Interpret the separator as a regular expression."),
            Option(
                ("-s", "--separator"), "Use STRING as the separator instead of newline.", "STRING"
            ),
        ),
    ),
    Command(
        "nl",
        "[OPTION]... [FILE]...",
        "Write each FILE to standard output, with line numbers added.",
        run_nl,
        options=(
            Option(("-b", "--body-numbering"), "Use STYLE for body lines: a, t, n, pBRE.", "STYLE"),
            Option(("-d", "--section-delimiter"), "Use CC for logical page delimiters.", "CC"),
            Option(("-f", "--footer-numbering"), "Use STYLE for footer lines.", "STYLE"),
            Option(("-h", "--header-numbering"), "Use STYLE for header lines.", "STYLE"),
            Option(("-i", "--line-increment"), "Line number increment at each line.", "NUMBER"),
            Option(("-l", "--join-blank-lines"), "Count NUMBER empty lines as one.", "NUMBER"),
            Option(("-n", "--number-format"), "Insert numbers as FORMAT: ln, rn, rz.", "FORMAT"),
            Option(("-p", "--no-renumber"), "Do not reset line numbers for each section."),
            Option(("-s", "--number-separator"), "Add STRING after the line number.", "STRING"),
            Option(
                ("-v", "--starting-line-number"), "First line number for each section.", "NUMBER"
            ),
            Option(("-w", "--number-width"), "Use NUMBER columns for line numbers.", "NUMBER"),
        ),
    ),
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
    Command(
        "expand",
        "[OPTION]... [FILE]...",
        "Convert tabs in each FILE to spaces.",
        run_expand,
        options=(
            Option(("-i", "--initial"), "Do not convert tabs after non blanks."),
            _TABS,
            *DIGITS,
        ),
    ),
    Command(
        "unexpand",
        "[OPTION]... [FILE]...",
        "Convert blanks in each FILE to tabs.",
        run_unexpand,
        options=(
            Option(("-a", "--all"), "Convert all blanks, instead of just initial blanks."),
            Option(("--first-only",), "Convert only leading sequences of blanks."),
            _TABS,
            *DIGITS,
        ),
    ),
)
