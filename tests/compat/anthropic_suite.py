"""Anthropic's tools, compared with the SDK's own agent toolset on the host."""

from __future__ import annotations

import importlib.metadata

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("anthropic agent toolset", importlib.metadata.version("anthropic"))
    outcome.notes = "one of the tests makes 47 calls to both"
    chosen = ("-m", "not docker") if quick else ()
    return count(outcome, "tests/tools/adapters/test_anthropic.py", *chosen)
