"""Running commands for asynchronous harnesses: off the event loop, and ended when given up."""

from __future__ import annotations

import anyio
import anyio.to_thread

from vshell.tools.commands import Ran
from vshell.tools.executors import Command


async def run_command(command: Command) -> Ran:
    """Run a command in a thread; a caller that is cancelled ends it.

    Raises:
        UnavailableError: There is no shell or no container here.
    """
    try:
        return await anyio.to_thread.run_sync(command.run, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        command.interrupt()
        raise
