"""Gzip: compressing a file, and decompressing one without trust in what comes out."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vshell.errors import DecodeError, TooLargeError
from vshell.fs.paths import PathLike
from vshell.ops.context import Context
from vshell.record import Record

MAX_DECOMPRESSED_BYTES: Final = 1024**3
"""The largest file that comes out of a compressed one: gzip can hold a thousand times its size."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class CompressResult(Record):
    """A file that was compressed or decompressed.

    Attributes:
        path: The file that was read, from the root.
        destination: The file that was written, from the root.
        bytes: How many bytes were written.
    """

    path: str
    destination: str
    bytes: int


def compress(
    context: Context, path: PathLike, destination: PathLike | None = None
) -> CompressResult:
    """Write a file's content, compressed with gzip, to another file. It has no time stamp.

    Args:
        path: The file.
        destination: Where to; None is the same name with `.gz` added.

    Raises:
        IsDirectoryError: One of them is a directory.
        NotFoundError: The file does not exist.
        QuotaExceededError: It would not fit.
    """
    source = context.resolve(path)
    target = f"{source}.gz" if destination is None else context.resolve(destination)
    with context.changing("compress"):
        pieces = _compressed(context.files.pieces(source))
        written = context.files.write(target, pieces, parents=True)
    return CompressResult(source, written.path, written.size)


def decompress(
    context: Context, path: PathLike, destination: PathLike | None = None
) -> CompressResult:
    """Write the content of a gzip file to another file: all of it, or nothing.

    Args:
        path: The compressed file; of several members, all are decompressed.
        destination: Where to; None is the same name without `.gz`, which is the file itself
            when its name has no such end.

    Raises:
        DecodeError: It is no gzip file, is damaged, cut off, or followed by something else.
        TooLargeError: More than 1 GiB would come out.
        QuotaExceededError: It would not fit.
        IsDirectoryError: One of them is a directory.
        NotFoundError: The file does not exist.
    """
    source = context.resolve(path)
    bare = source[:-3] if source.lower().endswith(".gz") else source
    target = bare if destination is None else context.resolve(destination)
    with context.changing("decompress"):
        pieces = _decompressed(context.files.pieces(source), source)
        written = context.files.write(target, pieces, parents=True)
    return CompressResult(source, written.path, written.size)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _decompressed(pieces: Iterable[bytes], path: str) -> Iterator[bytes]:
    decompressor = None
    total = 0
    for piece in pieces:
        rest = piece
        while rest:
            if decompressor is None or decompressor.eof:
                if decompressor is not None and not rest.strip(b"\0"):
                    break  # tapes and block devices pad with zeros
                decompressor = zlib.decompressobj(wbits=_GZIP)
            data = _step(decompressor, rest, path)
            total += len(data)
            if total > MAX_DECOMPRESSED_BYTES:
                raise TooLargeError(
                    f"more than {MAX_DECOMPRESSED_BYTES} bytes would come out of {path}",
                    path=path,
                )
            yield data
            rest = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
    if decompressor is None or not decompressor.eof:
        raise _invalid(path, "it ends too early")


def _step(decompressor: zlib._Decompress, data: bytes, path: str) -> bytes:
    try:
        return decompressor.decompress(data, _PIECE_BYTES)
    except zlib.error:
        raise _invalid(path, "its data is none of that format") from None


def _invalid(path: str, reason: str) -> DecodeError:
    return DecodeError(f"not a whole gzip file: {reason}: {path}", path=path)
