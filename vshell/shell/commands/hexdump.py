"""`hexdump` and `hd`: bytes in the formats of the BSDs."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, Failure, failing, open_input, parse_size
from vshell.shell.messages import quote_typographic, reason

_ESCAPES: Final = {
    0: "\\0",
    7: "\\a",
    8: "\\b",
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
}
_NAMES: Final = [
    "nul",
    "soh",
    "stx",
    "etx",
    "eot",
    "enq",
    "ack",
    "bel",
    "bs",
    "ht",
    "lf",
    "vt",
    "ff",
    "cr",
    "so",
    "si",
    "dle",
    "dc1",
    "dc2",
    "dc3",
    "dc4",
    "nak",
    "syn",
    "etb",
    "can",
    "em",
    "sub",
    "esc",
    "fs",
    "gs",
    "rs",
    "us",
]
_SHORTHANDS: Final = {
    "one-byte-octal": ('"%07.7_Ax\n"', '"%07.7_ax " 16/1 "%03o " "\n"'),
    "one-byte-char": ('"%07.7_Ax\n"', '"%07.7_ax " 16/1 "%3_c " "\n"'),
    "canonical": (
        '"%08.8_Ax\n"',
        '"%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x "',
        '"  |" 16/1 "%_p" "|\n"',
    ),
    "two-bytes-decimal": ('"%07.7_Ax\n"', '"%07.7_ax " 8/2 "  %05u " "\n"'),
    "two-bytes-octal": ('"%07.7_Ax\n"', '"%07.7_ax " 8/2 " %06o " "\n"'),
    "two-bytes-hex": ('"%07.7_Ax\n"', '"%07.7_ax " 8/2 "   %04x " "\n"'),
    "": ('"%07.7_Ax\n"', '"%07.7_ax " 8/2 "%04x " "\n"'),
}
_UNIT: Final = re.compile(r'\s*(?:(\d+)\s*)?(?:/\s*(\d+)\s*)?"((?:[^"\\]|\\.)*)"', re.DOTALL)
_DIRECTIVE: Final = re.compile(r"%([-+ #0]*)(\d*)(\.\d+)?(_[aA][dox]|_[cpu]|[diouxXcsfeEgG%])")
_STRING_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "r": "\r",
    "v": "\v",
    "0": "\0",
}
_MAX_BLOCK: Final = 1024 * 1024
_MAX_WIDTH: Final = 4096


@dataclass(frozen=True, slots=True)
class _Directive:
    """A part of a format: text, or a conversion of so many bytes."""

    text: str
    kind: str = ""
    flags: str = ""
    width: int = 0
    precision: int | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Unit:
    count: int
    parts: tuple[_Directive, ...]
    explicit: bool

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


def _parse(text: str) -> list[_Unit]:
    units, position = [], 0
    while position < len(text.rstrip()):
        match = _UNIT.match(text, position)
        if match is None:
            raise Failure(f"bad format {{{text}}}")
        position = match.end()
        count, size, body = match.groups()
        units.append(
            _Unit(
                min(int(count or 1), _MAX_BLOCK),
                _directives(_unescaped(body), int(size) if size else None),
                bool(count),
            )
        )
    return units


def _unescaped(text: str) -> str:
    return re.sub(
        r"\\(.)", lambda found: _STRING_ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL
    )


def _directives(text: str, size: int | None) -> tuple[_Directive, ...]:
    parts: list[_Directive] = []
    position = 0
    while position < len(text):
        if text[position] != "%":
            end = text.find("%", position)
            end = len(text) if end < 0 else end
            parts.append(_Directive(text[position:end]))
            position = end
            continue
        match = _DIRECTIVE.match(text, position)
        if match is None:
            raise Failure(f"bad conversion character {text[position : position + 2]}")
        position = match.end()
        flags, width, precision, kind = match.groups()
        if int(width or 0) > _MAX_WIDTH:
            raise Failure("the format is too wide")
        if kind == "%":
            parts.append(_Directive("%"))
            continue
        digits = int(precision[1:]) if precision else None
        parts.append(
            _Directive("", kind, flags, int(width or 0), digits, _size(kind, size, digits))
        )
    return tuple(parts)


def _size(kind: str, size: int | None, precision: int | None) -> int:
    if kind.startswith(("_a", "_A")):
        return 0
    allowed: tuple[int, ...] = (1,) if kind[0] in "c_" else (4, 1, 2, 8)
    if kind[0] in "feEgG":
        allowed = (8, 4)
    if kind == "s":
        found = size or precision
        if not found:
            raise Failure("%s requires a precision or a byte count")
        return min(found, _MAX_BLOCK)
    found = allowed[0] if size is None else size
    if found not in allowed:
        raise Failure(f"bad byte count for conversion character {kind}")
    return found


def _show(part: _Directive, data: bytes, address: int) -> str:
    if not part.kind:
        return part.text
    kind = part.kind
    if kind[0] == "_":
        if kind[1] in "aA":
            return _padded(part, format(address, kind[2]).zfill(part.precision or 0))
        byte = data[0]
        if kind == "_p":
            return _padded(part, chr(byte) if 32 <= byte < 127 else ".")
        if kind == "_c":
            return _padded(
                part, _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}")
            )
        named = _NAMES[byte] if byte < 32 else "del" if byte == 127 else None
        return _padded(part, named or (chr(byte) if byte < 127 else f"{byte:02x}"))
    if kind == "c":
        return _padded(part, chr(data[0]) if data[0] < 128 else chr(0xDC00 + data[0]))
    if kind == "s":
        text = data.split(b"\0")[0].decode("utf-8", "surrogateescape")
        return _padded(part, text[: part.precision] if part.precision is not None else text)
    if kind[0] in "feEgG":
        (value,) = struct.unpack("<d" if part.size == 8 else "<f", data)
        digits = 6 if part.precision is None else part.precision
        return _padded(part, f"{value:.{digits}{kind}}")
    number = int.from_bytes(data, "little", signed=kind in "di")
    text = format(number, {"i": "d", "u": "d"}.get(kind, kind))
    if "#" in part.flags and number:
        text = {"x": "0x", "X": "0X", "o": "0"}.get(kind, "") + text
    if part.precision is not None:
        text = text.zfill(part.precision)
    return _padded(part, text)


def _padded(part: _Directive, text: str) -> str:
    if "-" in part.flags:
        return text.ljust(part.width)
    if (
        "0" in part.flags
        and part.precision is None
        and part.kind not in ("_c", "_p", "_u", "c", "s")
    ):
        return text.zfill(part.width)
    return text.rjust(part.width)


class _Printer:
    """Prints blocks by several formats, all of the same bytes."""

    def __init__(self, formats: Sequence[str]) -> None:
        self._is_canonical = tuple(formats) == _SHORTHANDS["canonical"]
        parsed = [_parse(text) for text in formats]
        self._last = [
            units
            for units in parsed
            if any(p.kind.startswith("_A") for u in units for p in u.parts)
        ]
        self._formats = [units for units in parsed if units not in self._last]
        sizes = [sum(unit.count * unit.size for unit in units) for units in self._formats]
        self.block = min(max(sizes, default=0), _MAX_BLOCK)
        self._formats = [self._stretched(units) for units in self._formats]

    def _stretched(self, units: list[_Unit]) -> list[_Unit]:
        """Let the last unit that reads go on to the end of the block, when it has no count."""
        size = sum(unit.count * unit.size for unit in units)
        last = units[-1] if units else None
        if last is None or last.explicit or not last.size or size >= self.block:
            return units
        count = last.count + (self.block - size) // last.size
        return [*units[:-1], _Unit(count, last.parts, last.explicit)]

    def line(self, address: int, data: bytes) -> str:
        if self._is_canonical and len(data) == self.block:
            shown = data.translate(_SHOWN).decode("ascii")
            return f"{address:08x}  {data[:8].hex(' ')}  {data[8:].hex(' ')}  |{shown}|\n"
        return "".join(self._one(units, address, data) for units in self._formats)

    def _one(self, units: list[_Unit], start: int, data: bytes) -> str:
        out: list[str] = []
        offset = 0
        for unit in units:
            for index in range(unit.count):
                is_last = index == unit.count - 1 and unit.count > 1
                for place, part in enumerate(unit.parts):
                    ends = place == len(unit.parts) - 1
                    piece = data[offset : offset + part.size]
                    if part.size and not piece:
                        out.append(" " * self._blank(part))
                    else:
                        shown = _show(part, piece + bytes(part.size - len(piece)), start + offset)
                        out.append(
                            shown.rstrip(" \t") if is_last and ends and not part.kind else shown
                        )
                    offset += part.size
        return "".join(out)

    def _blank(self, part: _Directive) -> int:
        if part.kind == "_p" and not part.width:
            return 0
        return len(_show(part, bytes(part.size), 0)) if not part.width else part.width

    def end(self, address: int) -> str:
        return "".join(
            _show(part, b"", address)
            for units in self._last
            for unit in units
            for part in unit.parts
        )


_SHOWN: Final = bytes(byte if 32 <= byte < 127 else 0x2E for byte in range(256))


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    formats: list[str] = []
    for name, value in parsed.given:
        if name == "format":
            formats.append(value or "")
        elif name == "format-file":
            formats += _format_file(call, value or "")
        elif name in _SHORTHANDS:
            formats += _SHORTHANDS[name]
    if not formats:
        formats += _SHORTHANDS["canonical" if call.name == "hd" else ""]
    printer = _Printer(formats)
    skip = _number(parsed.value("skip", "0") or "")
    length = _number(parsed.value("length") or "") if parsed.flag("length") else None
    data, status = _data(call, skip, length)
    with BufferedOutput(call.stdout) as out:
        _dump(out, printer, data, skip, keep_all=parsed.flag("no-squeezing"))
    return status


def _dump(
    out: BufferedOutput, printer: _Printer, data: bytes, skip: int, *, keep_all: bool
) -> None:
    block = printer.block
    if not block:
        return
    previous, starred = b"", False
    for place in range(0, len(data), block):
        piece = data[place : place + block]
        if piece == previous and len(piece) == block and not keep_all:
            if not starred:
                out.write(b"*\n")
            starred = True
            continue
        previous, starred = piece, False
        out.write(printer.line(skip + place, piece).encode("utf-8", "surrogateescape"))
    if data:
        out.write(printer.end(skip + len(data)).encode())


def _number(text: str) -> int:
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)(.*)", text, re.ASCII)
    scale = parse_size("1" + match[2]) if match and match[2] else 1
    if match is None or scale is None or len(match[1]) > 30:
        raise Failure(f"failed to parse offset: {quote_typographic(text)}")
    digits = match[1]
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    try:
        return int(digits, base) * scale
    except ValueError:
        raise Failure(f"failed to parse offset: {quote_typographic(text)}") from None


def _format_file(call: Invocation, name: str) -> list[str]:
    try:
        text = open_input(call, name).read().decode("utf-8", "surrogateescape")
    except VshellError as error:
        raise Failure(f"can't read {name}: {reason(error)}") from None
    return [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def _data(call: Invocation, skip: int, length: int | None) -> tuple[bytes, int]:
    """Return the bytes of all inputs that are to be shown."""
    parts, status = [], 0
    left = None if length is None else skip + length
    for name in call.operands or ("-",):
        if left is not None and left <= 0:
            break
        try:
            source = open_input(call, name)
        except VshellError as error:
            call.complain(f"{name}: {reason(error)}")
            status = 1
            continue
        while left is None or left > 0:
            data = source.read(1024 * 1024 if left is None else min(left, 1024 * 1024))
            if not data:
                break
            parts.append(data)
            left = None if left is None else left - len(data)
    if status and not parts and len(call.operands) == 1:
        call.complain("all input file arguments failed")
    return b"".join(parts)[skip:], status


COMMANDS: Final = (
    Command(
        "hexdump",
        "[OPTION]... FILE...",
        "Display file contents in hexadecimal, decimal, octal, or ascii.",
        run,
        options=(
            Option(("-b", "--one-byte-octal"), "One-byte octal display."),
            Option(("-c", "--one-byte-char"), "One-byte character display."),
            Option(("-C", "--canonical"), "Canonical hex+ASCII display."),
            Option(("-d", "--two-bytes-decimal"), "Two-byte decimal display."),
            Option(("-o", "--two-bytes-octal"), "Two-byte octal display."),
            Option(("-x", "--two-bytes-hex"), "Two-byte hexadecimal display."),
            Option(("-e", "--format"), "Format string to be used for displaying data.", "FORMAT"),
            Option(("-f", "--format-file"), "File that contains format strings.", "FILE"),
            Option(("-n", "--length"), "Interpret only LENGTH bytes of input.", "LENGTH"),
            Option(("-s", "--skip"), "Skip OFFSET bytes from the beginning.", "OFFSET"),
            Option(("-v", "--no-squeezing"), "Output identical lines."),
        ),
        aliases=("hd",),
    ),
)
