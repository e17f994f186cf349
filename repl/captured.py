"""Running a command line in this process, and keeping what it writes."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vshell.record import Record


@dataclass(frozen=True, slots=True)
class Step(Record):
    """A command that has run.

    Attributes:
        command: What a person would type.
        exit_code: 0 when it did its job.
        seconds: How long it took, without starting a process.
        stdout: What it printed; undecodable bytes are lone surrogates.
        stderr: What it said besides.
    """

    command: str
    exit_code: int
    seconds: float
    stdout: str
    stderr: str


def run_captured(words: Sequence[str], command: str, stdin: str = "") -> Step:
    """Run a command line as it would run in a process of its own, without colour.

    Args:
        words: The command line, without the program.
        command: How to show it.
        stdin: What it reads.
    """
    from .cli import main

    out, err = _Captured(), _Captured()
    start = time.perf_counter()
    with _stdin(stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exit_code = main(["--no-color", *words])
    seconds = time.perf_counter() - start
    return Step(command, exit_code, seconds, out.text(), err.text())


@contextlib.contextmanager
def _stdin(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    try:
        yield
    finally:
        sys.stdin = before


class _Captured(io.TextIOWrapper):
    """A stream that keeps what is written, bytes included."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="surrogateescape")

    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode("utf-8", "surrogateescape")
