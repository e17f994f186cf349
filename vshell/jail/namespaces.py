"""An empty machine: new namespaces, and a root directory with nothing in it.

A user namespace is what an unprivileged process may make, and inside it the others.
Their effect: no network interface that is up, no process but the guests', no message
queues, no file system but an empty read-only one.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from vshell.jail import kernel, system_calls
from vshell.jail.system_calls import NUMBERS

__all__ = ["ALL_NAMESPACES", "drop_capabilities", "empty_root", "enter"]

ALL_NAMESPACES: Final = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)

_NOBODY: Final = 65534
_STEADY: Final = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
# Any directory will do to mount the new root on; these are everywhere.
_MOUNT_POINTS: Final = ("/tmp", "/proc", "/usr", "/dev")  # noqa: S108 - nothing is put there


def enter(flags: int = ALL_NAMESPACES, *, keep_user: bool = False) -> None:
    """Move this process into new namespaces; its children, for the process namespace.

    The process must have one thread. A superuser becomes nobody on the way, so that even
    outside of the namespace its user owns nothing.

    Args:
        flags: Which namespaces.
        keep_user: Whether a superuser stays one as far as files are concerned.

    Raises:
        OSError: The kernel refuses.
    """
    superuser = os.geteuid() == 0 and not keep_user
    if superuser:
        _become_nobody()
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(flags)
    except OSError:
        if superuser:  # unprivileged namespaces are forbidden here, but root may make them
            os.seteuid(0)
            os.setegid(0)
            user, group = 0, 0
            kernel.unshare(flags)
        else:
            raise
    _map_ids(user, group)


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, 0)
    os.setresuid(_NOBODY, _NOBODY, 0)
    # Changing users closed /proc/self, which has the files that map them.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def _map_ids(user: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _number_of(name: str) -> int:
    architecture = system_calls.this_one()
    number = None if architecture is None else NUMBERS[name][architecture.column]
    if number is None:
        raise OSError(errno.ENOSYS, f"the number of {name} is not known here")
    return number


def empty_root() -> None:
    """Make an empty read-only directory the root, and unmount everything else.

    It is a file system of its own in memory: there is no directory of the host to clean
    up, and none that `..` could lead to. The process must be in a mount namespace.
    """
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    point = next(point for point in _MOUNT_POINTS if Path(point).is_dir())
    kernel.mount("none", point, "tmpfs", _STEADY, "mode=555,nr_inodes=1")
    os.chdir(point)
    kernel.pivot_root(_number_of("pivot_root"), ".")
    kernel.unmount_detached(".")
    os.chdir("/")
    kernel.mount(None, "/", None, kernel.MS_REMOUNT | kernel.MS_RDONLY | _STEADY)


def drop_capabilities() -> None:
    """Give up what the user namespace gave."""
    kernel.capabilities_drop(_number_of("capset"))
