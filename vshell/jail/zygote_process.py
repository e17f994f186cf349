"""The zygote's own process: it has imported everything, and forks a guest when asked.

`zygote.py` starts it with an empty environment and without the packages that are
installed, so that what guests inherit is the standard library and the guests' own
modules. It confines itself before it says that it is ready; what is left for each guest
is to give up its last rights and to lock the door.

Requests come as messages on descriptor 0, each with the socket of a new guest. On that
socket the zygote first sends a descriptor of the process, by which the host can end it
whatever becomes of its number. The guest waits for its job meanwhile, and says nothing
before that.
"""

from __future__ import annotations

import array
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import math
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from vshell.jail import kernel, namespaces, system_calls
from vshell.jail.channel import GuestChannel, HungUpError
from vshell.jail.filters import guest_filter, lock_guest

_CONTROL: Final = 0
_GUEST_SOCKET: Final = 3
_STACK_BYTES: Final = 8 * 1024**2
_SLACK_BYTES: Final = 8 * 1024**2
"""What a guest may need beyond its job's memory before the script runs at all."""

_SOCKET_RIGHTS: Final = socket.CMSG_SPACE(array.array("i").itemsize)


class _NoNamespacesError(Exception):
    """Why guests cannot be confined in full."""


def main(arguments: list[str]) -> None:
    """Get ready, confine, report, and serve until the host hangs up."""
    settings = json.loads(arguments[0])
    control = socket.socket(fileno=os.dup(_CONTROL))
    try:
        modules = _load(settings)
        isolation = _confine(allow_reduced=settings["allow_reduced"], control=control)
    except _NoNamespacesError as error:
        _report(control, {"error": str(error)})
        os._exit(1)
    except (OSError, ImportError, StopIteration) as error:
        _report(control, {"error": f"{type(error).__name__}: {error}"})
        os._exit(1)
    for module in modules.values():
        module.warm()
    gc.collect()
    gc.freeze()  # collections in guests would copy the pages of all objects
    _report(control, {"isolation": isolation})
    _serve(control, modules, settings["address_space"])


def _report(control: socket.socket, message: Mapping[str, object]) -> None:
    control.sendall(json.dumps(message).encode())


def _load(settings: dict[str, Any]) -> dict[str, ModuleType]:
    """Import everything that guests will have; there are no files afterwards."""
    for name, path in settings["extensions"].items():
        loader = importlib.machinery.ExtensionFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        loader.exec_module(sys.modules[name])
    modules = {name: importlib.import_module(name) for name in settings["modules"]}
    for module in modules.values():
        module.prepare()
    architecture = system_calls.this_one()
    if architecture is None:
        raise OSError("there is no list of system calls for this processor")
    guest_filter(architecture)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    settings["address_space"] = pages * resource.getpagesize() + _SLACK_BYTES
    return modules


def _confine(*, allow_reduced: bool, control: socket.socket) -> str:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the guests
    _prefer_for_out_of_memory()
    try:
        namespaces.enter()
    except OSError as error:
        if not allow_reduced:
            raise _NoNamespacesError(f"the system makes no namespaces ({error.strerror})") from None
        return "reduced"
    _become_first_process(control)
    namespaces.empty_root()
    return "full"


def _prefer_for_out_of_memory() -> None:
    """When memory runs out, let the kernel end a guest rather than the host."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # without /proc, or forbidden: the kernel chooses as ever


def _become_first_process(control: socket.socket) -> None:
    """Fork, as only a child is in the new process namespace; its end ends all guests."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        control.close()
        os.closerange(0, 64)
        os.waitpid(child, 0)
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def _serve(control: socket.socket, modules: dict[str, ModuleType], address_space: int) -> None:
    while True:
        message, rights, _, _ = control.recvmsg(1, _SOCKET_RIGHTS)
        if not message or not rights:
            os._exit(0)
        (descriptor,) = struct.unpack("i", rights[0][2])
        try:
            process = os.fork()
        except OSError as error:
            _answer(descriptor, b"E" + str(error.errno).encode(), None)
            continue
        if process == 0:
            try:
                _be_guest(descriptor, modules, address_space)
            finally:
                os._exit(1)
        identity = os.pidfd_open(process)
        _answer(descriptor, b"P", identity)
        os.close(identity)


def _answer(descriptor: int, message: bytes, identity: int | None) -> None:
    connection = socket.socket(fileno=descriptor)
    rights = [] if identity is None else [identity]
    try:
        if rights:
            socket.send_fds(connection, [message], rights)
        else:
            connection.sendall(message)
    except OSError:
        return  # the host has given this guest up
    finally:
        connection.close()


def _be_guest(descriptor: int, modules: dict[str, ModuleType], address_space: int) -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(descriptor, _GUEST_SOCKET)
    os.closerange(0, _GUEST_SOCKET)
    os.closerange(_GUEST_SOCKET + 1, 256)
    channel = GuestChannel(_GUEST_SOCKET)
    namespaces.drop_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    try:
        job = json.loads(channel.receive())
    except HungUpError:
        return
    _limit(address_space + job["memory_bytes"], math.ceil(job["cpu_s"]) + 1)
    lock_guest()
    modules[job["guest"]].run(channel, job["job"])


def _limit(address_space: int, cpu_s: int) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_STACK, _STACK_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _GUEST_SOCKET + 1),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, most = resource.getrlimit(kind)
        # The host's own limit cannot be raised.
        kept = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (kept, kept))
