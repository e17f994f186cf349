"""One segment of the search index: the words of some contents, and where each is.

A word is a run of ASCII letters, digits and bytes from 0x80 on. `_` is no part of one:
of the names in a large C project two million are different, but their parts are half a
million, and these make an index of a twelfth of the text. What the longer names would
tell more, reading the few files that are left tells soon enough.

A segment has at most 65,535 contents, so that the place of one takes two bytes. It is
written once. The places, four fifths of it, stay in the database until they are asked for.
"""

from __future__ import annotations

import functools
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.text.fast_scan import (
    FastScan,
    GaveUpError,
    compile_fast,
    literal_places,
    parts_of,
)
from vshell.text.matching import CASE_PARTNERS

__all__ = ["MAX_CONTENTS", "SPACED", "Question", "Segment", "build", "merge", "pieces"]

MAX_CONTENTS: Final = 65_535

_MAX_WORD_BYTES: Final = 256
_MIN_PIECE_BYTES: Final = 3
_MAX_WORDS: Final = 4096
"""A piece that is part of more words than this tells too little to be worth following."""

_FEW: Final = 30
"""So few contents are read sooner than the vocabulary is searched for one more piece."""

_WORD_BYTES: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
) | frozenset(range(0x80, 0x100))
SPACED: Final = bytes(byte if byte in _WORD_BYTES else 32 for byte in range(256))
"""Turns all that is no word byte into a space."""

_MAX_MATCHING_WORDS: Final = 32 * 1024
_WORDS_TIME_S: Final = 0.25
"""A pattern that matches more words, or takes longer to find them, narrows nothing."""

Places = Callable[[int, int], Sequence[int]]
"""Returns a range of the postings: the places of contents in `Segment.documents`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a match must hold.

    Attributes:
        clauses: Of each clause at least one text; in lower case if case is ignored.
        ignore_case: Whether ASCII letters count in both cases.
        binary: Whether contents with a NUL are searched too.
        words: Patterns, each of which some word of it must match (see `LineRegex.words`).
    """

    clauses: tuple[tuple[bytes, ...], ...]
    ignore_case: bool
    binary: bool
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Segment:
    """One segment.

    Attributes:
        documents: The numbers of its contents.
        vocabulary: The sorted words, a newline before and after each.
        word_starts: Where in the vocabulary each word begins.
        posting_starts: Where in the postings those of each word begin; one more at the end.
        places: Returns postings.
        always: Contents that are always candidates, for they have words too long to keep.
        partners: Contents with characters that match ASCII letters when case is ignored.
        binary: Contents that are no text.
    """

    documents: array[int]
    vocabulary: bytes
    word_starts: array[int]
    posting_starts: array[int]
    places: Places
    always: array[int]
    partners: array[int]
    binary: array[int]
    _lowered: bytes | None = field(default=None)

    def find(self, question: Question) -> Iterable[int] | None:
        """Return the contents that may match; None: any of them."""
        found: set[int] | None = None
        for clause in question.clauses:
            allowed = self._any_of(clause, question.ignore_case)
            if allowed is not None:
                found = allowed if found is None else found & allowed
        if found is None:
            found = self._with_words(question)
        if found is None:
            return None
        contents = {self.documents[place] for place in found}
        contents.update(self.always)
        if question.ignore_case:
            contents.update(self.partners)
        if question.binary:
            contents.update(self.binary)
        return contents

    def _with_words(self, question: Question) -> set[int] | None:
        """Return the places of contents with words that match; None: it is not worth it."""
        found: set[int] | None = None
        for pattern in question.words:
            words = self._matching(pattern, question.ignore_case)
            if words is not None:
                places = self._places_of(words)
                found = places if found is None else found & places
        return found

    def _matching(self, pattern: str, ignore_case: bool) -> Sequence[int] | None:
        scan = _word_scan(pattern, ignore_case)
        if scan is None:
            return None
        found: list[int] = []
        vocabulary = self.vocabulary
        deadline = time.monotonic() + _WORDS_TIME_S
        try:
            for part, part_end in parts_of(vocabulary, 0, len(vocabulary)):
                found += scan.places(vocabulary, part, part_end)
                if len(found) > _MAX_MATCHING_WORDS or time.monotonic() > deadline:
                    return None
        except GaveUpError:
            return None
        return [bisect_right(self.word_starts, place) - 1 for place in found]

    def _any_of(self, clause: Sequence[bytes], ignore_case: bool) -> set[int] | None:
        found: set[int] = set()
        for text in clause:
            places = self._with_text(text, ignore_case)
            if places is None:
                return None
            found |= places
        return found

    def _with_text(self, text: bytes, ignore_case: bool) -> set[int] | None:
        found: set[int] | None = None
        # What begins at the edge of a word is found in the sorted words without a scan.
        for piece in sorted(pieces(text), key=lambda piece: piece[:1] != b"\n"):
            if found is not None and len(found) <= _FEW:
                break
            places = self._with_piece(piece, ignore_case)
            if places is not None:
                found = places if found is None else found & places
        return found

    def _with_piece(self, piece: bytes, ignore_case: bool) -> set[int] | None:
        """Return the places of contents with a word that holds the piece, edges included."""
        if ignore_case:
            words = self._scan(self._case_vocabulary(), piece)
        elif piece[:1] == b"\n":
            words = self._beginning_with(piece[1:])
        else:
            words = self._scan(self.vocabulary, piece)
        if words is None:
            return None
        return self._places_of(words)

    def _places_of(self, words: Iterable[int]) -> set[int]:
        """Return the places of the contents that have one of these words."""
        found: set[int] = set()
        for word in words:
            found.update(self.places(self.posting_starts[word], self.posting_starts[word + 1]))
        return found

    def _scan(self, vocabulary: bytes, piece: bytes) -> Sequence[int] | None:
        """Return the words that hold a piece; None when they are too many."""
        if len(piece) > _MAX_WORD_BYTES + 2:
            return ()
        found: list[int] = []
        at_start = piece[:1] == b"\n"
        last = -1
        for position in literal_places(vocabulary, piece):
            word = bisect_right(self.word_starts, position + at_start) - 1
            if word == last:
                continue
            if len(found) == _MAX_WORDS:
                return None
            found.append(word)
            last = word
        return found

    def _beginning_with(self, beginning: bytes) -> Sequence[int] | None:
        """Return the words that begin so, a newline standing for the end; None for many."""
        if beginning[-1:] == b"\n":
            word = beginning[:-1]
            place = bisect_left(self.word_starts, word, key=self._word_at)
            known = place < len(self.word_starts) and self._word_at(self.word_starts[place]) == word
            return (place,) if known else ()
        size = len(beginning)
        first = bisect_left(self.word_starts, beginning, key=self._word_at)
        last = bisect_right(
            self.word_starts, beginning, lo=first, key=lambda start: self._word_at(start)[:size]
        )
        return range(first, last) if last - first <= _MAX_WORDS else None

    def _word_at(self, start: int) -> bytes:
        return self.vocabulary[start : self.vocabulary.index(b"\n", start)]

    def _case_vocabulary(self) -> bytes:
        if self._lowered is None:
            self._lowered = self.vocabulary.lower()
        return self._lowered


@functools.lru_cache(maxsize=16)
def _word_scan(pattern: str, ignore_case: bool) -> FastScan | None:
    return compile_fast(rf"(?:{pattern})[^\n]*+", ignore_case=ignore_case)


def pieces(text: bytes) -> Iterator[bytes]:
    """Yield what a text asks of words: a newline stands for the edge of a word."""
    spaced = text.translate(SPACED)
    words = spaced.split(b" ")
    for number, word in enumerate(words):
        left = b"\n" if number > 0 else b""
        right = b"\n" if number < len(words) - 1 else b""
        piece = left + word + right
        if word and (len(piece) >= _MIN_PIECE_BYTES or (left and right)):
            yield piece


def build(texts: Iterable[tuple[int, bytes | None]]) -> Segment:
    """Return the segment over some contents, at most `MAX_CONTENTS`; None is no text."""
    postings: dict[bytes, list[int]] = defaultdict(list)
    documents, always, partners, binary = (array("q") for _ in range(4))
    for number, text in texts:
        if text is None:
            binary.append(number)
            continue
        words = set(text.translate(SPACED).split())
        if words and len(max(words, key=len)) > _MAX_WORD_BYTES:
            always.append(number)
            continue
        if not text.isascii() and any(partner in text for partner in CASE_PARTNERS):
            partners.append(number)
        place = len(documents)
        documents.append(number)
        for word in words:
            postings[word].append(place)
    return _pack(documents, postings, always, partners, binary)


def merge(segments: Sequence[Segment], present: Collection[int]) -> Segment:
    """Return one segment over the contents of several, without those that are gone."""
    # A number in an array takes two bytes, in a list eight.
    postings: dict[bytes, array[int]] = defaultdict(_no_places)
    documents = array("q")
    for segment in segments:
        _add(postings, documents, segment, present)

    def all_of(name: str) -> array[int]:
        return array("q", (n for s in segments for n in getattr(s, name) if n in present))

    return _pack(documents, postings, all_of("always"), all_of("partners"), all_of("binary"))


def _no_places() -> array[int]:
    return array("H")


def _add(
    postings: dict[bytes, array[int]],
    documents: array[int],
    segment: Segment,
    present: Collection[int],
) -> None:
    renumbered: dict[int, int] = {}
    for place, number in enumerate(segment.documents):
        if number in present:
            renumbered[place] = len(documents)
            documents.append(number)
    whole = segment.places(0, segment.posting_starts[-1])
    starts = segment.posting_starts
    for number, word in enumerate(segment.vocabulary.split(b"\n")[1:-1]):
        kept = [
            renumbered[place]
            for place in whole[starts[number] : starts[number + 1]]
            if place in renumbered
        ]
        if kept:
            postings[word].extend(kept)


def _pack(
    documents: array[int],
    postings: Mapping[bytes, Sequence[int]],
    always: array[int],
    partners: array[int],
    binary: array[int],
) -> Segment:
    words = sorted(postings)
    word_starts, posting_starts, places = array("I"), array("I", [0]), array("H")
    position = 1
    for word in words:
        word_starts.append(position)
        position += len(word) + 1
        places.extend(postings[word])
        posting_starts.append(len(places))
    vocabulary = b"\n".join((b"", *words, b""))

    def in_memory(start: int, end: int) -> array[int]:
        return places[start:end]

    return Segment(
        documents, vocabulary, word_starts, posting_starts, in_memory, always, partners, binary
    )
