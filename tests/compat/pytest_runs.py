"""Suites that are tests of ours, run by pytest and counted."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.compat.outcome import Outcome

ROOT = Path(__file__).parents[2]


def count(outcome: Outcome, *arguments: str) -> Outcome:
    """Run tests, and count them into an outcome."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=900)
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("skipped") is None:
                failed = case.find("failure") is not None or case.find("error") is not None
                outcome.check(case.get("name", ""), ok=not failed)
    return outcome
