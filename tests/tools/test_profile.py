"""What all profiles have in common: schemas, arguments, errors, and what is journalled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vshell import Workspace
from vshell.errors import UnavailableError
from vshell.tools import PROFILES, make_profile
from vshell.tools.profile import Profile


@pytest.fixture
def workspace() -> Any:
    with Workspace.memory() as opened:
        opened.write("/a.txt", "one\ntwo\n")
        yield opened


def test_the_default_profile_is_claude(workspace: Workspace) -> None:
    assert workspace.tools().name == "claude"


def test_every_profile_can_be_made(workspace: Workspace) -> None:
    for name in PROFILES:
        assert workspace.tools(name).tools, name


def test_an_unknown_profile_is_refused_with_the_known_ones(workspace: Workspace) -> None:
    with pytest.raises(UnavailableError) as caught:
        workspace.tools("cluade")
    assert "claude" in (caught.value.hint or "")


@pytest.mark.parametrize("name", PROFILES)
def test_schemas_have_the_form_of_each_api(workspace: Workspace, name: str) -> None:
    profile = workspace.tools(name)
    for schema in profile.schemas("anthropic"):
        assert set(schema) == {"name", "description", "input_schema"}
        assert schema["input_schema"]["type"] == "object"
    for schema in profile.schemas("openai"):
        assert schema["type"] == "function"
        assert set(schema["function"]) == {"name", "description", "parameters"}
    for schema in profile.schemas("openai-responses"):
        assert schema["type"] == "function"
        assert schema["parameters"]["type"] == "object"
    for schema in profile.schemas("mcp"):
        assert schema["inputSchema"]["type"] == "object"
        assert schema["annotations"]["openWorldHint"] is False
    json.dumps(profile.schemas())
    assert all(schema["description"] for schema in profile.schemas())


@pytest.mark.parametrize("name", PROFILES)
def test_schemas_are_valid_json_schema(workspace: Workspace, name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for schema in workspace.tools(name).schemas():
        jsonschema.Draft202012Validator.check_schema(schema["input_schema"])


def test_an_unknown_form_of_schemas_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UnavailableError, match="no such form"):
        workspace.tools().schemas("yaml")  # type: ignore[arg-type]


def test_definitions_name_the_tools_that_the_api_knows(workspace: Workspace) -> None:
    assert workspace.tools("memory").definitions() == [
        {"type": "memory_20250818", "name": "memory"}
    ]
    assert workspace.tools("text_editor").definitions() == [
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
    ]
    assert workspace.tools("claude").definitions() == workspace.tools("claude").schemas()


def test_read_only_leaves_out_what_changes(workspace: Workspace) -> None:
    profile = workspace.tools("claude", read_only=True)
    assert profile.names == ("Read", "Glob", "Grep")


def test_read_only_refuses_changes_of_a_tool_that_can_also_read(workspace: Workspace) -> None:
    profile = workspace.tools("text_editor", read_only=True)
    tool = "str_replace_based_edit_tool"
    assert "one" in profile.call(tool, {"command": "view", "path": "/a.txt"})
    before = workspace.files.revision()
    result = profile.run(tool, {"command": "create", "path": "/b", "file_text": "x"})
    assert result.is_error
    assert "only read" in result.text
    assert workspace.files.revision() == before


def test_include_and_exclude_choose_tools(workspace: Workspace) -> None:
    assert workspace.tools("claude", include=["Read", "Bash"]).names == ("Read", "Bash")
    assert "Bash" not in workspace.tools("claude", exclude=["Bash"])
    with pytest.raises(UnavailableError, match="no tool Raed"):
        workspace.tools("claude", include=["Raed"])


def test_an_unknown_tool_is_answered_with_the_one_that_is_meant(workspace: Workspace) -> None:
    result = workspace.tools("claude").call("read", {"file_path": "/a.txt"})
    assert result.is_error
    assert "Did you mean Read?" in result


def test_other_spellings_of_a_parameter_are_understood(workspace: Workspace) -> None:
    profile = workspace.tools("claude")
    for name in ("file_path", "filePath", "file-path", "path", "FILE_PATH"):
        assert profile.call("Read", {name: "/a.txt"}) == "1\tone\n2\ttwo"


def test_numbers_and_truth_values_in_strings_are_understood(workspace: Workspace) -> None:
    profile = workspace.tools("claude")
    assert profile.call("Read", {"file_path": "/a.txt", "offset": "2"}) == "2\ttwo"
    found = profile.call("Grep", {"pattern": "ONE", "-i": "true"})
    assert found == "Found 1 file\n/a.txt"


def test_null_for_an_optional_parameter_is_as_good_as_nothing(workspace: Workspace) -> None:
    found = workspace.tools("claude").call("Read", {"file_path": "/a.txt", "limit": None})
    assert found == "1\tone\n2\ttwo"


def test_arguments_may_be_json_text(workspace: Workspace) -> None:
    assert workspace.tools("claude").call("Read", '{"file_path": "/a.txt"}') == "1\tone\n2\ttwo"


def test_a_change_is_journalled_under_the_session_and_the_tool(workspace: Workspace) -> None:
    profile = workspace.session("fix-bug-1").tools("claude")
    profile.call("Write", {"file_path": "/new", "content": "x"})
    change = workspace.changes().changes[-1]
    assert (change.session, change.operation, change.path) == ("fix-bug-1", "Write", "/new")


def test_reading_makes_no_revision(workspace: Workspace) -> None:
    before = workspace.files.revision()
    profile = workspace.tools("claude")
    profile.call("Read", {"file_path": "/a.txt"})
    profile.call("Grep", {"pattern": "o"})
    profile.call("Glob", {"pattern": "**"})
    assert workspace.files.revision() == before


def test_a_call_that_fails_half_way_changes_nothing(workspace: Workspace) -> None:
    edits = [{"oldText": "one", "newText": "1"}, {"oldText": "absent", "newText": "2"}]
    profile = workspace.tools("mcp_fs")
    before = workspace.files.revision()
    assert profile.run("edit_file", {"path": "/a.txt", "edits": edits}).is_error
    assert workspace.read_text("/a.txt") == "one\ntwo\n"
    assert workspace.files.revision() == before


def test_tools_work_in_the_directory_of_their_session(workspace: Workspace) -> None:
    workspace.write("/src/b.txt", "here\n")
    profile = workspace.session("s", cwd="/src").tools("pi")
    assert profile.call("read", {"path": "b.txt"}) == "here\n"
    assert profile.call("ls", {}) == "b.txt"


@pytest.mark.parametrize("name", PROFILES)
def test_results_are_ready_for_json(workspace: Workspace, name: str) -> None:
    profile: Profile = make_profile(workspace, name)
    for tool in profile.tools:
        result = profile.run(tool.name, {"path": "/a.txt", "command": "view"})
        json.dumps(result.value)
        json.dumps(result.structured)
