"""Directories below a root, opened without ever following a link.

Linux looks up a whole path at once and refuses links and ways out (`openat2` with
`RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`); elsewhere the names are opened one by one.
What is open is kept, as the work goes from one entry to its neighbour.

glibc has no function for `openat2`, so these system calls go by their numbers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any, Final

__all__ = ["Places", "exchange", "move_to_free_name"]

MAX_OPEN: Final = 64
"""How many directories stay open."""

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPENAT2: Final = 437  # the same on every architecture
_RESOLVE: Final = 0x04 | 0x08 | 0x02  # NO_SYMLINKS, BENEATH, NO_MAGICLINKS
_RENAMEAT2: Final = {"x86_64": 316, "aarch64": 276}
_NO_REPLACE: Final = 1
_EXCHANGE: Final = 2
_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP})


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


class Places:
    """The open directories below a root.

    Args:
        root: The root, open; it stays the caller's.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: OrderedDict[str, int] = OrderedDict()
        self._opener: Callable[[int, bytes], int] = _open_at_once
        if not _has_openat2():
            self._opener = _open_by_names

    def descriptor(self, path: str) -> int:
        """Return the open directory at a path, `""` for the root; it stays this object's.

        Raises:
            OSError: It is no directory, is behind a link, or cannot be opened.
        """
        if not path:
            return self._root
        found = self._open.get(path)
        if found is not None:
            self._open.move_to_end(path)
            return found
        above, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        known = self._root if not above else self._open.get(above)
        if known is not None:
            found = os.open(_encoded(name), _DIRECTORY, dir_fd=known)
        else:
            found = self._opener(self._root, _encoded(path))
        self._open[path] = found
        if len(self._open) > MAX_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return found

    def forget(self, path: str) -> None:
        """Close a directory that may have been replaced, and all below it."""
        for known in [name for name in self._open if name == path or name.startswith(f"{path}/")]:
            os.close(self._open.pop(known))

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            os.close(self._open.popitem()[1])


def move_to_free_name(name: str, new_name: str, directory: int) -> None:
    """Rename an entry of a directory, unless the new name is taken.

    Raises:
        FileExistsError: It is.
        OSError: The host does not allow it.
    """
    if _rename(name, new_name, directory, _NO_REPLACE):
        return
    try:
        os.stat(_encoded(new_name), dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(_encoded(name), _encoded(new_name), src_dir_fd=directory, dst_dir_fd=directory)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def exchange(name: str, other: str, directory: int) -> bool:
    """Let two entries of a directory take each other's place; return False where none can.

    Raises:
        OSError: The host does not allow it.
    """
    return _rename(name, other, directory, _EXCHANGE)


def _rename(name: str, new_name: str, directory: int, flags: int) -> bool:
    number = _RENAMEAT2.get(os.uname().machine) if sys.platform == "linux" else None
    if number is None:
        return False
    done = _syscall()(
        ctypes.c_long(number),
        ctypes.c_int(directory),
        ctypes.c_char_p(_encoded(name)),
        ctypes.c_int(directory),
        ctypes.c_char_p(_encoded(new_name)),
        ctypes.c_uint(flags),
    )
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code))


def _open_at_once(root: int, path: bytes) -> int:
    how = _How(_DIRECTORY, 0, _RESOLVE)
    for _ in range(8):
        opened: int = _syscall()(
            ctypes.c_long(_OPENAT2),
            ctypes.c_int(root),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if opened >= 0:
            return opened
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR):  # somebody is renaming directories
            raise OSError(code, os.strerror(code))
    return _open_by_names(root, path)


def _open_by_names(root: int, path: bytes) -> int:
    above = root
    for name in path.split(b"/"):
        if name in (b"", b".", b".."):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        try:
            found = os.open(name, _DIRECTORY, dir_fd=above)
        finally:
            if above != root:
                os.close(above)
        above = found
    return above


@cache
def _syscall() -> Any:
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return function


@cache
def _has_openat2() -> bool:
    if sys.platform != "linux":
        return False
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_open_at_once(root, b"."))
    except OSError:
        return False  # an old kernel, or a filter on system calls
    finally:
        os.close(root)
    return True


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
