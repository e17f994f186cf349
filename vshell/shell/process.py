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

_START_TIMEOUT_S: Final = 60.0
_MEMORY_SIGNALS: Final = frozenset({signal.SIGABRT, signal.SIGKILL})

# `vshell` itself imports all public names, which takes longer than the rest of the
# worker's start; so it gets a package of that name with nothing in it.
_BOOT: Final = """
import sys, types
package = types.ModuleType("vshell")
package.__path__ = [sys.argv.pop(1)]
sys.modules["vshell"] = package
from vshell.shell.worker import main
main()
"""


class WorkerProcess:
    """A worker, starting or started. Used by one thread at a time but for `kill`."""

    def __init__(self, opening: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        self._connection = ours
        self._lock = threading.Lock()
        self._ready = False
        self.version = ""
        self.sessions = 0
        self.idle_since_s = time.monotonic()
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
            ours.close()
            raise UnavailableError(
                f"the shell's worker cannot be started: {error.strerror}"
            ) from None
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
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def interrupt(self) -> None:
        """Ask it to end the script; may be called by any thread."""
        with self._lock:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the process at once; may be called by any thread, and again."""
        with self._lock:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the process and give back what it took."""
        self.kill()
        self._connection.close()

    def cause_of_death(self) -> tuple[int, str]:
        """Return the exit code and the words for how the process ended."""
        self._process.wait()
        code = self._process.returncode
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
