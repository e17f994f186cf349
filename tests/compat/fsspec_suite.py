"""fsspec's own abstract suites: Copy, Get, Put, Open and Pipe."""

from __future__ import annotations

import importlib.metadata

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("fsspec.tests.abstract", importlib.metadata.version("fsspec"))
    tests = "tests/tools/adapters/test_fsspec.py"
    return count(outcome, tests, "-k", "TestCopy or TestGet or TestPut or TestOpen or TestPipe")
