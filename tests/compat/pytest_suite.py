"""Suites that are tests of ours, run by pytest in an environment and counted."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.compat.environments import ROOT, CannotBuildError, Environment
from tests.compat.outcome import Outcome

VIRTUAL, CONTAINER, NONE = "virtual", "container", ""
_MARKS = {VIRTUAL: "not docker", CONTAINER: "docker", NONE: "not docker"}


@dataclass(frozen=True)
class PytestSuite:
    """A suite.

    Attributes:
        title: What the table calls it.
        environment: Where it runs.
        packages: Whose versions the table says.
        tests: What pytest is given: files of tests, and options.
        least: How many tests must pass, on each executor that it is run on.
        notes: What the table says beside it.
    """

    title: str
    environment: Environment
    packages: tuple[str, ...]
    tests: tuple[str, ...]
    least: Mapping[str, int] = field(default_factory=lambda: {NONE: 1})
    notes: str = ""

    @property
    def executors(self) -> tuple[str, ...]:
        """What it is run on."""
        return tuple(self.least)

    def run(self, executor: str, *, quick: bool = False) -> Outcome:
        """Make the environment, run the tests that are marked for the executor, and count."""
        outcome = Outcome(
            self.title, executor=executor, least=self.least[executor], notes=self.notes
        )
        self.environment.make()
        outcome.versions = self.environment.versions(*self.packages)
        return count(outcome, self.environment, *self.tests, "-m", _MARKS[executor])


def count(
    outcome: Outcome, environment: Environment, *arguments: str, directory: Path = ROOT
) -> Outcome:
    """Run tests, and count them into an outcome.

    Args:
        outcome: The outcome.
        environment: Where they run.
        arguments: What pytest is given.
        directory: Where it runs.

    Raises:
        CannotBuildError: pytest wrote no report.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        # Each library asks for a plugin of its own to run coroutines; anyio's is enough.
        options = ["-p", "no:asyncio", "-p", "no:cacheprovider", f"--junitxml={report}"]
        done = subprocess.run(
            [environment.python, "-m", "pytest", "-q", *options, *arguments],
            cwd=directory,
            env=os.environ | {"PYTHONPATH": str(directory)},
            check=False,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        if not report.exists():
            raise CannotBuildError(f"pytest: {(done.stdout + done.stderr).strip()[-300:]}")
        for case in ElementTree.parse(report).iter("testcase"):
            _count_case(outcome, case)
    return outcome


def _count_case(outcome: Outcome, case: ElementTree.Element) -> None:
    name = case.get("name", "")
    skipped = case.find("skipped")
    if skipped is not None:
        kind = "xfail" if skipped.get("type") == "pytest.xfail" else "skipped"
        outcome.leave_out(name, f"{kind}: {skipped.get('message', '')}")
    else:
        failed = case.find("failure") is not None or case.find("error") is not None
        outcome.check(name, ok=not failed)
