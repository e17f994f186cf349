"""The worker as its host has it: started, asked, interrupted, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vshell.errors import UnavailableError
from vshell.shell import frames
from vshell.shell.frames import ClosedConnectionError, Header
from vshell.shell.limits import CRASH_EXIT_CODE, MEMORY_EXIT_CODE
from vshell.shell.template import FORK, REPLY, REQUEST, WAIT

_START_TIMEOUT_S: Final = 60.0
_MEMORY_SIGNALS: Final = frozenset({signal.SIGABRT, signal.SIGKILL})

# `vshell` itself imports all public names, which takes longer than the rest of the
# start; so the template gets a package of that name with nothing in it.
_BOOT: Final = """
import sys, types
package = types.ModuleType("vshell")
package.__path__ = [sys.argv.pop(1)]
sys.modules["vshell"] = package
from vshell.shell.template import main
main()
"""


class Template:
    """The process that workers are forked from; may be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[1])
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    [sys.executable, "-I", "-c", _BOOT, package, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    cwd="/",
                    env=_clean_environment(),
                    start_new_session=True,  # Ctrl-C is the host's to pass on
                )
        except OSError as error:
            self._control.close()
            raise UnavailableError(
                f"the shell's worker cannot be started: {error.strerror}"
            ) from None
        self._control.settimeout(_START_TIMEOUT_S)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def fork(self, descriptor: int) -> int:
        """Make a worker that serves a socket; return its number.

        Raises:
            UnavailableError: It cannot.
        """
        return self._ask(FORK, 0, [descriptor])

    def end_of(self, process_id: int) -> int:
        """Wait for a worker; return its exit code, negative for a signal.

        Raises:
            UnavailableError: Nobody knows.
        """
        return self._ask(WAIT, process_id, [])

    def _ask(self, request: bytes, number: int, descriptors: list[int]) -> int:
        with self._lock:
            try:
                socket.send_fds(self._control, [REQUEST.pack(request, number)], descriptors)
                reply = self._control.recv(REPLY.size, socket.MSG_WAITALL)
            except OSError:
                reply = b""
        if len(reply) < REPLY.size:
            raise UnavailableError(
                "the shell's worker did not start",
                hint="`vshell doctor` says what is missing",
            )
        answer: int = REPLY.unpack(reply)[0]
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._control.close()


class WorkerProcess:
    """A worker. Used by one thread at a time but for `kill` and `interrupt`.

    Args:
        template: What it is forked from.
        opening: What it must know to open the workspace.

    Raises:
        UnavailableError: It cannot be started.
    """

    def __init__(self, template: Template, opening: Mapping[str, Any]) -> None:
        self._template = template
        self._connection, theirs = socket.socketpair()
        self._lock = threading.Lock()
        self._ended: int | None = None
        self._ready = False
        self.version = ""
        self.confinement: dict[str, bool] = {}
        self.sessions = 0
        self.idle_since_s = time.monotonic()
        try:
            with theirs:
                self.process_id = template.fork(theirs.fileno())
        except UnavailableError:
            self._connection.close()
            raise
        self._send({"ask": "open", **opening})

    def wait_until_ready(self) -> None:
        """Wait until the worker has opened the workspace.

        Raises:
            UnavailableError: It did not start.
        """
        if self._ready:
            return
        self._connection.settimeout(_START_TIMEOUT_S)
        try:
            header, _ = frames.receive(self._connection)
        except (ClosedConnectionError, TimeoutError):
            self.kill()
            raise UnavailableError(
                "the shell's worker did not start",
                hint="`vshell doctor` says what is missing",
            ) from None
        if "ready" not in header:
            self.kill()
            failed = header.get("failed", {})
            raise UnavailableError(
                f"the shell's worker cannot open the workspace: {failed.get('message')}"
            )
        self.version = header["ready"]
        self.confinement = header["confinement"]
        self._ready = True

    def _send(self, header: Header, payload: bytes = b"") -> None:
        frames.send(self._connection, header, payload)

    def ask(self, header: Header, payload: bytes = b"") -> None:
        """Send a question.

        Raises:
            ClosedConnectionError: The worker is gone.
        """
        self._connection.settimeout(None)
        self._send(header, payload)

    def give(self, descriptor: int | None, header: Header) -> None:
        """Send a descriptor, or none, and what it is.

        Raises:
            ClosedConnectionError: The worker is gone.
        """
        self._connection.settimeout(None)
        try:
            if descriptor is None:
                self._connection.sendall(frames.NO_DESCRIPTOR)
            else:
                socket.send_fds(self._connection, [frames.DESCRIPTOR], [descriptor])
        except OSError as error:
            raise ClosedConnectionError(str(error)) from None
        self._send(header)

    def next(self, timeout_s: float | None) -> tuple[Header, bytes]:
        """Return the next frame.

        Raises:
            TimeoutError: None came in time.
            ClosedConnectionError: The worker is gone.
        """
        if timeout_s is not None and timeout_s <= 0:
            raise TimeoutError
        self._connection.settimeout(timeout_s)
        return frames.receive(self._connection)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        if self._ended is not None:
            return False
        self._connection.setblocking(False)  # whoever reads next says how long it waits
        try:
            return self._connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def interrupt(self) -> None:
        """Ask it to end the script; may be called by any thread."""
        with self._lock:
            if self._ended is None:
                os.kill(self.process_id, signal.SIGINT)

    def kill(self) -> None:
        """End the process at once; may be called by any thread, and again."""
        with self._lock:
            if self._ended is None:
                # Its number is its own until the template was asked for its end.
                os.kill(self.process_id, signal.SIGKILL)
                self._wait()

    def _wait(self) -> None:
        try:
            self._ended = self._template.end_of(self.process_id)
        except UnavailableError:
            self._ended = -int(signal.SIGKILL)

    def close(self) -> None:
        """End the process and give back what it took."""
        self.kill()
        self._connection.close()

    def cause_of_death(self) -> tuple[int, str]:
        """Return the exit code and the words for how the process ended."""
        with self._lock:
            if self._ended is None:
                self._wait()
        code = self._ended or 0
        number = -code if code < 0 else 0
        if number in _MEMORY_SIGNALS:
            return MEMORY_EXIT_CODE, "the shell was ended: it took too much memory, or was killed"
        name = signal.Signals(number).name if number else f"exit code {code}"
        return CRASH_EXIT_CODE, f"the shell's engine crashed ({name})"


def _clean_environment() -> dict[str, str]:
    """Return what the worker is told of the host: nothing that a script could read."""
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "PYTHONHOME", "VIRTUAL_ENV")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return found | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"}
