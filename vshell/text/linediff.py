"""Differences between two sequences of lines: small patches at a bounded cost.

The search goes from cheap and certain to costly and approximate:

1. Equal lines at both ends are set aside.
2. Lines that occur once on each side are anchors (patience diff, Bram Cohen): the
   longest increasing run of them is kept, and the gaps between are solved alone.
3. A small gap without an anchor is solved exactly by diff-match-patch, with one
   character for each distinct line (Neil Fraser's "line mode").
4. In a large gap, runs of several lines can be unique where single lines are not:
   these are anchors too.
5. What is left is walked by Myers' greedy algorithm ("An O(ND) Difference Algorithm
   and Its Variations", 1986), a bounded number of edits at a time.

All bounds are counts of steps, never times, so that equal input gives equal output on
every machine. Nothing recurses: the gaps that are still to be solved lie on a list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import compress, count, repeat
from math import log
from operator import ne
from typing import Final, Literal, NamedTuple, TypeAlias, cast

__all__ = ["Run", "Tag", "diff_sequences", "myers_sequences"]

Tag: TypeAlias = Literal["equal", "delete", "insert"]

_Lines: TypeAlias = Sequence[Hashable]
_Pairs: TypeAlias = list[tuple[int, int]]
_Step: TypeAlias = tuple[bool | None, int, int, int]  # inserts?, then a block of equal lines
_Block: TypeAlias = tuple[int, int, int]  # first old line, first new line, how many are equal

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

_MOST_LETTERS: Final = 0x110000
"""How many distinct lines can each have a character of their own."""

_LONGEST_GRAM: Final = 64
"""Runs of lines longer than this are not tried as anchors."""


class Run(NamedTuple):
    """A stretch of lines that is in both sequences, or in one of them only.

    Attributes:
        tag: `"equal"`, `"delete"` (old lines only) or `"insert"` (new lines only).
        old_start: The first old line, counted from 0.
        old_end: The old line after the last; equal to `old_start` for an insertion.
        new_start: The first new line, counted from 0.
        new_end: The new line after the last; equal to `new_start` for a deletion.
    """

    tag: Tag
    old_start: int
    old_end: int
    new_start: int
    new_end: int


class _Part(NamedTuple):
    """Two stretches of lines still to be matched, and where each line comes from.

    The origins are ranges as long as no line was left out, and lists afterwards.
    """

    old: _Lines
    old_at: Sequence[int]
    new: _Lines
    new_at: Sequence[int]

    def cut(self, old_from: int, old_to: int, new_from: int, new_to: int) -> _Part:
        return _Part(
            self.old[old_from:old_to],
            self.old_at[old_from:old_to],
            self.new[new_from:new_to],
            self.new_at[new_from:new_to],
        )


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
    path = _walk(_maze(old, new, most_edits), 0, 0, most_edits)
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


def _runs(blocks: list[_Block], old_length: int, new_length: int) -> list[Run]:
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
        self._blocks: list[_Block] = []
        self._parts: list[_Part] = []
        self._cells_left = _TOTAL_CELLS
        self._scans_left = _SCANS_PER_LINE * lines + 10_000
        # A walk of n lines at e edits a time takes at most n * e / 2 steps.
        self._most_edits = min(512, max(12, 2 * _WALK_STEPS // (lines + 1)))

    def match(self, old: _Lines, new: _Lines) -> list[_Block]:
        self._parts.append(_Part(old, range(len(old)), new, range(len(new))))
        while self._parts:
            self._solve(self._parts.pop())
        self._blocks.sort()
        return self._blocks

    def _solve(self, part: _Part) -> None:
        part = self._trim(part)
        smaller = min(len(part.old), len(part.new))
        if not smaller:
            return
        self._scans_left -= len(part.old) + len(part.new)
        if smaller >= _TINY_LINES and self._scans_left > 0:
            anchors = _anchors(part.old, part.new)
            if anchors:
                self._split(part, anchors)
                return
        self._solve_without_anchor(part)

    def _solve_without_anchor(self, part: _Part) -> None:
        # A line that one side lacks is in no match, so leaving it out loses nothing.
        shared = set(part.old).intersection(part.new)
        if not shared:
            return
        whole = len(part.old) + len(part.new)
        part = self._trim(_numbered(part, shared))
        cells = len(part.old) * len(part.new)
        if not cells:
            return
        if cells <= min(_EXACT_CELLS, self._cells_left):
            self._cells_left -= cells
            self._take_all(part, _exact_blocks(_as_text(part.old), _as_text(part.new)))
        elif self._scans_left > 0 and len(part.old) + len(part.new) < whole:
            # What was trimmed off can have left single copies of other lines.
            self._parts.append(part)
        else:
            self._solve_repetitive(part, distinct=len(shared))

    def _solve_repetitive(self, part: _Part, *, distinct: int) -> None:
        old, new = part.old, part.new
        if self._scans_left > 0 and distinct <= _MOST_LETTERS:
            anchors = self._gram_anchors(_as_text(old), _as_text(new))
            if anchors:
                self._split(part, anchors)
                return
        self._scans_left -= 3 * (len(old) + len(new))
        blocks = _walk_blocks(old, new, self._most_edits)
        walked = sum(length for _, _, length in blocks)
        if 3 * walked < min(len(old), len(new)):
            by_rank = _pairs_by_rank(old, new)
            if len(by_rank) > walked and self._scans_left > 0:
                self._split(part, by_rank)
                return
            if len(by_rank) > walked:
                blocks = [(at_old, at_new, 1) for at_old, at_new in by_rank]
        self._take_all(part, blocks)

    def _gram_anchors(self, old: str, new: str) -> _Pairs:
        sameness = _sameness(Counter(old))
        length = _gram_length(len(old) + len(new), sameness)
        if length > min(len(old), len(new)):
            return []
        self._scans_left -= len(old) + len(new)
        return _anchors(_grams(old, length), _grams(new, length), lines=length, sameness=sameness)

    def _split(self, part: _Part, anchors: _Pairs) -> None:
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

    def _trim(self, part: _Part) -> _Part:
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

    def _take_all(self, part: _Part, blocks: list[_Block]) -> None:
        for block in blocks:
            self._take(part, *block)

    def _take(self, part: _Part, old: int, new: int, length: int) -> None:
        if length <= 0:
            return
        if isinstance(part.old_at, range) and isinstance(part.new_at, range):
            self._blocks.append((part.old_at[old], part.new_at[new], length))
        else:
            old_at, new_at = part.old_at[old : old + length], part.new_at[new : new + length]
            self._blocks.extend(zip(old_at, new_at, repeat(1)))


def _numbered(part: _Part, shared: set[Hashable]) -> _Part:
    """Keep the shared lines only, as small numbers, which compare and hash faster."""
    number = dict(zip(shared, count())).get
    old, new = [*map(number, part.old)], [*map(number, part.new)]
    old_at, new_at = part.old_at, part.new_at
    if None in old:
        old_at = [at for at, line in zip(old_at, old, strict=True) if line is not None]
        old = [line for line in old if line is not None]
    if None in new:
        new_at = [at for at, line in zip(new_at, new, strict=True) if line is not None]
        new = [line for line in new if line is not None]
    return _Part(old, old_at, new, new_at)


def _anchors(old: _Lines, new: _Lines, *, lines: int = 1, sameness: float | None = None) -> _Pairs:
    """Pair what occurs once on each side, as far as the order agrees.

    Args:
        old: Lines, or runs of lines.
        new: The same on the other side.
        lines: How many lines each of them stands for.
        sameness: The chance that two lines picked at random are equal; by default it is
            taken from `old`.
    """
    old_times, new_times = Counter(old), Counter(new)
    old_at, new_at = dict(zip(old, count())), dict(zip(new, count()))
    # A Counter lists lines by their first place, so the pairs ascend on the old side.
    pairs = [
        (old_at[line], new_at[line])
        for line, times in old_times.items()
        if times == 1 and new_times.get(line) == 1
    ]
    chain = _longest_increasing(pairs)
    smaller = min(len(old), len(new))
    if 2 * len(chain) >= len(pairs) and 2 * len(pairs) >= smaller:
        return chain
    # Anchors that are few or disagree can pull repeated lines out of step, and lose more
    # than they give: even unrelated sequences have about `expected` of their lines in order.
    expected = 2 / (1 + (_sameness(old_times) if sameness is None else sameness) ** -0.5)
    if len(chain) >= expected * smaller:
        return chain
    if lines == 1 and len(pairs) == len(old_times.keys() & new_times.keys()):
        return chain  # nothing repeats, so the chain is the best there is
    return _without_detours(chain, lines, 1 - expected, len(new) - len(old))


def _sameness(times: Counter[Hashable]) -> float:
    total = times.total()
    return sum(number * number for number in times.values()) / (total * total)


def _without_detours(chain: _Pairs, lines: int, worth: float, last_diagonal: int) -> _Pairs:
    """Drop stretches of anchors that are worth less than the way to their diagonal and back."""
    stretches: list[_Pairs] = []
    diagonals = [0]
    for pair in [*chain, None]:
        diagonal = last_diagonal if pair is None else pair[1] - pair[0]
        while stretches:
            before, here = diagonals[-2:]
            detour = abs(here - before) + abs(diagonal - here) - abs(diagonal - before)
            if detour <= worth * (len(stretches[-1]) + lines):
                break
            stretches.pop()
            diagonals.pop()
        if pair is None:
            break
        if stretches and diagonal == diagonals[-1]:
            stretches[-1].append(pair)
        else:
            stretches.append([pair])
            diagonals.append(diagonal)
    return [pair for stretch in stretches for pair in stretch]


def _pairs_by_rank(old: _Lines, new: _Lines) -> _Pairs:
    """Pair the n-th copy of each line with the n-th on the other side, where in order."""
    places = dict(zip(zip(new, _ranks(new), strict=True), count()))
    found = map(places.get, zip(old, _ranks(old), strict=True))
    return _longest_increasing([(at, place) for at, place in enumerate(found) if place is not None])


def _ranks(lines: _Lines) -> Iterator[int]:
    """Count, for each line, the copies of it that came before."""
    counters: defaultdict[Hashable, count[int]] = defaultdict(count)
    return map(next, map(counters.__getitem__, lines))


def _longest_increasing(pairs: _Pairs) -> _Pairs:
    """Keep the most pairs whose second numbers increase; the first ones do already."""
    seconds = [second for _, second in pairs]
    if seconds == sorted(seconds):
        return pairs
    if not seconds:
        return []
    # For each length, the run of that length with the least last number (patience sort).
    least: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, second in enumerate(seconds):
        place = len(least) if not least or second > least[-1] else bisect_left(least, second)
        before.append(ends[place - 1] if place else -1)
        if place == len(least):
            least.append(second)
            ends.append(index)
        else:
            least[place] = second
            ends[place] = index
    kept = []
    index = ends[-1]
    while index >= 0:
        kept.append(pairs[index])
        index = before[index]
    kept.reverse()
    return kept


def _as_text(numbers: _Lines) -> str:
    """Write each line's number as one character.

    The numbers run through the surrogates too: such text is compared, sliced and hashed,
    and never encoded.
    """
    return "".join(map(chr, cast("Sequence[int]", numbers)))


def _grams(text: str, length: int) -> list[str]:
    return [text[at : at + length] for at in range(len(text) - length + 1)]


def _gram_length(lines: int, sameness: float) -> int:
    """Say how many lines in a row it takes until two equal runs are no coincidence."""
    return min(_LONGEST_GRAM, round(2 * log(lines) / -log(sameness))) if sameness < 1 else lines


def _exact_blocks(old: str, new: str) -> list[_Block]:
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

    def steps(self) -> list[_Step]:
        """Trace the path back from its end, and return it from its start."""
        steps: list[_Step] = []
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


def _walk(maze: _Maze, start_old: int, start_new: int, most_edits: int) -> _Path:
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


def _walk_blocks(old: _Lines, new: _Lines, most_edits: int) -> list[_Block]:
    """Walk from end to end; give up early, with what there is, where nearly nothing matches."""
    maze = _maze(old, new, most_edits)
    blocks: list[_Block] = []
    at_old = at_new = equal = 0
    enough = (len(old) + len(new)) // 16
    while at_old < len(old) and at_new < len(new):
        path = _walk(maze, at_old, at_new, most_edits)
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


def _maze(old: _Lines, new: _Lines, most_edits: int) -> _Maze:
    beyond = most_edits + 2
    return _Maze(
        [*old, *repeat(object(), beyond)], [*new, *repeat(object(), beyond)], len(old), len(new)
    )
