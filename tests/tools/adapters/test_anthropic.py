"""Anthropic's tools: the SDK's own runners call them, and its own toolset says the same."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("anthropic.lib.tools.agent_toolset", reason="needs PyPI anthropic 2.10")

from anthropic.lib.tools import ToolError
from anthropic.lib.tools.agent_toolset import AgentToolContext, beta_agent_toolset_20260401

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.anthropic import AsyncMemoryTool, MemoryTool, agent_toolset

FILES = {
    "a.txt": "one\ntwo\none\n",
    "src/main.py": "def main():\n    return 'é'\n",
    "src/.hidden/x.py": "main()\n",
    ".git/config": "main\n",
    "node_modules/m/index.js": "main\n",
    "crlf.txt": "one\r\ntwo\r\n",
    "large.txt": "line\n" * 60_000,
    "long.txt": "x" * 3000 + " main\n",
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("read", {"file_path": "a.txt"}),
    ("read", {"file_path": "@/src/main.py"}),
    ("read", {"file_path": "a.txt", "view_range": [2, 3]}),
    ("read", {"file_path": "a.txt", "view_range": [2, -1]}),
    ("read", {"file_path": "a.txt", "view_range": [3, 1]}),
    ("read", {"file_path": "a.txt", "view_range": [9, 12]}),
    ("read", {"file_path": "a.txt", "view_range": [1]}),
    ("read", {"file_path": "missing"}),
    ("read", {"file_path": "src"}),
    ("read", {"file_path": "a.txt/b"}),
    ("read", {"file_path": "crlf.txt"}),
    ("read", {"file_path": "binary.dat"}),
    ("read", {"file_path": "image.png"}),
    ("read", {"file_path": "image.png", "view_range": [1, 2]}),
    ("read", {"file_path": "large.txt"}),
    ("read", {"file_path": "large.txt", "view_range": [7, 9]}),
    ("read", {"file_path": "large.txt", "view_range": [1, -1]}),
    ("read", {"file_path": "loop"}),
    ("write", {"file_path": "new/dir/f.txt", "content": "hello\n"}),
    ("write", {"file_path": "src", "content": "x"}),
    ("edit", {"file_path": "a.txt", "old_string": "one", "new_string": "1"}),
    ("edit", {"file_path": "a.txt", "old_string": "two", "new_string": "2"}),
    ("edit", {"file_path": "a.txt", "old_string": "one", "new_string": "1", "replace_all": True}),
    ("edit", {"file_path": "a.txt", "old_string": "absent", "new_string": "1"}),
    ("edit", {"file_path": "missing", "old_string": "a", "new_string": "b"}),
    ("edit", {"file_path": "binary.dat", "old_string": "a", "new_string": "b"}),
    ("edit", {"file_path": "large.txt", "old_string": "a", "new_string": "b"}),
    ("read", {"file_path": "a.txt"}),
    ("glob", {"pattern": "*.txt"}),
    ("glob", {"pattern": "**/*.py"}),
    ("glob", {"pattern": "*.py", "path": "src"}),
    ("glob", {"pattern": "nothing*"}),
    ("glob", {"pattern": "/etc/*"}),
    ("glob", {"pattern": "../*"}),
    ("grep", {"pattern": "main"}),
    ("grep", {"pattern": "ret.rn '.'", "path": "src"}),
    ("grep", {"pattern": "absent"}),
    ("grep", {"pattern": "main", "path": "src/main.py"}),
    ("bash", {"command": "cd src && X=1"}),
    ("bash", {"command": "echo $X; basename $PWD; echo err >&2"}),
    ("bash", {"command": "echo out; false"}),
    ("bash", {"command": ""}),
    ("bash", {"restart": True}),
    ("bash", {"command": 'echo "[$X]"'}),
    ("bash", {"command": "echo begun; sleep 30", "timeout_ms": 500}),
    ("bash", {"restart": True}),
    ("bash", {"command": "yes | head -c 200000 | tr -d '\\n'"}),
]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


async def answers(tools: list[Any], root: str) -> list[tuple[bool, Any]]:
    """Return what tools say to all calls, with their root as @."""
    by_name = {tool.name: tool for tool in tools}
    told: list[tuple[bool, Any]] = []
    for name, arguments in CALLS:
        given = {
            key: value.replace("@", root.rstrip("/")) if isinstance(value, str) else value
            for key, value in arguments.items()
        }
        try:
            found, good = await by_name[name].call(given), True
        except ToolError as error:
            found, good = str(error), False
        told.append((good, told_as(name, found, root)))
    for tool in tools:
        if tool.close is not None:
            await tool.close()
    return told


def told_as(name: str, found: Any, root: str) -> Any:
    """Return an answer with @ for the root, and lines in one order."""
    if name not in ("glob", "grep") or not isinstance(found, str):
        return found
    at_root = re.compile(f"^{re.escape(root.rstrip('/'))}/", re.MULTILINE)
    lines = at_root.sub("@/", found).split("\n")
    return sorted(lines)


@pytest.mark.slow
def test_the_toolset_says_what_the_sdks_own_says(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # without ripgrep, which finds other lines
    extra = {"binary.dat": b"\xff\xfe\x00a", "image.png": b"\x89PNG\r\n"}
    for name, data in {**{key: text.encode() for key, text in FILES.items()}, **extra}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        workspace.write(f"/{name}", data)
    (tmp_path / "loop").symlink_to("loop")
    workspace.symlink("loop", "/loop")

    async def run() -> None:
        theirs = beta_agent_toolset_20260401(
            AgentToolContext(workdir=tmp_path, env={"PATH": "/usr/bin:/bin"})
        )
        expected = await answers(theirs, str(tmp_path))
        found = await answers(agent_toolset(workspace), "/")
        for call, one, other in zip(CALLS, found, expected, strict=True):
            assert one == other, call

    anyio.run(run)
    written = (tmp_path / "new/dir/f.txt").read_text()
    assert workspace.read_text("/new/dir/f.txt") == written == "hello\n"


def test_the_newest_files_come_first(workspace: Workspace) -> None:
    for number, name in enumerate(("b", "c", "a")):
        workspace.write(f"/{name}.txt", name)
        workspace.utime(f"/{name}.txt", mtime_ns=number)
    glob = next(tool for tool in agent_toolset(workspace) if tool.name == "glob")
    assert anyio.run(glob.call, {"pattern": "*.txt"}) == "/a.txt\n/c.txt\n/b.txt"


def test_a_cancelled_command_is_interrupted(workspace: Workspace) -> None:
    async def run() -> None:
        bash = agent_toolset(workspace)[0]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bash.call, {"command": "touch /begun; sleep 3600; touch /late"})
            with anyio.fail_after(60):
                while not workspace.exists("/begun"):
                    await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        with anyio.fail_after(60):
            assert await bash.call({"command": "ls /"}) == "begun"

    anyio.run(run)


@pytest.mark.docker
def test_bash_runs_in_a_container(workspace: Workspace) -> None:
    async def run() -> None:
        bash, *files = agent_toolset(workspace, executor="container", image=daemon.image())
        assert await bash.call({"command": "echo hi > a.txt; pwd; uname"}) == "/workspace\nLinux"
        read = next(tool for tool in files if tool.name == "read")
        assert await read.call({"file_path": "/workspace/a.txt"}) == "hi\n"
        with pytest.raises(ToolError, match="outside of the workspace"):
            await read.call({"file_path": "/etc/passwd"})

    anyio.run(run)


def test_the_memory_tool_keeps_files_below_memories(workspace: Workspace) -> None:
    tool = MemoryTool(workspace.session("memory-1"))
    assert tool.to_dict() == {"type": "memory_20250818", "name": "memory"}
    create = {"command": "create", "path": "/memories/a.txt", "file_text": "one\n"}
    assert tool.call(create) == "File created successfully at: /memories/a.txt"
    with pytest.raises(ToolError, match="already exists"):
        tool.call(create)
    with pytest.raises(ToolError, match="must start with /memories"):
        tool.call({"command": "view", "path": "/etc"})
    assert workspace.read_text("/memories/a.txt") == "one\n"
    assert workspace.changes().changes[-1].session == "memory-1"
    assert tool.clear_all_memory() == "All memory cleared"
    assert workspace.ls("/memories").entries == ()


def test_the_asynchronous_memory_tool_says_the_same(workspace: Workspace) -> None:
    sync, asynchronous = MemoryTool(workspace), AsyncMemoryTool(workspace)
    for command in (
        {"command": "create", "path": "/memories/a", "file_text": "one\ntwo\n"},
        {"command": "str_replace", "path": "/memories/a", "old_str": "one", "new_str": "1"},
        {"command": "insert", "path": "/memories/a", "insert_line": 0, "insert_text": "zero"},
        {"command": "rename", "old_path": "/memories/a", "new_path": "/memories/b"},
    ):
        anyio.run(asynchronous.call, command)
    view = {"command": "view", "path": "/memories/b"}
    assert anyio.run(asynchronous.call, view) == sync.call(view)
    anyio.run(asynchronous.call, {"command": "delete", "path": "/memories/b"})
    assert not workspace.exists("/memories/b")


def test_the_sdks_own_runner_calls_the_tools(workspace: Workspace) -> None:
    from anthropic import Anthropic, DefaultHttpxClient

    script = [
        [
            {
                "type": "tool_use",
                "id": "1",
                "name": "memory",
                "input": {"command": "create", "path": "/memories/x", "file_text": "remembered"},
            }
        ],
        [{"type": "text", "text": "done"}],
    ]
    client = Anthropic(api_key="none", http_client=DefaultHttpxClient(transport=scripted(script)))
    runner = run_example("Anthropic's SDK", client=client, workspace=workspace)["runner"]
    assert runner.until_done().content[0].text == "done"
    assert workspace.read_text("/memories/x") == "remembered"
    client.close()


def test_the_sdks_own_runner_calls_the_toolset(workspace: Workspace) -> None:
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

    command = {"command": "echo hello > hello.txt; cat hello.txt"}
    script = [
        [{"type": "tool_use", "id": "1", "name": "bash", "input": command}],
        [{"type": "text", "text": "done"}],
    ]

    async def run() -> str:
        http = DefaultAsyncHttpxClient(transport=scripted(script))
        async with AsyncAnthropic(api_key="none", http_client=http) as client:
            names = run_example("Anthropic's agent toolset", client=client, workspace=workspace)
            said = await names["runner"].until_done()
            return str(said.content[0].text)

    assert anyio.run(run) == "done"
    assert workspace.read_text("/hello.txt") == "hello\n"


def scripted(script: list[Any]) -> Any:
    """Return a transport that answers with the contents of a script, one after the other."""
    from anthropic import DefaultHttpxClient

    # The HTTP library that this release of the SDK uses.
    http = importlib.import_module(DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    answers = iter(script)

    def answer(_: Any) -> Any:
        content = next(answers)
        message = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": content,
            "stop_reason": "tool_use" if content[0]["type"] == "tool_use" else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        return http.Response(
            200, content=json.dumps(message), headers={"content-type": "application/json"}
        )

    return http.MockTransport(answer)
