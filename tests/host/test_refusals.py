"""What the host refuses becomes an error of ours."""

from __future__ import annotations

import errno
import os

import pytest

from vshell.errors import (
    ConflictError,
    ExistsError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from vshell.host import reason, translated


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, NotFoundError),
        (errno.EEXIST, ExistsError),
        (errno.ENOTDIR, NotDirectoryError),
        (errno.EACCES, PermissionDeniedError),
        (errno.EROFS, PermissionDeniedError),
        (errno.ESTALE, ConflictError),
        (errno.ENOSPC, UnavailableError),
        (errno.EIO, UnavailableError),
    ],
)
def test_what_the_host_refuses_becomes_an_error_of_ours(number: int, kind: type) -> None:
    ours = translated(OSError(number, os.strerror(number), "/host/path"), "a/b", path="/a/b")
    assert type(ours) is kind
    assert ours.filename == "/a/b"
    assert str(ours).endswith(": a/b")
    assert "/host/path" not in str(ours)


def test_a_reason_is_words_without_a_path() -> None:
    assert reason(OSError(errno.EACCES, "Permission denied", "/host")) == "permission denied"
    assert reason(OSError(errno.EIO, "")) == "input/output error"
