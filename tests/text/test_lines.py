"""What is known of text from its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.text.lines import (
    character_boundary,
    count_lines,
    decode,
    is_binary,
    line_start,
    newline_style,
)


@pytest.mark.parametrize(
    ("data", "style"),
    [
        (b"", "none"),
        (b"a", "none"),
        (b"a\nb\n", "lf"),
        (b"a\r\nb\r\n", "crlf"),
        (b"a\r\nb\n", "mixed"),
        (b"a\rb", "cr"),
    ],
)
def test_how_lines_end_is_told(data: bytes, style: str) -> None:
    assert newline_style(data) == style


@given(st.binary(max_size=50))
def test_lines_are_counted_as_they_are_split(data: bytes) -> None:
    lines = data.split(b"\n")
    assert count_lines(data) == len(lines) - (not lines[-1])


@given(st.lists(st.sampled_from([b"a", b"bc", b""]), max_size=8), st.integers(1, 10))
def test_a_line_begins_after_as_many_newlines(lines: list[bytes], line: int) -> None:
    data = b"\n".join(lines)
    start = line_start(data, line)
    if start >= 0:
        assert data[:start].count(b"\n") == line - 1
    else:
        assert line > count_lines(data)


@given(st.text(max_size=20), st.integers(0, 60))
def test_a_boundary_cuts_no_character(text: str, offset: int) -> None:
    data = text.encode("utf-8", "ignore")
    boundary = character_boundary(data, min(offset, len(data)))
    data[:boundary].decode()
    assert boundary <= offset


def test_only_a_nul_near_the_beginning_makes_a_file_binary() -> None:
    assert is_binary(b"a\0")
    assert not is_binary(b"a" * 8192 + b"\0")


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"a", "a", "utf-8", False),
        (b"\xef\xbb\xbfa", "a", "utf-8", True),
        (b"\xff\xfea\0", "a", "utf-16-le", True),
        (b"\xfe\xff\0a", "a", "utf-16-be", True),
        (b"\xe9", "\ufffd", "unknown", False),
    ],
)
def test_bytes_are_decoded_by_what_they_begin_with(
    data: bytes, text: str, encoding: str, bom: bool
) -> None:
    found = decode(data)
    assert (found.text, found.encoding, found.bom) == (text, encoding, bom)
