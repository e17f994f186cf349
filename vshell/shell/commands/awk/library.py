"""The functions of the language that need nothing but their arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from vshell.shell.commands.awk import values
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.patterns import Pattern, Span
from vshell.shell.commands.awk.record import (
    split_blanks,
    split_contents,
    split_with_separators,
)
from vshell.shell.commands.awk.values import UNSET, Array, NumericText, from_outside
from vshell.shell.timeformat import format_time, zone_of

__all__ = ["FUNCTIONS"]

_MARK: Final = re.compile(r"\\*&")
_GENERAL_MARK: Final = re.compile(r"\\[0-9]|\\.|&", re.DOTALL)
_DATE: Final = re.compile(r"\s*(-?\d{1,9})" + r"\s+(-?\d{1,9})" * 5 + r"(?:\s+(-?\d{1,9}))?\s*")
_KEYS: Final[list[str]] = []
_MOST_KEYS: Final = 1000
"""The keys that pieces have, kept as far as they are often needed."""
_MAX_TEXT: Final = 512 * 1024 * 1024


class Host(Protocol):
    """What splitting asks: see `Separators`."""

    def splitter(self, value: str) -> Callable[[str], list[str]]: ...
    def pattern(self, source: str) -> Pattern: ...


# Texts.


def substr(text: str, start: float, length: float | None = None) -> str:
    """Return part of a text, as gawk does it: fractions are cut off, and 1 is the least start."""
    try:
        first = int(start) - 1
        first = max(first, 0)
        if length is None:
            return text[first:]
        return text[first : first + int(length)] if length > 0.0 else ""
    except OverflowError:  # infinite
        return "" if start > 0 and start == math.inf else text[: int(min(length or 0.0, 1e15))]
    except ValueError:  # not a number
        return ""


def index(text: str, wanted: str) -> float:
    return float(text.find(wanted) + 1)


def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def _lower(letter: str) -> str:
    found = letter.lower()
    return found if len(found) == 1 else letter


def _upper(letter: str) -> str:
    found = letter.upper()
    return found if len(found) == 1 else letter


def size(value: object) -> float | None:
    """Return how many elements an array has, or None for what is none."""
    return float(len(value)) if isinstance(value, Array) else None


def type_of(value: object) -> str:
    if isinstance(value, Array):
        return "array"
    if value is UNSET:
        return "untyped"
    if isinstance(value, float):
        return "number"
    return "strnum" if isinstance(value, NumericText) else "string"


def is_array(value: object) -> float:
    return float(isinstance(value, Array))


# Replacing.


def substitute(pattern: Pattern, replacement: str, text: str, *, every: bool) -> tuple[str, int]:
    """Return a text with the first or all matches replaced, and how many these are."""
    if pattern.literal is not None:
        found = text.count(pattern.literal)
        if not every:
            found = min(found, 1)
        if not found or ("&" not in replacement and "\\" not in replacement):
            new = text.replace(pattern.literal, replacement, found) if found else text
            return _bounded(new), found
    parts: list[str] = []
    place = count = 0
    fill = _filler(replacement)
    for match in pattern.matches(text) if every else _first(pattern, text):
        start, end = match.span()
        parts += (text[place:start], fill(text[start:end]))
        place = end
        count += 1
    if not count:
        return text, 0
    parts.append(text[place:])
    return _bounded("".join(parts)), count


def _first(pattern: Pattern, text: str) -> list[Span]:
    found = pattern.search(text)
    return [] if found is None else [found]


def _bounded(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise AwkFatal("a text grew too long")
    return text


def _filler(replacement: str) -> Callable[[str], str]:
    """Return what makes the text for a match: `&` is the match, `\\\\&` an ampersand."""
    if "&" not in replacement and "\\" not in replacement:
        return lambda _: replacement
    pieces: list[str | None] = []
    place = 0
    for mark in _MARK.finditer(replacement):
        slashes = len(mark[0]) - 1
        pieces.append(replacement[place : mark.start()])
        place = mark.end()
        if slashes % 2:
            pieces.append("\\" * (slashes // 2) + "&")
        else:
            pieces += ("\\" * (slashes // 2), None)
    pieces.append(replacement[place:])
    return lambda match: "".join(match if piece is None else piece for piece in pieces)


def general_substitute(pattern: Pattern, replacement: str, text: str, which: int) -> str:
    """Return a text with the match of a number (0: all) replaced; `\\\\1` is a group."""
    parts: list[str] = []
    place = 0
    for count, match in enumerate(pattern.matches(text), 1):
        if which and count != which:
            continue
        start, end = match.span()
        parts += (text[place:start], _filled(replacement, match))
        place = end
        if which:
            break
    return _bounded("".join((*parts, text[place:])))


def _filled(replacement: str, match: Span) -> str:
    return _GENERAL_MARK.sub(lambda mark: _group(mark[0], match), replacement)


def _group(mark: str, match: Span) -> str:
    if mark == "&":
        return match.group() or ""
    if mark[1].isdecimal():
        try:
            return match.group(int(mark[1])) or ""
        except IndexError:
            return ""
    return mark[1]


def fill_groups(groups: Array, match: Span, count: int, separator: str) -> None:
    """Fill the array of `match` with what each group matched, where, and how long it is."""
    for number in range(count + 1):
        text = match.group(number)
        if text is None:
            continue
        key = str(number)
        groups[key] = from_outside(text)
        groups[f"{key}{separator}start"] = match.start(number) + 1.0
        groups[f"{key}{separator}length"] = float(len(text))


# Splitting.


def splits(
    text: str, how: Pattern | str, host: Host, *, separators: bool
) -> tuple[list[str], list[str]]:
    """Return the pieces of a text, and, if they are wanted, the separators between them."""
    if not text:
        return [], []
    if separators and how != "":
        return _with_separators(text, how, host.pattern)
    if isinstance(how, Pattern):
        return split_with_separators(text, how)[0], []
    return split_blanks(text) if how == " " else host.splitter(how)(text), []


def keep_separators(array: Array, between: list[str], *, blanks: bool) -> None:
    """Fill the array of the separators of `split`; with blanks, what is around counts, too."""
    array.clear()
    array.update((str(place), part) for place, part in enumerate(between, 0 if blanks else 1))
    if blanks:
        for place in ("0", str(len(between) - 1)):
            if array.get(place) == "":
                del array[place]


def _with_separators(
    text: str, how: Pattern | str, pattern: Callable[[str], Pattern]
) -> tuple[list[str], list[str]]:
    if how == " ":
        words = pattern("[^ \t\n]+")
        return split_contents(text, words)
    if isinstance(how, Pattern):
        return split_with_separators(text, how)
    source = how if len(how) > 1 else re.sub(r"[\\^$.\[\]|()*+?{}]", r"\\\g<0>", how)
    return split_with_separators(text, pattern(source))


def fill(array: Array, pieces: list[str], raw: bool) -> float:
    """Make an array's elements these texts from outside, from 1 on; return how many they are."""
    array.clear()
    while len(_KEYS) < len(pieces) <= _MOST_KEYS:
        _KEYS.append(str(len(_KEYS) + 1))
    keys = _KEYS if len(pieces) <= _MOST_KEYS else map(str, range(1, len(pieces) + 1))
    array.update(zip(keys, pieces if raw else map(from_outside, pieces), strict=False))
    return float(len(pieces))


# Numbers.


def _guarded(function: Callable[[float], float], otherwise: float) -> Callable[[float], float]:
    def guarded(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return math.inf
        except ValueError:
            return otherwise

    return guarded


def logarithm(value: float) -> float:
    return -math.inf if value == 0 else math.log(value) if value > 0 else -math.nan


def string_number(value: object) -> float:
    """Return a number that is written in decimal, octal or hexadecimal digits."""
    if isinstance(value, float):
        return value
    text = str(value).lstrip(" \t\n")
    negative = text.startswith("-")
    digits = text.lstrip("+-")
    base, allowed = 10, ""
    if digits[:2] in ("0x", "0X"):
        base, digits, allowed = 16, digits[2:], "0123456789abcdefABCDEF"
    elif digits.startswith("0") and not re.match(r"[0-9]*[.eE89]", digits):
        base, allowed = 8, "01234567"
    if base == 10:
        return values.text_number(text)
    end = next((at for at, letter in enumerate(digits) if letter not in allowed), len(digits))
    found = float(int(digits[:end] or "0", base)) if end < 300 else math.inf
    return -found if negative else found


def _bits(name: str, *arguments: float) -> list[int]:
    for number, value in enumerate(arguments, 1):
        if not 0 <= value < 2.0**64:
            raise AwkFatal(f"{name}: argument {number} negative value {value:g} is not allowed")
    return [int(value) for value in arguments]


def _combined(name: str, combine: Callable[[int, int], int]) -> Callable[..., float]:
    def combined(*arguments: float) -> float:
        first, *others = _bits(name, *arguments)
        for other in others:
            first = combine(first, other)
        return float(first)

    return combined


def left_shift(value: float, places: float) -> float:
    found, by = _bits("lshift", value, places)
    return float((found << min(by, 64)) & (2**64 - 1))


def right_shift(value: float, places: float) -> float:
    found, by = _bits("rshift", value, places)
    return float(found >> min(by, 64))


def complement(value: float) -> float:
    (found,) = _bits("compl", value)
    return float(2**53 - 1 - (found & (2**53 - 1)))


# Time.


def strftime(pattern: str, seconds: float, environment: Mapping[str, str]) -> str:
    """Return a time as text."""
    if not abs(seconds) < 2.0**62 / 10**9:
        raise AwkFatal("strftime: second argument out of range for time_t")
    return format_time(pattern, int(seconds) * 10**9, zone_of(environment))


def mktime(text: str, environment: Mapping[str, str]) -> float:
    """Return the seconds of `YYYY MM DD HH MM SS`; -1 for anything else."""
    match = _DATE.fullmatch(text)
    if match is None:
        return -1.0
    year, month, day, hour, minute, second = (int(each) for each in match.groups()[:6])
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    try:
        shift = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
        when = datetime(year, month, 1) + shift
        return float(int(when.replace(tzinfo=zone_of(environment)).timestamp()))
    except (ValueError, OverflowError):
        return -1.0


FUNCTIONS: Final[dict[str, Any]] = {
    "substr": substr,
    "index": index,
    "lower": lower,
    "upper": upper,
    "size": size,
    "type_of": type_of,
    "is_array": is_array,
    "sin": _guarded(math.sin, -math.nan),
    "cos": _guarded(math.cos, -math.nan),
    "atan2": math.atan2,
    "exp": _guarded(math.exp, math.nan),
    "sqrt": _guarded(math.sqrt, -math.nan),
    "logarithm": logarithm,
    "string_number": string_number,
    "bits_and": _combined("and", lambda one, other: one & other),
    "bits_or": _combined("or", lambda one, other: one | other),
    "bits_xor": _combined("xor", lambda one, other: one ^ other),
    "left_shift": left_shift,
    "right_shift": right_shift,
    "complement": complement,
    "fmod": math.fmod,
    "power": values.power,
    "remainder": values.remainder,
    "truncate": values.truncate,
    "from_outside": from_outside,
    "field_truth": values.field_truth,
}
"""What the compiled program calls, by name."""
