"""What is between a workspace and an archive file of the host, whatever the archive's format."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Literal, NamedTuple

from vshell.errors import DecodeError, TooLargeError
from vshell.ops.tar_members import MAX_MEMBERS

PackedKind = Literal["file", "directory", "symlink", "link"]


class PackedEntry(NamedTuple):
    """One entry of an archive.

    Attributes:
        name: Its path in the archive.
        kind: What it is; `"link"` is one more name of an earlier file or link.
        size: Bytes of content; 0 for all but files.
        mode: The twelve permission bits.
        mtime_ns: When it last changed, in nanoseconds since 1970.
        target: Where a symbolic link leads to, or the earlier name that a `"link"` shares.
        pieces: Returns the content piece by piece; of an archive that is read, only until
            the next entry is asked for.
    """

    name: str
    kind: PackedKind
    size: int
    mode: int
    mtime_ns: int
    target: str
    pieces: Callable[[], Iterator[bytes]]


Unpacked = Generator[PackedEntry | str, None, None]
"""The entries of an archive; of one that is neither file, directory nor link, the name alone."""


def no_pieces() -> Iterator[bytes]:
    """Return the content of what has none."""
    return iter(())


def damaged(reason: str) -> DecodeError:
    """Return the error for an archive that contradicts itself."""
    return DecodeError(f"the archive is damaged: {reason}")


def check_count(count: int) -> None:
    """Make sure that an archive has no more entries than one may have.

    Raises:
        TooLargeError: It has more than 100,000.
    """
    if count > MAX_MEMBERS:
        raise TooLargeError(
            f"the archive has more than {MAX_MEMBERS} entries", hint="split it into several"
        )


def check_packed_bytes(packed: int, archive: int) -> None:
    """Make sure that entries do not share compressed bytes, as those of a bomb do.

    Deflate makes at most 1,032 bytes of one, so entries that lie side by side are bounded
    by the archive; entries that overlap are not.

    Raises:
        DecodeError: All together say that they have more bytes than the archive.
    """
    if packed > archive:
        raise damaged("its entries overlap")


def file_size(file: BinaryIO) -> int:
    """Return how many bytes a file has that can be positioned."""
    return file.seek(0, 2)
