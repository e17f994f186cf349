"""What the parts of the line diff hand each other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import count
from typing import Final, Literal, NamedTuple, TypeAlias

Tag: TypeAlias = Literal["equal", "delete", "insert"]

Lines: TypeAlias = Sequence[Hashable]
Pairs: TypeAlias = list[tuple[int, int]]
Step: TypeAlias = tuple[bool | None, int, int, int]  # inserts?, then a block of equal lines
Block: TypeAlias = tuple[int, int, int]  # first old line, first new line, how many are equal

MOST_LETTERS: Final = 0x110000
"""How many distinct lines can each have a character of their own."""


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


class Part(NamedTuple):
    """Two stretches of lines still to be matched, and where each line comes from.

    The origins are ranges as long as no line was left out, and lists afterwards.
    """

    old: Lines
    old_at: Sequence[int]
    new: Lines
    new_at: Sequence[int]

    def cut(self, old_from: int, old_to: int, new_from: int, new_to: int) -> Part:
        return Part(
            self.old[old_from:old_to],
            self.old_at[old_from:old_to],
            self.new[new_from:new_to],
            self.new_at[new_from:new_to],
        )


def numbered_part(part: Part, shared: set[Hashable]) -> Part:
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
    return Part(old, old_at, new, new_at)
