"""smolagents: its agent with the workspace's executor."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "smolagents",
    "smolagents",
    "smolagents",
    ("smolagents==1.26.0",),
    ("tests/tools/adapters/test_smolagents.py",),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
