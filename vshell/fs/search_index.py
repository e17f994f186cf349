"""Which contents can hold a text, without reading them.

The index is a list of segments, each over some contents: the sorted vocabulary of
their words, as one run of bytes, and for each word the contents that have it. A word
is a run of ASCII letters, digits, `_` and bytes from 0x80 on.

A question is a text that a match must hold. Cut at what is no word byte, it says which
words a content must have: `x.read_all(` asks for a word that ends in `x`, and for
the word `read_all`. Words are found by searching the vocabulary's bytes, a hundredth
of the text. That is sound whatever the text is: bytes that hold the text hold its
pieces, cut at the same places.

Content is immutable, so a segment stays true for ever, for snapshots and forks too.
Contents are indexed in the order of their numbers; those above `indexed_up_to` are the
tail, which a search reads. Nothing is done when a file is written: a search folds some
of the tail in when it has answered, and merges segments that have become many.

Some contents are always candidates: those with words too long to keep, and, when case
is ignored, those with one of the few other characters that match ASCII letters.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.fs.content import ContentStore
from vshell.fs.database import Database
from vshell.limits import MAX_TEXT_BYTES
from vshell.text.matching import CASE_PARTNERS, text_bytes

__all__ = ["Answer", "Question", "SearchIndex"]

Progress = Callable[[int, int], None]
"""Called with how many contents are indexed, and how many there are."""

_FORMAT: Final = 1
_MAX_WORD_BYTES: Final = 256
_MIN_PIECE_BYTES: Final = 3
_MAX_WORDS: Final = 4096
"""A piece that is part of more words than this tells too little to be worth following."""

_FOLD_CONTENTS: Final = 256
_FOLD_BYTES: Final = 4 * 1024**2
_SEGMENT_BYTES: Final = 64 * 1024**2
_MAX_SMALL_SEGMENTS: Final = 6
_MERGED_CONTENTS: Final = 60_000

_WORD_BYTES: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
) | frozenset(range(0x80, 0x100))
_SPACED: Final = bytes(byte if byte in _WORD_BYTES else 32 for byte in range(256))
_UP_TO: Final = "index_up_to"


@dataclass(frozen=True, slots=True)
class Question:
    """What a match must hold.

    Attributes:
        clauses: Of each clause at least one text; in lower case if case is ignored.
        ignore_case: Whether ASCII letters count in both cases.
        binary: Whether contents with a NUL are searched too.
    """

    clauses: tuple[tuple[bytes, ...], ...]
    ignore_case: bool
    binary: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Which contents to search.

    Attributes:
        contents: Their numbers, of the indexed ones; None: all of them.
        up_to: Contents with higher numbers are not indexed, and to be searched too.
    """

    contents: set[int] | None
    up_to: int


@dataclass(slots=True)
class _Segment:
    """One segment, as it is kept and searched."""

    documents: array[int]
    vocabulary: bytes
    word_starts: array[int]
    posting_starts: array[int]
    postings: array[int]
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
            return None
        contents = {self.documents[place] for place in found}
        contents.update(self.always)
        if question.ignore_case:
            contents.update(self.partners)
        if question.binary:
            contents.update(self.binary)
        return contents

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
        for piece in _pieces(text):
            places = self._with_piece(piece, ignore_case)
            if places is not None:
                found = places if found is None else found & places
                if not found:
                    return found
        return found

    def _with_piece(self, piece: bytes, ignore_case: bool) -> set[int] | None:
        """Return the places of documents with a word that holds the piece, edges included."""
        vocabulary = self._case_vocabulary() if ignore_case else self.vocabulary
        found: set[int] = set()
        words = 0
        position = vocabulary.find(piece)
        while position >= 0:
            words += 1
            if words > _MAX_WORDS:
                return None
            at_start = piece[:1] == b"\n"
            word = bisect_right(self.word_starts, position + at_start) - 1
            found.update(self.postings[self.posting_starts[word] : self.posting_starts[word + 1]])
            end = vocabulary.find(b"\n", position + at_start)
            position = vocabulary.find(piece, end)
        return found

    def _case_vocabulary(self) -> bytes:
        if self._lowered is None:
            self._lowered = self.vocabulary.lower()
        return self._lowered


def _pieces(text: bytes) -> Iterator[bytes]:
    """Yield what a text asks of words: a newline stands for the edge of a word."""
    spaced = text.translate(_SPACED)
    words = spaced.split(b" ")
    for number, word in enumerate(words):
        left = b"\n" if number > 0 else b""
        right = b"\n" if number < len(words) - 1 else b""
        piece = left + word + right
        if word and (len(piece) >= _MIN_PIECE_BYTES or (left and right)):
            yield piece


_COLUMNS: Final = (
    "documents",
    "vocabulary",
    "word_starts",
    "posting_starts",
    "postings",
    "always",
    "partners",
    "binary",
)


class SearchIndex:
    """The index of one database.

    Args:
        database: Where it is.
        content: Where the contents are.
    """

    def __init__(self, database: Database, content: ContentStore) -> None:
        self._database = database
        self._content = content
        self._loaded: dict[int, _Segment] = {}

    def answer(self, question: Question) -> Answer:
        """Return which contents may hold what a question asks for."""
        up_to = self.indexed_up_to()
        if not question.clauses or not up_to:
            return Answer(None, up_to)
        segments = self._segments()
        if segments is None:
            return Answer(None, 0)
        contents: set[int] = set()
        for segment in segments:
            found = segment.find(question)
            if found is None:
                return Answer(None, up_to)
            contents.update(found)
        return Answer(contents, up_to)

    def indexed_up_to(self) -> int:
        """Return the number of the last content that is in the index; 0 for none."""
        found = self._database.row("select value from setting where name = ?", (_UP_TO,))
        return int(found[0]) if found else 0

    def size_bytes(self) -> int:
        """Return how many bytes the index takes."""
        lengths = " + ".join(f"length({column})" for column in _COLUMNS)
        found = self._database.row(f"select coalesce(sum({lengths}), 0) from index_segment")
        assert found is not None
        size: int = found[0]
        return size

    # Building, inside a transaction.

    def wants_folding(self) -> bool:
        """Tell whether the tail has grown enough to be folded in."""
        found = self._database.row(
            "select count(*), coalesce(sum(size), 0) from (select size from content"
            " where id > ? limit ?)",
            (self.indexed_up_to(), _FOLD_CONTENTS),
        )
        assert found is not None
        return bool(found[0] >= _FOLD_CONTENTS or found[1] >= _FOLD_BYTES)

    def fold(self, *, max_bytes: int = _FOLD_BYTES) -> bool:
        """Index the first contents of the tail, some megabytes; return whether any is left."""
        if self._segments() is None:
            self.drop()
        up_to = self.indexed_up_to()
        batch: dict[int, int] = {}
        total = 0
        rows = self._database.rows(
            "select id, size from content where id > ? order by id limit 50000", (up_to,)
        )
        for number, length in rows:
            if batch and total + length > max_bytes:
                break
            batch[number] = length
            total += length
        if not batch:
            return False
        self._save(_build(self._texts(batch)))
        self._set_up_to(max(batch))
        self._merge_small()
        return len(batch) < len(rows)

    def build(self, progress: Progress | None = None) -> None:
        """Index all that is not."""
        found = self._database.row("select count(*), max(id) from content")
        assert found is not None
        total, last = found[0], found[1] or 0
        more = bool(total)
        while more:
            more = self.fold(max_bytes=_SEGMENT_BYTES)
            if progress is not None:
                up_to = self.indexed_up_to()
                done = self._database.row("select count(*) from content where id <= ?", (up_to,))
                progress(done[0] if done else 0, total)
                more = more and up_to < last

    def drop(self) -> None:
        """Forget the index; the next search reads everything."""
        self._database.run("delete from index_segment")
        self._set_up_to(0)
        self._loaded.clear()

    def after_collection(self) -> None:
        """Note that contents were removed: the highest numbers may be given anew."""
        found = self._database.row("select coalesce(max(id), 0) from content")
        last = found[0] if found else 0
        if self.indexed_up_to() > last:
            self._set_up_to(last)

    def problems(self) -> list[str]:
        """Return what is wrong with the stored segments, a sentence each."""
        self._loaded.clear()
        rows = self._database.rows("select id from index_segment order by id")
        return [
            f"search index: segment {number} is damaged"
            for (number,) in rows
            if self._load(number) is None
        ]

    def _set_up_to(self, number: int) -> None:
        self._database.run("insert or replace into setting values (?, ?)", (_UP_TO, number))

    def _texts(self, sizes: dict[int, int]) -> Iterator[tuple[int, bytes | None]]:
        """Yield contents as `grep` searches them; None for those that are no text."""
        searched = [number for number, size in sizes.items() if size <= MAX_TEXT_BYTES]
        loaded = self._content.read_many(searched)
        for number in sizes:
            data = loaded.pop(number, None)
            yield number, b"" if data is None else text_bytes(data)

    def _save(self, segment: _Segment) -> int:
        blobs = [_blob(getattr(segment, column)) for column in _COLUMNS]
        marks = ", ".join("?" * (len(_COLUMNS) + 3))
        self._database.run(
            f"insert into index_segment (format, contents, checksum, {', '.join(_COLUMNS)})"
            f" values ({marks})",
            (_FORMAT, len(segment.documents), _checksum(blobs), *blobs),
        )
        number = self._database.last_row_id()
        self._loaded[number] = segment
        return number

    def _merge_small(self) -> None:
        """Join the small segments when they have become many."""
        rows = self._database.rows("select id, contents from index_segment order by id")
        small = [(number, count) for number, count in rows if count < _MERGED_CONTENTS // 4]
        if len(small) <= _MAX_SMALL_SEGMENTS:
            return
        joined: list[int] = []
        count = 0
        for number, contents in small:
            if count + contents > _MERGED_CONTENTS:
                break
            joined.append(number)
            count += contents
        segments = [segment for number in joined if (segment := self._load(number))]
        present = {row[0] for row in self._database.rows("select id from content")}
        merged = _merge(segments, present)
        for number in joined:
            self._database.run("delete from index_segment where id = ?", (number,))
            self._loaded.pop(number, None)
        self._save(merged)

    # Loading.

    def _segments(self) -> list[_Segment] | None:
        """Return all segments; None when one is damaged."""
        numbers = [row[0] for row in self._database.rows("select id from index_segment")]
        for gone in self._loaded.keys() - set(numbers):
            del self._loaded[gone]
        segments = [self._load(number) for number in numbers]
        sound = [segment for segment in segments if segment is not None]
        return sound if len(sound) == len(segments) else None

    def _load(self, number: int) -> _Segment | None:
        known = self._loaded.get(number)
        if known is not None:
            return known
        row = self._database.row(
            f"select format, contents, checksum, {', '.join(_COLUMNS)} from index_segment"
            " where id = ?",
            (number,),
        )
        if row is None or row[0] != _FORMAT or not all(type(blob) is bytes for blob in row[3:]):
            return None
        if _checksum(row[3:]) != row[2]:
            return None
        documents, vocabulary, word_starts, posting_starts, postings, always, partners, binary = (
            row[3:]
        )
        segment = _Segment(
            _array("q", documents),
            vocabulary,
            _array("I", word_starts),
            _array("I", posting_starts),
            _array("I", postings),
            _array("q", always),
            _array("q", partners),
            _array("q", binary),
        )
        self._loaded[number] = segment
        return segment


def _build(texts: Iterable[tuple[int, bytes | None]]) -> _Segment:
    """Return the segment over some contents."""
    postings: dict[bytes, list[int]] = defaultdict(list)
    documents, always, partners, binary = (array("q") for _ in range(4))
    for number, text in texts:
        if text is None:
            binary.append(number)
            continue
        words = set(text.translate(_SPACED).split())
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


def _pack(
    documents: array[int],
    postings: dict[bytes, list[int]],
    always: array[int],
    partners: array[int],
    binary: array[int],
) -> _Segment:
    words = sorted(postings)
    word_starts, posting_starts, places = array("I"), array("I", [0]), array("I")
    position = 1
    for word in words:
        word_starts.append(position)
        position += len(word) + 1
        places.extend(postings[word])
        posting_starts.append(len(places))
    vocabulary = b"".join((b"\n", *(word + b"\n" for word in words)))
    return _Segment(
        documents, vocabulary, word_starts, posting_starts, places, always, partners, binary
    )


def _merge(segments: Sequence[_Segment], present: Collection[int]) -> _Segment:
    """Return one segment over the contents of several, without those that are gone."""
    postings: dict[bytes, list[int]] = defaultdict(list)
    documents = array("q")
    for segment in segments:
        renumbered: dict[int, int] = {}
        for place, number in enumerate(segment.documents):
            if number in present:
                renumbered[place] = len(documents)
                documents.append(number)
        for word_number, word in enumerate(segment.vocabulary.split(b"\n")[1:-1]):
            start, end = segment.posting_starts[word_number : word_number + 2]
            kept = [
                renumbered[place] for place in segment.postings[start:end] if place in renumbered
            ]
            if kept:
                postings[word] += kept

    def all_of(name: str) -> array[int]:
        return array("q", (n for s in segments for n in getattr(s, name) if n in present))

    return _pack(documents, postings, all_of("always"), all_of("partners"), all_of("binary"))


def _checksum(blobs: Iterable[bytes]) -> int:
    checksum = 0
    for blob in blobs:
        checksum = zlib.crc32(blob, checksum)
    return checksum


def _blob(value: bytes | array[int]) -> bytes:
    if isinstance(value, bytes):
        return value
    if sys.byteorder == "big":
        value = array(value.typecode, value)
        value.byteswap()
    return value.tobytes()


def _array(typecode: str, blob: bytes) -> array[int]:
    found: array[int] = array(typecode)
    found.frombytes(blob)
    if sys.byteorder == "big":
        found.byteswap()
    return found
