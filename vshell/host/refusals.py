"""What the host refuses, in our words."""

from __future__ import annotations

import errno
import os
from typing import Final

from vshell.errors import (
    ConflictError,
    ExistsError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
    PermissionDeniedError,
    SymlinkLoopError,
    TooLargeError,
    UnavailableError,
    VshellError,
)

__all__ = ["reason", "translated"]

_TRANSLATIONS: Final[dict[int, tuple[type[VshellError], str | None]]] = {
    errno.ENOENT: (NotFoundError, None),
    errno.ENOTDIR: (NotDirectoryError, None),
    errno.EISDIR: (IsDirectoryError, None),
    errno.EEXIST: (ExistsError, None),
    errno.ENOTEMPTY: (NotEmptyError, None),
    errno.EACCES: (PermissionDeniedError, None),
    errno.EPERM: (PermissionDeniedError, None),
    errno.EROFS: (PermissionDeniedError, None),
    errno.ELOOP: (SymlinkLoopError, None),
    errno.ENAMETOOLONG: (NameTooLongError, "use a shorter name"),
    errno.EFBIG: (TooLargeError, None),
    errno.ESTALE: (ConflictError, "try again when nobody else changes the directory"),
    errno.EBUSY: (ConflictError, "try again when nobody else uses it"),
    errno.ENOSPC: (UnavailableError, "free space on the host, then try again"),
    errno.EDQUOT: (UnavailableError, "free space on the host, then try again"),
}


def reason(error: OSError) -> str:
    """Return why the host refused something, in words without a path."""
    text = error.strerror or (os.strerror(error.errno) if error.errno else "the host failed")
    return text[:1].lower() + text[1:]


def translated(error: OSError, subject: str, *, path: str | None = None) -> VshellError:
    """Return our error for what the host refused.

    Args:
        error: What it raised.
        subject: What it refused to work on, for the message.
        path: The path that the error is to have.
    """
    if isinstance(error, VshellError):
        return error
    kind, hint = _TRANSLATIONS.get(error.errno or 0, (UnavailableError, None))
    return kind(f"{reason(error)}: {subject}", path=path, hint=hint)
