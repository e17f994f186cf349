"""Immutable bytes, addressed by their hash and stored once.

Content of up to `INLINE_BYTES` is one row. Larger content is a list of chunks of
`CHUNK_BYTES`, so that a write in the middle stores one new chunk and a new list,
and a read in the middle loads one chunk. Both a list and a chunk can belong to
many contents: a hole of a gigabyte is one chunk of zeros.

The hash of one row is the SHA-256 of its bytes; that of a list is the SHA-256 over
the SHA-256 digests of its chunks after a fixed prefix, for then a write in the
middle hashes what it wrote and not the whole file. The size decides which of the
two it is, so equal bytes have equal hashes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from vshell.errors import CorruptError, TooLargeError
from vshell.fs.database import Database
from vshell.limits import CHUNK_BYTES, INLINE_BYTES, MAX_FILE_BYTES

Bytes = bytes | bytearray | memoryview

EMPTY_HASH: Final = hashlib.sha256(b"").digest()
_LIST_PREFIX: Final = b"vshell chunk list 1\n"


class Stored(NamedTuple):
    """Content in the store: `id` is None for no bytes at all, which need no row."""

    id: int | None
    hash: bytes
    size: int


EMPTY: Final = Stored(None, EMPTY_HASH, 0)


class _Chunk(NamedTuple):
    id: int
    hash: bytes


_NO_CHUNK: Final = _Chunk(0, b"")
"""Stands where a chunk is not stored yet."""


class ContentStore:
    """The contents of one database. Methods that store must run in a transaction."""

    new = ""
    """What the names of the tables that take new rows begin with; an overlay has its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Storing.

    def put(self, data: Bytes) -> Stored:
        """Store `data` and return where it is; storing it again costs a look-up."""
        size = len(data)
        if size > INLINE_BYTES:
            view = memoryview(data).cast("B")
            return self.put_chunks(
                view[start : start + CHUNK_BYTES] for start in range(0, size, CHUNK_BYTES)
            )
        if not size:
            return EMPTY
        digest = hashlib.sha256(data).digest()
        return Stored(self._insert(digest, size, data), digest, size)

    def put_stream(self, pieces: Iterable[Bytes]) -> Stored:
        """Store bytes that come in pieces of any size, holding no more than a chunk and a piece."""
        chunks = _regular(pieces)
        first = next(chunks, b"")
        second = next(chunks, b"")
        if len(first) + len(second) <= INLINE_BYTES:
            return self.put(first + second)

        def all_chunks() -> Iterator[bytes]:
            yield first
            yield second
            yield from chunks

        return self.put_chunks(chunk for chunk in all_chunks() if chunk)

    def put_chunks(self, chunks: Iterable[Bytes]) -> Stored:
        """Store content of more than `INLINE_BYTES`, given as its chunks of regular size."""
        stored: list[_Chunk] = []
        size = 0
        for chunk in chunks:
            size += len(chunk)
            _check_size(size)
            stored.append(self._put_chunk(chunk))
        return self._put_list(stored, size)

    def splice(self, base: Stored, offset: int, data: Bytes) -> Stored:
        """Return `base` with `data` written at `offset`; a gap before it reads as zeros."""
        size = max(base.size, offset + len(data))
        _check_size(size)
        if size <= INLINE_BYTES:
            buffer = bytearray(size)
            buffer[: base.size] = self.read(base)
            buffer[offset : offset + len(data)] = data
            return self.put(bytes(buffer))
        view = memoryview(data).cast("B")
        written = range(offset // CHUNK_BYTES, _chunk_count(offset + len(data)))
        chunks = self._resized(base, size, written)
        for position in written:
            start = position * CHUNK_BYTES
            length = min(CHUNK_BYTES, size - start)
            inside = max(offset, start)
            piece = view[inside - offset : start + length - offset]
            if len(piece) == length:
                chunks[position] = self._put_chunk(piece)
            else:
                buffer = bytearray(length)
                self._read_into(base, start, memoryview(buffer)[: max(0, base.size - start)])
                buffer[inside - start : inside - start + len(piece)] = piece
                chunks[position] = self._put_chunk(bytes(buffer))
        return self._put_list(chunks, size)

    def resize(self, base: Stored, size: int) -> Stored:
        """Return `base` cut or filled with zeros to `size` bytes."""
        _check_size(size)
        if size == base.size:
            return base
        if size <= INLINE_BYTES:
            return self.put(self.read(base, 0, size).ljust(size, b"\0"))
        return self._put_list(self._resized(base, size), size)

    # Reading.

    def read(self, stored: Stored, offset: int = 0, length: int | None = None) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        end = stored.size if length is None else min(stored.size, offset + length)
        if offset >= end or stored.id is None:
            return b""
        if stored.size <= INLINE_BYTES:
            data = self.read_inline(stored.id)
            return data if end - offset == stored.size else data[offset:end]
        # No memory is taken for chunks that are not there. The bytes are read straight into
        # the object that is returned: joining chunks would copy a large file twice.
        chunks = self._chunk_ids(stored, offset, end - offset)
        target = io.BytesIO()
        target.seek(end - offset - 1)
        target.write(b"\0")
        with target.getbuffer() as view:
            self._fill(view, chunks, offset % CHUNK_BYTES)
        return target.getvalue()

    def read_inline(self, content: int) -> bytes:
        """Return the bytes of content that is known to be one row."""
        found = self._database.row("select data from content where id = ?", (content,))
        if found is None or found[0] is None:
            raise CorruptError("content is missing", hint="`vshell check` says which files lost it")
        data: bytes = found[0]
        return data

    def read_many(self, contents: Iterable[int]) -> dict[int, bytes]:
        """Return the bytes of many contents by their ids, with two statements at most."""
        found = self._database.rows(
            "select c.id, c.data from json_each(?) j cross join content c on c.id = j.value",
            (_json_list(sorted(set(contents))),),
        )
        loaded: dict[int, bytes] = dict(found)
        large: dict[int, list[bytes]] = {content: [] for content, data in found if data is None}
        if large:
            chunks = self._database.rows(
                "select k.content, chunk.data from json_each(?) j"
                " cross join content_chunk k on k.content = j.value"
                " cross join chunk on chunk.id = k.chunk order by k.content, k.position",
                (_json_list(large),),
            )
            for content, data in chunks:
                large[content].append(data)
            loaded |= {content: b"".join(pieces) for content, pieces in large.items()}
        return loaded

    def pieces(self, stored: Stored) -> Iterator[bytes]:
        """Yield the bytes in pieces of at most a chunk."""
        for start in range(0, stored.size, CHUNK_BYTES):
            yield self.read(stored, start, CHUNK_BYTES)

    def find(self, content: int | None) -> Stored:
        """Return what is known of the content with that id."""
        if content is None:
            return EMPTY
        found = self._database.row("select hash, size from content where id = ?", (content,))
        if found is None:
            raise CorruptError("content is missing", hint="`vshell check` says which files lost it")
        return Stored(content, *found)

    def find_hash(self, content_hash: bytes) -> Stored | None:
        """Return the content with that hash, if it is stored."""
        found = self._database.row("select id, size from content where hash = ?", (content_hash,))
        return Stored(found[0], content_hash, found[1]) if found else None

    def hashes(self, contents: Iterable[int]) -> dict[int, bytes]:
        """Return the hashes of stored contents by their ids."""
        found = self._database.rows(
            "select c.id, c.hash from json_each(?) j cross join content c on c.id = j.value",
            (_json_list(contents),),
        )
        return dict(found)

    # Rows.

    def _insert(self, digest: bytes, size: int, data: Bytes | None) -> int:
        return self._add(
            f"insert or ignore into {self.new}content (hash, size, data) values (?, ?, ?)",
            (digest, size, data),
            "select id from content where hash = ?",
        )

    def _put_chunk(self, data: Bytes) -> _Chunk:
        digest = hashlib.sha256(data).digest()
        chunk = self._add(
            f"insert or ignore into {self.new}chunk (hash, data) values (?, ?)",
            (digest, data),
            "select id from chunk where hash = ?",
        )
        return _Chunk(chunk, digest)

    def _add(self, insert: str, values: tuple[Any, ...], find: str) -> int:
        """Insert a row and return its id, or that of the row with the same hash."""
        database = self._database
        database.run(insert, values)
        if database.changed_rows():
            return database.last_row_id()
        found = database.row(find, (values[0],))
        assert found is not None
        known: int = found[0]
        return known

    def _put_list(self, chunks: list[_Chunk], size: int) -> Stored:
        digest = list_hash(chunk.hash for chunk in chunks)
        database = self._database
        known = database.row("select id from content where hash = ?", (digest,))
        if known:
            return Stored(known[0], digest, size)
        content = self._insert(digest, size, None)
        database.run_many(
            f"insert into {self.new}content_chunk (content, position, chunk) values (?, ?, ?)",
            ((content, position, chunk.id) for position, chunk in enumerate(chunks)),
        )
        return Stored(content, digest, size)

    def _resized(self, base: Stored, size: int, written: range = range(0)) -> list[_Chunk]:
        """Return the chunks of `base` as they are when it has `size` bytes.

        Those in `written` are for the caller to fill: no chunk is stored that nothing needs.
        """
        count = _chunk_count(size)
        chunks = self._chunks(base)[:count]
        last = len(chunks) - 1
        chunks += [_NO_CHUNK] * (count - len(chunks))
        holes: dict[int, _Chunk] = {}
        for position in range(max(0, last), count):
            if position in written:
                continue
            start = position * CHUNK_BYTES
            length = min(CHUNK_BYTES, size - start)
            if position > last:
                if length not in holes:
                    holes[length] = self._put_chunk(bytes(length))
                chunks[position] = holes[length]
            elif chunks[position] is _NO_CHUNK or length != min(CHUNK_BYTES, base.size - start):
                # The last chunk that is kept ends in another place now.
                data = self.read(base, start, length).ljust(length, b"\0")
                chunks[position] = self._put_chunk(data)
        return chunks

    def _chunks(self, stored: Stored) -> list[_Chunk]:
        """Return the chunks that content has, or would have if it were larger."""
        if stored.size <= INLINE_BYTES:
            return [_NO_CHUNK] * _chunk_count(stored.size)
        found = self._database.rows(
            "select chunk.id, chunk.hash from content_chunk join chunk on chunk.id = chunk"
            " where content = ? order by position",
            (stored.id,),
        )
        if len(found) != _chunk_count(stored.size):
            raise _chunks_missing()
        return [_Chunk(*row) for row in found]

    def _read_into(self, stored: Stored, offset: int, target: memoryview) -> None:
        if stored.id is None or not target:
            return
        if stored.size <= INLINE_BYTES:
            target[:] = self.read_inline(stored.id)[offset : offset + len(target)]
            return
        chunks = self._chunk_ids(stored, offset, len(target))
        self._fill(target, chunks, offset % CHUNK_BYTES)

    def _chunk_ids(self, stored: Stored, offset: int, length: int) -> list[int]:
        """Return the chunks in which a part of large content is."""
        first, last = offset // CHUNK_BYTES, (offset + length - 1) // CHUNK_BYTES
        found = self._database.rows(
            "select chunk from content_chunk where content = ? and position between ? and ?"
            " order by position",
            (stored.id, first, last),
        )
        if len(found) != last - first + 1:
            raise _chunks_missing()
        return [chunk for (chunk,) in found]

    def _fill(self, target: memoryview, chunks: list[int], inside: int) -> None:
        """Read bytes of chunks one after the other, from a place inside the first on."""
        done = 0
        for chunk in chunks:
            length = min(CHUNK_BYTES - inside, len(target) - done)
            self._read_chunk(chunk, target[done : done + length], inside)
            done += length
            inside = 0

    def _read_chunk(self, chunk: int, target: memoryview, offset: int) -> None:
        self._database.read_blob("chunk", chunk, target, offset=offset)


def list_hash(hashes: Iterable[bytes]) -> bytes:
    """Return the hash of content that is a list of chunks with these hashes."""
    digest = hashlib.sha256(_LIST_PREFIX)
    for chunk_hash in hashes:
        digest.update(chunk_hash)
    return digest.digest()


def hash_of(data: Bytes) -> bytes:
    """Return the hash that `data` has, or would have, in the store."""
    if len(data) <= INLINE_BYTES:
        return hashlib.sha256(data).digest()
    view = memoryview(data).cast("B")
    return list_hash(
        hashlib.sha256(view[start : start + CHUNK_BYTES]).digest()
        for start in range(0, len(view), CHUNK_BYTES)
    )


def _json_list(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def hash_pieces(pieces: Iterable[Bytes]) -> tuple[bytes, int]:
    """Return the hash and the size that content in pieces of any size would have in the store."""
    chunks: list[bytes] = []
    small = bytearray()
    size = 0
    for chunk in _regular(pieces):
        size += len(chunk)
        if size <= INLINE_BYTES:
            small += chunk
        chunks.append(hashlib.sha256(chunk).digest())
    if size <= INLINE_BYTES:
        return hashlib.sha256(small).digest(), size
    return list_hash(chunks), size


def _chunk_count(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _chunks_missing() -> CorruptError:
    return CorruptError("chunks are missing", hint="`vshell check` says which files lost them")


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise TooLargeError(
            f"a file of {size} bytes is over the limit of {MAX_FILE_BYTES}",
            hint="split it into several files",
        )


def _regular(pieces: Iterable[Bytes]) -> Iterator[bytes]:
    """Yield the same bytes in chunks of regular size."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer[:CHUNK_BYTES])
            del buffer[:CHUNK_BYTES]
    if buffer:
        yield bytes(buffer)
