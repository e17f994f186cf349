"""`auto` takes the cheapest engine that can, and starts anew in the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.script.inprocess import ThreadEngine
from vshell import Workspace
from vshell.errors import RangeError
from vshell.script.choice import choose
from vshell.script.engine import Job, Unavailability
from vshell.script.functions import Function
from vshell.script.pool import scripts_of
from vshell.script.source import normalise


class LackingEngine(ThreadEngine):
    """An engine without `str.upper`, as far as a script can tell."""

    def start(self, job: Job) -> Any:
        lacking = job.source.replace(".upper()", ".upper_is_missing()")
        return super().start(replace(job, source=lacking))


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as made:
        made.write("/log", "")
        yield made


@pytest.fixture
def engines(workspace: Workspace) -> Iterator[tuple[LackingEngine, ThreadEngine]]:
    """Stand-ins for Monty, which lacks something, and for CPython in the jail."""
    found = (LackingEngine("monty"), ThreadEngine("cpython"))
    scripts = scripts_of(workspace.files)
    scripts._engines.update(monty=found[0], cpython=found[1])
    yield found
    scripts._engines.clear()


SOURCE = "state.append_file('/log', 'x')\nprint('once')\n'a'.upper()"


def test_a_script_starts_anew_in_the_next_engine_with_its_effects_dropped(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    result = workspace.run(SOURCE, language="python")
    assert (result.value, result.logs) == ("A", "once\n")
    assert (result.stats.engine, result.stats.attempts) == ("cpython", 2)
    assert workspace.read_text("/log") == "x"


def test_inside_a_transaction_it_does_so_too(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    with workspace.transaction():
        assert workspace.run(SOURCE, language="python").value == "A"
    assert workspace.read_text("/log") == "x"


def test_what_is_applied_already_is_not_done_again(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    result = workspace.run(SOURCE, language="python", atomic=False)
    assert result.status == "error"
    assert result.stats.attempts == 1
    assert workspace.read_text("/log") == "x"


def test_after_a_function_of_the_host_was_called_no_other_engine_is_tried(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    sent: list[int] = []
    result = workspace.run(
        "send(1)\n'a'.upper()", language="python", functions={"send": Function(sent.append)}
    )
    assert result.status == "error"
    assert sent == [1]


def test_a_durable_run_goes_on_in_the_next_engine(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    result = workspace.run(SOURCE, language="python", durable=True)
    assert result.value == "A"
    assert workspace.read_text("/log") == "x"


def names(workspace: Workspace, source: str, engine: str = "auto", *, durable: bool = False) -> Any:
    normal = normalise(source, "python")
    job = Job(normal.text, "python")
    found = choose(scripts_of(workspace.files), normal, job, engine, durable=durable)
    return found if isinstance(found, Unavailability) else [each.name for each in found]


def test_what_loops_runs_where_it_is_fast(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    assert names(workspace, "1 + 1") == ["monty", "cpython"]
    assert names(workspace, "for x in (1, 2): pass") == ["monty", "cpython"]
    assert names(workspace, "[x for x in range(1000)]") == ["monty", "cpython"]
    assert names(workspace, "for x in range(100):\n  for y in range(100): pass")[0] == "cpython"
    assert names(workspace, "for x in [*y]: pass")[0] == "cpython"
    assert names(workspace, "while x: pass")[0] == "cpython"
    assert names(workspace, "for x in y: pass") == ["cpython", "monty"]
    assert names(workspace, "for x in y: pass", durable=True) == ["monty", "cpython"]
    assert names(workspace, "1", "cpython") == ["cpython"]


def test_what_is_unavailable_is_passed_over_and_never_replaced_when_named(
    workspace: Workspace, engines: tuple[LackingEngine, ThreadEngine]
) -> None:
    engines[1].unavailable = Unavailability("no namespaces", "use Linux")
    assert names(workspace, "for x in y: pass") == ["monty"]
    assert names(workspace, "1", "cpython") == Unavailability("no namespaces", "use Linux")
    engines[0].unavailable = Unavailability("not installed")
    assert names(workspace, "1") == Unavailability("not installed; no namespaces", "use Linux")


def test_an_engine_of_another_language_is_refused(workspace: Workspace) -> None:
    with pytest.raises(RangeError):
        workspace.run("1", language="python", engine="quickjs")
