from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.actions import WEIGHTS, act, fingerprint, name_of, open_workspace
from tests.faults.findings import FailedProofError
from tests.faults.kills import _check_pair, _Pair, run


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_kill_loses_what_was_reported_or_leaves_half_of_an_operation(seed: int) -> None:
    # With those of `test_killed_writer.py` and `test_sync_kills.py`, over 300 in each run.
    findings = run(count=90, seed=seed)
    assert findings.failures == []
    assert findings.counts["operations reported before"] > 100


def test_the_same_seed_leads_to_the_same_rows(tmp_path: Path) -> None:
    found = []
    for name in ("first.db", "second.db"):
        with open_workspace(tmp_path / name) as workspace:
            for number in range(60):
                act(workspace, 7, number)
        found.append(fingerprint(tmp_path / name))
    assert found[0] == found[1]


def test_every_operation_is_among_those_that_are_chosen() -> None:
    names = {name_of(0, number) for number in range(1000)}
    assert names == {action.__name__.strip("_") for action in WEIGHTS} | {"redo"}


@pytest.mark.parametrize("reported", [3, 5])
def test_an_operation_lost_or_done_too_much_would_be_noticed(tmp_path: Path, reported: int) -> None:
    pair = _Pair(tmp_path / "agent.db", tmp_path / "quiet.db", seed=3)
    with open_workspace(pair.path) as workspace:
        for number in range(4):
            act(workspace, pair.seed, number)
            workspace.write(f"/{number}", "so that every operation changes something")
    with pytest.raises(FailedProofError):
        _check_pair(pair, reported)
