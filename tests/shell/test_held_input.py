"""When the input of a compound command is held before it is read."""

from __future__ import annotations

import pytest

from vshell.shell.held_input import HELD_PATH, HOLD, with_held_input

OURS = frozenset({"cat", "cp", "ls", "mkdir", "sort"})


def test_a_loop_with_a_command_of_ours_reads_what_was_held() -> None:
    assert with_held_input("ls | while read f; do cp $f x; done > y; z", OURS) == (
        f"ls | {{ {HOLD} 1; while read f; do cp $f x; done > y < {HELD_PATH}1; }} ; z"
    )


@pytest.mark.parametrize(
    "script",
    [
        "ls | while read f; do echo $f; done",
        "ls | { read f; cat; }",
        "ls | sort | cat",
        "yes | while read f; do mkdir $f; done",
        "while :; do echo; done | while read f; do mkdir $f; done",
        "ls || while read f; do mkdir $f; done",
        "ls | while read f; do mkdir $f; done < other",
        "echo 'ls | while read f; do mkdir $f; done'",
        "ls | while read f; do mkdir $f",
    ],
)
def test_nothing_else_is_held(script: str) -> None:
    assert with_held_input(script, OURS) == script


def test_each_has_a_number_of_its_own() -> None:
    script = "ls | (mkdir x; ls | while read f; do $f; done) | while read g; do ls; done"
    changed = with_held_input(script, OURS)
    assert [f"{HOLD} {number};" in changed for number in (1, 2, 3, 4)] == [True, True, True, False]
