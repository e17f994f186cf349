"""Google's ADK: the answers of its environment tools on the host."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "google-adk",
    "google-adk, as its environment on the host",
    "google-adk",
    ("google-adk==2.13.0",),
    ("tests/tools/adapters/test_google_adk.py",),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
