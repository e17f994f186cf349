"""Where the engine's own filters may stand for ours, nobody can tell."""

from __future__ import annotations

import random

import pytest

from vshell.shell.native_filters import served
from vshell.shell.shell import Shell

FORMS = (
    "cat",
    "head -n 3",
    "head -1",
    "tail -n 2",
    "tail -n +2",
    "tr a-c x",
    "tr '[:lower:]' '[:upper:]'",
    "tr -d ' '",
    "tr -s ' '",
    "tr -cd 0-9",
    "wc -l",
    "wc -c",
    "wc -w",
    "wc",
    "cut -d: -f1",
    "cut -d ' ' -f 2-,1",
    "cut -f2",
    "grep -c b",
    "grep -v a",
    "grep -iw B",
    "rev",
    "sed s/a/b/g",
    "sed s/^a/-/",
    "sort",
    "sort -rn",
    "sort -u",
    "uniq -c",
    "uniq -d",
)


class Word:
    """A command of an analysis."""

    def __init__(self, *words: str | None) -> None:
        self.name, *self.args = words


def lines(seed: int) -> str:
    generator = random.Random(seed)
    letters = "aab bc 0 1 12 -3 :,\tAB xyz é#"
    return "\n".join(
        "".join(generator.choice(letters) for _ in range(generator.randrange(14)))
        for _ in range(generator.randrange(12))
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_engines_filters_are_like_ours(shell: Shell, form: str) -> None:
    for seed in range(4):
        for end in ("", "\n"):
            texts = {"text": lines(seed) + end}
            quick = shell.run(f'printf "%s" "$text" | {form}', env=texts)
            ours = shell.run(f'printf "%s" "$text" | command {form}', env=texts)
            assert (quick.stdout, quick.exit_code) == (ours.stdout, ours.exit_code), texts


def test_only_plain_uses_are_served() -> None:
    def names(*commands: Word, script: str = "") -> set[str]:
        return {*served(script, commands)}

    assert names(Word("echo", None), Word("tr", "a", "b"), Word("wc", "-c")) == {"tr", "wc"}
    assert names(Word("tr", "a", "b"), Word("tr", "-t", "a", "b")) == set()
    assert names(Word("sort", "file"), Word("tail", "-n", "3", "file")) == set()
    assert names(Word("grep", None)) == set()
    assert names(Word("tr", "a", "b"), Word("command", "tr", "-x")) == set()
    assert names(Word("head", "-1"), Word("cat"), script="{ head -1; cat; } < f") == set()
    assert names(Word("head", "-1"), script="x | { head -1; }") == set()


def test_bytes_that_are_no_text_pass(shell: Shell) -> None:
    shell.run(r"printf 'b\xff\na\xfe\n' > bytes")
    assert shell.run("cat bytes | sort | tr a c").stdout == b"c\xfe\nb\xff\n"
    assert shell.run("tr a c < bytes | head -n 1").stdout == b"b\xff\n"
