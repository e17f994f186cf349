"""The system calls that confinement knows: their numbers, and what a guest may call.

Numbers are those of the kernel's tables for x86-64 (`arch/x86/entry/syscalls/syscall_64.tbl`)
and for aarch64 (`include/uapi/asm-generic/unistd.h`). None: the architecture has no such
call.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ARCHITECTURES", "GUEST_CALLS", "NUMBERS", "WORKER_DENIED", "Architecture", "this_one"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor architecture, as seccomp sees it.

    Attributes:
        audit: `AUDIT_ARCH_*`: what the kernel says that a call was made for.
        column: Which number of `NUMBERS` is its own.
        largest: The largest number of a call; x86-64 has the x32 calls above it.
    """

    audit: int
    column: int
    largest: int


ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "x86_64": Architecture(0xC000003E, 0, 0x3FFFFFFF),
    "aarch64": Architecture(0xC00000B7, 1, 0xFFFFFFFF),
}


def this_one() -> Architecture | None:
    """The architecture that this process runs on, if confinement knows it."""
    machine = platform.machine().lower()
    return ARCHITECTURES.get({"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine))


GUEST_CALLS: Final[Mapping[str, str]] = {
    # What it says to the host and hears from it. The one descriptor it has is a socket
    # without a name; no call is here that could make another descriptor.
    "read": "answers of the host",
    "write": "calls and results to the host",
    "close": "objects of the interpreter that are finalised; at worst it hangs up",
    # Memory, up to RLIMIT_AS. The filter refuses `mmap` with PROT_EXEC, and `mprotect`
    # is not here: no code can be added to the process.
    "mmap": "malloc, for blocks above 128 KiB and the interpreter's arenas",
    "munmap": "free, of such blocks",
    "mremap": "realloc, of such blocks",
    "brk": "malloc, for small blocks",
    "madvise": "malloc, to give pages back",
    # Time. The C library asks the vDSO first and the kernel only where that cannot say.
    "clock_gettime": "time.time, time.monotonic, Date.now",
    "clock_getres": "time.get_clock_info",
    "gettimeofday": "Date.now of QuickJS",
    "time": "clocks of older C libraries",
    "nanosleep": "time.sleep before Linux 5.1's clocks; the host's deadline ends it",
    "clock_nanosleep": "time.sleep; the host's deadline ends it",
    "restart_syscall": "a sleep that goes on after the process was stopped and continued",
    # Itself.
    "futex": "the interpreter's locks; there is no second thread and no shared memory",
    "getpid": "os.getpid, the same small number that every guest sees",
    "getrandom": "hash secrets and random seeds",
    "exit": "the end",
    "exit_group": "the end",
}
"""What a guest may call, each with the reason. Everything else fails with EPERM: files,
sockets, processes, signals, namespaces, tracing, and what later kernels add."""

NUMBERS: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "listen": (50, 201),
    "clone": (56, 220),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "exit": (60, 93),
    "kill": (62, 129),
    "gettimeofday": (96, 169),
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "capset": (126, 91),
    "rt_sigqueueinfo": (129, 138),
    "mknod": (133, None),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "adjtimex": (159, 171),
    "chroot": (161, 51),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "tkill": (200, 130),
    "time": (201, None),
    "futex": (202, 98),
    "restart_syscall": (219, 128),
    "clock_settime": (227, 112),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mknodat": (259, 33),
    "unshare": (272, 97),
    "accept4": (288, 242),
    "rt_tgsigqueueinfo": (297, 240),
    "perf_event_open": (298, 241),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "finit_module": (313, 273),
    "getrandom": (318, 278),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "clone3": (435, 435),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

WORKER_DENIED: Final[tuple[tuple[str, str], ...]] = (
    ("socket connect accept accept4 bind listen", "it needs no network and no other socket"),
    ("execve execveat fork vfork", "it starts no programs; threads are still made"),
    ("kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal", "it signals nobody"),
    ("ptrace process_vm_readv process_vm_writev pidfd_getfd process_madvise", "other processes"),
    ("mount umount2 pivot_root chroot unshare setns", "namespaces and mounts stay as they are"),
    ("open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr", "the newer mount calls"),
    ("open_by_handle_at name_to_handle_at mknod mknodat", "ways around path checks; devices"),
    ("bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register", "attack"),
    ("add_key request_key keyctl", "the kernel's key rings"),
    ("init_module finit_module delete_module kexec_load kexec_file_load reboot", "the kernel"),
    ("swapon swapoff acct quotactl syslog iopl ioperm personality", "the machine"),
    ("settimeofday clock_settime adjtimex sethostname setdomainname", "the clock and the name"),
)
"""What a worker may not call, by reason. It is a list of what is refused, not of what is
allowed, because a worker is an ordinary Python process with SQLite and threads."""
