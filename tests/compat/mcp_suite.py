"""The official conformance suite: the scenarios that ask for no tools of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.compat import programs
from tests.compat.outcome import Outcome
from vshell import Workspace

SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
    "server-sse-polling",
)


def compare(outcome: Outcome, quick: bool) -> None:
    """Run the suite."""
    package, node = programs.package("@modelcontextprotocol/conformance"), programs.node()
    assert package is not None
    assert node is not None
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "w.db")
        with Workspace.open(file) as workspace:
            workspace.write("/a.txt", "hello\n")
        port = _free_port()
        command = [sys.executable, "-m", "vshell.repl.cli", "-w", str(file)]
        serving = subprocess.Popen(
            [*command, "mcp", "--http", str(port)], stderr=subprocess.PIPE, text=True
        )
        assert serving.stderr is not None
        serving.stderr.readline()  # it says where it is served once it is
        try:
            for scenario in SCENARIOS:
                _run(outcome, node, package, scenario, port)
        finally:
            serving.terminate()
            serving.wait(20)
            serving.stderr.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(outcome: Outcome, node: str, package: Path, scenario: str, port: int) -> None:
    program = str(package / "dist" / "index.js")
    url = f"http://127.0.0.1:{port}/mcp"
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [node, program, "server", "--url", url, "--scenario", scenario],
            cwd=directory,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    told = done.stdout + done.stderr
    counts = re.search(r"Passed: (\d+)/(\d+)", told)
    good = done.returncode == 0 and counts is not None
    outcome.check(scenario, ok=good)
    if not good:
        outcome.notes += f" {scenario}: {told.strip()[-400:]}".replace("\n", " ")
