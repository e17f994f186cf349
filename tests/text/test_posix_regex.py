"""POSIX expressions find what grep and sed find, and what these refuse is refused alike."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.differential import real_tool
from tests.shell.run_command import ENVIRONMENT, run_command
from vshell import Workspace

TEXTS = """
a b ab aab abab abc ba a{1} ^a a$ a* (a) a+b * { aXb {1} a|b cab aaa + a^ ? {1}a a{ ^* a{x {a a{1,2
"""
DATA = "".join(f"{text}\n" for text in ("", *TEXTS.split(), "a b", " a")).encode()

EXTENDED = r"""
^* ^{1} a|*b (*a) *a +a {1}a (|a) () a||b |a (^|x)* a{ a{1 a{x a{1,2 { {a a{, a{} a{99999} a{2,1}
) a) ( $* ^+a a** a{1}{2} a{1}* (a){0} ()* (|a)+ \{ \{a a{,n} a{,2} (+a) ({1}a) a|{1}b ^*a x^*a a$+
(^)*a (^)+a (^*a) a{1, a{1a} a{1,2,3} {1 |* ({ ({a) (*) (*)b (*)) (^*) (^)* * + {2,} ? \(* ^|* +* **a
a[1-3-5]c [a-c-e] [a-] [-a] [a-c-] [[:alpha:]-z] [--a] [a--]
a{x,1} a{1,x a{,} a{,,1} [a [[:foo:]] [[:alpha:] [b-a] [[.ab.]] a\ \1 (a)\2 (a\1) ((a)b)\2
"""
BASIC = r"""
^* ^*a \(*a\) \(^*a\) a\{1\}* \(\{1\}a\) a** a\+* \{1\} ^\{1\} \(^a\) a\|^b a^b x\(^a\) a$b \+a ^\+a
\? a\{1 a\{ a\{x\} \|*a \(\+a\) \) \(a\|\{2\}\) a\{1\}\{2\} $* \(a$\)* a$\|b \<* a\{,2\} a\{,n\} \(
a\{2,1\} a\{1a\} a\{x ^^a \(^^a\) a\{99999\} {1} +a a+ a? (a) \{a x\{\}
"""
COMMANDS = {
    ("grep", "-n", "-E"): EXTENDED,
    ("grep", "-n", "-G"): BASIC,
    ("sed", "-n", "-E"): EXTENDED,
    ("sed", "-n"): BASIC,
}


@cache
def _workspace() -> Workspace:
    return Workspace.memory()


def real(words: Sequence[str]) -> tuple[int, bytes, bytes]:
    real_tool(words[0])
    done = subprocess.run(
        list(words),
        input=DATA,
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    # It also warns of what it passes over.
    told = b"".join(line for line in done.stderr.splitlines(True) if b": warning: " not in line)
    return done.returncode, done.stdout, told


def ours(words: Sequence[str]) -> tuple[int, bytes, bytes]:
    done = run_command(_workspace(), words, DATA)
    return done.exit_code, done.stdout, done.stderr


def with_pattern(command: Sequence[str], pattern: str) -> list[str]:
    return [*command, f"s/{pattern}/<&>/p" if command[0] == "sed" else pattern]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_pattern_means_what_it_means_to_the_real_tool(command: tuple[str, ...]) -> None:
    for pattern in COMMANDS[command].split():
        words = with_pattern(command, pattern)
        assert ours(words) == real(words), pattern


ATOMS = st.sampled_from(["a", "b", "ab", ".", "^", "$", "[ab]", "c", "(a|ab)", "(a*)", "{a", r"\."])
OPERATORS = st.sampled_from(["*", "+", "?", "{1}", "{0,2}", "{,2}", "{2,}", "|", "(", ")", r"\1"])


def _basic(pattern: str) -> str:
    for letter in "(){}|+?":
        pattern = pattern.replace(letter, "\\" + letter)
    return pattern


@settings(max_examples=50)
@given(
    st.lists(st.one_of(ATOMS, OPERATORS), min_size=1, max_size=5).map("".join),
    st.sampled_from(sorted(COMMANDS)),
)
def test_any_pattern_means_what_it_means_to_the_real_tool(
    pattern: str, command: tuple[str, ...]
) -> None:
    words = with_pattern(command, pattern if "-E" in command else _basic(pattern))
    assert ours(words)[:2] == real(words)[:2]
