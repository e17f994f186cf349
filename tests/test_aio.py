"""The asynchronous form does what the synchronous one does, and can be cancelled."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.script.inprocess import ThreadEngine
from vshell import Session
from vshell.aio import AsyncSession, AsyncWorkspace
from vshell.errors import NotFoundError, VshellError


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, timeout=30))


def test_an_operation_is_awaited_and_returns_what_the_workspace_returns() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            assert (await ws.write("/a", "text")).created
            assert await ws.read_text("/a") == "text"
            with pytest.raises(NotFoundError):
                await ws.read("/nowhere")

    run(work())


def test_every_operation_has_an_asynchronous_form() -> None:
    operations = {
        name
        for name, value in vars(Session).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert operations - {"tools", "fork"} <= set(dir(AsyncSession))


def test_a_session_changes_under_its_name() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            await ws.session("me", cwd="/d").write("a", "1")
            assert (await ws.changes()).changes[-1].session == "me"
            assert await ws.exists("/d/a")

    run(work())


def test_other_tasks_wait_for_a_transaction() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            await ws.write("/a", "0")
            inside = asyncio.Event()

            async def change() -> None:
                async with ws.transaction():
                    await ws.write("/a", "1")
                    inside.set()
                    for _ in range(20):
                        await asyncio.sleep(0)
                    await ws.write("/b", "1")

            async def look() -> tuple[str, bool]:
                await inside.wait()
                return await ws.read_text("/a"), await ws.exists("/b")

            _, seen = await asyncio.gather(change(), look())
            assert seen == ("1", True)

    run(work())


def test_an_error_undoes_a_transaction() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:

            async def write_and_fail() -> None:
                async with ws.transaction():
                    await ws.write("/a", "1")
                    await ws.rm("/nowhere")

            with pytest.raises(NotFoundError):
                await write_and_fail()
            assert not await ws.exists("/a")

    run(work())


def test_a_cancelled_task_leaves_the_workspace_usable() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:

            async def change_and_wait() -> None:
                async with ws.transaction():
                    await ws.write("/a", "1")
                    await asyncio.Event().wait()

            task = asyncio.create_task(change_and_wait())
            for _ in range(1000):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not await ws.exists("/a")
            await ws.write("/b", "2")
            assert (await ws.check()).ok

    run(work())


def test_changes_are_seen_as_they_are_committed(tmp_path: Path) -> None:
    async def work() -> None:
        path = str(tmp_path / "shared.db")
        async with await AsyncWorkspace.open(path) as ws, await AsyncWorkspace.open(path) as other:
            changes = ws.watch("/d", since=0)
            await other.write("/elsewhere", "1")
            await other.write("/d/a", "1")
            found = [await anext(changes), await anext(changes)]
            assert [change.path for change in found] == ["/d", "/d/a"]

    run(work())


def test_many_tasks_lose_no_update() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            await ws.write("/n", "0")

            async def add() -> None:
                while True:
                    seen = await ws.read("/n")
                    try:
                        number = str(int(seen.text) + 1)
                        await ws.write("/n", number, expected_version=seen.version)
                    except VshellError:
                        continue
                    return

            await asyncio.gather(*(add() for _ in range(20)))
            assert await ws.read_text("/n") == "20"

    run(work())


def test_scripts_run_beside_other_operations_and_in_transactions() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            options: dict[str, Any] = {"engine": ThreadEngine(), "language": "python"}
            scripts = [ws.run(f"state.write_file('/{n}', 'x')", **options) for n in range(4)]
            results, _ = await asyncio.gather(asyncio.gather(*scripts), ws.write("/other", "y"))
            assert [result.status for result in results] == ["ok"] * 4
            async with ws.transaction():
                await ws.write("/inside", "z")
                assert (await ws.run("state.read_file('/inside')", **options)).value == "z"

    run(work())


def test_a_task_that_is_cancelled_ends_its_script() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            engine = ThreadEngine()
            started = asyncio.Event()
            loop = asyncio.get_running_loop()
            functions = {"started": lambda: loop.call_soon_threadsafe(started.set) and None}
            task = asyncio.create_task(
                ws.run(
                    "state.write_file('/x', '1')\nstarted()\nimport threading\n"
                    "threading.Event().wait(20)",
                    engine=engine,
                    language="python",
                    functions=functions,
                )
            )
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert engine.started[0].closed
            assert not await ws.exists("/x")

    run(work())
