"""The TypeScript driver in docs/flue, under the real `@flue/runtime`, against a bridge."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from tests.compat import programs
from tests.compat.outcome import Outcome
from vshell import Workspace
from vshell.tools.bridge import BridgeServer, Driver

CHECK = Path(__file__).parents[2] / "docs" / "flue" / "check.mjs"
CHECKS = 9


def compare(outcome: Outcome, quick: bool) -> None:
    """Run the suite."""
    node = programs.node()
    assert node is not None
    with (
        Workspace.memory() as workspace,
        BridgeServer(Driver(workspace.session("flue")), 0, token="token of the suite") as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = os.environ | {
            "VSHELL_URL": f"http://127.0.0.1:{server.port}",
            "VSHELL_TOKEN": server.token,
            "FLUE_DIRECTORY": str(programs.package("@flue/runtime")),
        }
        done = subprocess.run(
            [node, "--experimental-strip-types", "--no-warnings", str(CHECK)],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
        )
        server.shutdown()
        thread.join()
    passed = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
    for line in passed:
        outcome.check(line, ok=True)
    for missing in range(CHECKS - len(passed)):
        outcome.check(f"check {len(passed) + missing + 1}", ok=False)
    if done.returncode:
        outcome.notes = done.stderr.strip().replace("\n", " ")[:300]
