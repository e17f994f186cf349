"""One process writes while another searches: each search is one committed state's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vshell import Workspace

FILES = 60
STATES = 25

WRITER = f"""
import sys
from vshell import Workspace

with Workspace.open(sys.argv[1]) as ws:
    sys.stdin.readline()
    for state in range(1, {STATES} + 1):
        with ws.transaction():
            for number in range({FILES}):
                ws.write(f"/f{{(number + state) % ({FILES} + 7)}}", f"state {{state}} word{{state}}x\\n" * 3)
            for path in [path for path in ws.glob("/f*").paths]:
                if f"state {{state}} " not in ws.read_text(path):
                    ws.rm(path)
        if state % 5 == 0:
            ws.index()
        if state % 7 == 0:
            ws.gc(keep_revisions=1)
"""


def test_every_search_is_of_one_committed_state(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as ws:
        with ws.transaction():
            for number in range(FILES):
                ws.write(f"/f{number}", "state 0 word0x\n" * 3)
        ws.index()
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, text=True
        )
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.close()
        seen = {search(ws, number) for number in range(10)}
        while writer.poll() is None:
            for number in range(4):
                seen.add(search(ws, number))
        assert writer.returncode == 0
        assert search(ws, 0) == STATES
        assert len(seen) > 2
        assert ws.check().ok


def search(ws: Workspace, number: int) -> int:
    """Return the state that a search shows: all of it, and nothing of another one."""
    pattern = ["state [0-9]+", "(?i)WORD[0-9]+X", r"\b[a-z]{4}[0-9]+x", "state"][number % 4]
    result = ws.grep(pattern)
    states = {match.text.split()[1] for match in result.matches}
    assert len(states) == 1, states
    assert len(result.files) == FILES
    assert result.total == 3 * FILES
    return int(states.pop())
