"""Where the text of an edit occurs in a file's bytes, at each level of strictness.

The rules are those of `edits`. Each search is one `find` over the whole text in
a form of it, so it takes linear time whatever the two texts are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import AnyStr, Final, Generic, Literal

from vshell.text.normalize import (
    WHITE_SPACE,
    Normalized,
    compatible,
    decoded,
    trimmed,
    unified,
)

__all__ = [
    "LEVELS",
    "LISTED_MATCHES",
    "MAX_REPLACEMENTS",
    "Hits",
    "Level",
    "Source",
    "Span",
    "dominant_ending",
    "find",
    "is_blank",
]

Level = Literal["exact", "rstrip", "strip", "unicode"]
"""How strictly a text is matched."""

LEVELS: Final[tuple[Level, ...]] = ("exact", "rstrip", "strip", "unicode")
"""The levels, the strictest first."""

Span = tuple[int, int]
"""The first byte of a match and the byte after its last."""

MAX_REPLACEMENTS: Final = 1_000_000
"""How many occurrences one edit may replace: each takes about 200 bytes of memory on the way."""

LISTED_MATCHES: Final = 100
"""How many occurrences an error locates."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Source:
    """The bytes to be edited, with the forms that are searched, each made once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.skip = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
        self._forms: dict[Level, Normalized] = {}

    @cached_property
    def has_returns(self) -> bool:
        """Whether there is any carriage return."""
        return b"\r" in self.data

    @cached_property
    def has_pairs(self) -> bool:
        r"""Whether there is any `\r\n`."""
        return self.has_returns and b"\r\n" in self.data

    @cached_property
    def ending(self) -> bytes:
        """The line ending to write where nothing nearer tells."""
        return dominant_ending(self.data) or b"\n"

    @cached_property
    def text(self) -> Normalized:
        """The text without a byte order mark."""
        return decoded(self.data, skip=self.skip)

    @cached_property
    def paired(self) -> Normalized:
        r"""The text with each `\r\n` as `\n`, but a lone `\r` as it is."""
        return unified(self.text, lone=False)

    def form(self, level: Level) -> Normalized:
        """Return the form of the text that a level searches for forms of other texts."""
        if level not in self._forms:
            form = unified(self.text)
            self._forms[level] = form if level == "exact" else _loosened(self.form("exact"), level)
        return self._forms[level]


@dataclass(frozen=True, slots=True)
class Hits:
    """Where a text occurs at one level.

    Attributes:
        count: How often.
        spans: The first occurrences in the source's bytes; None where an
            occurrence begins or ends inside a character of the source.
    """

    count: int
    spans: Sequence[Span | None]


@dataclass(frozen=True, slots=True)
class _Search(Generic[AnyStr]):
    haystack: AnyStr
    needle: AnyStr
    span: Callable[[int], Span | None]
    begin: int = 0
    shared: int = 0
    """How many characters two occurrences in a row may have in common."""

    def positions(self) -> Iterator[int]:
        step = len(self.needle) - self.shared
        at = self.haystack.find(self.needle, self.begin)
        while at >= 0:
            yield at
            at = self.haystack.find(self.needle, at + step)

    def count(self) -> int:
        if self.shared:
            return sum(1 for _ in self.positions())
        return self.haystack.count(self.needle, self.begin)


def find(source: Source, old: str, level: Level, *, every: bool = False) -> Hits | None:
    """Find all occurrences of a text at one level.

    Args:
        source: Where to look.
        old: What to look for; must not be empty.
        level: How strictly.
        every: All occurrences are to be replaced, so locate up to a million of
            them; otherwise up to 100, for a message. The rest are only counted.

    Returns:
        The occurrences, or None if there are none at this level.
    """
    located = MAX_REPLACEMENTS if every else LISTED_MATCHES
    for search in _searches(source, old, level, every=every):
        positions = list(islice(search.positions(), located + 1))
        if positions:
            count = len(positions) if len(positions) <= located else search.count()
            return Hits(count, [search.span(at) for at in positions[:located]])
    return None


def is_blank(old: str) -> bool:
    """Whether a text is nothing but white space, which is only ever matched exactly."""
    return not old.strip(WHITE_SPACE + "\n")


def dominant_ending(data: bytes) -> bytes:
    r"""Return the most frequent line ending, at a tie the first, or nothing if there is none.

    A lone `\r` counts only where there is no other ending.
    """
    pairs = data.count(b"\r\n")
    singles = data.count(b"\n") - pairs
    if pairs == singles:
        if not pairs:
            return b"\r" if b"\r" in data else b""
        first = data.find(b"\n")
        return b"\r\n" if data[first - 1 : first] == b"\r" else b"\n"
    return b"\r\n" if pairs > singles else b"\n"


_AnySearch = _Search[bytes] | _Search[str]


def _searches(source: Source, old: str, level: Level, *, every: bool) -> Iterator[_AnySearch]:
    """Yield the searches of a level, the strictest first."""
    if level == "exact":
        yield from _exact_searches(source, old, every=every)
    elif is_blank(old):
        return
    elif level == "strip":
        yield _lines_search(source.form("strip"), old)
    else:
        given = unified(Normalized(old), lone=False)
        # White space that was dropped from the end of `old` was dropped from the end
        # of a line in the file, or it would be found in the middle of a word.
        spaced = given.text[-1] in WHITE_SPACE
        wanted = _loosened(given, level).text
        yield _form_search(source.form(level), wanted, at_line_end=spaced)


def _exact_searches(source: Source, old: str, *, every: bool) -> Iterator[_AnySearch]:
    units = source.has_pairs and "\r" not in old and (old[0] == "\n" or (every and "\n" in old))
    if not units:
        yield _literal_search(source, old)
    wanted = old.replace("\r\n", "\n")
    if "\n" not in wanted:
        return  # it has no line ending that could differ
    if source.has_returns or wanted != old:
        yield _form_search(source.paired, wanted)
    if source.has_returns:
        yield _form_search(source.form("exact"), wanted)


def _literal_search(source: Source, old: str) -> _AnySearch:
    try:
        needle = old.encode()
    except UnicodeEncodeError:
        # Bytes that cannot be decoded are looked for in the decoded text, since the
        # same bytes may also be a part of a character there.
        return _form_search(source.text, old)
    return _Search(source.data, needle, lambda at: (at, at + len(needle)), begin=source.skip)


def _loosened(form: Normalized, level: Level) -> Normalized:
    if level == "unicode":
        form = compatible(form)
    return trimmed(form, leading=level == "strip")


def _form_search(form: Normalized, wanted: str, *, at_line_end: bool = False) -> _Search[str]:
    def span(at: int) -> Span | None:
        start = form.source(at, after=True)
        end = form.source(at + len(wanted))
        return None if start is None or end is None else (start, end)

    if at_line_end:
        return _Search(form.text + "\n", wanted + "\n", span, shared=1)
    return _Search(form.text, wanted, span)


def _lines_search(form: Normalized, old: str) -> _Search[str]:
    """Search for whole lines, indentation and all, and the last one's ending if `old` has one."""
    wanted = unified(Normalized(old), lone=False)
    ended = wanted.text.endswith("\n")
    body = trimmed(Normalized(wanted.text.removesuffix("\n")), leading=True).text

    def span(at: int) -> Span | None:
        start = form.source(at)
        end = form.source(at + len(body) + ended)
        return None if start is None or end is None else (start, end)

    # The last line needs an ending of its own where `old` has one.
    haystack = f"\n{form.text}" if ended else f"\n{form.text}\n"
    return _Search(haystack, f"\n{body}\n", span, shared=1)
