"""Normal and context diffs as unified ones, so that one parser is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["as_unified"]

_NORMAL: Final = re.compile(rb"(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?\r?\n")
_STARS: Final = re.compile(rb"\*{15}.*\n")
_OLD: Final = re.compile(rb"\*\*\* (\d+)(?:,(\d+))? \*\*\*\*\r?\n")
_NEW: Final = re.compile(rb"--- (\d+)(?:,(\d+))? ----\r?\n")
_NO_NEWLINE: Final = b"\\ "


def as_unified(text: bytes) -> bytes:
    """Return a patch in the unified form; one that is in it already is returned as it is.

    What is neither form is kept, and is for the parser to refuse.
    """
    lines = text.splitlines(keepends=True)
    if any(line.startswith(b"@@ -") for line in lines):
        return text
    if any(_STARS.fullmatch(line) for line in lines):
        return b"".join(_from_context(lines))
    if any(_NORMAL.fullmatch(line) for line in lines):
        return b"".join(_from_normal(lines))
    return text


def _from_normal(lines: list[bytes]) -> Iterator[bytes]:
    place = 0
    named = False
    while place < len(lines):
        found = _NORMAL.fullmatch(lines[place])
        place += 1
        if found is None:
            yield lines[place - 1]
            named = named and not lines[place - 1].startswith(b"diff ")
            continue
        if not named:
            yield b"--- a\n+++ b\n"
            named = True
        old, new = _span(found[1], found[2]), _span(found[4], found[5])
        gone = old[1] if found[3] != b"a" else 0
        come = new[1] if found[3] != b"d" else 0
        yield b"@@ -%d,%d +%d,%d @@\n" % (old[0], gone, new[0], come)
        while place < len(lines) and lines[place][:2] in (b"< ", b"> ", b"<\n", b">\n", b"\\ "):
            line = lines[place]
            sign = {b"<": b"-", b">": b"+"}.get(line[:1])
            yield line if sign is None else sign + line[2:] if line[1:2] == b" " else sign + b"\n"
            place += 1
            if place < len(lines) and lines[place].startswith(b"---"):
                place += 1


def _span(first: bytes, last: bytes | None) -> tuple[int, int]:
    start = int(first)
    return start, int(last) - start + 1 if last else 1


def _from_context(lines: list[bytes]) -> Iterator[bytes]:
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.startswith(b"*** ") and lines[place + 1 : place + 2] and not _OLD.fullmatch(line):
            after = lines[place + 1]
            if after.startswith(b"--- "):
                yield b"--- " + line[4:]
                yield b"+++ " + after[4:]
                place += 2
                continue
        if _STARS.fullmatch(line) and lines[place + 1 : place + 2]:
            begin = _OLD.fullmatch(lines[place + 1])
            if begin is not None:
                place, hunk = _context_hunk(lines, place + 2, begin)
                yield from hunk
                continue
        yield line
        place += 1


def _context_hunk(
    lines: list[bytes], place: int, begin: re.Match[bytes]
) -> tuple[int, list[bytes]]:
    """Return where a hunk ends, and the hunk, made of its two halves."""
    old, place = _half(lines, place)
    middle = _NEW.fullmatch(lines[place]) if place < len(lines) else None
    if middle is None:
        return place, []
    new, place = _half(lines, place + 1)
    if not old:  # a half with no change of its own is left out
        old = [each for each in new if each[:1] == b" "]
    if not new:
        new = [each for each in old if each[:1] == b" "]
    body = list(_merged(old, new))
    gone = sum(each[:1] in b" -" for each in body)
    come = sum(each[:1] in b" +" for each in body)
    head = b"@@ -%d,%d +%d,%d @@\n" % (int(begin[1]), gone, int(middle[1]), come)
    return place, [head, *body]


def _half(lines: list[bytes], place: int) -> tuple[list[bytes], int]:
    found: list[bytes] = []
    while place < len(lines):
        line = lines[place]
        if line.startswith(_NO_NEWLINE) and found:
            found[-1] += line
        elif line[:2] in (b"  ", b"- ", b"+ ", b"! ") and not _NEW.fullmatch(line):
            found.append(line[:1] + line[2:])
        else:
            break
        place += 1
    return found, place


def _merged(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Yield the lines of both halves, each of those that both have once."""
    here = there = 0
    while here < len(old) or there < len(new):
        while here < len(old) and old[here][:1] in b"-!":
            yield b"-" + old[here][1:]
            here += 1
        while there < len(new) and new[there][:1] in b"+!":
            yield b"+" + new[there][1:]
            there += 1
        if here < len(old):
            yield old[here]
        elif there < len(new):
            yield new[there]
        here, there = here + 1, there + 1
