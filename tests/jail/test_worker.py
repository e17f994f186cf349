"""A confined worker keeps one directory, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vshell.jail import landlock
from vshell.jail.probing import probe
from vshell.jail.worker import code_paths

pytestmark = pytest.mark.skipif(
    bool(probe().landlock or probe().seccomp), reason="there is no Landlock here"
)

WORKER = """
import json, os, socket, subprocess, sys, threading
from vshell.workspace import Workspace
from vshell.jail.worker import confine_worker

directory, outside = sys.argv[1:]
found = {"confinement": confine_worker(directory).as_dict()}
with Workspace.open(directory + "/agent.db") as workspace:
    workspace.write("/a.txt", "written in confinement")
    found["text"] = workspace.read_text("/a.txt")
attempts = {
    "read": lambda: open(outside).read(),
    "write": lambda: open(outside, "w"),
    "list": lambda: os.listdir("/"),
    "environ": lambda: open("/proc/1/environ").read(),
    "socket": lambda: socket.socket(),
    "exec": lambda: os.execv(sys.executable, ["python"]),
    "run": lambda: subprocess.run([sys.executable]),
    "fork": os.fork,
    "kill": lambda: os.kill(os.getppid(), 0),
    "out": lambda: os.link(directory + "/agent.db", outside + ".link"),
    "chroot": lambda: os.chroot(directory),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except PermissionError:
        continue
    except OSError as error:
        found[name] = repr(error)
    else:
        found[name] = "it worked"
thread = threading.Thread(target=lambda: found.update(thread=True))
thread.start()
thread.join()
import colorsys
print(json.dumps(found))
"""


def test_a_worker_keeps_its_database_and_loses_everything_else(tmp_path: Path) -> None:
    directory, outside = tmp_path / "kept", tmp_path / "outside.txt"
    directory.mkdir()
    outside.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(directory), str(outside)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "confinement": {"files": True, "network": True, "calls": True},
        "text": "written in confinement",
        "thread": True,
    }
    assert outside.read_text() == "secret"


def test_what_a_worker_can_read_is_code() -> None:
    paths = code_paths()
    assert Path(sys.base_prefix).resolve() in paths
    assert Path("/") not in paths
    assert Path.cwd() not in paths
    assert Path.home() not in paths
    assert Path("/etc") not in paths


def test_landlock_tells_its_version() -> None:
    assert landlock.version() >= 1


def test_the_probe_does_not_confine_the_one_who_asks() -> None:
    assert probe().guests in ("full", "reduced", "none")
    assert os.listdir("/")
