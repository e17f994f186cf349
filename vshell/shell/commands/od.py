"""`od`: bytes as numbers and characters."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, failing, open_input, parse_size
from vshell.shell.messages import quote, quote_if_needed, quote_typographic, reason

_CONTROL: Final = [
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
    "nl",
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
    "sp",
]
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
_SIZES: Final = {"C": 1, "S": 2, "I": 4, "L": 8}
_FLOAT_SIZES: Final = {"F": 4, "D": 8, "H": 2}
_WIDTHS: Final = {
    "o": {1: 3, 2: 6, 4: 11, 8: 22},
    "x": {1: 2, 2: 4, 4: 8, 8: 16},
    "d": {1: 4, 2: 6, 4: 11, 8: 20},
    "u": {1: 3, 2: 5, 4: 10, 8: 20},
    "f": {4: 15, 8: 24, 2: 15},
}
_SHORTHANDS: Final = {
    "a": "a", "b": "o1", "c": "c", "d": "u2", "f": "fF", "i": "dI", "l": "dL", "o": "o2",
    "s": "d2", "x": "x2", "h": "x2", "D": "u4", "e": "fD", "F": "fD", "H": "x4", "X": "x4",
    "I": "dL", "L": "dL", "O": "o4", "B": "o2",
}  # fmt: skip
_CODES: Final = {1: "b", 2: "h", 4: "i", 8: "q"}
_FLOATS: Final = {2: "e", 4: "f", 8: "d"}
_MAX_WIDTH: Final = 1024 * 1024


@dataclass(slots=True)
class _Format:
    """How the bytes of a line are shown.

    Attributes:
        kind: One of `acdfoux`.
        size: How many bytes a field has.
        width: How wide a field is.
        trailer: Whether the characters follow.
        padding: What all fields of a line need more to be as wide as those of the others.
    """

    kind: str
    size: int
    width: int
    trailer: bool = False
    padding: int = 0
    show: Callable[[bytes], list[str]] = field(default=lambda _: [])


def _parse_formats(text: str) -> Iterator[_Format]:
    position = 0
    while position < len(text):
        kind = text[position]
        position += 1
        size = 1
        if kind in "doux" or kind == "f":
            size, position = _field_size(text, position, kind)
        elif kind not in "ac":
            raise Failure(f"invalid character '{kind}' in type string {quote_typographic(text)}")
        trailer = text[position : position + 1] == "z"
        position += trailer
        yield _make(kind, size, trailer=trailer)


def _field_size(text: str, position: int, kind: str) -> tuple[int, int]:
    match = re.compile(r"\d+", re.ASCII).match(text, position)
    sizes = _FLOAT_SIZES if kind == "f" else _SIZES
    if match:
        size = int(match.group()[:9])
        if size not in _WIDTHS[kind]:
            what = "floating point type" if kind == "f" else "integral type"
            raise Failure(
                f"invalid type string {quote_typographic(text)};\n"
                f"this system doesn't provide a {size}-byte {what}"
            )
        return size, match.end()
    letter = text[position : position + 1]
    if letter and letter in sizes:
        return sizes[letter], position + 1
    return (8 if kind == "f" else 4), position


def _make(kind: str, size: int, *, trailer: bool = False) -> _Format:
    width = 3 if kind in "ac" else _WIDTHS[kind][size]
    return _Format(kind, size, width, trailer, show=_shower(kind, size))


def _shower(kind: str, size: int) -> Callable[[bytes], list[str]]:
    if kind == "a":
        return lambda data: [_named(byte & 0x7F) for byte in data]
    if kind == "c":
        return lambda data: [_character(byte) for byte in data]
    if kind == "f":
        return lambda data: [
            _shortest(value, size)
            for value in struct.unpack(f"<{len(data) // size}{_FLOATS[size]}", data)
        ]
    code = _CODES[size] if kind == "d" else _CODES[size].upper()
    pattern = {"d": "d", "u": "d", "o": f"0{_WIDTHS['o'][size]}o", "x": f"0{size * 2}x"}[kind]
    return lambda data: [
        format(value, pattern) for value in struct.unpack(f"<{len(data) // size}{code}", data)
    ]


def _named(byte: int) -> str:
    return _CONTROL[byte] if byte <= 32 else "del" if byte == 127 else chr(byte)


def _character(byte: int) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f"{byte:03o}"


def _shortest(value: float, size: int) -> str:
    """Return the shortest decimal that reads back as the same number."""
    if math.isnan(value):
        return "-nan" if math.copysign(1, value) < 0 else "nan"
    if size == 8:
        for digits in range(1 if abs(value) < 2.2250738585072014e-308 else 15, 18):
            text = f"{value:.{digits}g}"
            if float(text) == value:
                break
        return text
    is_subnormal = abs(value) < 1.1754944e-38
    for digits in range(1 if size == 2 or is_subnormal else 6, 10):
        text = f"{value:.{digits}g}"
        packed = _packed(float(text))
        if packed is None or packed == value or math.isinf(value):
            break
    return text


def _packed(value: float) -> float | None:
    try:
        (result,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return None
    return float(result)


# Reading.


class _Joined:
    """All inputs, one after the other."""

    def __init__(self, call: Invocation, names: Sequence[str]) -> None:
        self._call = call
        self._names = list(names or ("-",))
        self._source: Input | None = None
        self.failed = False
        self.opened = False

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0:
            if self._source is None and not self._open():
                break
            assert self._source is not None
            data = self._source.read(size)
            if not data:
                self._source = None
                continue
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def _open(self) -> bool:
        while self._names:
            name = self._names.pop(0)
            try:
                self._source = open_input(self._call, name)
            except VshellError as error:
                self._call.complain(f"{quote_if_needed(name)}: {reason(error)}")
                self.failed = True
                continue
            self.opened = True
            return True
        return False

    def skip(self, size: int) -> bool:
        while size > 0:
            data = self.read(min(size, 1024 * 1024))
            if not data:
                return False
            size -= len(data)
        return True


# Printing.


class _Dump:
    def __init__(self, formats: list[_Format], width: int, radix: str) -> None:
        self._formats = formats
        self.width = width
        self._address = {"o": "{:07o}", "d": "{:07d}", "x": "{:06x}", "n": ""}[radix]
        self._blank = " " * {"o": 7, "d": 7, "x": 6, "n": 0}[radix]
        widest = max((each.width + 1) * (width // each.size) for each in formats)
        for each in formats:
            each.padding = widest - (each.width + 1) * (width // each.size)

    def address(self, offset: int) -> str:
        return self._address.format(offset)

    def line(self, offset: int, data: bytes) -> str:
        rows = []
        for index, each in enumerate(self._formats):
            lead = self._blank if index else self.address(offset)
            rows.append(lead + self._fields(each, data))
        return "\n".join(rows) + "\n"

    def _fields(self, each: _Format, data: bytes) -> str:
        size, count = each.size, self.width // each.size
        shown = each.show(data + bytes(-len(data) % size))
        parts = []
        left = each.padding
        for index, text in enumerate(shown):
            following = each.padding * (count - index - 1) // count
            parts.append(" " + text.rjust(left - following + each.width))
            left = following
        line = "".join(parts)
        if each.trailer:
            missing = count - len(shown)
            line += " " * (missing * (each.width + 1) + left)
            line += "  >" + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data) + "<"
        return line


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    names, offset = _operands(call)
    radix = parsed.value("address-radix", "o") or ""
    if radix[:1] not in ("o", "d", "x", "n"):
        raise Failure(
            f"invalid output address radix '{radix[:1]}'; it must be one character from [doxn]"
        )
    skip = _number(parsed.value("skip-bytes"), "-j") if parsed.flag("skip-bytes") else offset
    limit = _number(parsed.value("read-bytes"), "-N") if parsed.flag("read-bytes") else None
    source = _Joined(call, names)
    if skip and not source.skip(skip):
        raise Failure("cannot skip past end of combined input")
    if parsed.flag("strings"):
        minimum = _number(parsed.value("strings", "3") or "3", "-S")
        _print_strings(call, source, minimum, skip, limit=limit, radix=radix[0])
        return 1 if source.failed else 0
    formats = _formats(call)
    if _is_big(call):
        for each in formats:
            each.show = _swapped(each.show, each.size)
    dump = _Dump(formats, _width(call, formats), radix[0])
    _print(call, source, dump, skip, limit, keep_all=parsed.flag("output-duplicates"))
    return 1 if source.failed else 0


def _is_big(call: Invocation) -> bool:
    order = call.parsed.value("endian", "little") or ""
    fitting = [each for each in ("big", "little") if order and each.startswith(order)]
    if len(fitting) != 1:
        raise UsageError(
            f"invalid argument {quote_typographic(order)} for {quote_typographic('--endian')}\n"
            "Valid arguments are:\n"
            f"  - {quote_typographic('little')}\n  - {quote_typographic('big')}"
        )
    return fitting[0] == "big"


def _swapped(show: Callable[[bytes], list[str]], size: int) -> Callable[[bytes], list[str]]:
    return lambda data: show(
        b"".join(data[place : place + size][::-1] for place in range(0, len(data), size))
    )


def _formats(call: Invocation) -> list[_Format]:
    found: list[_Format] = []
    for name, value in call.parsed.given:
        if name == "format":
            found += _parse_formats(value or "")
        elif name in _SHORTHANDS:
            found += _parse_formats(_SHORTHANDS[name])
    return found or [_make("o", 2)]


def _width(call: Invocation, formats: list[_Format]) -> int:
    unit = math.lcm(*(each.size for each in formats))
    if not call.parsed.flag("width"):
        return 16
    text = call.parsed.value("width")
    width = 32 if text is None else _number(text, "-w")
    if not width or width % unit or width > _MAX_WIDTH:
        call.complain(f"warning: invalid width {width}; using {unit} instead")
        return unit
    return width


def _number(text: str | None, option: str) -> int:
    """Read a count as `od` takes it: decimal, octal or hexadecimal, with a multiplier."""
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)(.*)", text or "", re.ASCII)
    value = None
    if match and len(match[1]) < 30:
        digits, suffix = match.groups()
        base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
        try:
            number = int(digits, base)
        except ValueError:
            number = None
        scale = parse_size("1" + suffix) if suffix else 1
        if number is not None and scale is not None:
            value = number * scale
    if value is None:
        suffix_bad = bool(match and match[1])
        kind = "invalid suffix in " if suffix_bad else "invalid "
        raise Failure(f"{kind}{option} argument {quote(text or '')}")
    return value


def _operands(call: Invocation) -> tuple[list[str], int]:
    """Return the names, and the offset that the old form `od FILE +10` ends in."""
    names = list(call.operands)
    modern = any(
        call.parsed.flag(name)
        for name in (
            "address-radix",
            "skip-bytes",
            "read-bytes",
            "format",
            "output-duplicates",
            "width",
            "strings",
        )
    )
    old_form = call.parsed.flag("traditional")
    if (modern and not old_form) or not 1 <= len(names) <= 2:
        return names, 0
    match = re.fullmatch(r"(\+)?(0x)?([0-9a-fA-F]+)(\.)?(b)?", names[-1])
    if match is None or not (
        match[1] or ((old_form or len(names) == 2) and names[-1][0].isdigit())
    ):
        return names, 0
    base = 16 if match[2] else 10 if match[4] else 8
    try:
        offset = int(match[3], base)
    except ValueError:
        return names, 0
    return names[:-1], offset * (512 if match[5] else 1)


def _print(
    call: Invocation,
    source: _Joined,
    dump: _Dump,
    offset: int,
    limit: int | None,
    *,
    keep_all: bool,
) -> None:
    previous: bytes | None = None
    starred = False
    with BufferedOutput(call.stdout) as out:
        while True:
            size = dump.width if limit is None else min(dump.width, limit)
            data = source.read(size) if size else b""
            if not data:
                break
            if limit is not None:
                limit -= len(data)
            if data == previous and len(data) == dump.width and not keep_all:
                if not starred:
                    out.write(b"*\n")
                starred = True
            else:
                out.write(dump.line(offset, data).encode())
                starred = False
            previous = data
            offset += len(data)
            if len(data) < dump.width:
                break
        end = dump.address(offset)
        if end and (source.opened or not source.failed):
            out.write(end.encode() + b"\n")


def _print_strings(
    call: Invocation, source: _Joined, minimum: int, offset: int, *, limit: int | None, radix: str
) -> None:
    data = source.read(2**31 if limit is None else limit)
    address = _Dump([_make("o", 2)], 16, radix).address
    with BufferedOutput(call.stdout) as out:
        for match in re.finditer(rb"[\x20-\x7e]{%d,}\0" % min(minimum, 2**16), data):
            lead = address(offset + match.start())
            text = match.group()[:-1].decode("ascii")
            out.write(f"{lead}{' ' if lead else ''}{text}\n".encode())


_HELP: Final = {
    "a": "Same as -t a.", "b": "Same as -t o1.", "c": "Same as -t c.", "d": "Same as -t u2.",
    "f": "Same as -t fF.", "i": "Same as -t dI.", "l": "Same as -t dL.", "o": "Same as -t o2.",
    "s": "Same as -t d2.", "x": "Same as -t x2.",
}  # fmt: skip

COMMANDS: Final = (
    Command(
        "od",
        "[OPTION]... [FILE]...\n  or:  od [-abcdfilosx]... [FILE] [[+]OFFSET[.][b]]",
        "Write an unambiguous representation, octal bytes by default, of FILE.",
        run,
        options=(
            Option(("-A", "--address-radix"), "Output format for offsets: d, o, x or n.", "RADIX"),
            Option(("--endian",), "Swap input bytes according the order.", "{big|little}"),
            Option(("-j", "--skip-bytes"), "Skip BYTES input bytes first.", "BYTES"),
            Option(("-N", "--read-bytes"), "Limit dump to BYTES input bytes.", "BYTES"),
            Option(("-S", "--strings"), "Output strings of at least BYTES graphic chars.", "BYTES"),
            Option(("-t", "--format"), "Select output format or formats.", "TYPE"),
            Option(("--traditional",), "Accept an offset without a + as the last operand."),
            Option(("-v", "--output-duplicates"), "Do not use * to mark line suppression."),
            Option(
                ("-w", "--width"),
                "Bytes per output line; 32 when not said.",
                "BYTES",
                optional=True,
            ),
            *(Option((f"-{name}",), _HELP.get(name, "")) for name in _SHORTHANDS),
        ),
    ),
)
