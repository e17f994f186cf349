"""Strands Agents: a sandbox in a workspace does what the SDK's own does on the host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("strands.sandbox", reason="needs PyPI strands-agents")

from strands.sandbox.errors import SandboxPathNotFoundError, SandboxTimeoutError
from strands.sandbox.not_a_sandbox_local_environment import NotASandboxLocalEnvironment
from strands.sandbox.types import ExecutionResult, StreamChunk

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.strands import VshellSandbox

Step = Callable[[Any], Awaitable[Any]]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


async def ran(sandbox: Any, command: str, **options: Any) -> Any:
    result = await sandbox.execute(command, **options)
    return result.exit_code, result.stdout, result.stderr


async def names(sandbox: Any, path: str) -> Any:
    return [(each.name, each.is_dir) for each in await sandbox.list_files(path)]


STEPS: list[Step] = [
    lambda s: s.write_file("dir/a.bin", bytes(range(256))),
    lambda s: s.read_file("dir/a.bin"),
    lambda s: s.write_text("dir/b.txt", "é\n"),
    lambda s: s.read_text("dir/b.txt"),
    lambda s: s.read_file("missing"),
    lambda s: s.remove_file("missing"),
    lambda s: names(s, "dir"),
    lambda s: names(s, "missing"),
    lambda s: names(s, "dir/b.txt"),
    lambda s: ran(s, "cat dir/b.txt; echo err >&2; exit 3"),
    lambda s: ran(s, "cat b.txt", cwd="dir"),
    lambda s: ran(s, 'echo "$A"', env={"A": "it's"}),
    lambda s: ran(s, "echo", env={"A B": "x"}),
    lambda s: s.execute_code("x", "sh; ls"),
    lambda s: s.remove_file("dir/b.txt"),
    lambda s: names(s, "dir"),
]


async def outcomes(sandbox: Any) -> list[Any]:
    """Return what each step gives, or the kind of its error."""
    told = []
    for step in STEPS:
        try:
            told.append(await step(sandbox))
        except Exception as error:  # noqa: BLE001 - each kind is compared
            known = (SandboxPathNotFoundError, SandboxTimeoutError, FileNotFoundError, ValueError)
            told.append(next((kind for kind in known if isinstance(error, kind)), error))
    return told


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.chdir(tmp_path)
    return asyncio.run(outcomes(NotASandboxLocalEnvironment()))


def test_steps_come_out_as_on_the_host(workspace: Workspace, expected: Any) -> None:
    assert asyncio.run(outcomes(VshellSandbox(workspace.session("strands-1")))) == expected
    assert {change.session for change in workspace.changes().changes} == {"strands-1"}


@pytest.mark.docker
def test_steps_come_out_so_in_a_container(workspace: Workspace, expected: Any) -> None:
    sandbox = VshellSandbox(workspace, executor="container", image=daemon.image())
    assert asyncio.run(outcomes(sandbox)) == expected
    code = asyncio.run(sandbox.execute_code("print(6 * 7)", "python3"))
    assert code.stdout == "42\n"
    sandbox.close()


def test_output_comes_while_the_command_runs(workspace: Workspace) -> None:
    async def work() -> list[Any]:
        sandbox = VshellSandbox(workspace)
        return [
            each async for each in sandbox.execute_streaming("echo a; echo b >&2; printf '\\303'")
        ]

    *chunks, last = asyncio.run(work())
    assert isinstance(last, ExecutionResult)
    assert all(isinstance(each, StreamChunk) for each in chunks)
    printed = {
        kind: "".join(each.data for each in chunks if each.stream_type == kind)
        for kind in ("stdout", "stderr")
    }
    assert printed == {"stdout": "a\n\ufffd", "stderr": "b\n"}
    assert (last.stdout, last.stderr) == ("a\n\ufffd", "b\n")


def test_a_command_that_takes_too_long_is_ended(workspace: Workspace) -> None:
    with pytest.raises(SandboxTimeoutError) as told:
        asyncio.run(VshellSandbox(workspace).execute("echo begun; sleep 60", timeout=0.5))
    assert told.value.stdout == "begun\n"


def test_a_command_that_nobody_waits_for_is_ended(workspace: Workspace) -> None:
    async def work() -> Any:
        sandbox = VshellSandbox(workspace)
        running = asyncio.ensure_future(sandbox.execute("touch begun; sleep 3600; touch late"))
        async with asyncio.timeout(60):
            while not workspace.exists("/begun"):
                await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return await asyncio.wait_for(sandbox.execute("ls"), 60)

    assert asyncio.run(work()).stdout == "begun\n"


def test_an_agent_works_in_a_workspace(workspace: Workspace) -> None:
    from strands import tool
    from strands.models.model import Model

    class Scripted(Model):  # type: ignore[misc]
        def __init__(self, *script: dict[str, Any]) -> None:
            self.script = list(script)

        def update_config(self, **_: Any) -> None: ...

        def get_config(self) -> Any:
            return {}

        async def structured_output(self, *_: Any, **__: Any) -> Any:
            yield {}

        async def stream(self, *_: Any, **__: Any) -> Any:
            step = self.script.pop(0)
            yield {"messageStart": {"role": "assistant"}}
            if "tool" in step:
                yield {
                    "contentBlockStart": {
                        "start": {"toolUse": {"toolUseId": "1", "name": step["tool"]}}
                    }
                }
                yield {"contentBlockDelta": {"delta": {"toolUse": {"input": step["input"]}}}}
            else:
                yield {"contentBlockStart": {"start": {}}}
                yield {"contentBlockDelta": {"delta": {"text": step["text"]}}}
            yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "tool_use" if "tool" in step else "end_turn"}}

    @tool  # type: ignore[untyped-decorator]
    async def run(command: str) -> str:
        """Run a command.

        Args:
            command: The command line.
        """
        return str((await agent.sandbox.execute(command)).stdout)

    script = (
        {"tool": "run", "input": '{"command": "echo hello | tee hello.txt"}'},
        {"text": "done"},
    )
    given = {"model": Scripted(*script), "tools": [run], "workspace": workspace}
    agent = run_example("Strands Agents", **given)["agent"]
    assert str(agent("write hello")) == "done\n"
    assert workspace.read_text("/hello.txt") == "hello\n"
