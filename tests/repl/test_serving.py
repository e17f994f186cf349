"""`tools`, `mcp` and `serve` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.repl.conftest import Run
from vshell import Workspace


def test_tools_prints_schemas_for_the_api_that_is_named(run: Run, tmp_path: Path) -> None:
    done = run("tools", "--profile", "pi", "--form", "openai")
    found = json.loads(done.out)
    assert [each["function"]["name"] for each in found][:2] == ["read", "bash"]


def test_a_mistake_of_a_call_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    done = run("tools", "--call", "Read", "--arguments", '{"file_path": "/absent"}')
    assert done.code == 1
    assert b"File does not exist" in done.out


def test_an_unknown_profile_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    done = run("tools", "--profile", "cluade")
    assert done.code == 2
    assert "claude" in done.err


def test_serve_says_where_and_with_which_token(tmp_path: Path) -> None:
    file = tmp_path / "w.db"
    with Workspace.open(file) as workspace:
        workspace.write("/a", "x")
    command = [sys.executable, "-m", "vshell.repl.cli", "-w", str(file), "serve", "--http", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        url = serving.stderr.readline().split()[-1]
        token = serving.stderr.readline().split()[-1]
        request = urllib.request.Request(
            f"{url}/readFile",
            b'{"path": "/a"}',
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer) == {"content": "x"}
        serving.terminate()


def test_mcp_beyond_loopback_needs_a_token(run: Run, tmp_path: Path) -> None:
    done = run("mcp", "--http", "0", "--host", "0.0.0.0")
    assert done.code == 1
    assert "token" in done.err
