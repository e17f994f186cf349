"""Tar as it is written to and read from a container, one member after the other.

What is read is hostile. So little of the format is understood: files, links and
directories with GNU's long names, which is what our own call of `tar` makes. Anything
else is passed over as a member without content
(https://www.gnu.org/software/tar/manual/html_node/Standard.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vshell.errors import CorruptError
from vshell.limits import MAX_PATH_BYTES

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)

_NAME_BYTES: Final = 100
_OCTAL_SIZE: Final = 8**11
_LONG_NAME: Final = b"L"
_LONG_TARGET: Final = b"K"
_EXTENDED: Final = b"x"
_GLOBAL: Final = b"g"
_FILES: Final = (b"0", b"\0")
_SYMLINK: Final = b"2"


class Member(NamedTuple):
    """One member; for a link, `size` is 0 and the target has its content."""

    name: bytes
    type: bytes
    size: int
    target: bytes

    @property
    def is_file(self) -> bool:
        return self.type in _FILES

    @property
    def is_symlink(self) -> bool:
        return self.type == _SYMLINK


def header(
    name: bytes,
    type: bytes,
    *,
    mode: int,
    mtime_ns: int,
    size: int = 0,
    target: bytes = b"",
    owner: tuple[int, int] = (0, 0),
) -> bytes:
    """Return the head of a member, with its long names before it."""
    parts = []
    for long, letter in ((target, _LONG_TARGET), (name, _LONG_NAME)):
        if len(long) > _NAME_BYTES:
            data = long + b"\0"
            parts.append(_block(b"././@LongLink", letter, mode=0, mtime_s=0, size=len(data)))
            parts.append(padded(data))
    seconds, nanoseconds = divmod(max(0, mtime_ns), 1_000_000_000)
    if nanoseconds:
        data = _record(b"mtime=%d.%09d\n" % (seconds, nanoseconds))
        parts.append(_block(b"././@PaxHeader", _EXTENDED, mode=0, mtime_s=0, size=len(data)))
        parts.append(padded(data))
    parts.append(
        _block(name, type, mode=mode, mtime_s=seconds, size=size, target=target, owner=owner)
    )
    return b"".join(parts)


def padding(size: int) -> bytes:
    """Return what stands between so many bytes of content and the next member."""
    return bytes(-size % BLOCK)


def padded(data: bytes) -> bytes:
    """Return content as it stands in a tar."""
    return data + padding(len(data))


def _block(
    name: bytes,
    type: bytes,
    *,
    mode: int,
    mtime_s: int,
    size: int,
    target: bytes = b"",
    owner: tuple[int, int] = (0, 0),
) -> bytes:
    block = bytearray(BLOCK)
    block[0 : min(len(name), _NAME_BYTES)] = name[:_NAME_BYTES]
    block[100:108] = b"%07o\0" % mode
    block[108:124] = b"%07o\0%07o\0" % owner
    block[124:136] = _number(size)
    block[136:148] = _number(mtime_s)
    block[148:156] = b" " * 8
    block[156:157] = type
    block[157 : 157 + min(len(target), _NAME_BYTES)] = target[:_NAME_BYTES]
    block[257:265] = b"ustar  \0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _record(text: bytes) -> bytes:
    """Return an extended header's record, whose length counts its own digits."""
    length = len(text) + 1
    while length != len(b"%d" % length) + 1 + len(text):
        length = len(b"%d" % length) + 1 + len(text)
    return b"%d %b" % (length, text)


def _number(value: int) -> bytes:
    if value < _OCTAL_SIZE:
        return b"%011o\0" % value
    return b"\x80" + value.to_bytes(11, "big")


class TarReader:
    """Reads members from pieces of a tar.

    Args:
        pieces: The tar.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()
        self._left = 0
        self._padding = 0

    def next(self) -> Member | None:
        """Return the next member; None at the end. What was not read of the last one is skipped.

        Raises:
            CorruptError: It is no tar, or ends too soon.
        """
        for _ in self.content():
            pass
        name = target = b""
        while True:
            block = self._take(BLOCK)
            if block is None or not block.strip(b"\0"):
                return None
            if int(_octal(block[148:156])) != sum(block) - sum(block[148:156]) + 8 * 32:
                raise CorruptError("the container sent a damaged archive")
            type, size = block[156:157], _octal(block[124:136])
            if type in (_LONG_NAME, _LONG_TARGET):
                text = self._long(size)
                name, target = (text, target) if type == _LONG_NAME else (name, text)
                continue
            if type in (_EXTENDED, _GLOBAL):
                self._left, self._padding = size, len(padding(size))
                for _ in self.content():
                    pass
                continue
            has_content = type in _FILES
            self._left = size if has_content else 0
            self._padding = len(padding(size)) if has_content else 0
            return Member(
                name or block[:_NAME_BYTES].rstrip(b"\0"),
                type,
                self._left,
                target or block[157 : 157 + _NAME_BYTES].rstrip(b"\0"),
            )

    def content(self) -> Iterator[bytes]:
        """Yield the content of the member that was read last.

        Raises:
            CorruptError: The tar ends in it.
        """
        while self._left:
            if not self._held and not self._more():
                raise CorruptError("the container sent an archive that ends too soon")
            piece = bytes(self._held[: self._left])
            del self._held[: len(piece)]
            self._left -= len(piece)
            yield piece
        if self._padding:
            self._take(self._padding)
            self._padding = 0

    def drain(self) -> None:
        """Take what is left, so that the sender can go on."""
        self._held.clear()
        for _ in self._pieces:
            pass

    def _long(self, size: int) -> bytes:
        if size > MAX_PATH_BYTES + 1:
            raise CorruptError("the container sent a name that is too long")
        text = self._take(size + len(padding(size)))
        if text is None:
            raise CorruptError("the container sent an archive that ends too soon")
        return text[:size].rstrip(b"\0")

    def _take(self, size: int) -> bytes | None:
        while len(self._held) < size:
            if not self._more():
                return None
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._held += piece
        return True


def _octal(field: bytes) -> int:
    """Return a number of a head.

    Raises:
        CorruptError: It is none, or negative.
    """
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    if not text:
        return 0
    if not text.isdigit():
        raise CorruptError("the container sent a damaged archive")
    try:
        return int(text, 8)
    except ValueError:
        raise CorruptError("the container sent a damaged archive") from None
