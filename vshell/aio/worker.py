"""Where the operations of an asynchronous workspace run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Wrapped = TypeVar("Wrapped")

_FIRST_WAIT_S: Final = 0.02
_LONGEST_WAIT_S: Final = 1.0


class Worker:
    """The thread that a workspace's operations run on, and the gate before it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vshell")
        self._gate = asyncio.Lock()
        self._inside: ContextVar[bool] = ContextVar("inside", default=False)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep other tasks out; inside itself, do nothing."""
        if self._inside.get():
            yield
            return
        async with self._gate:
            token = self._inside.set(True)
            try:
                yield
            finally:
                self._inside.reset(token)

    async def run(self, work: Callable[[], Result], interrupt: Callable[[], object]) -> Result:
        """Run `work` on the thread; when the task is cancelled, stop it."""
        async with self.alone():
            running = asyncio.get_running_loop().run_in_executor(self._executor, work)
            return await _finished(running, interrupt)

    async def beside(self, work: Callable[[], Result], interrupt: Callable[[], object]) -> Result:
        """Run `work`, which may take long, on a thread of its own, so that others go on.

        Inside a transaction it runs on the thread that has the transaction open.
        """
        if self._inside.get():
            return await self.run(work, interrupt)
        running = asyncio.get_running_loop().run_in_executor(None, work)
        return await _finished(running, interrupt)

    async def iterate(
        self, items: Iterator[Result], interrupt: Callable[[], object]
    ) -> AsyncIterator[Result]:
        """Yield what an iterator yields that may take long from one to the next.

        When the task is cancelled, or the generator is closed, the iterator is interrupted.
        """
        try:
            while found := await self.beside(lambda: _next(items), interrupt):
                yield found[0]
        finally:
            interrupt()

    def close(self) -> None:
        self._executor.shutdown(wait=True)


class Part(Generic[Wrapped]):
    """Something of a workspace whose methods are awaited; see the class of what it wraps.

    Args:
        wrapped: What does the work.
        worker: Where the operations of its workspace run.
    """

    def __init__(self, wrapped: Wrapped, worker: Worker) -> None:
        self.wrapped = wrapped
        self.worker = worker

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run `work` beside other operations; when the task is cancelled, stop it."""
        return await self.worker.beside(work, self.interrupt)

    def interrupt(self) -> None:
        """End what is running, where that is possible; from any thread."""


def hop(
    method: Callable[Concatenate[Wrapped, Parameters], Result],
) -> Callable[Concatenate[Part[Wrapped], Parameters], Coroutine[Any, Any, Result]]:
    """Return the asynchronous form of a part's method, with its signature."""

    async def call(
        self: Part[Wrapped], /, *arguments: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        return await self.call(partial(method, self.wrapped, *arguments, **options))

    call.__doc__ = method.__doc__
    call.__name__ = getattr(method, "__name__", "call")
    return call


def _next(items: Iterator[Result]) -> tuple[Result] | None:
    # A thread cannot raise StopIteration into a coroutine.
    for item in items:
        return (item,)
    return None


async def _finished(running: asyncio.Future[Result], interrupt: Callable[[], object]) -> Result:
    """Wait for what runs on a thread; when the task is cancelled, stop it and wait for that."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # The thread must be done before another task's operation may start. It is
        # interrupted again and again, as it may not have come to what can be.
        wait_s = _FIRST_WAIT_S
        loop = asyncio.get_running_loop()
        while not running.done():
            with contextlib.suppress(Exception):
                await asyncio.shield(loop.run_in_executor(None, interrupt))
            await asyncio.wait([running], timeout=wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        if not running.cancelled():
            running.exception()  # looked at, so that nobody complains
        raise
