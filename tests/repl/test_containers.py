"""`vshell exec` and `vshell jobs`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync import daemon
from vshell import Workspace

ROOT = Path(__file__).parents[2]
IDENTITY = [
    f"GIT_{who}_{what}=a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
]


def vshell(directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vshell.repl.cli", "-w", "w.db", *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Yield a directory for a workspace, whose containers are removed afterwards."""
    yield tmp_path
    if (tmp_path / "w.db").exists():
        from vshell.sync.container_memory import known_containers
        from vshell.sync.container_opening import reopen_container

        with Workspace.open(tmp_path / "w.db") as workspace:
            for name in known_containers(workspace.files):
                reopen_container(workspace.files, name).remove()


@pytest.mark.docker
def test_exec_has_the_commands_own_output_and_exit_code(place: Path) -> None:
    script = "echo out; echo err >&2; echo made > made; exit 7"
    done = vshell(place, "exec", daemon.image(), "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr == "err\njob 1: 0 paths to the container, 1 path back\n"
    listed = vshell(place, "jobs")
    assert listed.stdout.split()[:3] == ["1", "done", "7"]
    shown = vshell(place, "jobs", "1")
    assert "back: create /made" in shown.stdout
    assert shown.stdout.endswith("out\n")
    told = json.loads(vshell(place, "--json", "exec", daemon.image(), "--", "cat", "made").stdout)
    assert (told["stdout"], told["exit_code"], told["phase"]) == ("made\n", 0, "done")


@pytest.mark.docker
@pytest.mark.slow
def test_a_repository_of_two_jobs_passes_fsck_outside(place: Path) -> None:
    daemon.need("git")
    assert vshell(place, "import", str(ROOT / "docs")).returncode == 0
    environment = [word for pair in IDENTITY for word in ("-e", pair)]
    script = "git init -q && git add -A && git commit -qm x"
    first = vshell(place, "exec", *environment, daemon.image(), "--", "sh", "-c", script)
    assert first.returncode == 0, first.stderr
    second = vshell(place, "exec", "-q", daemon.image(), "--", "git", "log", "--format=%s")
    assert (second.returncode, second.stdout) == (0, "x\n")
    assert vshell(place, "export", "/", "out").returncode == 0
    checked = subprocess.run(
        ["git", "-c", "safe.directory=*", "fsck", "--full", "--strict"],
        cwd=place / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.docker
def test_a_command_that_takes_too_long_ends_with_124(place: Path) -> None:
    done = vshell(place, "exec", "--timeout", "0.3", "--rm", daemon.image(), "--", "sleep", "60")
    assert done.returncode == 124
    assert "took too long" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["exec"], "missing IMAGE COMMAND"),
        (["exec", "image"], "missing COMMAND"),
        (["exec", "-e", "NAME", "image", "--", "true"], "--env needs NAME=VALUE"),
        (["exec", "--mount", "x", "image", "--", "true"], "--mount needs HOSTDIR:DIR"),
        (["exec", "--memory", "much", "image", "--", "true"], "--memory must be a size"),
        (["exec", "--policy", "hope", "image", "--", "true"], "--policy cannot be hope"),
        (["jobs", "--cancel"], "--cancel needs the number of a job"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_are_explained(tmp_path: Path, words: list[str], message: str) -> None:
    vshell(tmp_path, "write", "/a", "1")
    done = vshell(tmp_path, *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_without_a_daemon_it_says_what_to_install(tmp_path: Path) -> None:
    done = vshell(tmp_path, "exec", "image", "--", "true", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 1
    assert "error: no daemon for containers answers" in done.stderr
    assert "hint: install Docker (on Debian: `apt install docker.io`)" in done.stderr


def test_jobs_of_a_workspace_without_any(tmp_path: Path) -> None:
    vshell(tmp_path, "write", "/a", "1")
    assert vshell(tmp_path, "jobs").stdout == ""
    missing = vshell(tmp_path, "jobs", "7")
    assert missing.returncode == 1
    assert "no such job: 7" in missing.stderr
