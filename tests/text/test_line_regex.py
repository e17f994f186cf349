from __future__ import annotations

import random
import re

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


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\b[a-z]{14}\b", [r"\b[a-z]{14}\b"]),
        ("[a-z]+_[A-Z]{3,}x", ["[A-Z]{3,}x"]),
        ("(?:foo|ba[rz])[0-9]+ [a-f]{8}", ["(?:(?:foo|ba[rz]))[0-9]+", "[a-f]{8}"]),
        ("([a-z]{4})+", ["(?:[a-z]{4})"]),
        (r"\B[a-z]{3}^", ["[a-z]{3}"]),
        ("[a-z]{3}(?![a-z]{5})x?", ["[a-z]{3}x?"]),
        ("[a-z]{3}[0-9]*+[A-Z]{3}", ["[a-z]{3}", "[A-Z]{3}"]),
        ("(?:[a-z]{4}| )x{3}", ["x{3}"]),
        ("(?i:[a-z]{5})", ["(?i:[a-z]{5})"]),
        ("[A-z]{5}|[a-z]{9}", []),
        ("(?:[a-z]{5})?[a-z]{2}", []),
        (r"\w{9}[^a]{5}.{7}", []),
        ("é{5}", []),
    ],
)
def test_what_a_word_must_match_is_read_off(pattern: str, words: list[str]) -> None:
    known = study(pattern)
    assert known is not None
    assert list(known.words) == words


def random_pattern(rng: random.Random, depth: int = 2) -> str:
    atoms = [
        "a",
        "b",
        "Z",
        "7",
        "_",
        "é",
        " ",
        "[a-z]",
        "[0-9a-f]",
        "[A-Z]",
        r"\d",
        r"\w",
        ".",
        "[^a]",
    ]
    edges = [r"\b", r"\B", "^", "$", "(?=a)", "(?!b)", "(?<=a)", r"(?<!\d)"]
    quantifiers = ["", "", "", "+", "*", "?", "{2}", "{2,3}", "{1,}?", "*?", "++", "{0}"]
    parts = []
    for _ in range(rng.randrange(1, 6)):
        kind = rng.random()
        if kind < 0.2:
            parts.append(rng.choice(edges))
        elif kind < 0.4 and depth:
            inside = "|".join(random_pattern(rng, depth - 1) for _ in range(rng.randrange(1, 3)))
            opening = rng.choice(["(", "(?:", "(?>", "(?i:", "(?="])
            parts.append(f"{opening}{inside}){rng.choice(quantifiers)}")
        else:
            parts.append(rng.choice(atoms) + rng.choice(quantifiers))
    return "".join(parts)


def broken_words(seed: int, patterns: int) -> list[str]:
    """Return patterns that match a text of which no word matches what one should."""
    rng = random.Random(seed)
    pieces = [
        "a",
        "b",
        "ab",
        "aa",
        "Z",
        "7",
        "77",
        "_",
        "é",
        "\u0664",
        "—",
        " ",
        "-",
        "\n",
        "\udc80",
    ]
    wrong = []
    for _ in range(patterns):
        pattern = random_pattern(rng)
        known = study(pattern)
        if known is None or not known.words:
            continue
        flags = regex.VERSION0 | regex.MULTILINE
        compiled = regex.compile(pattern, flags)
        for _ in range(40):
            text = "".join(rng.choices(pieces, k=rng.randrange(1, 12)))
            if compiled.search(text, timeout=5) is None:
                continue
            data = text.encode("utf-8", "surrogateescape")
            held = b"\n".join([b"", *re.split(rb"[^0-9A-Za-z\x80-\xff]+", data), b""])
            for word in known.words:
                ignore_case = re.IGNORECASE if known.ignore_case else 0
                if re.search(word.encode(), held, ignore_case | re.ASCII) is None:
                    wrong.append(f"{pattern!r} {word!r} {text!r}")
    return wrong


@pytest.mark.parametrize("seed", range(6))
def test_what_matches_has_the_words_that_it_must(seed: int) -> None:
    assert broken_words(seed, 400) == []


def test_a_planner_that_keeps_edges_which_an_index_does_not_know_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from vshell.text import line_regex

    def wrong_edge(confined: str, clauses: tuple[line_regex.Clause, ...] = (), copies: int = 1):  # type: ignore[no-untyped-def]
        return line_regex._Part(confined, ("",), clauses, copies, confined)

    monkeypatch.setattr(line_regex, "_edge", wrong_edge)
    assert any(broken_words(seed, 400) for seed in range(6))
