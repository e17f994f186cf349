"""What the file system tells of files: the public `Stat` and `Change`, and the internal rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from vshell.errors import CorruptError
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.record import Record

Kind = Literal["file", "directory", "symlink"]
Action = Literal["create", "write", "remove", "rename", "attributes"]


class _KindNames(dict[int, Kind]):
    def __missing__(self, code: int) -> Kind:
        raise CorruptError(
            f"something in the workspace is of the unknown kind {code}",
            hint="`vshell check` says what",
        )


KIND_NAMES: Final = _KindNames({FILE: "file", DIRECTORY: "directory", SYMLINK: "symlink"})
KIND_CODES: Final[dict[str, int]] = {name: code for code, name in KIND_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Stat(Record):
    """The metadata of a file, directory or symbolic link.

    Attributes:
        path: The path that was asked for, normalised.
        kind: `"file"`, `"directory"` or `"symlink"`.
        size: Bytes of content; of a link, of its target; 0 for a directory.
        mode: The twelve permission bits.
        mtime_ns: When the content last changed, in nanoseconds since 1970.
        ctime_ns: When anything last changed, in nanoseconds since 1970.
        nlink: How many names it has; of a directory, 2 and one for each directory in it.
        inode: Its number, which no other file of the workspace ever has.
        version: The revision that last changed the content; `expected_version` takes it.
        hash: Identifies the content: the SHA-256 in hex of files up to 256 KiB, a hash over
            the SHA-256 of 256 KiB chunks of larger ones; None for a directory.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    ctime_ns: int
    nlink: int
    inode: int
    version: int
    hash: str | None


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One thing that happened to one path: a row of the journal.

    Attributes:
        revision: The transaction that it belongs to; later ones have higher numbers.
        time_ns: When, in nanoseconds since 1970.
        session: Who.
        operation: In which operation, such as `"edit"`.
        action: `"create"`, `"write"`, `"remove"`, `"rename"` or `"attributes"`.
        path: The path; of a rename, the new one.
        old_path: The path before a rename, else None.
        kind: `"file"`, `"directory"` or `"symlink"`.
        before_hash: The content's hash before, in hex; None when there was none.
        after_hash: The content's hash after, in hex; None when there is none.
        before_mode: The permission bits before; None when the path was new.
        after_mode: The permission bits after; None when the path is gone.
    """

    revision: int
    time_ns: int
    session: str
    operation: str
    action: Action
    path: str
    old_path: str | None
    kind: Kind
    before_hash: str | None
    after_hash: str | None
    before_mode: int | None
    after_mode: int | None


class Inode(NamedTuple):
    """A row of `inode`, with its content's hash."""

    id: int
    kind: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    nlink: int
    content: int | None
    version: int
    hash: bytes | None


class EntryRow(NamedTuple):
    """One entry of a directory or a walk, by its full path."""

    path: str
    inode: int
    kind: int


class EntryDetails(NamedTuple):
    """One entry of a directory or a walk, by its full path, with its metadata."""

    path: str
    inode: int
    kind: int
    size: int
    mode: int
    mtime_ns: int
    content: int | None


class EntryStat(NamedTuple):
    """One entry of a directory or a walk, by its full path, with all that `stat` tells of it."""

    path: str
    inode: int
    kind: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    nlink: int


class Written(NamedTuple):
    """What a write did: the content before (None when the file was new) and after."""

    path: str
    created: bool
    before: bytes | None
    after: bytes
    size: int
    version: int
