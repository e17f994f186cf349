"""Running a script in a workspace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vshell.errors import ConflictError, RangeError, UnavailableError, VshellError
from vshell.ops.context import Context
from vshell.script.ahead import SteadyAnswers
from vshell.script.answering import Answerer
from vshell.script.choice import choose, lacks
from vshell.script.direct import DirectAnswers
from vshell.script.engine import Engine, Language, Unavailability
from vshell.script.functions import Function
from vshell.script.limits import Limits
from vshell.script.loop import Cancellation, Ending, Meter, drive
from vshell.script.outcome import Outcome
from vshell.script.pool import Scripts, scripts_of
from vshell.script.request import Request, make_request, unavailable
from vshell.script.result import ScriptError, ScriptResult
from vshell.script.views import DirectView, HeldView, OverlayView, Recorded, View, holds_lock

__all__ = ["run", "run_guest"]


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
    durable: bool = False,
    cancellation: Cancellation | None = None,
) -> ScriptResult:
    """Run a script; see `Session.run` for the arguments and errors."""
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
        seed=secrets.randbits(63) if durable else None,
        now_ns=session.files.store.now() if durable else None,
    )
    if isinstance(request, ScriptResult):
        return request
    if durable:
        if dry_run:
            raise RangeError("a durable run cannot be tried out: its calls are applied at once")
        if holds_lock(session):
            raise RangeError("a durable run cannot be part of a transaction, which may be undone")
        from vshell.script.runs import start_durable

        return start_durable(request, engine)
    scripts = scripts_of(session.files)
    engines = choose(scripts, request.source, request.job, engine, durable=False)
    if isinstance(engines, Unavailability):
        return unavailable(request, engines)
    outcome = Outcome(request.source.language, request.limits)
    with scripts.running(request.cancellation, request.run_id):
        for _ in range(retries + 1):
            result = _attempt(request, scripts, engines, outcome)
            if result.status != "conflict":
                break
    return result


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
            if not is_last and view.can_discard and not external and lacks(ending):
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
    return SteadyAnswers(view.context, request.functions)


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
    if isinstance(view, OverlayView) and request.dry_run and view.effects:
        keep_for_approval(request, view, ending)
    view.close()  # from here on the workspace may be written to
    if not request.dry_run:
        outcome.spill(request.session, request.run_id)
    return outcome.result(request.run_id, ending, recorded, dry_run=request.dry_run)


def keep_for_approval(request: Request, view: OverlayView, ending: Ending) -> None:
    """Keep what a dry run would do, so that it can be applied; not in what is read-only."""
    if not request.session.files.store.database.read_only:
        from vshell.script.runs import keep

        keep(request, view, ending)


def _error(error: VshellError) -> ScriptError:
    return ScriptError(type(error).__name__, error.message, hint=error.hint or "")
