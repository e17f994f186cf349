"""Whatever a model says to any tool of any profile, it gets an answer that helps, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell import Workspace
from vshell.tools import PROFILES, make_profile
from vshell.tools.profile import Profile, Tool

DEEP: Any = []
for _ in range(5000):
    DEEP = [DEEP]

HOSTILE_PATHS = (
    "",
    "\0",
    "/a\0b",
    "../../../etc/passwd",
    "/../../..",
    "x" * 300,
    "/" + "d/" * 3000,
    "\ud800",
    "\udcff",
    "/a.txt/below",
    "/loop",
    "~/.ssh/id_rsa",
    "C:\\Windows\\system32",
    "/dev/null",
    "*",
    "[",
    "{a,b",
    "\n",
    " ",
    "file:///etc/passwd",
)


@pytest.fixture(scope="module")
def profiles() -> Iterator[dict[str, Profile]]:
    with Workspace.memory() as workspace:
        workspace.write("/a.txt", "one\n")
        workspace.symlink("/loop", "/loop")
        yield {name: make_profile(workspace, name) for name in PROFILES}


def calls(profile: Profile) -> Iterator[tuple[str, Any]]:
    for tool in profile.tools:
        properties = tool.parameters["properties"]
        required = tool.parameters["required"]
        good = {name: _example(properties[name]) for name in properties if name in required}
        junk: Any
        for junk in (None, [], "text", 5, True, b"\xff", {}, {1: 2}, {"a": {1}}, '{"a":'):
            yield tool.name, junk
        yield tool.name, json.dumps("[" * 100_000)
        yield tool.name, "[" * 100_000
        yield tool.name, {**good, "no_such_parameter": 1}
        for name in properties:
            for value in (
                None,
                {},
                [],
                [[]],
                5,
                -1,
                1.5,
                10**30,
                float("nan"),
                float("inf"),
                True,
                "",
                "x" * 5_000_000,
                "\ud800",
                DEEP,
                b"bytes",
                object(),
                '{"path": "/a.txt"}',
                "[[1, 2",
                "null",
                "NaN",
                "1e999",
                {"\ud800": "\0"},
            ):
                yield tool.name, {**good, name: value}
            if properties[name].get("type") == "string" and "enum" not in properties[name]:
                for path in HOSTILE_PATHS:
                    yield tool.name, {**good, name: path}


INSTRUCTION = re.compile(
    r"\b(again|use|must|choose|correct|provide|set|leave|remove|name|expected|required|unexpected"
    r"|unrecognized|read|there are|allowed|try|several calls|refine|narrow|cannot|your current working directory)\b",
    re.IGNORECASE,
)


def helps(text: str, tool: Tool, arguments: object) -> bool:
    """Whether an error says what to do, or names what is wrong: a parameter or its value."""
    if INSTRUCTION.search(text) or tool.name in text:
        return True
    if any(name in text for name in tool.parameters["properties"]):
        return True
    values = arguments.values() if isinstance(arguments, dict) else ()
    texts = [str(value) for value in values if isinstance(value, str | int | float)]
    said = " ".join(map(str, json.loads(text).values())) if text.startswith("{") else text
    return any(each.rstrip("/").rpartition("/")[2][:40] in said for each in texts if each)


def _example(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"string": "/a.txt", "integer": 1, "number": 1, "boolean": False, "object": {}}
    if schema["type"] == "array":
        return [_example(schema["items"])]
    if schema["type"] == "object" and "properties" in schema:
        return {name: _example(each) for name, each in schema["properties"].items()}
    return kinds[schema["type"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
def test_every_malformed_call_is_answered(profiles: dict[str, Profile], name: str) -> None:
    profile = profiles[name]
    tools = {tool.name: tool for tool in profile.tools}
    for tool, arguments in calls(profile):
        result = profile.run(tool, arguments)
        assert isinstance(result.value, str | dict), tool
        if result.is_error:
            # What a shell or a script prints about itself is not ours to word.
            theirs = tools[tool].runs_commands or name == "code"
            assert theirs or helps(result.text, tools[tool], arguments), (tool, result.text[:200])
            if name != "code":  # where a script's own traceback is what the model needs
                assert "Traceback" not in result.text
            assert "sqlite" not in result.text.lower()


@pytest.mark.parametrize("name", PROFILES)
def test_ten_megabytes_are_answered_with_what_to_do(
    profiles: dict[str, Profile], name: str
) -> None:
    profile = profiles[name]
    for tool in profile.tools:
        result = profile.run(tool.name, {"x": "y" * 10_000_000})
        assert result.is_error
        assert "several calls" in result.text
        result = profile.run(tool.name, '{"x": "' + "y" * 10_000_000 + '"}')
        assert result.is_error
        assert "several calls" in result.text


@pytest.mark.parametrize("name", PROFILES)
def test_a_missing_or_unknown_argument_is_named(profiles: dict[str, Profile], name: str) -> None:
    profile = profiles[name]
    for tool in profile.tools:
        required = tool.parameters["required"]
        result = profile.run(tool.name, {})
        if required:
            assert result.is_error
            assert required[0] in result.text
        if not tool.parameters.get("additionalProperties", True):
            result = profile.run(tool.name, {"surprise": 1})
            assert result.is_error
            assert "surprise" in result.text


@settings(max_examples=150)
@given(
    name=st.sampled_from(PROFILES),
    data=st.data(),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=8,
    ),
)
def test_random_arguments_are_answered(
    profiles: dict[str, Profile], name: str, data: st.DataObject, value: Any
) -> None:
    profile = profiles[name]
    tool = data.draw(st.sampled_from(profile.tools))
    names = data.draw(st.lists(st.sampled_from([*tool.parameters["properties"], "x"]), max_size=4))
    result = profile.run(tool.name, dict.fromkeys(names, value))
    assert isinstance(result.value, str | dict)
