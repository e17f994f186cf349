from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults import input_fuzz
from tests.faults.input_fuzz import SORTS, case, run, spoiled
from vshell.errors import RangeError, VshellError
from vshell.workspace import Workspace


@pytest.mark.slow
def test_spoiled_input_gives_an_answer_or_an_error_of_ours() -> None:
    findings = run(count=100, seed=1)
    assert findings.failures == []
    assert {kind.partition(": ")[0] for kind in findings.counts} == set(SORTS)


def test_most_of_what_is_spoiled_differs_from_what_is_good() -> None:
    chance = random.Random(1)
    made = [spoiled(b"some good input", [b"another"], chance) for _ in range(100)]
    assert len(set(made)) > 80


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (lambda workspace, data, _: {}[data], "KeyError"),
        (lambda workspace, data, _: [workspace.rm("/text"), refuse("no")], "half of it"),
        (lambda workspace, data, place: refuse(str(place)), "in "),
    ],
)
def test_what_goes_wrong_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: input_fuzz.Work, told: str
) -> None:
    monkeypatch.setattr(input_fuzz, "SORTS", {"sort": (lambda: [b"x"], work)})
    _, failures = case(tmp_path, "0/1", lambda _: None)
    assert any(told in failure for failure in failures)


def test_a_good_input_of_each_sort_is_taken(tmp_path: Path) -> None:
    for sort, (inputs, work) in SORTS.items():
        if sort not in ("sqlar", "reversed patch"):
            assert any(is_taken(work, data, tmp_path) for data in inputs()), sort


def is_taken(work: input_fuzz.Work, data: bytes, directory: Path) -> bool:
    with Workspace.memory() as workspace:
        input_fuzz._fill(workspace)
        try:
            work(workspace, data, directory)
        except VshellError:
            return False
        return True


def refuse(text: str) -> object:
    raise RangeError(text)
