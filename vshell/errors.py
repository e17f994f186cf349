"""Every error that vshell raises.

Each is a `VshellError` and also the builtin that a Python programmer would
catch, so `except FileNotFoundError` works without knowing vshell:

    VshellError
    ├── NotFoundError          not_found            FileNotFoundError   ENOENT
    ├── IsDirectoryError       is_directory         IsADirectoryError   EISDIR
    ├── NotDirectoryError      not_directory        NotADirectoryError  ENOTDIR
    ├── ExistsError            exists               FileExistsError     EEXIST
    ├── NotEmptyError          not_empty            OSError             ENOTEMPTY
    ├── PermissionDeniedError  permission_denied    PermissionError     EPERM
    ├── ReadOnlyError          read_only            OSError             EROFS
    ├── InvalidPathError       invalid_path         ValueError          EINVAL
    ├── NameTooLongError       name_too_long        OSError             ENAMETOOLONG
    ├── SymlinkLoopError       symlink_loop         OSError             ELOOP
    ├── NotRegularError        not_regular          OSError             EINVAL
    ├── BinaryFileError        binary               ValueError          EILSEQ
    ├── DecodeError            decode_error         ValueError          EILSEQ
    ├── TooLargeError          too_large            OSError             EFBIG
    ├── QuotaExceededError     quota_exceeded       OSError             EDQUOT
    ├── RangeError             range_out_of_bounds  ValueError          EINVAL
    ├── EditError                                   ValueError          EINVAL
    │   ├── EmptyOldError      empty_old
    │   ├── NoMatchError       no_match             data: near
    │   ├── MultipleMatchesError multiple_matches   data: count, lines
    │   ├── NoChangeError      no_change
    │   └── OverlappingEditsError overlapping_edits
    ├── ConflictError          conflict             RuntimeError        EBUSY
    │   ├── NotReadError       not_read
    │   └── StaleError         stale                data: expected, actual  ESTALE
    ├── PatchError                                  ValueError          EINVAL
    │   ├── PatchInvalidError  patch_invalid        data: line
    │   └── PatchContextError  patch_context        data: hunk, line
    ├── BadPatternError        bad_pattern          ValueError          EINVAL
    ├── OperationTimeoutError  timeout              TimeoutError        ETIMEDOUT
    ├── OutputLimitError       output_limit         RuntimeError        ENOBUFS
    ├── UnavailableError       unavailable          RuntimeError        ENOSYS
    ├── CancelledError         cancelled            RuntimeError        ECANCELED
    ├── ClosedError            closed               ValueError          EBADF
    ├── CorruptError           corrupt              OSError             EIO
    └── NewerSchemaError       newer_schema         RuntimeError        EPROTO

A message says what failed, on which path of the workspace, and `hint` what to
do next. No message holds a path of the host or SQLite's own words.
"""

from __future__ import annotations

import errno as _errno
from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "BadPatternError",
    "BinaryFileError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "CorruptError",
    "DecodeError",
    "EditError",
    "EmptyOldError",
    "ExistsError",
    "InvalidPathError",
    "IsDirectoryError",
    "MultipleMatchesError",
    "NameTooLongError",
    "NewerSchemaError",
    "NoChangeError",
    "NoMatchError",
    "NotDirectoryError",
    "NotEmptyError",
    "NotFoundError",
    "NotReadError",
    "NotRegularError",
    "OperationTimeoutError",
    "OutputLimitError",
    "OverlappingEditsError",
    "PatchContextError",
    "PatchError",
    "PatchInvalidError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RangeError",
    "ReadOnlyError",
    "StaleError",
    "SymlinkLoopError",
    "TooLargeError",
    "UnavailableError",
    "VshellError",
]


class VshellError(Exception):
    """The base of all errors that vshell raises on purpose.

    Args:
        message: What failed, as a sentence without a final full stop.
        path: The path in the workspace that it failed on, if there is one.
        hint: What to do next, if that can be said.
        data: Facts for programs, by name (`near`, `lines`, `expected`, ...).

    Attributes:
        code: The error's stable name, such as `"not_found"`.
        errno: The nearest POSIX error number.
        filename: `path`, under the name that `OSError` has for it.
        hint: See above; None when there is nothing to add.
        data: See above; never None.
    """

    code: ClassVar[str] = "error"
    default_errno: ClassVar[int] = _errno.EINVAL

    errno: int | None
    filename: str | None
    hint: str | None
    data: dict[str, Any]

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        hint: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errno = self.default_errno
        self.filename = path
        self.hint = hint
        self.data = dict(data) if data else {}

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.filename, self.hint, self.data)

    def as_dict(self) -> dict[str, Any]:
        """Return the error as JSON-ready data: code, message, and what else is known."""
        fields = {"path": self.filename, "hint": self.hint, "data": self.data}
        return {"code": self.code, "message": self.message} | {
            name: value for name, value in fields.items() if value
        }


def _rebuild(
    kind: type[VshellError], message: str, path: str | None, hint: str | None, data: dict[str, Any]
) -> VshellError:
    return kind(message, path=path, hint=hint, data=data)


class NotFoundError(VshellError, FileNotFoundError):
    """No file, directory or link is at that path."""

    code = "not_found"
    default_errno = _errno.ENOENT


class IsDirectoryError(VshellError, IsADirectoryError):
    """A directory is where a file is needed."""

    code = "is_directory"
    default_errno = _errno.EISDIR


class NotDirectoryError(VshellError, NotADirectoryError):
    """Something else is where a directory is needed."""

    code = "not_directory"
    default_errno = _errno.ENOTDIR


class ExistsError(VshellError, FileExistsError):
    """The path is taken already."""

    code = "exists"
    default_errno = _errno.EEXIST


class NotEmptyError(VshellError, OSError):
    """A directory with entries is where an empty one is needed."""

    code = "not_empty"
    default_errno = _errno.ENOTEMPTY


class PermissionDeniedError(VshellError, PermissionError):
    """The operation is never allowed on that object, such as removing `/`."""

    code = "permission_denied"
    default_errno = _errno.EPERM


class ReadOnlyError(VshellError, OSError):
    """The workspace was opened read-only."""

    code = "read_only"
    default_errno = _errno.EROFS


class InvalidPathError(VshellError, ValueError):
    """The text is no path: it is empty, holds a NUL, or cannot be encoded."""

    code = "invalid_path"


class NameTooLongError(VshellError, OSError):
    """A name has more than 255 bytes, or a path more than 4,096."""

    code = "name_too_long"
    default_errno = _errno.ENAMETOOLONG


class SymlinkLoopError(VshellError, OSError):
    """More than 40 symbolic links were met on the way to the path."""

    code = "symlink_loop"
    default_errno = _errno.ELOOP


class NotRegularError(VshellError, OSError):
    """The object is not of the kind that the operation works on."""

    code = "not_regular"


class BinaryFileError(VshellError, ValueError):
    """A text operation met a binary file."""

    code = "binary"
    default_errno = _errno.EILSEQ


class DecodeError(VshellError, ValueError):
    """The bytes are not valid in the encoding or format asked for."""

    code = "decode_error"
    default_errno = _errno.EILSEQ


class TooLargeError(VshellError, OSError):
    """An input or a file is over a fixed limit."""

    code = "too_large"
    default_errno = _errno.EFBIG


class QuotaExceededError(VshellError, OSError):
    """The workspace would hold more bytes than its quota."""

    code = "quota_exceeded"
    default_errno = _errno.EDQUOT


class RangeError(VshellError, ValueError):
    """A line, offset, length or index is outside what exists or is allowed."""

    code = "range_out_of_bounds"


class EditError(VshellError, ValueError):
    """An edit could not be applied; nothing was changed."""

    code = "edit"


class EmptyOldError(EditError):
    """An edit's `old` text is empty."""

    code = "empty_old"


class NoMatchError(EditError):
    """The text to replace is not in the file. `data["near"]` has the nearest lines."""

    code = "no_match"


class MultipleMatchesError(EditError):
    """The text to replace is there more than once. `data` has `count` and `lines`."""

    code = "multiple_matches"


class NoChangeError(EditError):
    """An edit's old and new text are the same."""

    code = "no_change"


class OverlappingEditsError(EditError):
    """Two edits of one call touch the same text."""

    code = "overlapping_edits"


class ConflictError(VshellError, RuntimeError):
    """Another change stands in the way of this one."""

    code = "conflict"
    default_errno = _errno.EBUSY


class NotReadError(ConflictError):
    """The session must read the file before it may change it."""

    code = "not_read"


class StaleError(ConflictError):
    """The file changed since it was read. `data` has `expected` and `actual`."""

    code = "stale"
    default_errno = _errno.ESTALE


class PatchError(VshellError, ValueError):
    """A patch could not be applied; nothing was changed."""

    code = "patch"


class PatchInvalidError(PatchError):
    """The text is no patch that can be applied. `data["line"]` says where."""

    code = "patch_invalid"


class PatchContextError(PatchError):
    """A hunk's context is not in the file. `data` has `hunk` and `line`."""

    code = "patch_context"


class BadPatternError(VshellError, ValueError):
    """A glob, regular expression or query is malformed. `data["position"]` says where."""

    code = "bad_pattern"


class OperationTimeoutError(VshellError, TimeoutError):
    """The operation did not end within its time."""

    code = "timeout"
    default_errno = _errno.ETIMEDOUT


class OutputLimitError(VshellError, RuntimeError):
    """The result is larger than the caller allowed."""

    code = "output_limit"
    default_errno = _errno.ENOBUFS


class UnavailableError(VshellError, RuntimeError):
    """Something that the operation needs is not installed or not usable here."""

    code = "unavailable"
    default_errno = _errno.ENOSYS


class CancelledError(VshellError, RuntimeError):
    """The caller cancelled the operation."""

    code = "cancelled"
    default_errno = _errno.ECANCELED


class ClosedError(VshellError, ValueError):
    """The workspace was closed."""

    code = "closed"
    default_errno = _errno.EBADF


class CorruptError(VshellError, OSError):
    """The file is no workspace database, or a damaged one."""

    code = "corrupt"
    default_errno = _errno.EIO


class NewerSchemaError(VshellError, RuntimeError):
    """The database was written by a later release of vshell."""

    code = "newer_schema"
    default_errno = _errno.EPROTO
