from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vshell.errors import (
    EditError,
    EmptyOldError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    OverlappingEditsError,
    TooLargeError,
)
from vshell.text.edits import (
    Basis,
    Edit,
    Edited,
    Fuzz,
    apply_edits,
    apply_levels,
    parse_edits,
)
from vshell.text.normalize import Normalized, normal_form, trimmed, unified

CASES = json.loads(
    Path(__file__).parents[2].joinpath("fixtures/cases/computer_edit.json").read_text("utf-8")
)["cases"]
# The others are about the file system and the shape of the tool's arguments.
CASES = [case for case in CASES if case["files"] and isinstance(case["input"]["edits"], list)]
CASES = [case for case in CASES if case["input"]["edits"]]

BOM = b"\xef\xbb\xbf"
SMALL = st.text(st.sampled_from("ab\n "), max_size=12)
OLD = st.text(st.sampled_from("ab\n "), min_size=1, max_size=3)
ODD = st.text(st.sampled_from("ab \t\né“”—ﬁ\u0301\u00a0"), max_size=14)
ODD_BYTES = st.lists(
    st.sampled_from([b"a", b"b", b" ", b"\n", b"\r\n", b"\r", b"\xe9", b"\x80"])
    | ODD.map(str.encode),
    max_size=8,
).map(b"".join)


def edit(
    data: bytes | str,
    old: str,
    new: str,
    *,
    replace_all: bool = False,
    fuzz: Fuzz = "none",
) -> Edited:
    source = data if isinstance(data, bytes) else data.encode()
    return apply_edits(source, [Edit(old, new, replace_all)], path="/f", fuzz=fuzz)


def edit_all(data: str, *pairs: tuple[str, str], basis: Basis = "original") -> bytes:
    edits = [Edit(old, new) for old, new in pairs]
    return apply_edits(data.encode(), edits, path="/f", basis=basis).data


def outcome(data: bytes, edits: Sequence[Edit], **options: Any) -> bytes | str:
    try:
        return apply_edits(data, edits, path="/f", **options).data
    except EditError as error:
        return error.code


# Exact matching


@settings(max_examples=400)
@given(SMALL, OLD, SMALL, st.booleans())
def test_an_exact_edit_is_what_str_replace_does(
    text: str, old: str, new: str, replace_all: bool
) -> None:
    assume(old != new)
    count = text.count(old)
    expected: bytes | str = text.replace(old, new).encode()
    if not count:
        expected = "no_match"
    elif count > 1 and not replace_all:
        expected = "multiple_matches"
    assert outcome(text.encode(), [Edit(old, new, replace_all)]) == expected


@settings(max_examples=200)
@given(SMALL, OLD, SMALL, st.booleans())
def test_a_crlf_file_is_edited_as_its_lf_twin(
    text: str, old: str, new: str, replace_all: bool
) -> None:
    plain = outcome(text.encode(), [Edit(old, new, replace_all)])
    expected = plain.replace(b"\n", b"\r\n") if isinstance(plain, bytes) else plain
    if b"\n" in text.encode():
        crlf = text.replace("\n", "\r\n").encode()
        assert outcome(crlf, [Edit(old, new, replace_all)]) == expected


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_levels_exact_and_unicode_do_what_the_conformance_case_says(
    case: dict[str, Any],
) -> None:
    before = case["files"]["/f"]
    data = bytes.fromhex(before["$hex"]) if isinstance(before, dict) else before.encode()
    edits = [Edit(entry["oldText"], entry["newText"]) for entry in case["input"]["edits"]]
    expected = case["expect"]["value"]
    if "error" in expected:
        with pytest.raises(EditError) as caught:
            apply_levels(data, edits, path="/f", levels=["exact", "unicode"], unchanged=True)
        assert ("ambiguous" in expected["error"]) == ("ambiguous_boundary" in caught.value.data)
        return
    done = apply_levels(data, edits, path="/f", levels=["exact", "unicode"], unchanged=True)
    if case.get("verdict") == "bug":  # the original loses bytes that it did not replace
        assert done.data == data.replace(b"b", b"x")
    else:
        assert done.data.decode() == case["files_after"]["/f"]
        assert done.first_changed_line == expected["firstChangedLine"]


def test_a_match_that_differs_in_line_endings_counts_as_exact() -> None:
    assert edit(b"a\r\nb\r\n", "a\nb", "c").strategy == "exact"


def test_new_lines_get_the_ending_of_the_text_they_replace() -> None:
    done = edit(b"1\n2\n3\n4\r\n5\r\n6", "4\n5", "x\ny\nz")
    assert done.data == b"1\n2\n3\nx\r\ny\r\nz\r\n6"


def test_new_lines_get_the_most_frequent_ending_where_nothing_is_nearer() -> None:
    assert edit(b"1\r\n2\n3\n4\r\n5\r\n", "3", "x\ny").data == b"1\r\n2\nx\r\ny\n4\r\n5\r\n"


@pytest.mark.parametrize("data", [b"1\r\nx\n", b"1\r\nx\r\n2\n3\n"])
def test_of_equally_frequent_endings_the_first_is_written(data: bytes) -> None:
    assert edit(data, "x", "y\nz").data == data.replace(b"x", b"y\r\nz")


def test_unchanged_lines_of_an_edit_keep_their_own_endings() -> None:
    done = edit(b"a\r\nb\nc\r\nd\n", "a\nb\nc\nd\n", "a\nB\nc\nd\n")
    assert done.data == b"a\r\nB\r\nc\r\nd\n"


def test_an_edit_that_spells_out_returns_is_written_as_it_stands() -> None:
    assert edit(b"a\r\nb\r\n", "a\r\n", "a\n").data == b"a\nb\r\n"


def test_returns_can_be_removed() -> None:
    assert edit(b"a\r\nb\r\n", "\r", "", replace_all=True).data == b"a\nb\n"


def test_removing_returns_from_a_file_without_any_removes_nothing() -> None:
    with pytest.raises(NoMatchError):
        edit(b"a\nb\n", "\r", "", replace_all=True, fuzz="unicode")


def test_an_edit_in_crlf_matches_an_lf_file() -> None:
    assert edit(b"a\nb\n", "a\r\nb", "x\r\ny").data == b"x\ny\n"


def test_an_edit_never_splits_a_crlf() -> None:
    assert edit(b"a\r\nb\r\n", "\nb", "c").data == b"ac\r\n"


def test_replace_all_finds_lines_of_either_ending() -> None:
    assert edit(b"a\r\nb\na\nb\n", "a\nb", "c", replace_all=True).data == b"c\nc\n"


def test_a_literal_match_is_tried_before_one_that_differs_in_line_endings() -> None:
    assert edit(b"a\r\nb\na\nb\n", "a\nb", "c").data == b"a\r\nb\nc\n"


def test_lone_returns_are_line_endings_where_there_is_no_other_match() -> None:
    assert edit(b"a\rb\rc", "a\nb", "x\ny").data == b"x\ry\rc"


def test_lone_returns_are_no_line_endings_where_there_are_others() -> None:
    data = b"1\r2\r\n3\r\n"
    assert edit(data, "\n", "\n\n", replace_all=True).data == b"1\r2\r\n\r\n3\r\n\r\n"


def test_lone_returns_elsewhere_stay() -> None:
    assert edit(b"a\rb\nc\n", "c", "d").data == b"a\rb\nd\n"


def test_a_byte_order_mark_stays_and_is_no_part_of_the_text() -> None:
    assert edit(BOM + b"a\nb", "a\n", "").data == BOM + b"b"


def test_a_byte_order_mark_cannot_be_matched() -> None:
    with pytest.raises(NoMatchError):
        edit(BOM + b"a", "\ufeffa", "b")


def test_bytes_that_cannot_be_decoded_stay() -> None:
    assert edit(b"\xe9\x00 x \xff\xfe\n", "x", "é").data == b"\xe9\x00 \xc3\xa9 \xff\xfe\n"


def test_bytes_that_cannot_be_decoded_match_their_surrogates() -> None:
    assert edit(b"caf\xe9", "f\udce9", "f\u00e9").data == b"caf\xc3\xa9"


def test_a_surrogate_does_not_match_a_part_of_a_character() -> None:
    assert edit("é\udca9".encode("utf-8", "surrogateescape"), "\udca9", "!").data == "é!".encode()


# Many edits


@settings(max_examples=200)
@given(
    SMALL,
    st.lists(st.builds(Edit, OLD, SMALL, st.booleans()), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_order_of_edits_does_not_matter(text: str, edits: list[Edit], random: Any) -> None:
    first = outcome(text.encode(), edits)
    shuffled = edits[:]
    random.shuffle(shuffled)
    if isinstance(first, bytes):
        assert outcome(text.encode(), shuffled) == first
    else:
        assert isinstance(outcome(text.encode(), shuffled), str)


@settings(max_examples=200)
@given(SMALL, st.lists(st.builds(Edit, OLD, SMALL, st.booleans()), min_size=1, max_size=4))
def test_sequential_edits_are_single_edits_one_after_the_other(
    text: str, edits: list[Edit]
) -> None:
    assume(all(one.old != one.new for one in edits))
    data: bytes | str = text.encode()
    for one in edits:
        data = data if isinstance(data, str) else outcome(data, [one])
    assert outcome(text.encode(), edits, basis="sequential") == data


def test_edits_are_matched_against_the_original() -> None:
    assert edit_all("a b", ("a", "b"), ("b", "a")) == b"b a"


def test_sequential_edits_are_matched_against_the_result_so_far() -> None:
    assert edit_all("a c", ("a", "b"), ("b", "d"), basis="sequential") == b"d c"


def test_adjacent_edits_do_not_overlap() -> None:
    assert edit_all("abc", ("a", "1"), ("b", "2"), ("c", "3")) == b"123"


def test_overlapping_edits_are_named_in_the_order_of_the_text() -> None:
    with pytest.raises(OverlappingEditsError) as caught:
        edit_all("abc x", ("x", "y"), ("bc", "2"), ("ab", "1"))
    assert caught.value.data == {"edits": [2, 1]}


def test_the_same_edit_twice_overlaps() -> None:
    with pytest.raises(OverlappingEditsError):
        edit_all("ab", ("a", "1"), ("a", "2"))


def test_the_failing_edit_is_named() -> None:
    with pytest.raises(NoMatchError, match=r"edits\[1\]") as caught:
        edit_all("abc", ("a", "1"), ("q", "2"))
    assert caught.value.data["edit"] == 1


def test_sequential_edits_that_undo_each_other_are_no_error() -> None:
    assert edit_all("a", ("a", "b"), ("b", "a"), basis="sequential") == b"a"


# Fuzzy matching


@settings(max_examples=400, deadline=None)
@given(ODD_BYTES, ODD, st.sampled_from(["rstrip", "strip", "unicode"]), st.booleans())
def test_bytes_outside_the_replaced_span_are_untouched(
    data: bytes, old: str, fuzz: Fuzz, bom: bool
) -> None:
    source = BOM * bom + data
    try:
        done = edit(source, old, "<new>", fuzz=fuzz)
    except EditError:
        return
    span = done.spans[0]
    head, tail = done.data[: span.start], done.data[span.end :]
    assert len(head) + len(tail) < len(source)
    assert source.startswith(head)
    assert source.endswith(tail)


@settings(max_examples=400, deadline=None)
@given(ODD_BYTES, ODD, st.sampled_from(["rstrip", "strip", "unicode"]))
def test_what_is_replaced_has_the_same_form_as_what_was_looked_for(
    data: bytes, old: str, fuzz: Fuzz
) -> None:
    try:
        done = edit(data, old, "<new>", fuzz=fuzz)
    except EditError:
        return
    span = done.spans[0]
    matched = data[span.start : len(data) - len(done.data) + span.end]
    found = unified(Normalized(matched.decode("utf-8", "surrogateescape"))).text
    if done.strategy == "unicode":
        assert normal_form(found) == normal_form(old)
    else:
        leading = done.strategy == "strip"
        one, other = (trimmed(Normalized(text), leading=leading).text for text in (found, old))
        assert one == other


@given(ODD.filter(lambda text: bool(text.strip())), st.data())
def test_any_text_of_a_file_is_found_exactly_whatever_may_be_ignored(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    old = text[start : data.draw(st.integers(start + 1, len(text)))]
    assume(text.count(old) == 1)
    assert edit(text, old, "<new>", fuzz="unicode").strategy == "exact"


@pytest.mark.parametrize(
    ("text", "old", "level"),
    [
        ("a  \nb\n", "a\nb", "rstrip"),
        ("a\nb\n", "a \nb", "rstrip"),
        ("  a\n", "\ta\n", "strip"),
        ("“a”\n", '"a"', "unicode"),
        ("a\u00a0b\n", "a b", "unicode"),
        ("a—b\n", "a-b", "unicode"),
        ("Ａ\n", "A", "unicode"),
        ("e\u0301\n", "é", "unicode"),
    ],
)
def test_the_strictest_level_that_matches_is_reported(text: str, old: str, level: Fuzz) -> None:
    assert edit(text, old, "x", fuzz="unicode").strategy == level
    assert edit(text, old, "x", fuzz=level).strategy == level


@pytest.mark.parametrize(
    ("text", "old", "fuzz"),
    [
        ("a  \nb\n", "a\nb", "none"),
        ("  a\n", "\ta\n", "rstrip"),
        ("“a”\n", '"a"', "strip"),
    ],
)
def test_a_looser_level_than_allowed_is_not_used_but_named(text: str, old: str, fuzz: Fuzz) -> None:
    with pytest.raises(NoMatchError) as caught:
        edit(text, old, "x", fuzz=fuzz)
    assert f'fuzz="{caught.value.data["fuzz"]}"' in str(caught.value.hint)


def test_a_looser_level_that_would_find_several_is_not_named() -> None:
    with pytest.raises(NoMatchError) as caught:
        edit("a  \nb\na \nb\n", "a\nb", "x")
    assert "fuzz" not in caught.value.data


def test_the_loosest_level_of_all_edits_is_reported() -> None:
    edits = [Edit('"', "1"), Edit("b", "2"), Edit("c \nd", "3")]
    done = apply_edits("“ b c\nd".encode(), edits, path="/f", fuzz="unicode")
    assert done.strategy == "unicode"
    assert [span.level for span in done.spans] == ["unicode", "exact", "rstrip"]


def test_a_file_keeps_its_typography_outside_the_match() -> None:
    assert edit("“x” — “y”", '"x"', "z", fuzz="unicode").data == "z — “y”".encode()


def test_white_space_after_a_fuzzy_match_stays() -> None:
    assert edit("a\u00a0b  \nc\n", "a b", "x", fuzz="unicode").data == b"x  \nc\n"


def test_white_space_before_a_fuzzy_match_that_begins_with_a_line_ending_stays() -> None:
    assert edit("x  \nb \nc\n", "\nb\nc", "\ny", fuzz="rstrip").data == b"x  \ny\n"


def test_a_lone_return_that_ends_old_stands_for_no_line_ending() -> None:
    assert edit("foo\nbar", "foo\r", "x", fuzz="rstrip").data == b"x\nbar"


def test_matches_that_share_a_line_ending_are_counted_apart() -> None:
    with pytest.raises(MultipleMatchesError):
        edit("\na\na\n", "\na ", "x", fuzz="rstrip")


def test_a_fuzzy_match_keeps_crlf_and_the_byte_order_mark() -> None:
    data = BOM + b"a  \r\nb\r\n\xff"
    assert edit(data, "a\nb", "x\ny", fuzz="rstrip").data == BOM + b"x\r\ny\r\n\xff"


def test_several_matches_at_a_strict_level_do_not_fall_through_to_a_looser_one() -> None:
    with pytest.raises(MultipleMatchesError) as caught:
        edit("a \nb\na  \nb\n", "a\nb", "x", fuzz="unicode")
    assert caught.value.data["strategy"] == "rstrip"


def test_replace_all_replaces_what_the_strictest_level_finds() -> None:
    assert edit("a\na \n", "a\n", "x\n", replace_all=True, fuzz="rstrip").data == b"x\na \n"


def test_replace_all_takes_every_fuzzy_match() -> None:
    done = edit("‘a’ ‘a’", "'a'", "x", replace_all=True, fuzz="unicode")
    assert (done.data, done.replacements) == (b"x x", 2)


def test_white_space_that_was_ignored_at_the_end_of_old_is_no_part_of_a_word() -> None:
    with pytest.raises(NoMatchError):
        edit("returned\n", "return  ", "x", fuzz="unicode")


@pytest.mark.parametrize(
    ("text", "old"),
    [("ﬁle", "ile"), ("ﬁle", "f"), ("x\u0323", "ｘ"), ("   \n", " \t"), ("a\n", " \n")],
)
def test_a_match_without_clear_ends_is_refused(text: str, old: str) -> None:
    with pytest.raises(NoMatchError) as caught:
        edit(text, old, "y", fuzz="unicode")
    assert caught.value.data["ambiguous_boundary"] is True


def test_replace_all_refuses_when_any_match_has_no_clear_ends() -> None:
    with pytest.raises(NoMatchError) as caught:
        edit("ﬁ ＦＩ ｆ", "f", "y", replace_all=True, fuzz="unicode")
    assert caught.value.data["ambiguous_boundary"] is True


def test_one_match_with_clear_ends_among_others_is_not_unique() -> None:
    with pytest.raises(MultipleMatchesError) as caught:
        edit("ﬁ ｆ", "f", "y", fuzz="unicode")
    assert caught.value.data["count"] == 2


# Indentation


def test_text_indented_less_than_the_file_is_indented_alike() -> None:
    data = "class A:\n    def f(self):\n        pass\n"
    done = edit(
        data, " def f(self):\n     pass\n", " def g(self):\n\n     return 1\n", fuzz="strip"
    )
    assert done.data == b"class A:\n    def g(self):\n\n        return 1\n"
    assert (done.strategy, done.reindented) == ("strip", True)


def test_text_indented_more_than_the_file_is_indented_alike() -> None:
    done = edit("if a:\n  b\n", "    if a:\n      b\n", "    if c:\n      d\n", fuzz="strip")
    assert done.data == b"if c:\n  d\n"


def test_spaces_become_the_tab_that_the_file_has() -> None:
    assert edit("\ta\n\tb\n", "  a\n  b\n", "  x\n    y\n", fuzz="strip").data == b"\tx\n\t  y\n"


def test_text_whose_indentation_differs_unevenly_is_written_as_it_stands() -> None:
    done = edit("\ta\n\t\tb\n", "    a\n        b\n", "    x\n        y\n", fuzz="strip")
    assert done.data == b"    x\n        y\n"
    assert not done.reindented


def test_text_that_leaves_the_common_indentation_is_written_as_it_stands() -> None:
    done = edit("\ta\n", "    a\n", "    x\ny\n", fuzz="strip")
    assert done.data == b"    x\ny\n"


def test_text_given_from_its_first_letter_on_keeps_the_indentation_before_it() -> None:
    done = edit("    a(\n\tb)\n", "a(\n  b)\n", "x(\n  y)\n", fuzz="strip")
    assert done.data == b"    x(\n  y)\n"


def test_lines_given_from_their_first_letter_on_are_deleted_whole() -> None:
    assert edit("1\n    a(\n\tb)\n2\n", "a(\n  b)\n", "", fuzz="strip").data == b"1\n2\n"


def test_strip_matches_whole_lines_only() -> None:
    with pytest.raises(NoMatchError):
        edit("x a\n\tb\n", "a\n  b\n", "y", fuzz="strip")


def test_strip_needs_the_line_ending_that_old_has() -> None:
    with pytest.raises(NoMatchError):
        edit("\ta", "  a\n", "x", fuzz="strip")


def test_strip_counts_every_one_of_adjacent_lines() -> None:
    with pytest.raises(MultipleMatchesError) as caught:
        edit("\ta\n\ta\n\ta\n", "  a\n", "x\n", fuzz="strip")
    assert caught.value.data["lines"] == [1, 2, 3]


def test_strip_replaces_every_one_of_adjacent_lines() -> None:
    done = edit("\ta\n\ta\n", "  a\n", "  b\n", replace_all=True, fuzz="strip")
    assert done.data == b"\tb\n\tb\n"


# Results


def test_the_first_changed_line_is_the_first_that_differs() -> None:
    assert edit("1\n2\n3\n4\n", "2\n3\n", "2\nthree\n").first_changed_line == 3


def test_the_first_changed_line_after_a_deletion_is_where_the_text_goes_on() -> None:
    assert edit("1\n2\n3\n", "2\n", "").first_changed_line == 2


def test_the_first_changed_line_after_an_insertion_is_the_inserted_one() -> None:
    assert edit("1\n2\n", "1", "1\nnew").first_changed_line == 2


def test_spans_are_where_the_new_texts_are() -> None:
    edits = [Edit("c", "333\n"), Edit("a", "")]
    done = apply_edits(b"a\nb\nc\n", edits, path="/f")
    assert [(span.edit, done.data[span.start : span.end]) for span in done.spans] == [
        (1, b""),
        (0, b"333\n"),
    ]
    assert [(span.line, span.end_line) for span in done.spans] == [(1, 1), (3, 4)]


def test_spans_of_sequential_edits_are_where_the_new_texts_are_in_the_end() -> None:
    edits = [Edit("c", "C"), Edit("a", "AAA\n"), Edit("A\nb", "x")]
    done = apply_edits(
        b"a b c", [*edits[:1], Edit("a ", "AAA\n"), edits[2]], path="/f", basis="sequential"
    )
    assert done.data == b"AAx C"
    assert [(span.edit, span.start, span.end) for span in done.spans] == [
        (1, 0, 3),
        (2, 2, 3),
        (0, 4, 5),
    ]


def test_a_span_that_a_later_edit_cuts_into_begins_where_that_one_does() -> None:
    edits = [Edit("b", "BB"), Edit("a B", "x")]
    done = apply_edits(b"a b", edits, path="/f", basis="sequential")
    assert done.data == b"xB"
    assert [(span.edit, span.start, span.end) for span in done.spans] == [(1, 0, 1), (0, 0, 2)]


@settings(max_examples=200)
@given(SMALL, st.lists(st.builds(Edit, OLD, SMALL, st.booleans()), min_size=1, max_size=4))
def test_nothing_outside_the_spans_of_sequential_edits_is_changed(
    text: str, edits: list[Edit]
) -> None:
    try:
        done = apply_edits(text.encode(), edits, path="/f", basis="sequential")
    except EditError:
        return
    first, last = done.spans[0], max(done.spans, key=lambda span: span.end)
    assert text.encode().startswith(done.data[: first.start])
    assert text.encode().endswith(done.data[last.end :])


def test_no_more_than_a_thousand_spans_are_listed() -> None:
    done = edit("a" * 1500, "a", "b", replace_all=True)
    assert (done.replacements, len(done.spans)) == (1500, 1000)


# Errors


def test_empty_old_is_refused() -> None:
    with pytest.raises(EmptyOldError) as caught:
        edit_all("a", ("a", "b"), ("", "x"))
    assert caught.value.data == {"edit": 1}


def test_an_edit_to_the_same_text_is_refused() -> None:
    with pytest.raises(NoChangeError) as caught:
        edit_all("a b", ("a", "x"), ("b", "b"))
    assert caught.value.data == {"edit": 1}


def test_an_edit_that_finds_its_new_text_there_already_is_refused() -> None:
    with pytest.raises(NoChangeError):
        edit("“a”", '"a"', "“a”", fuzz="unicode")


def test_edits_that_cancel_out_are_refused() -> None:
    with pytest.raises(NoChangeError):
        edit_all("ab", ("a", ""), ("b", "ab"))


def test_an_edit_without_effect_beside_others_can_be_accepted() -> None:
    edits = [Edit("a", "a"), Edit("b", "c")]
    done = apply_levels(b"a b", edits, path="/f", levels=["exact"], unchanged=True)
    assert done.data == b"a c"


@pytest.mark.parametrize("basis", ["original", "sequential"])
def test_edits_without_any_effect_are_never_accepted(basis: Basis) -> None:
    with pytest.raises(NoChangeError):
        apply_levels(
            b"a", [Edit("a", "a")], path="/f", levels=["exact"], basis=basis, unchanged=True
        )


def test_no_match_tells_the_nearest_lines() -> None:
    with pytest.raises(NoMatchError) as caught:
        edit("def one():\n    pass\n", "def oen():", "x")
    assert caught.value.data["near"] == [
        {"line": 1, "text": "def one():", "expected": "def oen():"}
    ]
    assert "line 1: 'def one():'" in str(caught.value.hint)


def test_multiple_matches_tell_their_number_and_lines() -> None:
    with pytest.raises(MultipleMatchesError, match="3 times in /f, on lines 1, 3") as caught:
        edit("a a\nb\na\n", "a", "x")
    assert caught.value.data == {"edit": 0, "count": 3, "lines": [1, 1, 3], "strategy": "exact"}


def test_no_more_than_a_hundred_lines_are_told() -> None:
    with pytest.raises(MultipleMatchesError) as caught:
        edit("a\n" * 1000, "a", "x")
    assert (caught.value.data["count"], len(caught.value.data["lines"])) == (1000, 100)


def test_errors_name_the_path_and_survive_pickling() -> None:
    with pytest.raises(NoMatchError) as caught:
        edit("a", "b", "c")
    assert pickle.loads(pickle.dumps(caught.value)).filename == "/f"


@pytest.mark.parametrize(
    "edits",
    [
        [],
        "nope",
        None,
        [1],
        [{"old": "a"}],
        [{"new": "a"}],
        [{"old": "a", "new": 1}],
        [{"old": b"a", "new": "b"}],
        [{"old": "a", "new": "b", "replace_all": 1}],
        [{"oldText": "a", "newText": "b"}],
        [{"old": "a", "new": "\ud800"}],
        [Edit("a", None)],  # type: ignore[arg-type]
    ],
)
def test_malformed_edits_are_refused(edits: Any) -> None:
    with pytest.raises(EditError) as caught:
        apply_edits(b"a", edits, path="/f")
    assert caught.value.code == "edit"
    assert caught.value.filename == "/f"
    assert caught.value.hint


@pytest.mark.parametrize("option", [{"fuzz": "loose"}, {"basis": "none"}])
def test_unknown_options_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(EditError, match="is '") as caught:
        apply_edits(b"a", [Edit("a", "b")], path="/f", **option)
    assert str(caught.value.hint).startswith("Use one of ")


def test_edits_may_be_mappings() -> None:
    assert parse_edits([{"old": "a", "new": "b", "replace_all": True}]) == (Edit("a", "b", True),)


@pytest.mark.parametrize("value", [Edit("a", "b"), {"old": "a", "new": "b"}])
def test_a_single_edit_needs_no_list(value: Any) -> None:
    assert parse_edits(value) == (Edit("a", "b"),)


# Bounds


def test_a_text_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vshell.text.edits.MAX_TEXT_BYTES", 10)
    with pytest.raises(TooLargeError):
        edit("a" * 11, "b", "c")


def test_a_result_over_the_limit_is_refused_before_it_is_made() -> None:
    with pytest.raises(TooLargeError):
        edit("a" * 1000, "a", "x" * 1_000_000, replace_all=True)


@pytest.mark.parametrize("basis", ["original", "sequential"])
def test_too_many_replacements_are_refused(monkeypatch: pytest.MonkeyPatch, basis: Basis) -> None:
    monkeypatch.setattr("vshell.text.edits.MAX_REPLACEMENTS", 5)
    edits = [Edit("a", "x", replace_all=True), Edit("b", "y", replace_all=True)]
    with pytest.raises(TooLargeError):
        apply_edits(b"aaabbb", edits, path="/f", basis=basis)


@pytest.mark.parametrize("basis", ["original", "sequential"])
def test_too_much_work_is_refused(monkeypatch: pytest.MonkeyPatch, basis: Basis) -> None:
    monkeypatch.setattr("vshell.text.edits._MAX_WORK_BYTES", 300)
    edits = [Edit("a", "a" + "b" * 200), Edit("a", "c"), Edit("c", "d")]
    with pytest.raises(TooLargeError):
        apply_edits(
            b"a" + b"." * (100 if basis == "original" else 0), edits, path="/f", basis=basis
        )


def test_a_long_text_in_a_long_file_of_the_same_letter_takes_linear_time() -> None:
    with pytest.raises(NoMatchError):
        edit(b"a" * 2_000_000, "a" * 100_000 + "b", "x", fuzz="unicode")
