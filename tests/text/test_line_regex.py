from __future__ import annotations

import pytest
import regex

from vshell.text.line_regex import most_copies, study


@pytest.mark.parametrize(
    ("pattern", "clauses"),
    [
        ("foo", [{"foo"}]),
        (r"foo\.bar", [{"foo.bar"}]),
        (r"^def \w+\(self", [{"def "}, {"(self"}]),
        ("colou?r", [{"color", "colour"}]),
        ("[Tt]odo", [{"Todo", "todo"}]),
        ("TODO|FIXME|XXX", [{"TODO", "FIXME", "XXX"}]),
        ("(foo|bar)baz", [{"foobaz", "barbaz"}]),
        (r"(foo\d|bar\s+)baz", [{"foo", "bar"}, {"baz"}]),
        (r"\bfoo\b.*\bbar\b", [{"foo"}, {"bar"}]),
        ("(?:foo)+bar", [{"foo"}, {"bar"}]),
        ("fo{2,}", [{"o"}, {"f"}]),
        ("(?=.*foo)(?=.*bar)", [{"foo"}, {"bar"}]),
        ("(?<=foo)bar", [{"foo"}, {"bar"}]),
        (r"\x66oo\u0021", [{"foo!"}]),
    ],
)
def test_what_a_line_must_hold_is_read_off(pattern: str, clauses: list[set[str]]) -> None:
    known = study(pattern)
    assert known is not None
    assert [set(clause) for clause in known.clauses] == clauses


@pytest.mark.parametrize(
    "pattern",
    [
        "foo|",
        "(?:foo)*",
        "(foo)?",
        "foo{0,1}|b*",
        "(?!foo)",
        "(?<!foo)",
        r"\w+",
        "[^a]",
        ".",
        "",
        "^$",
    ],
)
def test_nothing_must_be_there_when_the_pattern_can_do_without(pattern: str) -> None:
    known = study(pattern)
    assert known is not None
    assert known.clauses == ()


@pytest.mark.parametrize(
    ("pattern", "confined"),
    [
        (r"a\sb", r"a[^\S\n]b"),
        (r"[^a]\W\D", r"[^\na][^\w\n][^\d\n]"),
        (r"\Aa\Z", "^a$"),
        ("(?s)a.b", r"a[^\n]b"),
        (r"[^]a]", r"(?:(?!\n)[^]a])"),
        (r"a(?P<name>\s)+?", r"a(?P<name>[^\S\n])+?"),
    ],
)
def test_nothing_in_a_confined_pattern_matches_a_newline(pattern: str, confined: str) -> None:
    known = study(pattern)
    assert known is not None
    assert known.confined == confined


@pytest.mark.parametrize(
    "pattern",
    [
        "a(?i)b",
        "(?x)a b",
        "(?:foo){e<=1}",
        "a{ 2}",
        r"\K",
        r"\012",
        "(?R)",
        "(?|a|b)",
        "(a)(?(1)b|c)",
        "(*FAIL)",
        "(?#comment)",
        "(?V1)a",
        "a)",
        "[a",
        "\\",
        "(" * 60 + ")" * 60,
    ],
)
def test_nothing_is_said_of_a_pattern_with_unusual_syntax(pattern: str) -> None:
    assert study(pattern) is None


def test_a_flag_that_ignores_case_is_noticed_wherever_it_holds() -> None:
    assert [study(each).ignore_case for each in ("(?i)a", "(?i:a)", "a")] == [True, True, False]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pattern", "copies"),
    [("abc", 3), ("a{5}", 5), ("(?:ab{3}){4}", 20), ("a{2,9}", 2), ("a{0,9}|b", 2), ("a+", 1)],
)
def test_repeat_counts_multiply(pattern: str, copies: int) -> None:
    known = study(pattern)
    assert known is not None
    assert known.copies == copies


def test_copies_of_any_pattern_are_bounded_by_its_counts() -> None:
    assert most_copies("(?#)(a{10}){10}") >= 100


def test_a_confined_pattern_compiles_whenever_the_pattern_does() -> None:
    for pattern in (r"\s{2,3}?", r"(?<=\s)\n*", r"[^\]\s-]++", r"(b)\W\1", r"\p{L}{2}"):
        known = study(pattern)
        assert known is not None
        assert regex.compile(pattern).groups == regex.compile(known.confined).groups
