"""The recorded cases of the scripting API: inputs, and what two real systems answered.

Where vshell answers differently on purpose, `DIFFERENT` says why, and a test below says
what it does instead. Everything else must be answered as recorded.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vshell.errors import IsDirectoryError, NameTooLongError, NoMatchError, VshellError
from vshell.ops.state import State
from vshell.workspace import Workspace

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cases"

DIFFERENT = {
    # Marked as faults of the originals, or as better answered differently.
    "fs-067": "bug: a file moved onto itself stays",
    "fs-068": "bug: a tree moved onto itself stays",
    "fs-088": "bug: what is written through a linked directory is in that directory",
    "fs-090": "bug: writing onto a directory is EISDIR and leaves it alone",
    "plan-004": "diverge: a text to replace that is not there is an error",
    "plan-015": "bug: undoing a batch also removes the directories that it made",
    "tree-009": "bug: a directory with something in it is not empty",
    "tree-039": "bug: the bytes of a PNG say that it is one",
    # Design.
    "fs-094": "a name has at most 255 bytes, so that every export takes it",
    "glob-065": "alternatives may hold wildcards, as in bash",
}

WORKSPACE_IS_RIGHT = {"fs-032", "fs-045", "fs-066", "fs-091", "glob-056", "glob-057", "glob-061"}
"""Where the two originals differ and it is not the first, `memory`, that does as POSIX has it."""

VERDICTS_WITH_A_RIGHT_ANSWER = {"fs-021", "fs-032", "fs-037", "fs-091", "search-034"}
"""Marked cases in which one of the two originals is right, or the divergence is not wanted."""


def load_cases() -> dict[str, dict[str, Any]]:
    suites = [json.loads(path.read_text()) for path in sorted(FIXTURES.glob("shell_*.json"))]
    return {case["id"]: case for suite in suites for case in suite["cases"]}


CASES = load_cases()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def decoded(value: Any) -> Any:
    """Return a value of a case as it is meant."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$hex"}:
        return bytes.fromhex(value["$hex"])
    if set(value) == {"$repeat"}:
        text, times = value["$repeat"]
        return text * times
    return {name: decoded(item) for name, item in value.items()}


def same(expected: Any, actual: Any) -> bool:
    """Compare an answer with the recorded one, in which `$any` is any time."""
    if expected == "$any":
        return isinstance(actual, int)
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys() - ({"mode"} - expected.keys())  # it is optional
            and all(same(expected[name], actual[name]) for name in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(map(same, expected, actual))
        )
    return bool(expected == actual) and isinstance(actual, bool) == isinstance(expected, bool)


def outcome(state: State, step: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": getattr(state, step["op"])(*decoded(step["args"]))}
    except VshellError as error:
        return {"error": error}


def agrees(expected: dict[str, Any], actual: dict[str, Any]) -> bool:
    if "error" not in expected:
        return "value" in actual and same(decoded(expected["value"]), actual["value"])
    if "error" not in actual:
        return False
    code = expected["error"]["code"]
    return code is None or errno.errorcode[actual["error"].errno] == code


def write_files(state: State, case: dict[str, Any]) -> None:
    for path, given in case.get("files", {}).items():
        content = decoded(given)
        if isinstance(content, bytes):
            state.writeFileBytes(path, content)
        else:
            state.writeFile(path, content)


def answer(name: str, step: dict[str, Any]) -> dict[str, Any]:
    """Return the recorded answer to a step."""
    if "expect" in step:
        return dict(step["expect"])
    return dict(step["expect_by"]["workspace" if name in WORKSPACE_IS_RIGHT else "memory"])


@pytest.mark.parametrize("name", [name for name in CASES if name not in DIFFERENT])
def test_a_case_is_answered_as_recorded(name: str, workspace: Workspace) -> None:
    state = workspace.state
    write_files(state, CASES[name])
    for step in CASES[name]["steps"]:
        actual = outcome(state, step)
        assert agrees(answer(name, step), actual), (
            f"{step['op']}{step['args']!r:.500} gave {actual!r:.1000}"
        )


def test_only_cases_that_exist_are_answered_differently() -> None:
    assert set(DIFFERENT) <= set(CASES)


def test_every_marked_case_is_decided_on() -> None:
    marked = {name for name, case in CASES.items() if "verdict" in case}
    assert marked <= set(DIFFERENT) | VERDICTS_WITH_A_RIGHT_ANSWER


def test_few_unmarked_cases_are_answered_differently() -> None:
    unmarked = [name for name in DIFFERENT if "verdict" not in CASES[name]]
    assert len(unmarked) < 0.05 * len(CASES)


# What is done instead, where a case is answered differently.


def prepared(workspace: Workspace, name: str) -> State:
    write_files(workspace.state, CASES[name])
    return workspace.state


def test_fs_067_a_file_moved_onto_itself_stays(workspace: Workspace) -> None:
    state = prepared(workspace, "fs-067")
    state.mv("/a", "/a")
    assert state.readFile("/a") == "1"


def test_fs_068_a_tree_moved_onto_itself_stays(workspace: Workspace) -> None:
    state = prepared(workspace, "fs-068")
    state.moveTree("/d", "/d")
    assert state.readFile("/d/x") == "1"


def test_fs_088_a_linked_directory_is_the_directory(workspace: Workspace) -> None:
    state = prepared(workspace, "fs-088")
    state.symlink("/d", "/l")
    state.writeFile("/l/y", "2")
    assert (state.readFile("/l/x"), state.readdir("/l")) == ("1", ["x", "y"])
    assert state.readFile("/d/y") == "2"


def test_fs_090_writing_onto_a_directory_is_refused(workspace: Workspace) -> None:
    state = prepared(workspace, "fs-090")
    with pytest.raises(IsDirectoryError):
        state.writeFile("/d", "x")
    assert state.stat("/d")["type"] == "directory"
    assert state.readFile("/d/x") == "1"


def test_fs_094_a_name_of_more_than_255_bytes_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NameTooLongError):
        workspace.state.writeFile(CASES["fs-094"]["steps"][0]["args"][0], "1")


def test_glob_065_alternatives_hold_wildcards(workspace: Workspace) -> None:
    state = prepared(workspace, "glob-065")
    assert state.glob("/src/{*.ts,*.tsx}") == ["/src/a.ts", "/src/b.tsx"]


def test_plan_004_a_text_that_is_not_there_is_an_error(workspace: Workspace) -> None:
    state = prepared(workspace, "plan-004")
    with pytest.raises(NoMatchError, match=r"instructions\[0\]") as caught:
        state.planEdits(CASES["plan-004"]["steps"][0]["args"][0])
    assert caught.value.data["index"] == 0


def test_plan_015_nothing_is_left_of_a_batch_that_failed(workspace: Workspace) -> None:
    with pytest.raises(IsDirectoryError):
        workspace.state.applyEdits(CASES["plan-015"]["steps"][0]["args"][0])
    assert workspace.state.readdir("/") == []


def test_tree_009_only_what_is_empty_is_empty(workspace: Workspace) -> None:
    state = prepared(workspace, "tree-009")
    state.mkdir("/p/none")
    assert [entry["path"] for entry in state.find("/p", {"empty": True})] == ["/p/b.md", "/p/none"]


def test_tree_039_bytes_tell_a_picture(workspace: Workspace) -> None:
    state = workspace.state
    state.writeFileBytes("/f.bin", b"\0\1")
    state.writeFileBytes("/i.dat", b"\x89PNG\r\n\x1a\n")
    assert state.detectFile("/f.bin") == {
        "mime": "application/octet-stream",
        "extension": "bin",
        "binary": True,
        "description": "application/octet-stream (bin)",
    }
    assert state.detectFile("/i.dat") == {
        "mime": "image/png",
        "extension": "dat",
        "binary": True,
        "description": "image/png (dat)",
    }
