"""The line diff: which way of searching is tried where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import compress, count, repeat
from operator import ne
from typing import Final

from vshell.text.linediff.anchors import (
    as_letters,
    grams_of,
    length_of_grams,
    pairs_by_rank,
    sameness_of,
    unique_anchors,
)
from vshell.text.linediff.shapes import MOST_LETTERS, Block, Lines, Pairs, Part, Run, numbered_part
from vshell.text.linediff.walking import exact_blocks, maze_of, walk_blocks, walk_edits

_TINY_LINES: Final = 6
"""Below this many lines on one side, anchors save nothing over the exact search."""

_EXACT_CELLS: Final = 40_000
"""The largest gap (old lines x new lines) for the exact search: at worst 30 ms."""

_TOTAL_CELLS: Final = 300_000
"""What all exact searches of one diff may add up to: at worst a quarter of a second."""

_SCANS_PER_LINE: Final = 3
"""How often a line may be looked at for anchors, on average, before the walk takes over."""

_WALK_STEPS: Final = 1_500_000
"""The walk's steps over everything; measured at 0.2 microseconds each."""


def diff_sequences(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Run]:
    """Compare two sequences of lines.

    The patch is about as small as git's. It is not always the smallest: a bound on the
    work (see the module) keeps two files of 100,000 lines each under a second, whatever
    they hold.

    Args:
        old: The lines before; anything hashable, compared with `==`.
        new: The lines after.

    Returns:
        Runs that cover both sequences in order. Neighbours have different tags, and a
        deletion stands before the insertion at the same place. Empty when both are.
    """
    blocks = _Matcher(len(old) + len(new)).match([*old], [*new])
    return _runs(blocks, len(old), len(new))


def myers_sequences(
    old: Sequence[Hashable], new: Sequence[Hashable], *, max_edits: int
) -> list[Run] | None:
    """Compare two sequences by Myers' greedy algorithm in its textbook form.

    The number of edits is the least possible, and among equally short scripts the choice
    is the textbook's: dialects that were defined by such an implementation need the very
    same one. Time and memory grow with the square of the number of edits.

    Args:
        old: The lines before.
        new: The lines after.
        max_edits: Give up beyond this many deleted and inserted lines.

    Returns:
        Runs in the order of the edits, so that deletions and insertions can alternate
        at one place; None when more than `max_edits` edits are needed.
    """
    most_edits = min(max_edits, len(old) + len(new))
    path = walk_edits(maze_of(old, new, most_edits), 0, 0, most_edits)
    if not path.complete:
        return None
    runs: list[Run] = []
    for inserts, at_old, at_new, equal in path.steps():
        if inserts:
            _extend(runs, Run("insert", at_old, at_old, at_new - 1, at_new))
        elif inserts is not None:
            _extend(runs, Run("delete", at_old - 1, at_old, at_new, at_new))
        if equal:
            _extend(runs, Run("equal", at_old, at_old + equal, at_new, at_new + equal))
    return runs


def _extend(runs: list[Run], run: Run) -> None:
    if runs and runs[-1].tag == run.tag:
        last = runs[-1]
        runs[-1] = Run(last.tag, last.old_start, run.old_end, last.new_start, run.new_end)
    else:
        runs.append(run)


def _runs(blocks: list[Block], old_length: int, new_length: int) -> list[Run]:
    runs: list[Run] = []
    old_at = new_at = 0
    blocks.append((old_length, new_length, 0))
    for old, new, length in blocks:
        if old > old_at:
            runs.append(Run("delete", old_at, old, new_at, new_at))
        if new > new_at:
            runs.append(Run("insert", old, old, new_at, new))
        old_at, new_at = old + length, new + length
        if length:
            _extend(runs, Run("equal", old, old_at, new, new_at))
    return runs


class _Matcher:
    """Finds blocks of equal lines; holds the budgets that bound the search."""

    __slots__ = ("_blocks", "_cells_left", "_most_edits", "_parts", "_scans_left")

    def __init__(self, lines: int) -> None:
        self._blocks: list[Block] = []
        self._parts: list[Part] = []
        self._cells_left = _TOTAL_CELLS
        self._scans_left = _SCANS_PER_LINE * lines + 10_000
        # A walk of n lines at e edits a time takes at most n * e / 2 steps.
        self._most_edits = min(512, max(12, 2 * _WALK_STEPS // (lines + 1)))

    def match(self, old: Lines, new: Lines) -> list[Block]:
        self._parts.append(Part(old, range(len(old)), new, range(len(new))))
        while self._parts:
            self._solve(self._parts.pop())
        self._blocks.sort()
        return self._blocks

    def _solve(self, part: Part) -> None:
        part = self._trim(part)
        smaller = min(len(part.old), len(part.new))
        if not smaller:
            return
        self._scans_left -= len(part.old) + len(part.new)
        if smaller >= _TINY_LINES and self._scans_left > 0:
            anchors = unique_anchors(part.old, part.new)
            if anchors:
                self._split(part, anchors)
                return
        self._solve_without_anchor(part)

    def _solve_without_anchor(self, part: Part) -> None:
        # A line that one side lacks is in no match, so leaving it out loses nothing.
        shared = set(part.old).intersection(part.new)
        if not shared:
            return
        whole = len(part.old) + len(part.new)
        part = self._trim(numbered_part(part, shared))
        cells = len(part.old) * len(part.new)
        if not cells:
            return
        if cells <= min(_EXACT_CELLS, self._cells_left):
            self._cells_left -= cells
            self._take_all(part, exact_blocks(as_letters(part.old), as_letters(part.new)))
        elif self._scans_left > 0 and len(part.old) + len(part.new) < whole:
            # What was trimmed off can have left single copies of other lines.
            self._parts.append(part)
        else:
            self._solve_repetitive(part, distinct=len(shared))

    def _solve_repetitive(self, part: Part, *, distinct: int) -> None:
        old, new = part.old, part.new
        if self._scans_left > 0 and distinct <= MOST_LETTERS:
            anchors = self._gram_anchors(as_letters(old), as_letters(new))
            if anchors:
                self._split(part, anchors)
                return
        self._scans_left -= 3 * (len(old) + len(new))
        blocks = walk_blocks(old, new, self._most_edits)
        walked = sum(length for _, _, length in blocks)
        if 3 * walked < min(len(old), len(new)):
            by_rank = pairs_by_rank(old, new)
            if len(by_rank) > walked and self._scans_left > 0:
                self._split(part, by_rank)
                return
            if len(by_rank) > walked:
                blocks = [(at_old, at_new, 1) for at_old, at_new in by_rank]
        self._take_all(part, blocks)

    def _gram_anchors(self, old: str, new: str) -> Pairs:
        sameness = sameness_of(Counter(old))
        length = length_of_grams(len(old) + len(new), sameness)
        if length > min(len(old), len(new)):
            return []
        self._scans_left -= len(old) + len(new)
        return unique_anchors(
            grams_of(old, length), grams_of(new, length), lines=length, sameness=sameness
        )

    def _split(self, part: Part, anchors: Pairs) -> None:
        """Take the anchors as matches and leave the gaps between them for later."""
        start_old = start_new = end_old = end_new = 0
        for old, new in anchors:
            is_equal = old - end_old == new - end_new and (
                old == end_old or part.old[end_old:old] == part.new[end_new:new]
            )
            if not is_equal:
                self._take(part, start_old, start_new, end_old - start_old)
                if old > end_old and new > end_new:
                    self._parts.append(part.cut(end_old, old, end_new, new))
                start_old, start_new = old, new
            end_old, end_new = old + 1, new + 1
        self._take(part, start_old, start_new, end_old - start_old)
        if end_old < len(part.old) and end_new < len(part.new):
            self._parts.append(part.cut(end_old, len(part.old), end_new, len(part.new)))

    def _trim(self, part: Part) -> Part:
        old, new = part.old, part.new
        size = min(len(old), len(new))
        if not size:
            return part
        head = next(compress(count(), map(ne, old, new)), size) if old[0] == new[0] else 0
        tail = 0
        if head < size and old[-1] == new[-1]:
            tail = next(compress(count(), map(ne, reversed(old), reversed(new))), size)
            tail = min(tail, size - head)
        if not head and not tail:
            return part
        self._take(part, 0, 0, head)
        self._take(part, len(old) - tail, len(new) - tail, tail)
        return part.cut(head, len(old) - tail, head, len(new) - tail)

    def _take_all(self, part: Part, blocks: list[Block]) -> None:
        for block in blocks:
            self._take(part, *block)

    def _take(self, part: Part, old: int, new: int, length: int) -> None:
        if length <= 0:
            return
        if isinstance(part.old_at, range) and isinstance(part.new_at, range):
            self._blocks.append((part.old_at[old], part.new_at[new], length))
        else:
            old_at, new_at = part.old_at[old : old + length], part.new_at[new : new + length]
            self._blocks.extend(zip(old_at, new_at, repeat(1)))
