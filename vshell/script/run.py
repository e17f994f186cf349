"""Running a script in a workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import ConflictError, TooLargeError, UnavailableError, VshellError
from vshell.ops.context import Context
from vshell.ops.state import METHODS_BY_NAME
from vshell.script.answering import Answerer, Answers
from vshell.script.choice import choose
from vshell.script.direct import DirectAnswers
from vshell.script.engine import Engine, Job, Language, Unavailability
from vshell.script.functions import Function, functions_of
from vshell.script.limits import Limits
from vshell.script.loop import Cancellation, Ending, Meter, drive
from vshell.script.outcome import Outcome
from vshell.script.pool import Scripts, scripts_of
from vshell.script.result import ScriptError, ScriptResult
from vshell.script.source import Source, normalise
from vshell.script.values import encode
from vshell.script.views import DirectView, HeldView, OverlayView, Recorded, View, holds_lock

__all__ = ["METHOD_NAMES", "Request", "new_run_id", "run"]

METHOD_NAMES: Final = tuple(METHODS_BY_NAME)

_LACKING: Final = {
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "SyntaxError",
    "TypeError",
}
"""What a script fails with when the engine lacks something; or because it is wrong, which the
next engine then says better."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asked for, checked.

    Attributes:
        session: Who asked.
        source: The script.
        job: The same, as engines get it.
        functions: The functions beside `state`.
        atomic: Whether all is applied at the end, or nothing.
        dry_run: Whether nothing is applied.
        limits: What it may use.
        run_id: What it is called.
        cancellation: What ends it.
    """

    session: Context
    source: Source
    job: Job
    functions: Mapping[str, Function]
    atomic: bool
    dry_run: bool
    limits: Limits
    run_id: str
    cancellation: Cancellation


def run(
    session: Context,
    source: str,
    *,
    language: Language | str | None = None,
    inputs: Mapping[str, Any] | None = None,
    functions: Mapping[str, Function | Callable[..., Any]] | None = None,
    atomic: bool = True,
    dry_run: bool = False,
    limits: Limits | Mapping[str, Any] | None = None,
    engine: str | Engine = "auto",
    retries: int = 0,
    cancellation: Cancellation | None = None,
) -> ScriptResult:
    """Run a script in a fresh sandbox, with nothing in reach but the files of the workspace.

    The script sees `state`, whose methods it calls in snake_case or camelCase. Its result
    is what a function returns, or the value of the last expression.

    Args:
        source: The script: statements, an expression, a function, also in a Markdown fence.
        language: `"python"` or `"javascript"`; None to find out.
        inputs: Values for the script, as variables of these names and in `inputs`.
        functions: Functions of the host that it may call by these names.
        atomic: Apply all that it did at its end and in one step, or nothing; if not, each
            call is applied at once and stays.
        dry_run: Apply nothing. The result has the changes and the patch, and `runs.commit` with
            its `run_id` applies them.
        limits: What it may use; `Limits` or a mapping of its fields.
        engine: `"auto"`: the cheapest that can; or `"monty"`, `"cpython"`, `"quickjs"`.
        retries: How often to run it again after a conflict with somebody else's change.
        cancellation: Ends it from another thread.

    Returns:
        What it did, also when it failed: see `ScriptResult.status`.

    Raises:
        RangeError: An argument is none that there is.
        TypeError: An input has no form in JSON.
        ClosedError: The workspace is closed.
    """
    request = make_request(
        session,
        source,
        language=language,
        inputs=inputs,
        functions=functions,
        atomic=atomic,
        dry_run=dry_run,
        limits=limits,
        cancellation=cancellation,
    )
    if isinstance(request, ScriptResult):
        return request
    scripts = scripts_of(session.files)
    engines = choose(scripts, request.source, request.job, engine, durable=False)
    if isinstance(engines, Unavailability):
        return unavailable(request, engines)
    outcome = Outcome(request.source.language, request.limits)
    with scripts.running(request.cancellation):
        for _ in range(retries + 1):
            result = _attempt(request, scripts, engines, outcome)
            if result.status != "conflict":
                break
    return result


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
) -> Request | ScriptResult:
    """Return what is asked for, checked; the result when that is too large; errors as `run`."""
    checked = Limits.of(limits)
    given = dict(inputs or {})
    encode(given, max_bytes=checked.max_message_bytes)
    run_id = run_id or new_run_id()
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
    )
    return Request(
        session,
        normal,
        job,
        extra,
        atomic,
        dry_run,
        checked,
        run_id,
        cancellation or Cancellation(),
    )


def new_run_id() -> str:
    """Return a name for a run that no other one has."""
    return os.urandom(8).hex()


def unavailable(request: Request, reason: Unavailability) -> ScriptResult:
    """Return the result of a run that no engine can do here."""
    error = ScriptError("Unavailable", reason.reason, hint=reason.hint)
    outcome = Outcome(request.source.language, request.limits)
    ending = Ending("unavailable", error=error)
    return outcome.result(request.run_id, ending, None, dry_run=request.dry_run)


def _attempt(
    request: Request, scripts: Scripts, engines: list[Engine], outcome: Outcome
) -> ScriptResult:
    """Run the script in one engine after the other until one has all that it uses."""
    for position, engine in enumerate(engines):
        is_last = position == len(engines) - 1
        with _view(request, scripts) as view:
            answerer, meter = _answerer(request, view), outcome.begin(engine.name)
            ending = run_guest(engine, request, answerer, meter)
            external = bool(request.functions) and meter.calls > 0
            if not is_last and view.can_discard and not external and _lacks(ending):
                continue
            return _finish(request, view, ending, outcome)
    raise AssertionError("there is no engine")


@contextmanager
def _view(request: Request, scripts: Scripts) -> Iterator[View]:
    """Give a run what its calls work on."""
    session = request.session
    view: View
    if holds_lock(session):
        view = HeldView(session)
    elif not request.atomic and not request.dry_run:
        view = DirectView(session)
    else:
        with scripts.overlay() as overlay:
            yield OverlayView(session, overlay, request.limits.max_write_bytes)
        return
    try:
        yield view
    finally:
        view.close()


def _answerer(request: Request, view: View) -> Answerer:
    if isinstance(view, DirectView):
        return DirectAnswers(view, request.functions)
    return Answers(view.context, request.functions)


def _lacks(ending: Ending) -> bool:
    if ending.unsupported:
        return True
    return ending.status == "error" and ending.error is not None and ending.error.type in _LACKING


def run_guest(engine: Engine, request: Request, answerer: Answerer, meter: Meter) -> Ending:
    """Run the script in one engine."""
    try:
        guest = engine.start(request.job)
    except UnavailableError as error:
        problem = ScriptError("Unavailable", error.message, hint=error.hint or "")
        return Ending("unavailable", error=problem)
    request.cancellation.attach(guest)
    try:
        return drive(guest, answerer, meter)
    finally:
        request.cancellation.attach(None)
        guest.close()


def _finish(request: Request, view: View, ending: Ending, outcome: Outcome) -> ScriptResult:
    """Apply what was done, or drop it, and return the result."""
    ending = outcome.accept(ending)
    recorded: Recorded | None = None
    if ending.status == "ok" or isinstance(view, DirectView):
        try:
            recorded = view.finish(dry_run=request.dry_run)
        except ConflictError as error:
            ending = Ending("conflict", error=_error(error))
        except VshellError as error:
            ending = Ending("error", error=_error(error))
    view.close()  # from here on the workspace may be written to
    if not request.dry_run:
        outcome.spill(request.session, request.run_id)
    return outcome.result(request.run_id, ending, recorded, dry_run=request.dry_run)


def _error(error: VshellError) -> ScriptError:
    return ScriptError(type(error).__name__, error.message, hint=error.hint or "")
