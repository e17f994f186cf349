"""Making, moving, copying and removing entries: named and behaving like the commands."""

from __future__ import annotations

from vshell.errors import (
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
)
from vshell.fs.paths import PathLike, join, split
from vshell.ops.context import Context, Versions


def mkdir(
    context: Context,
    path: PathLike,
    *,
    parents: bool = False,
    exist_ok: bool = False,
    mode: int = 0o755,
    expected_version: int | None = None,
) -> None:
    """Make a directory.

    Args:
        path: Where.
        parents: Make missing parents, with mode 0o755.
        exist_ok: Accept a directory that is there already.
        mode: The permission bits.
        expected_version: The version that a directory must have that is there; 0: nothing
            may be there.

    Raises:
        StaleError: It has another one.
        ExistsError: Something is there already.
        NotFoundError: A parent is missing and `parents` is false.
        NotDirectoryError: A parent is no directory.
    """
    where = context.resolve(path)
    with context.changing("mkdir"):
        context.require_version(where, expected_version, follow=False)
        context.files.mkdir(where, mode=mode, parents=parents, exist_ok=exist_ok)


def rm(
    context: Context,
    path: PathLike,
    *,
    recursive: bool = False,
    force: bool = False,
    expected_version: int | None = None,
) -> None:
    """Remove a file, a link, an empty directory, or with `recursive` a whole tree.

    Args:
        path: What; a link itself is removed, never its target.
        recursive: Remove a directory with all that is in it.
        force: Accept that nothing is there.
        expected_version: The version that it must have.

    Raises:
        StaleError: It has another version.
        NotEmptyError: It is a directory with entries and `recursive` is false.
        PermissionDeniedError: It is the root, which is never removed.
        NotFoundError: Nothing is there and `force` is false.
    """
    where = context.resolve(path)
    files = context.files
    with context.changing("rm"):
        context.require_version(where, expected_version, follow=False)
        try:
            kind = files.stat(where, follow=False).kind
        except (NotFoundError, NotDirectoryError):
            if force:
                return
            raise
        if kind != "directory":
            files.unlink(where)
        elif recursive:
            files.remove_tree(where)
        else:
            _remove_empty(context, where)


def _remove_empty(context: Context, path: str) -> None:
    try:
        context.files.rmdir(path)
    except NotEmptyError as error:
        raise NotEmptyError(
            f"directory not empty: {path}", path=path, hint="use recursive=True"
        ) from error


def mv(
    context: Context,
    src: PathLike,
    dst: PathLike,
    *,
    overwrite: bool = True,
    parents: bool = True,
    expected_version: Versions | None = None,
) -> None:
    """Move or rename a file, link or directory to exactly `dst`.

    Args:
        src: What to move; onto itself, nothing happens.
        dst: Its new path, not the directory to put it in.
        overwrite: Replace a file with a file, an empty directory with a directory.
        parents: Make missing directories.
        expected_version: The version that the source must have; or a mapping of paths, such
            as both, to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It has another version.
        NotReadError: The session requires that a file that is replaced is read first.
        ExistsError: The destination exists and `overwrite` is false.
        IsDirectoryError: The destination is a directory, and the source is none.
        NotDirectoryError: The source is a directory, and the destination a file.
        NotEmptyError: The destination is a directory with entries.
        InvalidPathError: The destination is inside the source.
        NotFoundError: The source does not exist.
    """
    old, new = context.resolve(src), context.resolve(dst)
    files = context.files
    with context.changing("mv"):
        context.require_versions(expected_version, old, follow=False)
        before = _noted_place(context, old)
        if before is not None and _replaces(context, old, new):
            context.require_seen(new)
        files.rename(old, new, overwrite=overwrite, parents=parents)
        after = _noted_place(context, new)
        if before is not None and after is not None:
            context.note_moved(before, after)


def _noted_place(context: Context, path: str) -> str | None:
    """Return where a name is, without links, when it counts what was read."""
    if not context.require_read:
        return None
    directory, name = split(path)
    try:
        return join(context.files.realpath(directory), name)
    except (NotFoundError, NotDirectoryError):
        return None


def _replaces(context: Context, old: str, new: str) -> bool:
    """Tell whether a move would replace another file; a link's target stays what it is."""
    files = context.files
    if not files.exists(new, follow=False) or not files.exists(old, follow=False):
        return False
    there = files.stat(new, follow=False)
    return there.kind == "file" and there.inode != files.stat(old, follow=False).inode


def cp(
    context: Context,
    src: PathLike,
    dst: PathLike,
    *,
    recursive: bool = False,
    overwrite: bool = True,
    parents: bool = True,
    preserve: bool = False,
    expected_version: Versions | None = None,
) -> None:
    """Copy a file, or with `recursive` a tree, to exactly `dst`. No content is copied.

    Args:
        src: What to copy. A link is followed, but for links met inside a tree and,
            with `recursive`, the source itself.
        dst: The copy's path, not the directory to put it in. A directory there
            is filled: files in both are replaced, others stay.
        recursive: Copy a directory with all that is in it.
        overwrite: Replace existing files.
        parents: Make missing directories.
        preserve: Keep the times; permission bits are kept always.
        expected_version: The version that the destination must have; or a mapping of paths,
            such as both, to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It has another version.
        NotReadError: The session requires that a file that is replaced is read first.
        IsDirectoryError: The source is a directory and `recursive` is false, or the
            destination is a directory and the source is none.
        NotDirectoryError: The source is a directory, and the destination a file.
        ExistsError: A file exists and `overwrite` is false.
        InvalidPathError: The destination is inside the source.
        NotFoundError: The source does not exist.
    """
    old, new = context.resolve(src), context.resolve(dst)
    with context.changing("cp"):
        context.require_versions(expected_version, new)
        copier = _Copier(context, overwrite=overwrite, preserve=preserve)
        kind = context.files.stat(old, follow=not recursive).kind
        if kind == "directory" and not recursive:
            raise IsDirectoryError(
                f"is a directory: {old}", path=old, hint="use recursive=True to copy it"
            )
        copier.copy(old, new, kind, parents=parents)


class _Copier:
    def __init__(self, context: Context, *, overwrite: bool, preserve: bool) -> None:
        self._context = context
        self._files = context.files
        self._overwrite = overwrite
        self._preserve = preserve

    def copy(self, old: str, new: str, kind: str, *, parents: bool) -> None:
        files = self._files
        free = not files.exists(new, follow=False)
        if kind == "directory":
            if free:
                files.copy_tree(old, new, parents=parents, preserve=self._preserve)
            else:
                self._merge(old, new)
        elif free:
            files.copy_entry(
                old if kind == "symlink" else files.realpath(old),
                new,
                parents=parents,
                preserve=self._preserve,
            )
        else:
            self._replace(old, new, kind)

    def _merge(self, old: str, new: str) -> None:
        files = self._files
        if files.realpath(old) == files.realpath(new):
            return
        if files.stat(new).kind != "directory":
            raise NotDirectoryError(f"not a directory: {new}", path=new)
        # Listed first: what the copy adds is not copied again.
        entries, _ = files.list_directory(old)
        for entry in entries:
            name = entry.path.rpartition("/")[2]
            kind = files.stat(entry.path, follow=False).kind
            self.copy(entry.path, join(new, name), kind, parents=False)

    def _replace(self, old: str, new: str, kind: str) -> None:
        files = self._files
        if not self._overwrite:
            raise ExistsError(
                f"file exists: {new}", path=new, hint="replace it with overwrite=True"
            )
        if kind == "symlink":
            if files.stat(new, follow=False).kind == "directory":
                raise IsDirectoryError(f"is a directory: {new}", path=new)
            if files.stat(old, follow=False).inode != files.stat(new, follow=False).inode:
                files.unlink(new)
                files.copy_entry(old, new, preserve=self._preserve)
            return
        if files.exists(new) and files.stat(old).inode == files.stat(new).inode:
            return
        self._context.require_seen(new)
        files.overwrite_from(old, new)
        self._context.note_read(new, files.stat(new).hash)
        if self._preserve:
            files.utime(new, files.stat(old).mtime_ns)


def link(
    context: Context,
    source: PathLike,
    path: PathLike,
    *,
    expected_version: Versions | None = None,
) -> None:
    """Give a file a second name, a hard link.

    Args:
        source: The file; of a symbolic link, the link itself gets the name.
        path: The new name; missing directories are made.
        expected_version: The version that the source must have; or a mapping of paths to the
            versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It has another version.
        PermissionDeniedError: The source is a directory.
        ExistsError: Something is at `path`.
        NotFoundError: The source does not exist.
    """
    old, new = context.resolve(source), context.resolve(path)
    with context.changing("link"):
        context.require_versions(expected_version, old, follow=False)
        context.files.link(old, new, parents=True)


def symlink(
    context: Context,
    target: PathLike,
    path: PathLike,
    *,
    expected_version: int | None = None,
) -> None:
    """Make a symbolic link.

    Args:
        target: What the link says: any text, absolute or relative to the link's directory.
        path: Where the link is; missing directories are made.
        expected_version: The version of what is there; only 0, for nothing, can be met.

    Raises:
        StaleError: Something else is expected there.
        ExistsError: Something is at `path`.
        InvalidPathError: The target holds a NUL or is too long.
    """
    where = context.resolve(path)
    with context.changing("symlink"):
        context.require_version(where, expected_version, follow=False)
        text = target if isinstance(target, str) else str(target.__fspath__())
        context.files.symlink(text, where, parents=True)
