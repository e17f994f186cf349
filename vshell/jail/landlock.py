"""Landlock: access to files by directory, which a process may take from itself.

It needs no namespace and no privilege. What a rule does not allow is refused by the
kernel, whatever way the path takes. (`Documentation/userspace-api/landlock.rst`)
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vshell.jail import kernel, system_calls
from vshell.jail.system_calls import NUMBERS

__all__ = ["restrict", "version"]

_VERSION_FLAG: Final = 1
_RULE_PATH_BENEATH: Final = 1

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIRECTORY: Final = 1 << 3
_REMOVE_DIRECTORY: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE_DIRECTORY: Final = 1 << 7
_MAKE_REGULAR: Final = 1 << 8
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14

_READ: Final = _READ_FILE | _READ_DIRECTORY
_WRITE: Final = _READ | _WRITE_FILE | _REMOVE_FILE | _REMOVE_DIRECTORY
_WRITE_ALL: Final = _WRITE | _MAKE_DIRECTORY | _MAKE_REGULAR | _TRUNCATE
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

# What the kernel of each version can be asked to refuse: all of it is.
_HANDLED: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_BIND_AND_CONNECT: Final = 0b11
_NETWORK_SINCE: Final = 4


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _number(name: str) -> int:
    architecture = system_calls.this_one()
    number = None if architecture is None else NUMBERS[name][architecture.column]
    if number is None:
        raise OSError(f"the number of {name} is not known here")
    return number


def version() -> int:
    """Return the version of Landlock that the kernel has; 0 when there is none."""
    try:
        return kernel.system_call(_number("landlock_create_ruleset"), None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(*, writable: Sequence[Path], readable: Sequence[Path]) -> None:
    """Refuse this thread, and those that it makes, all files but these, for ever.

    Args:
        writable: Directories in which files can be read, changed, made and removed; files
            that can be read and changed.
        readable: Directories and files that can be read.

    Raises:
        OSError: The kernel has no Landlock, or a path does not exist.
    """
    known = version()
    handled = _HANDLED.get(known, _HANDLED[3] if known else 0)
    network = _BIND_AND_CONNECT if known >= _NETWORK_SINCE else 0
    attributes = (ctypes.c_uint64 * 2)(handled, network)
    size = 16 if network else 8
    create = _number("landlock_create_ruleset")
    rules = kernel.system_call(create, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    try:
        for path in writable:
            _allow(rules, path, (_WRITE_ALL | _REFER) & handled)
        for path in readable:
            _allow(rules, path, _READ & handled)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.system_call(_number("landlock_restrict_self"), rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights if path.is_dir() else rights & _OF_FILES
        rule = _PathRule(allowed, parent)
        add = _number("landlock_add_rule")
        kernel.system_call(add, rules, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)
