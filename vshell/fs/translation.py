"""What SQLite and the host report, in the words of this package."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

import apsw

from vshell.errors import (
    CancelledError,
    CorruptError,
    DecodeError,
    NotDirectoryError,
    NotFoundError,
    OperationTimeoutError,
    PermissionDeniedError,
    QuotaExceededError,
    RangeError,
    ReadOnlyError,
    TooLargeError,
    UnavailableError,
    VshellError,
)


def translated(error: Exception) -> Exception:
    """Return SQLite's error in our words; one that can only be our own mistake as it is."""
    if isinstance(error, OverflowError):
        return RangeError("a number is outside what 64 bits hold")
    if isinstance(error, UnicodeError):
        return DecodeError("the text holds a lone surrogate, which stands for no bytes")
    for kinds, ours, message, hint in _TRANSLATIONS:
        if isinstance(error, kinds):
            return ours(message, hint=hint)
    return error


_TRANSLATIONS: Final[
    list[tuple[tuple[type[apsw.Error], ...], type[VshellError], str, str | None]]
] = [
    (
        (apsw.BusyError, apsw.LockedError, apsw.ProtocolError),
        OperationTimeoutError,
        "another process kept writing to the workspace",
        "try again, or open the workspace with a longer lock_timeout_s",
    ),
    (
        (apsw.ReadOnlyError,),
        ReadOnlyError,
        "the workspace is read-only",
        "open it without read_only",
    ),
    (
        # Rows that contradict each other are no mistake of the one who adds to them.
        (
            apsw.CorruptError,
            apsw.NotADBError,
            apsw.FormatError,
            apsw.ConstraintError,
            apsw.MismatchError,
        ),
        CorruptError,
        "the workspace's file is damaged or no workspace",
        "`vshell check` says what is wrong; restore a copy if it cannot be mended",
    ),
    (
        (apsw.FullError,),
        QuotaExceededError,
        "the disk that holds the workspace is full",
        "free space, then try again",
    ),
    (
        (apsw.TooBigError, apsw.NoMemError),
        TooLargeError,
        "the value is too large for memory or for one row",
        None,
    ),
    ((apsw.InterruptError,), CancelledError, "the operation was cancelled", None),
    (
        (apsw.CantOpenError,),
        UnavailableError,
        "the workspace's file cannot be opened",
        "see whether this process has too many files open, then try again",
    ),
    (
        (apsw.PermissionsError, apsw.AuthError),
        PermissionDeniedError,
        "the host does not allow access to the workspace's file",
        None,
    ),
    (
        (apsw.IOError,),
        UnavailableError,
        "the disk that holds the workspace reported an error",
        "see whether the disk is full or failing, then try again",
    ),
]


@contextlib.contextmanager
def translated_opening() -> Iterator[None]:
    """Raise what goes wrong with the file of a workspace as an error of this package."""
    try:
        yield
    except apsw.Error as error:
        raise translated(error) from None
    except VshellError:
        raise
    except FileNotFoundError:
        raise NotFoundError(
            "the directory of the workspace's file does not exist", hint="create it first"
        ) from None
    except NotADirectoryError:
        raise NotDirectoryError("the workspace's file would lie below another file") from None
    except PermissionError:
        raise PermissionDeniedError(
            "the host does not allow access to the workspace's file"
        ) from None
    except OSError as error:
        raise UnavailableError(
            f"the workspace's file cannot be opened: {os.strerror(error.errno or 0)}"
        ) from None
