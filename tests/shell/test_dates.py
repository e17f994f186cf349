"""Dates and formats of dates, compared with GNU's `date`."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from vshell.shell.dates import BadDateError, parse_date
from vshell.shell.timeformat import format_time, zone

needs_date = pytest.mark.skipif(shutil.which("date") is None, reason="GNU date is not installed")
FIXED = """
2024-02-28
2024-02-28 10:00
2024-02-28T14:05:09+01:00
20240228
2/28/2024
28 Feb 2024
Feb 28, 2024
Feb 28 2024
28-Feb-2024
2024-02-28 2:05:09.5 pm
2024-02-28 +2 days
2024-02-28 +2 days ago
@1700000000.5
@86400
2024-05-05 10:00 UTC
2024-05-05 10:00 EST
2024-01-31 +1 month
2024-01-31 -1 month
2024-03-01 yesterday
2024-03-01 12:00 +3 hours
2024-03-01 12:00 3 hours
Thu Jan  1 00:00:00 UTC 1970
Thu, 01 Jan 1970 00:00:00 +0000
2024-02-28 next month
2020-01-01 00:00:00.123456789
2024-02-30
foo
2024-13-01
25:00
1 Jan 1970
12/25
Jan 5 2020 3pm
2024-06-15T12:30:45Z
2024-06-15 12:30:45 -0500
2024-06-15 12:30 1 year 2 months ago
10:00 2020-02-02
1999-12-31 23:59:59 1 second
2024-02-28 last week
2024-06-15 1 week ago 2 days
2022-W01
15 June 2024 10:00
June 15
2024-1-5
24-01-05
noon
@-1
2024-06-15 12:30:45.9 PM
1970-01-01 00:00:00 UTC 1700000000 seconds
2024-01-01 00:00 tomorrow
-1 day 2024-01-05
2021-03-14 monday
""".strip().split("\n")
SHIFTS = """
now
today
yesterday
tomorrow
3 days ago
-2 weeks
next month
last friday
next monday
monday
friday
sunday
this week
1 hour ago
2 hours
+1 min
last year
1 fortnight ago
tomorrow 10:00
yesterday noon
next tue 5pm
an hour ago
last day
third day
""".strip("\n").split("\n")
FORMATS = (
    "%%|%a|%A|%b|%B|%c|%C|%d|%D|%e|%F|%g|%G|%h|%H|%I|%j|%k|%l|%m|%M|%N|%3N|%-N|%_3N|%"
    "12N|%p|%P|%q|%r|%R|%s|%S|%T|%u|%U|%V|%w|%W|%x|%X|%y|%Y|%z|%:z|%::z|%:::z|%Z|%-d|"
    "%_d|%05d|%^a|%#Z|%#p|%+4Y|%10Y|%_10Y|%-H|%10a|%010a|%E|%Ey|%Od|%!|%5z|%-z"
)


def real(*words: str, zone_name: str = "UTC") -> str:
    return subprocess.run(
        ["date", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C.UTF-8", "TZ": zone_name},
    ).stdout.removesuffix("\n")


def ours(text: str, now_ns: int) -> str:
    try:
        found = parse_date(text, now_ns, zone("UTC"))
    except BadDateError:
        return ""
    return f"{found // 10**9}.{found % 10**9:09}"


@needs_date
@pytest.mark.parametrize("text", FIXED)
def test_dates_mean_what_gnu_takes_them_for(text: str) -> None:
    expected = real("-d", text, "+%s.%N")
    found = ours(text, time.time_ns())
    assert found.partition(".")[0] == expected.partition(".")[0]
    if "." in text or ":" in text:
        assert found == expected


@needs_date
@pytest.mark.parametrize("text", SHIFTS)
def test_shifts_from_now_mean_what_gnu_takes_them_for(text: str) -> None:
    before, found = real("-d", text, "+%s"), ours(text, time.time_ns())
    after = real("-d", text, "+%s")
    assert found.partition(".")[0] in (before, after, str(int(before or 0) + 1))


@needs_date
@pytest.mark.parametrize(
    "seconds", ["1700000000.123456789", "0", "951782400.5", "1735689599", "-5"]
)
@pytest.mark.parametrize("name", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_every_directive_prints_what_gnu_prints(seconds: str, name: str) -> None:
    time_ns = parse_date(f"@{seconds}", 0, zone("UTC"))
    expected = real("-d", f"@{seconds}", f"+{FORMATS}", zone_name=name)
    assert format_time(FORMATS, time_ns, zone(name)).split("|") == expected.split("|")


def test_time_zones_are_found_or_utc() -> None:
    assert format_time("%z %Z", 0, zone("EST5")) == "-0500 EST"
    assert format_time("%z %Z", 0, zone("No/Where")) == "+0000 UTC"
