"""LangChain's suite for sandboxes, with the release of deepagents that it was written for."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "deepagents-0.6",
    "langchain-tests SandboxIntegrationTests",
    "deepagents",
    (
        "deepagents==0.6.12",
        "langchain-tests==1.1.9",
    ),
    (
        "tests/tools/adapters/test_deepagents.py",
        "-k",
        "TestVirtual or TestContainer",
    ),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
