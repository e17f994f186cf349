"""`vshell run`: scripts from a file or stdin, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repl.conftest import Run
from vshell.script.pool import engine_class

ENGINE = next(
    (name for name in ("monty", "cpython") if engine_class(name)().available() is None), ""
)
needs_engine = pytest.mark.skipif(not ENGINE, reason="no engine for Python works here")


@needs_engine
def test_a_file_is_run_and_its_effects_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('hello')\nstate.write_file('/x', name)\n{'n': count}")
    done = run("run", "a.py", "--input", "name=me", "--input", "count=[1]")
    assert (done.code, done.text, done.err) == (0, 'hello\n{\n  "n": [\n    1\n  ]\n}\n', "")
    assert run("read", "/x").text == "me"


@needs_engine
def test_stdin_is_run(run: Run) -> None:
    done = run("run", "-", stdin=b"def main():\n    return 'text'\n")
    assert (done.code, done.text) == (0, "text\n")


@needs_engine
def test_a_dry_run_shows_the_patch_and_is_applied_by_its_name(run: Run) -> None:
    done = run("run", "-", "--dry-run", stdin=b"state.write_file('/x', 'new\\n')")
    assert done.code == 0
    assert "+new" in done.text
    assert run("exists", "/x").code == 1
    name = done.err.split("--commit ")[1].split("`")[0]
    assert run("run", "--commit", name).code == 0
    assert run("read", "/x").text == "new\n"


@needs_engine
def test_a_failure_names_line_and_hint(run: Run) -> None:
    done = run("run", "-", stdin=b"\nstate.write_file('/x', 1)\n")
    assert done.code == 1
    assert "error: line 2: TypeError: content of writeFile must be text, not int" in done.err
    assert "hint: call it as writeFile(path, content)" in done.err or "hint:" not in done.err


@needs_engine
def test_json_has_all_of_the_result(run: Run) -> None:
    found = run("--json", "run", "-", "--dry-run", stdin=b"state.write_file('/x', 'y')\n1.5").json
    assert found["status"] == "ok"
    assert found["value"] == 1.5
    assert found["changes"][0]["action"] == "create"
    assert "+y" in found["patch"]
    assert found["stats"]["calls"] == 1


@needs_engine
def test_time_that_is_over_has_its_code(run: Run) -> None:
    assert run("run", "-", "--timeout", "0.2", stdin=b"while True: pass").code == 124


def test_the_types_are_shown(run: Run) -> None:
    assert "class State:" in run("run", "--types").text
    assert "declare const state" in run("run", "--types", "--language", "javascript").text
    assert "declare const state" in run("run", "new.js", "--types").text


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "a.py", "--commit", "x"], ["run", "-", "--input", "novalue"]],
    ids=["nothing", "two things", "no input"],
)
def test_what_makes_no_sense_is_wrong_usage(run: Run, words: list[str]) -> None:
    assert run(*words).code == 2


def test_a_missing_file_is_said(run: Run) -> None:
    done = run("run", "none.py")
    assert done.code == 1
    assert "none.py" in done.err
