"""Suites that are tests of ours, run by pytest and counted."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.compat.outcome import Outcome

ROOT = Path(__file__).parents[2]


def count(
    outcome: Outcome, *arguments: str, python: str = sys.executable, directory: Path = ROOT
) -> Outcome:
    """Run tests, and count them into an outcome.

    Args:
        outcome: The outcome.
        arguments: What pytest is given.
        python: The interpreter.
        directory: Where it runs.
    """
    left_out: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        command = [python, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        subprocess.run(command, cwd=directory, check=False, capture_output=True, timeout=1800)
        for case in ElementTree.parse(report).iter("testcase"):
            skipped = case.find("skipped")
            if skipped is not None:
                kind = "xfails" if skipped.get("type") == "pytest.xfail" else "skipped"
                left_out[kind] = left_out.get(kind, 0) + 1
                continue
            failed = case.find("failure") is not None or case.find("error") is not None
            outcome.check(case.get("name", ""), ok=not failed)
    told = [f"{number} {kind}" for kind, number in sorted(left_out.items())]
    outcome.notes = "; ".join([*told, *filter(None, [outcome.notes])])
    return outcome
