"""OpenAI's Agents SDK: the outcomes of its own session on the host, and its runner."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "openai-agents",
    "openai-agents, as its session on the host",
    "openai-agents",
    ("openai-agents==0.24.0",),
    (
        "tests/tools/adapters/test_openai_agents.py",
        "tests/tools/adapters/test_openai_sandbox.py",
    ),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
