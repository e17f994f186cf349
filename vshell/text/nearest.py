"""The lines of a text that are most like a text that is not in it.

For the hint of an error only, so it is bounded before it is thorough: however
long the text and the text that was looked for, a fixed number of lines is
compared. They come from the start of the text and from wherever a line or a
word of the wanted text occurs literally.

Two lines are compared by Dice's coefficient (1945) of their pairs of adjacent
characters, runs of white space taken as one space: twice the pairs in common,
over all pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = ["NearLine", "nearest_lines"]

LINE_CHARACTERS: Final = 200
"""Longer lines are compared, and shown, up to here."""

_WANTED_CHARACTERS: Final = 8192
_WANTED_LINES: Final = 40
_SCANNED_BYTES: Final = 256 * 1024
_SCANNED_LINES: Final = 4000
_PROBES: Final = 8
_HITS_PER_PROBE: Final = 32
_LONGEST_LINE_BYTES: Final = 64 * 1024
_BLOCKS: Final = 48
_LEAST_LIKENESS: Final = 0.4

_Pair = tuple[int, str, str]
"""Where a line begins, the line, and the line that was wanted there."""


@dataclass(frozen=True, slots=True)
class NearLine:
    """A line of the text that is like a line of the text looked for.

    Attributes:
        line: Its number, from 1.
        text: The line without its ending; cut, and then ending in `…`, after 200 characters.
        expected: The line that was looked for, cut likewise.
    """

    line: int
    text: str
    expected: str

    def as_dict(self) -> dict[str, int | str]:
        """Return the line as JSON-ready data."""
        return {"line": self.line, "text": self.text, "expected": self.expected}


@dataclass(frozen=True, slots=True)
class _Candidate:
    likeness: float
    start: int


def nearest_lines(data: bytes, wanted: str, *, limit: int = 3) -> list[NearLine]:
    """Return where a text comes nearest to another that is not in it.

    The likest places for the longest line that was wanted are found first. Of
    each place, the first line that differs from what was wanted there is
    returned, since that is what keeps the texts from matching.

    Args:
        data: The text, in UTF-8 where it can be decoded.
        wanted: What was looked for, of one line or many.
        limit: How many lines to return at most.

    Returns:
        The nearest lines, the nearest first; empty if none is like it at all.
    """
    lines = [_shown(line) for line in _first_lines(wanted)]
    key = max(range(len(lines)), key=lambda at: len(lines[at].strip()), default=0)
    if not lines or not lines[key].strip():
        return []
    found = _candidates(data, _words(lines[key]), _starts(data, lines, key))
    blocks = [_block(data, candidate.start, lines, key) for candidate in found[:_BLOCKS]]
    blocks.sort(key=_block_likeness, reverse=True)
    differing = {start: (text, expected) for start, text, expected in map(_difference, blocks)}
    return [
        NearLine(data.count(b"\n", 0, start) + 1, text, expected)
        for start, (text, expected) in list(differing.items())[:limit]
    ]


def _first_lines(wanted: str) -> list[str]:
    # Lone surrogates, which stand for undecodable bytes, have no place in a message.
    text = wanted[:_WANTED_CHARACTERS].encode("utf-8", "replace").decode()
    return text.replace("\r\n", "\n").split("\n")[:_WANTED_LINES]


def _shown(line: str) -> str:
    return line if len(line) <= LINE_CHARACTERS else line[:LINE_CHARACTERS] + "…"


def _starts(data: bytes, lines: Sequence[str], key: int) -> set[int]:
    """Return the offsets of the lines worth comparing with the key line."""
    starts = set(_line_starts_of_head(data))
    if len(data) > _SCANNED_BYTES:
        words = sorted(set(re.findall(r"\w{3,}", lines[key])), key=len, reverse=True)
        for probe in [lines[key].strip(" \t…"), *words][:_PROBES]:
            starts.update(_line_start(data, hit) for hit in _hits(data, probe))
    return starts


def _line_starts_of_head(data: bytes) -> Iterator[int]:
    start = 0
    for _ in range(_SCANNED_LINES):
        yield start
        start = data.find(b"\n", start, _SCANNED_BYTES) + 1
        if not start:
            return


def _hits(data: bytes, probe: str) -> Iterator[int]:
    """Yield the first places of the probe, one of each line."""
    needle = probe.encode()
    at = 0
    for _ in range(_HITS_PER_PROBE):
        hit = data.find(needle, at)
        if hit < 0:
            return
        yield hit
        at = data.find(b"\n", hit) + 1
        if not at:
            return


def _line_start(data: bytes, offset: int) -> int:
    """Return where the line begins, or `offset` itself if that is too far to look."""
    reach = max(0, offset - _LONGEST_LINE_BYTES)
    start = data.rfind(b"\n", reach, offset) + 1
    return start or (offset if reach else 0)


def _line_at(data: bytes, start: int) -> str:
    # Four bytes a character at most, and one character more shows that the line goes on.
    cut = data[start : start + 4 * (LINE_CHARACTERS + 1)]
    line = cut.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "replace")
    return _shown(line.removeprefix("\ufeff") if not start else line)


def _candidates(data: bytes, key: str, starts: set[int]) -> list[_Candidate]:
    """Return the lines that are like the key line, the likest first."""
    pairs = _pairs(key)
    scored = (_Candidate(_likeness(key, pairs, _line_at(data, at)), at) for at in starts)
    like = [candidate for candidate in scored if candidate.likeness >= _LEAST_LIKENESS]
    return sorted(like, key=lambda candidate: (-candidate.likeness, candidate.start))


def _words(line: str) -> str:
    """Return the line with single spaces, since most mismatches are in white space."""
    return " ".join(line.split())


def _pairs(line: str) -> set[str]:
    return {first + second for first, second in pairwise(line)}


def _likeness(key: str, pairs: set[str], line: str) -> float:
    words = _words(line)
    if words == key:
        return 1.0
    others = _pairs(words)
    return 2 * len(pairs & others) / (len(pairs) + len(others)) if pairs and others else 0.0


def _block(data: bytes, start: int, lines: Sequence[str], key: int) -> list[_Pair]:
    """Return the wanted lines beside those of the text, the key line at `start` foremost."""
    first = start
    above = 0
    while above < key and first:
        first = _line_start(data, first - 1)
        above += 1
    block: list[_Pair] = []
    for wanted in lines[key - above :]:
        block.append((first, _line_at(data, first), wanted))
        first = data.find(b"\n", first, first + _LONGEST_LINE_BYTES) + 1
        if not first:
            break
    return [(start, _line_at(data, start), lines[key]), *block]


def _block_likeness(block: Sequence[_Pair]) -> float:
    return sum(_line_likeness(_words(text), _words(wanted)) for _, text, wanted in block)


def _line_likeness(text: str, wanted: str) -> float:
    """Compare as `_likeness` does, but count a pair as often as it occurs."""
    if text == wanted:
        return float(bool(text))
    pairs, others = Counter(pairwise(wanted)), Counter(pairwise(text))
    total = pairs.total() + others.total()
    return 2 * (pairs & others).total() / total if total else 0.0


def _difference(block: Sequence[_Pair]) -> _Pair:
    """Return the first line that differs; the key line if none does."""
    key, *pairs = block
    last = len(pairs) - 1
    for at, pair in enumerate(pairs):
        _, text, wanted = pair
        # The wanted text may begin and end within a line.
        if text != wanted and not (at in {0, last} and wanted in text):
            return pair
    return key
