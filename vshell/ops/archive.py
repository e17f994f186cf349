"""Tar archives: making, listing and extracting them.

Archives are POSIX tar (ustar, with pax headers where a name or a number needs them),
end after two blocks of zeros, and hold names, content, permission bits, times in whole
seconds, and links of both kinds. Owners are not kept: a workspace has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from vshell.errors import (
    IsDirectoryError,
    NotDirectoryError,
    OutputLimitError,
    PermissionDeniedError,
)
from vshell.fs.paths import PathLike, is_below, join, lexical, split
from vshell.fs.records import KIND_NAMES, EntryDetails, Kind, Stat
from vshell.ops.context import Context
from vshell.ops.tar_members import BLOCK_BYTES, MAX_MEMBERS, Member, read_members
from vshell.record import Record

_END: Final = bytes(2 * BLOCK_BYTES)
_WINDOW_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveEntry(Record):
    """A member of an archive.

    Attributes:
        path: Its name in the archive.
        kind: `"file"`, `"directory"`, `"symlink"`, or `"other"` for a device and the like. A
            hard link is a file.
        size: Bytes of content; 0 for all but files.
        target: What a symbolic link says; None for anything else.
    """

    path: str
    kind: Literal["file", "directory", "symlink", "other"]
    size: int
    target: str | None


@dataclass(frozen=True, slots=True)
class ArchiveResult(Record):
    """An archive that was made.

    Attributes:
        path: Its path from the root.
        entries: Its members, in their order.
        bytes: How many bytes it has.
    """

    path: str
    entries: tuple[ArchiveEntry, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class ExtractResult(Record):
    """What came out of an archive.

    Attributes:
        destination: The directory, from the root.
        entries: The members, in their order.
    """

    destination: str
    entries: tuple[ArchiveEntry, ...]


# Making.


def create_archive(context: Context, path: PathLike, sources: Iterable[PathLike]) -> ArchiveResult:
    """Pack files and directories, with all that is in them, into a new tar archive.

    Names in it are the paths from the root without the first slash. Symbolic links are
    packed as links. What two sources share is packed once, and the archive itself never.

    Args:
        path: The archive; a file there is replaced.
        sources: What to pack.

    Raises:
        NotFoundError: A source does not exist.
        OutputLimitError: There are more than 100,000 entries.
        QuotaExceededError: The archive would not fit.
        IsDirectoryError: A directory is at `path`.
    """
    where = context.resolve(path)
    with context.changing("create_archive"):
        members = _collect(context, where, [context.resolve(source) for source in sources])
        entries: list[ArchiveEntry] = []
        written = context.files.write(where, _pack(context, members, entries), parents=True)
    return ArchiveResult(written.path, tuple(entries), written.size)


@dataclass(frozen=True, slots=True)
class _Source:
    """What is packed: its name there, its path here, and what is known of it."""

    name: str
    path: str
    kind: Kind
    inode: int
    size: int
    mode: int
    mtime_ns: int


def _collect(context: Context, archive: str, sources: Sequence[str]) -> list[_Source]:
    files = context.files
    itself = files.stat(archive).inode if files.exists(archive) else None
    found: dict[str, _Source] = {}
    for path in sources:
        for source in _tree(context, path):
            if source.inode != itself or source.kind == "directory":
                found.setdefault(source.name, source)
        if len(found) > MAX_MEMBERS:
            raise OutputLimitError(
                f"the archive would have more than {MAX_MEMBERS} entries", hint="make several"
            )
    return list(found.values())


def _tree(context: Context, path: str) -> Iterator[_Source]:
    files = context.files
    top = files.stat(path, follow=False)
    name = lexical(path).lstrip("/")
    yield _source_of(name or ".", path, top)
    if top.kind != "directory":
        return
    # The walk gives paths without links; names are made of the path that was asked for.
    real = files.realpath(path)
    entries = files.walk_details(real)
    for entry in sorted(entries, key=lambda entry: entry.path.split("/")):
        relative = entry.path[len(real) :].lstrip("/")
        yield _source_below(f"{name}/{relative}".lstrip("/"), entry)


def _source_of(name: str, path: str, stat: Stat) -> _Source:
    return _Source(name, path, stat.kind, stat.inode, stat.size, stat.mode, stat.mtime_ns)


def _source_below(name: str, entry: EntryDetails) -> _Source:
    kind = KIND_NAMES[entry.kind]
    return _Source(name, entry.path, kind, entry.inode, entry.size, entry.mode, entry.mtime_ns)


def _pack(
    context: Context, sources: Iterable[_Source], entries: list[ArchiveEntry]
) -> Iterator[bytes]:
    names: dict[int, str] = {}
    for source in sources:
        first = names.setdefault(source.inode, source.name) if source.kind == "file" else ""
        linked = bool(first) and first != source.name
        target = context.files.readlink(source.path) if source.kind == "symlink" else ""
        yield _header(source, first if linked else target, linked=linked)
        size = source.size if source.kind == "file" else 0
        entries.append(ArchiveEntry(source.name, source.kind, size, target or None))
        if size and not linked:
            yield from context.files.pieces(source.path)
            yield bytes(-size % BLOCK_BYTES)
    yield _END


def _header(source: _Source, target: str, *, linked: bool) -> bytes:
    import tarfile

    info = tarfile.TarInfo(source.name)
    info.mode = source.mode
    info.mtime = source.mtime_ns // 10**9
    info.linkname = target
    if linked:
        info.type = tarfile.LNKTYPE
    elif source.kind == "file":
        info.size = source.size
    else:
        info.type = tarfile.DIRTYPE if source.kind == "directory" else tarfile.SYMTYPE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


# Listing.


def list_archive(context: Context, path: PathLike) -> tuple[ArchiveEntry, ...]:
    """Return the members of a tar archive, in their order.

    Args:
        path: The archive.

    Raises:
        DecodeError: It is no tar archive, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 members.
        UnavailableError: It has sparse files.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    with context.files.reading():
        return _entries(_Archive(context, where).members)


def _entries(members: Iterable[Member]) -> tuple[ArchiveEntry, ...]:
    sizes: dict[str, int] = {}
    entries: list[ArchiveEntry] = []
    for member in members:
        size = sizes.get(member.target, 0) if member.kind == "link" else member.size
        sizes[member.name] = size
        kind = "file" if member.kind == "link" else member.kind
        target = member.target if kind == "symlink" else None
        entries.append(ArchiveEntry(member.name, kind, size, target))
    return tuple(entries)


class _Archive:
    """The bytes of an archive, read in large steps, and its members."""

    def __init__(self, context: Context, path: str) -> None:
        self._files = context.files
        self._path = path
        self._start = 0
        self._window = b""
        size = context.files.stat(path).size
        self.members = list(read_members(self._read, size, path))

    def _read(self, offset: int, length: int) -> bytes:
        start = offset - self._start
        if start < 0 or start + length > len(self._window):
            self._window = self._files.read(self._path, offset, max(length, _WINDOW_BYTES))
            self._start, start = offset, 0
        return self._window[start : start + length]

    def content(self, member: Member) -> bytes | Iterator[bytes]:
        if member.size <= _PIECE_BYTES:
            return self._read(member.offset, member.size)
        return self._pieces(member)

    def _pieces(self, member: Member) -> Iterator[bytes]:
        for start in range(0, member.size, _PIECE_BYTES):
            length = min(_PIECE_BYTES, member.size - start)
            yield self._files.read(self._path, member.offset + start, length)


# Extracting.


def extract_archive(context: Context, path: PathLike, destination: PathLike) -> ExtractResult:
    """Unpack a tar archive into a directory: all of it, or nothing.

    Files that exist are replaced, directories kept. An archive is refused when a name in
    it is absolute, has `..` or occurs twice, when a link in it leads out of the
    destination, when anything would be put through a link, and when it has devices or
    other special files. An absolute link to a member of the archive leads to the
    extracted one.

    Args:
        path: The archive.
        destination: The directory; made when it is missing.

    Raises:
        PermissionDeniedError: The archive is unsafe, as described. `data["entry"]` says where.
        DecodeError: It is no tar archive, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 members.
        UnavailableError: It has sparse files.
        QuotaExceededError: Its content would not fit.
        IsDirectoryError: A directory is where a file would be put, or the archive is one.
        NotDirectoryError: A file is where a directory would be put.
        NotFoundError: It does not exist.
    """
    where, target = context.resolve(path), context.resolve(destination)
    with context.changing("extract_archive"):
        archive = _Archive(context, where)
        if context.files.exists(target) and context.files.stat(target).kind != "directory":
            raise NotDirectoryError(f"not a directory: {target}", path=target)
        context.files.mkdir(target, parents=True, exist_ok=True)
        _Extraction(context, archive, where, context.files.realpath(target)).run()
    return ExtractResult(target, _entries(archive.members))


class _Extraction:
    def __init__(self, context: Context, archive: _Archive, path: str, destination: str) -> None:
        self._files = context.files
        self._archive = archive
        self._path = path
        self._itself = context.files.realpath(path)
        self._destination = destination
        self._names = {member.name for member in archive.members}
        self._directories = {destination}
        self._done: dict[str, str] = {}

    def run(self) -> None:
        for member in self._archive.members:
            place = self._place(member)
            if place == self._destination and member.kind == "directory":
                continue
            self._make_directory(split(place)[0], member)
            if member.kind == "directory":
                self._directory(member, place)
            else:
                self._entry(member, place)
        # Last: what is put into a directory changes its time.
        for member in reversed(self._archive.members):
            place = self._place(member)
            if member.kind == "directory" and place != self._destination:
                self._files.utime(place, member.mtime_ns)

    def _place(self, member: Member) -> str:
        """Return where a member goes."""
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if member.name.startswith("/"):
            raise self._unsafe(member, "its name is absolute")
        if ".." in parts:
            raise self._unsafe(member, "its name has ..")
        if "\0" in member.name or not (parts or member.kind == "directory"):
            raise self._unsafe(member, "it has no name that a file could have")
        return join(self._destination, "/".join(parts)) if parts else self._destination

    def _make_directory(self, path: str, member: Member) -> None:
        """Make sure that a directory is there, and no link on the way to it."""
        missing: list[str] = []
        while path not in self._directories:
            missing.append(path)
            path = split(path)[0]
        for directory in reversed(missing):
            kind = self._kind(directory)
            if kind == "symlink":
                raise self._unsafe(member, f"the link {directory} is on its way")
            if kind == "file":
                raise NotDirectoryError(f"not a directory: {directory}", path=directory)
            if kind is None:
                self._files.mkdir(directory)
            self._directories.add(directory)

    def _directory(self, member: Member, place: str) -> None:
        if place in self._done:
            raise self._unsafe(member, "its name occurs twice")
        self._make_directory(place, member)
        self._files.chmod(place, member.mode & 0o777)

    def _entry(self, member: Member, place: str) -> None:
        if member.kind == "other":
            raise self._unsafe(member, "it is a device or another special file")
        if place in self._done:
            raise self._unsafe(member, "its name occurs twice")
        if place == self._itself:
            raise self._unsafe(member, "it would replace the archive itself")
        self._make_room(place, keep=member.kind == "file")
        if member.kind == "link":
            self._files.link(self._link_source(member), place)
        elif member.kind == "symlink":
            self._files.symlink(self._link_target(member, place), place)
        else:
            self._files.write(place, self._archive.content(member), mode=member.mode & 0o777)
        if member.kind != "link":
            self._files.utime(place, member.mtime_ns, follow=False)
        self._done[place] = member.kind

    def _make_room(self, place: str, *, keep: bool) -> None:
        """Remove what is there, but for a file with one name when a file replaces it."""
        kind = self._kind(place)
        if kind == "directory":
            raise IsDirectoryError(f"is a directory: {place}", path=place)
        if kind is None:
            return
        if kind == "symlink" or not keep or self._files.stat(place).nlink > 1:
            self._files.unlink(place)

    def _link_source(self, member: Member) -> str:
        parts = [part for part in member.target.split("/") if part not in ("", ".")]
        source = join(self._destination, "/".join(parts))
        if self._done.get(source) not in ("file", "link"):
            raise self._unsafe(member, f"no file before it has the name {member.target[:200]}")
        return source

    def _link_target(self, member: Member, place: str) -> str:
        target = member.target
        if target.startswith("/"):
            path = lexical(target)
            if is_below(path, self._destination):
                return target
            if path.lstrip("/") in self._names:
                return join(self._destination, path.lstrip("/"))
        elif _stays_inside(target, place.count("/") - self._destination.rstrip("/").count("/") - 1):
            return target
        raise self._unsafe(member, f"it leads out of the destination, to {target[:200]}")

    def _kind(self, path: str) -> Kind | None:
        if not self._files.exists(path, follow=False):
            return None
        return self._files.stat(path, follow=False).kind

    def _unsafe(self, member: Member, reason: str) -> PermissionDeniedError:
        return PermissionDeniedError(
            f"unsafe archive: {member.name[:200]}: {reason}: {self._path}",
            path=self._path,
            hint="nothing was extracted; look at it with listArchive",
            data={"entry": member.name},
        )


def _stays_inside(target: str, depth: int) -> bool:
    """Tell whether a relative target, seen from that many directories down, never leaves the top.

    A `..` after a name cannot be judged: the name may be a link itself.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return bool(target) and "\0" not in target and up <= depth and ".." not in parts[up:]
