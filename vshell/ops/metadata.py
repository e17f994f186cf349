"""What is known of a file besides its content, and setting it."""

from __future__ import annotations

import hashlib
from typing import Final

from vshell.errors import InvalidPathError, NameTooLongError, RangeError, SymlinkLoopError
from vshell.fs.paths import PathLike
from vshell.fs.records import Stat
from vshell.ops.context import Context
from vshell.ops.write import WriteResult, written_result

ALGORITHMS: Final = ("sha256", "sha1", "md5", "sha512", "blake2b")


def stat(context: Context, path: PathLike) -> Stat:
    """Return the metadata of a file or directory; of a link, of what it leads to.

    Args:
        path: What to look at.

    Raises:
        NotFoundError: Nothing is there.
        NotDirectoryError: Something on the way is no directory.
        SymlinkLoopError: The links on the way lead in a circle.
    """
    return context.files.stat(context.resolve(path))


def lstat(context: Context, path: PathLike) -> Stat:
    """Return the same as `stat`; of a link, its own metadata.

    Args:
        path: What to look at.

    Raises:
        NotFoundError: Nothing is there.
        NotDirectoryError: Something on the way is no directory.
        SymlinkLoopError: The links on the way lead in a circle.
    """
    return context.files.stat(context.resolve(path), follow=False)


def exists(context: Context, path: PathLike) -> bool:
    """Tell whether a path leads to anything. False for a link that leads nowhere.

    Text that can be no path, such as one with a NUL, leads nowhere.

    Args:
        path: What to look at.
    """
    try:
        return context.files.exists(context.resolve(path))
    except (InvalidPathError, NameTooLongError, SymlinkLoopError):
        return False


def readlink(context: Context, path: PathLike) -> str:
    """Return the target of a link, as it was given.

    Args:
        path: What to look at.

    Raises:
        NotRegularError: It is no link.
        NotFoundError: Nothing is there.
    """
    return context.files.readlink(context.resolve(path))


def realpath(context: Context, path: PathLike) -> str:
    """Return the path from the root without links, `.` and `..`.

    Args:
        path: What to look at.

    Raises:
        NotFoundError: Nothing is there.
        SymlinkLoopError: The links on the way lead in a circle.
    """
    return context.files.realpath(context.resolve(path))


def chmod(
    context: Context, path: PathLike, mode: int, *, expected_version: int | None = None
) -> None:
    """Set the twelve permission bits of what a path leads to.

    Args:
        path: What.
        mode: The bits, such as 0o755; bits above the twelve are ignored.
        expected_version: The version that the content must have.

    Raises:
        StaleError: It has another one.
        NotFoundError: Nothing is there.
    """
    with context.changing("chmod"):
        context.require_version(context.resolve(path), expected_version)
        context.files.chmod(context.resolve(path), mode)


def utime(
    context: Context,
    path: PathLike,
    *,
    mtime_ns: int | None = None,
    follow: bool = True,
    expected_version: int | None = None,
) -> None:
    """Set the time of the last change to the content.

    Args:
        path: What.
        mtime_ns: Nanoseconds since 1970; None is now.
        follow: Follow a link, or set the link's own time.
        expected_version: The version that the content must have.

    Raises:
        StaleError: It has another one.
        RangeError: The time does not fit into 64 bits.
        NotFoundError: Nothing is there.
    """
    where = context.resolve(path)
    with context.changing("utime"):
        context.require_version(where, expected_version, follow=follow)
        time_ns = context.files.store.now() if mtime_ns is None else mtime_ns
        context.files.utime(where, time_ns, follow=follow)


def truncate(
    context: Context, path: PathLike, size: int, *, expected_version: int | None = None
) -> WriteResult:
    """Cut a file, or fill it with zeros, to a size.

    Args:
        path: The file.
        size: In bytes.
        expected_version: The version that the file must have.

    Raises:
        StaleError: It has another one.
        NotReadError: The session requires that it is read first.
        RangeError: The size is negative.
        TooLargeError, QuotaExceededError: So many bytes are not allowed.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    with context.changing("truncate"):
        context.require_version(where, expected_version)
        context.require_seen(where)
        written = context.files.truncate(where, size)
        context.note_read(where, written.after.hex())
    return written_result(context, written)


def hash(context: Context, path: PathLike, *, algorithm: str = "sha256") -> str:
    """Return the digest of a file's bytes, in hex.

    Args:
        path: The file.
        algorithm: `"sha256"`, `"sha1"`, `"md5"`, `"sha512"` or `"blake2b"`.

    Raises:
        RangeError: The algorithm is another one.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    if algorithm not in ALGORITHMS:
        raise RangeError(
            f"no such algorithm: {algorithm}", hint=f"choose from {', '.join(ALGORITHMS)}"
        )
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for piece in context.files.pieces(context.resolve(path)):
        digest.update(piece)
    return digest.hexdigest()
