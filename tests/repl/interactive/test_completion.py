"""What a word can become."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from vshell import Workspace
from vshell.repl.interactive.completion import ShellCompleter
from vshell.repl.interactive.directives import DIRECTIVES

NAMES = {
    "commands": ["cat", "cd", "ls", "man", "restore", "sort"],
    "functions": ["catalogue"],
    "aliases": ["ll"],
    "variables": ["HOME", "HOST"],
}

Complete = Callable[[str], dict[str, str]]


@pytest.fixture
def complete() -> Iterator[Complete]:
    """Return what gives the lines that a line can become, with what is said of each."""
    with Workspace.memory() as ws:
        ws.write("/src/app.py", "")
        ws.write("/src/two words", "")
        ws.write("/src/.hidden", "")
        ws.mkdir("/src/sub")
        ws.symlink("app.py", "/src/symbolic")
        ws.snapshot("before")
        completer = ShellCompleter(ws, lambda: "/src", lambda: NAMES, DIRECTIVES)

        def lines(text: str) -> dict[str, str]:
            found = completer.get_completions(Document(text), CompleteEvent())
            return {
                text[: len(text) + each.start_position] + each.text: each.display_meta_text
                for each in found
            }

        yield lines


def test_commands_functions_and_aliases(complete: Complete) -> None:
    assert complete("cat") == {
        "cat": "Concatenate FILE(s) to standard output.",
        "catalogue": "function",
    } or set(complete("cat")) == {"cat", "catalogue"}
    assert set(complete("true && l")) == {"true && ll", "true && ls"}
    assert complete("") == {}


def test_options_come_with_their_meaning(complete: Complete) -> None:
    found = complete("ls --al")
    assert set(found) == {"ls --all", "ls --almost-all"}
    assert all(found.values())


def test_options_that_take_a_value_end_with_the_sign_for_it(complete: Complete) -> None:
    assert "sort --key=" in complete("sort --k")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("cat a", {"cat app.py"}),
        ("cat /src/a", {"cat /src/app.py"}),
        ("cat tw", {"cat two\\ words"}),
        ("cat two\\ w", {"cat two\\ words"}),
        ("cat 'tw", {"cat 'two words'"}),
        ('cat "tw', {'cat "two words"'}),
        ("cat s", {"cat sub/", "cat symbolic"}),
        ("cat .h", {"cat .hidden"}),
        ("cat ../sr", {"cat ../src/"}),
        ("cat nowhere/x", set()),
        ("cd s", {"cd sub/", "cd symbolic"}),
        ("cd a", set()),
        ("sort < a", {"sort < app.py"}),
        ("./a", {"./app.py"}),
    ],
)
def test_paths(complete: Complete, typed: str, expected: set[str]) -> None:
    assert set(complete(typed)) == expected


def test_variables(complete: Complete) -> None:
    assert set(complete("echo $HO")) == {"echo $HOME", "echo $HOST"}
    assert set(complete('echo "x ${HOM')) == {'echo "x ${HOME}'}
    assert complete("echo '$HO") == {}


def test_snapshots_and_commands_as_arguments(complete: Complete) -> None:
    assert complete("restore b") == {"restore before": "revision 5"}
    assert set(complete("man ca")) == {"man cat"}


def test_directives(complete: Complete) -> None:
    assert set(complete(":w")) == {":watch"}
