"""The template: a process that has imported all a worker needs, and becomes workers.

A fork of it is a worker in a few milliseconds, where a new interpreter takes a hundred. It
has one thread, no workspace open and no engine, so nothing is shared that must not be;
the host itself, with its threads, is never forked.

The host sends a descriptor to become a worker on, or the number of a worker whose end
it wants to know. A worker that ended stays known until then, so that its number is
nobody else's.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

FORK: Final = b"f"
WAIT: Final = b"w"
REQUEST: Final = struct.Struct("!cq")
REPLY: Final = struct.Struct("!q")


def main() -> None:
    """Serve the host at the other end of the socket whose number is the first argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # What the workers will use is imported once, here.
    from vshell.shell import worker

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    forked = False
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 1)
        if len(data) < REQUEST.size:
            os._exit(0)
        request, number = REQUEST.unpack(data)
        if request == FORK:
            process_id = os.fork()
            if process_id == 0:
                control.close()
                os.setsid()
                worker.main(descriptors[0])
                os._exit(0)
            os.close(descriptors[0])
            control.sendall(REPLY.pack(process_id))
        else:
            control.sendall(REPLY.pack(_end_of(number)))
        if not forked:
            forked = True
            _import_commands()


def _end_of(process_id: int) -> int:
    """Wait for a worker; return its exit code, negative for a signal."""
    try:
        _, status = os.waitpid(process_id, 0)
    except ChildProcessError:
        return -int(signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def _import_commands() -> None:
    """Import the commands, so that later workers have them at once."""
    from vshell.shell import commands

    for name in commands.names():
        # A command whose library is missing says so when it is called.
        with suppress(ImportError):
            commands.find(name)
    gc.freeze()
