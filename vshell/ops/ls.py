"""Listing one directory."""

from __future__ import annotations

from dataclasses import dataclass

from vshell.errors import RangeError
from vshell.fs.paths import PathLike, split
from vshell.fs.records import KIND_NAMES, EntryDetails, Kind
from vshell.fs.schema import SYMLINK
from vshell.limits import LIST_ENTRIES
from vshell.ops.context import Context
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class Entry(Record):
    """A file, directory or link, as listings have it.

    Attributes:
        path: Its path from the root.
        name: Its name.
        kind: `"file"`, `"directory"` or `"symlink"`.
        size: Bytes of content; of a link, of its target; 0 for a directory.
        mode: The twelve permission bits.
        mtime_ns: When the content last changed, in nanoseconds since 1970.
        target: What a link says; None for anything else.
    """

    path: str
    name: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    target: str | None


@dataclass(frozen=True, slots=True)
class LsResult(Record):
    """Entries of a directory, ordered by the bytes of their names.

    Attributes:
        path: The directory's path from the root.
        entries: The entries.
        total: How many the directory has.
        truncated: Whether there are more after these.
        next_offset: The offset to go on with; None at the end.
    """

    path: str
    entries: tuple[Entry, ...]
    total: int
    truncated: bool
    next_offset: int | None


def ls(
    context: Context, path: PathLike = "/", *, limit: int = LIST_ENTRIES, offset: int = 0
) -> LsResult:
    """List a directory.

    Args:
        path: The directory.
        limit: How many entries at most.
        offset: How many entries to pass over.

    Raises:
        RangeError: `limit` is less than 1 or `offset` negative.
        NotDirectoryError: It is no directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    check_page(limit, offset)
    with context.files.reading():
        found, total = context.files.list_directory(where, limit=limit, offset=offset)
        entries = tuple(entry_of(context, details) for details in found)
    end = offset + len(entries)
    more = end < total
    return LsResult(where, entries, total, more, end if more else None)


def entry_of(context: Context, details: EntryDetails) -> Entry:
    """Return the public form of an entry."""
    target = context.files.readlink(details.path) if details.kind == SYMLINK else None
    return Entry(
        details.path,
        split(details.path)[1],
        KIND_NAMES[details.kind],
        details.size,
        details.mode,
        details.mtime_ns,
        target,
    )


def check_page(limit: int | None, offset: int) -> None:
    """Make sure that a page can be cut.

    Raises:
        RangeError: `limit` is less than 1 or `offset` negative.
    """
    if limit is not None and limit < 1:
        raise RangeError(f"limit must be 1 or more, not {limit}")
    if offset < 0:
        raise RangeError(f"offset must not be negative, as {offset} is")
