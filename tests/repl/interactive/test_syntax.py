"""What the parts of a line are, and what the cursor stands at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.repl.interactive.syntax import parts_of, typed_at


def kinds(text: str) -> list[tuple[str, str]]:
    found = [(text[part.start : part.end], part.kind) for part in parts_of(text)]
    return [(piece, kind) for piece, kind in found if kind != "space"]


@given(st.text(alphabet="ab1 \t\n'\"\\$`&|;<>(){}[]#!=-*?~é", max_size=40))
def test_the_parts_cover_any_text(text: str) -> None:
    parts = parts_of(text)
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert typed_at(text).word == text[typed_at(text).start :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ls -l src", [("ls", "command"), ("-l", "option"), ("src", "word")]),
        ("A=1 ls", [("A=1", "word"), ("ls", "command")]),
        ("if true; then x; fi", [("if", "keyword"), ("true", "command"), (";", "operator"),
                                 ("then", "keyword"), ("x", "command"), (";", "operator"),
                                 ("fi", "keyword")]),
        ("a | b && c", [("a", "command"), ("|", "operator"), ("b", "command"),
                        ("&&", "operator"), ("c", "command")]),
        ("echo 'a b' # c", [("echo", "command"), ("'a b'", "string"), ("# c", "comment")]),
        ("echo a#b", [("echo", "command"), ("a#b", "word")]),
        ("x > out 2>&1", [("x", "command"), (">", "operator"), ("out", "word"),
                          ("2>&", "operator"), ("1", "word")]),
        ("echo $(ls $HOME)", [("echo", "command"), ("$(", "operator"), ("ls", "command"),
                              ("$HOME", "variable"), (")", "operator")]),
        ('echo "a ${b} c', [("echo", "command"), ('"', "string"), ("a ", "string"),
                            ("${b}", "variable"), (" c", "string")]),
    ],
)  # fmt: skip
def test_parts_are_what_the_shell_takes_them_for(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "word", "command", "is_redirect"),
    [
        ("", "", "", False),
        ("l", "l", "", False),
        ("ls ", "", "ls", False),
        ("ls -", "-", "ls", False),
        ("cat a | gre", "gre", "", False),
        ("cat 'two wo", "'two wo", "cat", False),
        ('cat "two wo', '"two wo', "cat", False),
        ("cat two\\ wo", "two\\ wo", "cat", False),
        ("sort x > o", "o", "sort", True),
        ("A=1 cat x", "x", "cat", False),
        ("env ls s", "s", "ls", False),
        ("echo $(cat f", "f", "cat", False),
        ("x; cd ", "", "cd", False),
        ("if tes", "tes", "", False),
    ],
)
def test_the_cursor_stands_at_a_word_of_a_command(
    text: str, word: str, command: str, is_redirect: bool
) -> None:
    typed = typed_at(text)
    assert (typed.word, typed.command, typed.is_redirect) == (word, command, is_redirect)
