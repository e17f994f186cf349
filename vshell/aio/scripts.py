"""The scripting methods, kept runs of scripts, and tools, to be awaited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from vshell.aio.worker import Part, Worker, hop
from vshell.ops.state import State
from vshell.script.runs import Runs

if TYPE_CHECKING:
    from vshell.script.result import ScriptResult
    from vshell.tools.profile import Form, Profile
    from vshell.tools.result import ToolResult

__all__ = ["AsyncRuns", "AsyncState", "AsyncTools"]


class AsyncState:
    """The scripting methods, by both of their names; see `State`."""

    def __init__(self, state: State, worker: Worker, interrupt: Callable[[], None]) -> None:
        self._state = state
        self._worker = worker
        self._interrupt = interrupt

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._state, name)

        async def call(*arguments: object, **named: object) -> Any:
            work = partial(method, *arguments, **named)
            return await self._worker.run(work, self._interrupt)

        call.__doc__ = method.__doc__
        call.__name__ = name
        return call

    def __dir__(self) -> list[str]:
        return dir(self._state)


class AsyncRuns(Part[Runs]):
    """The runs of scripts that are kept; see `Runs`."""

    list = hop(Runs.list)
    get = hop(Runs.get)
    cancel = hop(Runs.cancel)
    commit = hop(Runs.commit)

    async def resume(self, run_id: str, **options: Any) -> ScriptResult:
        """Go on with a durable run; see `Runs.resume`.

        When the task is cancelled, the run is too, as by `cancel`.
        """
        work = partial(self.wrapped.resume, run_id, **options)
        return await self.worker.beside(work, partial(self.wrapped.cancel, run_id))


class AsyncTools:
    """The tools of one harness, whose calls are awaited; see `Profile`."""

    def __init__(self, profile: Profile, worker: Worker) -> None:
        self.profile = profile
        self.worker = worker

    @property
    def names(self) -> tuple[str, ...]:
        """The tools' names."""
        return self.profile.names

    def definitions(self, form: Form = "anthropic") -> list[dict[str, Any]]:
        """Return the tools as an API takes them; see `Profile.definitions`."""
        return self.profile.definitions(form)

    async def call(self, name: str, arguments: object = None) -> Any:
        """Run a tool; see `Profile.call`. When the task is cancelled, what it does is ended."""
        return await self._beside(name, partial(self.profile.call, name, arguments))

    async def run(self, name: str, arguments: object = None) -> ToolResult:
        """Run a tool; see `Profile.run`."""
        found: ToolResult = await self._beside(name, partial(self.profile.run, name, arguments))
        return found

    async def _beside(self, name: str, work: Callable[[], Any]) -> Any:
        return await self.worker.beside(work, partial(self.profile.interrupt, name))
