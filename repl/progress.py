"""A progress bar on stderr, for work that takes long enough to be watched."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from .output import counted, readable_size

_FIRST_S: Final = 0.5
_BETWEEN_S: Final = 0.1
_WIDTH: Final = 24
_CLEAR_LINE: Final = "\r\x1b[K"


class Progress(Protocol):
    """How far something is; some things also count `bytes`, or are in a `phase`."""

    @property
    def entries(self) -> int: ...

    @property
    def total(self) -> int | None: ...


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[Progress], None] | None]:
    """Yield a function that shows progress; None when stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    next_s = time.monotonic() + _FIRST_S
    shown = False

    def show(progress: Progress) -> None:
        nonlocal next_s, shown
        now = time.monotonic()
        if now < next_s:
            return
        next_s = now + _BETWEEN_S
        shown = True
        sys.stderr.write(f"{_CLEAR_LINE}{title} {_bar(progress)}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()


def _bar(progress: Progress) -> str:
    count = counted(progress.entries, "entry", "entries")
    phase = getattr(progress, "phase", None)
    if phase is not None:
        count = f"{phase} {count}"
    size = getattr(progress, "bytes", None)
    if size is not None:
        count = f"{count}, {readable_size(size)}"
    if not progress.total:
        return count
    filled = min(_WIDTH, _WIDTH * progress.entries // progress.total)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {count}"
