"""The workers of one workspace: the template that they come from, and few that wait."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from vshell.errors import ClosedError, UnavailableError
from vshell.shell.process import Template, WorkerProcess

_LOG: Final = logging.getLogger("vshell.shell")

Settle = Callable[[WorkerProcess], None]

MAX_IDLE: Final = 4
"""How many sessions keep a worker that they do not use now; the others are taken up from
their saved state when they are used again. A worker has about 60 MB."""

MAX_SESSIONS: Final = 200
"""How many sessions a worker serves in its life: what an engine leaks ends with it."""


class Workers:
    """All workers of one workspace.

    Args:
        opening: What a worker must know to open the workspace.
    """

    def __init__(self, opening: Mapping[str, Any]) -> None:
        self._opening = dict(opening)
        self._lock = threading.Lock()
        self._all: set[WorkerProcess] = set()
        self._spare: WorkerProcess | None = None
        self._idle: dict[int, tuple[WorkerProcess, Settle]] = {}
        self._closed = False
        self._told = False
        self._process_id = os.getpid()
        self._template: Template | None = Template()

    def take(self, owner: int) -> tuple[WorkerProcess, bool]:
        """Return a worker, and whether it is the one that this owner had.

        Raises:
            ClosedError: The workspace is closed.
            UnavailableError: No worker can be started.
        """
        if os.getpid() != self._process_id:
            raise UnavailableError(
                "the shell was opened before this process was forked",
                hint="open the workspace again in the child process",
            )
        with self._lock:
            if self._closed:
                raise ClosedError("the workspace is closed")
            known = self._idle.pop(owner, None)
            if known is not None and known[0].alive:
                return known[0], True
            if known is not None:
                self._drop(known[0])
            spare, self._spare = self._spare, None
        if spare is not None and not spare.alive:
            self.discard(spare)
            spare = None
        worker = spare or self.start()
        worker.wait_until_ready()
        self._tell_of(worker.confinement)
        return worker, False

    def _tell_of(self, confinement: Mapping[str, bool]) -> None:
        """Say once what the platform does not keep from scripts."""
        missing = [name for name, there in confinement.items() if not there]
        if missing and not self._told:
            self._told = True
            _LOG.warning(
                "the shell's workers are confined in part only: no control of %s;"
                " `vshell doctor` says why",
                " and ".join(missing),
            )

    def give_back(self, owner: int, worker: WorkerProcess, settle: Settle) -> None:
        """Keep a worker for its owner, or end the one that has waited longest.

        Args:
            owner: Whose it is.
            worker: The worker.
            settle: Takes what the owner needs of the worker before it is ended.
        """
        worker.idle_since_s = time.monotonic()
        with self._lock:
            if self._closed or not worker.alive:
                self._drop(worker)
                return
            self._idle[owner] = (worker, settle)
            while len(self._idle) > MAX_IDLE:
                oldest = min(self._idle, key=lambda each: self._idle[each][0].idle_since_s)
                old, settle_old = self._idle.pop(oldest)
                settle_old(old)
                self._drop(old)

    def release(self, owner: int) -> None:
        """Take back the worker of an owner that is done: the next one gets it, made new."""
        with self._lock:
            known = self._idle.pop(owner, None)
            if known is None:
                return
            worker, settle = known
            settle(worker)
            worker.sessions += 1
            if worker.alive and worker.sessions < MAX_SESSIONS and not self._closed:
                if self._spare is not None:
                    self._drop(self._spare)
                self._spare = worker
            else:
                self._drop(worker)

    def discard(self, worker: WorkerProcess) -> None:
        """End a worker."""
        with self._lock:
            self._drop(worker)

    def close(self) -> None:
        """End all of them, but for those of the process that this one was forked from."""
        if os.getpid() != self._process_id:
            return
        with self._lock:
            self._closed = True
            for worker in list(self._all):
                self._drop(worker)
            self._idle.clear()
            self._spare = None
            if self._template is not None:
                self._template.close()
                self._template = None

    def start(self) -> WorkerProcess:
        """Start one more worker, without waiting until it is ready.

        Raises:
            ClosedError: The workspace is closed.
            UnavailableError: It cannot be started.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("the workspace is closed")
            if self._template is None or not self._template.alive:
                if self._template is not None:
                    self._template.close()
                self._template = Template()
            worker = WorkerProcess(self._template, self._opening)
            self._all.add(worker)
            return worker

    def _drop(self, worker: WorkerProcess) -> None:
        self._all.discard(worker)
        worker.close()
