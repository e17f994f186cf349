"""One process writes while another searches: every search sees some committed state."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from vshell import Workspace

FILES = 12


def write_generations(path: Path) -> None:
    with Workspace.open(path) as ws:
        generation = 0
        while True:
            generation += 1
            with ws.transaction():
                for number in range(FILES):
                    padding = "".join(f"word{generation}x{line}\n" for line in range(20))
                    ws.write(f"/f{number}", f"generation {generation:06}\n{padding}")


@pytest.mark.slow
def test_a_search_sees_one_committed_state(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with Workspace.open(path) as ws:
        with ws.transaction():
            for number in range(FILES):
                ws.write(f"/f{number}", "generation 000000\n")
        ws.index()
    child = os.fork()
    if child == 0:
        write_generations(path)
    try:
        with Workspace.open(path) as ws:
            last = ""
            for number in range(150):
                found = ws.grep(r"generation \d+")
                texts = {match.text for match in found.matches}
                assert len(found.matches) == FILES
                assert len(texts) == 1
                text = texts.pop()
                assert text >= last
                last = text
                if number % 40 == 39:
                    ws.index()
            assert last > "generation 000000"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with Workspace.open(path) as ws:
        assert ws.check().problems == ()
