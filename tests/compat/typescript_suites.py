"""The TypeScript in docs, under the real packages, against a bridge.

`docs/flue/check.mjs` and `docs/pi/check.mjs` say what must hold; the examples of
`docs/harnesses.md` are run as they are there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compat import programs
from tests.compat.outcome import Outcome
from vshell import Workspace
from vshell.tools.bridge import BridgeServer, Driver

DOCS = Path(__file__).parents[2] / "docs"
_TOKEN = "token of the suite"
_PORT = re.compile(r"http://127\.0\.0\.1:\d+")


def compare_flue(outcome: Outcome, quick: bool) -> None:
    """Run what is said of Flue."""
    _compare(outcome, "flue", "@flue/runtime", checks=9)


def compare_pi(outcome: Outcome, quick: bool) -> None:
    """Run what is said of Pi."""
    _compare(outcome, "pi", "@earendil-works/pi-coding-agent", checks=6)


def _compare(outcome: Outcome, name: str, package: str, *, checks: int) -> None:
    with Workspace.memory() as workspace, _served(workspace) as url:
        # Beside node_modules, where the packages are found by their names.
        with tempfile.TemporaryDirectory(dir=programs.directory()) as scratch:
            for directory in ("flue", "pi"):
                shutil.copytree(DOCS / directory, Path(scratch, directory))
            place = Path(scratch, name)
            done = _node(place / "check.mjs", url)
            passed = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
            for line in passed:
                outcome.check(line, ok=True)
            for missing in range(len(passed), checks):
                outcome.check(f"check {missing + 1}", ok=False)
            example = place / "example.mts"
            example.write_text(_PORT.sub(url, example_of(package)))
            ran = _node(example, url)
        said = workspace.exists("/hello.txt") and workspace.read_text("/hello.txt") == "hello\n"
        outcome.check("the example of the documentation", ok=not ran.returncode and said)
    complaints = " ".join(each.stderr.strip() for each in (done, ran) if each.returncode)
    outcome.notes = " ".join(complaints.split())[:300]


def example_of(package: str) -> str:
    """Return the example in the documentation that imports a package."""
    blocks = re.findall(
        r"^```ts\n(.*?)^```", (DOCS / "harnesses.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return next(str(block) for block in blocks if f'from "{package}"' in block)


@contextmanager
def _served(workspace: Workspace) -> Iterator[str]:
    driver = Driver(workspace.session("typescript"))
    with BridgeServer(driver, 0, token=_TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()


def _node(script: Path, url: str) -> subprocess.CompletedProcess[str]:
    node = programs.node()
    assert node is not None
    return subprocess.run(
        [node, "--experimental-strip-types", "--no-warnings", str(script)],
        env=os.environ | {"VSHELL_URL": url, "VSHELL_TOKEN": _TOKEN},
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
