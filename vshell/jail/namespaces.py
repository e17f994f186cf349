"""An empty machine: new namespaces, and a root directory with nothing in it.

A user namespace is what an unprivileged process may make, and inside it the others.
Their effect: no network interface that is up, no process but the guests', no message
queues, no file system but an empty read-only one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vshell.jail import kernel, system_calls
from vshell.jail.system_calls import NUMBERS

__all__ = ["ALL_NAMESPACES", "bind_root", "drop_capabilities", "empty_root", "enter"]

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


def enter(flags: int = ALL_NAMESPACES) -> None:
    """Move this process into new namespaces; its children, for the process namespace.

    The process must have one thread. A superuser becomes nobody on the way, so that even
    outside of the namespace its user owns nothing.

    Raises:
        OSError: The kernel refuses.
    """
    superuser = os.geteuid() == 0
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


def _new_root(options: str) -> None:
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    point = next(point for point in _MOUNT_POINTS if Path(point).is_dir())
    kernel.mount("none", point, "tmpfs", _STEADY, options)
    os.chdir(point)


def _move_in() -> None:
    architecture = system_calls.this_one()
    number = architecture and NUMBERS["pivot_root"][architecture.column]
    if number is None:
        raise OSError("the number of pivot_root is not known here")
    kernel.pivot_root(number, ".")
    kernel.unmount_detached(".")
    os.chdir("/")
    kernel.mount(None, "/", None, kernel.MS_REMOUNT | kernel.MS_RDONLY | _STEADY)


def empty_root() -> None:
    """Make an empty read-only directory the root, and unmount everything else.

    It is a file system of its own in memory: there is no directory of the host to clean
    up, and none that `..` could lead to. The process must be in a mount namespace.
    """
    _new_root("mode=555,nr_inodes=1")
    _move_in()


def bind_root(*, writable: Sequence[Path], readable: Sequence[Path]) -> None:
    """Make a root that has some directories of the host, at the paths that they have.

    Args:
        writable: Directories that can be changed.
        readable: Directories and files that can be read; those inside of another are fine.
    """
    host = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        _new_root("mode=755,nr_inodes=10000")
        for path in sorted({*readable, *writable}):
            _bind(host, path, writable=path in writable)
    finally:
        os.close(host)
    _move_in()


def _bind(host: int, path: Path, *, writable: bool) -> None:
    source = f"/proc/self/fd/{host}/{path.relative_to('/')}"
    target = Path(".", path.relative_to("/"))
    if not os.path.lexists(target):
        if Path(source).is_dir():
            target.mkdir(parents=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    kernel.mount(source, str(target), None, kernel.MS_BIND | kernel.MS_REC)
    if not writable:
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID
        kernel.mount(None, str(target), None, flags | _locked_flags(str(target)))


def _locked_flags(path: str) -> int:
    """What a mount has and an unprivileged remount must keep."""
    found = os.statvfs(path).f_flag
    kept = {os.ST_NODEV: kernel.MS_NODEV, os.ST_NOEXEC: kernel.MS_NOEXEC}
    times = {os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, os.ST_RELATIME: 1 << 21}
    return sum(flag for bit, flag in (kept | times).items() if found & bit)


def drop_capabilities() -> None:
    """Give up what the user namespace gave."""
    architecture = system_calls.this_one()
    number = architecture and NUMBERS["capset"][architecture.column]
    if number is not None:
        kernel.capabilities_drop(number)
