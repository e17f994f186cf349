"""The asynchronous form of a workspace: every operation is one hop to a worker thread.

    from vshell.aio import AsyncWorkspace

    async with await AsyncWorkspace.open("agent.db") as ws:
        await ws.write("/notes.md", "# Plan\\n")
        async with ws.transaction():
            await ws.mv("/notes.md", "/plan.md")
        counted = await (await ws.shell()).run("wc -l /plan.md")

A workspace has one worker, so operations run one at a time and a transaction's stay
together: other tasks wait until it ends. What may take long (shells, scripts, mirrors,
containers, tools) has a thread of its own, so that operations go on meanwhile.

A task that is cancelled ends what it waits for: a statement is interrupted and its
transaction undone, a script or a command is killed, a synchronisation stops between two
files. What is given to be called back (`on_output`, `stream`, `progress`, `ask`) is called
on the thread that does the work.
"""

from __future__ import annotations

from vshell.aio.session import AsyncSession
from vshell.aio.workspace import AsyncWorkspace, AsyncWorkspaces

__all__ = ["AsyncSession", "AsyncWorkspace", "AsyncWorkspaces"]
