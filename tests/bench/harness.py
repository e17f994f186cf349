"""Measuring contenders side by side: interleaved, so that noise meets all of them alike.

They take turns in bursts of calls, not in single ones: after a call of another
contender the processor's caches hold that one's data, and what is measured is how
long it takes to get the own back.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Row:
    """One thing that was measured.

    Attributes:
        name: What was done.
        seconds: The median of each contender; the first is ours.
        target: What the ratio to the contender of that name should be at least.
    """

    name: str
    seconds: dict[str, float]
    target: Mapping[str, float] = field(default_factory=dict)


def interleave(
    name: str,
    contenders: Mapping[str, Callable[[int], object]],
    *,
    rounds: int,
    burst: int = 1,
    target: Mapping[str, float] | None = None,
) -> Row:
    """Call each contender with the numbers of all rounds, taking turns; return the medians."""
    times: dict[str, list[float]] = {contender: [] for contender in contenders}
    for first in range(0, rounds, burst):
        for contender, call in contenders.items():
            for number in range(first, min(first + burst, rounds)):
                start = time.perf_counter()
                call(number)
                times[contender].append(time.perf_counter() - start)
    medians = {contender: statistics.median(found) for contender, found in times.items()}
    return Row(name, medians, target or {})


def print_table(title: str, rows: list[Row]) -> None:
    """Print medians, and how many times as fast as each contender ours is."""
    contenders = list(dict.fromkeys(name for row in rows for name in row.seconds))
    ours, *others = contenders
    print(f"\n### {title}\n")
    print("| | " + " | ".join([ours, *(f"{other} (ratio)" for other in others), "target"]) + " |")
    print("|---" * (len(contenders) + 2) + "|")
    for row in rows:
        cells = [readable(row.seconds[ours]) if ours in row.seconds else ""]
        for other in others:
            found = row.seconds.get(other)
            cells.append("" if found is None else _cell(found, row.seconds.get(ours)))
        print(f"| {row.name} | " + " | ".join([*cells, _verdict(row, ours)]) + " |")


def readable(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _cell(theirs: float, ours: float | None) -> str:
    if ours is None:
        return readable(theirs)
    return f"{readable(theirs)} ({theirs / ours:.1f}x)"


def _verdict(row: Row, ours: str) -> str:
    verdicts = []
    for other, wanted in row.target.items():
        if other in row.seconds and ours in row.seconds:
            met = row.seconds[other] / row.seconds[ours] >= wanted
            verdicts.append(f"{wanted:g}x {other}: {'met' if met else 'missed'}")
    return ", ".join(verdicts)
