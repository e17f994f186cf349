"""The forms in which an edit looks for its text, each with a map back to the source.

Nothing here is ever written to a file. A text is brought into a looser form
layer by layer (`decoded`, `unified`, `compatible`, `trimmed`), the edit's text
is found there, and `Normalized.source` says where that is in the source, or
that it is nowhere in particular: in the middle of a ligature, or between a
letter and its accent.

The normal form of `normal_form` is Unicode's NFKC (UAX #15), after which white
space at the end of each line is dropped and typographic quotes, dashes and
spaces become their ASCII forms. Everything here takes time linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from io import StringIO
from typing import Final, Protocol

__all__ = [
    "WHITE_SPACE",
    "Normalized",
    "compatible",
    "decoded",
    "normal_form",
    "trimmed",
    "unified",
]

WHITE_SPACE: Final = (
    "\t\v\f\r \u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What counts as white space within a line: ECMAScript's WhiteSpace and LineTerminator
without the line feed. U+200B is no white space."""

_QUOTES_AND_DASHES: Final = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
"""What is folded after NFKC, which has folded the special spaces already."""

_LONGEST_CLUSTER: Final = 128
"""A letter with more marks is left as it is: `unicodedata.normalize` sorts marks in quadratic
time, and writing systems need fewer than 30 (UAX #15, Stream-Safe Text Format)."""

_FEW: Final = 32
"""Up to this many characters, one `str.replace` each is faster than `str.translate`."""

_SPACES: Final = f"[{WHITE_SPACE}]"
# A run begins only where nothing but its line's start or other text precedes it, and
# is taken possessively: so a long run inside a line is walked once, not once per space.
_AT_END: Final = rf"(?<!{_SPACES}{{2}}){_SPACES}*+(?![^\n])"
_AT_START: Final = rf"(?<![^\n]{_SPACES}){_SPACES}*+"
_TRAILING: Final = rf"{_SPACES}{_AT_END}"
_EITHER_END: Final = rf"{_SPACES}(?:{_AT_START}|{_AT_END})"

_ATTACHING: Final = "\x02"
_EXPANDING: Final = "\x01"
_CLUSTERS: Final = f"[^\n]?{_ATTACHING}+|{_EXPANDING}"


class Layer(Protocol):
    """One step from a text to a looser form of it."""

    def source(self, offset: int, *, after: bool) -> int | None:
        """Return where an offset of the form lies in the text, or None if nowhere in particular."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text in a looser form that still knows where it came from.

    Attributes:
        text: The form that is searched.
        layers: The steps that led to it, from the source up.
    """

    text: str
    layers: tuple[Layer, ...] = ()

    def source(self, offset: int, *, after: bool = False) -> int | None:
        """Return where an offset of `text` lies in the source.

        Args:
            offset: From 0 to the length of `text`.
            after: Where white space was dropped, return the offset after it, not before it.

        Returns:
            The offset in the source (bytes for a form made by `decoded`), never
            smaller for a larger `offset`; None inside what was one character
            with its marks.
        """
        position: int | None = offset
        for layer in reversed(self.layers):
            if position is None:
                return None
            position = layer.source(position, after=after)
        return position

    def then(self, text: str, *layers: Layer) -> Normalized:
        """Return a form of this form, reached by further layers."""
        return Normalized(text, (*self.layers, *layers))


def normal_form(text: str) -> str:
    """Return the normal form in which fuzzy edits compare texts.

    Args:
        text: Any text; lines end with a line feed, or a carriage return and one.

    Returns:
        NFKC; then without white space at the ends of lines; then with quotes
        and dashes as in ASCII.
    """
    return trimmed(compatible(Normalized(text))).text


def decoded(data: bytes, *, skip: int = 0) -> Normalized:
    """Return UTF-8 bytes as text, undecodable bytes as lone surrogates (PEP 383).

    Args:
        data: The source; offsets of the form's source are offsets into it.
        skip: How many bytes at its start are no text, such as a byte order mark.
    """
    text = data[skip:].decode("utf-8", "surrogateescape")
    return Normalized(text, (_ByteOffsets(text, skip),))


def unified(form: Normalized, *, lone: bool = True) -> Normalized:
    r"""Return the form with each `\r\n` as `\n`.

    Args:
        form: What to unify.
        lone: Make each `\r` without a `\n` after it a `\n` as well.
    """
    text = form.text
    if "\r" not in text:
        return form
    single = text.replace("\r\n", "\n")
    if lone:
        single = single.replace("\r", "\n")
    return form.then(single, _PairOffsets(text))


def trimmed(form: Normalized, *, leading: bool = False) -> Normalized:
    """Return the form without white space at the end of each line.

    Args:
        form: What to trim.
        leading: Drop the white space at the start of each line as well.
    """
    pattern = re.compile(_EITHER_END if leading else _TRAILING)
    runs = _Pieces()
    kept = StringIO()
    done = 0
    for match in pattern.finditer(form.text):
        kept.write(form.text[done : match.start()])
        done = match.end()
        runs.add(match.start(), done, 0)
    if not done:
        return form
    kept.write(form.text[done:])
    return form.then(kept.getvalue(), runs)


def compatible(form: Normalized) -> Normalized:
    """Return the form in NFKC with quotes and dashes folded to ASCII.

    A letter with its marks, and a character that expands to several, is one
    piece: offsets inside it have no source.
    """
    text = form.text
    if text.isascii():
        return form
    characters = [character for character in set(text) if not character.isascii()]
    normal = {character: unicodedata.normalize("NFKC", character) for character in characters}
    kinds = {character: _EXPANDING for character, other in normal.items() if len(other) > 1}
    marks = frozenset(character for character in characters if _attaches(character))
    kinds |= dict.fromkeys(marks, _ATTACHING)
    clusters = _Clusters(text, marks)
    changed = _normalize_clusters(text, kinds, clusters) if kinds else text
    # One character for one needs no piece: every offset between them has its source.
    single = {
        before: other for before, other in normal.items() if len(other) == 1 and other != before
    }
    changed = _substitute(_substitute(changed, single), _QUOTES_AND_DASHES)
    return form.then(changed, clusters)


def _attaches(character: str) -> bool:
    """Whether NFKC may join the character to the one before it, or move it among the marks there.

    Such are all marks, the vowels and finals of Hangul syllables, and U+16D67;
    a test compares this with Python's Unicode tables.
    """
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.category(first).startswith("M")
        or "\u1160" <= first <= "\u11ff"
        or "\ud7b0" <= first <= "\ud7ff"
        or first == "\U00016d67"
    )


def _normalize_clusters(text: str, kinds: dict[str, str], clusters: _Clusters) -> str:
    """Return the text with each cluster in NFKC, and note where each came from."""
    plain = text.replace(_ATTACHING, " ").replace(_EXPANDING, " ")
    kept = StringIO()
    done = 0
    for match in re.finditer(_CLUSTERS, _substitute(plain, kinds)):
        start, end = match.span()
        cluster = text[start:end]
        if end - start > _LONGEST_CLUSTER:
            continue
        normal = unicodedata.normalize("NFKC", cluster)
        if normal != cluster:
            kept.write(text[done:start])
            kept.write(normal)
            clusters.add(start, end, len(normal))
            done = end
    kept.write(text[done:])
    return kept.getvalue()


def _substitute(text: str, table: dict[str, str]) -> str:
    """Return the text with each character of the table replaced by its entry."""
    if len(table) > _FEW:
        return text.translate({ord(before): other for before, other in table.items()})
    for before, other in table.items():
        text = text.replace(before, other)
    return text


class _Pieces:
    """The places where a form differs from its text in length; in between they run in step."""

    __slots__ = ("_form_ends", "_form_starts", "_shift", "_text_ends", "_text_starts")

    def __init__(self) -> None:
        # Arrays of 32-bit numbers, since a hostile text is nothing but pieces.
        self._shift = 0
        self._form_starts = array("I")
        self._form_ends = array("I")
        self._text_starts = array("I")
        self._text_ends = array("I")

    def add(self, start: int, end: int, length: int) -> None:
        """Note that the text from start to end has `length` characters in the form."""
        form_start = start + self._shift
        self._shift += length - end + start
        self._form_starts.append(form_start)
        self._form_ends.append(form_start + length)
        self._text_starts.append(start)
        self._text_ends.append(end)

    def source(self, offset: int, *, after: bool) -> int | None:
        find = bisect_right if after else bisect_left
        at = find(self._form_starts, offset) - 1
        if at < 0:
            return offset
        if offset >= self._form_ends[at]:
            return self._text_ends[at] + offset - self._form_ends[at]
        return self._text_starts[at] if offset == self._form_starts[at] else None


class _Clusters(_Pieces):
    """Pieces of which each is a letter with its marks, which must stay together."""

    __slots__ = ("_marks", "_text")

    def __init__(self, text: str, marks: frozenset[str]) -> None:
        super().__init__()
        self._text = text
        self._marks = marks

    def source(self, offset: int, *, after: bool) -> int | None:
        position = super().source(offset, after=after)
        if not position or position >= len(self._text) or self._text[position - 1] == "\n":
            return position
        return None if self._text[position] in self._marks else position


class _PairOffsets:
    r"""The offsets of a text in which each `\r\n` became one character.

    Keeps no table: it counts the pairs on the way, going on from where it was
    asked last, so ascending questions cost one pass over the text together.
    """

    __slots__ = ("_last", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._last = (0, 0)

    def source(self, offset: int, *, after: bool) -> int:  # noqa: ARG002
        form, start = self._last
        if offset < form:
            form, start = 0, 0
        position = counted = start + offset - form
        found = self._text.count("\r\n", start, position)
        while found:
            position += found
            # From one before: a pair may lie across the end of what was counted.
            found = self._text.count("\r\n", max(start, counted - 1), position)
            counted = position
        if position and self._text.startswith("\r\n", position - 1):
            position += 1
        self._last = (offset, position)
        return position


class _ByteOffsets:
    """The byte offsets of a decoded text, counted on from the last question like `_PairOffsets`."""

    __slots__ = ("_ascii", "_last", "_skip", "_text")

    def __init__(self, text: str, skip: int) -> None:
        self._text = text
        self._skip = skip
        self._ascii = text.isascii()
        self._last = (0, skip)

    def source(self, offset: int, *, after: bool) -> int:  # noqa: ARG002
        if self._ascii:
            return offset + self._skip
        form, start = self._last
        if offset < form:
            form, start = 0, self._skip
        position = start + len(self._text[form:offset].encode("utf-8", "surrogateescape"))
        self._last = (offset, position)
        return position
