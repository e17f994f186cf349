"""Matches and the lines around them, each line once, as ripgrep prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vshell.ops.grep import GrepMatch


class ShownLine(NamedTuple):
    """A line of a result.

    Attributes:
        path: The file.
        number: The line's number, from 1.
        text: The line.
        is_match: Whether it matches, or stands around one that does.
        follows: Whether it comes right after the line before it in the result.
    """

    path: str
    number: int
    text: str
    is_match: bool
    follows: bool


def shown_lines(matches: Iterable[GrepMatch]) -> Iterator[ShownLine]:
    """Yield the lines of matches and their context, in order and without repetition."""
    found = list(matches)
    hits = {
        (match.path, match.line + offset)
        for match in found
        for offset in range(match.text.count("\n") + 1)
    }
    last = ("", 0)
    for match in found:
        block = [*match.before, *match.text.split("\n"), *match.after]
        for number, line in enumerate(block, match.line - len(match.before)):
            if last[0] == match.path and number <= last[1]:
                continue
            follows = last == (match.path, number - 1)
            yield ShownLine(match.path, number, line, (match.path, number) in hits, follows)
            last = (match.path, number)
