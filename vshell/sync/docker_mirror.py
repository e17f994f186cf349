"""Where on this host the mirror of a container is: a private directory, in memory if it fits.

Writing 2,000 files to memory takes a tenth of what a disk takes, and the workspace has
them anyway. Where this process may mount, the directory is a file system of its own, with
a size, and without devices and set-user-id programs. A private directory around it keeps
other users of the host away from whatever a container puts there.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vshell.host import HostTree

_PREFIX: Final = "vshell-mirror-"
_ROOT: Final = "root"
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - mkdtemp makes a directory for its owner only
_SHARE: Final = 0.5
"""How much of the free memory a mirror may take to be there."""

_MS_NOSUID: Final = 2
_MS_NODEV: Final = 4
_MNT_DETACH: Final = 2


@dataclass(frozen=True, slots=True)
class MirrorDirectory:
    """A private directory of the host, and in it the root of a mirror.

    Attributes:
        private: The directory that only its owner may enter.
    """

    private: str

    @property
    def root(self) -> str:
        """What a container sees."""
        return os.path.join(self.private, _ROOT)

    @classmethod
    def make(cls, *, needed_bytes: int, max_bytes: int, max_entries: int) -> MirrorDirectory:
        """Make one.

        Args:
            needed_bytes: How large the workspace is now.
            max_bytes: How large the mirror may become, where that can be enforced.
            max_entries: How many entries it may have, likewise.
        """
        parent = _SHARED_MEMORY if in_memory(needed_bytes) else tempfile.gettempdir()
        made = cls(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        os.mkdir(made.root, 0o755)
        options = f"size={max_bytes},nr_inodes={max_entries},mode=0755"
        if made.private.startswith(_SHARED_MEMORY):
            _mount(made.root, options)
        return made

    @classmethod
    def known(cls, private: str) -> MirrorDirectory | None:
        """Return one that was made before, if it is still there and still ours.

        What names it may have been written by somebody else, so that only a directory that
        is as `make` leaves it will do.
        """
        path = Path(private)
        try:
            status = os.lstat(path)
            root = os.lstat(path / _ROOT)
        except (OSError, ValueError):
            return None
        mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        private_mode = stat.S_IMODE(status.st_mode) == stat.S_IRWXU
        if not (mine and private_mode and path.name.startswith(_PREFIX)):
            return None
        if str(path.parent) not in (_SHARED_MEMORY, tempfile.gettempdir()):
            return None
        return cls(private) if stat.S_ISDIR(root.st_mode) else None

    def remove(self) -> None:
        """Remove it with everything in it."""
        _unmount(self.root)
        # What cannot be removed stays in a directory that nobody else may enter.
        with suppress(OSError):
            tree, name = HostTree.open_parent(self.private)
            with tree:
                tree.remove(name)


def in_memory(needed_bytes: int) -> bool:
    """Tell whether a mirror for a workspace of that size would be in memory."""
    if os.access(_SHARED_MEMORY, os.W_OK):
        with suppress(OSError):
            return needed_bytes < _SHARE * shutil.disk_usage(_SHARED_MEMORY).free
    return False


def _mount(path: str, options: str) -> bool:
    """Mount a file system in memory, if this process may; return whether it is there."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV)
    done = library.mount(b"tmpfs", os.fsencode(path), b"tmpfs", flags, options.encode())
    return bool(done == 0)


def _unmount(path: str) -> None:
    if sys.platform == "linux" and os.geteuid() == 0 and os.path.ismount(path):
        ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(path), _MNT_DETACH)
