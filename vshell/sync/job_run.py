"""One job from its beginning to its end, and the rest of one whose process died.

Each step is in the database before it is taken. The order makes the promises: a command
starts only after the push succeeded and the daemon's name for it is stored; it is started
by one call that is never repeated; and its exit code is stored before the pull begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from vshell.errors import ConflictError, NotFoundError, UnavailableError, VshellError
from vshell.fs import jobs as rows
from vshell.fs.filesystem import FileSystem
from vshell.sync import docker_exec, docker_machine
from vshell.sync.docker_client import Daemon
from vshell.sync.docker_limits import ContainerLimits
from vshell.sync.docker_machine import Machine
from vshell.sync.docker_stream import Stream
from vshell.sync.engine import Engine, Options
from vshell.sync.job_output import JobOutput
from vshell.sync.jobs import FINISHED, KEPT_JOBS, Job, Phase, find_job, owner, report_of
from vshell.sync.results import SyncResult

Listener = Callable[[Stream, bytes], None]

_SAVE_S: Final = 2.0
"""How often what a command has written goes to the database while it runs."""

_POLL_S: Final = 0.2

_BY_SIGNAL: Final = 128

_FORGET_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run.

    Attributes:
        command: The program and its arguments.
        environment: Variables for it.
        cwd: Where, as a path of the workspace.
        inside: Where, as a path of the container.
        timeout_s: How long it may take; None for as long as it likes.
        listener: Is told of its output at once.
        on_phase: Is told when a phase begins.
        on_job: Is told the number of the job before anything happens.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str
    inside: str
    timeout_s: float | None
    listener: Listener | None
    on_phase: Callable[[Phase], None] | None
    on_job: Callable[[int], None] | None = None


class JobRun:
    """Runs jobs in one container.

    Args:
        files: The workspace.
        session: Who it is, for the journal.
        daemon: Who runs the container.
        machine: The container.
        name: Its name in the workspace.
        user: Who runs commands in it.
        limits: What a job may take.
        engine: What pushes and pulls.
    """

    def __init__(
        self,
        files: FileSystem,
        *,
        session: str,
        daemon: Daemon,
        machine: Machine,
        name: str,
        user: str | None,
        limits: ContainerLimits,
        engine: Engine,
    ) -> None:
        self._files = files
        self._session = session
        self._daemon = daemon
        self._machine = machine
        self._name = name
        self._user = user
        self._limits = limits
        self._engine = engine

    def run(self, order: Order) -> Job:
        """Push, run the command, and pull.

        Raises:
            ConflictError: The push met a conflict under the policy `"fail"`; nothing ran.
            UnavailableError: The daemon is gone; the job can be resumed.
            Whatever a push raises; nothing ran.
        """
        job = rows.add(
            self._files,
            container=self._name,
            machine=self._machine.id,
            started_as=self._machine.started_as,
            command=order.command,
            cwd=order.cwd,
            phase="pushing",
            owner=owner(),
        )
        if job % _FORGET_EVERY == 0:
            rows.forget(self._files, phases=FINISHED, keep=KEPT_JOBS)
        if order.on_job is not None:
            order.on_job(job)
        _tell(order, "pushing")
        pushed = self._push(job)
        if rows.find(self._files, job).cancelled:
            self._end(job, "failed", "cancelled before it was started")
            return find_job(self._files, job)
        process = self._prepare(job, order)
        _tell(order, "running")
        output = self._output(job, order.listener)
        try:
            interrupted = self._follow(job, process, order, output)
        finally:
            self._save(job, output)
        if interrupted is None:
            return find_job(self._files, job)
        _tell(order, "pulling")
        self.pull(job, pushed, output_complete=_is_complete(output))
        if interrupted:
            raise KeyboardInterrupt
        return find_job(self._files, job)

    # The steps.

    def _push(self, job: int) -> SyncResult:
        try:
            pushed = self._engine.run(Options(direction="push"))
        except VshellError as error:
            self._end(job, "failed", f"the push failed: {error.message}")
            raise
        report = report_of(pushed, None, output_complete=True)
        rows.advance(self._files, job, phase="pushing", report=report)
        self._require_all_sent(job, pushed)
        return pushed

    def _require_all_sent(self, job: int, pushed: SyncResult) -> None:
        """Make sure that the command would see what the workspace has.

        Raises:
            UnavailableError: Something could not be written to the mirror: it is full, perhaps.
        """
        if not pushed.skipped_total:
            return
        peer = self._engine.peer
        if peer is None:
            return
        waiting = self._files.store.read(lambda: self._engine.peers.pending(peer))
        unsent = [f"/{path}" for path, version in waiting.items() if version is not None]
        if not unsent:
            return
        reasons = {skipped.path: skipped.reason for skipped in pushed.skipped}
        reason = reasons.get(unsent[0], "it was skipped")
        message = f"{len(unsent)} paths could not be sent, the first is {unsent[0]}: {reason}"
        self._end(job, "failed", message)
        raise UnavailableError(
            message,
            path=unsent[0],
            hint="make room in the mirror, or raise `max_mirror_bytes`; nothing was run",
            data={"job": job, "total": len(unsent)},
        )

    def _prepare(self, job: int, order: Order) -> str:
        try:
            process = docker_exec.prepare(
                self._daemon,
                self._machine.id,
                order.command,
                mark=mark_of(job),
                user=self._user,
                environment=order.environment,
                cwd=order.inside,
            )
        except VshellError as error:
            self._end(job, "failed", f"it was not started: {error.message}")
            raise
        rows.started(self._files, job, phase="running", process=process)
        return process

    def _follow(self, job: int, process: str, order: Order, output: JobOutput) -> bool | None:
        """Start the command and wait for its end; note how it ended.

        Returns:
            Whether the person who waits pressed Ctrl-C; None when the container is lost.
        """
        deadline_s = None if order.timeout_s is None else time.monotonic() + order.timeout_s
        saved_s = time.monotonic()

        def write(stream: Stream, data: bytes) -> None:
            nonlocal saved_s
            output.add(stream, data)
            if time.monotonic() - saved_s > _SAVE_S:
                self._save(job, output)
                saved_s = time.monotonic()

        interrupted = False
        try:
            ended = docker_exec.follow(self._daemon, process, write, deadline_s=deadline_s)
        except KeyboardInterrupt:
            interrupted, ended = True, False
            rows.cancel(self._files, job)
        except UnavailableError:
            if not self._is_lost():
                raise  # the daemon is away; the command may go on
            ended = True
        if not ended:
            self._kill(job, process)
        return interrupted if self._note_exit(job, process, timed_out=not ended) else None

    def _note_exit(self, job: int, process: str, *, timed_out: bool) -> bool:
        """Store how the command ended; return whether that is known."""
        code = self.exit_code(job, process)
        if code is None and self._is_lost():
            self._end(job, "lost", "the container went away while the command ran")
            return False
        cancelled = rows.find(self._files, job).cancelled
        rows.exited(
            self._files,
            job,
            phase="pulling",
            exit_code=code,
            timed_out=timed_out and not cancelled,
        )
        return True

    def exit_code(self, job: int, process: str) -> int | None:
        """Return how an ended command ended, from the daemon, else from what it left behind."""
        try:
            found = docker_exec.state(self._daemon, process)
        except NotFoundError:
            if self._is_lost():
                return None
            return docker_exec.left_exit_code(self._daemon, self._machine.id, mark_of(job))
        # With its container, a command dies of a signal.
        died = found.exit_code is None or found.exit_code >= _BY_SIGNAL
        return None if died and self._is_lost() else found.exit_code

    def pull(self, job: int, pushed: SyncResult | None, *, output_complete: bool) -> None:
        """Bring back what the command did; the last of it and the phase are one transaction.

        Whatever fails is noted: the job waits, with its exit code, for `resume`.
        """
        if rows.find(self._files, job).machine != self._machine.id:
            self._end(job, "lost", "its container is gone, and what it did with it")
            return

        def done(pulled: SyncResult) -> None:
            report = report_of(pushed, pulled, output_complete=output_complete)
            rows.advance(self._files, job, phase="done", report=report, has_ended=True)

        try:
            self._engine.run(Options(direction="pull", in_transaction=done))
        except (VshellError, KeyboardInterrupt) as error:
            reason = error.message if isinstance(error, VshellError) else "interrupted"
            rows.advance(self._files, job, phase="pull_pending", error=reason)
            if not isinstance(error, VshellError):
                raise

    def wait(self, job: int, process: str) -> None:
        """Wait until a command that another process started has ended."""
        while not self._is_lost() and self._is_running(job, process):
            time.sleep(_POLL_S)

    def _is_running(self, job: int, process: str) -> bool:
        try:
            return docker_exec.state(self._daemon, process).is_running
        except NotFoundError:
            # It ended long ago, or the daemon was started anew beside a container that goes on.
            with suppress(NotFoundError, ConflictError):  # then it is lost
                return docker_exec.is_left(
                    self._daemon, self._machine.id, mark_of(job), user=self._user
                )
            return False

    def note_exit(self, job: int, process: str) -> bool:
        """Store how a command ended that another process started; return whether it is known."""
        return self._note_exit(job, process, timed_out=False)

    # Helpers.

    def _output(self, job: int, listener: Listener | None) -> JobOutput:
        return JobOutput(
            self._files,
            job,
            session=self._session,
            max_kept_bytes=self._limits.max_kept_bytes,
            max_file_bytes=self._limits.max_output_bytes,
            listener=listener,
        )

    def _save(self, job: int, output: JobOutput) -> None:
        output.flush()
        first, second = output.streams["stdout"], output.streams["stderr"]
        if first.size or second.size:
            rows.keep_output(
                self._files,
                job,
                kept=(first.kept, second.kept),
                sizes=(first.size, second.size),
                paths=(first.path, second.path),
            )

    def _kill(self, job: int, process: str) -> None:
        docker_exec.kill(self._daemon, self._machine.id, mark_of(job), user=self._user)
        deadline_s = time.monotonic() + docker_exec.GRACE_S
        while not self._is_lost() and docker_exec.state(self._daemon, process).is_running:
            if time.monotonic() > deadline_s:
                # It hides its mark from us. Nothing in the container outlives its end.
                docker_machine.stop(self._daemon, self._machine.id)
                return
            time.sleep(_POLL_S)

    def _is_lost(self) -> bool:
        """Tell whether the container is gone, or is not the one of before any more.

        Raises:
            UnavailableError: The daemon does not answer, so that nobody knows.
        """
        return not docker_machine.is_still(self._daemon, self._machine)

    def _end(self, job: int, phase: Phase, error: str) -> None:
        rows.advance(self._files, job, phase=phase, error=error, has_ended=True)


def mark_of(job: int) -> str:
    """Return what all processes of a job have in their environment."""
    return f"job-{job}"


def command_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return a command from what a caller gave: text is for a shell."""
    return ("/bin/sh", "-c", given) if isinstance(given, str) else tuple(given)


def _tell(order: Order, phase: Phase) -> None:
    if order.on_phase is not None:
        order.on_phase(phase)


def _is_complete(output: JobOutput) -> bool:
    return not any(stream.lost for stream in output.streams.values())
