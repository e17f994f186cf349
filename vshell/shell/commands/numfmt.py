"""`numfmt`: numbers from and to forms that people read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    localcontext,
)
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, failing, records, to_bytes, to_text
from vshell.shell.commands.cut import parse_ranges
from vshell.shell.messages import quote_typographic

_UNITS: Final = "KMGTPEZY"
_SCALES: Final = ("none", "auto", "si", "iec", "iec-i")
_ROUNDINGS: Final = {
    "up": ROUND_CEILING,
    "down": ROUND_FLOOR,
    "from-zero": ROUND_UP,
    "towards-zero": ROUND_DOWN,
    "nearest": ROUND_HALF_UP,
}
_FORMAT: Final = re.compile(r"((?:[^%]|%%)*)%([0']*)(-?\d+)?(?:\.(\d+))?f((?:[^%]|%%)*)", re.DOTALL)
_NUMBER: Final = re.compile(r"(-?)(\d*)(?:(\.)(\d*))?", re.ASCII)
_MAX_WIDTH: Final = 4096


class _Bad(Exception):  # noqa: N818 - what is wrong with one number
    pass


@dataclass(slots=True)
class _Settings:
    source: str
    target: str
    from_unit: int
    to_unit: int
    rounding: str
    suffix: str
    padding: int
    delimiter: bytes | None
    format: tuple[str, str, int, int | None, str] | None
    grouping: bool
    invalid: str


def _choice(call: Invocation, option: str, choices: Sequence[str], default: str) -> str:
    word = call.parsed.value(option, default) or ""
    fitting = [each for each in choices if each == word] or [
        each for each in choices if each.startswith(word)
    ]
    if len(fitting) != 1:
        shown = "\n".join(f"  - {quote_typographic(each)}" for each in choices)
        kind = "ambiguous" if fitting else "invalid"
        raise UsageError(
            f"{kind} argument {quote_typographic(word)} for {quote_typographic('--' + option)}\n"
            f"Valid arguments are:\n{shown}"
        )
    return fitting[0]


def _settings(call: Invocation) -> _Settings:
    parsed = call.parsed
    padding = parsed.value("padding", "0") or ""
    if not re.fullmatch(r"[-+]?\d{1,9}", padding, re.ASCII) or (
        parsed.flag("padding") and not int(padding)
    ):
        raise UsageError(f"invalid padding value {quote_typographic(padding)}")
    delimiter = parsed.value("delimiter")
    if delimiter is not None and len(to_bytes(delimiter)) > 1:
        raise UsageError("the delimiter must be a single character")
    found = None
    if parsed.flag("format"):
        found = _parse_format(parsed.value("format") or "")
    return _Settings(
        _choice(call, "from", _SCALES, "none"),
        _choice(call, "to", [each for each in _SCALES if each != "auto"], "none"),
        _unit(parsed.value("from-unit", "1") or ""),
        _unit(parsed.value("to-unit", "1") or ""),
        _ROUNDINGS[_choice(call, "round", list(_ROUNDINGS), "from-zero")],
        parsed.value("suffix", "") or "",
        max(-_MAX_WIDTH, min(_MAX_WIDTH, int(padding))),
        None if delimiter is None else to_bytes(delimiter),
        found,
        parsed.flag("grouping"),
        _choice(call, "invalid", ("abort", "fail", "warn", "ignore"), "abort"),
    )


def _unit(text: str) -> int:
    match = re.fullmatch(r"(\d*)([KMGTPEZY]?)(i?)", text, re.ASCII)
    if match is None or not (match[1] or match[2]):
        raise UsageError(f"invalid unit size: {quote_typographic(text)}", hint=False)
    base = 1024 if match[3] else 1000
    value = int((match[1] or "1")[:20]) * base ** (_UNITS.find(match[2]) + 1 if match[2] else 0)
    if not value:
        raise UsageError(f"invalid unit size: {quote_typographic(text)}", hint=False)
    return int(value)


def _parse_format(text: str) -> tuple[str, str, int, int | None, str]:
    match = _FORMAT.fullmatch(text)
    if match is None:
        shown = quote_typographic(text)
        if "%" not in text.replace("%%", ""):
            raise UsageError(f"format {shown} has no % directive", hint=False)
        if len(re.findall(r"%(?!%)", text.replace("%%", ""))) > 1:
            raise UsageError(f"format {shown} has too many % directives", hint=False)
        raise UsageError(
            f"invalid format {shown}, directive must be %[0]['][-][N][.][N]f", hint=False
        )
    lead, flags, width, precision, tail = match.groups()
    size = max(-_MAX_WIDTH, min(_MAX_WIDTH, int(width or 0)))
    digits = None if precision is None else min(int(precision), 100)
    return lead.replace("%%", "%"), flags, size, digits, tail.replace("%%", "%")


def _read(text: str, settings: _Settings) -> tuple[Decimal, int]:
    """Return the value of a number, and how many digits follow its point."""
    body = text.removesuffix(settings.suffix) if settings.suffix else text
    match = _NUMBER.match(body)
    assert match is not None
    sign, whole, point, fraction = match.groups()
    if not whole and not fraction:
        raise _Bad(f"invalid number: {quote_typographic(text)}")
    if len(whole) > 33:
        raise _Bad(f"value too large to be converted: {quote_typographic(text)}")
    if point and not fraction:
        raise _Bad(f"invalid number: {quote_typographic(text)}")
    value = Decimal(f"{sign}{whole or '0'}.{fraction or '0'}")
    rest = body[match.end() :]
    scale = settings.source
    if not rest:
        return value * settings.from_unit, len(fraction or "")
    unit, rest = rest[0], rest[1:]
    if unit not in _UNITS:
        raise _Bad(f"invalid suffix in input: {quote_typographic(text)}")
    if scale == "none":
        raise _Bad(f"rejecting suffix in input: {quote_typographic(text)} (consider using --from)")
    base = 1000
    if scale == "auto" and rest.startswith("i"):
        base, rest = 1024, rest[1:]
    elif scale == "iec":
        base = 1024
    elif scale == "iec-i":
        base = 1024
        if not rest.startswith("i"):
            raise _Bad(f"missing 'i' suffix in input: {quote_typographic(text)} (e.g Ki/Mi/Gi)")
        rest = rest[1:]
    if rest:
        raise _Bad(f"invalid suffix in input {quote_typographic(text)}: {quote_typographic(rest)}")
    return value * base ** (_UNITS.index(unit) + 1) * settings.from_unit, 0


def _show(value: Decimal, digits: int, settings: _Settings) -> str:
    precision = settings.format[3] if settings.format else None
    value = value / settings.to_unit
    if settings.target == "none":
        places = digits if precision is None else precision
        if settings.to_unit != 1 and precision is None:
            places = 0
        shown = f"{value.quantize(Decimal(1).scaleb(-places), rounding=settings.rounding):f}"
        return (
            _grouped(shown)
            if settings.grouping or (settings.format and "'" in settings.format[1])
            else shown
        )
    base = 1000 if settings.target == "si" else 1024
    power = 0
    while abs(value) >= base and power < len(_UNITS):
        value /= base
        power += 1
    places = (1 if power and abs(value) < 10 else 0) if precision is None else precision
    value = value.quantize(Decimal(1).scaleb(-places), rounding=settings.rounding)
    if abs(value) >= base and power < len(_UNITS):
        value /= base
        power += 1
        places = 1 if precision is None else places
        value = value.quantize(Decimal(1).scaleb(-places), rounding=settings.rounding)
    elif precision is None and power and abs(value) >= 10:
        value = value.quantize(Decimal(1), rounding=settings.rounding)
    unit = _UNITS[power - 1] if power else ""
    if power and settings.target == "iec-i":
        unit += "i"
    return f"{value:f}{unit}"


def _grouped(shown: str) -> str:
    return shown  # the C locale has no separator of thousands


def _converted(text: str, settings: _Settings) -> str:
    with localcontext() as context:
        context.prec = 200
        value, digits = _read(text, settings)
        shown = _show(value, digits, settings) + settings.suffix
    if settings.format is None:
        return shown
    lead, flags, width, _, tail = settings.format
    if "0" in flags and width > 0:
        # The zeros fill up the number; its unit follows.
        number = shown.rstrip(_UNITS + "i" + settings.suffix)
        sign = "-" if shown.startswith("-") else ""
        shown = sign + number.removeprefix("-").rjust(width - len(sign), "0") + shown[len(number) :]
    else:
        shown = shown.ljust(-width) if width < 0 else shown.rjust(width)
    return f"{lead}{shown}{tail}"


def _padded(shown: str, padding: int) -> str:
    return shown.ljust(-padding) if padding < 0 else shown.rjust(padding)


_BLANK_FIELD: Final = re.compile(rb"[ \t]*[^ \t]*")


class _Line:
    """Converts the fields of lines."""

    def __init__(self, call: Invocation, settings: _Settings) -> None:
        self._call = call
        self._settings = settings
        text = call.parsed.value("field", "1") or ""
        self._ranges = [(0, 2**62)] if text == "-" else parse_ranges(text, "field")
        self.failed = False

    def convert(self, line: bytes) -> bytes:
        if self._settings.delimiter is not None:
            fields = line.split(self._settings.delimiter)
            return self._settings.delimiter.join(
                self._field(field, aligned=False) if self._wanted(index) else field
                for index, field in enumerate(fields)
            )
        parts, position, index = [], 0, 0
        while position < len(line) or not index:
            match = _BLANK_FIELD.match(line, position)
            assert match is not None
            field = match.group()
            parts.append(self._blank_field(field, index) if self._wanted(index) else field)
            position = match.end()
            index += 1
        return b"".join(parts)

    def _wanted(self, index: int) -> bool:
        return any(start <= index < end for start, end in self._ranges)

    def _blank_field(self, field: bytes, index: int) -> bytes:
        lead = b" " if index else b""
        body = field[1:] if index else field
        text = body.lstrip(b" \t")
        # Blanks before a number are its padding, unless there is only the one that parts fields.
        width = (
            0
            if self._settings.padding
            else len(body)
            if text != body or (index and len(body) > len(text))
            else 0
        )
        shown = self._field(text, aligned=True)
        return lead + shown.rjust(width) if width else lead + shown

    def _field(self, field: bytes, *, aligned: bool) -> bytes:
        text = to_text(field if aligned else field.lstrip(b" \t"))
        try:
            shown = _converted(text, self._settings)
        except _Bad as error:
            self.failed = True
            mode = self._settings.invalid
            if mode == "abort":
                raise _Abort(str(error)) from None
            if mode in ("fail", "warn"):
                self._call.complain(str(error))
            return field
        return to_bytes(_padded(shown, self._settings.padding))


class _Abort(Exception):  # noqa: N818 - it is how the command ends
    pass


@failing
def run(call: Invocation) -> int:
    settings = _settings(call)
    header = _header(call)
    line = _Line(call, settings)
    end = b"\0" if call.parsed.flag("zero-terminated") else b"\n"
    with BufferedOutput(call.stdout) as out:
        try:
            if call.operands:
                for operand in call.operands:
                    out.write(line.convert(to_bytes(operand)) + end)
            else:
                for number, record in enumerate(records(call.stdin, end)):
                    body = record.removesuffix(end)
                    out.write((body if number < header else line.convert(body)) + end)
        except _Abort as abort:
            call.complain(str(abort))
            return 2
    return 2 if line.failed and settings.invalid == "fail" else 0


def _header(call: Invocation) -> int:
    if not call.parsed.flag("header"):
        return 0
    text = call.parsed.value("header")
    if text is None:
        return 1
    if not text.isdigit() or not int(text[:12]):
        raise UsageError(f"invalid header value {quote_typographic(text)}", hint=False)
    return int(text[:12])


COMMANDS: Final = (
    Command(
        "numfmt",
        "[OPTION]... [NUMBER]...",
        "Reformat NUMBER(s), or the numbers from standard input if none are specified.",
        run,
        options=(
            Option(("--debug",), "Accepted."),
            Option(("-d", "--delimiter"), "Use X instead of whitespace for field delimiter.", "X"),
            Option(("--field",), "Replace the numbers in these input fields.", "FIELDS"),
            Option(("--format",), "Use printf style floating-point FORMAT.", "FORMAT"),
            Option(("--from",), "Auto-scale input numbers to UNITs.", "UNIT"),
            Option(("--from-unit",), "Specify the input unit size.", "N"),
            Option(("--grouping",), "Use locale-defined grouping of digits."),
            Option(
                ("--header",), "Print (without converting) the first N lines.", "N", optional=True
            ),
            Option(("--invalid",), "Failure mode for invalid numbers.", "MODE"),
            Option(("--padding",), "Pad the output to N characters.", "N"),
            Option(("--round",), "Use METHOD for rounding when scaling.", "METHOD"),
            Option(("--suffix",), "Add SUFFIX to output numbers.", "SUFFIX"),
            Option(("--to",), "Auto-scale output numbers to UNITs.", "UNIT"),
            Option(("--to-unit",), "The output unit size.", "N"),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
)
