"""Inspect's own checks of sandboxes."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "inspect",
    "inspect-ai self_check",
    "inspect-ai",
    ("inspect-ai==0.3.285",),
    (
        "tests/tools/adapters/test_inspect_ai.py",
        "-k",
        "self_check",
    ),
    notes="the virtual shell has no /etc, /usr/bin or other users",
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)
