"""`strftime` as GNU's `date`, `ls --time-style`, `stat` and `find -printf` have it.

Beyond C's: `%N` and its cut forms (`%3N`), `%:z`, `%s`, `%q`, flags (`-`, `_`, `0`, `+`,
`^`, `#`) and widths. The names are those of the C locale.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DIRECTIVE: Final = re.compile(r"%([-_0+^#]*)(\d*)(:{0,3})([EO]?)(.)?", re.DOTALL)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_WIDTH: Final = 4096

_NUMBERS: Final[dict[str, tuple[int, str, Callable[[datetime], int]]]] = {
    "C": (2, "0", lambda when: when.year // 100),
    "d": (2, "0", lambda when: when.day),
    "e": (2, " ", lambda when: when.day),
    "g": (2, "0", lambda when: when.isocalendar()[0] % 100),
    "G": (0, "0", lambda when: when.isocalendar()[0]),
    "H": (2, "0", lambda when: when.hour),
    "I": (2, "0", lambda when: when.hour % 12 or 12),
    "j": (3, "0", lambda when: when.timetuple().tm_yday),
    "k": (2, " ", lambda when: when.hour),
    "l": (2, " ", lambda when: when.hour % 12 or 12),
    "m": (2, "0", lambda when: when.month),
    "M": (2, "0", lambda when: when.minute),
    "q": (0, "0", lambda when: (when.month + 2) // 3),
    "S": (2, "0", lambda when: when.second),
    "u": (0, "0", lambda when: when.isoweekday()),
    "U": (2, "0", lambda when: (when.timetuple().tm_yday + 6 - when.isoweekday() % 7) // 7),
    "V": (2, "0", lambda when: when.isocalendar()[1]),
    "w": (0, "0", lambda when: when.isoweekday() % 7),
    "W": (2, "0", lambda when: (when.timetuple().tm_yday + 6 - when.weekday()) // 7),
    "y": (2, "0", lambda when: when.year % 100),
    "Y": (0, "0", lambda when: when.year),
}
"""Width, filling and value of what is a number."""

_WORDS: Final[dict[str, Callable[[datetime], str]]] = {
    "a": lambda when: _DAYS[when.weekday()][:3],
    "A": lambda when: _DAYS[when.weekday()],
    "b": lambda when: _MONTHS[when.month - 1][:3],
    "B": lambda when: _MONTHS[when.month - 1],
    "h": lambda when: _MONTHS[when.month - 1][:3],
    "p": lambda when: "PM" if when.hour >= 12 else "AM",
    "P": lambda when: "pm" if when.hour >= 12 else "am",
    "Z": lambda when: when.tzname() or "",
    "n": lambda _: "\n",
    "t": lambda _: "\t",
    "%": lambda _: "%",
}
_COMPOSED: Final = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "r": "%I:%M:%S %p",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}


def zone_of(environment: Mapping[str, str]) -> tzinfo:
    """Return the time zone that TZ names; UTC when there is none such."""
    return zone(environment.get("TZ", ""))


def zone(name: str) -> tzinfo:
    """Return a time zone by its name, such as `Europe/Berlin` or `EST5`; else UTC."""
    name = name.removeprefix(":")
    if name in ("", "UTC", "UTC0", "GMT", "GMT0"):
        return UTC
    fixed = re.fullmatch(r"<?([A-Za-z]{3,}|[-+0-9A-Za-z]+)>?([-+]?)(\d{1,2})(?::?(\d\d))?", name)
    if fixed:
        shift = timedelta(hours=int(fixed[3]), minutes=int(fixed[4] or 0))
        if shift < timedelta(hours=24):
            return timezone(shift if fixed[2] == "-" else -shift, fixed[1])
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        if "," in name:
            return ZoneInfo.from_file(io.BytesIO(_zone_file(name)))
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _zone_file(rule: str) -> bytes:
    """Return a file of a zone that has no changes but those of a rule, as TZ spells it."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    empty = b"TZif2" + bytes(15) + counts + struct.pack(">lBB", 0, 0, 0) + b"UTC\0"
    return empty + empty + b"\n" + rule.encode("ascii", "replace") + b"\n"


def moment(time_ns: int, where: tzinfo) -> datetime | None:
    """Return a time in a zone, without what is below a microsecond; None outside 1-9999."""
    try:
        return (_EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(where)
    except OverflowError:
        return None


def format_time(pattern: str, time_ns: int, where: tzinfo) -> str:
    """Return a time as a pattern says.

    Args:
        pattern: Such as `%Y-%m-%d %H:%M:%S.%N`.
        time_ns: Nanoseconds since 1970.
        where: The time zone.
    """
    when = moment(time_ns, where)
    if when is None:
        return str(time_ns // 1_000_000_000)
    return _DIRECTIVE.sub(lambda found: _directive(found, when, time_ns), pattern)


def _directive(found: re.Match[str], when: datetime, time_ns: int) -> str:
    flags, width_text, colons, _, letter = found.groups()
    width = min(int(width_text), _MAX_WIDTH) if width_text else -1
    if letter in _NUMBERS and not colons:
        least, fill, value = _NUMBERS[letter]
        return _number(value(when), least if width < 0 else width, fill, flags)
    if letter == "N":
        return _fraction(time_ns, width, flags)
    if letter == "s":
        return _number(time_ns // 1_000_000_000, max(width, 0), "0", flags)
    if letter == "z":
        return _offset(when, len(colons), flags, width)
    if letter in _COMPOSED and not colons:
        text = _DIRECTIVE.sub(lambda inner: _directive(inner, when, time_ns), _COMPOSED[letter])
    elif letter in _WORDS and not colons:
        text = _WORDS[letter](when)
    else:
        return found[0]
    return _cased(text, letter, flags).rjust(width, "0" if "0" in flags else " ")


def _cased(text: str, letter: str, flags: str) -> str:
    if "^" in flags:
        return text.upper()
    if "#" in flags:
        return text.lower() if letter in "pZ" else text.upper()
    return text


def _number(value: int, width: int, fill: str, flags: str) -> str:
    for flag in flags:
        if flag in "-_0+":
            fill = {"-": "", "_": " ", "0": "0", "+": "0"}[flag]
    digits = str(abs(value))
    sign = "-" if value < 0 else ""
    if not fill:
        return sign + digits
    if fill == " ":
        return (sign + digits).rjust(width)
    return sign + digits.rjust(width - len(sign), "0")


def _fraction(time_ns: int, width: int, flags: str) -> str:
    digits = f"{time_ns % 1_000_000_000:09}"
    if width <= 0:
        width = 9
    shown = digits[:width].ljust(width, "0")
    if "_" in flags:
        return (shown.rstrip("0") or "0").ljust(width)
    return shown


def _offset(when: datetime, colons: int, flags: str, width: int) -> str:
    shift = when.utcoffset() or timedelta()
    sign = "-" if shift < timedelta() else "+"
    seconds = abs(int(shift.total_seconds()))
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if not hours and not colons and flags.strip("^#") in ("-", "_"):
        tail = f"{minutes:02}" if minutes else ""
    elif colons == 3:
        tail = f":{minutes:02}:{rest:02}" if rest else f":{minutes:02}" if minutes else ""
    else:
        tail = (f"{minutes:02}", f":{minutes:02}", f":{minutes:02}:{rest:02}")[colons]
    if "_" in flags:
        return (sign + str(hours) + tail).rjust(max(width, 3 + len(tail)))
    head = f"{hours}" if "-" in flags else f"{hours:02}".rjust(width - 1 - len(tail), "0")
    return sign + head + tail
