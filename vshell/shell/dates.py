"""Dates as people type them, read as GNU's `parse_datetime` does (`touch -d`, `date -d`).

Understood: `2024-02-28`, `20240228`, `2/28/2024`, `28 Feb 2024`, `Feb 28, 2024`,
`28-Feb-2024`, `14:05`, `2:05:09.5 pm`, `2024-02-28T14:05:09+01:00`, zones by name,
`@1700000000.5`, weekdays, `yesterday`, `now`, and shifts such as `3 days ago`, `+2 weeks`,
`next month`, `last friday`; all of these together, in any order.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from vshell.shell.timeformat import moment, zone

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_MONTH_NAMES: Final = (
    {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
    | {name: number + 1 for number, name in enumerate(_MONTHS)}
    | {"sept": 9}
)
_WEEKDAYS: Final = {
    spelling: number
    for number, spellings in enumerate(
        ("mon monday", "tue tues tuesday", "wed wednes wednesday", "thu thur thurs thursday",
         "fri friday", "sat saturday", "sun sunday")
    )
    for spelling in spellings.split()
}  # fmt: skip
_UNITS: Final = {
    "year": ("months", 12), "month": ("months", 1), "fortnight": ("days", 14),
    "week": ("days", 7), "day": ("days", 1), "hour": ("seconds", 3600),
    "minute": ("seconds", 60), "min": ("seconds", 60), "second": ("seconds", 1),
    "sec": ("seconds", 1),
}  # fmt: skip
_ORDINALS: Final = {
    "last": -1, "this": 0, "next": 1, "first": 1, "third": 3, "fourth": 4, "fifth": 5,
    "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_ZONES: Final[dict[str, float]] = {
    "gmt": 0, "ut": 0, "utc": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "met": 1, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "ist": 5.5, "jst": 9, "nst": -3.5,
    "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7, "akst": -9, "hst": -10, "nzst": 12, "nzdt": 13,
}  # fmt: skip
_TIME: Final = re.compile(
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?(?:\s*([ap])\.?m\b\.?)?(?:\s*([-+])(\d{1,2})(?::?(\d{2}))?(?![\d:]))?",
    re.IGNORECASE,
)
_HOUR: Final = re.compile(r"(\d{1,2})\s*([ap])\.?m\b\.?", re.IGNORECASE)
_ISO_DATE: Final = re.compile(r"(\d{4,})-(\d{1,2})-(\d{1,2})(?:[tT](?=\d))?")
_SHORT_ISO: Final = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHES: Final = re.compile(r"(\d+)/(\d{1,2})(?:/(\d+))?")
_DAY_MONTH: Final = re.compile(
    r"(\d{1,2})(?:\s*-\s*|\s*)([a-z]{3,9})\.?(?:(?:\s*-\s*|[\s,]+)(\d{4}|\d{2}(?![\d:]))(?![:\d]))?",
    re.IGNORECASE,
)
_MONTH_DAY: Final = re.compile(
    r"([a-z]{3,9})\.?[\s-]*(\d{1,2})(?![\d:])(?:(?:\s*,\s*|-)(\d{2,4})|\s+(\d{4})(?![:\d]))?",
    re.IGNORECASE,
)
_SHIFT: Final = re.compile(r"([-+]?)\s*(\d+)\s*([a-z]+)", re.IGNORECASE)
_ZONE_SHIFT: Final = re.compile(r"([-+])(\d{1,2})(?::?(\d{2}))?(?![\d:])")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[tT](?=\d))?(?!\d)")
_NUMBER: Final = re.compile(r"\d+")
_WORD: Final = re.compile(r"[a-z]+", re.IGNORECASE)
_NS: Final = 1_000_000_000
_MAX_SHIFT: Final = 10**12


class BadDateError(ValueError):
    """The text is no date."""


@dataclass
class _Parts:
    """What was read so far."""

    date: tuple[int, int, int] | None = None
    time: tuple[int, int, int, int] | None = None
    where: tzinfo | None = None
    weekday: tuple[int, int] | None = None
    months: int = 0
    days: int = 0
    seconds: int = 0
    shifts: list[tuple[str, int]] = field(default_factory=list)

    def shift(self, unit: str, amount: int) -> None:
        if abs(amount) > _MAX_SHIFT:
            raise BadDateError
        self.shifts.append((unit, amount))
        setattr(self, unit, getattr(self, unit) + amount)

    def turn_back(self) -> None:
        """Let the last shift go the other way: `ago`."""
        if not self.shifts:
            raise BadDateError
        unit, amount = self.shifts.pop()
        setattr(self, unit, getattr(self, unit) - 2 * amount)


def parse_date(text: str, now_ns: int, where: tzinfo) -> int:
    """Return the time that a text says, in nanoseconds since 1970.

    Args:
        text: What was typed; nothing at all is this day's start.
        now_ns: The present time.
        where: The zone that a text without one is meant in.

    Raises:
        BadDateError: The text is no date, or one before the year 1 or after 9999.
    """
    text = text.strip()
    zoned = re.match(r'TZ="([^"]*)"\s*', text)
    if zoned:
        where, text = zone(zoned[1]), text[zoned.end() :]
    if text.startswith("@"):
        return _seconds(text[1:])
    parts = _Parts()
    rest = re.sub(r"\([^()]*\)", " ", text)
    if not rest:
        parts.time = (0, 0, 0, 0)
    while rest := rest.lstrip(" \t\n,"):
        rest = _take(rest, parts)
    try:
        return _resolve(parts, now_ns, where)
    except (ValueError, OverflowError):
        raise BadDateError(text) from None


def _seconds(text: str) -> int:
    found = re.fullmatch(r"\s*([-+]?)(\d{1,15})(?:[.,](\d+))?\s*", text)
    if not found:
        raise BadDateError(text)
    value = int(found[2]) * _NS + int((found[3] or "0")[:9].ljust(9, "0"))
    return -value if found[1] == "-" else value


def _take(text: str, parts: _Parts) -> str:
    """Read what the text begins with, and return the rest."""
    for pattern, reader in _READERS:
        found = pattern.match(text)
        if found and reader(found, parts):
            return text[found.end() :]
    raise BadDateError(text)


def _set_date(parts: _Parts, year: int, month: int, day: int) -> bool:
    if parts.date is not None or not 1 <= month <= 12 or not 1 <= day <= 31:
        raise BadDateError
    parts.date = (year, month, day)
    return True


def _year(text: str) -> int:
    number = int(text)
    if len(text) <= 2:
        return number + (2000 if number < 69 else 1900)
    return number


def _read_iso(found: re.Match[str], parts: _Parts) -> bool:
    return _set_date(parts, int(found[1]), int(found[2]), int(found[3]))


def _read_short_iso(found: re.Match[str], parts: _Parts) -> bool:
    return _set_date(parts, _year(found[1]), int(found[2]), int(found[3]))


def _read_slashes(found: re.Match[str], parts: _Parts) -> bool:
    first, second, third = found.groups()
    if third is None:
        return _set_date(parts, 0, int(first), int(second))
    if len(first) >= 4:
        return _set_date(parts, int(first), int(second), int(third))
    return _set_date(parts, _year(third), int(first), int(second))


def _read_day_month(found: re.Match[str], parts: _Parts) -> bool:
    month = _MONTH_NAMES.get(found[2].lower())
    if month is None:
        return False
    return _set_date(parts, _year(found[3]) if found[3] else 0, month, int(found[1]))


def _read_month_day(found: re.Match[str], parts: _Parts) -> bool:
    month = _MONTH_NAMES.get(found[1].lower())
    if month is None:
        return False
    year = found[3] or found[4]
    return _set_date(parts, _year(year) if year else 0, month, int(found[2]))


def _read_time(found: re.Match[str], parts: _Parts) -> bool:
    hour, minute, second, fraction, half, sign, hours, minutes = found.groups()
    number = _hour(int(hour), half)
    if parts.time is not None or number > 24 or int(minute) > 59 or int(second or 0) > 60:
        raise BadDateError
    nanoseconds = int((fraction or "0")[:9].ljust(9, "0"))
    parts.time = (number, int(minute), int(second or 0), nanoseconds)
    if sign:
        parts.where = _fixed(sign, hours, minutes)
    return True


def _read_hour(found: re.Match[str], parts: _Parts) -> bool:
    if parts.time is not None:
        raise BadDateError
    parts.time = (_hour(int(found[1]), found[2]), 0, 0, 0)
    return True


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise BadDateError
    return hour % 12 + (12 if half in "pP" else 0)


def _fixed(sign: str, hours: str, minutes: str | None) -> tzinfo:
    shift = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if shift > timedelta(hours=23, minutes=59):
        raise BadDateError
    return timezone(-shift if sign == "-" else shift)


def _read_shift(found: re.Match[str], parts: _Parts) -> bool:
    name = found[3].lower()
    unit = _UNITS.get(name) or _UNITS.get(name.removesuffix("s"))
    if unit is None:
        return False
    amount = int(found[2]) * (-1 if found[1] == "-" else 1)
    parts.shift(unit[0], amount * unit[1])
    return True


def _read_zone_shift(found: re.Match[str], parts: _Parts) -> bool:
    if parts.time is None and parts.date is None:
        return False
    parts.where = _fixed(found[1], found[2], found[3])
    return True


def _read_number(found: re.Match[str], parts: _Parts) -> bool:
    digits = found[0]
    if parts.date is not None and not parts.date[0] and parts.time is not None:
        parts.date = (_year(digits), *parts.date[1:])
        return True
    if parts.time is not None or len(digits) > 4:
        raise BadDateError
    hour, minute = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hour > 24 or minute > 59:
        raise BadDateError
    parts.time = (hour, minute, 0, 0)
    return True


def _read_word(found: re.Match[str], parts: _Parts) -> bool:
    word = found[0].lower()
    if word in ("now", "today"):
        parts.shifts.clear()
    elif word in ("yesterday", "tomorrow"):
        parts.shift("days", 1 if word[0] == "t" else -1)
    elif word == "ago":
        parts.turn_back()
    elif word in _WEEKDAYS:
        parts.weekday = (_WEEKDAYS[word], 0)
    elif word in _ZONES:
        parts.where = timezone(timedelta(hours=_ZONES[word]), word.upper())
    else:
        unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
        if unit is None:
            raise BadDateError
        parts.shift(*unit)
    return True


_ORDINAL: Final = re.compile(rf"({'|'.join(_ORDINALS)})\s+([a-z]+)", re.IGNORECASE)


def _read_ordinal(found: re.Match[str], parts: _Parts) -> bool:
    amount, word = _ORDINALS[found[1].lower()], found[2].lower()
    if word in _WEEKDAYS:
        parts.weekday = (_WEEKDAYS[word], amount)
        return True
    unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
    if unit is None:
        raise BadDateError
    parts.shift(unit[0], unit[1] * amount)
    return True


_READERS: Final = (
    (_ISO_DATE, _read_iso),
    (_TIME, _read_time),
    (_HOUR, _read_hour),
    (_SHORT_ISO, _read_short_iso),
    (_SLASHES, _read_slashes),
    (_DAY_MONTH, _read_day_month),
    (_SHIFT, _read_shift),
    (_COMPACT, _read_iso),
    (_ORDINAL, _read_ordinal),
    (_MONTH_DAY, _read_month_day),
    (_ZONE_SHIFT, _read_zone_shift),
    (_NUMBER, _read_number),
    (_WORD, _read_word),
)


def _resolve(parts: _Parts, now_ns: int, where: tzinfo) -> int:
    where = parts.where or where
    now = moment(now_ns, where)
    if now is None:
        raise BadDateError
    nanoseconds = now_ns % _NS
    when = now.replace(microsecond=0, tzinfo=None)
    fixed_day = parts.date is not None or parts.weekday is not None
    only_shifts = bool(parts.months or parts.days or parts.seconds) or not fixed_day
    if parts.date is not None:
        year, month, day = parts.date
        when = when.replace(year=year or now.year, month=month, day=day)
    if parts.time is not None:
        hour, minute, second, nanoseconds = parts.time
        when = when.replace(hour=hour % 24, minute=minute, second=min(second, 59))
        when += timedelta(days=hour // 24, seconds=second - min(second, 59))
    elif fixed_day or not only_shifts:
        when, nanoseconds = when.replace(hour=0, minute=0, second=0), 0
    if parts.weekday is not None and parts.date is None:
        day_number, ordinal = parts.weekday
        ahead = (day_number - when.weekday()) % 7
        weeks = ordinal - (1 if ordinal > 0 and ahead else 0)
        when += timedelta(days=ahead + 7 * weeks)
    when = _add_months(when, parts.months) + timedelta(days=parts.days)
    local = when.replace(tzinfo=where)
    seconds = int((local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return (seconds + parts.seconds) * _NS + nanoseconds


def _add_months(when: datetime, months: int) -> datetime:
    """Add months as `mktime` does: the 31st of a month of 30 days is the next month's first."""
    if not months:
        return when
    total = when.year * 12 + when.month - 1 + months
    first = when.replace(year=total // 12, month=total % 12 + 1, day=1)
    return first + timedelta(days=when.day - 1)
