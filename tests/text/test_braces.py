from __future__ import annotations

import os
import random
import re
import subprocess
import time

import pytest

from vshell.errors import BadPatternError
from vshell.text.braces import MAX_BRACE_DEPTH, MAX_WORDS, expand_braces


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,{b,c}x}", ["a", "bx", "cx"]),
        ("{,a}", ["", "a"]),
        ("{a,a}", ["a"]),
        ("{a}", ["{a}"]),
        ("{}", ["{}"]),
        ("{a", ["{a"]),
        ("a}", ["a}"]),
        ("{a,{b,c}", ["{a,b", "{a,c"]),
        ("{a,b}}", ["a}", "b}"]),
        ("{x{a,b}}", ["{xa}", "{xb}"]),
        (r"{a\,b,c}", [r"a\,b", "c"]),
        (r"\{a,b}", [r"\{a,b}"]),
        (r"{a,b\}}", ["a", r"b\}"]),
        ("{1..3}", ["1", "2", "3"]),
        ("{3..1}", ["3", "2", "1"]),
        ("{1..7..3}", ["1", "4", "7"]),
        ("{1..3..0}", ["1", "2", "3"]),
        ("{08..10}", ["08", "09", "10"]),
        ("{-01..1}", ["-01", "000", "001"]),
        ("{a..e..2}", ["a", "c", "e"]),
        ("{Y..b}", ["Y", "Z", r"\[", r"\\", r"\]", r"\^", r"\_", r"\`", "a", "b"]),
        ("{1..a}", ["{1..a}"]),
        ("{1..}", ["{1..}"]),
        ("{1..2,x}", ["1..2", "x"]),
    ],
)
def test_braces_expand_as_the_manual_says(pattern: str, words: list[str]) -> None:
    assert expand_braces(pattern) == words


def random_pattern(chance: random.Random, depth: int = 0) -> str:
    def piece() -> str:
        kind = chance.randrange(8)
        if kind == 0 and depth < 3:
            count = chance.randint(2, 4)
            inside = ",".join(random_pattern(chance, depth + 1) for _ in range(count))
            return f"{{{inside}}}"
        if kind == 1:
            step = chance.choice(["", "", "..2", "..-3", "..0"])
            first, last = chance.sample(["1", "5", "-3", "007", "12", "-02", "0"], 2)
            return f"{{{first}..{last}{step}}}"
        if kind == 2:
            return f"{{{chance.choice('ace')}..{chance.choice('bdf')}}}"
        return chance.choice(["a", "b", "", r"\{", r"\,", r"\}", "x.."])

    return "".join(piece() for _ in range(chance.randint(0, 3)))


def test_bash_expands_random_patterns_to_the_same_words() -> None:
    chance = random.Random(11)
    # A pair without a comma is left out: bash looks for a later partner there.
    around = ["|", "|", "{|", "{a,|", "|}", "|b}", "|,", "{a,|}", "}|{", "|{a,"]
    patterns = [chance.choice(around).replace("|", random_pattern(chance)) for _ in range(1500)]
    lines = [f"printf '%s\\0' . {pattern}; echo" for pattern in patterns]
    done = subprocess.run(
        ["bash"],
        input="\n".join(lines).encode(),
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    for pattern, line in zip(patterns, done.stdout.decode().split("\n")[:-1], strict=True):
        expected = list(dict.fromkeys(line.split("\0")[1:-1]))
        words = [
            re.sub(r"\\(.)", r"\1", word)
            for word in expand_braces(pattern, max_words=10**6, max_characters=10**7)
        ]
        assert list(dict.fromkeys(filter(None, words))) == expected, pattern


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("{a,b}" * 20, 50),
        ("{1..1025}", 0),
        ("x{1..999999999999999999}", 1),
        ("{a..b}{1..600}", 6),
        ("{" + "a," * 1025 + "}", 0),
        ("{" + "{a,b}," * 600 + "}", 0),
        ("{" + ",".join("abcdefghij" * 10 + str(n) for n in range(700)) + "}", 0),
        ("{1..1000}" + "a" * 100, 9),
    ],
)
def test_too_much_is_refused_at_the_brace_that_makes_it_so(pattern: str, position: int) -> None:
    with pytest.raises(BadPatternError) as caught:
        expand_braces(pattern)
    assert caught.value.data == {"position": position}


def test_as_many_words_as_allowed_are_given() -> None:
    assert len(expand_braces("{a,b}" * 10)) == MAX_WORDS
    assert len(expand_braces("{a,b}{c,d}", max_words=4)) == 4
    with pytest.raises(BadPatternError):
        expand_braces("{a,b}{c,d}", max_words=3)


def test_braces_may_nest_only_so_deep() -> None:
    assert len(expand_braces("{a," * MAX_BRACE_DEPTH + "}" * MAX_BRACE_DEPTH)) == 2
    with pytest.raises(BadPatternError) as caught:
        expand_braces("x{a," * (MAX_BRACE_DEPTH + 1) + "}" * (MAX_BRACE_DEPTH + 1))
    assert caught.value.data == {"position": 1}


@pytest.mark.parametrize(
    "pattern",
    ["{" * 50_000, "{" * 25_000 + "}" * 25_000, "{a," * 15_000, "{a}" * 15_000, "}" * 50_000],
    ids=lambda pattern: pattern[:6],
)
def test_braces_that_mean_nothing_cost_little(pattern: str) -> None:
    started = time.process_time()
    assert expand_braces(pattern) == [pattern]
    assert time.process_time() - started < 5  # needs 50 ms
