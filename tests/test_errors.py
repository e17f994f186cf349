"""Errors survive pickling and are what Python programmers catch."""

from __future__ import annotations

import errno
import pickle

import pytest

from vshell import errors

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_pickling(kind: type[errors.VshellError]) -> None:
    error = kind("it failed", path="/a", hint="try again", data={"line": 3})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.filename, copy.hint, copy.data, copy.errno) == (
        "it failed",
        "/a",
        "try again",
        {"line": 3},
        error.errno,
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_has_a_number_of_the_system(kind: type[errors.VshellError]) -> None:
    assert kind("it failed").errno in errno.errorcode


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.NotFoundError, FileNotFoundError),
        (errors.IsDirectoryError, IsADirectoryError),
        (errors.NotDirectoryError, NotADirectoryError),
        (errors.ExistsError, FileExistsError),
        (errors.PermissionDeniedError, PermissionError),
        (errors.OperationTimeoutError, TimeoutError),
        (errors.NotEmptyError, OSError),
        (errors.InvalidPathError, ValueError),
        (errors.NoMatchError, ValueError),
    ],
)
def test_an_error_is_also_the_builtin(
    kind: type[errors.VshellError], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin):
        raise kind("it failed")


def test_an_error_as_data_leaves_out_what_is_not_known() -> None:
    assert errors.NotFoundError("gone").as_dict() == {"code": "not_found", "message": "gone"}
    assert errors.NotFoundError("gone", path="/a", hint="look", data={"n": 1}).as_dict() == {
        "code": "not_found",
        "message": "gone",
        "path": "/a",
        "hint": "look",
        "data": {"n": 1},
    }
