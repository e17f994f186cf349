"""Running the hostile scripts, and saying how each ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.script.guests import Outcome, run
from tests.script.hostile import javascript_cases, python_cases
from tests.script.hostile.case import ESCAPED, Case, Ending
from vshell.ops.state import State
from vshell.script.engine import Engine
from vshell.script.limits import Limits

__all__ = ["CANARY", "cases", "ending_of", "run_case"]

CANARY = "as it was"

LIMITS = Limits(
    timeout_s=10,
    max_memory_bytes=64 * 1024**2,
    max_calls=2000,
    max_output_bytes=1024**2,
    max_message_bytes=4 * 1024**2,
    max_value_bytes=4 * 1024**2,
)


SHORT_S = 0.15
"""How long a script runs that may run into its limit of time."""


def cases() -> Iterator[tuple[str, Case]]:
    """Yield each case with the name of each engine that it suits."""
    for case in python_cases.CASES:
        yield "cpython", case
        if case.monty:
            yield "monty", case
    for case in javascript_cases.CASES:
        yield "quickjs", case


def run_case(engine: Engine, state: State, case: Case) -> Outcome:
    short = "timeout" in case.endings
    limits = replace(LIMITS, timeout_s=SHORT_S) if short else LIMITS
    return run(engine, state, case.source, limits=limits)


def ending_of(outcome: Outcome) -> Ending:
    """Return how a run ended.

    Raises:
        AssertionError: The script got what it must not.
    """
    assert ESCAPED not in repr(outcome.value)
    assert ESCAPED not in outcome.output
    if outcome.done:
        # A result that is over its limit is the host's to refuse; it is an error there.
        return "value" if len(repr(outcome.value)) < LIMITS.max_value_bytes else "error"
    if outcome.failed is not None:
        return "memory" if outcome.failed.type == "MemoryError" else "error"
    assert outcome.died is not None
    return outcome.died
