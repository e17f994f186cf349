"""Streams compressed and decompressed: gzip, bzip2 and xz, without trust in what comes in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from vshell.ops.compress import MAX_DECOMPRESSED_BYTES

_STEP_BYTES: Final = 256 * 1024
_XZ_MEMORY_BYTES: Final = 256 * 1024 * 1024


class BadStreamError(Exception):
    """What comes in is no whole stream of the format; the text says why."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way to compress.

    Attributes:
        name: Such as `"gzip"`.
        suffix: What the names of compressed files end in.
        magic: What compressed data begins with.
        compressor: Makes a compressor for a level.
        decompressor: Makes a decompressor.
        errors: What the library raises for bad data.
    """

    name: str
    suffix: str
    magic: bytes
    compressor: Callable[[int], Any]
    decompressor: Callable[[], Any]
    errors: Callable[[], tuple[type[Exception], ...]]


def _bzip2_compressor(level: int) -> Any:
    import bz2

    return bz2.BZ2Compressor(level)


def _bzip2_decompressor() -> Any:
    import bz2

    return bz2.BZ2Decompressor()


def _xz_compressor(level: int) -> Any:
    import lzma

    # The highest levels want hundreds of megabytes for a window that no small file fills.
    return lzma.LZMACompressor(preset=min(level, 6))


def _xz_decompressor() -> Any:
    import lzma

    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)


def _xz_errors() -> tuple[type[Exception], ...]:
    import lzma

    return (lzma.LZMAError, EOFError)


GZIP: Final = Format(
    "gzip",
    ".gz",
    b"\x1f\x8b",
    lambda level: zlib.compressobj(level, wbits=-zlib.MAX_WBITS),
    lambda: zlib.decompressobj(wbits=16 + zlib.MAX_WBITS),
    lambda: (zlib.error,),
)
BZIP2: Final = Format(
    "bzip2",
    ".bz2",
    b"BZh",
    _bzip2_compressor,
    _bzip2_decompressor,
    lambda: (OSError, ValueError, EOFError),
)
XZ: Final = Format("xz", ".xz", b"\xfd7zXZ\0", _xz_compressor, _xz_decompressor, _xz_errors)
FORMATS: Final = (GZIP, BZIP2, XZ)


def format_of(data: bytes) -> Format | None:
    """Return the format that data begins as, or None."""
    return next((each for each in FORMATS if data.startswith(each.magic)), None)


def compressed(
    pieces: Iterable[bytes], format: Format, level: int, *, name: bytes = b"", time: int = 0
) -> Iterator[bytes]:
    """Yield what pieces become; `name` and `time` stand in the head of gzip's streams."""
    compressor = format.compressor(level)
    if format is GZIP:
        yield from _gzip(pieces, compressor, level, name, time)
        return
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _gzip(
    pieces: Iterable[bytes], compressor: Any, level: int, name: bytes, time: int
) -> Iterator[bytes]:
    speed = 2 if level == 9 else 4 if level == 1 else 0
    flags = 8 if name else 0
    yield b"\x1f\x8b\x08" + struct.pack("<BLBB", flags, time & 0xFFFFFFFF, speed, 3)
    if name:
        yield name + b"\0"
    check, size = 0, 0
    for piece in pieces:
        check = zlib.crc32(piece, check)
        size += len(piece)
        yield compressor.compress(piece)
    yield compressor.flush() + struct.pack("<LL", check, size & 0xFFFFFFFF)


def decompressed(
    pieces: Iterable[bytes], format: Format, *, limit: int = MAX_DECOMPRESSED_BYTES
) -> Iterator[bytes]:
    """Yield what comes out of one or more streams, one after the other.

    Raises:
        BadStreamError: The data is none of the format, is cut off or damaged, or more than
            `limit` bytes would come out.
    """
    state = _Decompression(format, limit)
    for piece in pieces:
        yield from state.feed(piece)
    state.finish()


class _Decompression:
    def __init__(self, format: Format, limit: int) -> None:
        self._format = format
        self._errors = format.errors()
        self._decompressor: Any = None
        self._left = limit
        self._head = b""
        self._count = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        data = self._head + piece
        self._head = b""
        while data:
            if self._decompressor is None and not self._begin(data):
                return
            yield from self._drain(data)
            if not self._decompressor.eof:
                return
            data = self._decompressor.unused_data
            self._decompressor = None

    def _begin(self, data: bytes) -> bool:
        """Begin a stream, unless what follows the last one is padding."""
        magic = self._format.magic
        if len(data) < len(magic) and magic.startswith(data):
            self._head = data
            return False
        if not data.startswith(magic):
            if not self._count:
                raise BadStreamError(f"not in {self._format.name} format")
            if data.strip(b"\0"):
                raise BadStreamError("decompression OK, trailing garbage ignored")
            return False
        self._decompressor = self._format.decompressor()
        self._count += 1
        return True

    def _drain(self, data: bytes) -> Iterator[bytes]:
        """Yield all that comes out of a piece, a little at a time."""
        decompressor = self._decompressor
        while True:
            try:
                out = decompressor.decompress(data, _STEP_BYTES)
            except self._errors:
                raise BadStreamError("invalid compressed data--format violated") from None
            self._left -= len(out)
            if self._left < 0:
                raise BadStreamError("more than 1 GiB would come out")
            yield out
            if decompressor.eof:
                return
            if self._format is GZIP:
                data = decompressor.unconsumed_tail
                if not data:
                    return
            else:
                data = b""  # the others keep what they did not use
                if decompressor.needs_input:
                    return

    def finish(self) -> None:
        if self._decompressor is not None or not self._count:
            raise BadStreamError("unexpected end of file")
