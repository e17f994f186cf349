from __future__ import annotations

import getopt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.repl.grammar import Argument, UsageError, help_text, parse, parse_leading, whole_number

ARGUMENTS = (
    Argument("path", "The path.", required=True),
    Argument("text", "The text."),
    Argument("all", "All.", ("-a", "--all"), value=True),
    Argument("recursive", "Deep.", ("-r",), value=True),
    Argument("number", "How many.", ("-n", "--number"), "N", whole_number),
    Argument("name", "Names.", ("--name",), repeated=True),
    Argument("mode", "A mode.", ("--mode",), choices=("lines", "files")),
)
EXPORT = (
    Argument("source"),
    Argument("target", required=True),
    Argument("x", "X.", ("-x",), value=True),
)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("/a", {"path": "/a"}),
        ("/a text", {"path": "/a", "text": "text"}),
        ("/a --all text", {"path": "/a", "text": "text", "all": True}),
        ("--all /a text", {"path": "/a", "text": "text", "all": True}),
        ("/a -n5", {"path": "/a", "number": 5}),
        ("/a -n 5", {"path": "/a", "number": 5}),
        ("/a -n -5", {"path": "/a", "number": -5}),
        ("/a -arn 5", {"path": "/a", "all": True, "recursive": True, "number": 5}),
        ("/a --number=5", {"path": "/a", "number": 5}),
        ("/a --name x --name=y", {"path": "/a", "name": ["x", "y"]}),
        ("/a --name=", {"path": "/a", "name": [""]}),
        ("/a -- --all", {"path": "/a", "text": "--all"}),
        ("-- -a --", {"path": "-a", "text": "--"}),
        ("- -5", {"path": "-", "text": "-5"}),
        ("/a --help --nonsense", {"path": "/a"}),
    ],
)
def test_options_and_words_are_told_apart(words: str, values: dict[str, object]) -> None:
    found = parse(ARGUMENTS, words.split(" "))
    assert found == ({"help": True} if "--help" in words else values)


@pytest.mark.parametrize("text", ["- item of a list", "--- a/file", "-", "-1", "", "-- x"])
def test_text_that_is_no_option_is_a_word_even_with_a_dash(text: str) -> None:
    assert parse(ARGUMENTS, ["/a", text]) == {"path": "/a", "text": text}


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([], "missing PATH", None),
        (["/a", "b", "c"], "unexpected argument: c", None),
        (["/a", "--al"], "no such option: --al", "did you mean --all?"),
        (["/a", "-z"], "no such option: -z", "write -- before a word that begins with -"),
        (["/a", "-az"], "no such option: -z", "write -- before a word that begins with -"),
        (["/a", "--number"], "--number needs a value: N", None),
        (["/a", "-n", "x"], "-n must be a whole number of at most 64 bits, not 'x'", None),
        (["/a", "--all=1"], "--all takes no value", None),
        (["/a", "--mode", "file"], "--mode cannot be file: it is one of lines, files", "did you mean files?"),
        (["/a", "--mode", "q"], "--mode cannot be q: it is one of lines, files", "choose from lines, files"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(words: Sequence[str], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(ARGUMENTS, words)
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("words", "source", "target"),
    [("out", None, "out"), ("/src out", "/src", "out"), ("/src -x out", "/src", "out"), ("-x out", None, "out")],
)  # fmt: skip
def test_a_word_that_may_be_left_out_can_come_first(
    words: str, source: str | None, target: str
) -> None:
    found = parse(EXPORT, words.split())
    assert (found.get("source"), found["target"]) == (source, target)


def test_only_what_comes_before_the_first_word_is_read_of_leading_options() -> None:
    found = parse_leading(ARGUMENTS, ["-a", "--number", "3", "command", "-r", "--", "x"])
    assert found == ({"all": True, "number": 3}, ["command", "-r", "--", "x"])


def test_the_help_names_every_argument_and_hides_what_has_no_help() -> None:
    shown = help_text("vshell do", [*ARGUMENTS, Argument("secret", "", ("--secret",))], "Do it.")
    assert shown.startswith("usage: vshell do PATH [TEXT] [options]\n\nDo it.\n")
    for argument in ARGUMENTS:
        assert argument.help in shown
    assert "-n, --number N" in shown
    assert "--mode lines|files" in shown
    assert "secret" not in shown


@given(st.integers())
def test_a_whole_number_has_64_bits(number: int) -> None:
    if -(2**63) <= number < 2**63:
        assert whole_number(str(number)) == number
    else:
        with pytest.raises(ValueError, match=str(number)):
            whole_number(str(number))


words = st.lists(
    st.sampled_from(["a", "b", "-", "--", "-x", "-y", "-xy", "-n", "-n1", "-xn", "--long", "--value", "--value=v"]),
    max_size=6,
)  # fmt: skip


@given(words)
def test_what_getopt_takes_is_taken_the_same_way(given_words: list[str]) -> None:
    arguments = (
        Argument("x", "x", ("-x",), value=True),
        Argument("y", "y", ("-y",), value=True),
        Argument("long", "long", ("--long",), value=True),
        Argument("n", "n", ("-n",)),
        Argument("value", "value", ("--value",)),
        *(Argument(f"word{number}") for number in range(6)),
    )
    try:
        options, rest = getopt.gnu_getopt(given_words, "xyn:", ["long", "value="])
    except getopt.GetoptError:
        with pytest.raises(UsageError):
            parse(arguments, given_words)
        return
    expected: dict[str, object] = {
        name.lstrip("-"): value if name in ("-n", "--value") else True for name, value in options
    }
    expected |= {f"word{number}": word for number, word in enumerate(rest)}
    assert parse(arguments, given_words) == expected
