"""From places in a text to the lines that they are in, numbered, each line once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

from vshell.text.line_regex import Clause

__all__ = ["LineMatch", "line_match", "lines_at", "lines_with", "places_of", "time_left"]

_LONGEST_S: Final = 1e6
_LINES_PER_LOOK: Final = 64
"""How many lines are taken for each look at the clock, which takes as long as a line."""


class LineMatch(NamedTuple):
    """A line that matches; with `multiline`, the lines that a match touches.

    Attributes:
        line: The number of the first line, from 1.
        column: Where in it the first match begins, in characters from 1.
        start: Where the line begins in the text.
        end: Where the last line ends, without its newline.
    """

    line: int
    column: int
    start: int
    end: int


line_match: Final = partial(tuple.__new__, LineMatch)
"""Makes a match of its values, in a third of the time that `LineMatch(...)` takes."""


def lines_with(text: str, literal: str, deadline: float) -> Iterator[LineMatch]:
    """Yield the lines that hold a text."""
    size, number, counted, tries = len(text), 1, 0, 0
    find, rfind, count = text.find, text.rfind, text.count
    place = find(literal)
    while place >= 0:
        if not tries % _LINES_PER_LOOK:
            time_left(deadline)
        tries += 1
        start = rfind("\n", counted, place) + 1 or counted
        if start == size:
            return  # after the last newline
        number += count("\n", counted, start)
        counted = start
        end = find("\n", place)
        if end < 0:
            yield line_match((number, place - start + 1, start, size))
            return
        yield line_match((number, place - start + 1, start, end))
        place = find(literal, end + 1)


def lines_at(text: str, places: Iterator[int], deadline: float) -> Iterator[LineMatch]:
    """Yield the lines of ascending places, each line once."""
    size, number, counted, done, tries = len(text), 1, 0, -1, 0
    find, rfind, count = text.find, text.rfind, text.count
    for place in places:
        if place <= done:
            continue  # in the line that was found last
        if not tries % _LINES_PER_LOOK:
            time_left(deadline)
        tries += 1
        start = rfind("\n", counted, place) + 1 or counted
        if start == size:
            return  # after the last newline
        number += count("\n", counted, start)
        counted = start
        done = find("\n", place)
        if done < 0:
            done = size
        yield line_match((number, place - start + 1, start, done))


def places_of(text: str, literals: Clause) -> Iterator[int]:
    """Yield ascending places of any of the literals, one in each line that holds one."""
    pending = [(place, literal) for literal in literals if (place := text.find(literal)) >= 0]
    while pending:
        place, _ = min(pending)
        yield place
        end = text.find("\n", place)
        if end < 0:
            return
        pending = [
            (place if place > end else text.find(literal, end + 1), literal)
            for place, literal in pending
        ]
        pending = [each for each in pending if each[0] >= 0]


def time_left(deadline: float) -> float:
    """Return the seconds until a deadline, by `time.monotonic`.

    The `regex` module takes them as the processor time of the whole process: on a machine
    that does other work, or in a process that does, it stops later or earlier.

    Raises:
        TimeoutError: It is over.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, _LONGEST_S)
