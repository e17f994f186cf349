"""Killed in any phase of a job, the next process finishes it, and nothing runs twice."""

from __future__ import annotations

import pytest

from tests.faults import container_kills


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("transport", ["bind", "stream"])
def test_a_killed_job_is_finished_and_never_repeated(transport: str) -> None:
    findings = container_kills.run(count=28, seed=4, transport=transport)
    print(findings.text())
    assert not findings.failures, findings.text()
    assert findings.counts["kills of the process that runs a job"] == 28
