"""`seq`: numbers in a row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation, localcontext
from itertools import count, islice
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput
from vshell.shell.messages import quote_typographic
from vshell.shell.options import parse

_BATCH: Final = 4096
_NEGATIVE: Final = re.compile(r"-[.\d]")
_DIRECTIVE: Final = re.compile(r"%%|%([-+ #0']*)(\d*)(\.\d*)?(L?)(.)?", re.DOTALL)
_NUMBER: Final = re.compile(
    r"\s*([-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?|nan))",
    re.IGNORECASE,
)
_MAX_WIDTH: Final = 4096
_MAX_EXPONENT: Final = 4000


class _Operand:
    """A number as it was typed: its value, digits after the point, and width."""

    def __init__(self, text: str) -> None:
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise UsageError(f"invalid floating point argument: {quote_typographic(text)}")
        typed = match[1]
        try:
            if "0x" in typed.lower():
                self.value = Decimal(int(typed, 16))
            else:
                self.value = Decimal(typed)
        except (InvalidOperation, ValueError):
            raise UsageError(
                f"invalid floating point argument: {quote_typographic(text)}"
            ) from None
        if self.value.is_nan():
            raise UsageError(
                f"invalid {quote_typographic('not-a-number')} argument: {quote_typographic(text)}"
            )
        if self.value.is_finite() and self.value and abs(self.value.adjusted()) > _MAX_EXPONENT:
            raise UsageError(f"invalid floating point argument: {quote_typographic(text)}")
        self.is_plain = re.fullmatch(r"\d+", text, re.ASCII) is not None
        self.precision, self.width = self._shape(typed)

    def _shape(self, typed: str) -> tuple[int, int]:
        if not self.value.is_finite() or "0x" in typed.lower():
            return 0, len(typed)
        body, _, exponent = typed.lower().partition("e")
        whole, point, fraction = body.partition(".")
        precision = len(fraction)
        width = len(body) - (1 if point and not fraction else 0)
        width += 1 if point and whole in ("", "-", "+") else 0
        if exponent:
            shift = int(exponent)
            precision = max(0, precision - shift)
            width = len(f"{self.value:.{precision}f}")
        return precision, width


def run(call: Invocation) -> int:
    # Parsed here: a negative number is no option.
    parsed = parse(SEQ, _words(call.operands), call.environment)
    operands = parsed.operands
    if parsed.flag("help") or parsed.flag("version"):
        from vshell.shell.options import help_text, version_text

        call.write(help_text(SEQ) if parsed.flag("help") else version_text(SEQ))
        return 0
    if not operands:
        raise UsageError("missing operand")
    if len(operands) > 3:
        raise UsageError(f"extra operand {quote_typographic(operands[3])}")
    pattern = parsed.value("format")
    if pattern is not None and parsed.flag("equal-width"):
        raise UsageError("format string may not be specified when printing equal width strings")
    if pattern is not None:
        _check_format(pattern)
    numbers = [_Operand(text) for text in operands]
    first, step, last = _bounds(numbers)
    if not step.value:
        raise UsageError(f"invalid Zero increment value: {quote_typographic(operands[1])}")
    lines = _lines(first, step, last, pattern, equal=parsed.flag("equal-width"))
    separator = (parsed.value("separator", "\n") or "").encode("utf-8", "surrogateescape")
    _print(call, lines, separator)
    return 0


def _print(call: Invocation, lines: Iterator[str], separator: bytes) -> None:
    with BufferedOutput(call.stdout) as out:
        is_first = True
        while batch := list(islice(lines, _BATCH)):
            data = separator.join(line.encode("utf-8", "surrogateescape") for line in batch)
            out.write(data if is_first else separator + data)
            is_first = False
        if not is_first:
            out.write(b"\n")


def _words(words: tuple[str, ...]) -> list[str]:
    """Keep a negative number from being taken for an option."""
    for index, word in enumerate(words):
        if word == "--":
            break
        takes_value = index > 0 and words[index - 1] in ("-s", "-f", "--separator", "--format")
        if takes_value:
            continue
        if _NEGATIVE.match(word):
            return [*words[:index], "--", *words[index:]]
        if not word.startswith("-"):
            break
    return list(words)


def _bounds(numbers: list[_Operand]) -> tuple[_Operand, _Operand, _Operand]:
    one = _Operand("1")
    if len(numbers) == 1:
        return one, one, numbers[0]
    if len(numbers) == 2:
        return numbers[0], one, numbers[1]
    return numbers[0], numbers[1], numbers[2]


def _lines(
    first: _Operand, step: _Operand, last: _Operand, pattern: str | None, *, equal: bool
) -> Iterator[str]:
    precision = max(first.precision, step.precision)
    values = _values(first, step, last)
    if pattern is not None:
        yield from (_formatted(pattern, value) for value in values)
        return
    if not equal:
        yield from (_plain(value, precision) for value in values)
        return
    width = _equal_width(first, last, precision)
    for value in values:
        yield _plain(value, precision).zfill(width)


def _equal_width(first: _Operand, last: _Operand, precision: int) -> int:
    first_width = first.width + (precision - first.precision)
    last_width = last.width + (precision - last.precision)
    if last.precision and precision == 0:
        last_width -= 1
    if last.precision == 0 and precision:
        last_width += 1
    if first.precision == 0 and precision:
        first_width += 1
    return max(first_width, last_width)


def _plain(value: Decimal | int, precision: int) -> str:
    if isinstance(value, int):
        return str(value)
    if not value.is_finite():
        return "inf" if value > 0 else "-inf"
    return f"{value:.{precision}f}"


def _values(first: _Operand, step: _Operand, last: _Operand) -> Iterator[Decimal | int]:
    start, by, end = first.value, step.value, last.value
    if start.is_infinite() or by.is_infinite():
        yield start
        return
    whole = first.precision == step.precision == 0 and start == int(start) and by == int(by)
    if whole:
        begin, distance = int(start), int(by)
        if end.is_infinite():
            if (end > 0) == (distance > 0):
                yield from count(begin, distance)
            return
        limit = int(end.to_integral_value("ROUND_FLOOR" if distance > 0 else "ROUND_CEILING"))
        whole_numbers = iter(range(begin, limit + (1 if distance > 0 else -1), distance))
        if start.is_zero() and start.is_signed() and next(whole_numbers, None) is not None:
            yield start  # it keeps its sign
        yield from whole_numbers
        return
    with localcontext() as context:
        context.prec = 200
        for index in count():
            value = start + by * index if index else start
            if (by > 0 and value > end) or (by < 0 and value < end):
                return
            yield value


def _check_format(pattern: str) -> None:
    directives = 0
    for match in _DIRECTIVE.finditer(pattern):
        if match.group() == "%%":
            continue
        shown = quote_typographic(pattern)
        if match[5] is None:
            raise UsageError(
                f"format {shown} ends in %"
                if not directives
                else f"format {shown} has too many % directives",
                hint=False,
            )
        if directives:
            raise UsageError(f"format {shown} has too many % directives", hint=False)
        directives += 1
        if match[5] not in "aeEfFgGA":
            raise UsageError(f"format {shown} has unknown %{match[5]} directive", hint=False)
        if int(match[2] or 0) > _MAX_WIDTH or int((match[3] or ".0")[1:] or 0) > _MAX_WIDTH:
            raise UsageError(f"format {shown} is too wide", hint=False)
    if not directives:
        raise UsageError(f"format {quote_typographic(pattern)} has no % directive", hint=False)


def _formatted(pattern: str, value: Decimal | int) -> str:
    def one(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        flags, width, precision, _, letter = match.groups()
        flags = flags.replace("'", "")
        if letter in "aA":
            return _padded(
                _hexadecimal(abs(float(value))), flags, int(width or 0), negative=value < 0
            )
        if letter in "fF":
            digits = int(precision[1:] or 0) if precision else 6
            number = f"{abs(Decimal(value)):.{digits}f}"
            return _padded(number, flags, int(width or 0), negative=value < 0)
        return f"%{flags}{width}{precision or ''}{letter}" % float(value)

    return _DIRECTIVE.sub(one, pattern)


def _hexadecimal(value: float) -> str:
    """Write a number as C does with `%a`: the first digit of a long double is 8 to f."""
    if not value:
        return "0x0p+0"
    mantissa, exponent = math.frexp(value)
    digits = f"{int(mantissa * 2**64):016x}"
    fraction = digits[1:].rstrip("0")
    return f"0x{digits[0]}{'.' + fraction if fraction else ''}p{exponent - 4:+d}"


def _padded(number: str, flags: str, width: int, *, negative: bool) -> str:
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    if "-" in flags:
        return (sign + number).ljust(width)
    if "0" in flags:
        return sign + number.zfill(width - len(sign))
    return (sign + number).rjust(width)


SEQ: Final = Command(
    "seq",
    "[OPTION]... LAST\n  or:  seq [OPTION]... FIRST LAST\n"
    "  or:  seq [OPTION]... FIRST INCREMENT LAST",
    "Print numbers from FIRST to LAST, in steps of INCREMENT.",
    run,
    options=(
        Option(("-f", "--format"), "Use printf style floating-point FORMAT.", "FORMAT"),
        Option(("-s", "--separator"), "Use STRING to separate numbers (default: \\n).", "STRING"),
        Option(("-w", "--equal-width"), "Equalize width by padding with leading zeroes."),
    ),
    raw=True,
    permute=False,
)
COMMANDS: Final = (SEQ,)
