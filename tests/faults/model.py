"""The state machine over the whole surface, from the command line; see the contract tests."""

from __future__ import annotations

import traceback

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.contract.test_random_history import HistoryModel
from tests.faults.findings import Findings

_STEPS = 30


def run(*, count: int, seed: int = 0) -> Findings:
    """Run the machine so often, with new operations each time."""
    findings = Findings(seed)
    steps = 0

    class Counted(HistoryModel):
        @invariant()
        def count_the_step(self) -> None:
            nonlocal steps
            steps += 1

    machine = seeded(seed)(Counted)
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=count,
                stateful_step_count=_STEPS,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
                deadline=None,
                database=None,
            ),
        )
    except Exception:  # noqa: BLE001 - whatever it is, it is a finding
        findings.failures.append(traceback.format_exc(limit=-3))
    findings.counts["runs"] = count
    findings.counts["steps, each compared with the model"] = steps
    return findings
