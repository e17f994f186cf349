"""The order of names with numbers in them, as `ls -v` and `sort -V` have it.

Digits compare as numbers, `~` comes before the end of a name, letters before other
characters, and a suffix such as `.tar.gz` counts only when all else is equal: gnulib's
`filevercmp`.
"""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = re.compile(rb"(?:\.[A-Za-z~][A-Za-z0-9~]*)*\Z")
_RUN: Final = re.compile(rb"(\D*)(\d*)")
_END: Final = 0

Key = tuple[object, ...]


def version_key(name: bytes) -> Key:
    """Return what to sort names by."""
    if name in (b"", b".", b".."):
        return (0, name)
    suffix = _SUFFIX.search(name)
    stem = name[: suffix.start()] if suffix else name
    return (1 if name.startswith(b".") else 2, _runs(stem), _runs(name), name)


def _runs(text: bytes) -> tuple[object, ...]:
    """Return the runs of other characters and of digits; both as things that compare."""
    parts: list[object] = []
    for letters, digits in _RUN.findall(text):
        if letters or digits:
            parts += [(*map(_rank, letters), _END), int(digits or b"0")]
    return (*parts, (_END,))


def _rank(byte: int) -> int:
    if byte == ord("~"):
        return _END - 1
    if byte < 128 and chr(byte).isalpha():
        return byte
    return byte + 256
