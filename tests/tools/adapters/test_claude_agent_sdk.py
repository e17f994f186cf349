"""The Claude Agent SDK: its in-process server, and its conformance suite for transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

pytest.importorskip("claude_agent_sdk", reason="needs PyPI claude-agent-sdk")

from vshell import Workspace
from vshell.tools.adapters.claude_agent_sdk import TranscriptStore, allowed_tools, mcp_server


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        opened.write("/a.txt", "one\n")
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
    assert set(workspace.glob("/*").paths) == {"/.claude", "/a.txt"}


@pytest.mark.parametrize("name", ["pi", "mcp_fs"])
def test_the_in_process_server_lists_the_tools_and_calls_one(
    workspace: Workspace, name: str
) -> None:
    import mcp

    tools = workspace.tools(name)
    config = mcp_server(tools)
    assert config["type"] == "sdk"
    assert allowed_tools(tools)[0] == f"mcp__workspace__{tools.names[0]}"

    async def run() -> None:
        async with mcp.Client(config["instance"]) as client:
            listed = [tool.name for tool in (await client.list_tools()).tools]
            assert listed == list(tools.names)
            result = await client.call_tool(listed[0], {"path": "/a.txt"})
            assert "one" in str(result.content[0])

    anyio.run(run)
