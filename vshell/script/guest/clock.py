"""A clock and randomness that come from the job alone, so that a replay does the same."""

from __future__ import annotations

import datetime
import os
import random
import sys
import time
from typing import Any, Final

__all__ = ["install"]

_STEP_NS: Final = 1000
"""How far the clock goes at each look."""

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _Clock:
    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def ns(self) -> int:
        self.now_ns += _STEP_NS
        return self.now_ns

    def seconds(self) -> float:
        return self.ns() / 1e9

    def sleep(self, seconds: Any, /) -> None:
        """Let time pass at once: a replay does not wait again."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.now_ns += int(seconds * 1e9)


def install(*, seed: int, now_ns: int) -> None:
    """Replace `time`, `datetime`, `random`, `os.urandom` and what is built on them."""
    clock = _Clock(now_ns)
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, clock.seconds)
        setattr(time, f"{name}_ns", clock.ns)
    time.sleep = clock.sleep
    _replace_broken_down(clock)
    _replace_datetime(clock)
    random.seed(seed)
    source = random.Random(seed ^ 0x5DEECE66D)  # noqa: S311 - determinism is the point
    os.urandom = source.randbytes
    random._urandom = source.randbytes  # type: ignore[attr-defined] # noqa: SLF001


def _replace_broken_down(clock: _Clock) -> None:
    gmtime, ctime, strftime = time.gmtime, time.ctime, time.strftime

    def at(seconds: Any = None, /) -> time.struct_time:
        return gmtime(clock.seconds() if seconds is None else seconds)

    def formatted(format: str, at_time: Any = None, /) -> str:
        return strftime(format, at() if at_time is None else at_time)

    time.gmtime = time.localtime = at
    time.strftime = formatted
    time.ctime = lambda seconds=None, /: ctime(clock.seconds() if seconds is None else seconds)


def _replace_datetime(clock: _Clock) -> None:
    class Moment(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            moment = _EPOCH + datetime.timedelta(microseconds=clock.ns() // 1000)
            zone = moment.astimezone(tz) if tz else moment.replace(tzinfo=None)
            return cls.combine(zone.date(), zone.timetz())

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now()

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    class Day(datetime.date):
        @classmethod
        def today(cls) -> Any:
            moment = Moment.now()
            return cls(moment.year, moment.month, moment.day)

    for kind, name in ((Moment, "datetime"), (Day, "date")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
        setattr(sys.modules["datetime"], name, kind)
