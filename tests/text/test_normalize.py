from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.text.normalize import (
    WHITE_SPACE,
    Normalized,
    _attaches,
    compatible,
    decoded,
    normal_form,
    trimmed,
    unified,
)

CASES = json.loads(
    Path(__file__)
    .parents[2]
    .joinpath("fixtures/cases/computer_fuzzy_normalize.json")
    .read_text("utf-8")
)["cases"]

FOLDED = str.maketrans("‘’‚‛“”„‟‐‑‒–—―−", "''''\"\"\"\"-------")

# Letters, marks of several classes, jamo, ligatures and other characters that expand.
CLUSTERED = "ae \t\n\r\x01\x02가\u1100\u1161\u11a8\u0301\u0316\u0344ｶﾞﬁ…½Ａ“—\u00a0\u3000\u00a8\u200b🙂क\u093f"
TEXTS = st.text(st.sampled_from(CLUSTERED) | st.characters(exclude_categories=["Cs"]), max_size=20)
LINES = st.text(st.sampled_from("ab \t\u00a0\r\n"), max_size=24)


def reference(text: str) -> str:
    lines = unicodedata.normalize("NFKC", text).split("\n")
    return "\n".join(line.rstrip(WHITE_SPACE) for line in lines).translate(FOLDED)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_normal_form_is_that_of_the_conformance_case(case: dict[str, str]) -> None:
    assert normal_form(case["input"]) == case["expect"]


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_the_normal_form_is_trimmed_nfkc_with_ascii_quotes_and_dashes(text: str) -> None:
    assert normal_form(text) == reference(text)


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_each_offset_with_a_source_cuts_text_and_form_at_the_same_place(text: str) -> None:
    form = compatible(Normalized(text))
    for offset in range(len(form.text) + 1):
        source = form.source(offset)
        if source is not None:
            for half, other in (
                (text[:source], form.text[:offset]),
                (text[source:], form.text[offset:]),
            ):
                assert unicodedata.normalize("NFKC", half).translate(FOLDED) == other


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_sources_never_go_back(text: str) -> None:
    form = trimmed(compatible(unified(Normalized(text))))
    sources = [
        form.source(offset, after=after)
        for offset in range(len(form.text) + 1)
        for after in (False, True)
    ]
    known = [source for source in sources if source is not None]
    assert known == sorted(known)
    assert all(0 <= source <= len(text) for source in known)


@given(LINES)
def test_only_white_space_lies_between_the_offsets_before_and_after(text: str) -> None:
    form = trimmed(Normalized(text), leading=True)
    for offset in range(len(form.text) + 1):
        before, after = form.source(offset), form.source(offset, after=True)
        assert before is not None
        assert after is not None
        assert not text[before:after].strip(WHITE_SPACE)


@given(LINES)
def test_trimmed_drops_white_space_at_the_end_of_every_line(text: str) -> None:
    expected = "\n".join(line.rstrip(WHITE_SPACE) for line in text.split("\n"))
    assert trimmed(Normalized(text)).text == expected


@given(LINES)
def test_trimmed_drops_white_space_at_both_ends_of_every_line(text: str) -> None:
    expected = "\n".join(line.strip(WHITE_SPACE) for line in text.split("\n"))
    assert trimmed(Normalized(text), leading=True).text == expected


@settings(max_examples=300)
@given(st.text(st.sampled_from("a\r\n"), max_size=20), st.randoms(use_true_random=False))
def test_unified_offsets_are_those_of_a_walk_over_the_text(text: str, random: Random) -> None:
    form = unified(Normalized(text), lone=False)
    walked = [at for at in range(len(text) + 1) if text[max(0, at - 1) : at + 1] != "\r\n"]
    offsets = list(range(len(form.text) + 1))
    random.shuffle(offsets)
    assert {offset: form.source(offset) for offset in offsets} == dict(enumerate(walked))


def test_unified_keeps_lone_returns_when_asked_to() -> None:
    assert unified(Normalized("a\rb\r\nc"), lone=False).text == "a\rb\nc"


def test_unified_takes_lone_returns_for_line_endings() -> None:
    assert unified(Normalized("a\rb\r\nc")).text == "a\nb\nc"


@given(st.binary(max_size=12) | TEXTS.map(str.encode), st.integers(0, 3))
def test_decoded_offsets_are_byte_offsets(data: bytes, skip: int) -> None:
    form = decoded(data, skip=skip)
    for offset in [*range(len(form.text) + 1), 0]:
        start = form.text[:offset].encode("utf-8", "surrogateescape")
        assert form.source(offset) == skip + len(start)


def test_decoded_keeps_undecodable_bytes_apart() -> None:
    assert decoded(b"a\xe9b").text == "a\udce9b"


@pytest.mark.parametrize("text", ["ﬁ", "e\u0301", "\u1100\u1161\u11a8", "…", "x\u0323", "कि"])
def test_no_offset_within_a_letter_and_its_marks_has_a_source(text: str) -> None:
    form = compatible(Normalized(text))
    assert form.source(0) == 0
    assert form.source(len(form.text)) == len(text)
    assert {form.source(offset) for offset in range(1, len(form.text))} <= {None}


def test_a_letter_is_not_parted_from_a_mark_that_does_not_compose() -> None:
    assert compatible(Normalized("x\u0323")).source(1) is None


def test_a_mark_at_the_start_of_a_line_stands_alone() -> None:
    assert compatible(Normalized("a\n\u0301b")).source(2) == 2


def test_wide_letters_map_one_to_one() -> None:
    form = compatible(Normalized("ａｂｃ"))
    assert [form.source(offset) for offset in range(4)] == [0, 1, 2, 3]


def test_ascii_is_its_own_compatible_form() -> None:
    form = Normalized("plain")
    assert compatible(form) is form


def test_every_character_that_may_join_the_one_before_it_attaches() -> None:
    joining = set()
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and parts[0][0] != "<":
            joining.add(chr(int(parts[1], 16)))
        if unicodedata.combining(character):
            joining.add(character)
    assert [character for character in joining if not _attaches(character)] == []


def test_very_many_marks_on_one_letter_take_linear_time() -> None:
    # `unicodedata.normalize` would take minutes for this.
    text = "a" + "\u0301\u0316" * 200_000
    assert normal_form(text) == text


def test_a_long_run_of_spaces_inside_a_line_takes_linear_time() -> None:
    text = " " * 300_000 + "x"
    assert trimmed(Normalized(text)).text == text
    assert trimmed(Normalized(text), leading=True).text == "x"


def test_up_to_127_marks_are_put_in_order() -> None:
    marks = "\u0301\u0316" * 63
    assert normal_form("q" + marks) == unicodedata.normalize("NFKC", "q" + marks)
