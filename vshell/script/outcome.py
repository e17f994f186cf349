"""Putting a result together: what the attempts took, and what is too large for it."""

from __future__ import annotations

import contextlib
import time
from typing import Final

from vshell.errors import TooLargeError, VshellError
from vshell.ops import write
from vshell.ops.context import Context
from vshell.ops.lazy_patch import LazyPatch
from vshell.script.limits import Limits
from vshell.script.loop import Ending, Meter, value_over
from vshell.script.result import ScriptError, ScriptResult, ScriptStats
from vshell.script.values import encode
from vshell.script.views import OPERATION, Recorded

__all__ = ["SPILLED", "Outcome"]

SPILLED: Final = "/.vshell/runs"
"""Where what is too large for a result is put."""


class Outcome:
    """What a run, with all its attempts, comes to.

    Args:
        language: The language of the script.
        limits: What it may use, all attempts together.
    """

    def __init__(self, language: str, limits: Limits) -> None:
        self._language = language
        self._limits = limits
        self._start = time.perf_counter()
        self._deadline = time.monotonic() + limits.timeout_s
        self._engine = ""
        self._attempts = 0
        self._host_seconds = 0.0
        self._meter = Meter(limits, self._deadline)
        self._large_value: bytes | None = None
        self._value_path: str | None = None
        self._logs_path: str | None = None

    def begin(self, engine: str) -> Meter:
        """Return what the next attempt may use."""
        self._host_seconds += self._meter.host_seconds
        self._engine = engine
        self._attempts += 1
        self._meter = Meter(self._limits, self._deadline)
        return self._meter

    def accept(self, ending: Ending) -> Ending:
        """Return how the script ended, once it is known whether its value can be returned."""
        if ending.status != "ok":
            return ending
        least = min(self._limits.max_result_bytes, self._limits.max_value_bytes)
        if ending.size is not None and ending.size <= least:
            return ending  # it came as JSON, and is small enough
        try:
            data = encode(ending.value, max_bytes=self._limits.max_value_bytes)
        except TooLargeError as error:
            return value_over(error.message)
        except (TypeError, RecursionError) as error:
            return Ending("error", error=ScriptError("TypeError", f"the result: {error}"))
        self._large_value = data if len(data) > self._limits.max_result_bytes else None
        return ending

    def spill(self, session: Context, run_id: str) -> None:
        """Put what is too large for the result into files of the workspace.

        Where the workspace takes no more, the result holds all of it.
        """
        book = self._meter.book
        with contextlib.suppress(VshellError):
            if book.bytes > self._limits.max_result_bytes:
                self._logs_path = _put(session, f"{SPILLED}/{run_id}/log.txt", book.text.encode())
            if self._large_value is not None:
                path = f"{SPILLED}/{run_id}/value.json"
                self._value_path = _put(session, path, self._large_value)

    def result(
        self, run_id: str, ending: Ending, recorded: Recorded | None, *, dry_run: bool
    ) -> ScriptResult:
        """Return the result."""
        meter = self._meter
        logs = meter.book.text
        if self._logs_path is not None:
            logs = logs.encode()[: self._limits.max_result_bytes].decode("utf-8", "ignore")
        return ScriptResult(
            status=ending.status,
            value=ending.value if self._value_path is None else None,
            logs=logs,
            error=ending.error,
            changes=() if recorded is None else recorded.changes,
            calls=tuple(meter.records),
            run_id=run_id,
            stats=self._stats(),
            dry_run=dry_run,
            value_path=self._value_path,
            logs_path=self._logs_path,
            _patch=LazyPatch(lambda: "") if recorded is None else recorded.patch,
        )

    def _stats(self) -> ScriptStats:
        meter = self._meter
        return ScriptStats(
            engine=self._engine,
            language=self._language,
            seconds=time.perf_counter() - self._start,
            host_seconds=self._host_seconds + meter.host_seconds,
            calls=meter.calls,
            output_bytes=meter.book.bytes,
            attempts=self._attempts,
        )


def _put(session: Context, path: str, data: bytes) -> str:
    with session.changing(OPERATION):
        write.write(session, path, data)
    return path
