"""One-shot commands start fast: what is heavy is imported by whom needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vshell import Workspace

HEAVY = {"asyncio", "prompt_toolkit", "regex", "pathspec", "bashkit", "diff_match_patch", "difflib"}


@pytest.mark.parametrize(
    "command",
    [["write", "/a", "text"], ["ls", "/"], ["stat", "/"], ["exists", "/"], ["rm", "/b"]],
    ids=lambda command: command[0],
)
def test_a_simple_command_imports_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as workspace:
        workspace.write("/b", "there")
    program = (
        "import sys; from vshell.repl.cli import main;"
        f" assert main(['-w', {str(tmp_path / 'w.db')!r}, *{command!r}]) == 0;"
        " print('\\nmodules', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(done.stdout.rpartition("\nmodules ")[2].split())
    assert not modules & HEAVY
