"""Seccomp filters: small programs that the kernel runs before each system call.

A program looks at the architecture first: on a foreign one, where numbers mean other
calls, the process is killed. Then it compares the number. What is refused fails with
EPERM, which a script sees as an ordinary PermissionError.
"""

from __future__ import annotations

import errno
import functools
import struct
from typing import Final

from vshell.errors import UnavailableError
from vshell.jail import system_calls
from vshell.jail.kernel import set_seccomp_filter
from vshell.jail.system_calls import GUEST_CALLS, NUMBERS, WORKER_DENIED, Architecture

__all__ = ["guest_filter", "lock_guest", "lock_worker", "worker_filter"]

# Opcodes of classic BPF, and where `struct seccomp_data` has its fields.
_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_ABOVE: Final = 0x25
_JUMP_BITS: Final = 0x45
_RETURN: Final = 0x06
_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4
_FIRST_ARGUMENT_AT: Final = 16
_THIRD_ARGUMENT_AT: Final = 32

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_UNKNOWN: Final = 0x00050000 | errno.ENOSYS
_PROT_EXEC: Final = 0x4
_CLONE_THREAD: Final = 0x10000

_Instruction = tuple[int, int, int, int]


def _head(architecture: Architecture) -> list[_Instruction]:
    checks = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if architecture.largest < 0xFFFFFFFF:
        checks += [(_JUMP_ABOVE, 0, 1, architecture.largest), (_RETURN, 0, 0, _KILL)]
    return checks


def _answer(number: int, action: int) -> list[_Instruction]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]


def _packed(program: list[_Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _number(architecture: Architecture, name: str) -> int | None:
    return NUMBERS[name][architecture.column]


@functools.cache
def guest_filter(architecture: Architecture) -> bytes:
    """Return the program for guests: it allows what `GUEST_CALLS` has, and nothing else."""
    program = _head(architecture)
    for name in GUEST_CALLS:
        number = _number(architecture, name)
        if number is None:
            continue
        if name == "mmap":  # no memory that can be executed
            program += [
                (_JUMP_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
                (_JUMP_BITS, 0, 1, _PROT_EXEC),
                (_RETURN, 0, 0, _REFUSE),
                (_RETURN, 0, 0, _ALLOW),
            ]
        else:
            program += _answer(number, _ALLOW)
    return _packed([*program, (_RETURN, 0, 0, _REFUSE)])


@functools.cache
def worker_filter(architecture: Architecture) -> bytes:
    """Return the program for workers: it refuses what `WORKER_DENIED` has."""
    program = _head(architecture)
    for names, _ in WORKER_DENIED:
        for name in names.split():
            number = _number(architecture, name)
            if number is not None:
                program += _answer(number, _REFUSE)
    # The filter cannot read clone3's flags, which are in memory. Told that there is no
    # such call, the C library makes threads with clone, whose flags are an argument.
    clone, clone3 = (_number(architecture, name) for name in ("clone", "clone3"))
    assert clone is not None
    assert clone3 is not None
    program += _answer(clone3, _UNKNOWN)
    program += [
        (_JUMP_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_JUMP_BITS, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return _packed([*program, (_RETURN, 0, 0, _ALLOW)])


def _architecture() -> Architecture:
    architecture = system_calls.this_one()
    if architecture is None:
        raise UnavailableError("there is no list of system calls for this processor")
    return architecture


def lock_guest() -> None:
    """Put this process under the guests' filter, for ever."""
    set_seccomp_filter(guest_filter(_architecture()))


def lock_worker() -> None:
    """Put this thread, and those that it makes, under the workers' filter, for ever."""
    set_seccomp_filter(worker_filter(_architecture()))
