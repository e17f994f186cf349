"""Apply the hunks of a patch to a file's content, as GNU patch does.

A hunk is looked for where its header says, shifted by what the hunks before it were off,
then ever further away, below before above. If that fails, up to `fuzz` lines of context
are left out of the comparison at the ends: at both ends where the context is balanced, at
the longer one first where it is not. A hunk with less context at one end than at the other
was at that end of the file, and must be there again. (GNU patch 2.7, `patch.c`.)

Three things are stricter than in GNU patch, because nobody looks over the result:

- Where fuzz would leave nothing of the old text to compare, the hunk fails.
- Lines to insert without any context must have their place inside the file.
- A hunk whose place is not known (`old_start` 0) must match at exactly one place.

One is more lenient: where all lines of the patch end in LF and the file has CR LF, or the
other way round, lines match if they differ in their ending only, and what is inserted gets
the ending that most lines of the file have. This is tried only after the exact comparison.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any, Final

from vshell.errors import PatchContextError, RangeError
from vshell.text.unified import Hunk, split_lines

__all__ = ["Applied", "HunkPlace", "apply_hunks"]

_MAX_WORK: Final = 2_000_000
"""How many line comparisons a search may add up to; a patch that is only off takes few."""

_SHOWN_LINES: Final = 20
"""How many lines an error quotes of the hunk and of the file."""

_SHOWN_CHARACTERS: Final = 200
"""How much an error quotes of one line."""

_VOTERS: Final = 400
"""How many lines of a hunk are looked for to find the region most like it."""

_VOTES_PER_LINE: Final = 50
"""How many copies of each of them are looked at, the nearest ones."""

_MAX_CHOICES: Final = 5
"""How many places an error names where a hunk without line numbers matches."""


@dataclass(frozen=True, slots=True)
class HunkPlace:
    """Where a hunk was applied.

    Attributes:
        line: The first line of the hunk in the result, counted from 1.
        offset: How many lines below its header's number it was found (above: negative).
        fuzz: How many lines of context were left out of the comparison at an end.
    """

    line: int
    offset: int
    fuzz: int


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a patch to one file.

    Attributes:
        data: The new content.
        places: Where each hunk was applied.
        endings_adapted: Whether patch and file differed in their line endings.
    """

    data: bytes
    places: tuple[HunkPlace, ...]
    endings_adapted: bool = False


def apply_hunks(data: bytes, hunks: Sequence[Hunk[bytes]], *, fuzz: int = 2, path: str) -> Applied:
    """Apply hunks to a file's content: all of them, or none.

    Args:
        data: The content before; empty for a file that the patch creates.
        hunks: The changes, in the order of the file.
        fuzz: How many lines of context may be ignored at each end of a hunk.
        path: The file, for messages.

    Returns:
        The content after, and where each hunk went.

    Raises:
        PatchContextError: A hunk's old lines are not in the file, or at several places
            while the patch does not say which. `data` has `hunk` (counted from 1), `line`
            (where it was expected), `expected` (its old lines), and `near`: the lines of
            the file that are most like them, as `{"line", "text"}`.
        RangeError: `fuzz` is negative.
    """
    if fuzz < 0:
        raise RangeError(f"fuzz is {fuzz}; it cannot be negative", path=path)
    lines = split_lines(data)
    try:
        return _Patcher(lines, lines, path).apply(hunks, fuzz)
    except PatchContextError:
        if not _endings_differ(lines, hunks):
            raise
    ending = b"\r\n" if 2 * data.count(b"\r\n") >= data.count(b"\n") else b"\n"
    adapted = [_with_ending(hunk, b"\n") for hunk in hunks]
    plain = [_line_with_ending(line, b"\n") for line in lines]
    return _Patcher(lines, plain, path, ending).apply(adapted, fuzz)


def _endings_differ(lines: list[bytes], hunks: Sequence[Hunk[bytes]]) -> bool:
    """Say whether all lines of the patch end alike, and lines of the file otherwise."""
    in_patch = {_ending(line) for hunk in hunks for _, line in hunk.lines} - {b""}
    in_file = {_ending(line) for line in lines} - {b""}
    return len(in_patch) == 1 and bool(in_file - in_patch)


def _ending(line: bytes) -> bytes:
    if line.endswith(b"\r\n"):
        return b"\r\n"
    return b"\n" if line.endswith(b"\n") else b""


def _with_ending(hunk: Hunk[bytes], ending: bytes) -> Hunk[bytes]:
    lines = tuple((tag, _line_with_ending(line, ending)) for tag, line in hunk.lines)
    return Hunk(hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count, lines)


def _line_with_ending(line: bytes, ending: bytes) -> bytes:
    has = _ending(line)
    return line[: -len(has)] + ending if has else line


class _Old:
    """The old side of a hunk: what has to be found in the file."""

    __slots__ = ("after", "before", "first", "lines", "number")

    def __init__(self, hunk: Hunk[bytes], number: int) -> None:
        self.number = number
        self.lines = [line for tag, line in hunk.lines if tag != "+"]
        changed = [at for at, (tag, _) in enumerate(hunk.lines) if tag != " "]
        self.before = changed[0] if changed else len(hunk.lines)
        self.after = len(hunk.lines) - 1 - changed[-1] if changed else len(hunk.lines)
        # Of an empty range, the header names the line before.
        self.first = hunk.old_start + (not self.lines)

    @property
    def context(self) -> int:
        return max(self.before, self.after)


class _Patcher:
    """Applies hunks to one file. Line numbers count from 1 here, as they do in patches."""

    def __init__(
        self, lines: list[bytes], keys: list[bytes], path: str, ending: bytes | None = None
    ) -> None:
        self._lines = lines
        self._keys = keys  # what is compared; the lines are what is copied
        self._path = path
        self._ending = ending
        self._result: list[bytes] = []
        self._done = 0  # so many lines of the file are in the result or deleted
        self._offset = 0
        self._work_left = _MAX_WORK
        self._index: dict[bytes, list[int]] = {}

    def apply(self, hunks: Sequence[Hunk[bytes]], fuzz: int) -> Applied:
        places = []
        for number, hunk in enumerate(hunks, 1):
            old = _Old(hunk, number)
            where, used = self._find(old, hunk, fuzz)
            growth = len(self._result) - self._done
            offset = where - old.first if old.first else 0
            places.append(HunkPlace(where + growth, offset, used))
            self._change(hunk, where)
        self._result += self._lines[self._done :]
        return Applied(b"".join(self._closed()), tuple(places), self._ending is not None)

    def _change(self, hunk: Hunk[bytes], where: int) -> None:
        at = where - 1
        for tag, line in hunk.lines:
            if tag == " ":
                at += 1
                continue
            self._result += self._lines[self._done : at]
            if tag == "-":
                at += 1
            elif self._ending:
                self._result.append(_line_with_ending(line, self._ending))
            else:
                self._result.append(line)
            self._done = at

    def _closed(self) -> Iterator[bytes]:
        """Give a line without newline one, if fuzz let it end up before others."""
        last = len(self._result) - 1
        for at, line in enumerate(self._result):
            yield line if at == last or line.endswith(b"\n") else line + b"\n"

    # Search

    def _find(self, old: _Old, hunk: Hunk[bytes], fuzz: int) -> tuple[int, int]:
        if hunk.old_start == 0 and old.lines:
            return self._find_only(old, hunk), 0
        if not old.lines:
            where = old.first + self._offset
            if not self._done < where <= len(self._lines) + 1:
                raise self._failure(
                    old, hunk, f"has no context, and line {where} is not in the file"
                )
            return where, 0
        for used in range(min(fuzz, old.context) + 1):
            where = self._locate(old, used)
            if where:
                self._offset = where - old.first
                return where, used
        raise self._failure(old, hunk, "does not match")

    def _locate(self, old: _Old, fuzz: int) -> int:
        """Find the place of a hunk with this much fuzz; 0 if there is none."""
        skip_head = fuzz + old.before - old.context
        skip_tail = fuzz + old.after - old.context
        size = len(old.lines)
        if max(0, skip_head) + max(0, skip_tail) >= size:
            return 0
        highest = len(self._lines) - (size - skip_tail) + 1
        if skip_head < 0 and old.first <= 1:
            # Less context above than below: the hunk was at the start of the file.
            fits = self._done <= old.before and highest >= 1
            return 1 if fits and self._matches(old, 1, 0, skip_tail) else 0
        skip_head = max(0, skip_head)
        if skip_tail < 0:
            # Less context below than above: the hunk was at the end of the file.
            where = len(self._lines) - size + 1
            return where if where > self._done and self._matches(old, where, skip_head, 0) else 0
        for where in self._candidates(old, skip_head, skip_tail, highest):
            if self._matches(old, where, skip_head, skip_tail):
                return where
        return 0

    def _matches(self, old: _Old, where: int, skip_head: int, skip_tail: int) -> bool:
        start, end = skip_head, len(old.lines) - skip_tail
        self._work_left -= 1 + (end - start) // 8
        return self._keys[where - 1 + start : where - 1 + end] == old.lines[start:end]

    def _candidates(self, old: _Old, skip_head: int, skip_tail: int, highest: int) -> Iterator[int]:
        """Name the possible places, the nearest to the expected one first."""
        lowest, guess = self._done + 1, old.first + self._offset
        if lowest <= guess <= highest:
            yield guess
        if not self._index:
            self._index = _places(self._keys)
        compared = range(skip_head, len(old.lines) - skip_tail)
        rarest = min(compared, key=lambda at: len(self._index.get(old.lines[at], ())))
        at_lines = self._index.get(old.lines[rarest], [])
        # A match at `where` has the rarest line at where - 1 + rarest, counted from 0.
        shift = rarest - 1
        above = bisect_left(at_lines, guess + shift) - 1
        below = bisect_left(at_lines, guess + shift + 1)
        floor, ceiling = lowest + shift, highest + shift
        while self._work_left > 0:
            down = at_lines[below] if below < len(at_lines) else ceiling + 1
            up = at_lines[above] if above >= 0 else floor - 1
            if down > ceiling and up < floor:
                return
            if up < floor or (down <= ceiling and down - guess - shift <= guess + shift - up):
                below += 1
                if down >= floor:
                    yield down - shift
            else:
                above -= 1
                if up <= ceiling:
                    yield up - shift
            self._work_left -= 1

    def _find_only(self, old: _Old, hunk: Hunk[bytes]) -> int:
        """Find the one place where a hunk without line numbers matches."""
        highest = len(self._lines) - len(old.lines) + 1
        places = self._candidates(old, 0, 0, highest)
        found = [*islice((at for at in places if self._matches(old, at, 0, 0)), _MAX_CHOICES)]
        if not found:
            raise self._failure(old, hunk, "does not match")
        if len(found) > 1 or self._work_left <= 0:
            listed = ", ".join(map(str, found))
            raise PatchContextError(
                f"{self._path}: hunk {old.number} has no line number and matches at several "
                f"places: lines {listed}",
                path=self._path,
                hint="give line numbers in the @@ header, or more lines of context",
                data={"hunk": old.number, "line": found[0], "lines": found},
            )
        return found[0]

    # Errors

    def _failure(self, old: _Old, hunk: Hunk[bytes], what: str) -> PatchContextError:
        expected = max(1, old.first + self._offset)
        start = _most_alike(self._keys, old.lines, expected)
        size = len(old.lines)
        here = self._lines[start : start + max(size, 3)][:_SHOWN_LINES]
        data: dict[str, Any] = {
            "hunk": old.number,
            "line": expected,
            "expected": [_shown(line) for line in old.lines[:_SHOWN_LINES]],
            "near": [
                {"line": number, "text": _shown(line)}
                for number, line in enumerate(here, start + 1)
            ],
        }
        message = f"{self._path}: hunk {old.number} (line {expected}) {what}"
        pairs = zip_longest(old.lines, self._keys[start : start + size])
        for number, (wanted, found) in enumerate(pairs, start + 1):
            if wanted != found and wanted is not None:
                data["mismatch"] = number
                message += f"; line {number} {_difference(wanted, found)}"
                break
        else:
            message += f"; its lines are at line {start + 1}, but " + (
                "the hunk before it ends below"
                if start < self._done
                else "its context says that the file starts or ends there"
            )
        if self._work_left <= 0:
            message += "; the search was given up after too many places"
        hint = self._failure_hint(old, hunk, start)
        return PatchContextError(message, path=self._path, hint=hint, data=data)

    def _failure_hint(self, old: _Old, hunk: Hunk[bytes], start: int) -> str:
        new = [line for tag, line in hunk.lines if tag != "-"]
        for at in (old.first + self._offset - 1, start):
            if new and at >= 0 and self._keys[at : at + len(new)] == new:
                return f"the change is in the file already, at line {at + 1}; leave this hunk out"
        here = self._keys[start : start + len(old.lines)]
        if here == old.lines and start >= self._done:
            return "give the hunk as many lines of context below the change as above it"
        if old.lines and [*map(_squeezed, here)] == [*map(_squeezed, old.lines)]:
            return "only white space differs; copy the lines from the file as they are"
        return "read the file again, and make the patch from what it holds now"


def _most_alike(keys: list[bytes], old: list[bytes], expected: int) -> int:
    """Find where most lines of a hunk are, apart from white space; counted from 0."""
    squeezed: dict[bytes, list[int]] = _places([_squeezed(key) for key in keys])
    votes: Counter[int] = Counter()
    for at, line in enumerate(old[:_VOTERS]):
        key = _squeezed(line)
        places = squeezed.get(key, []) if key else []
        middle = bisect_left(places, expected - 1 + at)
        near = places[max(0, middle - _VOTES_PER_LINE // 2) : middle + _VOTES_PER_LINE // 2]
        votes.update(place - at for place in near if place >= at)
    default = min(expected - 1, max(0, len(keys) - len(old)))
    best = max(votes, key=lambda at: (votes[at], -abs(at - expected + 1), -at), default=default)
    return max(0, best)


def _squeezed(line: bytes) -> bytes:
    return b" ".join(line.split())


def _difference(wanted: bytes, found: bytes | None) -> str:
    if found is None:
        return f"is past the end, not {_shown(wanted)!r}"
    if _line_with_ending(wanted, b"") == _line_with_ending(found, b""):
        return f"ends with {_ENDINGS[_ending(found)]}, not with {_ENDINGS[_ending(wanted)]}"
    return f"is {_shown(found)!r}, not {_shown(wanted)!r}"


_ENDINGS: Final = {b"": "the file and no newline", b"\n": "LF", b"\r\n": "CR LF"}


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."


def _places(keys: list[bytes]) -> dict[bytes, list[int]]:
    index: defaultdict[bytes, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        index[key].append(at)
    return dict(index)
