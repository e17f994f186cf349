"""Profiles have the parameters and say the words of the real tools, as `fixtures/golden` has them.

`python -m tests.compat.golden` records what the real ones say.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compat.golden.recording import load, ours, outline, profile_with_files, recorded
from vshell import Workspace

MORE_LENIENT = {
    ("gemini", "read_file"): {"offset", "limit"},
    ("gemini", "replace"): {"expected_replacements", "instruction"},
    ("gemini", "run_shell_command"): {"timeout"},
    ("opencode", "bash"): {"description"},
}
"""Parameters that are understood from earlier releases, or that may be left out here."""

EARLIER = {"gemini": {"read_many_files"}}
"""Tools of earlier releases."""

OTHERWISE = {
    ("opencode", "write", "@/quotes.txt"): "a file that nobody has read is not overwritten",
    ("opencode", "grep", "("): "the error says what to do, and not in the words of ripgrep",
    ("opencode", "bash", "exit 3"): "the model is told the exit code",
}
"""Answers that are better here, by the profile, the tool and its first argument."""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


def test_there_are_recordings() -> None:
    assert recorded() == ["claude", "deepagents", "gemini", "mcp_fs", "opencode", "pi"]


@pytest.mark.parametrize("name", recorded())
def test_tools_have_the_parameters_of_the_real_ones(workspace: Workspace, name: str) -> None:
    tools = workspace.tools(name).tools
    found = outline({"name": each.name, "parameters": each.parameters} for each in tools)
    expected = load(name).tools
    assert set(found) - set(expected) <= EARLIER.get(name, set())
    for tool, parameters in expected.items():
        lenient = MORE_LENIENT.get((name, tool), set())
        for parameter in parameters.keys() | found[tool].keys():
            if parameter not in lenient:
                assert found[tool].get(parameter) == parameters.get(parameter), (tool, parameter)


@pytest.mark.parametrize("name", [name for name in recorded() if load(name).calls])
def test_answers_are_those_of_the_real_tools(workspace: Workspace, name: str) -> None:
    calls = load(name).calls
    profile = profile_with_files(workspace, name)
    answers = ours(workspace, profile, [(each["tool"], each["arguments"]) for each in calls])
    for call, answer in zip(calls, answers, strict=True):
        told = (call["tool"], call["arguments"])
        same = answer == {"text": call["text"], "is_error": call["is_error"]}
        first = str(next(iter(call["arguments"].values()), ""))
        assert same is ((name, call["tool"], first) not in OTHERWISE), (told, answer)
