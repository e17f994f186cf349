"""JavaScript's regular expressions: what they match, against node where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from vshell.errors import BadPatternError
from vshell.text.javascript_regex import compile_javascript, compile_literal

PATTERNS = [
    r"a", r"a|b", r"^b", r"a$", r".", r"x*", r"(\w+) (\w+)", r"\bfoo\b", r"\Bo", r"[^]", r"[]",
    r"[a-c]+", r"[^a-c]", r"\d{2,}", r"a{", r"a{x}", r"{", r"}", r"]", r"\/", r"\y", r"\-",
    r"\u0041", r"\x41", r"\cA", r"\0", r"(?<n>a)\k<n>", r"(a)\1", r"[\b]", r"[\w-z]", r"[a-\d]",
    r"[\]]", r"[\\]", r"[[:alpha:]]", r"[a&&b]", r"(?=a)", r"(?!a)", r"(?<=a)b",
    r"(?<!a)b", r"\s+", r"\S+", r"\D", r"\W+", r"[\S]", r"[\D]", r"a+?", r"b{2}", r"a{,2}", r"$a",
    r"^$", r"\$", r"\.", r"é", r"É", r"\t", r"\v", r"\f", r"\n", r"\r", r"(a|ab)(c|bcd)(d*)",
    r"(?:)b", r"[^\n]+", r"\.ts$", r"TODO:.*", "[\"']", r"#", r"a b", r"[.]", r"[$^]", r"[-a]",
    r"[a-]", r"[\-a]", r"[!a]", r"[\s\S]b", r"(?:(?:a))", r"a??b",
]  # fmt: skip
MALFORMED = [
    r"(", r"a)", r"[", r"*a", r"a**", r"(?:a", r"(?x)", "\\", r"b{2,1}", r"[b-a]", r"+", r"(?", r"[a",
    r"[a--b]",
]  # fmt: skip
TEXTS = [
    "", "a", "foo bar", "aXbXc", "abc abcd", "a{x} a{ {", "\ta\r", "über é É", "a1b22c333",
    "foo_foo foo-foo", " a", "line\u2028sep", "aa bb", "A", "[x]^-", "\x08\x00\x01", "ab]", "a&b|",
    "TODO: x \"q\" 's'", "x.ts", "\ufeff\xa0",
]  # fmt: skip

PROGRAM = """
const [patterns, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const find = (regex) => texts.map((text) => [...text.matchAll(regex)].map((m) => [m.index, m[0]]));
const compiled = (pattern, flags) => { try { return new RegExp(pattern, flags) } catch { return null } };
const all = patterns.flatMap((pattern) => ["g", "gi"].map((flags) => compiled(pattern, flags)));
require("fs").writeFileSync(1, JSON.stringify(all.map((regex) => regex && find(regex))));
"""


def found(pattern: str, text: str, *, ignore_case: bool = False) -> list[list[object]]:
    matches: list[list[object]] = []
    compiled = compile_javascript(pattern, ignore_case=ignore_case)
    start = 0
    while start <= len(text) and (match := compiled.search(text, start)):
        matches.append([match.start(), match[0]])
        start = match.end() + (match.end() == match.start())
    return matches


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_patterns_match_what_they_match_in_node() -> None:
    given = json.dumps([PATTERNS + MALFORMED, TEXTS])
    done = subprocess.run(
        ["node", "-e", PROGRAM], input=given, capture_output=True, text=True, check=True, timeout=60
    )
    answers = iter(json.loads(done.stdout))
    for pattern in PATTERNS:
        for ignore_case in (False, True):
            ours = [found(pattern, text, ignore_case=ignore_case) for text in TEXTS]
            assert (pattern, ours) == (pattern, next(answers))
    assert list(answers) == [None] * (2 * len(MALFORMED))


@pytest.mark.parametrize("pattern", MALFORMED)
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        compile_javascript(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"a$", "a\n", []),
        (r".", "\u2028\n\rx", ["x"]),
        (r"\w+", "aéb", ["a", "b"]),
        (r"\u{1f600}", "😀", ["😀"]),
        (r"\ud83d\ude00", "😀", ["😀"]),
        (r"\p{L}+", "aé1", ["aé"]),
        (r"[\p{L}-]+", "é-1", ["é-"]),
        (r"(?P<n>a)(?P=n)", "aa", ["aa"]),
        (r"(?i)A", "a", ["a"]),
        (r"(?i:A)b", "ab aB", ["ab"]),
        (r".", "😀", ["😀"]),
    ],
)
def test_what_differs_from_python(pattern: str, text: str, expected: list[str]) -> None:
    assert [match for _, match in found(pattern, text)] == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(x{999}){999}",
        "((x{99}){99}){99}",
        "(?:(?:a?){1000}){1000}",
        "x{99999999999999999999}",
        "(" * 101 + ")" * 101,
        "a" * (16 * 1024 + 1),
        r"(?R)",
        r"(?(1)a|b)",
        r"(?|a|b)",
        r"(?:foo){e<=1}(?e)",
    ],
    ids=lambda pattern: pattern[:20],
)
def test_a_pattern_without_bounds_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        compile_javascript(pattern)


def test_a_brace_is_no_fuzzy_match() -> None:
    assert found(r"foo{e<=1}", "fob foo foo{e<=1}") == [[8, "foo{e<=1}"]]


def test_an_error_says_where() -> None:
    with pytest.raises(BadPatternError) as caught:
        compile_javascript("ab[c-a]")
    assert caught.value.data["position"] == 3


@pytest.mark.parametrize("text", ["a.b", "(", "[x]", "a\\b", "$1", "é😀", "a{2}", "#", " "])
def test_a_literal_matches_itself_alone(text: str) -> None:
    compiled = compile_literal(text)
    assert compiled.fullmatch(text)
    assert not compiled.search("".join(reversed(text * 2)).replace(text, ""))


def test_a_whole_word_ends_where_letters_of_any_language_end() -> None:
    compiled = compile_literal("é", whole_word=True)
    assert [match.start() for match in compiled.finditer("aé é ée")] == [3]
