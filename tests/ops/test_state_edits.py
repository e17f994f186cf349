"""Planning edits and applying many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NoMatchError,
    NotDirectoryError,
    NotFoundError,
    OutputLimitError,
    QuotaExceededError,
    StaleError,
)
from vshell.ops import state_edits
from vshell.ops.state import BadCallError, State
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def state(workspace: Workspace) -> State:
    return workspace.state


def replace(path: str, search: str, replacement: str, **options: object) -> dict[str, Any]:
    instruction = {"kind": "replace", "path": path, "search": search, "replacement": replacement}
    return instruction | ({"options": options} if options else {})


def write(path: str, content: str) -> dict[str, Any]:
    return {"kind": "write", "path": path, "content": content}


# Planning.


def test_instructions_on_one_file_build_on_each_other(state: State) -> None:
    state.write_file("/a", "one two")
    plan = state.plan_edits(
        [replace("/a", "one", "1"), replace("/a", "two", "2"), replace("/a", "1 2", "done")]
    )
    assert [edit["content"] for edit in plan["edits"]] == ["1 two", "1 2", "done"]
    state.apply_edit_plan(plan)
    assert state.read_file("/a") == "done"


def test_two_names_of_a_file_are_one_file(state: State) -> None:
    state.write_file("/a", "one two")
    state.symlink("/a", "/l")
    plan = state.plan_edits([replace("/a", "one", "1"), replace("/l", "two", "2")])
    state.apply_edit_plan(plan)
    assert state.read_file("/a") == "1 2"


def test_a_file_can_be_made_and_then_changed(state: State) -> None:
    plan = state.plan_edits(
        [
            {"kind": "writeJson", "path": "/j", "value": {"k": [1]}, "options": {"spaces": 0}},
            replace("/j", "1", "2"),
        ]
    )
    state.apply_edit_plan(plan)
    assert state.read_json("/j") == {"k": [2]}


def test_planning_changes_nothing(workspace: Workspace) -> None:
    workspace.write("/a", "text")
    revision = workspace.changes().revision
    workspace.state.plan_edits([write("/a", "x"), write("/new/b", "x")])
    assert workspace.changes().revision == revision


def test_options_of_an_instruction_count(state: State) -> None:
    state.write_file("/a", "Foo foo")
    options = {"regex": True, "case_sensitive": False, "maxMatches": 1}
    (edit,) = state.plan_edits([replace("/a", "f(o+)", "$1", **options)])["edits"]
    assert edit["content"] == "$1 foo"
    assert edit["instruction"]["options"] == options


def test_a_text_that_is_not_there_is_an_error_that_names_the_instruction(state: State) -> None:
    state.write_file("/a", "text")
    with pytest.raises(NoMatchError, match=r"instructions\[1\]") as caught:
        state.plan_edits([write("/b", "x"), replace("/a", "none", "x")])
    assert caught.value.data["index"] == 1


def test_text_is_not_replaced_in_a_file_that_is_missing(state: State) -> None:
    with pytest.raises(NotFoundError, match=r"instructions\[0\]"):
        state.plan_edits([replace("/none", "a", "b")])


def test_bytes_that_are_no_text_cannot_be_planned_around(state: State) -> None:
    state.write_file_bytes("/a", b"old \xff")
    with pytest.raises(DecodeError):
        state.plan_edits([replace("/a", "old", "new")])


def test_a_byte_order_mark_survives_a_plan(state: State) -> None:
    state.write_file_bytes("/a", b"\xef\xbb\xbfold")
    state.apply_edit_plan(state.plan_edits([replace("/a", "old", "new")]))
    assert state.read_file_bytes("/a") == b"\xef\xbb\xbfnew"


@pytest.mark.parametrize(
    "instruction",
    [
        {},
        {"kind": "delete", "path": "/a"},
        {"kind": ["write"], "path": "/a"},
        {"kind": "write", "path": "/a"},
        {"kind": "write", "content": "x"},
        {"kind": "write", "path": "/a", "content": 1},
        {"kind": "write", "path": "/a", "content": "x", "options": {}},
        {"kind": "replace", "path": "/a", "search": "x"},
        {"kind": "replace", "path": "/a", "search": "t", "replacement": "", "options": {"nope": 1}},
        {"kind": "replace", "path": "/a", "search": "t", "replacement": "", "options": []},
        {"kind": "writeJson", "path": "/a"},
        {"kind": "writeJson", "path": "/a", "value": b"bytes"},
        {"kind": "writeJson", "path": "/a", "value": 1, "extra": 2},
    ],
)
def test_a_malformed_instruction_is_refused(state: State, instruction: dict[str, Any]) -> None:
    state.write_file("/a", "text")
    with pytest.raises(BadCallError):
        state.plan_edits([instruction])


def test_a_plan_has_a_limit(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_edits, "MAX_TEXT_BYTES", 100)
    with pytest.raises(OutputLimitError):
        state.plan_edits([write(f"/{number}", "x" * 30) for number in range(4)])
    monkeypatch.setattr(state_edits, "_MAX_EDITS", 3)
    with pytest.raises(OutputLimitError):
        state.plan_edits([write("/a", "")] * 4)


# Plans that went stale.


@pytest.mark.parametrize(
    "instruction",
    [write("/a", "new\n"), write("/a", "old\n"), replace("/a", "old", "new")],
    ids=["change", "no change", "replace"],
)
@pytest.mark.parametrize("meanwhile", ["newer\n", "", "old\nnewer\n"])
def test_a_plan_does_not_overwrite_newer_text(
    state: State, instruction: dict[str, Any], meanwhile: str
) -> None:
    state.write_file("/a", "old\n")
    plan = state.plan_edits([write("/first", "x"), instruction])
    state.write_file("/a", meanwhile)
    for options in ({}, {"dryRun": True}):
        with pytest.raises(StaleError) as caught:
            state.apply_edit_plan(plan, options)
        assert caught.value.data["index"] == 1
    assert state.read_file("/a") == meanwhile
    assert not state.exists("/first")


def test_a_plan_does_not_bring_back_what_was_removed(state: State) -> None:
    state.write_file("/a", "old")
    plan = state.plan_edits([write("/a", "new")])
    state.rm("/a")
    with pytest.raises(StaleError):
        state.apply_edit_plan(plan)


def test_a_plan_for_a_new_file_does_not_overwrite_another(state: State) -> None:
    plan = state.plan_edits([write("/a", "new")])
    state.write_file("/a", "another")
    with pytest.raises(StaleError):
        state.apply_edit_plan(plan)


def test_a_plan_that_came_back_from_a_script_is_as_good(workspace: Workspace) -> None:
    workspace.write("/a", "old\n")
    plan = json.loads(json.dumps(workspace.state.plan_edits([replace("/a", "old", "new")])))
    workspace.write("/b", "something else")
    assert workspace.session("another").state.apply_edit_plan(plan)["totalChanged"] == 1


def test_a_plan_whose_diff_does_not_belong_to_it_is_refused(state: State) -> None:
    state.write_file("/a", "old\n")
    plan = state.plan_edits([write("/a", "new\n")])
    plan["edits"][0]["content"] = "forged\n"
    with pytest.raises(BadCallError):
        state.apply_edit_plan(plan)


def test_a_plan_made_by_hand_needs_no_diff(state: State) -> None:
    state.apply_edit_plan({"edits": [{"path": "/a", "content": "x"}]})
    assert state.read_file("/a") == "x"


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"edits": {}},
        {"edits": [1]},
        {"edits": [{"path": "/a"}]},
        {"edits": [{"path": "/a", "content": "", "diff": 1}]},
    ],
)
def test_what_is_no_plan_is_refused(state: State, plan: dict[str, Any]) -> None:
    with pytest.raises(BadCallError):
        state.apply_edit_plan(plan)


TEXTS = st.text(alphabet="ab\n\ufeff", max_size=8)


@given(
    st.dictionaries(st.sampled_from(["/a", "/b"]), TEXTS),
    st.lists(st.builds(write, st.sampled_from(["/a", "/b", "/c"]), TEXTS), max_size=5),
)
def test_a_plan_gives_what_applying_the_edits_gives(
    files: dict[str, str], instructions: list[dict[str, Any]]
) -> None:
    with Workspace.memory() as one, Workspace.memory() as other:
        for path, content in files.items():
            one.write(path, content)
            other.write(path, content)
        one.state.apply_edit_plan(one.state.plan_edits(instructions))
        other.state.apply_edits(
            [{"path": each["path"], "content": each["content"]} for each in instructions]
        )
        for path in ("/a", "/b", "/c"):
            assert one.exists(path) == other.exists(path)
            if one.exists(path):
                assert one.read_bytes(path) == other.read_bytes(path)


# Applying.


def test_a_failure_undoes_everything_and_the_directories_too(state: State) -> None:
    state.write_file("/a", "old")
    with pytest.raises(IsDirectoryError) as caught:
        state.apply_edits(
            [
                {"path": "/a", "content": "new"},
                {"path": "/p/q/r", "content": "new"},
                {"path": "/", "content": "x"},
            ]
        )
    assert (caught.value.data["index"], caught.value.data["rolledBack"]) == (2, True)
    assert state.read_file("/a") == "old"
    assert state.readdir("/") == ["a"]


def test_what_came_before_a_failure_is_kept_when_asked_for(state: State) -> None:
    state.write_file("/f", "file")
    with pytest.raises(NotDirectoryError) as caught:
        state.apply_edits(
            [
                {"path": "/p/a", "content": "1"},
                {"path": "/f/x", "content": "2"},
                {"path": "/p/b", "content": "3"},
            ],
            {"rollbackOnError": False},
        )
    assert (caught.value.data["index"], caught.value.data["rolledBack"]) == (1, False)
    assert state.read_file("/p/a") == "1"
    assert not state.exists("/p/b")


def test_a_dry_run_fails_where_the_real_one_would() -> None:
    with Workspace.memory(quota_bytes=10) as workspace:
        edits = [{"path": "/a", "content": "x" * 8}, {"path": "/b", "content": "x" * 8}]
        for options in ({"dryRun": True}, {"dryRun": True, "rollbackOnError": False}):
            with pytest.raises(QuotaExceededError):
                workspace.state.apply_edits(edits, options)
        assert not workspace.exists("/a")


def test_a_dry_run_gives_the_result_and_changes_nothing(workspace: Workspace) -> None:
    edits = [{"path": "/p/a", "content": "1\n"}, {"path": "/p/a", "content": "2\n"}]
    tried = workspace.state.apply_edits(edits, dry_run=True)
    assert workspace.changes().revision == 0
    assert workspace.state.apply_edits(edits) == tried | {"dryRun": False}
    assert workspace.changes().revision == 1


def test_text_that_is_there_already_is_no_change(workspace: Workspace) -> None:
    workspace.write("/a", b"\xef\xbb\xbfsame \xff")
    revision = workspace.changes().revision
    content = workspace.state.read_file("/a")
    done = workspace.state.apply_edits([{"path": "/a", "content": content}])
    assert done["totalChanged"] == 0
    assert workspace.changes().revision == revision


@pytest.mark.parametrize(
    "edit",
    [{}, {"path": "/a"}, {"path": "/a", "content": None}, {"path": "/a", "content": "", "mode": 1}],
)
def test_a_malformed_edit_is_refused_before_anything_is_written(
    state: State, edit: dict[str, Any]
) -> None:
    with pytest.raises(BadCallError):
        state.apply_edits([{"path": "/first", "content": "x"}, edit], {"rollbackOnError": False})
    assert not state.exists("/first")
