"""What a worker of the shell reaches, looked at from inside one."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from vshell import Workspace, Workspaces
from vshell.jail.probing import probe
from vshell.shell.opening import workers_of

pytestmark = pytest.mark.skipif(
    bool(probe().landlock or probe().seccomp), reason="there is no Landlock here"
)


ATTEMPTS = """
import os, sys
from vshell.jail.worker import confine_worker
from vshell.shell.worker_setup import database_files

confine_worker(None, files=database_files(sys.argv[1]))
for path in sys.argv[2:]:
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        print(type(error).__name__)
    else:
        print("opened")
"""


def _tried(database: Path, *paths: Path) -> list[str]:
    """Return what becomes of opening files in a process that is confined as a worker is."""
    words = [sys.executable, "-c", ATTEMPTS, str(database), *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, cwd="/")
    return done.stdout.split()


def test_neighbours_of_the_database_are_out_of_reach(tmp_path: Path) -> None:
    agents = Workspaces(tmp_path / "agents")
    with agents.open("mine") as mine, agents.open("other") as other:
        other.write("/secret", "s")
        path = Path(mine.files.path)
        note = path.parent / "note.txt"
        note.write_text("n")
        tried = _tried(path, path, Path(f"{path}-wal"), Path(other.files.path), note)
    assert tried == ["opened", "opened", "PermissionError", "PermissionError"]


def test_a_shell_works_with_no_more_than_its_files(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as workspace, workspace.shell("main") as shell:
        assert dict(shell.confinement) == {"files": True, "network": True, "calls": True}
        script = "for i in {1..60}; do seq 2000 > f$i; done; cat f* | sort | wc -l; sort f* > all"
        assert shell.run(script).stdout == b"120000\n"  # more than one log's worth
        workspace.write("/a", "host")
        assert shell.run("cat a").stdout == b"host"
        assert workspace.check().ok
    with Workspace.open(path, read_only=True) as workspace, workspace.shell() as shell:
        assert shell.run("cat a").stdout == b"host"
        assert shell.run("echo x > a").exit_code == 1


def test_what_is_missing_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Workspace.open(tmp_path / "w.db") as workspace:
        workers = workers_of(workspace.files)
        with caplog.at_level(logging.WARNING, "vshell.shell"):
            workers._tell_of({"files": True, "network": True, "calls": True})
            assert not caplog.messages
            for _ in range(2):
                workers._tell_of({"files": False, "network": True, "calls": False})
    (message,) = caplog.messages
    assert "no control of files and calls" in message
