"""A tree of the workspace as one file of the host, both ways, and a copy of the whole workspace."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import BinaryIO, Final, Literal

from vshell.errors import IsDirectoryError, NotRegularError, PermissionDeniedError, UnavailableError
from vshell.fs.bulk import BulkMerge, content_pieces
from vshell.fs.paths import PathLike, decode, split
from vshell.fs.records import KIND_NAMES, EntryDetails
from vshell.fs.schema import DIRECTORY
from vshell.fs.sqlar import MAX_ROW_BYTES
from vshell.host import HostPath, identity
from vshell.ops.context import Context, Versions
from vshell.ops.exporting import ExportItem, export_items
from vshell.ops.packing_members import PackedEntry, PackedKind, Unpacked, no_pieces
from vshell.ops.packing_sqlar import pack_sqlar, unpack_sqlar
from vshell.ops.packing_tar import pack_tar, pack_tar_gz, unpack_tar, unpack_tar_gz
from vshell.ops.packing_zip import pack_zip, unpack_zip
from vshell.ops.transfer import make_directory, open_workspaces, translated_host_errors
from vshell.ops.transfer_result import Tally, TransferResult
from vshell.ops.unpacking import Unpacker

__all__ = ["ArchiveFormat", "backup", "export_archive", "import_archive"]

ArchiveFormat = Literal["tar", "tar.gz", "zip", "sqlar"]

_SUFFIXES: Final[tuple[tuple[str, ArchiveFormat], ...]] = (
    (".tar", "tar"),
    (".tar.gz", "tar.gz"),
    (".tgz", "tar.gz"),
    (".zip", "zip"),
    (".sqlar", "sqlar"),
)
_SOURCE: Final = "the archive on the host"
_TARGET: Final = "the target on the host"


def export_archive(
    context: Context,
    target: HostPath,
    *,
    source: PathLike = "/",
    format: ArchiveFormat | None = None,
) -> TransferResult:
    """Pack a directory of the workspace into one file of the host, as it is at one moment.

    Names in the archive are relative to the source, which is not in it itself. Modes,
    times and symbolic links are kept; the times to the nanosecond in tar and to the
    second in the others. Hard links are kept in tar and become copies in the others.

    The file appears at the target when it is complete and on the disk, readable by its
    owner only; a file or a link that was there before is replaced.

    What the format cannot hold is skipped and reported: names that are no UTF-8 in zip
    and sqlar, and in sqlar files of nearly a gigabyte and more.

    Args:
        target: The file on the host.
        source: The directory in the workspace, or a single file.
        format: `"tar"`, `"tar.gz"`, `"zip"`, or `"sqlar"` for a SQLite archive; None
            takes it from the ending of the target: `.tar`, `.tar.gz` or `.tgz`, `.zip`,
            `.sqlar`.

    Raises:
        NotFoundError: The source does not exist, or the target's directory.
        UnavailableError: There is no such format, or the host failed, for example because
            its disk is full.
        IsDirectoryError: The target is a directory.
        NotRegularError: The target is a device, a FIFO or a socket.
        PermissionDeniedError: The host does not allow it, or the target belongs to a
            workspace that is open.
        CorruptError: The workspace holds names that cannot be.
    """
    chosen = _format(target, format)
    where = context.resolve(source)
    files = context.files
    tally = Tally(None, None)
    with files.reading():
        top = files.realpath(where)
        inode = files.store.tree.inode(files.stat(top).inode)
        if inode.kind == DIRECTORY:
            items = export_items(files.walk_details(top), top)
        else:
            details = EntryDetails(
                top, inode.id, inode.kind, inode.size, inode.mode, inode.mtime_ns, inode.content
            )
            name = split(where)[1]
            items = [ExportItem(name, "", name, details)]
        _check_target(target)
        with translated_host_errors(_TARGET), _new_file(target) as (path, file):
            entries = _packed(context, items, tally, chosen)
            if chosen == "sqlar":
                pack_sqlar(path, entries)
            else:
                _PACKERS[chosen](file, entries)
    return tally.result()


def import_archive(
    context: Context,
    source: HostPath,
    destination: PathLike = "/",
    *,
    format: ArchiveFormat | None = None,
    expected_version: Versions | None = None,
) -> TransferResult:
    """Unpack an archive of the host into the workspace, all of it or nothing.

    Files and links that are there already are replaced, directories are merged, and what
    the archive does not have stays. An entry that is the archive's top gives its mode and
    its time to `destination`. Symbolic links are taken as they are: wherever they lead,
    it is in the workspace.

    An archive is refused when a name in it is absolute, has `..`, or occurs twice other
    than as a directory; when anything would be put through a link; when a hard link has
    no earlier file; and when it has devices or other special files.

    Args:
        source: The file on the host. Links on the way to it are followed.
        destination: The directory in the workspace, made when it is missing, also with
            its parents.
        format: As for `export_archive`; None takes it from the ending of the source.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one, or a file changed since the session read it.
        NotReadError: The session requires that a file that is replaced is read first.
        PermissionDeniedError: The archive is unsafe, as described, with `data["entry"]`
            saying where; or it cannot be read, or belongs to a workspace that is open.
        DecodeError: It is none of that format, is cut off, or contradicts itself.
        TooLargeError: It has more than 100,000 entries, or a file that is too large.
        NameTooLongError: A name in it has more than 255 bytes, or a path more than 4,096.
        UnavailableError: There is no such format, or it is encrypted, compressed by
            another method than deflate, or has sparse files.
        NotFoundError: It does not exist.
        NotRegularError: It is no file.
        NotDirectoryError: A directory would replace a file or a link, or `destination` is
            a file.
        IsDirectoryError: A file would replace a directory.
        QuotaExceededError: It would not fit.
    """
    chosen = _format(source, format)
    where = context.resolve(destination)
    tally = Tally(None, None)
    with translated_host_errors(_SOURCE), _open_source(source) as file:
        if chosen == "sqlar":
            entries = unpack_sqlar(os.fspath(source), os.fstat(file.fileno()).st_size)
        else:
            entries = _UNPACKERS[chosen](file)
        with closing(entries), context.changing("import_archive"):
            context.require_versions(expected_version)
            make_directory(context, where)
            store = context.files.store
            merge = BulkMerge(store, where, replacing=context.replacing)
            unpacker = Unpacker(merge, tally, time_ns=store.journal.time_ns)
            for entry in entries:
                unpacker.add(entry)
            merge.finish()
    return tally.result()


def backup(context: Context, target: HostPath) -> None:
    """Copy the whole workspace, as it is committed now, to a new file of the host.

    The copy is a workspace with everything: files, history and snapshots. Others may go
    on working meanwhile. It is there whole or not at all.

    Args:
        target: The new file.

    Raises:
        ExistsError: The file exists.
        NotFoundError: Its directory does not.
        ReadOnlyError: A transaction is open: nothing of it is committed.
        PermissionDeniedError: The host does not allow it.
        UnavailableError: The host failed, for example because its disk is full.
    """
    context.files.copy_database(os.fspath(target))


_PACKERS: Final[dict[str, Callable[[BinaryIO, Iterator[PackedEntry]], None]]] = {
    "tar": pack_tar,
    "tar.gz": pack_tar_gz,
    "zip": pack_zip,
}
_UNPACKERS: Final[dict[str, Callable[[BinaryIO], Unpacked]]] = {
    "tar": unpack_tar,
    "tar.gz": unpack_tar_gz,
    "zip": unpack_zip,
}


def _format(path: HostPath, given: str | None) -> ArchiveFormat:
    name = os.fspath(path).lower()
    for suffix, found in _SUFFIXES:
        if found == given or (given is None and name.endswith(suffix)):
            return found
    raise UnavailableError(
        f"there is no archive format {given!r}"
        if given is not None
        else "the name of the archive does not say its format",
        hint="end it in .tar, .tar.gz, .tgz, .zip or .sqlar, or say format=",
    )


def _packed(
    context: Context, items: list[ExportItem], tally: Tally, format: ArchiveFormat
) -> Iterator[PackedEntry]:
    """Yield the entries, and count each when it is packed."""
    is_tar = format in ("tar", "tar.gz")
    first: dict[int, str] = {}
    for item in items:
        reason = "" if is_tar else _unfit(item, format)
        if reason:
            tally.skip(item.path, reason)
            continue
        entry = item.entry
        kind: PackedKind = KIND_NAMES[entry.kind]
        earlier = first.setdefault(entry.inode, item.path) if is_tar else item.path
        is_link = earlier != item.path
        size = entry.size if kind == "file" and not is_link else 0
        target = earlier if is_link else ""
        if kind == "symlink" and not is_link:
            target = decode(b"".join(content_pieces(context.files.store, entry)))
        yield PackedEntry(
            item.path,
            "link" if is_link else kind,
            size,
            entry.mode,
            entry.mtime_ns,
            target,
            partial(content_pieces, context.files.store, entry) if size else no_pieces,
        )
        tally.add(KIND_NAMES[entry.kind], size)


def _unfit(item: ExportItem, format: ArchiveFormat) -> str:
    """Return why a format that is not tar cannot hold an entry, or nothing."""
    try:
        item.path.encode()
    except UnicodeEncodeError:
        return f"the name is not UTF-8, as {format} needs it"
    if format == "zip" and len(item.path.encode()) > 65_534:
        return "the path is too long for zip"
    if format == "sqlar" and item.entry.size > MAX_ROW_BYTES:
        return f"it has more than {MAX_ROW_BYTES} bytes"
    return ""


def _check_target(target: HostPath) -> None:
    """Refuse what a file must not replace."""
    with translated_host_errors(_TARGET), suppress(FileNotFoundError):
        status = os.stat(target)
        if stat.S_ISDIR(status.st_mode):
            raise IsDirectoryError("the target on the host is a directory", hint="name a file")
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError("the target on the host is no file", hint="name another one")
        _refuse_open(status)


def _refuse_open(status: os.stat_result) -> None:
    if identity(status) in open_workspaces():
        raise PermissionDeniedError(
            "the file belongs to a workspace that is open",
            hint="name another file; `backup` copies a workspace",
        )


@contextmanager
def _new_file(target: HostPath) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the path of a file beside the target, and the file; it gets the name in the end."""
    directory, name = os.path.split(os.path.abspath(target))
    descriptor, path = tempfile.mkstemp(prefix=f".{name[:40]}.", dir=directory)
    try:
        with open(descriptor, "w+b") as file:
            yield path, file
            file.flush()
            os.fsync(descriptor)
        os.replace(path, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


@contextmanager
def _open_source(source: HostPath) -> Iterator[BinaryIO]:
    # Before it is opened: closing any descriptor of a database ends SQLite's locks on it.
    _refuse_open(os.stat(source))
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError("the source on the host is no file")
        yield file
