from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fs.workspaces import change, raw, write
from vshell.errors import CorruptError, TooLargeError
from vshell.fs.content import (
    EMPTY,
    ContentStore,
    hash_of,
    list_hash,
)
from vshell.fs.filesystem import FileSystem
from vshell.limits import CHUNK_BYTES, INLINE_BYTES, MAX_FILE_BYTES

# Around every edge at which content changes its form.
EDGES = [
    0,
    1,
    INLINE_BYTES - 1,
    INLINE_BYTES,
    INLINE_BYTES + 1,
    2 * CHUNK_BYTES - 1,
    2 * CHUNK_BYTES,
    2 * CHUNK_BYTES + 1,
    3 * CHUNK_BYTES + 17,
]
SIZES = st.sampled_from(EDGES) | st.integers(0, 3 * CHUNK_BYTES)


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes of which no two chunks are equal, made quickly."""
    unit = hashlib.sha256(seed.to_bytes(8, "big")).digest()
    blocks = -(-size // 4096)
    return b"".join(unit * 127 + index.to_bytes(32, "big") for index in range(blocks))[:size]


@pytest.fixture
def content(files: FileSystem) -> Iterator[ContentStore]:
    """The contents of a workspace with an open transaction."""
    with files.transaction():
        yield files.store.content


@pytest.mark.parametrize("size", EDGES)
def test_what_is_put_is_read(content: ContentStore, size: int) -> None:
    data = pattern(size)
    stored = content.put(data)
    assert (stored.size, content.read(stored)) == (size, data)


@pytest.mark.parametrize("size", EDGES)
def test_the_same_bytes_are_the_same_content(content: ContentStore, size: int) -> None:
    data = pattern(size)
    assert content.put(data) == content.put(bytearray(data)) == content.put(memoryview(data))


@pytest.mark.parametrize("size", EDGES)
def test_the_hash_is_the_one_that_hash_of_foretells(content: ContentStore, size: int) -> None:
    data = pattern(size)
    assert content.put(data).hash == hash_of(data) == hash_of(memoryview(data))


def test_the_hash_of_small_content_is_its_sha_256() -> None:
    data = pattern(INLINE_BYTES)
    assert hash_of(data) == hashlib.sha256(data).digest()


def test_the_hash_of_large_content_is_the_documented_one() -> None:
    data = pattern(INLINE_BYTES + 1)
    chunks = hashlib.sha256(data[:CHUNK_BYTES]).digest() + hashlib.sha256(data[-1:]).digest()
    assert hash_of(data) == hashlib.sha256(b"vshell chunk list 1\n" + chunks).digest()


def test_nothing_needs_no_row(content: ContentStore) -> None:
    assert content.put(b"") is EMPTY


@pytest.mark.parametrize("size", EDGES)
def test_pieces_are_the_whole_in_chunks(content: ContentStore, size: int) -> None:
    data = pattern(size)
    pieces = list(content.pieces(content.put(data)))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= CHUNK_BYTES for piece in pieces)


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("piece", [1000, 4096, CHUNK_BYTES, CHUNK_BYTES + 1, 10 * CHUNK_BYTES])
def test_a_stream_is_stored_as_its_bytes_are(content: ContentStore, size: int, piece: int) -> None:
    data = pattern(size)
    pieces = (data[start : start + piece] for start in range(0, size, piece))
    assert content.put_stream(pieces) == content.put(data)


def test_empty_pieces_in_a_stream_mean_nothing(content: ContentStore) -> None:
    assert content.put_stream([b"", b"a", b"", b"b", b""]) == content.put(b"ab")
    assert content.put_stream([b""]) is EMPTY
    assert content.put_stream([]) is EMPTY


def test_a_stream_is_taken_piece_by_piece(content: ContentStore) -> None:
    held = 0
    most = 0

    def pieces() -> Iterator[bytes]:
        nonlocal held, most
        for index in range(40):
            stored = content._database.row("select count(*) from chunk")
            assert stored is not None
            most = max(most, index - stored[0])
            yield index.to_bytes(8, "big") * (CHUNK_BYTES // 8)

    content.put_stream(pieces())
    assert most <= 3


@pytest.mark.parametrize("size", EDGES)
def test_a_range_is_the_slice(content: ContentStore, size: int) -> None:
    data = pattern(size)
    stored = content.put(data)
    for offset in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, size - 1, size, size + 9]:
        for length in [0, 1, 17, CHUNK_BYTES, CHUNK_BYTES + 1, size + 10]:
            if offset >= 0:
                assert content.read(stored, offset, length) == data[offset : offset + length]


@given(
    base=SIZES,
    changes=st.lists(
        st.tuples(st.just("splice"), SIZES, SIZES)
        | st.tuples(st.just("resize"), SIZES, st.just(0)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=150)
def test_splices_and_resizes_do_what_they_do_to_a_bytearray(
    model_content: ContentStore, base: int, changes: list[tuple[str, int, int]]
) -> None:
    model = bytearray(pattern(base))
    stored = model_content.put(bytes(model))
    for seed, (kind, where, size) in enumerate(changes, 1):
        if kind == "splice":
            data = pattern(size, seed)
            stored = model_content.splice(stored, where, data)
            model.extend(bytes(max(0, where + size - len(model))))
            model[where : where + size] = data
        else:
            stored = model_content.resize(stored, where)
            del model[where:]
            model.extend(bytes(where - len(model)))
        assert stored.size == len(model)
        assert model_content.read(stored) == model
        assert stored.hash == hash_of(bytes(model))


@pytest.fixture(scope="module")
def model_content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContentStore]:
    """One store for all examples: what one leaves in it must not matter to the next."""
    files = FileSystem(str(tmp_path_factory.mktemp("content") / "model.db"))
    with files.transaction():
        yield files.store.content
    files.close()


def test_a_write_in_the_middle_stores_one_chunk(content: ContentStore) -> None:
    stored = content.put(pattern(8 * CHUNK_BYTES))
    before = _chunks(content)
    content.splice(stored, 3 * CHUNK_BYTES + 5, b"changed")
    assert _chunks(content) == before + 1


def test_appending_leaves_no_chunk_that_nothing_needs(content: ContentStore) -> None:
    stored = content.put(pattern(INLINE_BYTES))
    for index in range(5):
        stored = content.splice(stored, stored.size, pattern(1000, index))
    assert _unneeded_chunks(content) == 0


def test_writing_far_behind_the_end_leaves_no_chunk_that_nothing_needs(
    content: ContentStore,
) -> None:
    content.splice(content.put(b"start"), 5 * CHUNK_BYTES + 3, b"end")
    assert _unneeded_chunks(content) == 0


def test_a_hole_of_a_gigabyte_is_one_chunk(content: ContentStore) -> None:
    stored = content.resize(EMPTY, 1 << 30)
    assert _chunks(content) == 1
    assert content.read(stored, (1 << 30) - 10, 20) == bytes(10)


def test_equal_chunks_of_different_contents_are_stored_once(content: ContentStore) -> None:
    shared = pattern(2 * CHUNK_BYTES)
    content.put(shared + b"one")
    content.put(shared + b"two")
    assert _chunks(content) == 4


def test_content_over_the_limit_is_refused(content: ContentStore) -> None:
    with pytest.raises(TooLargeError):
        content.resize(EMPTY, MAX_FILE_BYTES + 1)
    with pytest.raises(TooLargeError):
        content.splice(EMPTY, MAX_FILE_BYTES, b"x")


@pytest.mark.parametrize(
    "damage",
    [
        "delete from chunk where id = 2",
        "update chunk set data = x'00' where id = 2",
        "delete from content_chunk where position = 1",
        "delete from content where size > 100",
    ],
)
def test_lost_bytes_are_an_error_and_never_other_bytes(
    files: FileSystem, database: Path, damage: str
) -> None:
    write(files, "/large", pattern(3 * CHUNK_BYTES))
    with raw(database) as connection:
        connection.execute(damage)
    with pytest.raises(CorruptError):
        files.read("/large")


def test_nothing_is_built_on_a_list_with_a_lost_chunk(files: FileSystem, database: Path) -> None:
    write(files, "/large", pattern(4 * CHUNK_BYTES))
    with raw(database) as connection:
        connection.execute("delete from chunk where id = 2")
    with pytest.raises(CorruptError):
        change(files, lambda: files.append("/large", b"more"))


def test_a_lost_small_content_is_an_error(files: FileSystem, database: Path) -> None:
    write(files, "/small", b"text")
    with raw(database) as connection:
        connection.execute("delete from content")
    with pytest.raises(CorruptError):
        files.read("/small")


def test_content_that_was_never_stored_is_not_found(content: ContentStore) -> None:
    with pytest.raises(CorruptError):
        content.find(4711)
    assert content.find(None) is EMPTY


def test_what_find_says_is_what_put_said(content: ContentStore) -> None:
    stored = content.put(pattern(INLINE_BYTES + 1))
    assert content.find(stored.id) == stored


def test_list_hash_is_that_of_the_order(content: ContentStore) -> None:
    assert list_hash([b"a" * 32, b"b" * 32]) != list_hash([b"b" * 32, b"a" * 32])


def test_a_view_of_wider_items_is_stored_as_its_bytes(files: FileSystem) -> None:
    view = memoryview(bytes(range(8))).cast("I")
    change(files, lambda: files.write("/a", view))
    assert files.read("/a") == bytes(range(8))
    assert files.stat("/a").size == 8


def test_a_view_with_gaps_is_stored_as_what_it_shows(files: FileSystem) -> None:
    view = memoryview(b"abcdef")[::2]
    change(files, lambda: (files.write("/a", view), files.append("/a", view)))
    assert files.read("/a") == b"aceace"


def _chunks(content: ContentStore) -> int:
    found = content._database.row("select count(*) from chunk")
    assert found is not None
    count: int = found[0]
    return count


def _unneeded_chunks(content: ContentStore) -> int:
    found = content._database.row(
        "select count(*) from chunk where id not in (select chunk from content_chunk)"
    )
    assert found is not None
    count: int = found[0]
    return count
