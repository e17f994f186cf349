"""Every tool of every profile does its work, and stands in the journal under its session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.sample_calls import CALLS, MADE, prepare
from vshell import Workspace
from vshell.tools import PROFILES


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        prepare(opened)
        yield opened


@pytest.mark.parametrize("name", PROFILES)
def test_every_tool_works_and_is_journalled_under_the_session(
    workspace: Workspace, name: str
) -> None:
    tools = workspace.session("audited").tools(name)
    assert {tool for tool, *_ in CALLS[name]} == set(tools.names)
    separate = {tool.name for tool in tools.tools if tool.separate or tool.runs_commands}
    changes = 0
    for tool, arguments, expected in CALLS[name]:
        revision = workspace.files.revision()
        result = tools.run(tool, arguments)
        assert not result.is_error, (tool, result)
        assert expected in result.text, (tool, result)
        told = workspace.changes(since=revision).changes
        assert {change.session for change in told} <= {"audited"}, tool
        if told and tool not in separate:
            assert {change.operation for change in told} == {tool}
        changes += len(told)
    assert changes
    if name in MADE:
        assert workspace.exists(MADE[name])


@pytest.mark.parametrize("name", PROFILES)
def test_whoever_only_reads_changes_nothing(workspace: Workspace, name: str) -> None:
    before = workspace.files.revision()
    tools = workspace.tools(name, read_only=True)
    for tool, arguments, _ in CALLS[name]:
        tools.run(tool, arguments)
    assert workspace.files.revision() == before
