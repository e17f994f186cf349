"""The Claude Agent SDK's conformance suite for transcripts, and its in-process server."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("claude-agent-sdk")
    if importlib.util.find_spec("claude_agent_sdk") is None:
        outcome.skipped = "PyPI claude-agent-sdk is not installed"
        return outcome
    outcome.version = importlib.metadata.version("claude-agent-sdk")
    outcome.notes = "one of the tests runs the 14 contracts of run_session_store_conformance"
    return count(outcome, "tests/tools/adapters/test_claude_agent_sdk.py", "-p", "no:asyncio")
