from __future__ import annotations

import time

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from vshell.errors import BadPatternError
from vshell.text.line_regex import split_flags
from vshell.text.matching import (
    MAX_PATTERN_CHARACTERS,
    compile_matcher,
    text_bytes,
    text_of,
)
from vshell.text.shown_lines import cut_line, lines_after, lines_before

Found = list[tuple[int, int, str]]

PIECES = [
    *("a", "b", "ab", "foo", "FOO", "k", "K", "s", "ſ", "i", "I", "İ", "ı", "é", "É", "ß", "SS"),
    *("_", "1", ",", "x", "xx", "日", "😀", "-", "{", "b1", *" \t\r\x0b\x0c\u2028\x85"),
]
CHARACTERS = [
    "a",
    "b",
    "ab",
    "foo",
    "k",
    "s",
    "ſ",
    "i",
    "I",
    "é",
    "ß",
    "_",
    "1",
    ",",
    " ",
    "\udc80",
]
CLASSES = [
    *(".", r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"\v", r"\R", r"\X", r"\p{L}", r"\P{Lu}"),
    *("[a-c]", "[^a]", "[ab]", "[aé]", "[-a]", "[^-a]", "[]a]", "[^]a]", r"[^\n]", r"[^ab\s]"),
    *(r"[\s,]", r"[^\W]", r"[\W\d]", "[[:alpha:]]", "[^[:space:]]", r"[\x00-\x7f]"),
]
ESCAPES = [r"\.", r"\n", r"\r", r"\t", r"\x0a", r"\x61", r"\xe9", r"\/", r"\ ", "\n", "\t"]
EDGES = ["^", "$", r"\b", r"\B", r"\A", r"\Z", r"\m", r"\M", r"\G", r"(?<!\w)", r"(?!\w)"]
OTHERS = [
    *("{", "}", "a{", "a{,}", "x{2}", r"\1", "(?=.*foo)", "(?i)", "(?s)", "(?P=n)", "(?#c)"),
    *("(?:ab){e<=1}", "(?(1)a|b)", "(?-m:^)"),
]
ATOMS = st.sampled_from([*CHARACTERS, *CLASSES, *ESCAPES, *EDGES, *OTHERS])
QUANTIFIERS = st.sampled_from(
    [
        "",
        "",
        "",
        "",
        "",
        "*",
        "+",
        "?",
        "{2}",
        "{0,1}",
        "{1,}",
        "{0}",
        "*?",
        "??",
        "*+",
        "?+",
        "{,2}",
    ]
)
OPENINGS = st.sampled_from(
    ["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?s:", "(?P<n>"]
)


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sequence = st.lists(parts, max_size=4).map("".join)
    return st.lists(sequence, min_size=1, max_size=3).map("|".join)


def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.builds(str.__add__, ATOMS, QUANTIFIERS)
    group = st.builds("{}{}){}".format, OPENINGS, joined(inner), QUANTIFIERS)
    return st.one_of(item, item, group)


PATTERNS = joined(st.recursive(st.builds(str.__add__, ATOMS, QUANTIFIERS), grouped, max_leaves=6))

LINES = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: "".join(parts).encode())
BROKEN = st.sampled_from([b"", b"", b"", b"\xff", b"\xc3", b"\xe9\x80", b"\x80", b"\xf0\x9f"])
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r\r\n", b"\n\n"])
TEXTS = st.builds(
    lambda lines, last: b"".join(map(b"".join, lines)) + last,
    st.lists(st.tuples(LINES, BROKEN, ENDS), max_size=5),
    LINES,
)


def lines_of(data: bytes) -> list[str]:
    """The lines as `matching` defines them, one after the other."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    last = lines.pop()
    return [line.removesuffix("\r") for line in lines] + ([last] if last else [])


def expected(pattern: str, data: bytes, *, ignore_case: bool, word: bool) -> Found:
    """What the same engine finds in each line by itself."""
    flags = regex.V0 | (regex.I if ignore_case else 0)
    if word:
        start, rest = split_flags(pattern)
        pattern = rf"{start}(?<!\w)(?:{rest})(?!\w)"
    compiled = regex.compile(pattern, flags)
    found = []
    for number, line in enumerate(lines_of(data), 1):
        if match := compiled.search(line, timeout=1):
            found.append((number, match.start() + 1, line))
    return found


def search(pattern: str, data: bytes, **options: bool) -> Found:
    content = text_bytes(data)
    assert content is not None
    matcher = compile_matcher(pattern, **options)
    text = text_of(content)
    found = [
        (match.line, match.column, text[match.start : match.end])
        for match in matcher.matches(text, time.monotonic() + 5)
    ]
    assert not found or matcher.may_match(content), "the quick check denies a match"
    return found


# --- what a match is: the same engine on each line by itself ----------------------------


@settings(max_examples=400)
@given(PATTERNS, TEXTS, st.booleans(), st.booleans())
@example(r"foo(?!\s)", b"foo\nbar\n", False, False)
@example(r"(?<![^x])foo", b"a\nfoo\n", False, False)
@example(r"foo\s*+$", b"foo\n  \nx\n", False, False)
@example(r"a\s+b|b", b"a\nb\n", False, False)
@example(r"\Afoo\Z", b"x\nfoo\r\n", False, False)
@example(r"[^x]+y", b"a\nby\n", False, False)
@example(r"k(?i:-|)", b"_,K\n", False, False)
@example(r"[^ab\s](?a)", "\u2028b\n".encode(), False, False)
@example("stra\u017fe", b"STRASE\n", True, False)
@example(r"[^\x80-\xff]|b|\n", "\r\r\nxxı\n".encode(), False, False)
def test_a_regular_expression_matches_as_it_does_in_each_line_by_itself(
    pattern: str, data: bytes, ignore_case: bool, word: bool
) -> None:
    try:
        regex.compile(pattern, regex.V0)
        found = expected(pattern, data, ignore_case=ignore_case, word=word)
    except (regex.error, TimeoutError, MemoryError):
        assume(False)
    assert search(pattern, data, ignore_case=ignore_case, word=word) == found


NEEDLES = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
    st.text("ab.*(?i)\\[k_ \udc80", max_size=4),
)


@settings(max_examples=200)
@given(NEEDLES, TEXTS, st.booleans(), st.booleans())
@example("", b"a\n\nb", False, False)
@example("", b"", False, False)
@example("\u212a", b"k\n", True, False)
@example("\r", b"a\r\nb\rc\n", False, False)
@example("\udcc3\udca9", "é\n".encode(), False, False)
def test_literal_text_matches_as_the_escaped_pattern_does_in_each_line(
    needle: str, data: bytes, ignore_case: bool, word: bool
) -> None:
    found = expected(regex.escape(needle), data, ignore_case=ignore_case, word=word)
    assert search(needle, data, literal=True, ignore_case=ignore_case, word=word) == found


@settings(max_examples=150)
@given(PATTERNS, TEXTS, st.booleans())
def test_multiline_finds_the_lines_that_the_matches_in_the_whole_text_touch(
    pattern: str, data: bytes, ignore_case: bool
) -> None:
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    flags = regex.V0 | regex.M | (regex.I if ignore_case else 0)
    touched: set[int] = set()
    try:
        for match in regex.compile(pattern, flags).finditer(text, timeout=1):
            last = max(match.start(), match.end() - 1)
            touched.update(range(text.count("\n", 0, match.start()), text.count("\n", 0, last) + 1))
    except (regex.error, TimeoutError, MemoryError):
        assume(False)
    lines = lines_of(data)
    found = search(pattern, data, ignore_case=ignore_case, multiline=True)
    numbers = [line + more for line, _, block in found for more in range(block.count("\n") + 1)]
    assert numbers == [number + 1 for number in sorted(touched) if number < len(lines)]
    assert all(
        lines[line - 1 :][: block.count("\n") + 1] == block.split("\n") for line, _, block in found
    )


@given(st.sampled_from(["foo", "a", "ab|é", "(?i)k", r"\bfoo\b", "ſ"]), TEXTS, st.booleans())
def test_the_quick_check_denies_nothing_that_matches(
    pattern: str, data: bytes, ignore_case: bool
) -> None:
    matcher = compile_matcher(pattern, ignore_case=ignore_case, multiline=True)
    content = text_bytes(data)
    assert content is not None
    if any(matcher.matches(text_of(content), time.monotonic() + 5)):
        assert matcher.may_match(content)


def test_the_quick_check_denies_a_text_without_a_literal_that_the_pattern_needs() -> None:
    assert not compile_matcher(r"def\s+\w+_path\(").may_match(b"def path(x)")


def test_no_other_characters_match_ascii_letters_when_case_is_ignored() -> None:
    others = "".join(map(chr, [*range(0x80, 0xD800), *range(0xE000, 0x110000)]))
    found = {*regex.findall("[a-z]", others, regex.I), *regex.findall("[A-Z]", others, regex.I)}
    assert found == set("\u0130\u0131\u017f\u212a")


# --- lines ------------------------------------------------------------------------------


def test_a_carriage_return_before_the_newline_is_no_part_of_the_line() -> None:
    assert search("o$", b"foo\r\nfoo\n") == [(1, 3, "foo"), (2, 3, "foo")]


def test_a_carriage_return_anywhere_else_is_part_of_the_line() -> None:
    assert search("o\r", b"foo\rbar\nfoo\r") == [(1, 3, "foo\rbar"), (2, 3, "foo\r")]


def test_nothing_comes_after_the_last_newline() -> None:
    assert search("^", b"a\n\n") == [(1, 1, "a"), (2, 1, "")]


def test_an_empty_file_has_no_lines() -> None:
    assert search("", b"") == []


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert search("^foo", b"\xef\xbb\xbffoo\n") == [(1, 1, "foo")]


def test_utf_16_with_a_byte_order_mark_is_text() -> None:
    assert search("é", "a\nbé\n".encode("utf-16")) == [(2, 2, "bé")]


def test_a_nul_near_the_beginning_makes_a_file_binary() -> None:
    assert text_bytes(b"a\0b") is None


def test_binary_content_can_be_taken_for_text() -> None:
    assert text_bytes(b"a\0b", binary=True) == b"a\0b"


def test_a_column_counts_characters() -> None:
    assert search("x", "日本x\n".encode()) == [(1, 3, "日本x")]


def test_a_byte_that_is_no_utf_8_is_one_character_and_no_letter() -> None:
    assert search(r"a\W\Wb", b"a\xff\xfeb\n") == [(1, 1, "a\udcff\udcfeb")]


def test_a_long_line_costs_no_more_than_its_length() -> None:
    line = "ab" * 200_000
    assert search("(?<!a)b|bc", f"{line}\nbc\n".encode()) == [(2, 1, "bc")]


def test_matches_that_share_a_line_are_one() -> None:
    assert search(r"a\nb|c\nd", b"a\nb c\nd\nx\n", multiline=True) == [(1, 1, "a\nb c\nd")]


# --- word -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "line", "column"),
    [
        ("foo", "foobar foo", 8),
        ("foo|foobar", "foobar", 1),
        ("a+", "baa aa", 5),
        ("-x", "--x", 2),
        ("(?i)foo", "xfoo FOO", 6),
        ("(?x) foo # the word", "food foo", 6),
    ],
)
def test_a_word_has_no_letter_digit_or_underscore_beside_it(
    pattern: str, line: str, column: int
) -> None:
    assert search(pattern, line.encode(), word=True) == [(1, column, line)]


# --- patterns that are refused ----------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "position"),
    [("a(b", 3), ("*a", 0), ("a)", 1), ("[a", 2), (r"a\y", 3), ("a{3,2}", 2), ("a\ud800", 1)],
)
def test_a_malformed_pattern_is_refused_with_its_place(pattern: str, position: int) -> None:
    with pytest.raises(BadPatternError) as caught:
        compile_matcher(pattern)
    assert caught.value.data["position"] == position


def test_the_reason_is_said_and_a_way_out() -> None:
    with pytest.raises(BadPatternError, match="malformed at character 2: ") as caught:
        compile_matcher("a)")
    assert caught.value.hint is not None
    assert "literal=True" in caught.value.hint
    assert caught.value.data["reason"] == "unbalanced parenthesis"


@pytest.mark.parametrize(
    "pattern",
    [
        "((a{999}){999}){999}",
        "a{99999999}",
        "a{9" + "9" * 5000 + "}",
        r"\p{L}{1000}(?#)(b{1000}){9}",
        "(?V0)(?x)(a{ 999}){ 999}(b{999}){999}",
    ],
)
def test_repeat_counts_that_would_take_all_memory_are_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError, match="repeats its parts"):
        compile_matcher(pattern)


@pytest.mark.parametrize("pattern", ["(" * 4000 + ")" * 4000, "(?:" * 4000 + ")" * 4000])
def test_a_pattern_that_is_nested_too_deeply_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError, match="nested too deeply"):
        compile_matcher(pattern)


def test_a_pattern_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadPatternError, match="more than"):
        compile_matcher("a" * (MAX_PATTERN_CHARACTERS + 1))


def test_flags_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BadPatternError, match="contradict"):
        compile_matcher("(?V1)a")


@pytest.mark.parametrize("pattern", [r"(?:a|a|aa)+$", r"(?:a|a|aa)+w(?#)", r"(?=(?:a|a|aa)+w)x?"])
def test_a_pattern_that_takes_too_long_is_given_up(pattern: str) -> None:
    text = "a" * 60 + "!w\n"
    with pytest.raises(TimeoutError):
        list(compile_matcher(pattern).matches(text, time.monotonic() + 0.05))


def test_nothing_is_searched_after_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        list(compile_matcher("a").matches("a\n", time.monotonic() - 1))


# --- what is shown of a text ------------------------------------------------------------


@settings(max_examples=100)
@given(st.text("ab é[]", max_size=60), st.integers(1, 30), st.integers(0, 60))
def test_a_line_is_cut_to_its_limit_and_shows_the_place(line: str, limit: int, around: int) -> None:
    around = min(around, max(0, len(line) - 1))
    cut = cut_line(line, limit, around=around)
    if len(line) <= limit:
        assert cut == line
        return
    match = regex.fullmatch(r"(?s)(?:\[(\d+) characters\] )?(.*?)(?: \[(\d+) characters\])?", cut)
    assert match is not None
    start, rest = int(match[1] or 0), int(match[3] or 0)
    kept = line[start : len(line) - rest]
    assert len(kept) == limit
    assert start <= around < start + limit
    assert kept in cut


def test_a_cut_line_says_how_much_is_missing() -> None:
    assert cut_line("0123456789", 4, around=5) == "[4 characters] 4567 [2 characters]"


@given(TEXTS, st.integers(0, 4))
def test_the_lines_around_a_line_are_those_next_to_it(data: bytes, count: int) -> None:
    text = text_of(data)
    lines = lines_of(data)
    for match in compile_matcher("").matches(text, time.monotonic() + 5):
        number = match.line - 1
        assert lines_before(text, match.start, count) == lines[max(0, number - count) : number]
        assert lines_after(text, match.end, count) == lines[number + 1 :][:count]
