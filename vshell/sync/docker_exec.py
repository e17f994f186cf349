"""Commands in a container: started, read, ended, and asked about later.

A command runs below a small shell that leaves its exit code in the container, for the
daemon forgets it after some minutes. Every process of a command has the job's mark in
its environment, by which all of them are found when they have to end.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import ConflictError, NotFoundError, OperationTimeoutError, UnavailableError
from vshell.sync.docker_client import Daemon, translated
from vshell.sync.docker_machine import CONTROL
from vshell.sync.docker_stream import ExecStream, Stream

MARK: Final = "VSHELL_JOB"
"""The variable that all processes of a command have."""

_RUN: Final = 'mark=$1; shift; "$@"; code=$?; echo "$code" >"$mark"; exit "$code"'
# No `grep -z` and no `pkill`: what every shell has.
_KILL: Final = """
cd /proc || exit
end='
'
for process in [0-9]*; do
  case "$(tr '\\0' '\\n' <"$process/environ" 2>/dev/null; echo .)" in
    *"$1$end"*) [ "$process" = "$$" ] || kill -KILL "$process" 2>/dev/null && echo "$process" ;;
  esac
done
"""
_FIND: Final = """
cd /proc || exit 1
end='
'
for process in [0-9]*; do
  case "$(tr '\\0' '\\n' <"$process/environ" 2>/dev/null; echo .)" in
    *"$1$end"*) exit 0 ;;
  esac
done
exit 1
"""
_ROUNDS: Final = 5
"""A process may start another one between being seen and being killed."""

GRACE_S: Final = 3.0
"""How long processes that were killed may take to be gone."""

_LOOK_S: Final = 1.0
_ANSWER_S: Final = 30.0
_SMALL: Final = 64 * 1024
_EXIT_CODE: Final = re.compile(rb"\d{1,3}\n")


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What became of a command.

    Attributes:
        is_running: It goes on.
        exit_code: Its exit code, if that is known.
        never_started: It was made, and never ran.
    """

    is_running: bool
    exit_code: int | None
    never_started: bool = False


def prepare(
    daemon: Daemon,
    machine: str,
    command: Sequence[str],
    *,
    mark: str,
    user: str | None,
    environment: Mapping[str, str],
    cwd: str,
) -> str:
    """Make a command without starting it, and return the daemon's name for it.

    Raises:
        NotFoundError: The container is gone.
        ConflictError: It does not run.
        UnavailableError: The daemon does not answer.
    """
    with translated("cannot run a command in the container"):
        made = daemon.api.exec_create(
            machine,
            ["/bin/sh", "-c", _RUN, "vshell", f"{CONTROL}/{mark}", *command],
            environment={**environment, MARK: mark},
            workdir=cwd,
            user=user or "",
        )
    return str(made["Id"])


def follow(
    daemon: Daemon,
    process: str,
    write: Callable[[Stream, bytes], None],
    *,
    deadline_s: float | None,
) -> bool:
    """Start a command and pass on what it writes until it ends.

    Args:
        daemon: Who runs it.
        process: From `prepare`.
        write: Takes the output.
        deadline_s: Until when it may run, on the monotonic clock.

    Returns:
        Whether it has ended; not when its time is over.
    """
    stream = ExecStream.start(daemon, process)
    try:
        while True:
            now_s = time.monotonic()
            if deadline_s is not None and now_s >= deadline_s:
                return False
            look_s = now_s + _LOOK_S
            try:
                piece = stream.read(look_s if deadline_s is None else min(look_s, deadline_s))
            except OperationTimeoutError:
                # A process that was left behind may hold the streams open for ever.
                if not state(daemon, process).is_running:
                    return True
                continue
            if piece is None:
                return True
            write(piece.stream, piece.data)
    finally:
        stream.close()


def state(daemon: Daemon, process: str) -> ProcessState:
    """Return what became of a command, as far as the daemon knows.

    Raises:
        NotFoundError: It does not know the command any more.
    """
    with translated("cannot look at the command"):
        found = daemon.api.exec_inspect(process)
    is_running, code = bool(found["Running"]), found["ExitCode"]
    never = not is_running and code is None and not found.get("Pid")
    return ProcessState(is_running, None if is_running else code, never_started=never)


def is_unstarted(daemon: Daemon, process: str) -> bool:
    """Tell whether a command is known never to have been started."""
    try:
        return state(daemon, process).never_started
    except NotFoundError:
        return False


def left_exit_code(daemon: Daemon, machine: str, mark: str) -> int | None:
    """Return the exit code that a command left in the container; None when there is none."""
    code, output = answer(daemon, machine, ["cat", f"{CONTROL}/{mark}"])
    return int(output) if code == 0 and _EXIT_CODE.fullmatch(output) else None


def is_left(daemon: Daemon, machine: str, mark: str, *, user: str | None) -> bool:
    """Tell whether a command has processes in the container, whatever the daemon knows.

    Raises:
        NotFoundError, ConflictError, UnavailableError: As `prepare`.
    """
    script = ["/bin/sh", "-c", _FIND, "vshell", f"{MARK}={mark}"]
    return answer(daemon, machine, script, user=user)[0] == 0


def kill(daemon: Daemon, machine: str, mark: str, *, user: str | None) -> None:
    """End all processes of a command; it is fine when there are none."""
    for _ in range(_ROUNDS):
        try:
            _, killed = answer(
                daemon,
                machine,
                ["/bin/sh", "-c", _KILL, "vshell", f"{MARK}={mark}"],
                user=user,
            )
        except (NotFoundError, ConflictError, UnavailableError):
            return
        if not killed:
            return


def answer(
    daemon: Daemon,
    machine: str,
    command: Sequence[str],
    *,
    user: str | None = None,
    timeout_s: float = _ANSWER_S,
) -> tuple[int, bytes]:
    """Run a command that answers at once; return its exit code and the first of its output.

    Raises:
        OperationTimeoutError: It does not end in time.
        NotFoundError, ConflictError, UnavailableError: As `prepare`.
    """
    with translated("cannot ask the container"):
        made = daemon.api.exec_create(machine, list(command), user=user or "")
    stream = ExecStream.start(daemon, made["Id"])
    output = bytearray()
    deadline_s = time.monotonic() + timeout_s
    try:
        while (piece := stream.read(deadline_s)) is not None:
            if piece.stream == "stdout" and len(output) < _SMALL:
                output += piece.data
    finally:
        stream.close()
    code = state(daemon, str(made["Id"])).exit_code
    return (1 if code is None else code), bytes(output)
