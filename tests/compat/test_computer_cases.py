"""The `computer` profile does what Cloudflare's Computer was observed to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vshell import Workspace
from vshell.text.normalize import normal_form
from vshell.tools import make_profile

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
SUITES = ("computer_edit", "computer_read", "computer_search", "computer_write_delete")

# Answered differently, with the reason. What is asserted instead stands in the tests below.
DIFFERENT = {
    "computer_edit-027": "bug: a lone CR elsewhere in the file is kept",
    "computer_edit-029": "bug: a byte that is no UTF-8 elsewhere in the file is kept",
    "computer_write_delete-010": "`/a/../b` is `/b`; the original tried to make `/`",
}

OPTIONS = {
    "maxLines": "max_lines",
    "maxBytes": "max_bytes",
    "includeLineNumbers": "include_line_numbers",
    "lineTruncation": "line_truncation",
    "maxModelBytes": "max_model_bytes",
}


def load(suite: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CASES / f"{suite}.json").read_text())["cases"]
    return found


def content(value: Any) -> bytes:
    if isinstance(value, dict) and "$hex" in value:
        return bytes.fromhex(value["$hex"])
    if isinstance(value, dict) and "$repeat" in value:
        text, count = value["$repeat"]
        return bytes(text * count, "utf-8")
    assert isinstance(value, str)
    return value.encode()


def expand(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"$repeat"}:
        return value["$repeat"][0] * value["$repeat"][1]
    if isinstance(value, dict):
        return {name: expand(item) for name, item in value.items()}
    return [expand(item) for item in value] if isinstance(value, list) else value


def same(expected: Any, found: Any) -> bool:
    if expected == "$any":
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            same(expected[name], found[name]) for name in expected
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    return bool(expected == found)


ALL = [case for suite in SUITES for case in load(suite)]


@pytest.mark.parametrize(
    "case",
    [case for case in ALL if case["id"] not in DIFFERENT],
    ids=lambda case: case["id"],
)
def test_a_tool_answers_as_the_original(case: dict[str, Any]) -> None:
    with Workspace.memory() as workspace:
        for path, data in case["files"].items():
            workspace.write(path, content(data))
        options = {OPTIONS[name]: value for name, value in case.get("options", {}).items()}
        profile = make_profile(workspace, "computer", **options)
        found = profile.call(case["tool"], expand(case["input"]))
        expected = expand(case["expect"])
        if "schema_error" in expected:
            assert found["schema_error"] == expected["schema_error"]
        else:
            assert same(expected["value"], found), found
        for path, data in case.get("files_after", {}).items():
            assert workspace.read_bytes(path) == content(data)


@pytest.mark.parametrize("case", load("computer_fuzzy_normalize"), ids=lambda case: case["id"])
def test_text_is_normalised_for_matching_as_the_original_does(case: dict[str, Any]) -> None:
    assert normal_form(case["input"]) == case["expect"]


def test_an_edit_keeps_a_lone_carriage_return() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/f", b"a\rb\n")
        edit = {"path": "/f", "edits": [{"oldText": "b", "newText": "x"}]}
        assert make_profile(workspace, "computer").call("edit", edit)["editsApplied"] == 1
        assert workspace.read_bytes("/f") == b"a\rx\n"


def test_an_edit_keeps_bytes_that_are_no_utf8() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/f", b"a\xe9\nb\n")
        edit = {"path": "/f", "edits": [{"oldText": "b", "newText": "x"}]}
        assert make_profile(workspace, "computer").call("edit", edit)["editsApplied"] == 1
        assert workspace.read_bytes("/f") == b"a\xe9\nx\n"


def test_a_name_that_does_not_exist_is_taken_back_by_dots() -> None:
    with Workspace.memory() as workspace:
        profile = make_profile(workspace, "computer")
        found = profile.call("write", {"path": "/a/../b", "content": "x"})
        assert found == {"path": "/a/../b", "bytesWritten": 1}
        assert workspace.ls("/").total == 1


def test_few_cases_are_answered_differently() -> None:
    assert set(DIFFERENT) <= {case["id"] for case in ALL}
    assert len(DIFFERENT) < 0.05 * len(ALL)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"path": 1},
        {"path": None},
        {"path": ["/"]},
        {"path": "\0"},
        {"path": ""},
        {"path": "x" * 9999},
    ],
    ids=str,
)
@pytest.mark.parametrize("tool", ["ls", "find", "grep", "read", "write", "edit", "delete", "nope"])
def test_a_malformed_call_is_answered_and_changes_nothing(
    tool: str, arguments: dict[str, Any]
) -> None:
    with Workspace.memory() as workspace:
        before = workspace.files.revision()
        found = make_profile(workspace, "computer").call(tool, arguments)
        assert found["error"]
        assert workspace.files.revision() == before
