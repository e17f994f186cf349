"""What `file` says of binary formats by their first bytes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

_ZIP_METHODS: Final = {0: "store", 8: "deflate", 9: "deflate64", 12: "bzip2", 14: "lzma"}
_JAVA: Final = {
    46: "Java 1.2", 47: "Java 1.3", 48: "Java 1.4", 49: "Java 1.5", 50: "Java 1.6", 51: "Java 1.7",
    52: "Java 1.8", 53: "Java SE 9", 54: "Java SE 10", 55: "Java SE 11", 56: "Java SE 12",
    57: "Java SE 13", 58: "Java SE 14", 59: "Java SE 15", 60: "Java SE 16", 61: "Java SE 17",
    62: "Java SE 18",
}  # fmt: skip
_SYSTEMS: Final = {0: "FAT filesystem (MS-DOS, OS/2, NT)", 3: "Unix", 7: "MacOS", 11: "NTFS (NT)"}
_SPEEDS: Final = {2: ", max compression", 4: ", max speed"}
_NAME, _EXTRA = 8, 4
"""Flags of gzip's header."""


def binary_format(data: bytes) -> str | None:
    """Return what content is by its first bytes; None when these say nothing."""
    for magic, describe in _FORMATS:
        if data.startswith(magic):
            return describe if isinstance(describe, str) else describe(data)
    if data[257:262] == b"ustar":
        return "POSIX tar archive (GNU)" if data[257:265] == b"ustar  \0" else "POSIX tar archive"
    return None


def _number(data: bytes, at: int, size: int, *, big: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "big" if big else "little")


def _png(data: bytes) -> str:
    if len(data) < 29:
        return "PNG image data"
    width, height = _number(data, 16, 4, big=True), _number(data, 20, 4, big=True)
    depth, color = data[24], data[25]
    colors = {0: "grayscale", 2: "/color RGB", 3: "colormap", 4: "gray+alpha", 6: "/color RGBA"}
    kind = colors.get(color, "unknown")
    shown = f"{depth}-bit{kind if kind.startswith('/') else ' ' + kind}"
    interlaced = "interlaced" if data[28] else "non-interlaced"
    return f"PNG image data, {width} x {height}, {shown}, {interlaced}"


def _gif(data: bytes) -> str:
    text = f"GIF image data, version {data[3:6].decode('ascii', 'replace')}"
    if len(data) < 10:
        return text
    return f"{text}, {_number(data, 6, 2)} x {_number(data, 8, 2)}"


def _elf(data: bytes) -> str:
    bits = {1: "32-bit", 2: "64-bit"}.get(data[4] if len(data) > 4 else 0, "unknown class")
    order = {1: "LSB", 2: "MSB"}.get(data[5] if len(data) > 5 else 0, "unknown order")
    return f"ELF {bits} {order} file"


def _zip(data: bytes) -> str:
    version, method = _number(data, 4, 2), _number(data, 8, 2)
    text = f"Zip archive data, at least v{version // 10}.{version % 10} to extract"
    known = _ZIP_METHODS.get(method)
    return f"{text}, compression method={known}" if known else text


def _gzip(data: bytes) -> str:
    text = "gzip compressed data"
    if len(data) < 18:
        return text
    flags, moment = data[3], _number(data, 4, 4)
    if flags & _NAME and not flags & _EXTRA:
        name = data[10:].partition(b"\0")[0].decode("utf-8", "replace")
        text += f', was "{name}"'
    if moment:
        text += f", last modified: {time.asctime(time.gmtime(moment))}"
    text += _SPEEDS.get(data[8], "")
    if data[9] in _SYSTEMS:
        text += f", from {_SYSTEMS[data[9]]}"
    return f"{text}, original size modulo 2^32 {_number(data, len(data) - 4, 4)}"


def _bzip2(data: bytes) -> str:
    level = data[3:4]
    return "bzip2 compressed data" + (f", block size = {level.decode()}00k" if level else "")


def _seven_zip(data: bytes) -> str:
    return f"7-zip archive data, version {data[6]}.{data[7]}" if len(data) > 7 else "data"


def _java(data: bytes) -> str:
    minor, major = _number(data, 4, 2, big=True), _number(data, 6, 2, big=True)
    if major < 45:
        return "data"  # a program for several processors of Apple's has the same first bytes
    name = f" ({_JAVA[major]})" if major in _JAVA else ""
    return f"compiled Java class data, version {major}.{minor}{name}"


def _pdf(data: bytes) -> str:
    version = re.match(rb"%PDF-(\d\.\d)", data)
    return f"PDF document, version {version[1].decode() if version else '1.0'}"


_FORMATS: Final[tuple[tuple[bytes, str | Callable[[bytes], str]], ...]] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\x7fELF", _elf),
    (b"%PDF-", _pdf),
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", "Zip archive data (empty)"),
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
    (b"\xfd7zXZ\x00", "XZ compressed data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard compressed data (v0.8+)"),
    (b"7z\xbc\xaf\x27\x1c", _seven_zip),
    (b"GIF8", _gif),
    (b"\xff\xd8\xff", "JPEG image data"),
    (b"SQLite format 3\x00", "SQLite 3.x database"),
    (b"\x00asm", "WebAssembly (wasm) binary module"),
    (b"\xca\xfe\xba\xbe", _java),
    (b"dex\n035\x00", "Dalvik dex file version 035"),
    (b"!<arch>\n", "current ar archive"),
    (b"070701", "ASCII cpio archive (SVR4 with no CRC)"),
    (b"070702", "ASCII cpio archive (SVR4 with CRC)"),
    (b"070707", "ASCII cpio archive (pre-SVR4 or odc)"),
    (b"-----BEGIN CERTIFICATE-----", "PEM certificate"),
    (b"OggS", "Ogg data"),
    (b"RIFF", "RIFF (little-endian) data"),
)
