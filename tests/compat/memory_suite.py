"""Anthropic's memory tool: random commands get the answers of the package's own."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("anthropic memory tool")
    if importlib.util.find_spec("anthropic") is None:
        outcome.skipped = "PyPI anthropic is not installed"
        return outcome
    outcome.version = importlib.metadata.version("anthropic")
    outcome.notes = "one of the tests tries 100 generated sequences"
    return count(outcome, "tests/tools/test_memory.py")
