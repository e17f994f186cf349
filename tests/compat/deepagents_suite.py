"""LangChain's suite for sandboxes, with the current release of deepagents."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "deepagents",
    "langchain-tests SandboxIntegrationTests",
    "deepagents",
    (
        "deepagents==0.7.32",
        "langchain-tests==1.1.9",
    ),
    (
        "tests/tools/adapters/test_deepagents.py",
        "-k",
        "TestVirtual or TestContainer",
    ),
    notes="7 contradict this release, as xfails on each executor",
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
