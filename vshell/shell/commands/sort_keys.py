"""What `sort` compares: keys, where they are in a line, and how each is ordered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from vshell.shell.command import UsageError
from vshell.shell.messages import quote_typographic

_BLANKS: Final = b" \t\n"
_KINDS: Final = {
    "n": "numeric",
    "g": "general",
    "h": "human",
    "M": "month",
    "V": "version",
    "R": "random",
}
_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_NUMBER: Final = re.compile(rb"[ \t\n]*(-?)(\d*)(?:\.(\d*))?([KkMGTPEZYRQ]?)")
_GENERAL: Final = re.compile(
    rb"\s*([-+]?(?:0x[0-9a-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?|nan))",
    re.IGNORECASE,
)
_UPPER: Final = bytes(byte - 32 if 97 <= byte <= 122 else byte for byte in range(256))
_NOT_DICTIONARY: Final = bytes(
    byte
    for byte in range(256)
    if not (chr(byte).isascii() and (chr(byte).isalnum() or byte in _BLANKS))
)
_UNPRINTABLE: Final = bytes(byte for byte in range(256) if not 32 <= byte < 127)


@dataclass(frozen=True, slots=True)
class Key:
    """A part of the line, and how it is compared.

    Attributes:
        field: The first field, from 0.
        character: The first character in it, from 0.
        end_field: The last field, from 0; None is the end of the line.
        end_character: How many of its characters belong to it; 0 is all.
        flags: Of `bdfginMhnRrV`, those that are in force.
        skip_start: Whether blanks before the first character are skipped.
        skip_end: Whether blanks before the last field's characters are.
    """

    field: int = 0
    character: int = 0
    end_field: int | None = None
    end_character: int = 0
    flags: str = ""
    skip_start: bool = False
    skip_end: bool = False

    @property
    def is_reverse(self) -> bool:
        return "r" in self.flags

    def extract(self, line: bytes, separator: bytes | None) -> bytes:
        """Return the part of a line that is compared."""
        if self.field == 0 and self.character == 0 and self.end_field is None:
            return line.lstrip(_BLANKS) if self.skip_start else line
        start = self._start(line, separator)
        end = self._end(line, separator)
        return line[start:end] if start < end else b""

    def _start(self, line: bytes, separator: bytes | None) -> int:
        position = _field_start(line, separator, self.field)
        if self.skip_start:
            position = _skip_blanks(line, position)
        return min(position + self.character, len(line))

    def _end(self, line: bytes, separator: bytes | None) -> int:
        if self.end_field is None:
            return len(line)
        if self.end_character == 0:
            return _field_end(line, separator, self.end_field)
        position = _field_start(line, separator, self.end_field)
        if self.skip_end:
            position = _skip_blanks(line, position)
        return min(position + self.end_character, len(line))


def _skip_blanks(line: bytes, position: int) -> int:
    return len(line) - len(line[position:].lstrip(_BLANKS))


_FIELD: Final = re.compile(rb"[ \t\n]*[^ \t\n]*")


def _field_start(line: bytes, separator: bytes | None, field: int) -> int:
    position = 0
    for _ in range(field):
        if separator is None:
            match = _FIELD.match(line, position)
            position = match.end() if match else len(line)
        else:
            position = line.find(separator, position) + 1
            if not position:
                return len(line)
        if position >= len(line):
            return len(line)
    return position


def _field_end(line: bytes, separator: bytes | None, field: int) -> int:
    position = _field_start(line, separator, field)
    if separator is None:
        match = _FIELD.match(line, position)
        return match.end() if match else len(line)
    end = line.find(separator, position)
    return len(line) if end < 0 else end


def parse_key(text: str) -> Key:
    """Read a key as `-k` takes it: `F[.C][OPTS][,F[.C][OPTS]]`.

    Raises:
        UsageError: It is none.
    """
    reader = _KeyReader(text)
    field = reader.number("invalid number at field start")
    if field == 0:
        raise reader.error("field number is zero")
    character = 1
    if reader.take("."):
        character = reader.number("invalid number after '.'")
        if character == 0:
            raise reader.error("character offset is zero")
    flags = reader.flags()
    key = Key(field - 1, character - 1, flags=flags, skip_start="b" in flags)
    if reader.take(","):
        end = reader.number("invalid number after ','")
        if end == 0:
            raise reader.error("field number is zero")
        count = reader.number("invalid number after '.'") if reader.take(".") else 0
        more = reader.flags()
        key = replace(
            key,
            end_field=end - 1,
            end_character=count,
            flags=flags.replace("b", "") + more.replace("b", ""),
            skip_end="b" in more,
        )
    if reader.rest:
        raise reader.error("stray character in field spec")
    return replace(key, flags=key.flags.replace("b", ""))


class _KeyReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.rest = text

    def take(self, letter: str) -> bool:
        if not self.rest.startswith(letter):
            return False
        self.rest = self.rest[1:]
        return True

    def number(self, message: str) -> int:
        digits = re.match(r"\d+", self.rest, re.ASCII)
        if digits is None:
            shown = quote_typographic(self.rest)
            raise UsageError(f"{message}: invalid count at start of {shown}", status=2, hint=False)
        self.rest = self.rest[digits.end() :]
        return min(int(digits.group()[:20]), 2**62)

    def flags(self) -> str:
        match = re.match("[bdfgiMhnRrV]*", self.rest)
        found = match.group() if match else ""
        self.rest = self.rest[len(found) :]
        return found

    def error(self, message: str) -> UsageError:
        return UsageError(
            f"{message}: invalid field specification {quote_typographic(self._text)}",
            status=2,
            hint=False,
        )


def check_flags(flags: str) -> None:
    """Make sure that the flags of a key go together.

    Raises:
        UsageError: They do not.
    """
    kinds = "".join(each for each in "dfghiMnRV" if each in flags and each in "dghMinRV")
    numeric = [each for each in kinds if each in "ghMn"]
    others = [each for each in kinds if each in "VRdi"]
    if len(numeric) > 1 or (numeric and others) or ("V" in others and "R" in others):
        bad = "".join(each for each in "dghiMnRV" if each in kinds)
        raise UsageError(f"options '-{bad}' are incompatible", status=2, hint=False)


def ordering(flags: str, salt: bytes) -> Callable[[bytes], Any] | None:
    """Return what turns a key into something that Python compares; None leaves it as it is."""
    kind = next((_KINDS[flag] for flag in flags if flag in _KINDS), None)
    clean = _cleaner(flags)
    if kind is None:
        return clean
    order = _ORDERS[kind] if kind != "random" else _shuffler(salt)
    if clean is None:
        return order
    return lambda key: order(clean(key))


def _cleaner(flags: str) -> Callable[[bytes], bytes] | None:
    drop = b""
    if "d" in flags:
        drop = _NOT_DICTIONARY
    elif "i" in flags:
        drop = _UNPRINTABLE
    table = _UPPER if "f" in flags else None
    if not drop and table is None:
        return None
    return lambda key: key.translate(table, drop)


def _numeric(key: bytes) -> Any:
    match = _NUMBER.match(key)
    assert match is not None
    sign, whole, fraction = match[1], match[2], match[3]
    if not fraction:
        value: Any = int(whole) if whole and len(whole) < 4000 else _long_number(whole)
    else:
        value = _exact(whole, fraction)
    return -value if sign else value


def _long_number(digits: bytes) -> Any:
    return Decimal(digits.decode()) if digits else 0


def _exact(whole: bytes, fraction: bytes) -> Any:
    from fractions import Fraction

    digits = (whole + fraction)[:4000]
    return Fraction(int(digits or b"0"), 10 ** len(fraction[: max(0, 4000 - len(whole))]))


def _human(key: bytes) -> Any:
    match = _NUMBER.match(key)
    assert match is not None
    value = _numeric(key)
    unit = match[4].upper()
    power = b"KMGTPEZYRQ".index(unit) + 1 if unit and value else 0
    sign = (value > 0) - (value < 0)
    return (sign, sign * power, value)


def _general(key: bytes) -> Any:
    match = _GENERAL.match(key)
    if match is None:
        return (0, Decimal(0))
    text = match[1].decode().lower()
    try:
        value = Decimal(int(text, 16)) if "0x" in text else Decimal(text)
    except (InvalidOperation, ValueError):
        return (0, Decimal(0))
    return (1, Decimal(0)) if value.is_nan() else (2, value)


def _month(key: bytes) -> int:
    name = key.lstrip(_BLANKS)[:3].upper().decode("latin-1")
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _version(key: bytes) -> Any:
    return VersionKey(key)


def _shuffler(salt: bytes) -> Callable[[bytes], bytes]:
    import hashlib

    return lambda key: hashlib.blake2b(key, key=salt[:64], digest_size=16).digest()


_ORDERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "numeric": _numeric,
    "general": _general,
    "human": _human,
    "month": _month,
    "version": _version,
}

# Versions, as gnulib's `filevercmp` compares them.

_SUFFIX: Final = re.compile(rb"(?:\.[A-Za-z~][A-Za-z0-9~]*)*$")
_DIGITS: Final = re.compile(rb"\d*")
_NON_DIGITS: Final = re.compile(rb"\D*")


def _ranks(part: bytes) -> tuple[int, ...]:
    ranks = []
    for byte in part:
        if byte == 0x7E:
            ranks.append(-2)
        elif chr(byte).isalpha() and byte < 128:
            ranks.append(byte)
        else:
            ranks.append(byte + 256)
    return tuple(ranks)


def _pieces(name: bytes) -> tuple[Any, ...]:
    """Split a name so that comparing the tuples compares the versions.

    Runs without digits end in a rank below every character but `~`, as the end of the
    name has it there.
    """
    parts: list[Any] = []
    position = 0
    while True:
        text = _NON_DIGITS.match(name, position)
        assert text is not None
        number = _DIGITS.match(name, text.end())
        assert number is not None
        digits = number.group().lstrip(b"0")
        parts.append((*_ranks(text.group()), -1))
        parts.append((len(digits), digits))
        position = number.end()
        if position >= len(name):
            return tuple(parts)


class VersionKey:
    """Orders names by the numbers in them: `a2` before `a10`."""

    __slots__ = ("_key",)

    def __init__(self, name: bytes) -> None:
        special = {b"": 0, b".": 1, b"..": 2}.get(name)
        if special is not None:
            self._key: tuple[Any, ...] = (special,)
            return
        hidden = name.startswith(b".")
        body = name[1:] if hidden else name
        match = _SUFFIX.search(body)
        stem = body[: match.start()] if match else body
        self._key = (3 if hidden else 4, _pieces(stem), _pieces(body))

    def __lt__(self, other: VersionKey) -> bool:
        return self._key < other._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VersionKey) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)
