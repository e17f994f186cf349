"""The asynchronous form does what the synchronous one does, and can be cancelled."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.script.inprocess import ThreadEngine
from vshell import Session, Workspace, Workspaces
from vshell.aio import AsyncSession, AsyncWorkspace, AsyncWorkspaces
from vshell.aio.container import AsyncContainer
from vshell.aio.mirror import AsyncMirror
from vshell.aio.scripts import AsyncRuns
from vshell.aio.shell import AsyncShell
from vshell.errors import ConflictError, NotFoundError, VshellError
from vshell.ops.context import Context
from vshell.script.runs import Runs
from vshell.shell.shell import Shell
from vshell.sync.container import Container
from vshell.sync.mirror import Mirror


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


def offered(kind: type) -> set[str]:
    """Return the public methods and properties of a class."""
    return {
        name
        for each in kind.__mro__
        for name, value in vars(each).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))
    }


@pytest.mark.parametrize(
    ("kind", "asynchronous", "apart"),
    [
        # How the context and its parts work is not for callers.
        (Session, AsyncSession, offered(Context)),
        (Workspace, AsyncWorkspace, offered(Context)),
        (Workspaces, AsyncWorkspaces, set[str]()),
        (Shell, AsyncShell, set[str]()),
        (Mirror, AsyncMirror, set[str]()),
        (Container, AsyncContainer, set[str]()),
        (Runs, AsyncRuns, set[str]()),
    ],
)
def test_every_operation_has_an_asynchronous_form(
    kind: type, asynchronous: type, apart: set[str]
) -> None:
    assert offered(kind) - apart <= set(dir(asynchronous))


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


def teller() -> Callable[[asyncio.Event], None]:
    """Return what sets an event of this loop from another thread."""
    loop = asyncio.get_running_loop()

    def tell(event: asyncio.Event) -> None:
        loop.call_soon_threadsafe(event.set)

    return tell


def test_a_shell_runs_beside_other_operations_and_its_runs_take_turns() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws, await ws.shell() as shell:
            results, _ = await asyncio.gather(
                asyncio.gather(*(shell.run(f"echo {n} >> /log") for n in range(3))),
                ws.write("/other", "y"),
            )
            assert [result.exit_code for result in results] == [0, 0, 0]
            assert sorted((await ws.read_text("/log")).split()) == ["0", "1", "2"]
            assert shell.cwd == "/"
            async with ws.transaction():
                with pytest.raises(ConflictError):
                    await shell.run("echo never")

    run(work())


def test_a_task_that_is_cancelled_ends_its_shell_script_and_no_other() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws, await ws.shell() as shell:
            started = asyncio.Event()
            tell = teller()
            first = asyncio.create_task(
                shell.run(
                    "echo started; while [ ! -e /go ]; do sleep 0.01; done; echo done",
                    on_output=lambda *_: tell(started),
                )
            )
            await started.wait()
            waiting = asyncio.create_task(shell.run("echo too late > /late"))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await ws.write("/go", "")
            assert (await first).stdout.endswith(b"done\n")
            endless = asyncio.create_task(shell.run("while :; do :; done"))
            await asyncio.sleep(0)
            endless.cancel()
            with pytest.raises(asyncio.CancelledError):
                await endless
            assert not await ws.exists("/late")
            assert (await shell.run("echo again")).stdout == b"again\n"

    run(work())


def test_a_mirror_is_awaited_and_watched(tmp_path: Path) -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            await ws.write("/a", "1")
            mirror = await ws.mirror(tmp_path / "mirror")
            assert [each.path for each in (await mirror.sync()).pushed] == ["/a"]
            results = mirror.watch(poll_s=0.001, settle_s=0.001)
            assert not (await anext(results)).pushed
            await ws.write("/b", "2")
            assert [each.path for each in (await anext(results)).pushed] == ["/b"]
            await results.aclose()  # type: ignore[attr-defined]
            assert (tmp_path / "mirror/b").read_text() == "2"
            assert not (await mirror.status()).pending.pushed

    run(work())


def test_a_task_that_is_cancelled_ends_its_synchronisation(tmp_path: Path) -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            async with ws.transaction():
                for number in range(200):
                    await ws.write(f"/f{number}", str(number))
            mirror = await ws.mirror(tmp_path / "mirror")
            told, held = asyncio.Event(), threading.Event()
            loop = asyncio.get_running_loop()

            def progress(*_: object) -> None:
                loop.call_soon_threadsafe(told.set)
                held.wait(20)

            task = asyncio.create_task(mirror.sync(progress=progress))
            await told.wait()
            task.cancel()
            await asyncio.sleep(0)
            held.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            await mirror.sync()
            assert len(list((tmp_path / "mirror").iterdir())) == 200

    run(work())


def test_tools_and_scripting_methods_are_awaited() -> None:
    async def work() -> None:
        async with await AsyncWorkspace.memory() as ws:
            tools = await ws.tools("claude")
            assert "Write" in tools.names
            await tools.call("Write", {"file_path": "/a", "content": "text"})
            assert await ws.state.readFile("/a") == await ws.state.read_file("/a") == "text"
            assert (await tools.run("Read", {"file_path": "/none"})).is_error

    run(work())


def test_forks_and_agents_are_awaited(tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncWorkspaces(tmp_path / "agents") as agents:
            ws = await agents.open("one")
            assert await agents.open("one") is ws
            await ws.write("/a", "1")
            other = await agents.fork("one", "two")
            await other.write("/b", "2")
            merged = await other.merge_into(ws)
            assert not merged.conflicts
            assert await ws.read_text("/b") == "2"
            assert await agents.ids() == ["one", "two"]
            await agents.delete("two")
            assert await agents.ids() == ["one"]
            async with await ws.fork(tmp_path / "copy.db") as copy:
                assert await copy.exists("/a")

    run(work())


def test_watching_ends_after_a_quiet_time_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    async def work() -> None:
        path = str(tmp_path / "agent.db")
        async with await AsyncWorkspace.open(path) as ws:
            await ws.write("/a", "1")
            seen = [each async for each in ws.watch(since=0, timeout_s=0)]
            await ws.write("/b", "1")
        async with await AsyncWorkspace.open(path) as ws:
            later = ws.watch(since=seen[-1].revision, timeout_s=0)
            assert [each.path async for each in later] == ["/b"]
            await ws.gc(keep_revisions=0)
            with pytest.raises(NotFoundError, match="not all kept"):
                await anext(ws.watch(since=1))

    run(work())
