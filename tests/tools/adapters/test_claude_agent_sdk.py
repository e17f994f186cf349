"""The Claude Agent SDK: its in-process server, and its conformance suite for transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

pytest.importorskip("claude_agent_sdk", reason="needs PyPI claude-agent-sdk")

from tests.tools.adapters.examples import run_example
from tests.tools.sample_calls import CALLS, prepare
from vshell import Workspace
from vshell.tools.adapters.claude_agent_sdk import TranscriptStore, allowed_tools, mcp_server


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        prepare(opened)
        yield opened


def test_the_transcript_store_keeps_the_contracts() -> None:
    from claude_agent_sdk.testing import run_session_store_conformance

    opened: list[Workspace] = []

    def make() -> TranscriptStore:
        opened.append(Workspace.memory())
        return TranscriptStore(opened[-1])

    anyio.run(run_session_store_conformance, make)
    for each in opened:
        each.close()


def test_an_entry_that_is_sent_again_is_kept_once(workspace: Workspace) -> None:
    key = {"project_key": "../..", "session_id": ".."}

    async def run() -> list[Any] | None:
        entry = {"type": "x", "uuid": "1"}
        await TranscriptStore(workspace).append(key, [entry])
        store = TranscriptStore(workspace)
        await store.append(key, [entry, {"type": "x", "uuid": "2"}, {"type": "title"}])
        await store.append(key, [{"type": "x", "uuid": "2"}, {"type": "title"}])
        return await store.load(key)

    loaded = anyio.run(run)
    assert loaded is not None
    assert [each.get("uuid") for each in loaded] == ["1", "2", None, None]
    assert set(workspace.glob("/*").paths) == {"/.claude", "/a.txt", "/i.png"}


@pytest.mark.parametrize("name", ["claude", "mcp_fs", "pi"])
def test_the_in_process_server_lists_and_calls_every_tool(workspace: Workspace, name: str) -> None:
    import mcp

    tools = workspace.session("claude-1").tools(name)
    options = run_example("Claude Agent SDK", tools=tools, workspace=workspace)["options"]
    config = options.mcp_servers["workspace"]
    assert config["type"] == "sdk"
    assert options.allowed_tools == [f"mcp__workspace__{tool}" for tool in tools.names]
    assert options.allowed_tools == allowed_tools(tools)
    assert mcp_server(tools)["name"] == config["name"]

    async def run() -> None:
        async with mcp.Client(config["instance"]) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == list(tools.names)
            for tool, arguments, expected in CALLS[name]:
                result = await client.call_tool(tool, arguments)
                assert not result.is_error, (tool, result)
                shown = "".join(block.text for block in result.content if block.type == "text")
                assert expected in shown, tool
            wrong = await client.call_tool(tools.names[0], {"surprise": 1})
            assert wrong.is_error

    before = workspace.files.revision()
    anyio.run(run)
    told = workspace.changes(since=before).changes
    assert {change.session for change in told} == {"claude-1"}
