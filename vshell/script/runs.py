"""`Workspace.runs`: the runs that are kept, and going on with them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import ConflictError, RangeError, UnavailableError
from vshell.fs.effects import apply_effects, require_unchanged
from vshell.fs.reads import ReadSet
from vshell.fs.runs import RunRow, RunStore
from vshell.limits import LIST_ENTRIES
from vshell.ops.changeset import net_changes_after, net_changes_of
from vshell.ops.context import Context
from vshell.record import Record
from vshell.script.answering import StoppedError
from vshell.script.choice import choose, lacks
from vshell.script.durable import DurableAnswers
from vshell.script.engine import Engine, Guest, Unavailability, Value
from vshell.script.functions import Function, PauseRun
from vshell.script.limits import Limits
from vshell.script.loop import Ending, drive
from vshell.script.outcome import Outcome
from vshell.script.pool import scripts_of
from vshell.script.request import Request, make_request, unavailable
from vshell.script.result import ScriptError, ScriptResult
from vshell.script.values import decode, encode
from vshell.script.views import OPERATION, DirectView, OverlayView, Recorded

__all__ = ["RunInfo", "RunList", "Runs", "keep", "start_durable"]

_OVER: Final = ("ok", "error", "limit", "conflict", "cancelled", "committed")
"""A run whose time was over can go on: its calls are kept."""


@dataclass(frozen=True, slots=True)
class RunInfo(Record):
    """A run that is kept.

    Attributes:
        id: Its name.
        kind: `"durable"`, or `"approval"`: a dry run that waits for `commit`.
        status: `"running"`: it is, or its process died; `"paused"`; `"ready"`: it waits to be
            approved; `"cancelled"`; `"committed"`; or how it ended, as in `ScriptResult`.
        session: Who started it.
        language: The language of the script.
        engine: The engine that ran it last.
        calls: How many of its calls are kept.
        created_ns: When it was started, in nanoseconds since 1970.
        updated_ns: When it last went on.
        value: What it returned, once it has.
        error: What went wrong, if it ended so.
    """

    id: str
    kind: str
    status: str
    session: str
    language: str
    engine: str
    calls: int
    created_ns: int
    updated_ns: int
    value: Value = None
    error: ScriptError | None = None


@dataclass(frozen=True, slots=True)
class RunList(Record):
    """The newest runs that are kept.

    Attributes:
        runs: The runs, the newest first.
        truncated: Whether there are more.
    """

    runs: tuple[RunInfo, ...]
    truncated: bool


class Runs:
    """The runs of a workspace that outlive a call of `run`.

    Args:
        session: Whose name stands beside what they change from now on.
    """

    def __init__(self, session: Context) -> None:
        self._session = session
        self._store = RunStore(session.files)

    def list(self, *, limit: int = LIST_ENTRIES) -> RunList:
        """Return the newest runs that are kept."""
        found = self._store.newest(limit + 1)
        return RunList(tuple(self._info(row) for row in found[:limit]), len(found) > limit)

    def get(self, run_id: str) -> RunInfo:
        """Return a run.

        Raises:
            NotFoundError: There is none of that name.
        """
        return self._info(self._store.get(run_id))

    def cancel(self, run_id: str) -> RunInfo:
        """End a run; what it has done stays. One that is over stays as it is.

        It ends at once in this process; in another one, at its next change.

        Raises:
            NotFoundError: There is none of that name.
        """
        scripts_of(self._session.files).cancel(run_id)
        with self._session.changing(OPERATION):
            if self._store.get(run_id).status not in _OVER:
                self._store.end(run_id, "cancelled", None)
        return self.get(run_id)

    def commit(self, run_id: str) -> ScriptResult:
        """Apply what a dry run would have done, unless somebody changed what it looked at.

        Raises:
            NotFoundError: There is no such run.
            RangeError: It does not wait to be approved.
        """
        session, files = self._session, self._session.files
        row = self._store.get(run_id)
        outcome = Outcome(row.language, Limits())
        try:
            with session.changing(OPERATION):
                row = self._store.get(run_id)
                if row.status != "ready" or row.base_revision is None or row.reads is None:
                    raise RangeError(f"the run does not wait to be approved: {run_id}")
                require_unchanged(files, row.base_revision, ReadSet.of_data(json.loads(row.reads)))
                position = files.journal_position()
                apply_effects(files, self._store.effects(run_id), self._store.stored)
                recorded = Recorded(session, net_changes_after(session, position))
                self._store.end(run_id, "committed", row.result)
        except ConflictError as error:
            problem = ScriptError(type(error).__name__, error.message, hint=error.hint or "")
            return outcome.result(run_id, Ending("conflict", error=problem), None, dry_run=False)
        value = None if row.result is None else decode(row.result)["value"]
        return outcome.result(run_id, Ending("ok", value), recorded, dry_run=False)

    def resume(
        self,
        run_id: str,
        *,
        functions: Mapping[str, Function | Callable[..., Any]] | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        engine: str | Engine | None = None,
    ) -> ScriptResult:
        """Go on with a durable run that paused, or whose process died.

        Where another process still runs it, that one stops at its next change. Of a run
        that is over, its result is returned again.

        Args:
            run_id: The run.
            functions: What `run` was given: the functions themselves are not kept.
            limits: What it may use from now on; None for what it might before.
            engine: As in `run`; None for the one that it had.

        Raises:
            NotFoundError: There is no such run.
            RangeError: It is none that can go on.
        """
        row = self._store.get(run_id)
        if row.kind != "durable":
            raise RangeError(f"the run is not durable: {run_id}", hint="use commit")
        if row.status in _OVER:
            return _over(row)
        chosen = engine or row.engine
        request = make_request(
            _session_of(self._session, row),
            row.source,
            language=row.language,
            inputs=decode(row.inputs),
            functions=functions,
            atomic=False,
            limits=json.loads(row.limits) if limits is None else limits,
            run_id=run_id,
            seed=row.seed,
            now_ns=row.created_ns,
        )
        assert isinstance(request, Request), "it was accepted before"
        return _go_on(request, chosen)

    def _info(self, row: RunRow) -> RunInfo:
        result = {} if row.result is None else decode(row.result)
        error = result.get("error")
        return RunInfo(
            row.id,
            row.kind,
            row.status,
            row.session,
            row.language,
            row.engine,
            self._store.count_calls(row.id),
            row.created_ns,
            row.updated_ns,
            result.get("value"),
            None if error is None else ScriptError(**error),
        )


def _session_of(session: Context, row: RunRow) -> Context:
    """Return the session that a run was started in."""
    return Context(session.files, name=row.session, cwd=row.cwd, environment=session.environment)


def _over(row: RunRow) -> ScriptResult:
    result = {} if row.result is None else decode(row.result)
    error = result.get("error")
    known = ScriptError("Cancelled", "it was cancelled") if row.status == "cancelled" else None
    ending = Ending(
        "error" if row.status == "cancelled" else row.status,  # type: ignore[arg-type]
        result.get("value"),
        known if error is None else ScriptError(**error),
    )
    return Outcome(row.language, Limits()).result(row.id, ending, None, dry_run=False)


def keep(request: Request, view: OverlayView, ending: Ending) -> None:
    """Keep what a dry run would do, so that it can be applied later."""
    session, overlay = request.session, view.overlay
    files, runs = session.files, RunStore(session.files)
    now = files.store.now()
    row = RunRow(
        id=request.run_id,
        kind="approval",
        status="ready",
        generation=0,
        session=session.name,
        cwd=session.cwd,
        language=request.source.language,
        source=request.source.text,
        inputs="{}",
        limits="{}",
        engine="",
        seed=0,
        created_ns=now,
        updated_ns=now,
        base_revision=overlay.base_revision,
        reads=json.dumps(overlay.reads.as_data()),
        result=_kept_result(ending),
    )
    with session.changing(OPERATION):
        runs.add(row)
        runs.save_effects(request.run_id, [(each, view.stored(each)) for each in view.effects])


def _kept_result(ending: Ending) -> str:
    error = None if ending.error is None else ending.error.as_dict()
    return encode({"value": ending.value, "error": error}).decode("utf-8", "surrogatepass")


def start_durable(request: Request, engine: str | Engine) -> ScriptResult:
    """Run a script so that it can go on in another process."""
    session = request.session
    job = request.job
    row = RunRow(
        id=request.run_id,
        kind="durable",
        status="paused",
        generation=0,
        session=session.name,
        cwd=session.cwd,
        language=job.language,
        source=request.original,
        inputs=encode(dict(job.inputs)).decode("utf-8", "surrogatepass"),
        limits=json.dumps(request.limits.as_dict()),
        engine=engine if isinstance(engine, str) else engine.name,
        seed=job.seed,
        created_ns=job.now_ns,
        updated_ns=job.now_ns,
    )
    with session.changing(OPERATION):
        RunStore(session.files).add(row)
    return _go_on(request, engine)


def _go_on(request: Request, engine: str | Engine) -> ScriptResult:
    scripts = scripts_of(request.session.files)
    engines = choose(scripts, request.source, request.job, engine, durable=True)
    if isinstance(engines, Unavailability):
        return unavailable(request, engines)
    outcome = Outcome(request.source.language, request.limits)
    with scripts.running(request.cancellation, request.run_id):
        return _attempts(request, engines, outcome)


def _attempts(request: Request, engines: list[Engine], outcome: Outcome) -> ScriptResult:
    """Run it in one engine after the other; what the calls did is kept, so none does it again."""
    runs = RunStore(request.session.files)
    view = DirectView(request.session)
    for position, engine in enumerate(engines):
        with request.session.changing(OPERATION):
            row = runs.get(request.run_id)
            if row.status in _OVER:
                return _over(row)
            row = row._replace(generation=runs.take(request.run_id))
        ending = _in_engine(request, engine, row, view, outcome)
        if position == len(engines) - 1 or not lacks(ending):
            break
        with request.session.changing(OPERATION):
            runs.save_snapshot(request.run_id, None, None)
    return _ended(request, row, outcome.accept(ending), outcome)


def _in_engine(
    request: Request, engine: Engine, row: RunRow, view: DirectView, outcome: Outcome
) -> Ending:
    meter = outcome.begin(engine.name)
    try:
        guest, resumed = _guest(request, engine, row)
    except UnavailableError as error:
        problem = ScriptError("Unavailable", error.message, hint=error.hint or "")
        return Ending("unavailable", error=problem)
    request.cancellation.attach(guest)
    answers = DurableAnswers(view, request.functions, row.id, row.generation)
    try:
        if resumed:
            meter.calls = answers.go_on(guest, row.snapshot_call or 0, meter.deadline)
        return drive(guest, answers, meter)
    except StoppedError as stopped:
        return Ending(stopped.status, error=stopped.error)
    except PauseRun as pause:
        return Ending("paused", error=ScriptError("PauseRun", pause.message))
    finally:
        request.cancellation.attach(None)
        guest.close()


def _guest(request: Request, engine: Engine, row: RunRow) -> tuple[Guest, bool]:
    """Return the guest, and whether it goes on where it waited."""
    if row.snapshot is not None and engine.can_snapshot:
        with contextlib.suppress(UnavailableError):  # of another release: start again
            return engine.resume(row.snapshot, request.job), True
    return engine.start(request.job), False


def _ended(request: Request, row: RunRow, ending: Ending, outcome: Outcome) -> ScriptResult:
    """Note how a run ended, unless it is somebody else's by now."""
    session = request.session
    runs = RunStore(session.files)
    if request.cancellation.closing:
        ending = Ending("paused", error=ScriptError("Closed", "the workspace was closed"))
        return outcome.result(row.id, ending, None, dry_run=False)
    recorded = _recorded(session, runs.revisions(row.id))
    if ending.status != "unavailable":
        with contextlib.suppress(ConflictError), session.changing(OPERATION):
            runs.require_ours(row.id, row.generation)
            runs.end(row.id, ending.status, _kept_result(ending))
    outcome.spill(session, row.id)
    return outcome.result(row.id, ending, recorded, dry_run=False)


def _recorded(session: Context, revisions: list[int]) -> Recorded:
    """Return what the revisions that a run made come to."""
    changes = [
        change
        for revision in dict.fromkeys(revisions)
        for change in session.files.changes(since=revision - 1, until=revision)
    ]
    return Recorded(session, net_changes_of(session, changes))
