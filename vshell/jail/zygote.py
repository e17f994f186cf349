"""The zygote, from the host's side: a warm process that forks a confined guest at a time.

    zygote = Zygote(modules=("vshell.script.guest.python",))
    forked = zygote.fork()          # a process with one socket, waiting for its job
    forked.start("vshell.script.guest.python", job, memory_bytes=..., cpu_s=...)
    ...                             # frames through forked.channel
    forked.close()                  # ends it

One guest is kept ready beforehand, so that a start does not wait for a fork. The process
starts when it is first needed, and again when it has died; any thread may use it.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from vshell.errors import UnavailableError
from vshell.jail.channel import HostChannel

__all__ = ["Forked", "Isolation", "Zygote"]

Isolation = Literal["full", "reduced"]
"""`"full"`: namespaces, an empty root, limits and the filter. `"reduced"`: limits and the
filter alone, where the platform allows no namespaces; the filter still lets no file, socket
or process be reached, but a fault of the kernel in one of the few calls left has no second
wall behind it."""

_START_TIMEOUT_S: Final = 30.0
_FORK_TIMEOUT_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 5.0
_END_TIMEOUT_MS: Final = 200
_PIDFD_GET_INFO: Final = 0xC040FF0B
_PIDFD_INFO_EXIT: Final = 8
_PIDFD_INFO: Final = struct.Struct("@Q52xi")
"""`struct pidfd_info` of linux/pidfd.h: which fields are wanted and filled in, and the last of
64 bytes, the status that a parent would be told."""

_FIRST_FRAME_BYTES: Final = 64 * 1024**2

# Packages become empty modules that only know where they are, so that importing
# `vshell.jail.zygote_process` does not run what `vshell/__init__.py` imports.
_BOOT: Final = """\
import sys, types
directory, packages = sys.argv[1], sys.argv[2].split(",")
for name in packages:
    module = types.ModuleType(name)
    module.__path__ = [directory + "/" + name.replace(".", "/")]
    sys.modules[name] = module
from vshell.jail.zygote_process import main
main(sys.argv[3:])
"""


@dataclass(slots=True)
class Forked:
    """A guest: its socket, and its process.

    Attributes:
        channel: The host's end of its socket.
        process: A descriptor of the process (pidfd); None when another process ends it.
    """

    channel: HostChannel
    process: int | None

    def start(
        self,
        module: str,
        job: Mapping[str, Any],
        *,
        memory_bytes: int,
        cpu_s: float,
        deadline: float,
    ) -> None:
        """Tell it what to do.

        Args:
            module: Which of the zygote's modules; its `run(channel, job)` is called.
            job: JSON for it.
            memory_bytes: How much address space it may add to what it was forked with.
            cpu_s: After how many seconds of processor time the kernel ends it.
            deadline: Of `time.monotonic()`, for taking the job.

        Raises:
            HungUpError: It is gone.
            TimeoutError: It did not take the job in time.
        """
        frame = {"guest": module, "job": job, "memory_bytes": memory_bytes, "cpu_s": cpu_s}
        self.channel.send(json.dumps(frame).encode(), deadline=deadline)

    def ended_by(self) -> signal.Signals | None:
        """Return the signal that ended the process, if one did and the system can tell.

        Linux tells since 6.15; waiting for a process is for its parent, the zygote.
        """
        if self.process is None:
            return None
        watch = select.poll()
        watch.register(self.process, select.POLLIN)
        if not watch.poll(_END_TIMEOUT_MS):
            return None
        told = bytearray(_PIDFD_INFO.size)
        _PIDFD_INFO.pack_into(told, 0, _PIDFD_INFO_EXIT, 0)
        try:
            fcntl.ioctl(self.process, _PIDFD_GET_INFO, told)
        except OSError:
            return None
        mask, status = _PIDFD_INFO.unpack(told)
        if not mask & _PIDFD_INFO_EXIT or not os.WIFSIGNALED(status):
            return None
        return signal.Signals(os.WTERMSIG(status))

    def kill(self) -> None:
        """End the process, whatever it does; the channel says so."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.process, signal.SIGKILL)

    def close(self) -> None:
        """End it, and free what it had. Idempotent."""
        self.kill()
        self.channel.close()
        process, self.process = self.process, None
        if process is not None:
            os.close(process)


class _Process:
    """One life of the zygote."""

    def __init__(self, arguments: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        self.owner = os.getpid()
        self.spares: deque[socket.socket] = deque()
        with theirs:
            self.popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                arguments,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PYTHONHASHSEED": "0"},  # sets have one order, so that replays agree
                start_new_session=True,
            )
        self.finalizer = weakref.finalize(self, _stop, self.popen, ours, self.spares, self.owner)
        self.isolation = self._wait_until_ready()

    def _wait_until_ready(self) -> Isolation:
        self.control.settimeout(_START_TIMEOUT_S)
        message: dict[str, Any]
        try:
            data = self.control.recv(1 << 16)
            message = json.loads(data) if data else {"error": "it ended at once"}
        except OSError as error:
            message = {"error": f"it did not answer ({type(error).__name__})"}
        if "error" in message:
            self.finalizer()
            raise UnavailableError(
                f"scripts cannot be confined here: {message['error']}",
                hint="see `vshell doctor` for what this system lacks",
            )
        self.control.settimeout(None)
        isolation: Isolation = message["isolation"]
        return isolation

    def request(self) -> socket.socket:
        """Ask for a guest; what comes first on the socket is its process.

        Raises:
            OSError: The zygote is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [b"F"], [theirs.fileno()], socket.MSG_NOSIGNAL)
            except OSError:
                ours.close()
                raise
        return ours


def _stop(
    popen: subprocess.Popen[bytes],
    control: socket.socket,
    spares: deque[socket.socket],
    owner: int,
) -> None:
    while spares:
        spares.popleft().close()
    control.close()
    if os.getpid() != owner:  # a fork of the host: the process belongs to its parent
        popen.returncode = 0
        return
    try:
        popen.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


class Zygote:
    """A source of guests.

    Args:
        modules: What to import in it. Each has `prepare()`, called while there are files,
            `warm()`, called after that for what all its guests need, and
            `run(channel, job)`, called in a guest.
        extensions: Modules in machine code from outside of the standard library: their
            names, and where their files are.
        allow_reduced: Whether to go on without namespaces where there are none.
        spares: How many guests are kept ready.
    """

    def __init__(
        self,
        *,
        modules: Sequence[str],
        extensions: Mapping[str, str] | None = None,
        allow_reduced: bool = False,
        spares: int = 1,
    ) -> None:
        self._modules = tuple(modules)
        self._extensions = dict(extensions or {})
        self._allow_reduced = allow_reduced
        self._spares = spares
        self._lock = threading.Lock()
        self._process: _Process | None = None

    @property
    def isolation(self) -> Isolation:
        """What guests are confined by.

        Raises:
            UnavailableError: They cannot be confined.
        """
        return self._running().isolation

    @property
    def process_id(self) -> int | None:
        """The number of the running process, if there is one."""
        process = self._process
        return None if process is None else process.popen.pid

    def fork(self) -> Forked:
        """Return a guest that waits for its job.

        Raises:
            UnavailableError: There is no confinement here, or the system starts no more
                processes.
        """
        for _ in range(2):
            process = self._running()
            try:
                return self._take(process)
            except OSError:
                self._discard(process)
        return self._take(self._running())

    def _take(self, process: _Process) -> Forked:
        try:
            connection = process.spares.popleft()
        except IndexError:
            connection = process.request()
        try:
            identity = _receive_identity(connection)
        except BaseException:
            connection.close()
            raise
        forked = Forked(HostChannel(connection, max_frame_bytes=_FIRST_FRAME_BYTES), identity)
        try:
            signal.pidfd_send_signal(identity, 0)  # one kept ready may have died with its zygote
        except OSError:
            forked.close()
            raise
        with suppress(OSError):  # it just died: the next one to ask finds out
            while len(process.spares) < self._spares:
                process.spares.append(process.request())
        return forked

    def _running(self) -> _Process:
        with self._lock:
            process = self._process
            if process is not None and process.owner != os.getpid():
                process.finalizer()
                process = None
            if process is None:
                process = self._process = _Process(self._arguments())
            return process

    def _discard(self, process: _Process) -> None:
        with self._lock:
            if self._process is process:
                self._process = None
        process.finalizer()

    def close(self) -> None:
        """End the process and all guests. Idempotent; `fork` starts it again."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.finalizer()

    def _arguments(self) -> list[str]:
        if not sys.platform.startswith("linux"):
            raise UnavailableError(
                f"scripts can be confined by Linux only, not by {sys.platform}",
                hint='use the engine "monty", which needs no help of the system',
            )
        settings = {
            "modules": self._modules,
            "extensions": self._extensions,
            "allow_reduced": self._allow_reduced,
        }
        return [
            *(sys.executable, "-s", "-S", "-P", "-X", "utf8", "-c", _BOOT),
            str(Path(__file__).parents[2]),
            ",".join(_packages(("vshell.jail.zygote_process", *self._modules))),
            json.dumps(settings),
        ]


def _packages(modules: Sequence[str]) -> list[str]:
    found = set()
    for module in modules:
        parts = module.split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts))}
    return sorted(found)


def _receive_identity(connection: socket.socket) -> int:
    """Return the descriptor of the process at the other end.

    Raises:
        OSError: The zygote is gone.
        UnavailableError: It could not fork.
    """
    connection.settimeout(_FORK_TIMEOUT_S)
    message, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
    if message == b"P" and len(descriptors) == 1:
        os.set_inheritable(descriptors[0], False)
        return descriptors[0]
    for descriptor in descriptors:
        os.close(descriptor)
    if message[:1] == b"E":
        raise UnavailableError(
            f"the system starts no more processes: {os.strerror(int(message[1:] or b'0'))}",
            hint="close workspaces that have scripts running, or raise the limit of processes",
        )
    raise ConnectionError("the zygote is gone")
