"""The filter of system calls: each that is not on the list is attempted, and refused."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from vshell.jail import filters, system_calls
from vshell.jail.system_calls import ARCHITECTURES, GUEST_CALLS, NUMBERS, WORKER_DENIED

ARCHITECTURE = system_calls.this_one()
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or ARCHITECTURE is None, reason="seccomp is Linux's"
)

PROBES = {335, 336} if ARCHITECTURE is ARCHITECTURES["x86_64"] else set()
"""`uretprobe` and `uprobe`: kernels since 6.14 let these pass every filter, and refuse or end
whoever makes them anywhere but in the trampoline that the kernel itself maps."""

LAST_NUMBER = 600
"""Above the last call that any kernel has today; those of the future are refused, too."""


def in_child(question: Callable[[], Any]) -> Any:
    """Return what a function returns in a forked child, as JSON."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            answer = json.dumps(question())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            answer = json.dumps({"error": repr(error)})
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answers:
        data = answers.read()
    _, status = os.waitpid(process, 0)
    return json.loads(data) if data else {"status": status}


def numbers_of(names: list[str]) -> set[int]:
    assert ARCHITECTURE is not None
    found = {NUMBERS[name][ARCHITECTURE.column] for name in names}
    return {number for number in found if number is not None}


def attempt(libc: Any, number: int) -> int:
    """Make a call with arguments that are wrong everywhere; return the error's number."""
    wrong = ctypes.c_long(-1)
    result = libc.syscall(ctypes.c_long(number), wrong, wrong, wrong, wrong, wrong, wrong)
    return ctypes.get_errno() if result == -1 else 0


def test_a_guest_is_refused_every_call_that_is_not_on_the_list() -> None:
    allowed = numbers_of(list(GUEST_CALLS))
    tried = [number for number in range(LAST_NUMBER) if number not in allowed | PROBES]

    def attempt_all() -> list[int]:
        libc = ctypes.CDLL(None, use_errno=True)
        filters.lock_guest()
        return [number for number in tried if attempt(libc, number) != errno.EPERM]

    assert in_child(attempt_all) == []


@pytest.mark.parametrize("number", sorted(PROBES))
def test_the_calls_of_probes_are_refused_or_end_the_guest(number: int) -> None:
    def attempt_probe() -> int:
        faulthandler.disable()
        libc = ctypes.CDLL(None, use_errno=True)
        filters.lock_guest()
        return attempt(libc, number)

    found = in_child(attempt_probe)
    if isinstance(found, int):
        assert found in (errno.EPERM, errno.ENXIO, errno.ENOSYS)
    else:
        assert os.WTERMSIG(found["status"]) == signal.SIGILL


def test_a_guest_gets_no_memory_that_can_be_executed() -> None:
    def attempt_map() -> list[int]:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        private = 0x22
        filters.lock_guest()
        found = []
        for protection in (0x3, 0x7, 0x4, 0x5):
            address = libc.mmap(None, ctypes.c_size_t(4096), protection, private, -1, 0)
            found.append(ctypes.get_errno() if address == 2**64 - 1 else 0)
        return found

    assert in_child(attempt_map) == [0, errno.EPERM, errno.EPERM, errno.EPERM]


@pytest.mark.skipif(ARCHITECTURE is not ARCHITECTURES["x86_64"], reason="x32 is of x86-64")
def test_calls_of_the_x32_set_kill_the_guest() -> None:
    def attempt_x32() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        filters.lock_guest()
        return attempt(libc, 0x40000000 + 39)

    assert os.WIFSIGNALED(in_child(attempt_x32)["status"])


def test_a_worker_is_refused_what_is_denied_and_makes_threads() -> None:
    names = [name for names, _ in WORKER_DENIED for name in names.split()]

    def attempt_all() -> dict[str, Any]:
        import threading

        libc = ctypes.CDLL(None, use_errno=True)
        filters.lock_worker()
        numbers = sorted(numbers_of(names))
        passed = [number for number in numbers if attempt(libc, number) != errno.EPERM]
        seen: list[int] = []
        thread = threading.Thread(target=seen.append, args=(1,))
        thread.start()
        thread.join()
        try:
            os.fork()
        except PermissionError:
            seen.append(2)
        return {"passed": passed, "seen": seen}

    assert in_child(attempt_all) == {"passed": [], "seen": [1, 2]}


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("make", [filters.guest_filter, filters.worker_filter])
def test_a_filter_has_whole_instructions_and_checks_the_architecture_first(
    machine: str, make: Callable[[Any], bytes]
) -> None:
    program = make(ARCHITECTURES[machine])
    assert len(program) % 8 == 0
    assert len(program) // 8 < 4096  # the kernel's limit
    audit = ARCHITECTURES[machine].audit.to_bytes(4, sys.byteorder)
    assert program[12:16] == audit


def test_every_allowed_call_has_a_reason_and_a_number() -> None:
    for name, reason in GUEST_CALLS.items():
        assert reason
        assert NUMBERS[name][0] is not None, "all of them exist on x86-64"
    assert [name for name in GUEST_CALLS if NUMBERS[name][1] is None] == ["time"]


def test_no_guest_may_open_send_or_start_anything() -> None:
    dangerous = {"socket", "execve", "clone", "clone3", "fork", "ptrace", "kill", "mount", "bpf"}
    assert not dangerous & set(GUEST_CALLS)
    assert not [name for name in GUEST_CALLS if name.startswith(("open", "send", "recv", "sock"))]
