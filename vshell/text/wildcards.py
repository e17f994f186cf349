"""Wildcards as regular expressions that cannot blow up: what globs and `.gitignore` share.

A dialect parses its text into segments, the parts of a path between slashes. A
segment is a tuple of tokens: literal text, a `Wildcard` or a `CharacterSet`.
`path_regex` makes one regular expression of them, without nested choice: between
two stars (or two `**`) the leftmost place of what stands there is as good as any
later one, because the star that follows can take up whatever lies between. So
each such piece is an atomic group, and no failure is retried with another split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from vshell.limits import MAX_NAME_BYTES

__all__ = [
    "ANY_DEPTH",
    "CLASSES",
    "NEVER",
    "CharacterSet",
    "Segment",
    "Token",
    "Wildcard",
    "add_token",
    "path_regex",
    "read_set",
    "segment_regex",
]

CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-\\/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
"""POSIX character classes in the C locale, as the inside of a set of `re`."""

NEVER: Final = "(?!)"
"""A pattern of `re` that matches nothing."""


class Wildcard(Enum):
    """What a segment holds besides literal text and sets."""

    ONE = "?"
    STAR = "*"
    DEPTH = "**"


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """A `[...]`: ranges of characters (first, last) and names from `CLASSES`."""

    ranges: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    negated: bool

    def regex(self) -> str:
        """Return the pattern of `re` for one character of the set, which is never `/`.

        A range that runs backwards holds its first character, as in git.
        """
        inside = "".join(CLASSES[name] for name in self.classes)
        for low, high in self.ranges:
            inside += _set_character(low) + (f"-{_set_character(high)}" if low < high else "")
        return f"[^/{inside}]" if self.negated else f"(?!/)[{inside}]"


Token = str | Wildcard | CharacterSet
Segment = tuple[Token, ...]

ANY_DEPTH: Final[Segment] = (Wildcard.DEPTH,)
"""The segment `**`: any number of directories, also none; at the end of a path at least one."""


def _set_character(character: str) -> str:
    # Some of these mean nothing yet, and `re` warns that they may one day.
    return f"\\{character}" if character in "\\]^-[&|~" else character


def add_token(tokens: list[Token], token: Token) -> None:
    """Append a token to a segment: text joins text, and a star after a star says nothing."""
    if tokens and isinstance(token, str) and isinstance(tokens[-1], str):
        tokens[-1] += token
    elif token is not Wildcard.STAR or tokens[-1:] != [Wildcard.STAR]:
        tokens.append(token)


def read_set(
    text: str, start: int, item: re.Pattern[str], unclosed: set[int]
) -> tuple[CharacterSet, int] | None:
    """Read a `[...]`, in which `!` or `^` negates and a `]` that comes first is literal.

    Args:
        text: The segment.
        start: The offset of the opening bracket.
        item: One item of a set: group `name` is a class, or else `low` and perhaps `high`
            end with the first and last character of a range.
        unclosed: Offsets from which no closing bracket is reached. One set per segment,
            filled here; it keeps a run of opening brackets from taking quadratic time.

    Returns:
        The set and the offset after it, or None when it is not closed. The names of its
        classes are as they stand there, known or not.
    """
    position = start + 1
    negated = text.startswith(("!", "^"), position)
    first = position = position + negated
    ranges: list[tuple[str, str]] = []
    classes: list[str] = []
    visited: list[int] = []
    while position not in unclosed:
        if position > first:
            if text.startswith("]", position):
                return CharacterSet(tuple(ranges), tuple(classes), negated), position + 1
            visited.append(position)
        match = item.match(text, position)
        if match is None:
            break
        if match["name"] is not None:
            classes.append(match["name"])
        else:
            ranges.append((match["low"][-1], (match["high"] or match["low"])[-1]))
        position = match.end()
    unclosed.update(visited)
    return None


def path_regex(segments: Sequence[Segment | str], *, dotfiles: bool = True) -> str:
    """Return the pattern of `re` for a path, for `fullmatch` with DOTALL.

    Args:
        segments: The segments; a `str` is a pattern of `re` for one segment.
        dotfiles: Whether wildcards match names that begin with a dot, see `segment_regex`,
            and `**` enters such directories.

    Returns:
        A pattern that takes polynomial time. Without `dotfiles` too the leftmost place
        will do: what lies between it and a later one is no dotfile, so a later one that
        could be reached asks for no dotfile either.
    """
    visible = "" if dotfiles else r"(?!\.)"
    groups: list[list[str]] = [[]]
    for segment in segments:
        if segment == ANY_DEPTH:
            groups.append([])
        elif isinstance(segment, str):
            groups[-1].append(segment)
        else:
            groups[-1].append(segment_regex(segment, dotfiles=dotfiles))
    last = "/".join(groups[-1])
    if len(groups) == 1:
        return last
    first, *middle = ("".join(f"{name}/" for name in group) for group in groups[:-1])
    regex = first + "".join(f"(?>(?:{visible}[^/]*/)*?{group})" for group in middle)
    directories = "(?:.*/)?" if dotfiles else f"(?:{visible}[^/]*/)*"
    if len(groups[-1]) < 2:
        directories += "+"  # one name is left, so these are all the directories
    return regex + directories + (last if groups[-1] else f"{visible}[^/]+")


def segment_regex(segment: Segment, *, dotfiles: bool = True) -> str:
    """Return the pattern of `re` for a segment; `/` or the end must follow it.

    Args:
        segment: The tokens; not `ANY_DEPTH`.
        dotfiles: Whether wildcards match names that begin with a dot. If not, only a
            segment that begins with a literal dot does.

    Returns:
        A pattern that takes time in proportion to the name's length times the segment's:
        what stands between two stars is of a fixed length.
    """
    if _least_length(segment) > MAX_NAME_BYTES:
        return NEVER  # no name is that long, and it bounds the time
    pieces = [""]
    for token in segment:
        if token is Wildcard.STAR:
            pieces.append("")
        elif isinstance(token, CharacterSet):
            pieces[-1] += token.regex()
        else:
            pieces[-1] += re.escape(token) if isinstance(token, str) else "[^/]"
    visible = "" if dotfiles or _begins_with_dot(segment) else r"(?!\.)"
    if len(pieces) == 1:
        return visible + pieces[0]
    if pieces == ["", ""]:
        return f"{visible}[^/]++"  # no name is empty
    first, *middle = pieces[:-1]
    last = f"[^/]*{pieces[-1]}" if pieces[-1] else "[^/]*+"
    return visible + first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + last


def _least_length(segment: Segment) -> int:
    return sum(
        len(token) if isinstance(token, str) else int(token is not Wildcard.STAR)
        for token in segment
    )


def _begins_with_dot(segment: Segment) -> bool:
    return isinstance(segment[0], str) and segment[0].startswith(".")
