"""Pydantic AI's own conformance suite, on both executors."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("pydantic_ai.workspaces", reason="needs PyPI pydantic-ai-slim 2.62 or later")

from pydantic_ai.workspaces.conformance import WorkspaceBackendSuite

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.pydantic_ai import VshellBackend


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Suite(WorkspaceBackendSuite):  # type: ignore[misc]
    """The suite of the package."""

    def options(self) -> dict[str, Any]:
        return {}

    @pytest.fixture
    def made(self) -> Iterator[list[VshellBackend]]:
        backends: list[VshellBackend] = []
        yield backends
        for backend in reversed(backends):
            backend.close()

    @pytest.fixture
    def backend(self, fresh_backend: Callable[[], VshellBackend]) -> VshellBackend:
        return fresh_backend()

    @pytest.fixture
    def fresh_backend(
        self, tmp_path: Path, made: list[VshellBackend]
    ) -> Callable[[], VshellBackend]:
        def make() -> VshellBackend:
            made.append(VshellBackend(tmp_path / f"{os.urandom(4).hex()}.db", **self.options()))
            return made[-1]

        return make

    @pytest.fixture
    def attach_backend(self, made: list[VshellBackend]) -> Callable[[Any], VshellBackend]:
        def attach(ref: Any) -> VshellBackend:
            made.append(VshellBackend.attach(ref, **self.options()))
            return made[-1]

        return attach

    @pytest.fixture
    def destroy_environment(self) -> Callable[[VshellBackend], Awaitable[None]]:
        async def destroy(backend: VshellBackend) -> None:
            assert backend.ref is not None
            for path in Path(backend.ref.id).parent.glob(f"{Path(backend.ref.id).name}*"):
                path.unlink()

        return destroy


class TestVirtual(Suite):
    """The suite, with the workspace's own shell."""

    @pytest.mark.xfail(run=False, reason="the virtual shell has no jobs in the background")
    async def test_background_child_does_not_hold_up_completed_command(self) -> None: ...

    @pytest.mark.xfail(run=False, reason="the virtual shell has no jobs in the background")
    async def test_a_backend_attached_by_ref_reaches_a_detached_process(self) -> None: ...

    @pytest.mark.xfail(run=False, reason="commands of the virtual shell are no processes: no pids")
    async def test_cancellation_stops_foreground_work(self) -> None: ...


@pytest.mark.docker
class TestContainer(Suite):
    """The suite, with a container."""

    def options(self) -> dict[str, Any]:
        return {
            "executor": "container",
            "image": daemon.image(),
            "container": {"keep": False},
        }


@pytest.mark.docker
@pytest.mark.anyio
async def test_files_outside_of_the_workspace_are_the_containers(tmp_path: Path) -> None:
    backend = VshellBackend(
        tmp_path / "w.db",
        executor="container",
        image=daemon.image(),
        container={"keep": False},
    )
    try:
        await backend.write_bytes("/tmp/outside", b"there")
        assert await backend.read_bytes("/tmp/outside") == b"there"
        assert (await backend.run(["cat", "/tmp/outside"])).stdout == "there"
        assert await backend.exists("/usr/bin/env")
        with pytest.raises(FileNotFoundError):
            await backend.stat("/usr/absent")
    finally:
        await anyio.to_thread.run_sync(backend.close)


@pytest.mark.anyio
async def test_a_cancelled_command_is_interrupted(tmp_path: Path) -> None:
    backend = VshellBackend(tmp_path / "w.db")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(backend.run, "touch begun; sleep 3600; touch late", shell=True))
        with anyio.fail_after(60):
            while not await backend.exists("begun"):
                await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(60):
        ran = await backend.run(["ls"])
    assert ran.stdout == "begun\n"
    backend.close()


def test_an_agent_works_in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    def scripted(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            call = {"command": "echo hello | tee hello.txt"}
            return ModelResponse(parts=[ToolCallPart("shell", call)])
        return ModelResponse(parts=[TextPart(f"it said {messages[-1].parts[0].content}")])

    monkeypatch.chdir(tmp_path)
    names = run_example("Pydantic AI", model=FunctionModel(scripted))
    names["backend"].close()
    assert names["told"].output == "it said hello\n"
    with Workspace.open("agent.db") as workspace:
        assert workspace.read_text("/workspace/hello.txt") == "hello\n"
        assert workspace.changes().changes[-1].session == "pydantic-ai"
