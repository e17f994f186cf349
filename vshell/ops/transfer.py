"""Whole trees between the workspace and a directory of the host, both ways."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from vshell.errors import (
    InvalidPathError,
    NotDirectoryError,
    NotRegularError,
    PermissionDeniedError,
    VshellError,
)
from vshell.fs.bulk import BulkMerge, open_database_files
from vshell.fs.paths import PathLike, split
from vshell.fs.records import EntryDetails, Inode
from vshell.fs.schema import FILE
from vshell.host import HostEntry, HostPath, HostTree, Identity, identity, translated
from vshell.ops.context import Context, Versions
from vshell.ops.exporting import Exporter, ExportItem, export_items
from vshell.ops.importing import Importer
from vshell.ops.transfer_result import (
    Progress,
    Skipped,
    StoppedError,
    Tally,
    TransferResult,
)

__all__ = ["Progress", "Skipped", "TransferResult", "export_directory", "import_directory"]

_SOURCE = "the source on the host"
_TARGET = "the target on the host"


def import_directory(
    context: Context,
    source: HostPath,
    destination: PathLike = "/",
    *,
    ignore: bool = False,
    progress: Callable[[Progress], None] | None = None,
    expected_version: Versions | None = None,
) -> TransferResult:
    """Copy a directory of the host into the workspace, all of it or nothing.

    What the directory holds goes into `destination`, with modes, times, links as links
    and hard links as such; `destination` gets the mode and the time of the source.
    Files and links that are there already are replaced, directories are merged, and
    what the source does not have stays.

    What is in a directory and cannot be copied is skipped and reported: FIFOs, sockets
    and devices, what may not be read, a file that keeps changing while it is read, and
    the database of a workspace that this process has open.

    Args:
        source: The directory, or a single file, on the host. Links on the way to it are
            followed, none below it.
        destination: The directory in the workspace, made when it is missing, also with
            its parents. A single file goes into it under its own name, or to exactly
            this path when no directory is there.
        ignore: Leave out what the `.gitignore` files in the source say, and `.git`.
        progress: Is told how far it is, after each entry; an exception from it undoes
            the import. It must not change the workspace.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one, or a file changed since the session read it.
        NotReadError: The session requires that a file that is replaced is read first.
        NotFoundError: The source does not exist.
        NotRegularError: The source is neither a directory nor a file.
        PermissionDeniedError: The source cannot be read.
        NotDirectoryError: A directory would replace a file, or `destination` is a file.
        IsDirectoryError: A file would replace a directory.
        QuotaExceededError: It would not fit.
        ConflictError: `progress` changed the workspace, or a single file keeps changing.
    """
    where = context.resolve(destination)
    tally = Tally(progress, None)
    with _open_source(source) as (tree, name), context.changing("import"):
        context.require_versions(expected_version)
        directory, new_name = (where, "") if name is None else _place(context, where, name)
        make_directory(context, directory)
        merge = BulkMerge(context.files.store, directory, replacing=context.replacing)
        importer = Importer(tree, merge, tally, open_files=open_workspaces(), ignore=ignore)
        if name is None:
            importer.add_tree()
        else:
            entry = HostEntry(name, "file", tree.status(name).st_ino)
            importer.add_file(merge.top, entry, new_name)
        merge.finish()
    return tally.result()


def export_directory(
    context: Context,
    source: PathLike,
    target: HostPath,
    *,
    overwrite: bool = True,
    delete: bool = False,
    special_bits: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> TransferResult:
    """Copy a directory of the workspace to the host, as it is at one moment.

    Modes, times, links and hard links are copied. Nothing is written outside the
    target: no link in it is followed, and a file takes the place of what was there
    before by a rename, so that neither a link's target nor another name of the old
    file changes. What stands in the way is found before anything is written; a later
    failure of the host, such as a full disk, leaves what was written until then.

    What the host cannot hold, such as names that are no UTF-8 on some systems, is
    skipped and reported. Hard links become copies where the host has none.

    Args:
        source: The directory in the workspace, or a single file.
        target: The directory on the host, made when it is missing, also with its
            parents; one that exists keeps its mode. A single file goes into it under its
            own name, or to exactly this path when no directory is there.
        overwrite: Replace files and links that are there already.
        delete: Remove everything from the target that the source does not have, and what
            is of another kind there; never a workspace that this process has open.
        special_bits: Set the setuid, setgid and sticky bits that modes in the workspace
            have; without it they are dropped.
        progress: Is told how far it is, after each entry; an exception from it ends the
            export.

    Raises:
        NotFoundError: The source does not exist.
        NotDirectoryError: A file or a link of the target stands where a directory goes,
            or `delete` is asked for with a single file.
        IsDirectoryError: A directory of the target, or a link to one, stands where a file
            goes.
        ExistsError: A file exists and `overwrite` is false, or the host takes two names
            for one.
        PermissionDeniedError: The host does not allow it, or the target is its root.
        UnavailableError: The host failed, for example because its disk is full.
        CorruptError: The workspace holds names that cannot be.
    """
    where = context.resolve(source)
    files = context.files
    if os.path.realpath(target) == os.path.realpath("/"):
        raise PermissionDeniedError(
            "the root of the host is no target for an export", hint="name a directory in it"
        )
    with files.reading():
        top = files.realpath(where)
        inode = files.store.tree.inode(files.stat(top).inode)
        single = inode.kind == FILE
        if single and delete:
            raise NotDirectoryError(
                f"delete needs a directory as the source, and this is a file: {where}", path=where
            )
        items = [] if single else export_items(files.walk_details(top), top)
        is_new = not os.path.lexists(target)
        with _open_target(target, split(where)[1] if single else None) as (tree, name):
            if single:
                items = [_single_item(top, inode, name)]
            tally = Tally(progress, len(items))
            exporter = Exporter(
                files.store,
                tree,
                items,
                tally,
                open_files=open_workspaces(),
                overwrite=overwrite,
                delete=delete,
                special_bits=special_bits,
            )
            exporter.run()
            if not single:
                exporter.finish_top(inode.mode if is_new else None, inode.mtime_ns)
    return tally.result()


@contextmanager
def _open_source(source: HostPath) -> Iterator[tuple[HostTree, str | None]]:
    """Open a directory, or that of a file; yield it and the file's name there."""
    with translated_host_errors(_SOURCE):
        path = os.path.realpath(source)
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            tree, name = HostTree.open(path), None
        elif stat.S_ISREG(mode):
            tree, name = HostTree.open_parent(path)
        else:
            raise NotRegularError("the source on the host is neither a directory nor a file")
    with tree, translated_host_errors(_SOURCE):
        yield tree, name


@contextmanager
def _open_target(target: HostPath, name: str | None) -> Iterator[tuple[HostTree, str]]:
    """Open the directory to write in, making it; yield it and a single file's name there."""
    with translated_host_errors(_TARGET):
        if name is None or os.path.isdir(target) or os.fspath(target).endswith("/"):
            tree, new_name = HostTree.open(target, create=True), name or ""
        else:
            tree, new_name = HostTree.open_parent(target, create=True)
    with tree, translated_host_errors(_TARGET):
        yield tree, new_name


@contextmanager
def translated_host_errors(subject: str) -> Iterator[None]:
    """Turn what the host refuses into our errors."""
    try:
        yield
    except StoppedError as stopped:
        raise stopped.error from None
    except OSError as error:
        if isinstance(error, VshellError):
            raise
        raise translated(error, subject) from None
    except ValueError as error:
        if isinstance(error, VshellError) or "null byte" not in str(error):
            raise
        raise InvalidPathError(f"{subject}: the path holds a NUL byte") from None


def _place(context: Context, where: str, name: str) -> tuple[str, str]:
    """Return the directory and the name that a single file gets."""
    files = context.files
    if files.exists(where) and files.stat(where).kind == "directory":
        return where, name
    return split(where)


def make_directory(context: Context, path: str) -> None:
    files = context.files
    if files.exists(path) and files.stat(path).kind != "directory":
        raise NotDirectoryError(f"not a directory: {path}", path=path)
    files.mkdir(path, parents=True, exist_ok=True)


def _single_item(path: str, inode: Inode, name: str) -> ExportItem:
    details = EntryDetails(
        path, inode.id, inode.kind, inode.size, inode.mode, inode.mtime_ns, inode.content
    )
    return ExportItem(name, "", name, details)


def open_workspaces() -> frozenset[Identity]:
    """Return what identifies the files of all workspaces that this process has open."""
    found = set()
    for path in open_database_files():
        with suppress(OSError):
            found.add(identity(os.stat(path)))
    return frozenset(found)
