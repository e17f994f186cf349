"""A person at a terminal: a real pseudo-terminal, and a screen to look at."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pexpect
import pyte

PATIENCE_S = 20.0


class Terminal:
    """A `vshell` on a terminal of 100 columns."""

    def __init__(self, directory: Path, *words: str, rows: int = 24, **environment: str) -> None:
        self.screen = pyte.HistoryScreen(100, rows, history=2000)
        self._stream = pyte.ByteStream(self.screen)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "vshell.repl.cli", *words],
            cwd=str(directory),
            env=kept | {"TERM": "xterm-256color", "PAGER": "cat"} | environment,
            dimensions=(rows, 100),
            timeout=PATIENCE_S,
        )

    @property
    def text(self) -> str:
        """What the screen shows, without empty lines."""
        return "\n".join(line.rstrip() for line in self.screen.display if line.strip())

    def type(self, text: str) -> None:
        self._child.send(text)

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """Read until the screen shows a text, or is as it should be; return what it shows."""
        deadline = time.monotonic() + PATIENCE_S
        shown = wanted if callable(wanted) else lambda text: re.search(wanted, text) is not None
        while not shown(self.text):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited for {wanted!r}; the screen shows:\n{self.text}")
            self._read()
        return self.text

    def _read(self) -> None:
        try:
            data = self._child.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            if not self._child.isalive():
                raise AssertionError(f"it ended; the screen shows:\n{self.text}") from None
            return
        self._stream.feed(data)
        # prompt-toolkit asks where the cursor is; a terminal answers.
        if b"\x1b[6n" in data:
            self._child.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")

    def run(self, line: str) -> str:
        """Type a line and wait for the next prompt; return what the screen shows."""
        self.type(line)
        self.wait_for(lambda text: _typed(text, line) is not None)
        self.type("\r")
        return self.wait_for(lambda text: _has_prompt_after(text, line))

    def style_of(self, text: str) -> pyte.screens.Char | None:
        """Return how the last place of a text on the screen is shown; None: nowhere."""
        for number in range(self.screen.lines - 1, -1, -1):
            column = self.screen.display[number].rfind(text)
            if column >= 0:
                return self.screen.buffer[number][column]
        return None

    def wait_for_end(self) -> int:
        """Wait until it has ended; return its exit code."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        return int(self._child.exitstatus)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)


def _typed(text: str, line: str) -> int | None:
    """Return in which line of the screen the line was typed last."""
    lines = text.splitlines()
    found = [number for number, shown in enumerate(lines) if shown.endswith(f"$ {line}")]
    return found[-1] if found else None


def _has_prompt_after(text: str, line: str) -> bool:
    typed = _typed(text, line)
    after = text.splitlines()[0 if typed is None else typed + 1 :]  # it may have scrolled away
    return any(re.fullmatch(r"\S+:\S+( \S+)* \$", shown) for shown in after)
