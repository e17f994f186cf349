"""Suites that compare with a program of npm's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.compat import programs
from tests.compat.outcome import Outcome
from tests.compat.pytest_suite import NONE


@dataclass(frozen=True)
class ProgramSuite:
    """A suite.

    Attributes:
        title: What the table calls it.
        package: The npm package that it compares with.
        compare: Runs it: counts into an outcome, the whole suite or a quick part.
        least: How many checks must pass.
        needs_node: Whether it needs a node of version 22.
    """

    title: str
    package: str
    compare: Callable[[Outcome, bool], None]
    least: int
    needs_node: bool = True

    @property
    def executors(self) -> tuple[str, ...]:
        """What it is run on."""
        return (NONE,)

    def run(self, executor: str, *, quick: bool = False) -> Outcome:
        """Install what is missing, and run it."""
        outcome = Outcome(self.title, executor=executor, least=0 if quick else self.least)
        wanted = [self.package]
        if self.needs_node and programs.node() is None:
            wanted.append("node")
        programs.install(wanted)
        outcome.versions = f"{self.package} {programs.version(self.package)}"
        if self.needs_node and programs.node() is None:
            outcome.skipped = "there is no node of version 22 or later"
            return outcome
        self.compare(outcome, quick)
        return outcome
