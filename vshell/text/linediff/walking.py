"""Myers' walk, a bounded number of edits at a time, and the exact search of small gaps."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import repeat
from typing import NamedTuple

from vshell.text.linediff.shapes import Block, Lines, Step


def exact_blocks(old: str, new: str) -> list[Block]:
    from diff_match_patch import diff_match_patch

    differ = diff_match_patch()
    differ.Diff_Timeout = 0  # no clock: the caller bounds the size instead
    blocks = []
    old_at = new_at = 0
    for operation, text in differ.diff_main(old, new, False):
        length = len(text)
        if operation == differ.DIFF_EQUAL:
            blocks.append((old_at, new_at, length))
        if operation != differ.DIFF_INSERT:
            old_at += length
        if operation != differ.DIFF_DELETE:
            new_at += length
    return blocks


class _Path(NamedTuple):
    """A path through the edit graph, as the fronts that were reached with 0, 1, ... edits."""

    fronts: list[list[int]]
    start_old: int
    start_new: int
    end_old: int
    end_new: int
    complete: bool

    def steps(self) -> list[Step]:
        """Trace the path back from its end, and return it from its start."""
        steps: list[Step] = []
        old, new = self.end_old, self.end_new
        shift = self.start_old - self.start_new
        edits = len(self.fronts)
        while edits := edits - 1:
            front = self.fronts[edits]
            at = old - new - shift + edits + 1
            before_old = front[at + 1]
            inserts = front[at - 1] < before_old
            if inserts:
                equal = old - before_old
            else:
                before_old = front[at - 1]
                equal = old - before_old - 1
            steps.append((inserts, old - equal, new - equal, equal))
            new -= equal + inserts
            old = before_old
        steps.append((None, self.start_old, self.start_new, old - self.start_old))
        steps.reverse()
        return steps


def walk_edits(maze: _Maze, start_old: int, start_new: int, most_edits: int) -> _Path:
    """Follow Myers' furthest-reaching paths from one point for so many edits at most.

    The path ends at the end of both sequences, or else at the point inside them that lies
    furthest from the start.
    """
    old, new, old_length, new_length = maze
    # Unset places hold -1, which makes the outermost diagonals choose the only way there is.
    middle = most_edits + 1
    furthest = [-1] * (2 * middle + 1)
    furthest[middle + 1] = start_old
    shift = middle - start_old + start_new
    goal = old_length - new_length + shift
    fronts = []
    for edits in range(most_edits + 1):
        fronts.append(furthest[middle - edits - 1 : middle + edits + 2])
        for at in range(middle - edits, middle + edits + 1, 2):
            x = furthest[at + 1]
            if furthest[at - 1] >= x:
                x = furthest[at - 1] + 1
            y = x - at + shift
            while old[x] == new[y]:
                x += 1
                y += 1
            furthest[at] = x
            if at == goal and x >= old_length:
                return _Path(fronts, start_old, start_new, old_length, new_length, True)
    inside = [
        (2 * x - at, -abs(at - middle), x, x - at + shift)
        for at in range(1, 2 * middle, 2)
        if (x := furthest[at]) <= old_length and x - at + shift <= new_length
    ]
    _, _, x, y = max(inside)
    return _Path(fronts, start_old, start_new, x, y, False)


def walk_blocks(old: Lines, new: Lines, most_edits: int) -> list[Block]:
    """Walk from end to end; give up early, with what there is, where nearly nothing matches."""
    maze = maze_of(old, new, most_edits)
    blocks: list[Block] = []
    at_old = at_new = equal = 0
    enough = (len(old) + len(new)) // 16
    while at_old < len(old) and at_new < len(new):
        path = walk_edits(maze, at_old, at_new, most_edits)
        found = [(old_at, new_at, length) for _, old_at, new_at, length in path.steps() if length]
        equal += sum(length for _, _, length in found)
        blocks += found
        at_old, at_new = path.end_old, path.end_new
        if at_old + at_new > enough and 100 * equal < at_old + at_new:
            break
    return blocks


class _Maze(NamedTuple):
    """The sequences of a walk, each with places past its end that equal nothing."""

    old: list[Hashable]
    new: list[Hashable]
    old_length: int
    new_length: int


def maze_of(old: Lines, new: Lines, most_edits: int) -> _Maze:
    beyond = most_edits + 2
    return _Maze(
        [*old, *repeat(object(), beyond)], [*new, *repeat(object(), beyond)], len(old), len(new)
    )
