"""What a run does to the workspace and says of it, whatever the engine is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.script.inprocess import ThreadEngine
from vshell import Workspace
from vshell.errors import RangeError, ReadOnlyError
from vshell.script.engine import Unavailability
from vshell.script.functions import Function
from vshell.script.loop import Cancellation
from vshell.script.pool import scripts_of
from vshell.script.result import ScriptResult


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as opened:
        opened.write("/a.txt", "one\n")
        opened.write("/src/b.py", "# TODO: two\n")
        yield opened


@pytest.fixture
def engine() -> ThreadEngine:
    return ThreadEngine()


@pytest.fixture
def run(workspace: Workspace, engine: ThreadEngine) -> Callable[..., ScriptResult]:
    def call(source: str, **options: Any) -> ScriptResult:
        given: dict[str, Any] = {"engine": engine, "language": "python"} | options
        return workspace.run(source, **given)

    return call


Run = Callable[..., ScriptResult]


def test_the_last_expression_is_the_result(run: Run) -> None:
    result = run("x = 20\nx + 1")
    assert (result.status, result.value, result.error) == ("ok", 21, None)
    assert result.ok
    assert result.changes == ()
    assert result.stats.engine == "thread"


def test_a_script_reads_and_changes_files_in_both_spellings(run: Run, workspace: Workspace) -> None:
    result = run(
        "state.write_file('/new.txt', state.readFile('/a.txt') * 2)\n"
        "state.rm('/src', recursive=True)\nprint('done')"
    )
    assert result.status == "ok"
    assert workspace.read_text("/new.txt") == "one\none\n"
    assert not workspace.exists("/src")
    assert result.logs == "done\n"
    assert [(each.path, each.action) for each in result.changes] == [
        ("/new.txt", "create"),
        ("/src", "delete"),
        ("/src/b.py", "delete"),
    ]
    assert "+++ b/new.txt" in result.patch
    assert [call.method for call in result.calls] == ["readFile", "write_file", "rm"]
    assert result.calls[0].arguments == "'/a.txt'"


def test_the_changes_are_one_revision_under_the_name_of_the_session(
    workspace: Workspace, engine: ThreadEngine
) -> None:
    before = workspace.files.revision()
    workspace.session("me", cwd="/src").run(
        "state.write_file('x', '1')\nstate.write_file('y', '2')", engine=engine
    )
    changes = workspace.changes(before).changes
    assert {(each.revision, each.session, each.operation) for each in changes} == {
        (before + 1, "me", "run")
    }
    assert workspace.read_text("/src/y") == "2"
    workspace.undo()
    assert not workspace.exists("/src/x")


def test_a_failed_script_changes_nothing(run: Run, workspace: Workspace) -> None:
    before = workspace.files.revision()
    result = run("state.write_file('/new', '1')\n\nraise ValueError('no')")
    assert result.status == "error"
    assert result.error is not None
    assert (result.error.type, result.error.message, result.error.line) == ("ValueError", "no", 3)
    assert workspace.files.revision() == before
    assert result.changes == ()


def test_an_error_of_a_call_is_one_that_the_script_can_catch(run: Run) -> None:
    result = run(
        "try:\n  state.read_file('/none')\nexcept FileNotFoundError as error:\n"
        "  code = error.code, error.path\ncode"
    )
    assert result.value == ("not_found", "/none")
    assert result.calls[0].error == "not_found"


def test_an_uncaught_error_of_a_call_has_its_hint(run: Run) -> None:
    result = run("state.write_file('/a.txt')")
    assert result.error is not None
    assert result.error.type == "TypeError"
    assert "writeFile(path, content)" in result.error.hint


def test_inputs_are_variables(run: Run) -> None:
    assert (
        run("def main(name): return name * count", inputs={"name": "x", "count": 3}).value == "xxx"
    )
    assert run("sorted(inputs)", inputs={"b": b"\0", "a": 1.5}).value == ["a", "b"]


def test_an_input_without_a_form_in_json_is_the_callers_mistake(run: Run) -> None:
    with pytest.raises(TypeError):
        run("1", inputs={"x": object()})


def test_a_dry_run_tells_and_changes_nothing(run: Run, workspace: Workspace) -> None:
    before = workspace.files.revision()
    result = run("state.write_file('/a.txt', 'two\\n')\nstate.read_file('/a.txt')", dry_run=True)
    assert (result.status, result.value, result.dry_run) == ("ok", "two\n", True)
    assert "-one\n+two\n" in result.patch
    assert workspace.files.revision() == before
    assert workspace.read_text("/a.txt") == "one\n"


def test_calls_that_are_not_atomic_stay(run: Run, workspace: Workspace) -> None:
    result = run(
        "state.write_file('/new', '1')\nstate.move_tree('/src', '/lib')\n1 / 0", atomic=False
    )
    assert result.status == "error"
    assert workspace.read_text("/new") == "1"
    assert [(each.path, each.old_path) for each in result.changes] == [
        ("/lib", "/src"),
        ("/lib/b.py", "/src/b.py"),
        ("/new", None),
    ]


def interfering(workspace: Workspace, path: str, times: int = 1) -> Callable[[], None]:
    left = [times]

    def interfere() -> None:
        if left[0]:
            left[0] -= 1
            with_other = workspace.session("other")
            with_other.append(path, "theirs\n")

    return interfere


SCRIPT = (
    "text = state.read_file('/a.txt')\ninterfere()\nstate.write_file('/a.txt', text + 'mine\\n')"
)


def test_a_change_of_what_was_read_is_a_conflict(run: Run, workspace: Workspace) -> None:
    functions = {"interfere": Function(interfering(workspace, "/a.txt"), "read")}
    result = run(SCRIPT, functions=functions)
    assert result.status == "conflict"
    assert result.error is not None
    assert "/a.txt" in result.error.message
    assert workspace.read_text("/a.txt") == "one\ntheirs\n"


def test_a_conflict_is_retried_when_asked_for(run: Run, workspace: Workspace) -> None:
    functions = {"interfere": Function(interfering(workspace, "/a.txt", 2), "read")}
    result = run(SCRIPT, functions=functions, retries=2)
    assert result.status == "ok"
    assert result.stats.attempts == 3
    assert workspace.read_text("/a.txt") == "one\ntheirs\ntheirs\nmine\n"


def test_a_change_of_something_else_is_no_conflict(run: Run, workspace: Workspace) -> None:
    functions = {"interfere": interfering(workspace, "/src/b.py")}
    assert run(SCRIPT, functions=functions).status == "ok"


def test_others_can_write_while_a_script_runs(run: Run, workspace: Workspace) -> None:
    result = run(
        "write()\nstate.exists('/theirs')",
        functions={"write": lambda: workspace.write("/theirs", "x") and None},
    )
    assert result.value is False
    assert workspace.exists("/theirs")


def test_inside_a_transaction_a_script_sees_it_and_is_part_of_it(
    run: Run, workspace: Workspace
) -> None:
    class UndoError(Exception):
        pass

    def attempt() -> None:
        with workspace.transaction():
            workspace.write("/mine", "x")
            assert run("state.write_file('/more', state.read_file('/mine'))").status == "ok"
            assert workspace.read_text("/more") == "x"
            assert run("state.write_file('/more', '2')\n1 / 0").status == "error"
            assert run("state.write_file('/more', '2')", dry_run=True).changes
            assert workspace.read_text("/more") == "x"
            raise UndoError

    with pytest.raises(UndoError):
        attempt()
    assert not workspace.exists("/more")


@pytest.mark.parametrize(
    ("source", "limits", "status"),
    [
        ("import threading\nthreading.Event().wait(5)", {"timeout_s": 0.05}, "timeout"),
        ("for _ in range(20): state.exists('/a')", {"max_calls": 10}, "limit"),
        ("for _ in range(20): print('x' * 100)", {"max_output_bytes": 1000}, "limit"),
        ("'x' * 2000", {"max_value_bytes": 1000}, "limit"),
        ("state.write_file('/x', 'x' * 2000)", {"max_write_bytes": 1000}, "error"),
        ("raise MemoryError", {}, "limit"),
        ("#" * 600_000, {}, "limit"),
    ],
    ids=["time", "calls", "output", "value", "writes", "memory", "source"],
)
def test_a_limit_ends_a_run(
    run: Run, workspace: Workspace, source: str, limits: dict[str, Any], status: str
) -> None:
    before = workspace.files.revision()
    result = run(source, limits=limits)
    assert result.status == status
    assert result.error is not None
    assert result.error.message
    assert workspace.files.revision() == before


def test_unknown_limits_and_engines_are_the_callers_mistake(workspace: Workspace) -> None:
    with pytest.raises(RangeError):
        workspace.run("1", limits={"timeout": 1})
    with pytest.raises(RangeError):
        workspace.run("1", limits={"timeout_s": 0})
    with pytest.raises(RangeError):
        workspace.run("1", engine="v8")


def test_a_value_that_cannot_be_returned_is_an_error(run: Run) -> None:
    result = run("{1: 2}")
    assert result.status == "error"
    assert result.error is not None
    assert "text" in result.error.message


def test_what_is_too_large_for_the_result_goes_to_files(run: Run, workspace: Workspace) -> None:
    result = run("print('y' * 3000)\n['x' * 3000, b'\\0']", limits={"max_result_bytes": 1000})
    assert result.status == "ok"
    assert result.value is None
    assert result.value_path == f"/.vshell/runs/{result.run_id}/value.json"
    assert json.loads(workspace.read_text(result.value_path)) == ["x" * 3000, {"$bytes": "AA=="}]
    assert result.logs == "y" * 1000
    assert result.logs_path is not None
    assert workspace.read_text(result.logs_path) == "y" * 3000 + "\n"


def test_a_result_is_plain_data(run: Run) -> None:
    result = run("state.write_file('/n', '1')\nb'\\xff'")
    assert json.loads(json.dumps(result.as_dict()))["value"] == {"$bytes": "/w=="}


def test_functions_of_the_host_can_be_called(run: Run) -> None:
    def lookup(name: str, *, upper: bool = False) -> dict[str, str]:
        if name == "bad":
            raise KeyError(name)
        return {"name": name.upper() if upper else name}

    assert run("lookup('x', upper=True)", functions={"lookup": lookup}).value == {"name": "X"}
    failed = run("lookup('bad')", functions={"lookup": lookup})
    assert failed.error is not None
    assert failed.error.type == "KeyError"
    with pytest.raises(RangeError):
        run("1", functions={"state": lookup})


def test_what_is_no_plain_data_does_not_come_out(run: Run) -> None:
    assert run("make()", functions={"make": object}).status == "error"


def test_an_engine_that_is_unavailable_is_said(workspace: Workspace) -> None:
    engine = ThreadEngine(unavailable=Unavailability("no such kernel", "get one"))
    result = workspace.run("1", engine=engine, language="python")
    assert result.status == "unavailable"
    assert result.error is not None
    assert (result.error.message, result.error.hint) == ("no such kernel", "get one")
    assert not engine.started


def test_a_run_is_cancelled_from_another_thread(run: Run, engine: ThreadEngine) -> None:
    cancellation = Cancellation()
    started = threading.Event()
    results: list[ScriptResult] = []
    functions = {"started": started.set}
    source = (
        "state.write_file('/never', '1')\nstarted()\nimport threading\nthreading.Event().wait(5)"
    )
    thread = threading.Thread(
        target=lambda: results.append(run(source, functions=functions, cancellation=cancellation))
    )
    thread.start()
    assert started.wait(5)
    cancellation.cancel()
    thread.join(5)
    assert results[0].error is not None
    assert results[0].error.type == "Cancelled"
    assert engine.started[0].closed


def test_closing_the_workspace_ends_what_runs_and_frees_what_is_idle(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w.db")
    engine = ThreadEngine()
    assert workspace.run("1", engine=engine, language="python").ok
    scripts = scripts_of(workspace.files)
    (overlay,) = scripts._overlays
    workspace.close()
    assert overlay.closed
    assert not scripts._overlays


def test_many_threads_run_scripts_at_once(run: Run, workspace: Workspace) -> None:
    results: list[ScriptResult] = []

    def work(number: int) -> None:
        results.append(run(f"state.write_file('/t{number}', '{number}')"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.status for result in results} == {"ok"}
    assert [workspace.read_text(f"/t{number}") for number in range(12)] == [
        str(number) for number in range(12)
    ]
    assert len(scripts_of(workspace.files)._overlays) <= 4


def test_a_read_only_workspace_runs_scripts_that_only_read(tmp_path: Path) -> None:
    Workspace.open(tmp_path / "w.db").close()
    with Workspace.open(tmp_path / "w.db", read_only=True) as workspace:
        options: dict[str, Any] = {"engine": ThreadEngine(), "language": "python"}
        assert workspace.run("state.exists('/')", **options).value is True
        result = workspace.run("state.write_file('/x', '1')", **options)
        assert result.status == "error"
        assert result.error is not None
        assert result.error.type == ReadOnlyError.__name__
        assert workspace.run("state.write_file('/x', '1')", dry_run=True, **options).changes


def test_a_session_that_must_read_first_must_do_so_in_a_script(
    workspace: Workspace, engine: ThreadEngine
) -> None:
    careful = workspace.session("careful", require_read=True)
    options: dict[str, Any] = {"engine": engine, "language": "python"}
    refused = careful.run("state.write_file('/a.txt', '2')", **options)
    assert refused.status == "error"
    assert refused.error is not None
    assert "read" in refused.error.message
    assert careful.run("state.read_file('/a.txt')\nstate.write_file('/a.txt', '2')", **options).ok
    careful.write("/a.txt", "3")  # the account of what it has seen is true afterwards
