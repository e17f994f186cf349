"""An event loop for scripts: there is nothing to wait for but time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

__all__ = ["ScriptLoop", "install"]


class _Nothing:
    """A selector without sockets."""

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the script awaits something that never happens")
        if timeout > 0:
            time.sleep(timeout)
        return []


class ScriptLoop(asyncio.BaseEventLoop):
    """Runs coroutines, callbacks and timers of one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Nothing()

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """No other thread could be waiting."""


class _Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return ScriptLoop()


def install() -> None:
    """Make `asyncio.run` use the loop."""
    asyncio.set_event_loop_policy(_Policy())
