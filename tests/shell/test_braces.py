"""Braces that make more words than the engine does: made all the same, or told of."""

from __future__ import annotations

import pytest

from vshell.shell.braces import expansions, within_braces
from vshell.shell.shell import Shell

COUNTS = {
    "{a,b}": 2,
    "{a,b}{c,d}": 4,
    "x{1..3}{a,{b,c}}y": 9,
    "{10..1..4}": 3,
    "{a..e}": 5,
    "{a..2}": 1,
    "{a}{}": 1,
    "{a,b": 1,
    "a}{b,c}": 2,
    "${x}{,1}": 2,
    "{a,b}" * 20: 2**20,
}


@pytest.mark.parametrize("word", COUNTS)
def test_words_are_counted(word: str) -> None:
    assert expansions(word) == COUNTS[word]


@pytest.mark.parametrize(
    "script",
    [
        "echo {1..40000}",
        "for i in {1..99999}; do :; done",
        "echo '{1..60000}'",
        "echo $((5)) {a,b}",
    ],
)
def test_what_the_engine_can_do_is_left_to_it(script: str) -> None:
    assert within_braces(script) == script


def test_none_is_silently_left_out(shell: Shell) -> None:
    assert shell.run("a=({1..60000} {3..1}); echo ${#a[@]} ${a[-1]}").stdout == b"60003 1\n"
    assert shell.run("echo {70000..1} | wc -w").stdout == b"70000\n"
    for script in ("echo {1..300}{1..300}", "echo " + "{a,b}" * 20, "echo {1..100001}"):
        assert shell.run(f"{script} | wc -w").exit_code == 125


def test_braces_that_open_for_ever_are_counted_at_once() -> None:
    assert expansions("{" * 5000 + "}") == 1
    assert expansions("}" * 5000 + "{a," * 5000) == 1
