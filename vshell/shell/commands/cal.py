"""`cal`: months on a page; and `uuidgen`."""

from __future__ import annotations

import calendar
import re
import uuid
from collections.abc import Sequence
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import Failure, failing
from vshell.shell.timeformat import moment, zone_of

_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_GAP: Final = "  "


def _days_of(year: int, month: int) -> list[int]:
    """Return the days of a month; England left out eleven in September 1752."""
    if (year, month) == (1752, 9):
        return [1, 2, *range(14, 31)]
    if year < 1753 and (year, month) < (1752, 9):
        leap = year % 4 == 0
        return list(range(1, (29 if leap else 28) + 1 if month == 2 else _LENGTHS[month - 1] + 1))
    return list(range(1, calendar.monthrange(year, month)[1] + 1))


def _first_weekday(year: int, month: int) -> int:
    """Return the weekday of a month's first day; 0 is Sunday."""
    if (year, month) > (1752, 9):
        return (calendar.weekday(year, month, 1) + 1) % 7
    # The Julian calendar, by Zeller's congruence.
    shifted, base = (month + 12, year - 1) if month < 3 else (month, year)
    return (1 + 13 * (shifted + 1) // 5 + base + base // 4 + 5 - 1) % 7


class _Page:
    def __init__(self, *, days_of_year: bool) -> None:
        self._julian = days_of_year
        self._cell = 3 if days_of_year else 2
        self.width = 7 * (self._cell + 1) - 1

    def month(self, year: int, month: int, *, with_year: bool) -> list[str]:
        title = f"{_MONTHS[month - 1]} {year}" if with_year else _MONTHS[month - 1]
        names = ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"]
        head = " ".join(name.rjust(self._cell) for name in names)
        start = _first_weekday(year, month)
        days = _days_of(year, month)
        before = sum(len(_days_of(year, each)) for each in range(1, month)) if self._julian else 0
        numbers = [before + place for place in range(1, len(days) + 1)] if self._julian else days
        cells = [" " * self._cell] * start + [str(number).rjust(self._cell) for number in numbers]
        weeks = [
            " ".join(cells[place : place + 7]).ljust(self.width)
            for place in range(0, len(cells), 7)
        ]
        weeks += [" " * self.width] * (6 - len(weeks))
        return [_centered(title, self.width), head, *weeks]


def _centered(text: str, width: int) -> str:
    left = (width - len(text)) // 2
    return (" " * left + text).ljust(width)


def _print(
    call: Invocation,
    page: _Page,
    months: Sequence[tuple[int, int]],
    *,
    columns: int,
    with_year: bool,
) -> None:
    for start in range(0, len(months), columns):
        blocks = [
            page.month(year, month, with_year=with_year)
            for year, month in months[start : start + columns]
        ]
        for row in zip(*blocks, strict=True):
            call.write("".join(line + _GAP for line in row) + "\n")


@failing
def run_cal(call: Invocation) -> int:
    parsed = call.parsed
    now = moment(call.context.files.store.now(), zone_of(call.environment))
    if now is None:
        raise Failure("the time is out of range")
    page = _Page(days_of_year=parsed.flag("j"))
    year, month, whole_year = _wanted(call, now.year, now.month)
    if parsed.flag("m"):
        month, whole_year = _month((parsed.value("m") or "").rstrip("pf")), False
    if whole_year or parsed.flag("y"):
        columns = 2 if parsed.flag("j") else 3
        gap = len(_GAP) * (columns - 1)
        call.write(_centered(str(year), page.width * columns + gap).rstrip() + "\n\n")
        _print(
            call, page, [(year, each) for each in range(1, 13)], columns=columns, with_year=False
        )
        return 0
    before = _count(parsed.value("B"), 1 if parsed.flag("3") else 0)
    after = _count(parsed.value("A"), 1 if parsed.flag("3") else 0)
    first = year * 12 + month - 1 - before
    chosen = [divmod(first + index, 12) for index in range(before + 1 + after)]
    if not all(1 <= each <= 9999 for each, _ in chosen):
        raise Failure("the year is not in range 1..9999", 64)
    _print(call, page, [(each, index + 1) for each, index in chosen], columns=3, with_year=True)
    return 0


def _count(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text[:6]) > 1200:
        raise Failure(f"Argument to -A or -B must be positive and at most 1200: {text}", 64)
    return int(text)


def _wanted(call: Invocation, year: int, month: int) -> tuple[int, int, bool]:
    words = list(call.operands)
    if len(words) > 2:
        raise UsageError("bad usage", status=64)
    if not words:
        return year, month, False
    year_text = words[-1]
    if len(words) == 1 and not year_text.isdigit():
        raise Failure(f"not a valid year {year_text}", 64)
    if not re.fullmatch(r"\d{1,9}", year_text) or not 1 <= int(year_text) <= 9999:
        raise Failure(
            f"year `{year_text}' not in range 1..9999"
            if year_text.isdigit()
            else f"not a valid year {year_text}",
            64,
        )
    if len(words) == 1:
        return int(year_text), 1, True
    return int(year_text), _month(words[-2]), False


def _month(text: str) -> int:
    if text.isdigit():
        if not 1 <= int(text[:4]) <= 12:
            raise Failure(f"{text} is neither a month number (1..12) nor a name", 64)
        return int(text)
    for number, name in enumerate(_MONTHS, 1):
        if text.lower() in (name.lower(), name[:3].lower()):
            return number
    raise Failure(f"{text} is neither a month number (1..12) nor a name", 64)


def run_uuidgen(call: Invocation) -> int:
    parsed = call.parsed
    spaces = {
        "@dns": uuid.NAMESPACE_DNS,
        "@url": uuid.NAMESPACE_URL,
        "@oid": uuid.NAMESPACE_OID,
        "@x500": uuid.NAMESPACE_X500,
    }
    given = parsed.value("namespace")
    if given is None:
        # Never by a time and a host's address: nothing of the host is told.
        call.write(f"{uuid.uuid4()}\n")
        return 0
    try:
        space = spaces.get(given) or uuid.UUID(given)
    except ValueError:
        call.complain(f"not a valid namespace: '{given}'")
        return 1
    make = uuid.uuid3 if parsed.flag("md5") else uuid.uuid5
    call.write(f"{make(space, parsed.value('name') or '')}\n")
    return 0


COMMANDS: Final = (
    Command(
        "cal",
        "[general options] [-jy] [[month] year]",
        "Display a calendar, or some part of it.",
        run_cal,
        options=(
            Option(("-1",), "Show only a single month (default)."),
            Option(("-3",), "Show the previous, current and next month."),
            Option(("-A",), "Also show so many months after it.", "months"),
            Option(("-B",), "Also show so many months before it.", "months"),
            Option(("-h",), "Accepted: nothing is highlighted."),
            Option(("-j",), "Show days of the year."),
            Option(("-m",), "Show this month.", "month"),
            Option(("-y",), "Show the whole year."),
        ),
    ),
    Command(
        "uuidgen",
        "[options]",
        "Create a new UUID value.",
        run_uuidgen,
        options=(
            Option(("-r", "--random"), "Generate random-based uuid."),
            Option(("-n", "--namespace"), "Generate hash-based uuid in this namespace.", "ns"),
            Option(("-N", "--name"), "Generate hash-based uuid from this name.", "name"),
            Option(("-m", "--md5"), "Generate md5 hash."),
            Option(("-s", "--sha1"), "Generate sha1 hash."),
        ),
    ),
)
