from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vshell.text.nearest import LINE_CHARACTERS, NearLine, nearest_lines


def numbers(data: bytes, wanted: str) -> list[int]:
    return [near.line for near in nearest_lines(data, wanted)]


def test_a_misspelt_line_is_found() -> None:
    found = nearest_lines(b"one\nhello world\nthree\n", "hello wrld")
    assert found == [NearLine(2, "hello world", "hello wrld")]


def test_the_nearest_line_comes_first() -> None:
    assert numbers(b"hello word\nhello world\n", "hello world!") == [2, 1]


def test_of_a_block_the_first_line_that_differs_is_told() -> None:
    data = b"def f():\n    x = 1\n    return x + 1000\n"
    found = nearest_lines(data, "def f():\n    x = 2\n    return x + 1000\n")
    assert found[0] == NearLine(2, "    x = 1", "    x = 2")


def test_the_context_decides_between_equal_lines() -> None:
    block = b"if %s:\n    return the_same_line\n"
    data = b"".join(block % name for name in (b"one", b"two", b"three"))
    found = nearest_lines(data, "if two :\n    return the_same_line\n")
    assert found[0] == NearLine(3, "if two:", "if two :")


def test_a_difference_in_white_space_alone_is_found_however_short_the_line() -> None:
    assert numbers(b"x\na\tb\n", "a b") == [2]


def test_a_wanted_text_may_begin_and_end_within_a_line() -> None:
    data = b"call(first,\n     second,\n     third)\n"
    found = nearest_lines(data, "first,\n     sekond,\n     thi")
    assert found[0].line == 2


def test_at_most_the_limit_is_returned() -> None:
    data = b"".join(b"value %d\n" % number for number in range(20))
    assert len(nearest_lines(data, "value x", limit=5)) == 5


def test_nothing_like_it_gives_nothing() -> None:
    assert nearest_lines(b"apple\npear\n", "0123456789") == []


def test_blank_text_is_near_to_nothing() -> None:
    assert nearest_lines(b"a\n\nb\n", " \n\t") == []


def test_an_empty_file_has_no_near_lines() -> None:
    assert nearest_lines(b"", "text") == []


def test_a_word_is_found_far_from_the_start_of_a_large_file() -> None:
    filler = b"nothing to see here\n" * 50_000
    data = filler + b"def compute_total(items):\n" + filler
    assert numbers(data, "def compute_total(item):") == [50_001]


def test_long_lines_are_cut_and_marked() -> None:
    near = nearest_lines(b"ab " * 1000, "ab " * 500 + "!")[0]
    assert near.text == ("ab " * 1000)[:LINE_CHARACTERS] + "…"
    assert near.expected.endswith("…")


def test_line_endings_and_a_byte_order_mark_are_no_part_of_a_line() -> None:
    assert nearest_lines(b"\xef\xbb\xbfhello world\r\n", "hello wrld")[0].text == "hello world"


def test_undecodable_bytes_and_lone_surrogates_can_be_shown() -> None:
    near = nearest_lines(b"caf\xe9 au lait\n", "caf\udce9 au lat")[0]
    assert json.dumps(near.as_dict(), ensure_ascii=False).encode()


@given(st.binary(max_size=200), st.text(max_size=60))
def test_every_line_told_is_in_the_text(data: bytes, wanted: str) -> None:
    lines = data.split(b"\n")
    for near in nearest_lines(data, wanted):
        line = lines[near.line - 1].removesuffix(b"\r").decode("utf-8", "replace")
        assert near.text.removesuffix("…") in line


def test_a_file_of_one_long_line_is_no_trouble() -> None:
    data = b"word " * 400_000
    assert [near.line for near in nearest_lines(data, "word\nword wird " * 1000)] == [1]
