"""A durable run whose host is killed anywhere has every effect exactly once.

By default a few points of each engine are tried; `VSHELL_CRASH_POINTS=100` tries as many.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.script.crash_host import SOURCES
from vshell.script.pool import engine_class

POINTS = os.environ.get("VSHELL_CRASH_POINTS", "3")
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("engine", SOURCES)
def test_every_effect_happens_once(engine: str, tmp_path: Path) -> None:
    reason = engine_class(engine)().available()
    if reason is not None:
        pytest.skip(reason.reason)
    done = subprocess.run(
        [sys.executable, "-m", "tests.script.crash_host", engine, str(tmp_path), "7", POINTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60 + 20 * int(POINTS),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(f"{POINTS} points")
