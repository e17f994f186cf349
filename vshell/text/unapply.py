"""Undoing a plain diff: the text before it, from the text after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vshell.errors import PatchContextError, PatchInvalidError

__all__ = ["undo_state_diff"]

_HEADER: Final = re.compile(
    r"@@ -([0-9]{1,9}),([0-9]{1,9}) \+([0-9]{1,9}),([0-9]{1,9}) @@", re.ASCII
)


def undo_state_diff(path: str, diff: str, new: str) -> str:
    """Return the text that `state_diff` compared with `new` to get `diff`.

    Args:
        path: The label that it was given.
        diff: What it returned.
        new: The text after.

    Raises:
        PatchInvalidError: That is no such diff.
        PatchContextError: The text is not the one that the diff leads to.
    """
    if not diff:
        return new
    labels = f"--- {path}\n+++ {path}\n"
    if not diff.startswith(labels):
        raise _invalid(path)
    hunks = diff[len(labels) :].split("\n")
    new_lines = new.split("\n")
    old_lines: list[str] = []
    done = 0
    for start, lines in _hunks(hunks, path):
        if start < done:
            raise _invalid(path)
        old_lines += new_lines[done:start]
        done = start
        for line in lines:
            if line[:1] not in (" ", "+", "-"):
                raise _invalid(path)
            if line[0] != "-":
                if new_lines[done : done + 1] != [line[1:]]:
                    raise _another_text(path)
                done += 1
            if line[0] != "+":
                old_lines.append(line[1:])
    return "\n".join(old_lines + new_lines[done:])


def _hunks(lines: list[str], path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield where each hunk begins in the new text, from 0, and its lines."""
    at = 0
    while at < len(lines):
        header = _HEADER.fullmatch(lines[at])
        if header is None:
            raise _invalid(path)
        old_count, start, new_count = int(header[2]), int(header[3]), int(header[4])
        at += 1
        first = at
        while (old_count or new_count) and at < len(lines):
            old_count -= lines[at][:1] != "+"
            new_count -= lines[at][:1] != "-"
            at += 1
        if old_count or new_count or start < 1:
            raise _invalid(path)
        yield start - 1, lines[first:at]


def _invalid(path: str) -> PatchInvalidError:
    return PatchInvalidError(f"the diff of {path} is damaged", path=path)


def _another_text(path: str) -> PatchContextError:
    return PatchContextError(f"the diff of {path} does not lead to this text", path=path)
