"""What an edit writes in place of the text that it found, by the rules of `edits`."""

from __future__ import annotations

from typing import Final

from vshell.text.locate import Level, Source, dominant_ending
from vshell.text.normalize import WHITE_SPACE, Normalized, decoded, unified

__all__ = ["encoded", "rewritten"]

_ENDINGS: Final = b"\r\n"


def encoded(text: str) -> bytes:
    """Return a text as UTF-8, with the bytes that its lone surrogates stand for (PEP 383).

    Raises:
        UnicodeEncodeError: If it has other lone surrogates.
    """
    return text.encode("utf-8", "surrogateescape")


def rewritten(
    source: Source, matched: bytes, old: str, new: str, level: Level
) -> tuple[bytes, bool]:
    """Return the bytes to write, and whether their indentation was made that of the file.

    Args:
        source: Where the text was found.
        matched: The bytes that were found.
        old: The text that was looked for.
        new: The text to replace it by.
        level: The level at which it was found.
    """
    if "\r" in old + new and matched == encoded(old):
        return encoded(new), False
    text = unified(Normalized(new), lone=False).text
    indented = _indented(text, old, matched) if level == "strip" else text
    body = encoded(indented)
    if source.has_returns and b"\n" in body:
        body = _with_endings(body, matched, source.ending)
    return body, indented != text


def _with_endings(body: bytes, matched: bytes, ending: bytes) -> bytes:
    """Give the lines the endings of what they replace; unchanged outer lines keep their own."""
    found = matched.splitlines(keepends=True)
    own = dominant_ending(matched) or ending
    if len({line[len(line.rstrip(_ENDINGS)) :] or own for line in found}) < 2:
        return body.replace(b"\n", own)
    *lines, last = (line + b"\n" for line in body.split(b"\n"))
    lines += [last[:-1]] if len(last) > 1 else []
    head = _count_equal(found, lines)
    tail = _count_equal(found[head:][::-1], lines[head:][::-1])
    middle = b"".join(lines[head : len(lines) - tail]).replace(b"\n", own)
    return b"".join([*found[:head], middle, *found[len(found) - tail :]])


def _count_equal(found: list[bytes], lines: list[bytes]) -> int:
    """Count how many lines are equal from the start but for the kinds of their endings."""
    count = 0
    for theirs, ours in zip(found, lines, strict=False):
        if theirs.replace(b"\r\n", b"\n").replace(b"\r", b"\n") != ours:
            break
        count += 1
    return count


def _indented(new: str, old: str, matched: bytes) -> str:
    """Indent the new text as the file is, if the old text differs from it by one prefix."""
    found = unified(decoded(matched)).text
    pairs = [
        (_indentation(ours), _indentation(theirs))
        for ours, theirs in zip(old.split("\n"), found.split("\n"), strict=False)
        if ours.strip(WHITE_SPACE)
    ]
    ours, theirs = _without_common_end(*pairs[0])
    uniform = all(
        our.startswith(ours)
        and their.startswith(theirs)
        and our[len(ours) :] == their[len(theirs) :]
        for our, their in pairs
    )
    lines = new.split("\n")
    if uniform and all(line.startswith(ours) or not line.strip(WHITE_SPACE) for line in lines):
        return "\n".join(
            theirs + line[len(ours) :] if line.strip(WHITE_SPACE) else line for line in lines
        )
    # Text copied from its first letter on says nothing about the indentation before it.
    copied_from_letter = old[0] not in WHITE_SPACE + "\n"
    return pairs[0][1] + new if copied_from_letter and new else new


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(WHITE_SPACE))]


def _without_common_end(one: str, other: str) -> tuple[str, str]:
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one, other
