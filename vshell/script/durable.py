"""Runs that survive their host: every effect exactly once, whenever it was killed.

What a call changes, what it returns and, where the engine can, the paused guest are
committed in one transaction. Who goes on resumes the guest where it waited, or runs the
script again from its start with the same clock and randomness and gives it the kept
answers. The second always works, so the first may fail: snapshots of another release are
refused.

Answers of calls that only read wait for the next effect: until then the run can be made
again from there, and nobody has seen anything.

A call of something outside of the workspace cannot be committed with it. It is noted
before and after, and carries a key that is the same when it is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from vshell.errors import ConflictError
from vshell.fs.runs import CallRow, RunStore
from vshell.script.answering import Answers, CallError, StoppedError, kind_of_call, perform
from vshell.script.engine import Call, Guest, Value
from vshell.script.functions import Function
from vshell.script.result import ScriptError
from vshell.script.values import decode, encode, tagged
from vshell.script.views import OPERATION, DirectView

__all__ = ["DurableAnswers"]

_MAX_HELD: Final = 1000
"""So many answers of calls that only read are held back at most."""


class DurableAnswers(Answers):
    """Answers calls and keeps the answers.

    Args:
        view: The files.
        functions: The functions beside `state`.
        run_id: The run.
        generation: What it may be written with; see `RunStore.take`.
        done: How many calls the guest has behind it.
    """

    def __init__(
        self,
        view: DirectView,
        functions: Mapping[str, Function],
        run_id: str,
        generation: int,
        *,
        done: int = 0,
    ) -> None:
        super().__init__(view.context, functions)
        self._view = view
        self._runs = RunStore(view.context.files)
        self._run_id = run_id
        self._generation = generation
        self._number = done
        self._kept = self._runs.count_calls(run_id)
        self._held: list[CallRow] = []

    def answer(self, call: Call, guest: Guest, deadline: float) -> Value:
        self._number += 1
        request = _request(call)
        kept = self._kept_call(call, request)
        if kept is not None and kept.answer is not None:
            return _returned(kept.answer)
        kind = kind_of_call(call, self.functions)
        if kind == "read":
            answer = self._outcome(call, deadline)
            self._held.append(self._row(call, request, answer))
            if len(self._held) >= _MAX_HELD:
                self._save()
        elif kind == "write":
            answer = self._change(call, request, guest, deadline)
        else:
            answer = self._outside(call, request, guest, deadline)
        return _returned(answer)

    def go_on(self, guest: Guest, number: int, deadline: float) -> int:
        """Give a guest that was resumed what the call returned that it waits in; return `number`.

        Errors as `answer`.
        """
        kept = self._runs.call(self._run_id, number)
        assert kept is not None, "a snapshot is kept with its call"
        self._number = number
        answer = kept.answer
        if answer is None:
            assert kept.arguments is not None
            arguments, keywords = decode(kept.arguments)
            call = Call(number, kept.method, tuple(arguments), keywords)
            answer = self._outside(call, kept.request, guest, deadline)
        try:
            guest.answer(_returned(answer))
        except CallError as error:
            guest.fail(error.type, error.message, error.data)
        return number

    def _kept_call(self, call: Call, request: bytes) -> CallRow | None:
        if self._number > self._kept:
            return None
        kept = self._runs.call(self._run_id, self._number)
        if kept is None or (kept.method, kept.request) != (call.method, request):
            was = "nothing" if kept is None else kept.method
            message = f"call {self._number} was {was} before, and is another one now"
            hint = "a durable script must do the same again when it gets the same answers"
            raise StoppedError(ScriptError("NotDeterministic", message, hint=hint))
        return kept

    def _outcome(self, call: Call, deadline: float, key: str = "") -> str:
        """Make a call and return what came of it, to be kept."""
        try:
            value = perform(self.state, self.functions, call, deadline, key=key)
            return encode({"value": value}).decode("utf-8", "surrogatepass")
        except CallError as error:
            failed = {"error": [error.type, error.message, dict(error.data)]}
            return encode(failed).decode("utf-8", "surrogatepass")

    def _change(self, call: Call, request: bytes, guest: Guest, deadline: float) -> str:
        files = self._view.context.files
        with self._view.context.changing(OPERATION):
            self._require_ours()
            position = files.journal_position()
            answer = self._outcome(call, deadline)
            rows = files.changes(position=position)
            revision = rows[-1].revision if rows else None
            self._held.append(self._row(call, request, answer, revision=revision))
            self._save_held(guest)
        self._held.clear()
        self._view.rows += rows
        return answer

    def _outside(self, call: Call, request: bytes, guest: Guest, deadline: float) -> str:
        arguments = encode([list(call.arguments), dict(call.keywords)]).decode(
            "utf-8", "surrogatepass"
        )
        row = self._row(call, request, None)._replace(arguments=arguments)
        with self._view.context.changing(OPERATION):
            self._require_ours()
            self._held.append(row)
            self._save_held(guest)
        self._held.clear()
        answer = self._outcome(call, deadline, f"{self._run_id}:{self._number}")
        with self._view.context.changing(OPERATION):
            self._require_ours()
            self._runs.save_calls(self._run_id, [row._replace(answer=answer)])
        return answer

    def _save(self) -> None:
        with self._view.context.changing(OPERATION):
            self._require_ours()
            self._runs.save_calls(self._run_id, self._held)
        self._held.clear()

    def _save_held(self, guest: Guest) -> None:
        self._runs.save_calls(self._run_id, self._held)
        snapshot = guest.snapshot()
        if snapshot is not None:
            self._runs.save_snapshot(self._run_id, snapshot, self._number)

    def _require_ours(self) -> None:
        try:
            self._runs.require_ours(self._run_id, self._generation)
        except ConflictError as error:
            problem = ScriptError("Stopped", error.message, hint=error.hint or "")
            raise StoppedError(problem, "conflict") from None

    def _row(
        self, call: Call, request: bytes, answer: str | None, *, revision: int | None = None
    ) -> CallRow:
        return CallRow(self._number, call.method, request, None, answer, revision)


def _request(call: Call) -> bytes:
    """Return what tells a call from another one."""
    given: Any = [call.method, list(call.arguments), dict(call.keywords)]
    return hashlib.sha256(json.dumps(tagged(given), sort_keys=True).encode()).digest()


def _returned(answer: str) -> Value:
    """Return what a kept call returned, or raise what it raised."""
    outcome = decode(answer)
    if "error" in outcome:
        type, message, data = outcome["error"]
        raise CallError(type, message, data)
    return outcome["value"]
