"""An engine for tests of the host's side: plain Python in a thread, with no confinement at all."""

from __future__ import annotations

import ast
import builtins
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from vshell.script.engine import (
    Call,
    Died,
    Done,
    Event,
    Failed,
    Guest,
    Job,
    Language,
    Log,
    Unavailability,
    Value,
)


class _Ended(BaseException):
    """Ends the thread of a guest that is closed."""


class ThreadGuest:
    """A script in a thread. A step of it runs while the host waits in `next`."""

    takes_ahead = False

    def __init__(self, job: Job) -> None:
        self._job = job
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._calls = 0
        self.closed = False
        threading.Thread(target=self._run, daemon=True).start()

    def next(self, deadline: float) -> Event:
        try:
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self.close()
            return Died("timeout")

    def answer(self, value: Value, ahead: Any = None) -> None:
        self._answers.put(("answer", value))

    def fail(self, type: str, message: str, data: Any) -> None:
        error = getattr(builtins, type, Exception)(message)
        for name, value in data.items():
            setattr(error, name, value)
        self._answers.put(("fail", error))

    def snapshot(self) -> bytes | None:
        return None

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._answers.put(("end", None))
            self._events.put(Died("killed"))

    def _call(self, method: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self._calls += 1
            self._events.put(Call(self._calls, method, arguments, keywords))
            kind, value = self._answers.get()
            if kind == "end":
                raise _Ended
            if kind == "fail":
                raise value
            return value

        return call

    def _print(self, *values: Any) -> None:
        self._events.put(Log("stdout", " ".join(map(str, values)) + "\n"))

    def _run(self) -> None:
        job = self._job
        state = type("State", (), {name: staticmethod(self._call(name)) for name in job.methods})
        names: dict[str, Any] = {"state": state, "inputs": dict(job.inputs), "print": self._print}
        names |= {**job.inputs} | {name: self._call(name) for name in job.functions}
        try:
            self._events.put(Done(_value_of(job, names)))
        except _Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever a script raises
            self._events.put(_failure(job, error))


def _value_of(job: Job, names: dict[str, Any]) -> Any:
    tree = ast.parse(job.source, job.name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, job.name, "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), job.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), job.name, "eval"), names)


def _failure(job: Job, error: BaseException) -> Failed:
    line = error.lineno if isinstance(error, SyntaxError) else None
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename == job.name:
            line = place.tb_lineno
        place = place.tb_next
    return Failed(type(error).__name__, str(error), line)


class ThreadEngine:
    """Starts guests that are threads.

    Args:
        name: What it is called.
        unavailable: Why it cannot be used; None when it can.
    """

    languages: frozenset[Language] = frozenset({"python"})
    can_snapshot = False

    def __init__(self, name: str = "thread", unavailable: Unavailability | None = None) -> None:
        self.name = name
        self.unavailable = unavailable
        self.started: list[ThreadGuest] = []
        self.closed = False

    def available(self) -> Unavailability | None:
        return self.unavailable

    def can_run(self, job: Job) -> bool:
        return job.language in self.languages

    def start(self, job: Job) -> Guest:
        guest = ThreadGuest(job)
        self.started.append(guest)
        return guest

    def resume(self, snapshot: bytes, job: Job) -> Guest:
        raise AssertionError

    def close(self) -> None:
        self.closed = True
