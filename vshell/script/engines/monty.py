"""Monty: Python in an interpreter of its own, written in Rust, that has no system below it.

What it lacks of the language is in `monty_support.py`. It needs nothing of the platform,
starts in less than a millisecond, and a paused run can be stored. Each worker is a
process, which is killed when a script's time is over.
"""

from __future__ import annotations

import os
import threading
import weakref
from importlib.util import find_spec
from typing import Any, Final

from vshell.errors import UnavailableError
from vshell.script.engine import Engine, Job, Language, Unavailability
from vshell.script.engines.monty_guest import MontyGuest
from vshell.script.engines.monty_support import is_supported

__all__ = ["MontyEngine"]

_WORKERS: Final = 64
_CHECKOUT_TIMEOUT_S: Final = 30.0
_SUSPENSIONS: Final = 2**31 - 1
"""Calls are counted by the host; this is Monty's own limit, out of the way."""


class MontyEngine(Engine):
    """Runs Python scripts that use no more of the language than Monty has."""

    name = "monty"
    languages: frozenset[Language] = frozenset({"python"})
    can_snapshot = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Any = None
        self._owner = 0
        self._guests: weakref.WeakSet[MontyGuest] = weakref.WeakSet()

    def available(self) -> Unavailability | None:
        if find_spec("pydantic_monty") is None:
            return Unavailability("Monty is not installed", "pip install 'vshell[script]'")
        return None

    def can_run(self, job: Job) -> bool:
        return job.language == "python" and job.mode == "function" and is_supported(job.source)

    def start(self, job: Job) -> MontyGuest:
        return self._guest(job, None)

    def resume(self, snapshot: bytes, job: Job) -> MontyGuest:
        return self._guest(job, snapshot)

    def _guest(self, job: Job, snapshot: bytes | None) -> MontyGuest:
        missing = self.available()
        if missing is not None:
            raise UnavailableError(missing.reason, hint=missing.hint)
        session = self._running().checkout(
            script_name=job.name,
            limits={
                "max_memory": job.limits.max_memory_bytes,
                "max_suspensions": _SUSPENSIONS,
            },
            os_policy=_policy_of(job),
        )
        try:
            session.__enter__()
        except TimeoutError:
            raise UnavailableError(
                f"{_WORKERS} scripts are running already", hint="try again when one has ended"
            ) from None
        guest = MontyGuest(session, job, snapshot)
        with self._lock:
            self._guests.add(guest)
        return guest

    def _running(self) -> Any:
        from pydantic_monty import Monty

        with self._lock:
            if self._pool is not None and self._owner != os.getpid():
                self._pool = None  # of the process that this one was forked from
            if self._pool is None:
                self._owner = os.getpid()
                self._pool = Monty(
                    max_processes=_WORKERS, checkout_timeout=_CHECKOUT_TIMEOUT_S
                ).__enter__()
            return self._pool

    def close(self) -> None:
        with self._lock:
            guests = list(self._guests)
        for guest in guests:
            guest.close()
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None and self._owner == os.getpid():
            pool.__exit__(None, None, None)


def _policy_of(job: Job) -> dict[str, Any]:
    if not job.deterministic:
        return {"sleep": "call_host"}
    from datetime import UTC, datetime, timedelta

    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=job.now_ns // 1000)
    return {"sleep": "call_host", "datetime": start, "random_start": {"seed": job.seed}}
