"""What a caller asks for, checked and brought into form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import TooLargeError
from vshell.ops.context import Context
from vshell.ops.state import METHODS_BY_NAME
from vshell.script.engine import Job, Language, Unavailability
from vshell.script.functions import Function, functions_of
from vshell.script.limits import Limits
from vshell.script.loop import Cancellation, Ending
from vshell.script.outcome import Outcome
from vshell.script.result import ScriptError, ScriptResult
from vshell.script.source import Source, normalise
from vshell.script.values import encode

__all__ = ["METHOD_NAMES", "Request", "make_request", "unavailable"]

METHOD_NAMES: Final = tuple(METHODS_BY_NAME)


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asked for, checked.

    Attributes:
        session: Who asked.
        original: The script as it was given.
        source: The same in the form that engines take.
        job: The same, as engines get it.
        functions: The functions beside `state`.
        atomic: Whether all is applied at the end, or nothing.
        dry_run: Whether nothing is applied.
        limits: What it may use.
        run_id: What it is called.
        cancellation: What ends it.
    """

    session: Context
    original: str
    source: Source
    job: Job
    functions: Mapping[str, Function]
    atomic: bool
    dry_run: bool
    limits: Limits
    run_id: str
    cancellation: Cancellation


def make_request(
    session: Context,
    source: str,
    *,
    language: Language | str | None,
    inputs: Mapping[str, Any] | None,
    functions: Mapping[str, Function | Callable[..., Any]] | None,
    atomic: bool = True,
    dry_run: bool = False,
    limits: Limits | Mapping[str, Any] | None = None,
    cancellation: Cancellation | None = None,
    run_id: str | None = None,
    seed: int | None = None,
    now_ns: int | None = None,
) -> Request | ScriptResult:
    """Return what is asked for, checked; the result when that is too large.

    Errors as `Session.run`.

    With `seed` and `now_ns` the script's clock and randomness come from these.
    """
    checked = Limits.of(limits)
    given = dict(inputs or {})
    encode(given, max_bytes=checked.max_message_bytes)
    run_id = run_id or os.urandom(8).hex()
    try:
        normal = normalise(source, language, inputs=given)
    except TooLargeError as error:
        ending = Ending("limit", error=ScriptError("TooLarge", error.message))
        outcome = Outcome(str(language or ""), checked)
        return outcome.result(run_id, ending, None, dry_run=dry_run)
    extra = functions_of(functions)
    job = Job(
        source=normal.text,
        language=normal.language,
        inputs=given,
        methods=METHOD_NAMES,
        functions=tuple(extra),
        limits=checked,
        seed=seed or 0,
        now_ns=now_ns or 0,
        deterministic=seed is not None,
    )
    return Request(
        session,
        source,
        normal,
        job,
        extra,
        atomic,
        dry_run,
        checked,
        run_id,
        cancellation or Cancellation(),
    )


def unavailable(request: Request, reason: Unavailability) -> ScriptResult:
    """Return the result of a run that no engine can do here."""
    error = ScriptError("Unavailable", reason.reason, hint=reason.hint)
    outcome = Outcome(request.source.language, request.limits)
    ending = Ending("unavailable", error=error)
    return outcome.result(request.run_id, ending, None, dry_run=request.dry_run)
