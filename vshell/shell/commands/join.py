"""`join`: lines of two sorted files that have a field in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    Failure,
    failing,
    records,
    require_input,
    stripped,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, quote_typographic

_BLANKS: Final = re.compile(rb"[ \t\n]+")
_UPPER: Final = bytes(byte - 32 if 97 <= byte <= 122 else byte for byte in range(256))

Spec = list[tuple[int, int]]


@dataclass(slots=True)
class _Line:
    text: bytes
    fields: list[bytes]
    key: bytes
    shown: bytes


class _Side:
    """One of the two files."""

    def __init__(self, join: _Join, source: Input, name: str, number: int) -> None:
        self._join = join
        self._lines = stripped(records(source, join.end), join.end)
        self._name = name
        self._number = number
        self._count = 0
        self._warned = False
        self.field = join.fields[number - 1]
        self.current: _Line | None = None

    def advance(self) -> _Line | None:
        text = next(self._lines, None)
        previous = self.current
        if text is None:
            self.current = None
            return None
        self._count += 1
        self.current = self._join.parse(text, self.field)
        if previous is not None and self.current.key < previous.key:
            self._disorder(text)
        return self.current

    def _disorder(self, text: bytes) -> None:
        join = self._join
        if join.check == "nocheck" or self._warned:
            return
        if join.check == "check" or join.seen_unpairable:
            self._warned = True
            message = f"{self._name}:{self._count}: is not sorted: {to_text(text)}"
            if join.check == "check":
                raise Failure(message)
            join.call.complain(message)
            join.unsorted = True


class _Join:
    def __init__(self, call: Invocation) -> None:
        self.call = call
        parsed = call.parsed
        self.end = b"\0" if parsed.flag("zero-terminated") else b"\n"
        self.fold = parsed.flag("ignore-case")
        self.check = {"check-order": "check", "nocheck-order": "nocheck", None: "default"}[
            parsed.last("check-order", "nocheck-order")
        ]
        self.separator = self._separator()
        self.fields = self._fields()
        self.empty = to_bytes(parsed.value("e") or "")
        self.unpaired = {_file_number(text) for text in parsed.values("a") + parsed.values("v")}
        self.only_unpaired = parsed.flag("v")
        self.auto = False
        self._auto_spec: Spec = []
        self.spec = self._spec()
        self.unsorted = self.seen_unpairable = False

    def _separator(self) -> bytes | None:
        text = self.call.parsed.value("t")
        if text is None:
            return None
        if text == "\\0":
            return b"\0"
        data = to_bytes(text)
        if len(data) > 1:
            raise UsageError(f"multi-character tab {quote_typographic(text)}", hint=False)
        return data or self.end

    def _fields(self) -> tuple[int, int]:
        first = second = 0
        for name, value in self.call.parsed.given:
            if name in ("1", "j"):
                first = _field_number(value or "")
            if name in ("2", "j"):
                second = _field_number(value or "")
        return max(first - 1, 0), max(second - 1, 0)

    def _spec(self) -> Spec | None:
        given = self.call.parsed.values("o")
        if not given:
            return None
        if given[-1] == "auto":
            self.auto = True
            return None
        spec: Spec = []
        for word in re.split(r"[ ,\t]", ",".join(given)):
            if word == "0":
                spec.append((0, 0))
                continue
            if not word or word[0] not in "12":
                if word.startswith("0"):
                    raise UsageError(
                        f"invalid field specifier: {quote_typographic(word)}", hint=False
                    )
                raise UsageError(
                    f"invalid file number in field spec: {quote_typographic(word)}", hint=False
                )
            if word[1:2] != ".":
                raise UsageError(f"invalid field specifier: {quote_typographic(word)}", hint=False)
            spec.append((int(word[0]), _field_number(word[2:])))
        return spec

    def parse(self, text: bytes, field: int) -> _Line:
        if self.separator is None:
            stripped_text = text.strip(b" \t\n")
            fields = _BLANKS.split(stripped_text) if stripped_text else []
        elif self.separator == self.end:
            fields = [text]
        else:
            fields = text.split(self.separator)
        key = fields[field] if field < len(fields) else b""
        return _Line(text, fields, key.translate(_UPPER) if self.fold else key, key)

    def row(self, first: _Line | None, second: _Line | None) -> bytes:
        spec = self._auto_spec if self.auto else self.spec
        joiner = b" " if self.separator is None else self.separator
        if spec is not None:
            return joiner.join([self._field(place, first, second) for place in spec])
        lead = first or second
        assert lead is not None
        parts = [lead.shown or self.empty]
        for line, field in ((first, self.fields[0]), (second, self.fields[1])):
            if line is not None:
                parts += [part or self.empty for i, part in enumerate(line.fields) if i != field]
        return joiner.join(parts)

    def set_widths(self, first: _Line | None, second: _Line | None) -> None:
        spec: Spec = [(0, 0)]
        for number, line in ((1, first), (2, second)):
            count = len(line.fields) if line else 0
            spec += [(number, i + 1) for i in range(count) if i != self.fields[number - 1]]
        self._auto_spec = spec

    def _field(self, place: tuple[int, int], first: _Line | None, second: _Line | None) -> bytes:
        number, field = place
        if number == 0:
            line = first or second
            assert line is not None
            return line.shown or self.empty
        line = first if number == 1 else second
        if line is None or field > len(line.fields):
            return self.empty
        return line.fields[field - 1] or self.empty


def _field_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:20]):
        raise UsageError(f"invalid field number: {quote_typographic(text)}", hint=False)
    return int(text[:18])


def _file_number(text: str) -> int:
    if text not in ("1", "2"):
        raise UsageError(f"invalid field number: {quote_typographic(text)}", hint=False)
    return int(text)


@failing
def run(call: Invocation) -> int:
    names = call.operands
    if len(names) < 2:
        last = f" after {quote_typographic(names[-1])}" if names else ""
        raise UsageError(f"missing operand{last}")
    if len(names) > 2:
        raise UsageError(f"extra operand {quote(names[2])}")
    if names[0] == names[1] == "-":
        raise Failure("both files cannot be standard input: No such file or directory")
    join = _Join(call)
    sides = [_Side(join, require_input(call, name), name, i) for i, name in enumerate(names, 1)]
    with BufferedOutput(call.stdout) as out:
        for row in _rows(join, sides):
            out.write(row + join.end)
    if join.unsorted:
        raise Failure("input is not in sorted order")
    return 0


def _rows(join: _Join, sides: Sequence[_Side]) -> Iterator[bytes]:
    left, right = sides
    first, second = left.advance(), right.advance()
    if join.auto:
        join.set_widths(first, second)
    if join.call.parsed.flag("header") and (first or second):
        yield join.row(first, second)
        left.current = right.current = None
        first, second = left.advance(), right.advance()
    while first and second:
        if first.key < second.key:
            join.seen_unpairable = True
            if 1 in join.unpaired:
                yield join.row(first, None)
            first = left.advance()
        elif first.key > second.key:
            join.seen_unpairable = True
            if 2 in join.unpaired:
                yield join.row(None, second)
            second = right.advance()
        else:
            mine, first = _run_of_equals(left, first)
            theirs, second = _run_of_equals(right, second)
            if not join.only_unpaired:
                yield from (join.row(a, b) for a in mine for b in theirs)
    yield from _rest(join, left, first, 1)
    yield from _rest(join, right, second, 2)


def _run_of_equals(side: _Side, line: _Line) -> tuple[list[_Line], _Line | None]:
    lines = [line]
    while (following := side.advance()) and following.key == line.key:
        lines.append(following)
    return lines, following


def _rest(join: _Join, side: _Side, line: _Line | None, number: int) -> Iterator[bytes]:
    if line:
        join.seen_unpairable = True
    wanted = number in join.unpaired
    while line:
        if wanted:
            yield join.row(line, None) if number == 1 else join.row(None, line)
        elif join.check == "nocheck":
            return
        line = side.advance()


COMMANDS: Final = (
    Command(
        "join",
        "[OPTION]... FILE1 FILE2",
        "For each pair of input lines with identical join fields, write a line.",
        run,
        options=(
            Option(("-a",), "Also print unpairable lines from file FILENUM.", "FILENUM"),
            Option(("-e",), "Replace missing fields with STRING.", "STRING"),
            Option(("-i", "--ignore-case"), "Ignore differences in case."),
            Option(("-j",), "Equivalent to '-1 FIELD -2 FIELD'.", "FIELD"),
            Option(("-o",), "Obey FORMAT while constructing output lines.", "FORMAT"),
            Option(("-t",), "Use CHAR as the field separator.", "CHAR"),
            Option(("-v",), "Like -a FILENUM, but suppress joined output lines.", "FILENUM"),
            Option(("-1",), "Join on this FIELD of file 1.", "FIELD"),
            Option(("-2",), "Join on this FIELD of file 2.", "FIELD"),
            Option(("--check-order",), "Check that the input is correctly sorted."),
            Option(("--nocheck-order",), "Do not check that the input is correctly sorted."),
            Option(("--header",), "Treat the first line in each file as field headers."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
)
