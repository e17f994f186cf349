"""Permission bits as `chmod`, `mkdir -m` and `find -perm` read them: octal or symbolic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

UMASK: Final = 0o022
"""What is taken from new files: a workspace has one user, and this is the usual one."""


def umask_of(files: object) -> int:
    """Return what is taken from new files here: a shell's are told by `umask`."""
    umask = getattr(files, "umask", UMASK)
    assert isinstance(umask, int)
    return umask


_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]|[0-7]+))+)")
_ACTION: Final = re.compile(r"([-+=])([ugo]|[0-7]+|[rwxXst]*)")
_SHIFTS: Final = {"u": 6, "g": 3, "o": 0}
_SPECIAL: Final = 0o6000


@dataclass(frozen=True, slots=True)
class _Change:
    """One `WHO OP WHAT`.

    Attributes:
        operator: `+`, `-` or `=`.
        who: The letters of those whose bits change; empty for all that the umask leaves.
        what: The letters, or the one class that is copied.
        bits: The bits of an octal number after an operator; None for letters.
    """

    operator: str
    who: str
    what: str
    bits: int | None = None


class Mode:
    """A mode as it was typed, to be applied to what a file has.

    Raises:
        ValueError: The text is no mode.
    """

    def __init__(self, text: str) -> None:
        self._octal: int | None = None
        self._digits = 0
        self._changes: list[_Change] = []
        if re.fullmatch(r"[0-7]{1,}", text):
            self._octal = int(text, 8)
            self._digits = len(text)
            if self._octal > 0o7777:
                raise ValueError(text)
            return
        for clause in text.split(","):
            found = _CLAUSE.fullmatch(clause)
            if found is None:
                raise ValueError(text)
            for operator, what in _ACTION.findall(found[2]):
                self._changes.append(_change(operator, found[1], what, text))

    def apply(self, mode: int, *, is_directory: bool, umask: int = UMASK) -> int:
        """Return the bits that a file with these bits gets."""
        if self._octal is not None:
            # A number of up to four digits leaves a directory's set-ID bits as they are.
            kept = mode & _SPECIAL if is_directory and self._digits < 5 else 0
            return self._octal | kept
        for change in self._changes:
            mode = _applied(change, mode, is_directory, umask)
        return mode

    @property
    def is_octal(self) -> bool:
        return self._octal is not None

    def masked_out(self, mode: int, *, is_directory: bool) -> bool:
        """Whether the umask took something that was asked for, as in `chmod -w`."""
        if self._octal is not None:
            return False
        return self.apply(mode, is_directory=is_directory) != self.apply(
            mode, is_directory=is_directory, umask=0
        )


def _change(operator: str, who: str, what: str, text: str) -> _Change:
    if what and what[0].isdigit():
        bits = int(what, 8)
        if who or bits > 0o7777:
            raise ValueError(text)
        return _Change(operator, "a", "", bits)
    return _Change(operator, who, what)


def _applied(change: _Change, mode: int, is_directory: bool, umask: int) -> int:
    if change.bits is not None:
        bits, affected = change.bits, 0o7777
    else:
        bits = _wanted(change, mode, is_directory)
        affected = _affected(change.who)
        bits &= affected
        if not change.who:
            bits &= ~umask
    if change.operator == "+":
        return mode | bits
    if change.operator == "-":
        return mode & ~bits
    kept = mode & ~affected
    if is_directory and change.bits is None:
        kept |= mode & _SPECIAL & ~(0o7000 if "s" in change.what else 0)
    return kept | bits


def _affected(who: str) -> int:
    if not who or "a" in who:
        return 0o7777
    special = {"u": 0o4000, "g": 0o2000, "o": 0o1000}
    return sum((0o7 << _SHIFTS[letter]) | special[letter] for letter in set(who))


def _wanted(change: _Change, mode: int, is_directory: bool) -> int:
    what = change.what
    if what in ("u", "g", "o") and what:
        return (mode >> _SHIFTS[what] & 0o7) * 0o111
    bits = 0
    for letter in what:
        if letter == "X":
            bits |= 0o111 if is_directory or mode & 0o111 else 0
        elif letter == "s":
            bits |= _SPECIAL
        elif letter == "t":
            bits |= 0o1000
        else:
            bits |= {"r": 0o444, "w": 0o222, "x": 0o111}[letter]
    return bits
