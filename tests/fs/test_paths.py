from __future__ import annotations

import enum
import os
import posixpath
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import InvalidPathError, NameTooLongError
from vshell.fs.paths import absolute, decode, encode, is_below, join, lexical, split

SEGMENTS = st.sampled_from(["", ".", "..", "a", "b", "..a", "a.", ".b", "é", "\udcff", " ", "\n"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=8).map("/".join).filter(bool)
CWDS = st.lists(st.sampled_from(["a", "b"]), max_size=3).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("given_path", "cwd", "expected"),
    [
        ("/", "/", "/"),
        ("/a", "/", "/a"),
        ("a", "/", "/a"),
        ("a", "/d", "/d/a"),
        ("/a", "/d", "/a"),
        (".", "/d", "/d"),
        ("./a", "/d", "/d/a"),
        ("/a/", "/", "/a"),
        ("//a///b//", "/", "/a/b"),
        ("/./a/./b/.", "/", "/a/b"),
        ("/.a/..b/...", "/", "/.a/..b/..."),
        ("/a/../b", "/", "/a/../b"),
        ("..", "/d", "/d/.."),
        (" ", "/", "/ "),
        ("a\nb", "/", "/a\nb"),
    ],
)
def test_absolute_drops_what_means_nothing_and_keeps_the_rest(
    given_path: str, cwd: str, expected: str
) -> None:
    assert absolute(given_path, cwd) == expected


@given(PATHS, CWDS)
def test_absolute_is_already_normal_when_asked_again(path: str, cwd: str) -> None:
    once = absolute(path, cwd)
    assert absolute(once, "/elsewhere") == once


@given(PATHS, CWDS)
def test_lexical_agrees_with_posixpath(path: str, cwd: str) -> None:
    expected = posixpath.normpath(posixpath.join(cwd, path))
    assert lexical(path, cwd) == "/" + expected.lstrip("/")


def test_a_path_object_is_a_path() -> None:
    assert absolute(PurePosixPath("a/b"), "/d") == "/d/a/b"


def test_an_enumeration_of_strings_is_taken_by_its_value() -> None:
    class Name(str, enum.Enum):  # noqa: UP042 - a StrEnum is its value already
        FIRST = "a/b"

    assert absolute(Name.FIRST) == "/a/b"


@pytest.mark.parametrize("path", [b"/a", 1, None, ["/a"], memoryview(b"/a")])
def test_what_is_neither_text_nor_path_object_is_refused(path: object) -> None:
    with pytest.raises(InvalidPathError, match="a path is str"):
        absolute(path)  # type: ignore[arg-type]


def test_a_path_object_of_bytes_is_refused() -> None:
    class BytesPath(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return b"/a"

    with pytest.raises(InvalidPathError):
        absolute(BytesPath())  # type: ignore[arg-type]


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(InvalidPathError, match="empty"):
        absolute("")


@pytest.mark.parametrize("path", ["\0", "/a\0b", "/" + "a" * 300 + "\0"])
def test_a_nul_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError, match="NUL"):
        absolute(path)


@pytest.mark.parametrize("code", [0xD800, 0xDC00, 0xDC7F, 0xDD00, 0xDFFF])
def test_a_surrogate_that_stands_for_no_byte_is_refused(code: int) -> None:
    with pytest.raises(InvalidPathError, match="surrogate") as caught:
        absolute(f"/a{chr(code)}")
    assert caught.value.filename is not None
    caught.value.filename.encode()  # fit to be printed


def test_a_surrogate_that_stands_for_a_byte_is_kept() -> None:
    assert absolute("/\udcff") == "/\udcff"


def test_a_name_of_255_bytes_passes_and_one_of_256_does_not() -> None:
    assert absolute("/" + "é" * 127 + "a") == "/" + "é" * 127 + "a"
    with pytest.raises(NameTooLongError, match="256 bytes"):
        absolute("/" + "é" * 128)


def test_a_path_of_4096_bytes_passes_and_one_of_4097_does_not() -> None:
    longest = "/a" * 2048
    assert absolute(longest) == longest
    with pytest.raises(NameTooLongError, match="4098 bytes"):
        absolute(longest + "/a")


def test_the_limit_holds_for_the_path_with_its_directory() -> None:
    with pytest.raises(NameTooLongError):
        absolute("a" * 200, "/a" * 2000)


def test_a_long_bad_path_is_cut_in_the_error() -> None:
    with pytest.raises(NameTooLongError) as caught:
        absolute("/a" * 10_000)
    assert caught.value.filename is not None
    assert len(caught.value.filename) < 200


@given(st.binary(max_size=40))
def test_every_name_of_bytes_survives_the_way_to_text_and_back(name: bytes) -> None:
    assert encode(decode(name)) == name


@pytest.mark.parametrize(
    ("path", "parts"), [("/", ("/", "")), ("/a", ("/", "a")), ("/a/b", ("/a", "b"))]
)
def test_split_and_join_undo_each_other(path: str, parts: tuple[str, str]) -> None:
    assert split(path) == parts
    assert join(*parts) == path


@pytest.mark.parametrize(
    ("path", "directory", "expected"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
        ("/a", "/", True),
        ("/", "/", True),
        ("/", "/a", False),
    ],
)
def test_is_below_compares_whole_names(path: str, directory: str, expected: bool) -> None:
    assert is_below(path, directory) is expected
