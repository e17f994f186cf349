"""Pagers, `zgrep`, `tput`, `stdbuf`, `col` and others do what the real ones do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.shell.differential import check

FILES = {"a": b"x\n1\n", "b": b"y\n2\n", "c.gz": gzip.compress(b"x\nz\n", mtime=0)}
LINES = """
more a b
less a b
less nope
more nope a
stty
stty size
tput -T xterm cols
tput -T xterm-256color setaf 200
tput -T xterm-256color setab 12
tput -T xterm setaf 1
tput -T xterm-256color bold
tput -T xterm-256color sgr0
tput -T xterm-256color clear
tput -T xterm-256color cup 3 4
tput -T xterm-256color cuf 3
tput -T dumb setaf 1
tput -T dumb cols
tput -T dumb bold
tput -T nope cols
tput
tput -T xterm nope
tput -T xterm colors
stdbuf -oL seq 2
stdbuf echo hi
stdbuf -o
stdbuf -oX seq
stdbuf -iL cat
setsid seq 2
setsid
zgrep x a c.gz
zgrep -c x a c.gz
zgrep -n x c.gz
zgrep -h x a c.gz
zgrep -l x a c.gz
zgrep nope a
zgrep x nope.gz
zegrep x|y a
zgrep -e x -e y a
"""


@pytest.mark.parametrize("line", [line for line in LINES.splitlines() if line])
def test_a_line_does_what_it_does_there(tmp_path: Path, line: str) -> None:
    check(tmp_path, line.split(), stdin=b"", files=FILES)


@pytest.mark.parametrize("line", ["col", "col -b", "col -x", "col -bx"])
def test_col_writes_each_column_once(tmp_path: Path, line: str) -> None:
    text = b"a\tb\n        c  d\nab\rc\nN\bNA\bAM\bM\n_\bx y\n      z\n\n"
    check(tmp_path, line.split(), stdin=text)


@pytest.mark.parametrize(
    "line", ["colrm", "colrm 2", "colrm 2 4", "colrm 0", "colrm x", "colrm 1 1"]
)
def test_colrm_cuts_columns(tmp_path: Path, line: str) -> None:
    check(tmp_path, line.split(), stdin=b"abcdef\nab\n\nabcdefgh\n", errors=False)
