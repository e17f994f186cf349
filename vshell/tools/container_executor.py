"""Commands in a container beside the workspace, one at a time, for adapters."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vshell.errors import UnavailableError
from vshell.fs.paths import is_below, lexical
from vshell.ops.context import Context
from vshell.sync.docker_machine import WORKSPACE
from vshell.tools.commands import Ran
from vshell.tools.executors import (
    MAX_OUTPUT_BYTES,
    NO_TIMEOUT_S,
    OnOutput,
    Words,
    from_workspace,
    to_workspace,
)

if TYPE_CHECKING:
    from vshell.sync.container import Container


class ContainerExecutor:
    """Runs commands in a container, one at a time; what they change comes back after each.

    Args:
        context: The workspace or session.
        image: The image of the container.
        options: What `Session.container` takes beside.

    Raises:
        UnavailableError: The library `docker` is missing, or no daemon answers.
    """

    root = WORKSPACE

    def __init__(self, context: Context, image: str, **options: Any) -> None:
        self._context = context
        self._daemon: str | None = options.get("daemon")
        self._container: Container = context.container(image, **options)  # type: ignore[attr-defined]
        self._turn = threading.Lock()
        self._beside: Container | None = None
        self._beside_turn = threading.Lock()
        self._is_closed = False

    @property
    def container(self) -> Container:
        """The container, for what it can do beyond commands."""
        return self._container

    def synchronise(self) -> None:
        """Bring the workspace and the container together now, whatever runs there.

        Commands do so when they begin and when they end. This is for whoever looks at files
        that a command is still writing, or writes those that it waits for. Where no container
        runs, there is nothing to do.
        """
        from vshell.sync.container_memory import known_containers
        from vshell.sync.container_opening import reopen_container

        files, name = self._context.files, self._container.name
        with self._beside_turn:
            if self._is_closed or name not in known_containers(files):
                return
            if self._beside is None:
                # A handle of its own: that of the commands waits for the one that runs.
                self._beside = reopen_container(
                    files, name, session=self._context.name, daemon=self._daemon
                )
            with suppress(UnavailableError):
                self._beside.sync()

    def command(
        self,
        command: Words,
        *,
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        stdin: bytes = b"",
        on_output: OnOutput | None = None,
    ) -> _ContainerCommand:
        """See `Executor.command`."""
        return _ContainerCommand(
            self._context,
            self._container,
            self._turn,
            command,
            place=cwd,
            environment=dict(environment or {}),
            timeout_s=timeout_s or NO_TIMEOUT_S,
            stdin=stdin,
            on_output=on_output,
        )

    def close(self) -> None:
        """Close the container; whether it stays is its own `keep`."""
        with self._turn, self._beside_turn:
            if self._is_closed:
                return
            if self._beside is not None:
                self._beside.close()
            self._container.close()
            self._is_closed = True


class _ContainerCommand:
    def __init__(
        self,
        context: Context,
        container: Container,
        turn: threading.Lock,
        command: Words,
        *,
        place: str | None,
        environment: dict[str, str],
        timeout_s: float,
        stdin: bytes,
        on_output: OnOutput | None,
    ) -> None:
        self._context = context
        self._container = container
        self._turn = turn
        self._words = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        self._place = lexical(place or ".", from_workspace(WORKSPACE, context.cwd))
        self._environment = environment
        self._timeout_s = timeout_s
        self._stdin = stdin
        self._on_output = on_output
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._truncated = False
        self._job: int | None = None
        self._is_running = False
        self._is_interrupted = False

    def run(self) -> Ran:
        with self._turn:
            if self._is_interrupted:
                return Ran(b"", b"", 130, timed_out=False)
            if not self._stdin:
                return self._run(self._placed(self._words))
            given = f"/.stdin-{os.urandom(8).hex()}"
            with self._context.changing("stdin"):
                self._context.files.write(given, self._stdin)
            try:
                script = f'input=$1; shift; exec "$@" < "{WORKSPACE}$input"'
                return self._run(["/bin/sh", "-c", script, "sh", given, *self._placed(self._words)])
            finally:
                with self._context.changing("stdin"):
                    self._context.files.unlink(given)

    def _placed(self, words: list[str]) -> list[str]:
        """Return words that go first to a directory outside of the workspace, if they must."""
        if is_below(self._place, WORKSPACE):
            return words
        return ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self._place, *words]

    def _run(self, words: list[str]) -> Ran:
        inside = is_below(self._place, WORKSPACE)
        job = self._container.exec(
            words,
            cwd=to_workspace(WORKSPACE, self._place) if inside else None,
            env=self._environment,
            timeout_s=self._timeout_s,
            stream=self._take,
            on_phase=self._note,
            on_job=self._number,
        )
        if job.exit_code is None:
            raise UnavailableError(f"the command did not end: {job.error or job.phase}")
        return Ran(
            bytes(self._kept["stdout"]),
            bytes(self._kept["stderr"]),
            job.exit_code,
            timed_out=job.timed_out,
            truncated=self._truncated,
        )

    def _take(self, stream: str, data: bytes) -> None:
        kept = self._kept[stream]
        room = max(0, MAX_OUTPUT_BYTES - len(kept))
        kept += data[:room]
        self._truncated = self._truncated or len(data) > room
        if self._on_output is not None:
            self._on_output(stream, data)

    def _number(self, job: int) -> None:
        self._job = job

    def _note(self, phase: str) -> None:
        if phase == "running":
            self._is_running = True
            if self._is_interrupted:
                self._cancel()

    def interrupt(self) -> None:
        self._is_interrupted = True
        if self._is_running:
            self._cancel()

    def _cancel(self) -> None:
        assert self._job is not None
        self._container.cancel(self._job)
