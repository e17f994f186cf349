"""Which contents can hold a text, without reading them.

The index is a list of segments (see search_segment.py), each over some contents: the
sorted vocabulary of their words, as one run of bytes, and for each word the contents
that have it.

A question is a text that a match must hold. Cut at what is no word byte, it says which
words a content must have: `x.read(` asks for a word that ends in `x`, and for the
word `read`. Words are found by searching the vocabulary's bytes, a hundredth of the
text. That is sound whatever the text is: bytes that hold the text hold its pieces, cut
at the same places. A pattern without any text may ask for words that match a part of it.

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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.fs.content import ContentStore
from vshell.fs.database import Database
from vshell.fs.search_segment import MAX_CONTENTS, Question, Segment, build, merge
from vshell.limits import MAX_TEXT_BYTES
from vshell.text.matching import text_bytes

__all__ = ["Answer", "Question", "SearchIndex"]

Progress = Callable[[int, int], None]
"""Called with how many contents are indexed, and how many there are."""

_FORMAT: Final = 2
_FOLD_CONTENTS: Final = 256
_FOLD_BYTES: Final = 4 * 1024**2
_SEGMENT_BYTES: Final = 64 * 1024**2
_MAX_SMALL_SEGMENTS: Final = 6
_SMALL_CONTENTS: Final = MAX_CONTENTS // 16
"""Segments of fewer contents are merged by searches, which must not take much memory: a merge
of 30,000 files of C takes 200 MB."""

_PART_POSTINGS: Final = 32 * 1024
"""How many postings are loaded at once: 64 KiB, which takes some 20 us."""

_UP_TO: Final = "index_up_to"


@dataclass(frozen=True, slots=True)
class Answer:
    """Which contents to search.

    Attributes:
        contents: Their numbers, of the indexed ones; None: all of them.
        up_to: Contents with higher numbers are not indexed, and to be searched too.
    """

    contents: set[int] | None
    up_to: int


_PARTS: Final = {
    "documents": "q",
    "vocabulary": "",
    "word_starts": "I",
    "posting_starts": "I",
    "always": "q",
    "partners": "q",
    "binary": "q",
}
"""What is loaded of a segment to search it, each with the type of its numbers."""

_POSTINGS: Final = "postings"


class _DamagedError(Exception):
    """A part of the index is not what was written."""


class SearchIndex:
    """The index of one database.

    Args:
        database: Where it is.
        content: Where the contents are.
    """

    def __init__(self, database: Database, content: ContentStore) -> None:
        self._database = database
        self._content = content
        self._loaded: dict[int, Segment] = {}

    def answer(self, question: Question) -> Answer:
        """Return which contents may hold what a question asks for."""
        up_to = self.indexed_up_to()
        if not (question.clauses or question.words) or not up_to:
            return Answer(None, up_to)
        contents: set[int] = set()
        try:
            for segment in self._segments():
                found = segment.find(question)
                if found is None:
                    return Answer(None, up_to)
                contents.update(found)
        except _DamagedError:
            return Answer(None, 0)
        return Answer(contents, up_to)

    def indexed_up_to(self) -> int:
        """Return the number of the last content that is in the index; 0 for none."""
        found = self._database.row("select value from setting where name = ?", (_UP_TO,))
        return int(found[0]) if found else 0

    def size_bytes(self) -> int:
        """Return how many bytes the index takes."""
        found = self._database.row("select coalesce(sum(length(data)), 0) from index_part")
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
        try:
            self._segments()
            return self._fold(max_bytes)
        except _DamagedError:
            self.drop()
            return self._fold(max_bytes)

    def _fold(self, max_bytes: int) -> bool:
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
        self._save(build(self._texts(batch)))
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
        self._merge(self._small_segments(MAX_CONTENTS // 4))

    def drop(self) -> None:
        """Forget the index; the next search reads everything."""
        self._database.run("delete from index_segment")
        self._database.run("delete from index_part")
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
        damaged = [
            f"search index: segment {number} is damaged"
            for (number,) in rows
            if not self._is_sound(number)
        ]
        return damaged or self._uncovered()

    def _uncovered(self) -> list[str]:
        """Return a sentence if a content that counts as indexed is in no segment."""
        covered: set[int] = set()
        for segment in self._segments():
            covered.update(segment.documents, segment.always, segment.binary)
        rows = self._database.rows("select id from content where id <= ?", (self.indexed_up_to(),))
        missing = [number for (number,) in rows if number not in covered]
        if not missing:
            return []
        return [f"search index: {len(missing)} contents are not in it, the first is {missing[0]}"]

    def _is_sound(self, number: int) -> bool:
        try:
            segment = self._load(number)
            end = segment.posting_starts[-1]
            return len(segment.places(0, end)) == end
        except _DamagedError:
            return False

    def _set_up_to(self, number: int) -> None:
        self._database.run("insert or replace into setting values (?, ?)", (_UP_TO, number))

    def _texts(self, sizes: dict[int, int]) -> Iterator[tuple[int, bytes | None]]:
        """Yield contents as `grep` searches them; None for those that are no text."""
        searched = [number for number, size in sizes.items() if size <= MAX_TEXT_BYTES]
        loaded = self._content.read_many(searched)
        for number in sizes:
            data = loaded.pop(number, None)
            yield number, b"" if data is None else text_bytes(data)

    def _save(self, segment: Segment) -> int:
        self._database.run(
            "insert into index_segment (format, contents) values (?, ?)",
            (_FORMAT, len(segment.documents)),
        )
        number = self._database.last_row_id()
        for name in _PARTS:
            self._save_part(number, name, 0, _blob(getattr(segment, name)))
        end = segment.posting_starts[-1]
        for part, start in enumerate(range(0, end, _PART_POSTINGS)):
            postings = segment.places(start, min(start + _PART_POSTINGS, end))
            self._save_part(number, _POSTINGS, part, _blob(array("H", postings)))
        return number

    def _save_part(self, segment: int, name: str, number: int, data: bytes) -> None:
        self._database.run(
            "insert into index_part (segment, name, number, checksum, data) values (?, ?, ?, ?, ?)",
            (segment, name, number, zlib.crc32(data), data),
        )

    def _small_segments(self, contents: int) -> list[tuple[int, int]]:
        """Return the segments of fewer contents, by number and size."""
        rows = self._database.rows("select id, contents from index_segment order by id")
        return [(number, count) for number, count in rows if count < contents]

    def _merge_small(self) -> None:
        """Join the small segments when they have become many."""
        small = self._small_segments(_SMALL_CONTENTS)
        if len(small) > _MAX_SMALL_SEGMENTS:
            self._merge(small)

    def _merge(self, small: Sequence[tuple[int, int]]) -> None:
        """Join segments, given by number and size, as many as one can hold."""
        joined: list[int] = []
        count = 0
        for number, contents in small:
            if count + contents > MAX_CONTENTS:
                break
            joined.append(number)
            count += contents
        if len(joined) < 2:
            return
        present = {row[0] for row in self._database.rows("select id from content")}
        merged = merge([self._load(number) for number in joined], present)
        for number in joined:
            self._database.run("delete from index_segment where id = ?", (number,))
            self._database.run("delete from index_part where segment = ?", (number,))
            self._loaded.pop(number, None)
        self._save(merged)

    # Loading.

    def _segments(self) -> list[Segment]:
        """Return all segments.

        Raises:
            _DamagedError: One of them is not what was written.
        """
        numbers = [row[0] for row in self._database.rows("select id from index_segment")]
        for gone in self._loaded.keys() - set(numbers):
            del self._loaded[gone]
        return [self._load(number) for number in numbers]

    def _load(self, number: int) -> Segment:
        known = self._loaded.get(number)
        if known is not None:
            return known
        rows = self._database.rows(
            "select name, checksum, data from index_segment join index_part on segment = ?1"
            " where index_segment.id = ?1 and format = ?2 and name <> ?3",
            (number, _FORMAT, _POSTINGS),
        )
        parts = {name: _checked(data, checksum) for name, checksum, data in rows}
        if parts.keys() != _PARTS.keys():
            raise _DamagedError
        numbers = {name: _array(code, parts[name]) for name, code in _PARTS.items() if code}
        if not numbers["posting_starts"]:
            raise _DamagedError
        segment = Segment(
            numbers["documents"],
            parts["vocabulary"],
            numbers["word_starts"],
            numbers["posting_starts"],
            _Postings(self, number),
            numbers["always"],
            numbers["partners"],
            numbers["binary"],
        )
        self._loaded[number] = segment
        return segment

    def load_postings(self, segment: int, part: int) -> array[int]:
        """Return some of a segment's postings."""
        row = self._database.row(
            "select checksum, data from index_part where segment = ? and name = ? and number = ?",
            (segment, _POSTINGS, part),
        )
        if row is None:
            raise _DamagedError
        return _array("H", _checked(row[1], row[0]))


class _Postings:
    """The postings of a stored segment, loaded as they are asked for."""

    def __init__(self, index: SearchIndex, segment: int) -> None:
        self._index = index
        self._segment = segment
        self._loaded: dict[int, array[int]] = {}

    def __call__(self, start: int, end: int) -> array[int]:
        found = array("H")
        while start < end:
            part, offset = divmod(start, _PART_POSTINGS)
            taken = self._part(part)[offset : offset + end - start]
            if not taken:
                raise _DamagedError
            found.extend(taken)
            start += len(taken)
        return found

    def _part(self, number: int) -> array[int]:
        known = self._loaded.get(number)
        if known is None:
            known = self._loaded[number] = self._index.load_postings(self._segment, number)
        return known


def _checked(data: object, checksum: int) -> bytes:
    if not isinstance(data, bytes) or zlib.crc32(data) != checksum:
        raise _DamagedError
    return data


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
