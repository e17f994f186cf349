"""The MCP server, asked by the SDK's own client: in the process, over stdio and over HTTP."""

from __future__ import annotations

import base64
import contextlib
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.sample_calls import CALLS, prepare
from vshell import Workspace

anyio = pytest.importorskip("anyio")
mcp = pytest.importorskip("mcp", reason="needs the extra vshell[mcp]")

from mcp.client.streamable_http import streamable_http_client  # noqa: E402

from vshell.errors import RangeError  # noqa: E402
from vshell.tools.mcp_http import http_application  # noqa: E402
from vshell.tools.mcp_server import make_server  # noqa: E402

Check = Callable[[Any], Awaitable[None]]

PROFILES = ("claude", "mcp_fs")
"""Two that have little in common: one with a shell, one with structured data."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as opened:
        prepare(opened)
        yield opened


def in_process(workspace: Workspace, check: Check, profile: str = "claude") -> None:
    async def run() -> None:
        with anyio.fail_after(30):
            async with mcp.Client(make_server(workspace.tools(profile))) as client:
                await check(client)

    anyio.run(run)


async def call_every_tool(client: Any, profile: str) -> None:
    listed = {tool.name for tool in (await client.list_tools()).tools}
    for name, arguments, expected in CALLS[profile]:
        result = await client.call_tool(name, arguments)
        assert not result.is_error, (name, result)
        shown = "".join(block.text for block in result.content if block.type == "text")
        assert expected in shown, name
        listed.discard(name)
    assert not listed


@pytest.mark.parametrize("profile", PROFILES)
def test_every_tool_is_listed_and_called(workspace: Workspace, profile: str) -> None:
    async def check(client: Any) -> None:
        await call_every_tool(client, profile)

    in_process(workspace, check, profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_tool_is_called_over_stdio(workspace: Workspace, profile: str) -> None:
    command = ["-m", "vshell.repl.cli", "-w", _file_of(workspace), "mcp", "--profile", profile]
    server = mcp.StdioServerParameters(command=sys.executable, args=command)

    async def run() -> None:
        with anyio.fail_after(60):
            async with mcp.Client(mcp.stdio_client(server)) as client:
                await call_every_tool(client, profile)

    anyio.run(run)
    assert workspace.changes().changes[-1].session == "mcp"


def _file_of(workspace: Workspace) -> str:
    row = workspace.files.store.database.row("pragma database_list")
    assert row is not None
    return str(row[2])


@contextlib.contextmanager
def served(workspace: Workspace, profile: str, **options: Any) -> Iterator[str]:
    import uvicorn

    application = http_application(make_server(workspace.tools(profile)), **options)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        settings = uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_tool_is_called_over_http(workspace: Workspace, profile: str) -> None:
    async def run(url: str) -> None:
        with anyio.fail_after(60):
            async with mcp.Client(url) as client:
                await call_every_tool(client, profile)

    with served(workspace, profile) as url:
        anyio.run(run, url)


def test_http_wants_the_token_and_a_known_host_and_origin(workspace: Workspace) -> None:
    import http.client

    def status(url: str, headers: dict[str, str]) -> int:
        host = url.removeprefix("http://").partition("/")[0]
        connection = http.client.HTTPConnection(host, timeout=20)
        told = {"Accept": "application/json, text/event-stream"} | headers
        body = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
        connection.request("POST", "/mcp", body, told | {"Content-Type": "application/json"})
        found = connection.getresponse().status
        connection.close()
        return found

    with served(workspace, "claude", token="s3cret") as url:
        assert status(url, {}) == 401
        assert status(url, {"Authorization": "Bearer wrong"}) == 401
        good = {"Authorization": "Bearer s3cret"}
        assert status(url, good) not in (401, 403, 421)
        assert status(url, good | {"Host": "evil.example"}) in (403, 421)
        assert status(url, good | {"Origin": "http://evil.example"}) == 403

        async def run() -> None:
            import httpx2

            async with (
                httpx2.AsyncClient(headers=good) as http,
                mcp.Client(streamable_http_client(url, http_client=http)) as client,
            ):
                assert (await client.list_tools()).tools

        anyio.run(run)


def test_what_other_machines_can_reach_needs_a_token(workspace: Workspace) -> None:
    server = make_server(workspace.tools("claude"))
    with pytest.raises(RangeError, match="token"):
        http_application(server, host="0.0.0.0")
    with pytest.raises(RangeError, match="empty"):
        http_application(server, token="")


def test_a_mistake_is_a_result_and_not_a_protocol_error(workspace: Workspace) -> None:
    async def check(client: Any) -> None:
        result = await client.call_tool("Read", {"file_path": "/absent"})
        assert result.is_error
        assert "File does not exist" in result.content[0].text
        result = await client.call_tool("Read", {"offset": 1})
        assert result.is_error
        assert "`file_path` is missing" in result.content[0].text

    in_process(workspace, check)


def test_an_unknown_tool_is_a_protocol_error(workspace: Workspace) -> None:
    async def check(client: Any) -> None:
        with pytest.raises(mcp.MCPError, match="Did you mean Read"):
            await client.call_tool("Raed", {})

    in_process(workspace, check)


def test_files_are_resources(workspace: Workspace) -> None:
    workspace.write("/dir/spaced name é.md", "# hi\n")

    async def check(client: Any) -> None:
        listed = (await client.list_resources()).resources
        assert [each.name for each in listed] == ["a.txt", "dir/spaced name é.md", "i.png"]
        assert listed[1].uri == "file:///dir/spaced%20name%20%C3%A9.md"
        text = (await client.read_resource(listed[1].uri)).contents[0]
        assert (text.text, text.mime_type) == ("# hi\n", "text/markdown")
        image = (await client.read_resource(listed[2].uri)).contents[0]
        assert base64.b64decode(image.blob) == b"\x89PNG\r\n\x1a\n\0"
        with pytest.raises(mcp.MCPError):
            await client.read_resource("file:///absent")
        for hostile in ("http://example.com/", "file:///%00", "file:///../../etc/passwd"):
            with pytest.raises(mcp.MCPError):
                await client.read_resource(hostile)

    in_process(workspace, check)


def test_resources_come_in_pages(workspace: Workspace) -> None:
    with workspace.transaction():
        for number in range(1200):
            workspace.write(f"/many/{number:04}.txt", "")

    async def check(client: Any) -> None:
        names: list[str] = []
        cursor = None
        while True:
            page = await client.list_resources(cursor=cursor)
            names += [each.name for each in page.resources]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(names) == len(set(names)) == 1202

    in_process(workspace, check)


def test_read_only_lists_no_tool_that_changes(workspace: Workspace) -> None:
    async def run() -> None:
        profile = workspace.tools("mcp_fs", read_only=True)
        async with mcp.Client(make_server(profile)) as client:
            tools = (await client.list_tools()).tools
            assert all(tool.annotations.read_only_hint for tool in tools)
            assert "write_file" not in {tool.name for tool in tools}

    anyio.run(run)


@contextlib.asynccontextmanager
async def told(client: Any, path: str) -> AsyncIterator[Any]:
    async with client.listen(resource_subscriptions=[f"file://{path}"]) as events:
        yield events


def test_who_subscribes_is_told_of_changes_by_others(workspace: Workspace) -> None:
    async def check(client: Any) -> None:
        async with told(client, "/a.txt") as events:
            with Workspace.open(_file_of(workspace)) as other:
                other.write("/b.txt", "not this one")
                other.write("/a.txt", "changed elsewhere")
            with anyio.fail_after(10):
                async for event in events:
                    assert event.uri == "file:///a.txt"
                    break

    in_process(workspace, check)


@pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")
def test_who_subscribes_in_the_older_way_is_told(workspace: Workspace) -> None:
    async def run() -> None:
        heard = anyio.Event()

        async def hear(message: Any) -> None:
            if "updated" in type(message).__name__.lower():
                heard.set()

        server = make_server(workspace.tools("claude"))
        async with mcp.Client(server, mode="legacy", message_handler=hear) as client:
            await client.subscribe_resource("file:///a.txt")
            workspace.write("/a.txt", "changed")
            with anyio.fail_after(10):
                await heard.wait()
            await client.unsubscribe_resource("file:///a.txt")

    anyio.run(run)


def test_a_long_call_reports_progress(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vshell.tools import mcp_server
    from vshell.tools.profile import Profile, Tool

    monkeypatch.setattr(mcp_server, "_PROGRESS_S", 0.01)
    reported = threading.Event()

    def wait(*_: Any) -> str:
        assert reported.wait(20)
        return "done"

    tool = Tool("wait", "Waits.", {"type": "object", "properties": {}}, wait)
    profile = Profile("slow", [tool], context=workspace, render_error=str)

    async def told(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        assert message is not None
        reported.set()

    async def run() -> None:
        async with mcp.Client(make_server(profile)) as client:
            result = await client.call_tool("wait", {}, progress_callback=told)
            assert result.content[0].text == "done"

    anyio.run(run)
