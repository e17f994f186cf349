"""Finding and replacing text the way JavaScript does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import (
    BadPatternError,
    OperationTimeoutError,
    OutputLimitError,
    RangeError,
    TooLargeError,
)
from vshell.text import search
from vshell.text.search import Room, TextFinder, replace_text, search_lines, utf16_length

LINES = st.text(alphabet="ab é😀\n", max_size=40)


def places(text: str, query: str, *, regex: bool = False, **options: bool) -> list[tuple[int, int]]:
    finder = TextFinder(query, regex=regex, **options)
    return [(found.line, found.column) for found in search_lines(text, finder)]


def test_every_match_of_a_line_is_found() -> None:
    assert places("aba\nb a", "a") == [(1, 1), (1, 3), (2, 3)]


def test_matches_do_not_overlap() -> None:
    assert places("aaaa", "aa") == places("aaaa", "aa", regex=True) == [(1, 1), (1, 3)]


def test_columns_count_utf_16_code_units() -> None:
    assert places("😀é😀x", "x") == places("😀é😀x", "X", case_sensitive=False) == [(1, 6)]


def test_no_match_reaches_across_lines() -> None:
    assert places("a\nb", "a\nb") == []
    assert places("a\nb", r"a\sb", regex=True) == []


def test_an_anchor_is_at_each_line() -> None:
    assert places("ab\nab", "^a", regex=True) == [(1, 1), (2, 1)]
    assert places("ab\nab", "b$", regex=True) == [(1, 2), (2, 2)]


def test_a_carriage_return_belongs_to_the_line() -> None:
    found = search_lines("a\r\n", TextFinder("a"))
    assert [each.text for each in found] == ["a\r"]
    assert places("a\r\n", "a$", regex=True) == []


def test_after_a_match_of_nothing_the_search_goes_on_one_character_later() -> None:
    assert places("ab", "x*", regex=True) == [(1, 1), (1, 2), (1, 3)]
    assert places("ab", "a??", regex=True) == [(1, 1), (1, 2), (1, 3)]


def test_lines_around_a_match_come_with_it() -> None:
    text = "1\n2\n3\n4\n5"
    (found,) = search_lines(text, TextFinder("3"), before=1, after=9)
    assert (list(found.before), list(found.after)) == (["2"], ["4", "5"])


def test_the_search_stops_after_so_many_matches() -> None:
    assert len(search_lines("aaa\na", TextFinder("a"), max_matches=2)) == 2
    assert search_lines("a", TextFinder("a"), max_matches=0) == []


def test_there_is_no_search_for_nothing() -> None:
    with pytest.raises(BadPatternError):
        TextFinder("")


def test_negative_numbers_of_lines_are_refused() -> None:
    with pytest.raises(RangeError):
        search_lines("a", TextFinder("a"), before=-1)


def test_a_catastrophic_pattern_ends_in_time() -> None:
    finder = TextFinder(r"(a|aa)+$", regex=True, timeout_s=0.05)
    with pytest.raises(OperationTimeoutError, match=r"more than 0\.05 s"):
        search_lines("a" * 60 + "b", finder)


def test_the_time_is_that_of_all_lines_together() -> None:
    finder = TextFinder("x", case_sensitive=False, timeout_s=0)
    with pytest.raises(OperationTimeoutError):
        search_lines("a\nb" * 50_000, finder)


def test_too_many_matches_are_an_error_and_not_cut() -> None:
    with pytest.raises(OutputLimitError, match="100000 matches"):
        search_lines("a\n" * 101, TextFinder("a"), room=Room(matches=100))


def test_too_much_text_around_matches_is_an_error() -> None:
    with pytest.raises(OutputLimitError, match="characters"):
        search_lines("a\n" * 20_000, TextFinder("a"), before=10**9, after=10**9)


def test_several_searches_share_their_room() -> None:
    room = Room(matches=3)
    search_lines("a\na", TextFinder("a"), room=room)
    with pytest.raises(OutputLimitError):
        search_lines("a\na", TextFinder("a"), room=room)


def test_a_replacement_is_put_as_it_stands() -> None:
    finder = TextFinder(r"(\w+) (\w+)", regex=True)
    assert replace_text("a b c d", finder, r"$2 \1 $&") == (r"$2 \1 $& $2 \1 $&", 2)


def test_a_replacement_may_reach_across_lines() -> None:
    assert replace_text("a\nb\nc", TextFinder("\n"), "|") == ("a|b|c", 2)
    assert replace_text("a\nb", TextFinder(r"a\sb", regex=True), "x") == ("x", 1)


def test_only_so_many_are_replaced() -> None:
    assert replace_text("aaa", TextFinder("a"), "b", max_matches=2) == ("bba", 2)
    assert replace_text("aaa", TextFinder("A", case_sensitive=False), "b", max_matches=2) == (
        "bba",
        2,
    )


def test_places_between_characters_are_replaced() -> None:
    assert replace_text("xab", TextFinder("x*", regex=True), "-") == ("--a-b-", 4)
    assert replace_text("xab", TextFinder("|a", regex=True), "-") == ("-x-a-b-", 4)


@pytest.mark.parametrize("regex", [False, True])
def test_a_result_that_is_too_large_is_refused(
    regex: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_TEXT_BYTES", 1000)
    with pytest.raises(TooLargeError):
        replace_text("a" * 100, TextFinder("a", regex=regex), "b" * 11)


def test_a_pattern_that_matches_too_often_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_REPLACEMENTS", 10)
    with pytest.raises(OutputLimitError):
        replace_text("a" * 11, TextFinder("a", regex=True), "b")


@given(LINES, st.text(alphabet="ab é😀", min_size=1, max_size=2))
def test_a_match_stands_where_its_column_says(text: str, query: str) -> None:
    for case_sensitive in (True, False):
        for found in search_lines(text, TextFinder(query, case_sensitive=case_sensitive)):
            units = found.text.encode("utf-16-le")[2 * (found.column - 1) :]
            assert units.decode("utf-16-le").startswith(found.match)
            assert text.split("\n")[found.line - 1] == found.text


@given(LINES, st.text(alphabet="ab é\n", min_size=1, max_size=2), st.text(max_size=3))
def test_replacing_a_text_is_what_python_does(text: str, old: str, new: str) -> None:
    expected = (text.replace(old, new), text.count(old))
    assert replace_text(text, TextFinder(old), new) == expected
    pattern = "".join(f"\\u{{{ord(character):x}}}" for character in old)
    assert replace_text(text, TextFinder(pattern, regex=True), new) == expected


@given(st.text())
def test_utf_16_is_counted_right(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
