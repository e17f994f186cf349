"""The members of a tar archive, read one header at a time and without trust.

The headers are decoded by Python's `tarfile`; the walk over them is our own, for every
number in an archive may be a lie: extended headers have a limit, data must lie within
the archive, and nothing that is not understood is passed over. Formats: POSIX ustar and
pax (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html), and GNU's long
names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from vshell.errors import DecodeError, TooLargeError, UnavailableError
from vshell.fs.paths import decode

MemberKind = Literal["file", "directory", "symlink", "link", "other"]

BLOCK_BYTES: Final = 512
MAX_MEMBERS: Final = 100_000
"""How many members an archive may have that is listed or extracted."""

_MAX_EXTENDED_BYTES: Final = 64 * 1024
"""The largest extended header: a path has at most 4,096 bytes."""

_KINDS: Final[dict[bytes, MemberKind]] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "link",
    b"2": "symlink",
    b"5": "directory",
}
_RECORD: Final = re.compile(rb"([1-9][0-9]{0,5}) ([^=]{1,200})=")
_SECONDS: Final = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Member:
    """One member.

    Attributes:
        name: Its name as it stands there, without slashes at the end.
        kind: `"link"` is a hard link, `"other"` a device or anything else.
        size: Bytes of content; 0 for all but files.
        mode: The twelve permission bits.
        mtime_ns: When it last changed, in nanoseconds since 1970.
        target: What a link of either kind leads to.
        offset: Where in the archive the content begins.
        owner: The names of its user and its group, or their numbers where it has no names.
        numbers: The numbers of its user and its group.
    """

    name: str
    kind: MemberKind
    size: int
    mode: int
    mtime_ns: int
    target: str
    offset: int
    owner: tuple[str, str] = ("root", "root")
    numbers: tuple[int, int] = (0, 0)


def read_members(read: Callable[[int, int], bytes], size: int, path: str) -> Iterator[Member]:
    """Yield the members of an archive.

    Args:
        read: Returns bytes of the archive, given an offset and a length.
        size: How many bytes it has.
        path: Its path, for errors.

    Raises:
        DecodeError: It is no tar archive, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 members, or a header of more than 64 KiB.
        UnavailableError: A member is sparse or spans several archives.
    """
    yield from _Reader(read, size, path).members()


class _Reader:
    def __init__(self, read: Callable[[int, int], bytes], size: int, path: str) -> None:
        self._read = read
        self._size = size
        self._path = path
        self._offset = 0
        self._defaults: dict[str, str] = {}

    def members(self) -> Iterator[Member]:
        count = 0
        while (member := self._next()) is not None:
            count += 1
            if count > MAX_MEMBERS:
                raise TooLargeError(
                    f"the archive has more than {MAX_MEMBERS} entries: {self._path}",
                    path=self._path,
                )
            yield member

    def _next(self) -> Member | None:
        """Return the next member with what extended headers before it say."""
        extended = dict(self._defaults)
        for _ in range(MAX_MEMBERS):
            header = self._header()
            if header is None:
                return None
            kind = header.type
            if kind in (b"x", b"X"):
                extended |= self._records(header.size)
            elif kind == b"g":
                self._defaults |= self._records(header.size)
                extended = self._defaults | extended
            elif kind in (b"L", b"K"):
                text = decode(self._extension(header.size).partition(b"\0")[0])
                extended["path" if kind == b"L" else "linkpath"] = text
            else:
                return self._member(header, extended)
        raise self._invalid("it has nothing but extended headers")

    def _header(self) -> _Header | None:
        import tarfile

        if self._offset == self._size:
            return None
        block = self._read(self._offset, BLOCK_BYTES)
        if len(block) == BLOCK_BYTES and not block.strip(b"\0"):
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError):
            if self._offset:
                raise self._invalid(f"the header at byte {self._offset} is damaged") from None
            raise DecodeError(
                f"not a tar archive: {self._path}",
                path=self._path,
                hint="decompress it first if it is compressed",
            ) from None
        self._offset += BLOCK_BYTES
        mtime = int(info.mtime)
        return _Header(
            info.name,
            info.type,
            info.size,
            info.mode,
            mtime,
            info.linkname,
            (info.uname, info.gname),
            (info.uid, info.gid),
        )

    def _member(self, header: _Header, extended: Mapping[str, str]) -> Member:
        kind = _KINDS.get(header.type, "other")
        if header.type in (b"S", b"M") or any(name.startswith("GNU.sparse") for name in extended):
            raise UnavailableError(
                f"the archive has sparse or split files: {self._path}",
                path=self._path,
                hint="make it without --sparse and --multi-volume",
            )
        size = self._number(extended.get("size"), header.size)
        if size and kind not in ("file", "other"):
            raise self._invalid(f"a {kind} in it has content")
        start = self._skip(size)
        name = extended.get("path", header.name).rstrip("/") or "."
        return Member(
            name,
            kind,
            size,
            header.mode & 0o7777,
            self._time(extended.get("mtime"), header.mtime),
            extended.get("linkpath", header.target) if kind in ("link", "symlink") else "",
            start,
            *self._owner(header, extended),
        )

    def _owner(
        self, header: _Header, extended: Mapping[str, str]
    ) -> tuple[tuple[str, str], tuple[int, int]]:
        user = self._number(extended.get("uid"), header.numbers[0])
        group = self._number(extended.get("gid"), header.numbers[1])
        names = (
            extended.get("uname", header.names[0]) or str(user),
            extended.get("gname", header.names[1]) or str(group),
        )
        return names, (user, group)

    def _skip(self, size: int) -> int:
        """Pass over content that must be there; return where it begins."""
        start = self._offset
        if size < 0 or size > self._size - start:
            raise self._invalid(f"it ends before the {size} bytes at byte {start}")
        self._offset = min(self._size, start + -(-size // BLOCK_BYTES) * BLOCK_BYTES)
        return start

    def _extension(self, size: int) -> bytes:
        if size > _MAX_EXTENDED_BYTES:
            raise TooLargeError(
                f"the archive has an extended header of {size} bytes: {self._path}",
                path=self._path,
            )
        return self._read(self._skip(size), size)

    def _records(self, size: int) -> dict[str, str]:
        data = self._extension(size)
        records: dict[str, str] = {}
        at = 0
        while at < len(data):
            found = _RECORD.match(data, at)
            end = at + int(found[1]) if found else 0
            if not found or end <= found.end() or data[end - 1 : end] != b"\n":
                raise self._invalid("an extended header is damaged")
            records[decode(found[2])] = decode(data[found.end() : end - 1])
            at = end
        return records

    def _number(self, text: str | None, otherwise: int) -> int:
        if text is None:
            return otherwise
        if not re.fullmatch("[0-9]{1,18}", text, re.ASCII):
            raise self._invalid("an extended header is damaged")
        return int(text)

    def _time(self, text: str | None, seconds: int) -> int:
        if text is None:
            # What does not fit into 64 bits of nanoseconds is no time of a file.
            return seconds * 10**9 if abs(seconds) < 2**33 else 0
        found = _SECONDS.fullmatch(text)
        if found is None or int(found[2]) >= 2**33:
            raise self._invalid("an extended header is damaged")
        nanoseconds = int(found[2]) * 10**9 + int((found[3] or "").ljust(9, "0")[:9])
        return -nanoseconds if found[1] else nanoseconds

    def _invalid(self, reason: str) -> DecodeError:
        return DecodeError(f"the archive is damaged: {reason}: {self._path}", path=self._path)


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    type: bytes
    size: int
    mode: int
    mtime: int
    target: str
    names: tuple[str, str]
    numbers: tuple[int, int]
