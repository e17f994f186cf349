"""`expand` and `unexpand`: tabs for spaces, and spaces for tabs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    BufferedOutput,
    each_input,
    failing,
    records,
)
from vshell.shell.messages import quote_typographic

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
