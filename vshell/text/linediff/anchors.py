"""Lines, and runs of lines, that are once on each side: what a diff holds on to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import count
from math import log
from typing import Final, cast

from vshell.text.linediff.shapes import Lines, Pairs

_LONGEST_GRAM: Final = 64
"""Runs of lines longer than this are not tried as anchors."""


def unique_anchors(
    old: Lines, new: Lines, *, lines: int = 1, sameness: float | None = None
) -> Pairs:
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
    expected = 2 / (1 + (sameness_of(old_times) if sameness is None else sameness) ** -0.5)
    if len(chain) >= expected * smaller:
        return chain
    if lines == 1 and len(pairs) == len(old_times.keys() & new_times.keys()):
        return chain  # nothing repeats, so the chain is the best there is
    return _without_detours(chain, lines, 1 - expected, len(new) - len(old))


def sameness_of(times: Counter[Hashable]) -> float:
    total = times.total()
    return sum(number * number for number in times.values()) / (total * total)


def _without_detours(chain: Pairs, lines: int, worth: float, last_diagonal: int) -> Pairs:
    """Drop stretches of anchors that are worth less than the way to their diagonal and back."""
    stretches: list[Pairs] = []
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


def pairs_by_rank(old: Lines, new: Lines) -> Pairs:
    """Pair the n-th copy of each line with the n-th on the other side, where in order."""
    places = dict(zip(zip(new, _ranks(new), strict=True), count()))
    found = map(places.get, zip(old, _ranks(old), strict=True))
    return _longest_increasing([(at, place) for at, place in enumerate(found) if place is not None])


def _ranks(lines: Lines) -> Iterator[int]:
    """Count, for each line, the copies of it that came before."""
    counters: defaultdict[Hashable, count[int]] = defaultdict(count)
    return map(next, map(counters.__getitem__, lines))


def _longest_increasing(pairs: Pairs) -> Pairs:
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


def as_letters(numbers: Lines) -> str:
    """Write each line's number as one character.

    The numbers run through the surrogates too: such text is compared, sliced and hashed,
    and never encoded.
    """
    return "".join(map(chr, cast("Sequence[int]", numbers)))


def grams_of(text: str, length: int) -> list[str]:
    return [text[at : at + length] for at in range(len(text) - length + 1)]


def length_of_grams(lines: int, sameness: float) -> int:
    """Say how many lines in a row it takes until two equal runs are no coincidence."""
    return min(_LONGEST_GRAM, round(2 * log(lines) / -log(sameness))) if sameness < 1 else lines
