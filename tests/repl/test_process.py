"""The command line as a process of its own: signals, pipes, closed streams, raw bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from vshell import Workspace

VSHELL = [sys.executable, "-m", "vshell.repl.cli"]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    with Workspace.open(tmp_path / "vshell.db") as made:
        made.write("/a", "text\n")
        made.write("/big", "line\n" * 400_000)
    return tmp_path


def run(
    directory: Path, *words: str | bytes, before: str = "", after: str = "", **options: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command line under bash, with something before and after it on the line."""
    arguments: Sequence[str | bytes] = [*VSHELL, *words]
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; {before} "$@" {after}', "bash", *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **options},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_data_comes_from_stdin_and_goes_to_stdout(workspace: Path) -> None:
    data = bytes(range(256)) * 500
    (workspace / "data").write_bytes(data)
    assert run(workspace, "write", "/copy", after="< data").returncode == 0
    assert run(workspace, "read-bytes", "/copy").stdout == data


def test_a_reader_that_goes_away_is_met_with_silence(workspace: Path) -> None:
    done = run(workspace, "read-text", "/big", after="| head -n 1")
    assert (done.stdout, done.stderr, done.returncode) == (b"line\n", b"", 1)


def test_a_full_disk_under_stdout_is_an_error_and_no_crash(workspace: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this host has no /dev/full")
    done = run(workspace, "read-text", "/big", after="> /dev/full")
    assert done.returncode == 1
    assert done.stderr == b"error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("after", "code"), [(">&-", 1), ("2>&-", 0), ("<&-", 0)], ids=["stdout", "stderr", "stdin"]
)
def test_streams_may_be_closed_from_the_beginning(after: str, code: int, workspace: Path) -> None:
    done = run(workspace, "read", "/big", "--max-lines", "1", after=after)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_bytes_that_are_no_utf_8_come_through_arguments(locale: str, workspace: Path) -> None:
    assert run(workspace, "write", b"/caf\xe9", b"\xff", LC_ALL=locale).returncode == 0
    assert run(workspace, "read-bytes", b"/caf\xe9", LC_ALL=locale).stdout == b"\xff"
    assert run(workspace, "glob", "/caf*", LC_ALL=locale).stdout == b"/caf\xe9\n"


def test_output_needs_no_unicode_locale(workspace: Path) -> None:
    done = run(workspace, "tree", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.stdout.decode() == "/\n├── a\n└── big\n"


def test_watch_streams_what_others_change_until_it_is_interrupted(workspace: Path) -> None:
    watcher = subprocess.Popen(
        [*VSHELL, "watch", "--since", "1", "--json"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watcher.stdout is not None
    try:
        assert json.loads(watcher.stdout.readline())["path"] == "/big"
        with Workspace.open(workspace / "vshell.db") as other:
            other.write("/new", "x")
        assert json.loads(watcher.stdout.readline())["path"] == "/new"
        watcher.send_signal(signal.SIGINT)
        assert watcher.communicate(timeout=30) == (b"", b"")
        assert watcher.returncode == 130
    finally:
        watcher.kill()
        watcher.wait()


def test_the_installed_command_is_this_one(workspace: Path) -> None:
    script = Path(sys.executable).with_name("vshell")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run([script, "read", "/a"], cwd=workspace, capture_output=True, check=True)
    assert done.stdout == b"text\n"
