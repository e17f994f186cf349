"""`xxd`: a hex dump, and back."""

from __future__ import annotations

import re
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option
from vshell.shell.command_io import BufferedOutput, Failure, open_input, read_all, write_file
from vshell.shell.messages import reason

_NAMES: Final = {
    "a": "autoskip", "b": "bits", "C": "capitalize", "c": "cols", "d": "decimal", "e": "endian",
    "g": "group", "i": "include", "l": "len", "n": "name", "o": "offset", "p": "plain",
    "r": "revert", "s": "seek", "u": "upper",
}  # fmt: skip
_WORDS: Final = {
    "autoskip": "a", "bits": "b", "capitalize": "C", "cols": "c", "groupsize": "g",
    "include": "i", "len": "l", "name": "n", "offset": "o", "ps": "p", "postscript": "p",
    "plain": "p", "revert": "r", "seek": "s", "skip": "s", "uppercase": "u", "upper": "u",
}  # fmt: skip
_VALUED: Final = "cglnos"
_USAGE: Final = (
    "Usage:\n       xxd [options] [infile [outfile]]\n    or\n"
    "       xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]\n"
)
_MAX_COLUMNS: Final = 256


class _Usage(Exception):  # noqa: N818 - it is how the command ends
    pass


def _parse(words: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Read options: each is a word of its own, a letter or more, with one dash or two."""
    given: dict[str, str] = {}
    position = 0
    while position < len(words):
        word = words[position]
        if not word.startswith("-") or word == "-":
            break
        position += 1
        if word == "--":
            break
        body = word.lstrip("-")
        letter = _letter(body)
        if letter not in _NAMES:
            raise _Usage
        if letter not in _VALUED:
            given[letter] = ""
            continue
        rest = re.fullmatch(rf"{letter}(.+)", body)
        if rest and body not in _WORDS and (letter == "n" or re.match(r"[-+\d]", rest[1])):
            given[letter] = rest[1]
        elif position < len(words):
            given[letter] = words[position]
            position += 1
        else:
            raise _Usage
    operands = list(words[position:])
    if len(operands) > 2:
        raise _Usage
    return given, operands


def _letter(body: str) -> str:
    exact = _WORDS.get(body)
    if exact:
        return exact
    if len(body) > 1 and body[0] in "ps" and any(name.startswith(body) for name in _WORDS):
        return next(letter for name, letter in _WORDS.items() if name.startswith(body))
    return body[:1]


def _number(text: str) -> int:
    match = re.match(r"[-+]?(?:0[xX][0-9a-fA-F]+|\d+)", text, re.ASCII)
    if match is None:
        return 0
    digits = match.group()[:24]
    bare = digits.lstrip("+-")
    base = 16 if bare[:2].lower() == "0x" else 8 if bare.startswith("0") and len(bare) > 1 else 10
    try:
        return int(digits, base)
    except ValueError:
        return 0


def run(call: Invocation) -> int:
    try:
        given, operands = _parse(call.operands)
    except _Usage:
        call.stderr.write(_USAGE.encode())
        return 1
    try:
        data = _run(call, given, operands)
        if len(operands) > 1 and operands[1] != "-":
            write_file(call, operands[1], data)
        else:
            with BufferedOutput(call.stdout) as out:
                out.write(data)
    except Failure as failure:
        call.complain(str(failure))
        return failure.status
    except VshellError as error:
        call.complain(f"{operands[1]}: {reason(error)}")
        return 3
    return 0


def _run(call: Invocation, given: dict[str, str], operands: list[str]) -> bytes:
    name = operands[0] if operands else "-"
    columns = _number(given["c"]) if "c" in given else None
    try:
        if "r" in given:
            data = read_all(call, name)
            return (
                _revert_plain(data)
                if "p" in given
                else _revert(data, columns or 16, _number(given.get("s", "0")))
            )
        source = open_input(call, name)
    except VshellError as error:
        raise Failure(f"{name}: {reason(error)}", 2) from None
    skip = _number(given.get("s", "0"))
    limit = _number(given["l"]) if "l" in given else None
    data, start = _selected(source, skip, limit)
    if "i" in given:
        return _include(data, given, name, columns or 12)
    if "p" in given:
        return _plain(data, 30 if columns is None else columns, upper="u" in given)
    return _dump(data, start + _number(given.get("o", "0")), given, columns)


def _selected(source: Input, skip: int, limit: int | None) -> tuple[bytes, int]:
    if limit is None or limit < 0:
        data = source.read()
    else:
        parts, left = [], limit + max(skip, 0)
        while left > 0 and (piece := source.read(left)):
            parts.append(piece)
            left -= len(piece)
        data = b"".join(parts)
    if skip < 0:
        if -skip > len(data):
            raise Failure("Sorry, cannot seek.", 4)
        skip += len(data)
    return data[skip:], skip


def _plain(data: bytes, columns: int, *, upper: bool) -> bytes:
    text = data.hex().upper() if upper else data.hex()
    if not text:
        return b""
    if columns <= 0:
        return text.encode() + b"\n"
    width = columns * 2
    return "".join(
        text[place : place + width] + "\n" for place in range(0, len(text), width)
    ).encode()


def _include(data: bytes, given: dict[str, str], name: str, columns: int) -> bytes:
    capital = "C" in given
    label = given.get("n") or ("" if name == "-" else name)
    label = re.sub(r"[^0-9A-Za-z]", "_", label)
    if label[:1].isdigit():
        label = "__" + label
    if capital:
        label = label.upper()
    digits = "0X{:02X}" if "u" in given else "0x{:02x}"
    rows = [
        "  " + ", ".join(digits.format(byte) for byte in data[place : place + columns])
        for place in range(0, len(data), columns)
    ]
    body = ",\n".join(rows)
    if not label:
        return (body + "\n").encode() if body else b""
    tail = "_LEN" if capital else "_len"
    inner = f"\n{body}\n" if body else "\n"
    array = f"unsigned char {label}[] = {{{inner}}};\n"
    return f"{array}unsigned int {label}{tail} = {len(data)};\n".encode()


def _dump(data: bytes, start: int, given: dict[str, str], columns: int | None) -> bytes:
    bits, endian = "b" in given, "e" in given
    width = columns if columns is not None and columns > 0 else (6 if bits else 16)
    if width > _MAX_COLUMNS:
        raise Failure(f"invalid number of columns (max. {_MAX_COLUMNS}).", 1)
    group = _number(given["g"]) if "g" in given else (1 if bits else 4 if endian else 2)
    group = width if group <= 0 or group > width else group
    if endian and group & (group - 1):
        raise Failure("number of octets per group must be a power of 2 with -e.", 1)
    address = "{:08d}: " if "d" in given else "{:08x}: "
    upper = "u" in given
    lines: list[str] = []
    zero_lines = 0
    for place in range(0, len(data), width):
        piece = data[place : place + width]
        line = address.format(start + place) + _line(
            piece, width, group, bits=bits, endian=endian, upper=upper
        )
        if "a" in given and not any(piece) and place + width < len(data):
            zero_lines += 1
            if zero_lines == 2:
                lines.append("*\n")
            if zero_lines > 1:
                continue
        else:
            zero_lines = 0
        lines.append(line)
    return "".join(lines).encode()


def _line(piece: bytes, width: int, group: int, *, bits: bool, endian: bool, upper: bool) -> str:
    text = piece.translate(_SHOWN).decode("ascii")
    if not (bits or endian):
        # Counted from the left, so that the last group is the short one.
        line = piece.hex(" ", -group) if group < len(piece) else piece.hex()
        full = 2 * width + (width - 1) // group
        return f"{line.upper() if upper else line:<{full}}  {text}\n"
    digits = 8 if bits else 2
    groups = []
    for place in range(0, width, group):
        part = piece[place : place + group]
        size = min(group, width - place)
        shown = [format(byte, "08b" if bits else "02X" if upper else "02x") for byte in part]
        shown += [" " * digits] * (size - len(part))
        groups.append("".join(reversed(shown) if endian else shown))
    return f"{' '.join(groups)}  {text}\n"


_SHOWN: Final = bytes(byte if 32 <= byte < 127 else 0x2E for byte in range(256))
_NOTHING: Final = -1
"""No digit."""
_HEX_LINE: Final = re.compile(rb"\s*([0-9a-fA-F]+):")


def _revert(data: bytes, columns: int, shift: int) -> bytes:
    """Read lines of addresses and bytes back; the text at their ends is not looked at."""
    result = bytearray()
    for line in data.splitlines():
        match = _HEX_LINE.match(line)
        if match is None:
            continue
        offset = int(match[1][:15], 16) + shift
        if offset < 0:
            raise Failure("Sorry, cannot seek backwards.", 5)
        if offset > len(result) + 256 * 1024 * 1024:
            raise Failure("the gap is too large", 5)
        found = _bytes_of(line[match.end() :], columns)
        if offset > len(result):
            result += bytes(offset - len(result))
        result[offset : offset + len(found)] = found
    return bytes(result)


def _bytes_of(text: bytes, columns: int) -> bytes:
    digits = bytearray()
    spaces = 0
    for byte in text:
        if byte in {32, 9}:
            spaces += 1
            if spaces > 1 and digits:
                break
            continue
        if byte not in b"0123456789abcdefABCDEF":
            break
        spaces = 0
        digits.append(byte)
        if len(digits) == columns * 2:
            break
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _revert_plain(data: bytes) -> bytes:
    """Return the bytes of a plain dump.

    A byte is two digits with nothing between them but blanks and line ends. What follows
    two characters that are neither does not count up to the end of the line.
    """
    made = bytearray()
    last, before = _NOTHING, _NOTHING
    place, is_start = 0, True
    while place < len(data):
        letter = data[place : place + 1]
        place += 1
        if letter in b" \t\r\n":
            continue
        before, last, now = last, _digit(letter), before
        if last == _NOTHING and is_start:
            continue
        is_start = False
        if _NOTHING not in (last, before):
            made.append(before << 4 | last)
            last = _NOTHING
        elif last == before == now == _NOTHING:
            end = data.find(b"\n", place)
            place, is_start = len(data) if end < 0 else end + 1, True
    return bytes(made)


def _digit(letter: bytes) -> int:
    return b"0123456789abcdef".find(letter.lower())


COMMANDS: Final = (
    Command(
        "xxd",
        "[options] [infile [outfile]]",
        "Make a hex dump, or do the reverse.",
        run,
        options=(
            Option(("-a",), "Toggle autoskip: a single '*' replaces nul-lines."),
            Option(("-b",), "Binary digit dump."),
            Option(("-C",), "Capitalize variable names in C include file style (-i)."),
            Option(("-c",), "Format <cols> octets per line.", "cols"),
            Option(("-d",), "Show offset in decimal instead of hex."),
            Option(("-e",), "Little-endian dump."),
            Option(("-g",), "Number of octets per group.", "bytes"),
            Option(("-i",), "Output in C include file style."),
            Option(("-l",), "Stop after <len> octets.", "len"),
            Option(("-n",), "Set the variable name used in C include output.", "name"),
            Option(("-o",), "Add <off> to the displayed file position.", "off"),
            Option(("-p",), "Output in postscript plain hexdump style."),
            Option(("-r",), "Reverse operation: convert hexdump into binary."),
            Option(("-s",), "Start at <seek> bytes.", "seek"),
            Option(("-u",), "Use upper case hex letters."),
        ),
        raw=True,
    ),
)
