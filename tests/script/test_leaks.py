"""Nothing is left behind by runs: no process, descriptor, thread or directory.

By default some hundred runs of each engine; `VSHELL_LEAK_RUNS=10000` for as many.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.script.pool import ENGINES, scripts_of

RUNS = int(os.environ.get("VSHELL_LEAK_RUNS", "150"))
# How runs end that leave the most behind: well, in the middle of a call, by force, by failing.
ENDINGS = {
    "python": (
        "state.append_file('/log', 'x')\n1",
        "while True: state.exists('/')",
        "print('x' * 5000)\nraise ValueError('no')",
    ),
    "javascript": (
        "state.appendFile('/log', 'x').then(() => 1)",
        "async () => { while (true) await state.exists('/'); }",
        "console.log('x'.repeat(5000)); throw new Error('no')",
    ),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc"),
]


def held() -> tuple[int, int]:
    """Return how many descriptors and threads there are."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def descendants() -> set[int]:
    """Return the processes below this one that are not being reaped."""
    found: set[int] = set()
    pending = [os.getpid()]
    while pending:
        task = Path(f"/proc/{pending.pop()}/task")
        for thread in task.glob("*/children"):
            children = [int(child) for child in thread.read_text().split()]
            found.update(children)
            pending += children
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_runs_leave_nothing_behind(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    language = ENGINES[engine][1]
    with Workspace.open(tmp_path / "w.db") as workspace:
        reason = scripts_of(workspace.files).engine(engine).available()
        if reason is not None:
            pytest.skip(reason.reason)

        def run(number: int) -> None:
            source = ENDINGS[language][number % 3]
            limits = {"max_calls": 20} if number % 3 == 1 else None
            result = workspace.run(source, language=language, engine=engine, limits=limits)
            assert result.status == ("ok", "limit", "error")[number % 3], result

        for number in range(9):
            run(number)
        directories = set(temporary.iterdir())
        descriptors, threads = held()
        processes = len(descendants())
        for number in range(RUNS):
            run(number)
        after = held()
        assert set(temporary.iterdir()) == directories
        assert after[0] <= descriptors + 4
        assert after[1] <= threads + 2
        assert len(descendants()) <= processes + 2  # spares may be on their way
        assert workspace.read_bytes("/log") == b"x" * (3 + (RUNS + 2) // 3)


def test_closing_the_last_workspace_ends_every_helper(tmp_path: Path) -> None:
    before = descendants()
    with Workspace.open(tmp_path / "w.db") as workspace:
        for engine, (_, language) in ENGINES.items():
            if scripts_of(workspace.files).engine(engine).available() is None:
                assert workspace.run("1 + 1", language=language, engine=engine).value == 2
    assert descendants() <= before
