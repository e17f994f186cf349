"""Where the output of a line goes: to the terminal as it comes, or through a pager.

What ends soon is kept back until it has ended: then it is known whether it fits the
screen. What takes longer is shown as it comes, and never paged.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from vshell.shell.engine import Plan

__all__ = ["Display", "as_shown"]

_PATIENCE_S: Final = 0.4
"""How long output is kept back: what a person takes for at once."""

_MAX_KEPT_BYTES: Final = 8 * 1024**2

_COLOURED: Final = ("ls", "grep", "egrep", "fgrep", "rg", "diff", "tree", "fd")
_IN_COLUMNS: Final = ("ls", "dir")


def as_shown(line: str, plan: Plan | None, *, columns: int, colour: bool) -> str:
    """Return a line as it is run: what prints to this terminal alone prints in colour.

    Args:
        line: What was typed.
        plan: What it runs; None when that is not known.
        columns: How wide the terminal is.
        colour: Whether it shows colour.
    """
    if plan is None or plan.opaque or plan.redirects or len(plan.commands) != 1:
        return line
    command = plan.commands[0]
    name = command.name or ""
    words = line.split(None, 1)
    if not words or words[0] != name or "\n" in line or "#" in line or "&" in line:
        return line
    added = []
    if colour and name in _COLOURED and not _has(plan, "--color"):
        added.append("--color=always")
    if name in _IN_COLUMNS and not _has(plan, "-w", "--width"):
        added += ["-C", f"--width={columns}"] if not _is_long(plan) else []
    return " ".join([name, *added, *words[1:]])


def _has(plan: Plan, *options: str) -> bool:
    return any(word is not None and word.startswith(options) for word in plan.commands[0].arguments)


def _is_long(plan: Plan) -> bool:
    """Whether an `ls` is told how to print."""
    short = (word for word in plan.commands[0].arguments if word and word[:1] == "-" != word[1:2])
    return any(set(word) & set("lgonx1mC") for word in short) or _has(plan, "--format", "--zero")


class Display:
    """The output of one line.

    Args:
        pager: The pager's words; empty: nothing is paged.
        rows: How many lines the terminal shows.
    """

    def __init__(self, *, pager: tuple[str, ...], rows: int) -> None:
        self._pager = pager
        self._rows = rows
        self._began_s = time.monotonic()
        self._kept: list[tuple[str, bytes]] = []
        self._kept_bytes = 0
        self._is_live = not pager
        self._lock = threading.Lock()
        self._timer = threading.Timer(_PATIENCE_S, self._go_live)
        self._timer.daemon = True
        if pager:
            self._timer.start()

    def write(self, stream: str, data: bytes) -> None:
        """Take output; `stream` is `"stdout"` or `"stderr"`."""
        with self._lock:
            if self._is_live:
                _put(stream, data)
                return
            self._kept.append((stream, data))
            self._kept_bytes += len(data)
        if self._kept_bytes > _MAX_KEPT_BYTES:
            self._go_live()

    def finish(self) -> None:
        """Show what was kept back, through the pager when it is longer than the screen."""
        self._timer.cancel()
        with self._lock:
            kept, self._kept = self._kept, []
            self._is_live = True
        text = b"".join(data for _, data in kept)
        if self._pager and text.count(b"\n") >= self._rows and _paged(self._pager, text):
            return
        for stream, data in kept:
            _put(stream, data)

    def _go_live(self) -> None:
        with self._lock:
            if self._is_live:
                return
            self._is_live = True
            kept, self._kept = self._kept, []
            for stream, data in kept:
                _put(stream, data)


def pager_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words of the pager to use; empty when there is none."""
    named = environment.get("PAGER")
    if named is not None:
        import shlex

        with suppress(ValueError):
            words = tuple(shlex.split(named))
            return words if words and words[0] != "cat" and shutil.which(words[0]) else ()
    less = shutil.which("less")
    return (less, "-R") if less else ()


def _paged(pager: tuple[str, ...], text: bytes) -> bool:
    try:
        process = subprocess.Popen(pager, stdin=subprocess.PIPE)  # noqa: S603 - the person's own
    except OSError:
        return False
    assert process.stdin is not None
    with suppress(BrokenPipeError, KeyboardInterrupt):
        process.stdin.write(text)
        process.stdin.close()
    while True:
        with suppress(KeyboardInterrupt):
            process.wait()
            return True


def _put(stream: str, data: bytes) -> None:
    target = sys.stderr if stream == "stderr" else sys.stdout
    target.flush()
    with suppress(OSError):
        left = memoryview(data)
        while left:
            left = left[os.write(target.fileno(), left) :]
