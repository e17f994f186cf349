"""A script in a worker of Monty: its pauses become calls, and its end is seen to."""

from __future__ import annotations

import builtins
import os
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, get_args

from vshell.errors import DecodeError, TooLargeError, UnavailableError
from vshell.script.engine import (
    Call,
    Died,
    Done,
    Event,
    Failed,
    Guest,
    Job,
    Log,
    Value,
)
from vshell.script.engines.monty_files import Steps, request_of
from vshell.script.engines.monty_support import (
    lacks_for,
    needs_files,
    without_awaits,
)
from vshell.script.plain import plain
from vshell.script.values import decode, encode

__all__ = ["MontyGuest"]

_INPUT: Final = "<python-input-0>"
"""What Monty calls the script in tracebacks."""


class _StateObject:
    """What stands for `state`; its methods arrive as calls."""


class MontyGuest(Guest):
    """A script in a worker of Monty.

    Args:
        session: A worker, taken for this guest alone.
        job: What to run.
        snapshot: Where to go on instead of at the start.
    """

    takes_ahead = False

    def __init__(self, session: Any, job: Job, snapshot: bytes | None = None) -> None:
        self._session = session
        self._job = job
        self._worker: int | None = session.worker_pid
        self._identity = None if self._worker is None else _identity_of(self._worker)
        self._lock = threading.Lock()
        self._watchdog: threading.Timer | None = None
        self._watched_until = 0.0
        self._killed_for: str | None = None
        self._events: deque[Event] = deque()
        self._end: Event | None = None
        self._log_bytes = 0
        self._calls = 0
        self._paused: Any = None
        self._directory: str | None = None if needs_files(job.source) else "/"
        self._asks_directory = False
        self._steps: Steps | None = None
        self._answers: list[Value] = []
        self._given: dict[str, Any] | None = None
        self._lent: set[str] = set()  # methods that the script has as values
        if snapshot is not None:
            self._restore(snapshot)

    def next(self, deadline: float) -> Event:
        if not self._events:
            if self._end is not None:
                return self._end
            self._watch(deadline)
            with self._lock:
                # What was printed meanwhile stands before it.
                self._events.append(self._advance(deadline))
        event = self._events.popleft()
        if not isinstance(event, (Call, Log)):
            self._end = event
            self._release()
        return event

    def answer(self, value: Value, ahead: Mapping[str, Value] | None = None) -> None:  # noqa: ARG002
        encode(value, max_bytes=self._job.limits.max_message_bytes)
        self._given = {"return_value": value}

    def fail(self, type: str, message: str, data: Mapping[str, Value]) -> None:  # noqa: ARG002
        self._given = _exception(type, message)

    def snapshot(self) -> bytes | None:
        if self._end is not None:
            return None
        kept = {"directory": self._directory, "lent": sorted(self._lent)}
        head = encode({**kept, "answers": self._answers if self._steps is not None else []})
        dump = b"" if self._paused is None else self._paused.dump()
        return head + b"\n" + dump

    def close(self) -> None:
        self._killed_for = self._killed_for or "killed"
        if self._lock.locked():
            self._kill()  # another thread waits for it, and would wait on
        with self._lock:
            self._events.clear()
            self._end = self._end or Died("killed")
            self._release()

    # --- running ----------------------------------------------------------------------

    def _advance(self, deadline: float) -> Event:
        """Go on to the next event that is not answered here."""
        from pydantic_monty import MontyComplete, MontyCrashedError, MontyError

        try:
            while True:
                call = self._step()
                if call is not None:
                    return call
                if isinstance(self._paused, MontyComplete):
                    return self._done(self._paused.output)
                ended = self._serve(deadline)
                if ended is not None:
                    return ended
        except MontyCrashedError as error:
            return self._crashed(error)
        except MontyError as error:
            return self._failed(error)

    def _step(self) -> Call | Died | None:
        """Hand over what was answered; return the next call of a request of several."""
        given, self._given = self._given, None
        if self._directory is None:
            return self._find_directory(given)
        if given is None:
            if self._paused is None:
                self._paused = self._begin()
            return None
        if self._steps is None:
            self._paused = self._paused.resume(given)
            return None
        return self._go_on(self._steps, given)

    def _find_directory(self, given: dict[str, Any] | None) -> Call | Died | None:
        """Ask where relative paths start, before anything runs."""
        if given is None:
            return self._call("resolvePath", (".", "."))
        self._directory = str(given.get("return_value", "/"))
        self._paused = self._begin()
        return None

    def _begin(self) -> Any:
        from pydantic_monty import ClassInstance

        inputs = dict(self._job.inputs)
        given = {name: value for name, value in inputs.items() if name.isidentifier()}
        state = ClassInstance(_StateObject(), allowed_methods=list(self._job.methods))
        return self._session.feed_start(
            without_awaits(self._job.source),
            inputs=given | {"state": state, "inputs": inputs},
            print_callback=self._print,
            cwd=self._directory,
        )

    def _serve(self, deadline: float) -> Event | None:
        """Answer what Monty paused for, or make it a call or an end."""
        from pydantic_monty import FunctionSnapshot, FutureSnapshot

        paused = self._paused
        if isinstance(paused, FutureSnapshot):
            return Failed("RuntimeError", "the script awaits something that never happens")
        if not isinstance(paused, FunctionSnapshot):
            return self._look_up()
        name = str(paused.function_name)
        if paused.is_os_function:
            return self._serve_system(name, deadline)
        bound = paused.object_id is not None
        if (
            name in self._job.methods
            if bound
            else name in self._job.functions or name in self._lent
        ):
            return self._call(name, paused.args, paused.kwargs)
        if bound:
            reply = _exception("AttributeError", f"state has no method {name}")
        else:
            reply = _exception("NameError", f"name {name!r} is not defined")
        self._paused = paused.resume(reply)  # type: ignore[arg-type] # one of its forms
        return None

    def _look_up(self) -> Event | None:
        """Say what a name is that is used without being called."""
        name, bound = self._paused.variable_name, self._paused.object_id is not None
        if name in (self._job.methods if bound else self._job.functions):

            def function() -> None:
                """Stands for the function; calls of it arrive by its name."""

            function.__name__ = function.__qualname__ = name
            self._lent.add(name)
            self._paused = self._paused.resume(value=function)
        else:
            self._paused = self._paused.resume()
        return None

    def _serve_system(self, name: str, deadline: float) -> Event | None:
        paused = self._paused
        if name.rpartition(".")[2] in ("sleep", "async_sleep"):
            seconds = float(paused.args[0])
            if not self._job.deterministic:
                left = deadline - time.monotonic()
                time.sleep(max(0.0, min(seconds, left)))
                if seconds >= left:
                    return Died("timeout")
            self._paused = paused.resume({"return_value": None})
            return None
        try:
            steps = request_of(name, paused.args, paused.kwargs)
        except TypeError:
            steps = None  # of another release, with other arguments
        if steps is None:
            self._paused = paused.resume_not_handled()
            return None
        self._answers = []
        return self._go_on(steps, None)

    def _go_on(self, steps: Steps, given: dict[str, Any] | None) -> Call | Died | None:
        """Take a request one call further, or answer it."""
        self._steps = steps
        try:
            if given is None:
                method, arguments = next(steps)
            elif "exc_type" in given:
                kind = getattr(builtins, given["exc_type"], RuntimeError)
                method, arguments = steps.throw(kind(given["message"]))
            else:
                self._answers.append(given["return_value"])
                method, arguments = steps.send(given["return_value"])
        except StopIteration as stop:
            reply = {"return_value": stop.value}
        except Exception as error:  # noqa: BLE001 - each is the script's: it made the request
            reply = _exception(type(error).__name__, str(error))
        else:
            return self._call(method, arguments)
        self._steps = None
        self._paused = self._paused.resume(reply)
        return None

    def _call(
        self, method: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any] | None = None
    ) -> Call | Died:
        self._calls += 1
        try:
            values = [plain(argument) for argument in arguments]
            named = {name: plain(value) for name, value in (keywords or {}).items()}
            encode([values, named], max_bytes=self._job.limits.max_message_bytes)
        except TypeError:  # the host says so, naming the argument
            values, named = list(arguments), dict(keywords or {})
        except (TooLargeError, RecursionError) as error:
            return Died("crash", f"the arguments of a call: {error}")
        return Call(self._calls, method, tuple(values), named)

    def _restore(self, snapshot: bytes) -> None:
        from pydantic_monty import MontyError

        head, _, dump = snapshot.partition(b"\n")
        try:
            kept = decode(head)
            self._directory, answers = kept["directory"], kept["answers"]
            self._lent.update(kept["lent"])
            if dump:
                self._paused = self._session.load_snapshot(dump, print_callback=self._print)
        except (DecodeError, LookupError, TypeError, RuntimeError, MontyError) as error:
            self._release()
            raise UnavailableError(
                f"the stored run cannot be resumed ({type(error).__name__})",
                hint="it was stored by another release of the engine",
            ) from None
        if dump and self._paused.is_os_function:
            paused = self._paused
            steps = request_of(str(paused.function_name), paused.args, paused.kwargs)
            assert steps is not None
            next(steps)
            for value in answers:
                steps.send(value)
            self._steps, self._answers = steps, answers

    # --- ends -------------------------------------------------------------------------

    def _done(self, output: Any) -> Event:
        try:
            value = plain(_without_proxies(output))
            encode(value, max_bytes=self._job.limits.max_value_bytes)
            return Done(value)
        except (TypeError, TooLargeError, RecursionError) as error:
            return Failed("TypeError", f"the result cannot be returned: {error}")

    def _failed(self, error: Any) -> Event:
        inner = error.exception()
        name, message = type(inner).__name__, str(inner)
        frames = [frame for frame in error.traceback() if frame.filename == _INPUT]
        return Failed(
            name,
            message,
            frames[-1].line if frames else None,
            error.display().replace(_INPUT, self._job.name),
            unsupported=lacks_for(name, message, self._job.source),
        )

    def _crashed(self, error: Any) -> Event:
        if self._killed_for == "timeout":
            return Died("timeout")
        if self._killed_for is not None:
            return Died("killed", self._killed_for)
        return Died("crash", str(error)[:200])

    # --- the worker -------------------------------------------------------------------

    def _print(self, stream: str, text: str) -> None:
        self._events.append(Log("stderr" if stream == "stderr" else "stdout", text))
        self._log_bytes += len(text)
        if self._log_bytes > self._job.limits.max_output_bytes:
            # The host learns of it only when the script pauses, which it may never do.
            self._killed_for = self._killed_for or "it printed too much"
            self._kill()

    def _watch(self, deadline: float) -> None:
        """See to it that the worker is killed at the deadline, whatever it does."""
        if deadline == self._watched_until:
            return
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watched_until = deadline
        left = max(0.0, deadline - time.monotonic())
        self._watchdog = threading.Timer(left, _end_in_time, (weakref.ref(self),))
        self._watchdog.daemon = True
        self._watchdog.start()

    def end_in_time(self) -> None:
        """End it, as its time is over."""
        if self._end is None:
            self._killed_for = self._killed_for or "timeout"
            self._kill()

    def _kill(self) -> None:
        identity, worker = self._identity, self._worker
        with suppress(ProcessLookupError, OSError):
            if identity is not None:
                signal.pidfd_send_signal(identity, signal.SIGKILL)
            elif worker is not None:
                os.kill(worker, signal.SIGKILL)

    def _release(self) -> None:
        """Give the worker back; the pool replaces one that was killed."""
        from pydantic_monty import MontyError

        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.cancel()
        session, self._session = self._session, None
        if session is not None:
            with suppress(MontyError):
                session.__exit__(None, None, None)
        identity, self._identity, self._worker = self._identity, None, None
        if identity is not None:
            os.close(identity)
        self._paused = self._steps = None


def _end_in_time(guest: weakref.ref[MontyGuest]) -> None:
    found = guest()
    if found is not None:
        found.end_in_time()


def _identity_of(process: int) -> int | None:
    """Return a descriptor of a process, which no other gets when the number is used again."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _exception(type: str, message: str) -> dict[str, Any]:
    from pydantic_monty import ExcType

    if type not in get_args(ExcType):
        kind = getattr(builtins, type, RuntimeError)
        type = (
            "OSError"
            if isinstance(kind, builtins.type) and issubclass(kind, OSError)
            else ("RuntimeError")
        )
    return {"exc_type": type, "message": message}


def _without_proxies(value: Any) -> Any:
    """Turn objects of a script's own classes into their attributes."""
    from pydantic_monty import MontyClassProxy

    if isinstance(value, MontyClassProxy):
        return {name: _without_proxies(item) for name, item in value.attributes.items()}
    if isinstance(value, dict):
        return {key: _without_proxies(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_proxies(item) for item in value]
    return value
