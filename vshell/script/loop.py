"""The one loop that runs a guest: its budgets, its log, its calls."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final, Literal

from vshell.errors import TooLargeError
from vshell.script.answering import Answerer, CallError, StoppedError
from vshell.script.engine import Call, Died, Done, Failed, Guest, Log, Value
from vshell.script.functions import PauseRun
from vshell.script.limits import Limits
from vshell.script.result import CallRecord, ScriptError, Status

__all__ = ["Cancellation", "Ending", "LogBook", "Meter", "drive", "value_over"]

_MAX_RECORDS: Final = 1000
_MAX_SHOWN: Final = 60
_MAX_ERROR_CHARACTERS: Final = 20_000


class Cancellation:
    """Ends a run from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guest: Guest | None = None
        self.cancelled = False
        self.closing = False

    def cancel(self, *, closing: bool = False) -> None:
        """End what is running, and whatever would be started after it.

        Args:
            closing: It is because the workspace is closed, and no fault of the run's.
        """
        with self._lock:
            self.cancelled = True
            self.closing = self.closing or closing
            guest = self._guest
        if guest is not None:
            guest.close()

    def attach(self, guest: Guest | None) -> None:
        """Note which guest is to be ended; one that comes too late is, at once."""
        with self._lock:
            self._guest = guest
            late = self.cancelled
        if late and guest is not None:
            guest.close()


class LogBook:
    """What a script printed.

    Args:
        max_bytes: How much it may print.
    """

    def __init__(self, max_bytes: int) -> None:
        self._pieces: list[str] = []
        self._max_bytes = max_bytes
        self.bytes = 0

    def add(self, text: str | bytes) -> bool:
        """Add something; tell whether it was no more than is allowed."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        size = len(text.encode("utf-8", "surrogatepass"))
        left = self._max_bytes - self.bytes
        if size > left:
            data = text.encode("utf-8", "surrogatepass")[: max(0, left)]
            self._pieces.append(data.decode("utf-8", "ignore"))
            self.bytes = self._max_bytes
            return False
        self._pieces.append(text)
        self.bytes += size
        return True

    @property
    def text(self) -> str:
        """All of it; halves of surrogate pairs, which no file can hold, as U+FFFD."""
        return "".join(self._pieces).encode("utf-8", "replace").decode()


@dataclass
class Meter:
    """What one attempt may use, and has used.

    Attributes:
        limits: What it may use.
        deadline: When its time is over, of `time.monotonic()`.
        book: What it printed.
        calls: How many calls there were.
        host_seconds: How long the host took to answer them.
        records: The first of them.
        hint: What to do about the last call that failed.
    """

    limits: Limits
    deadline: float
    book: LogBook = field(init=False)
    calls: int = 0
    host_seconds: float = 0.0
    records: list[CallRecord] = field(default_factory=list)
    hint: str = ""

    def __post_init__(self) -> None:
        self.book = LogBook(self.limits.max_output_bytes)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a guest ended.

    Attributes:
        status: As in `ScriptResult`.
        value: What it returned.
        error: What went wrong.
        size: How many bytes the value took as JSON, if it is known.
        unsupported: Whether another engine may do better.
    """

    status: Status
    value: Value = None
    error: ScriptError | None = None
    unsupported: bool = False
    size: int | None = None


def drive(guest: Guest, answerer: Answerer, meter: Meter) -> Ending:
    """Run a guest, just started or resumed and answered, to its end, and answer its calls."""
    while True:
        event = guest.next(meter.deadline)
        if isinstance(event, Call):
            ending = _take(event.taken, meter) or _answered(guest, event, answerer, meter)
            if ending is not None:
                return ending
        elif isinstance(event, Log):
            if not meter.book.add(event.text):
                most = meter.limits.max_output_bytes
                return _over("output", f"it printed more than {most} bytes")
        elif isinstance(event, Done):
            return _take(event.taken, meter) or Ending("ok", event.value, size=event.size)
        elif isinstance(event, Failed):
            return _take(event.taken, meter) or _failed(event, meter)
        else:
            return _died(event, meter.limits)


def _take(paths: tuple[str, ...], meter: Meter) -> Ending | None:
    """Count what the script has read ahead as the calls that it was spared."""
    if not paths:
        return None
    meter.calls += len(paths)
    for path in paths[: max(0, _MAX_RECORDS - len(meter.records))]:
        meter.records.append(CallRecord("read_file", _short(path), 0.0, None))
    if meter.calls > meter.limits.max_calls:
        return _over("calls", f"it made more than {meter.limits.max_calls} calls")
    return None


def _answered(guest: Guest, call: Call, answerer: Answerer, meter: Meter) -> Ending | None:
    """Answer a call; return how the run ends if it ends there."""
    meter.calls += 1
    if meter.calls > meter.limits.max_calls:
        return _over("calls", f"it made more than {meter.limits.max_calls} calls")
    start = time.perf_counter()
    failure: CallError | None = None
    try:
        value = answerer.answer(call, guest, meter.deadline)
        ahead = answerer.ahead(call, value) if guest.takes_ahead else None
        if ahead:
            guest.answer(value, ahead)
        else:
            guest.answer(value)
    except CallError as error:
        failure = error
    except PauseRun as pause:
        return Ending("paused", error=ScriptError("PauseRun", pause.message, hint=pause.hint or ""))
    except StoppedError as stopped:
        return Ending(stopped.status, error=stopped.error)
    except TooLargeError as error:
        failure = CallError("OSError", f"{call.method}: {error}", {"code": error.code})
    except TypeError as error:
        failure = CallError("TypeError", f"{call.method}: {error}", {})
    if failure is not None:
        meter.hint = str(failure.data.get("hint", ""))
        guest.fail(failure.type, failure.message, failure.data)
    seconds = time.perf_counter() - start
    meter.host_seconds += seconds
    if len(meter.records) < _MAX_RECORDS:
        code = None if failure is None else failure.code
        meter.records.append(CallRecord(call.method[:100], _shown(call), seconds, code))
    return None


def _shown(call: Call) -> str:
    arguments = call.arguments
    if len(arguments) == 1 and not call.keywords:
        return _short(arguments[0])
    given = [_short(value) for value in arguments]
    given += [f"{name[:_MAX_SHOWN]}={_short(value)}" for name, value in call.keywords.items()]
    return ", ".join(given[:8])


def _short(value: Value) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}...")
    if value is None or isinstance(value, (bool, int, float)):
        return str(value) if not isinstance(value, int) or abs(value) < 1 << 64 else "int"
    return f"{type(value).__name__}[{len(value)}]"


def _failed(event: Failed, meter: Meter) -> Ending:
    status: Status = "limit" if event.type == "MemoryError" else "error"
    error = ScriptError(
        event.type[:200],
        event.message[:_MAX_ERROR_CHARACTERS] or _MESSAGES.get(event.type, ""),
        event.line,
        meter.hint or _HINTS.get(event.type, ""),
        event.traceback[-_MAX_ERROR_CHARACTERS:],
    )
    return Ending(status, error=error, unsupported=event.unsupported)


_MESSAGES: Final = {"MemoryError": "it needed more memory than it may have"}

_HINTS: Final = {
    "SyntaxError": "send the script again without the mistake",
    "ModuleNotFoundError": "only the standard library's modules that need no host are there",
    "ImportError": "only the standard library's modules that need no host are there",
    "NameError": "files are reached through `state`; `vshell run --types` lists its methods",
    "ReferenceError": "files are reached through `state`; `vshell run --types` lists its methods",
    "MemoryError": "work on one file at a time, or raise max_memory_bytes",
}


def _over(what: Literal["output", "calls", "value"], message: str) -> Ending:
    hints = {
        "output": "print less, or write to a file",
        "calls": "use the calls that work on many files at once",
        "value": "return less, or write to a file",
    }
    return Ending("limit", error=ScriptError("LimitExceeded", message, hint=hints[what]))


def value_over(message: str) -> Ending:
    """Return the ending of a script that returned too much."""
    return _over("value", message)


def _died(event: Died, limits: Limits) -> Ending:
    if event.reason == "timeout":
        message = f"it took more than {limits.timeout_s:g} s"
        hint = "do less at once, use the calls on many files, or raise timeout_s"
        return Ending("timeout", error=ScriptError("Timeout", message, hint=hint))
    if event.reason == "memory":
        message = f"it needed more than {limits.max_memory_bytes} bytes of memory"
        return Ending(
            "limit", error=ScriptError("MemoryError", message, hint=_HINTS["MemoryError"])
        )
    if event.reason == "killed":
        message = event.detail[:_MAX_ERROR_CHARACTERS]
        kind = "Killed" if message else "Cancelled"
        return Ending("error", error=ScriptError(kind, message or "it was cancelled"))
    detail = event.detail[:_MAX_ERROR_CHARACTERS]
    return Ending("error", error=ScriptError("Crash", detail or "its process broke down"))
