"""Running a script on an engine without the host's loop around it."""

from __future__ import annotations

import builtins
import time
from dataclasses import dataclass, field
from typing import Any

from vshell.errors import VshellError
from vshell.ops.state import METHODS_BY_NAME, State
from vshell.script.engine import Call, Death, Died, Done, Engine, Failed, Guest, Job, Log
from vshell.script.limits import Limits

METHODS = tuple(METHODS_BY_NAME)


@dataclass
class Outcome:
    """What came of it: one of `value` (with `done`), `failed` and `died`."""

    done: bool = False
    value: Any = None
    failed: Failed | None = None
    died: Death | None = None
    detail: str = ""
    logs: list[Log] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def output(self) -> str:
        parts = [
            log.text.decode("utf-8", "replace") if isinstance(log.text, bytes) else log.text
            for log in self.logs
        ]
        return "".join(parts)


def job(source: str, language: str = "python", **more: Any) -> Job:
    more.setdefault("methods", METHODS)
    more.setdefault("limits", Limits(timeout_s=10))
    return Job(source=source, language=language, **more)  # type: ignore[arg-type]


def run(engine: Engine, state: State, source: str, **more: Any) -> Outcome:
    """Run a script to its end; calls go to `state`, and those of others give their arguments."""
    made = job(source, next(iter(engine.languages)), **more)
    guest = engine.start(made)
    try:
        return drive(guest, state, made.limits)
    finally:
        guest.close()


def drive(guest: Guest, state: State, limits: Limits, *, max_output: int = 1 << 20) -> Outcome:
    outcome = Outcome()
    deadline = time.monotonic() + limits.timeout_s
    printed = 0
    while True:
        event = guest.next(deadline)
        match event:
            case Call():
                outcome.calls.append(event)
                if len(outcome.calls) > limits.max_calls:
                    outcome.died = "killed"
                    return outcome
                answer(guest, state, event)
            case Log():
                outcome.logs.append(event)
                printed += len(event.text)
                if printed > max_output:
                    outcome.died = "killed"
                    return outcome
            case Done():
                outcome.done, outcome.value = True, event.value
                return outcome
            case Failed():
                outcome.failed = event
                return outcome
            case Died():
                outcome.died, outcome.detail = event.reason, event.detail
                return outcome


def answer(guest: Guest, state: State, call: Call) -> None:
    if call.method not in METHODS_BY_NAME:
        guest.answer(list(call.arguments))
        return
    try:
        value = getattr(state, call.method)(*call.arguments, **call.keywords)
    except VshellError as error:
        kinds = [kind for kind in type(error).__mro__ if kind.__module__ == builtins.__name__]
        data = {"code": error.code, "path": error.filename, "hint": error.hint}
        guest.fail(kinds[0].__name__, str(error), data)
    else:
        guest.answer(value)
