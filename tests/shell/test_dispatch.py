"""What holds for every command that is run, whichever it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vshell.ops.context import Context
from vshell.shell.dispatch import Dispatcher
from vshell.shell.rules import Judge, Rules
from vshell.shell.shell_files import ShellFiles


def broken() -> list[str]:
    raise LookupError("no lines")


def test_a_mistake_in_a_command_ends_the_command_and_not_the_worker(tmp_path: Path) -> None:
    files = ShellFiles(str(tmp_path / "w.db"))
    dispatcher = Dispatcher(
        files,
        lambda cwd, _: Context(files, cwd=cwd),
        {"history": broken},
        Judge(Rules(), lambda _: False),
    )
    told: list[tuple[str, bytes]] = []
    loop = asyncio.new_event_loop()
    try:
        code, last = dispatcher.run_plainly(
            ["history"],
            b"",
            environment={},
            cwd="/",
            on_output=lambda stream, data: told.append((stream, data)),
            loop=loop,
        )
    finally:
        loop.close()
        files.close()
    assert (code, last) == (1, b"")
    assert told == [("stderr", b"history: LookupError: no lines\n")]
