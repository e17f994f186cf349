"""Many texts searched as one give what each of them gives alone, line by line."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import regex

from vshell.text import joined_scan
from vshell.text.fast_scan import compile_fast, literal_places, parts_of
from vshell.text.joined import (
    FoundLine,
    Joined,
    counts_of,
    join,
    joined_lines_after,
    joined_lines_before,
    lines_of,
)
from vshell.text.line_marks import LineMarks
from vshell.text.matching import compile_matcher

TEXTS = [
    b"foo",
    b"",
    b"\n",
    b"foo\n",
    b"\n\nfoo bar\n\n",
    b"bar\nfoo",
    "caf\u00e9 foo\nfoo\n\u65e5\u672c".encode(),
    b"\xff foo\nbar\xc3\n",
    "K\u212ak \u017f\n".encode(),
    b"a" * 300 + b"\n" + b"foo " * 50,
    b"x",
]
PATTERNS = [
    *("foo", "^", "$", "^$", "^foo", "foo$", r"\Afoo", r"foo\Z", r"\A\Z", r"(?<=\A)foo", "x*"),
    *(r"(?<=foo)\s", r"(?<!.)foo", r"foo(?!.)", r"\s+$", r"[^a]foo", r"o\W", r"\Bo", r"\bfoo\b"),
    *("k", "S", "caf.", r"f\S+ f", r"(foo|bar)+", r"\w+\s*\w*$", ".", r"bar\W", "[^f]$", r"\x66oo"),
]


def oracle(pattern: str, text: bytes, *, ignore_case: bool) -> list[tuple[int, int]]:
    """Return line and column of each match, by the engine on one line after another."""
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    compiled = regex.compile(pattern, flags)
    lines = text.decode("utf-8", "surrogateescape").split("\n")
    if not lines[-1]:
        lines.pop()
    found = ((number, compiled.search(line)) for number, line in enumerate(lines, 1))
    return [(number, match.start() + 1) for number, match in found if match]


def found_in(
    joined: Joined, pattern: str, *, ignore_case: bool = False
) -> list[tuple[int, int, int]]:
    """Return text, line and column of each match."""
    matcher = compile_matcher(pattern, ignore_case=ignore_case)
    assert matcher.joins
    places = matcher.places(joined, 0, len(joined.starts) - 1, time.monotonic() + 10)
    return [
        (number, line, len(joined.data[start:place].decode("utf-8", "surrogateescape")) + 1)
        for number, line, start, _, place in lines_of(joined, places)
    ]


@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_match_knows_of_the_texts_beside_it(pattern: str, ignore_case: bool) -> None:
    for seed in range(5):
        texts = TEXTS[:]
        random.Random(seed).shuffle(texts)
        expected = [
            (number, *where)
            for number, text in enumerate(texts)
            for where in oracle(pattern, text, ignore_case=ignore_case)
        ]
        assert found_in(join(texts), pattern, ignore_case=ignore_case) == expected


def test_lines_are_counted_as_they_are_found() -> None:
    for pattern in PATTERNS:
        matcher = compile_matcher(pattern)
        joined = join(TEXTS)
        for first, last in ((0, len(TEXTS)), (2, 7), (5, 6)):
            deadline = time.monotonic() + 10
            lines = Counter(
                line.number
                for line in lines_of(
                    joined, matcher.places(joined, first, last, deadline), first=first
                )
            )
            places = matcher.places(joined, first, last, deadline)
            assert dict(counts_of(joined, places, first=first)) == lines


def test_a_range_of_texts_is_searched_alone() -> None:
    joined = join([b"foo\n", "\u00e9 foo".encode(), b"foo", b"foo\n"])
    matcher = compile_matcher("fo+")
    for first, last in ((0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (2, 2)):
        places = matcher.places(joined, first, last, time.monotonic() + 10)
        found = [line.number for line in lines_of(joined, places, first=first)]
        assert found == list(range(first, last))


@pytest.mark.parametrize(
    "pattern", [r"(?:a|aa)+$", "(a+)+b", r"(?:a|a)*!", "[a-z]*[a-z]*[a-z]*[0-9]"]
)
def test_lines_that_take_too_many_steps_are_searched_by_the_other_engine(pattern: str) -> None:
    lines = [b"a" * 12 + b"!", b"a" * 9, b"a" * 22 + b"?", b"b" * 400, b"aaab a1", b"", b"a"]
    text = b"\n".join(lines * 3)
    expected = oracle(pattern, text, ignore_case=False)
    assert [where[1:] for where in found_in(join([text]), pattern)] == expected


def test_a_catastrophic_pattern_ends_at_the_deadline() -> None:
    joined = join([b"aw\n" + (b"a" * 60 + b"!\n") * 50])
    matcher = compile_matcher(r"(?:a|a|aa)+(?:w|[0-9])$")
    began = time.monotonic()
    found = lines_of(joined, matcher.places(joined, 0, 1, began + 0.05))
    assert next(found).line == 1
    with pytest.raises(TimeoutError):
        next(found)
    assert time.monotonic() - began < 5


def test_what_almost_takes_too_many_steps_does_not_pass_the_deadline() -> None:
    """Each place takes nearly as many steps as are allowed, and there are a million places."""
    joined = join([(b"a" * 9 + b"!\n") * 100_000])
    matcher = compile_matcher(r"(?:a|a|a)+[0-9]$")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        list(matcher.places(joined, 0, 1, began + 0.05))
    assert time.monotonic() - began < 5


@pytest.fixture
def without_pcre2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pcre2", None)
    compile_matcher.cache_clear()
    yield
    compile_matcher.cache_clear()


@pytest.mark.usefixtures("without_pcre2")
def test_only_plain_text_is_searched_so_without_the_fast_engine() -> None:
    assert compile_fast("a", ignore_case=False) is None
    assert not compile_matcher("a+b").joins
    assert found_in(join(TEXTS), "foo") == [
        (number, *where)
        for number, text in enumerate(TEXTS)
        for where in oracle("foo", text, ignore_case=False)
    ]


@pytest.mark.parametrize("engine", ["pcre2", "none"])
def test_literals_are_found_where_they_are(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "none":
        monkeypatch.setitem(sys.modules, "pcre2", None)
    data = b"\nab\nab\n(ab)\nabab\n"
    assert list(literal_places(data, b"ab")) == [1, 4, 8, 12, 14]
    assert list(literal_places(data, b"\nab\n")) == [0, 3]
    assert list(literal_places(data, b"(ab)")) == [7]
    assert list(literal_places(data, b"x")) == []


def test_parts_are_whole_lines() -> None:
    data = b"".join(b"x" * length + b"\n" for length in (0, 10, 70_000, 5, 200_000, 0, 1) * 3)
    parts = list(parts_of(data, 0, len(data)))
    assert b"".join(data[start:end] for start, end in parts) == data
    assert all(data[end - 1] == 10 for _, end in parts)
    assert max(end - start for start, end in parts) < 64 * 1024 + 200_002


@pytest.mark.parametrize("seed", range(4))
def test_marks_give_the_numbers_that_counting_gives(seed: int) -> None:
    rng = random.Random(seed)
    texts = [
        b"".join(b"y" * rng.randrange(200) + b"\n" for _ in range(rng.randrange(400)))
        for _ in range(6)
    ]
    joined = join(texts, [1, 2, 3, 4, None, 6])
    places = sorted(rng.sample(range(len(joined.data)), 60))
    marks = LineMarks()
    counted = list(lines_of(joined, places))
    assert list(lines_of(joined, places, marks=marks)) == counted
    assert list(lines_of(joined, places[::7], marks=marks)) == list(lines_of(joined, places[::7]))
    for line in counted:
        start = joined.starts[line.number]
        assert line.line == joined.data.count(b"\n", start, line.start) + 1


def test_marks_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from vshell.text import line_marks

    monkeypatch.setattr(line_marks, "_MAX_MARKS", 30)
    marks = LineMarks()
    data = b"line\n" * 4000
    for key in range(10):
        found = marks.get(key, data, 0, len(data))
        assert found is not None
        assert found[1] == 204


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_lines_around_a_line_are_of_the_same_text(count: int) -> None:
    joined = join([b"other\n", b"1\n\n3\n4\n5", b"other"])
    lines = ["1", "", "3", "4", "5"]
    for number, offset in enumerate((0, 2, 3, 5, 7)):
        start = joined.starts[1] + offset
        found = FoundLine(1, number + 1, start, start + len(lines[number]), start)
        assert joined_lines_before(joined, found, count) == lines[max(0, number - count) : number]
        assert joined_lines_after(joined, found, count) == lines[number + 1 : number + 1 + count]


def test_blocks_of_ascii_beside_others_hide_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_scan, "_BLOCK_BYTES", 7)
    text = "\n".join(["foo", "f\u00e9o foo", "x" * 20, "\u00e9", "foo" * 5 + "\u00e9"] * 4).encode()
    expected = oracle(r"foo\b|\W", text, ignore_case=False)
    assert [where[1:] for where in found_in(join([text]), r"foo\b|\W")] == expected
