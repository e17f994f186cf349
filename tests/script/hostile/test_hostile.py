"""Hostile scripts: each ends as it may, gets nothing, and harms neither host nor engine.

By default a third of those that run into their limit of time are tried, which are waited
for; `VSHELL_HOSTILE=all` tries all, as `python -m tests.script.hostile` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.script.guests import run
from tests.script.hostile.case import Case
from tests.script.hostile.running import CANARY, cases, ending_of, run_case
from vshell.script.engine import Engine
from vshell.script.pool import ENGINES, engine_class
from vshell.workspace import Workspace

ENGINE_NAMES = sorted(ENGINES)
ONE_IN = 1 if os.environ.get("VSHELL_HOSTILE") == "all" else 3


def chosen() -> Iterator[tuple[str, Case]]:
    """Yield the cases that are tried."""
    waited_for = 0
    for name, case in cases():
        if "timeout" in case.endings:
            waited_for += 1
            if waited_for % ONE_IN:
                continue
        yield name, case


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    made = {name: engine_class(name)() for name in ENGINE_NAMES}
    usable = {name: engine for name, engine in made.items() if engine.available() is None}
    yield usable
    for engine in made.values():
        engine.close()


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(*each, id=f"{each[0]}: {each[1].name}") for each in chosen()]
)
def test_a_hostile_script_is_contained(engines: dict[str, Engine], name: str, case: Case) -> None:
    if name not in engines:
        pytest.skip(f"{name} is not available here")
    engine = engines[name]
    with Workspace.memory() as workspace:
        workspace.write("/canary", CANARY)
        ending = ending_of(run_case(engine, workspace.state, case))
        assert ending in case.endings
        assert workspace.read_text("/canary") == CANARY
        assert run(engine, workspace.state, "1 + 1").value == 2, "the engine is well after it"


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_hostile_scripts_leave_no_descriptors(engines: dict[str, Engine], name: str) -> None:
    if name not in engines:
        pytest.skip(f"{name} is not available here")
    with Workspace.memory() as workspace, closing(engine_class(name)()) as engine:
        run(engine, workspace.state, "1 + 1")
        before = len(os.listdir("/proc/self/fd"))
        for each, case in cases():
            if each == name and "timeout" not in case.endings:
                run_case(engine, workspace.state, case)
        run(engine, workspace.state, "1 + 1")
        assert len(os.listdir("/proc/self/fd")) <= before + 4


def test_there_are_at_least_eighty_for_each_language() -> None:
    names = [name for name, _ in cases()]
    assert names.count("cpython") >= 80
    assert names.count("quickjs") >= 80
    assert names.count("monty") >= 40


def test_every_case_has_a_name_of_its_own() -> None:
    found = [(name, case.name) for name, case in cases()]
    assert len(found) == len(set(found))
