"""A progress bar on stderr, for work that takes long enough to be watched."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from .output import readable_size

_FIRST_S: Final = 0.5
_BETWEEN_S: Final = 0.1
_WIDTH: Final = 24


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[Any], None] | None]:
    """Yield a function that shows progress; None when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    title = name.partition("_")[0]
    next_s = time.monotonic() + _FIRST_S
    shown = False

    def show(progress: Any) -> None:
        nonlocal next_s, shown
        now = time.monotonic()
        if now < next_s:
            return
        next_s = now + _BETWEEN_S
        shown = True
        sys.stderr.write(f"\r\x1b[K{title} {_bar(progress)}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _bar(progress: Any) -> str:
    count = f"{progress.entries} entries, {readable_size(progress.bytes)}"
    if not progress.total:
        return count
    filled = min(_WIDTH, _WIDTH * progress.entries // progress.total)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {count}"
