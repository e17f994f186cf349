"""The names of files in patches: which of two counts, and what is not part of them."""

from __future__ import annotations

import re
from typing import Final

_EPOCH: Final = re.compile(
    rb"(?:1969-12-31|1970-01-01) (\d\d):(\d\d):00(?:\.0+)? ([+-])(\d\d):?(\d\d)"
)
DATE: Final = re.compile(rb" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d\d:?\d\d)?$")
PREFIXES: Final = frozenset(b"ab")
GIT_PREFIXES: Final = frozenset(b"abciow12")
NULL: Final = b"/dev/null"


def without_prefixes(old: bytes, new: bytes, letters: frozenset[int]) -> tuple[bytes, bytes]:
    old_has, new_has = has_prefix(old, letters), has_prefix(new, letters)
    if old == NULL:
        return old, new[2:] if new.startswith(b"b/") else new
    if new == NULL:
        return old[2:] if old.startswith(b"a/") else old, new
    if old_has and new_has and old[0] != new[0]:
        return old[2:], new[2:]
    if old_has and old[2:] == new:
        return new, new
    if new_has and new[2:] == old:
        return old, old
    return old, new


def has_prefix(name: bytes, letters: frozenset[int]) -> bool:
    return len(name) > 2 and name[1:2] == b"/" and name[0] in letters


def is_epoch(stamp: bytes) -> bool:
    match = _EPOCH.fullmatch(stamp)
    if not match:
        return False
    minutes = int(match[1]) * 60 + int(match[2]) - (24 * 60 if stamp[:4] == b"1969" else 0)
    zone = int(match[4]) * 60 + int(match[5])
    return minutes == (zone if match[3] == b"+" else -zone)
