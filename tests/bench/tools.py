"""What a tool call costs over the operation, and what a round trip over MCP costs."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.bench.harness import Row, interleave, print_table, readable
from vshell import Workspace


def run(*, quick: bool = False) -> None:
    """Measure, and print the tables."""
    rounds = 200 if quick else 3000
    rows = [row for make in (_read, _write, _edit, _grep) for row in [make(rounds)]]
    print_table("A tool call beside the operation", rows)
    print("\n| | over the operation | target |\n|---|---|---|")
    for row in rows:
        over = row.seconds["call"] - row.seconds["operation"]
        print(f"| {row.name} | {readable(max(0.0, over))} | under 200 us |")
    ours, bare = _mcp_round_trip(50 if quick else 1000)
    print(
        f"\nMCP over stdio, a small read: {readable(ours)} (target: under 3 ms); a tool of the SDK's"
        f" own server that does nothing, in turn with it: {readable(bare)}"
    )


def _read(rounds: int) -> Row:
    with Workspace.memory() as workspace:
        workspace.write("/a.txt", "line\n" * 50)
        profile = workspace.tools("claude")
        return interleave(
            "read 50 lines",
            {
                "call": lambda _: profile.call("Read", {"file_path": "/a.txt"}),
                "operation": lambda _: workspace.read("/a.txt"),
            },
            rounds=rounds,
            burst=50,
        )


def _write(rounds: int) -> Row:
    with Workspace.memory() as workspace:
        profile = workspace.tools("pi")
        return interleave(
            "write a file",
            {
                "call": lambda n: profile.call("write", {"path": "/a.txt", "content": f"x{n}\n"}),
                "operation": lambda n: workspace.write("/b.txt", f"x{n}\n"),
            },
            rounds=rounds,
            burst=50,
        )


def _edit(rounds: int) -> Row:
    with Workspace.memory() as workspace:
        for path in ("/a.txt", "/b.txt"):
            workspace.write(path, "first line\nvalue = 0\nlast line\n" + "more\n" * 50)
        profile = workspace.tools("claude")
        profile.call("Read", {"file_path": "/a.txt"})

        def texts(number: int) -> tuple[str, str]:
            return f"value = {number}\n", f"value = {number + 1}\n"

        def call(number: int) -> Any:
            old, new = texts(number)
            arguments = {"file_path": "/a.txt", "old_string": old, "new_string": new}
            return profile.call("Edit", arguments)

        def operation(number: int) -> Any:
            old, new = texts(number)
            return workspace.edit("/b.txt", {"old": old, "new": new})

        contenders = {"call": call, "operation": operation}
        return interleave("edit a file", contenders, rounds=rounds, burst=50)


def _grep(rounds: int) -> Row:
    with Workspace.memory() as workspace:
        with workspace.transaction():
            for number in range(200):
                workspace.write(f"/src/{number}.py", f"def function_{number}():\n    return 1\n")
        workspace.index()
        profile = workspace.tools("pi")
        return interleave(
            "grep in 200 files",
            {
                "call": lambda n: profile.call("grep", {"pattern": f"function_{n % 200}\\b"}),
                "operation": lambda n: workspace.grep(f"function_{n % 200}\\b", ignore=True),
            },
            rounds=rounds // 4,
            burst=25,
        )


_BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def Read(file_path: str) -> str:
    return "     1\\thello"
server.run(transport="stdio")
"""
"""A server of the SDK's whose tool does nothing: what a round trip costs at the least."""


def _mcp_round_trip(rounds: int) -> tuple[float, float]:
    """Return the median seconds of a small read, and of the SDK's own server in turn with it."""
    import anyio
    import mcp

    async def measure(file: str) -> tuple[float, float]:
        commands = [["-m", "vshell.repl.cli", "-w", file, "mcp"], ["-c", _BARE]]
        times: list[list[float]] = [[], []]
        async with AsyncExitStack() as stack:
            clients = []
            for command in commands:
                server = mcp.StdioServerParameters(command=sys.executable, args=command)
                client = mcp.Client(mcp.stdio_client(server))
                clients.append(await stack.enter_async_context(client))
            for _ in range(rounds):
                for client, taken in zip(clients, times, strict=True):
                    start = time.perf_counter()
                    result = await client.call_tool("Read", {"file_path": "/a.txt"})
                    taken.append(time.perf_counter() - start)
                    assert not result.is_error
        return statistics.median(times[0]), statistics.median(times[1])

    with tempfile.TemporaryDirectory() as directory:
        file = str(Path(directory, "w.db"))
        with Workspace.open(file) as workspace:
            workspace.write("/a.txt", "hello\n")
        return anyio.run(measure, file)
