"""The table of suites: it runs what is there, with releases that the extras allow."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.compat import suites
from tests.compat.environments import ROOT, Environment
from tests.compat.outcome import Outcome
from tests.compat.pytest_suite import PytestSuite

ENVIRONMENTS = [each for each in vars(suites).values() if isinstance(each, Environment)]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
ALLOWED = {
    wanted.name: wanted.specifier
    for requirements in EXTRAS.values()
    for wanted in map(Requirement, requirements)
}


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: each.name)
def test_the_extras_allow_what_is_tested(environment: Environment) -> None:
    for each in environment.requirements:
        wanted = Requirement(each)
        found = re.fullmatch(r"==(.+)", str(wanted.specifier))
        if found and wanted.name in ALLOWED:
            assert Version(found[1]) in ALLOWED[wanted.name], each


@pytest.mark.parametrize("name", suites.SUITES)
def test_a_suite_runs_tests_that_are_there(name: str) -> None:
    suite = suites.SUITES[name]
    assert suite.executors
    if isinstance(suite, PytestSuite):
        assert all(suite.least.values())
        for each in suite.tests:
            assert not each.startswith("tests/") or (ROOT / each).exists(), each


def made(*, passed: int = 0, failed: int = 0, left_out: int = 0) -> Outcome:
    outcome = Outcome("suite", least=2)
    for number in range(passed + failed):
        outcome.check(f"check {number}", ok=number < passed)
    for number in range(left_out):
        outcome.leave_out(f"expected {number}", "xfail: it cannot")
    return outcome


def test_an_outcome_is_good_when_enough_passes_and_nothing_fails() -> None:
    assert made(passed=2, left_out=1).good
    assert "2 of 3" in made(passed=2, left_out=1).row
    assert "TOO FEW" in made(passed=1, left_out=1).row
    assert not made(passed=1, left_out=1).good
    assert "FAILED: check 2" in made(passed=2, failed=1).row
    assert not made(passed=2, failed=1).good
    assert Outcome("suite", skipped="no daemon").good
    assert not Outcome("suite", broken="pip failed").good
