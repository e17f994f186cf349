"""Strands Agents: the outcomes of its own sandbox on the host."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "strands",
    "strands-agents, as its sandbox on the host",
    "strands-agents",
    ("strands-agents==1.62.0",),
    ("tests/tools/adapters/test_strands.py",),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
