"""`rg`, `cmp` and `comm` compared with the real ones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

TREE = [
    File(".git/HEAD", b"alpha\n"),
    File(".gitignore", b"ignored\n*.log\n"),
    File("a.txt", b"alpha\nbeta\nGamma alpha\n"),
    File("b.py", b"import alpha\ndef beta():\n    return 1\n"),
    File("src/m.py", b"alpha = 1\nx = alpha + alpha\n"),
    File("src/n.js", b"let alpha;\n"),
    File("src/deep/o.md", b"# alpha\n"),
    File("ignored/x.txt", b"alpha\n"),
    File("y.log", b"alpha\n"),
    File(".hidden", b"alpha\n"),
    File("bin", b"alpha\0beta\n"),
    File("nums", b"".join(b"%d\n" % n for n in range(1, 21))),
    File("s1", b"a\nb\nd\n"),
    File("s2", b"b\nc\nd\n"),
    File("unsorted", b"b\na\n"),
    File("short", b"a\nb"),
    File("empty", b""),
]

LINES = r"""
rg alpha
rg alpha a.txt
rg -n alpha a.txt
rg -n alpha
rg -l alpha
rg --files-without-match alpha
rg -c alpha
rg --count-matches alpha
rg -i gamma
rg -S gamma
rg -S Gamma
rg -w alpha src
rg -x beta
rg -v alpha a.txt
rg -o alpha src/m.py
rg -F 'beta()'
rg -e alpha -e beta a.txt
rg zzz
rg alpha nothing
rg -q alpha
rg -t py alpha
rg -tpy -tjs alpha
rg -T py alpha
rg -g '*.py' alpha
rg -g '!*.py' alpha
rg -g 'src/**' alpha
rg -g '!src' alpha
rg --hidden alpha
rg --no-ignore alpha
rg -u alpha
rg -uu alpha
rg --files
rg --files src
rg --files -g '*.py'
rg --files --hidden
rg -A1 beta a.txt
rg -B1 beta a.txt
rg -C1 10 nums
rg -n -C1 -e 5 -e 12 nums
rg -m1 alpha
rg -N alpha a.txt
rg -H alpha a.txt
rg -I alpha src
rg --column alpha a.txt
rg -b alpha a.txt
rg --vimgrep alpha src/m.py
rg --heading alpha src
rg --no-heading alpha src
rg -0 -l alpha src
rg -r X alpha a.txt
rg 'al(\w+)' -r 'x$1' a.txt
rg -or 'y$0' alpha src/m.py
rg --trim return
rg --max-depth 1 alpha
rg --max-depth 2 alpha
rg alpha bin
rg -a alpha bin
rg '^\d+$' nums
rg '(' a.txt
rg --type foo x
rg alpha src a.txt
rg alpha src/
rg alpha ./src
rg alpha .
rg 'a|b' s1
rg --passthru beta a.txt
rg -P '(?<=import )\w+' b.py
rg -c zzz
rg '' s1
cmp s1 s1
cmp s1 s2
cmp -s s1 s2
cmp -l s1 s2
cmp -b s1 s2
cmp s1 short
cmp short s1
cmp s1 empty
cmp -n 2 s1 s2
cmp -i 2 s1 s2
cmp s1 nothing
cmp -s s1 nothing
cmp s1
cmp
cmp -lb s1 s2
cmp s1 s2 2 0
cmp -l s1 short
cmp -Q s1 s2
comm s1 s2
comm -12 s1 s2
comm -3 s1 s2
comm -1 s1 s2
comm -23 s1 s2
comm -13 s1 s2
comm --total s1 s2
comm --output-delimiter=, s1 s2
comm s1 unsorted
comm --check-order s1 unsorted
comm --nocheck-order s1 unsorted
comm s1 nothing
comm s1
comm
comm a b c
comm s1 short
comm empty s1
comm -Q s1 s2
comm s1 -
""".strip().split("\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        yield Both(Path(tmp_path_factory.mktemp("rg")) / "real", workspace, TREE)


@pytest.mark.parametrize("line", LINES)
def test_they_print_what_the_real_ones_print(both: Both, line: str) -> None:
    words = shlex.split(line)
    if words[0] == "rg":
        # What it reads without a path depends on its input, which is no terminal here.
        words = ["rg", "--sort", "path", *words[1:]]
        bare = ["alpha", "zzz", "gamma", "Gamma", "beta", "beta()", "return", "x"]
        if words[-1] in bare or words[-2:] == ["--sort", "path"]:
            words.append("./")
    both.check(*words, stdin=b"b\n", errors=words[0] != "rg")
