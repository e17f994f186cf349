"""Pydantic AI's conformance suite for workspace backends."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("pydantic-ai WorkspaceBackendSuite")
    if importlib.util.find_spec("pydantic_ai") is None:
        outcome.skipped = "PyPI pydantic-ai-slim is not installed"
        return outcome
    outcome.version = importlib.metadata.version("pydantic-ai-slim")
    tests = "tests/tools/adapters/test_pydantic_ai.py"
    outcome.notes = "on the virtual shell; xfails and skips, with reasons, are not counted"
    return count(outcome, tests, "-p", "no:asyncio", "-k", "TestWorkspaceBackend")
