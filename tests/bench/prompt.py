"""How long a person waits for the interactive shell, on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.harness import readable
from vshell import Workspace

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def run(*, quick: bool) -> None:
    found = [_waited() for _ in range(3 if quick else 15)]
    prompts, lines = ([each[place] for each in found] for place in (0, 1))
    print("\n### The interactive shell, medians\n")
    print("| | vshell | target |\n|---|---|---|")
    print(f"| first prompt | {readable(statistics.median(prompts))} | 400 ms |")
    print(f"| a line typed at once has run | {readable(statistics.median(lines))} | |")


def _waited() -> tuple[float, float]:
    """Return the seconds to the first prompt, and to the output of a line typed then."""
    with tempfile.TemporaryDirectory() as directory:
        file = str(Path(directory) / "agent.db")
        Workspace.open(file).close()
        began = time.perf_counter()
        process, terminal = pty.fork()
        if process == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "vshell.repl.cli", "-w", file])
        try:
            _read_until(terminal, rb"agent:/ \$")
            prompt = time.perf_counter() - began
            os.write(terminal, b"expr 6 '*' 7\r")
            _read_until(terminal, rb"\n42\r")
            return prompt, time.perf_counter() - began
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)


def _read_until(terminal: int, wanted: bytes) -> None:
    seen = b""
    while re.search(wanted, _ESCAPES.sub(b"", seen)) is None:
        piece = os.read(terminal, 65536)
        if b"\x1b[6n" in piece:  # where is the cursor? a terminal answers
            os.write(terminal, b"\x1b[2;1R")
        seen += piece
