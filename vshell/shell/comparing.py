"""Which lines differ, as GNU `diff` decides it.

Myers' algorithm from both ends at once ("An O(ND) Difference Algorithm and Its
Variations", 1986, section 4b), so that the script is the shortest there is; changes that
can stand in several places are then settled as GNU and git settle them. When the texts
have very little in common, the bounded search of `text/linediff` takes over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from vshell.text.linediff import diff_sequences
from vshell.text.merge import settle_changes

_MOST_EDITS: Final = 1200
_MOST_WORK: Final = 6_000_000
_WHITE: Final = re.compile(rb"[ \t\n\v\f\r]+")
_TAB: Final = 8


class Change(NamedTuple):
    """Old lines that new ones take the place of; each range ends after its last line."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a difference; the options of `diff`, in its words."""

    ignore_case: bool = False
    ignore_all_space: bool = False
    ignore_space_change: bool = False
    ignore_trailing_space: bool = False
    ignore_tab_expansion: bool = False
    ignore_blank_lines: bool = False
    strip_trailing_cr: bool = False
    ignore_matching: tuple[Callable[[bytes], bool], ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether lines are the same only when their bytes are."""
        return not (
            self.ignore_case
            or self.ignore_all_space
            or self.ignore_space_change
            or self.ignore_trailing_space
            or self.ignore_tab_expansion
        )

    def key(self, line: bytes) -> bytes:
        """Return what two lines have in common that count as the same."""
        if self.ignore_all_space:
            line = _WHITE.sub(b"", line)
        elif self.ignore_space_change:
            line = _WHITE.sub(b" ", line).rstrip(b" ")
        else:
            if self.ignore_tab_expansion:
                line = line.expandtabs(_TAB)
            if self.ignore_trailing_space:
                line = line.rstrip(b" \t\n\v\f\r")
        return line.lower() if self.ignore_case else line

    def ignores(self, lines: Sequence[bytes]) -> bool:
        """Whether a change of these lines is none."""
        if not (self.ignore_blank_lines or self.ignore_matching):
            return False
        return all(self._is_trivial(line.removesuffix(b"\n")) for line in lines)

    def _is_trivial(self, line: bytes) -> bool:
        if self.ignore_blank_lines:
            bare = self.key(line) if not self.is_exact else line
            if not bare.strip(b"\r" if self.strip_trailing_cr else b""):
                return True
        return any(matches(line) for matches in self.ignore_matching)


def compare(
    old: Sequence[bytes], new: Sequence[bytes], rules: Rules, *, context: int = 0
) -> list[Change]:
    """Return the changes that lead from the old lines to the new ones.

    Equal lines at both ends are set aside first, but for some: as in GNU's, how many
    lines of context are shown so has a say in where a change can stand.

    Args:
        old: The lines before.
        new: The lines after.
        rules: What counts as a difference.
        context: How many equal lines at the ends are looked at nevertheless.
    """
    least = min(len(old), len(new))
    before = next((at for at in range(least) if old[at] != new[at]), least)
    most = least - before
    after = next((at for at in range(most) if old[-1 - at] != new[-1 - at]), most)
    start, cut = max(0, before - context), max(0, after - context)
    found = _compare(old[start : len(old) - cut], new[start : len(new) - cut], rules)
    return [Change(*(at + start for at in each)) for each in found]


def _compare(old: Sequence[bytes], new: Sequence[bytes], rules: Rules) -> list[Change]:
    old_keys: Sequence[Hashable] = old
    new_keys: Sequence[Hashable] = new
    if not rules.is_exact:
        old_keys, new_keys = [*map(rules.key, old)], [*map(rules.key, new)]
    kept = _Search(old_keys, new_keys).run()
    found = settle_changes(old_keys, new_keys, [a for a, _ in kept], [b for _, b in kept])
    return [Change(*each) for each in found]


class _Search:
    """Finds the lines that two sequences have in common."""

    def __init__(self, old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
        in_both = set(old) & set(new)
        self._old_at = [place for place, line in enumerate(old) if line in in_both]
        self._new_at = [place for place, line in enumerate(new) if line in in_both]
        numbers = {line: number for number, line in enumerate(in_both)}
        self._old = [numbers[old[place]] for place in self._old_at]
        self._new = [numbers[new[place]] for place in self._new_at]
        size = len(self._old) + len(self._new) + 3
        self._shift = len(self._new) + 1
        self._forward = [0] * size
        self._backward = [0] * size
        self._work = 0

    def run(self) -> list[tuple[int, int]]:
        """Return the pairs of lines that are kept, in order."""
        pairs: list[tuple[int, int]] = []
        pending = [(0, len(self._old), 0, len(self._new))]
        old, new = self._old, self._new
        while pending:
            x, x_end, y, y_end = pending.pop()
            while x < x_end and y < y_end and old[x] == new[y]:
                pairs.append((x, y))
                x, y = x + 1, y + 1
            while x < x_end and y < y_end and old[x_end - 1] == new[y_end - 1]:
                x_end, y_end = x_end - 1, y_end - 1
                pairs.append((x_end, y_end))
            if x == x_end or y == y_end:
                continue
            middle = self._middle(x, x_end, y, y_end)
            if middle is None:
                pairs += self._approximate(x, x_end, y, y_end)
                continue
            middle_x, middle_y = middle
            pending += [(middle_x, x_end, middle_y, y_end), (x, middle_x, y, middle_y)]
        pairs.sort()
        return [(self._old_at[x], self._new_at[y]) for x, y in pairs]

    def _approximate(self, x: int, x_end: int, y: int, y_end: int) -> list[tuple[int, int]]:
        return [
            (x + run.old_start + step, y + run.new_start + step)
            for run in diff_sequences(self._old[x:x_end], self._new[y:y_end])
            if run.tag == "equal"
            for step in range(run.old_end - run.old_start)
        ]

    def _middle(self, x: int, x_end: int, y: int, y_end: int) -> tuple[int, int] | None:
        """Return where the shortest way passes from the front half to the back half."""
        shift = self._shift
        forward, backward = self._forward, self._backward
        lowest, highest = x - y_end, x_end - y
        front, back = x - y, x_end - y_end
        low = high = front
        back_low = back_high = back
        odd = (front - back) & 1
        forward[front + shift], backward[back + shift] = x, x_end
        for _ in range(_MOST_EDITS):
            self._work += high - low + 2
            if self._work > _MOST_WORK:
                return None
            if low > lowest:
                low -= 1
                forward[low - 1 + shift] = -1
            else:
                low += 1
            if high < highest:
                high += 1
                forward[high + 1 + shift] = -1
            else:
                high -= 1
            found = self._ahead(low, high, x_end, y_end, (back_low, back_high) if odd else None)
            if found is not None:
                return found
            if back_low > lowest:
                back_low -= 1
                backward[back_low - 1 + shift] = x_end + 1
            else:
                back_low += 1
            if back_high < highest:
                back_high += 1
                backward[back_high + 1 + shift] = x_end + 1
            else:
                back_high -= 1
            found = self._behind(back_low, back_high, x, y, None if odd else (low, high))
            if found is not None:
                return found
        return None

    def _ahead(
        self, low: int, high: int, x_end: int, y_end: int, met: tuple[int, int] | None
    ) -> tuple[int, int] | None:
        old, new, shift, reached = self._old, self._new, self._shift, self._forward
        for diagonal in range(high, low - 1, -2):
            left, right = reached[diagonal - 1 + shift], reached[diagonal + 1 + shift]
            x = right if left < right else left + 1
            y = x - diagonal
            while x < x_end and y < y_end and old[x] == new[y]:
                x, y = x + 1, y + 1
            reached[diagonal + shift] = x
            if met and met[0] <= diagonal <= met[1] and self._backward[diagonal + shift] <= x:
                return x, y
        return None

    def _behind(
        self, low: int, high: int, x_start: int, y_start: int, met: tuple[int, int] | None
    ) -> tuple[int, int] | None:
        old, new, shift, reached = self._old, self._new, self._shift, self._backward
        for diagonal in range(high, low - 1, -2):
            left, right = reached[diagonal - 1 + shift], reached[diagonal + 1 + shift]
            x = left if left < right else right - 1
            y = x - diagonal
            while x > x_start and y > y_start and old[x - 1] == new[y - 1]:
                x, y = x - 1, y - 1
            reached[diagonal + shift] = x
            if met and met[0] <= diagonal <= met[1] and x <= self._forward[diagonal + shift]:
                return x, y
        return None
