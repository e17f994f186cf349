"""The system calls of Linux that Python has no function for."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Final

__all__ = [
    "capabilities_drop",
    "mount",
    "pivot_root",
    "prctl",
    "set_seccomp_filter",
    "system_call",
    "unmount_detached",
    "unshare",
]

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_REMOUNT: Final = 0x20
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
MNT_DETACH: Final = 0x2

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2

_CAPABILITY_VERSION_3: Final = 0x20080522
_libc: Final[Any] = ctypes.CDLL(None, use_errno=True)


class _FilterProgram(ctypes.Structure):
    """`struct sock_fprog`: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call by its number.

    Raises:
        OSError: The kernel refused it.
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def unshare(flags: int) -> None:
    """Leave namespaces and get new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def prctl(option: int, first: int, second: Any = 0) -> None:
    """Set an attribute of this process."""
    arguments = (ctypes.c_ulong(first), second or ctypes.c_ulong(0))
    _checked(_libc.prctl(option, *arguments, ctypes.c_ulong(0), ctypes.c_ulong(0)), "prctl")


def mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    """Mount a file system, or change a mount."""
    encoded = [value and os.fsencode(value) for value in (source, target, kind)]
    data = options and options.encode()
    _checked(_libc.mount(*encoded, ctypes.c_ulong(flags), data), "mount")


def unmount_detached(target: str) -> None:
    """Take a mount out of the tree now; it goes when nothing uses it any more."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), "umount2")


def pivot_root(number: int, root: str) -> None:
    """Make a mount the root, and put the old root on top of it, as `.` of the new one."""
    encoded = os.fsencode(root)
    system_call(number, ctypes.c_char_p(encoded), ctypes.c_char_p(encoded))


def capabilities_drop(number: int) -> None:
    """Give up every capability, in whatever user namespace this is."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    system_call(number, ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def set_seccomp_filter(program: bytes) -> None:
    """Let a filter decide about every further system call of this thread, for ever.

    Args:
        program: Instructions of 8 bytes, as `filters` makes them.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    address = ctypes.cast(buffer, ctypes.c_void_p)
    described = _FilterProgram(len(program) // 8, address)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(described))
