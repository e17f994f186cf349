"""`pr`: pages and columns as the real one makes them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

_TIME_NS = 1_700_000_000_000_000_000
_LONG = "longer line that goes on and on and on and on and on for more than seventy-two columns"
FILES = [
    File("a", b"".join(b"line %d\n" % line for line in range(1, 131)), mtime_ns=_TIME_NS),
    File("b", f"one\ttwo\nthree\n\n{_LONG}\nx\n".encode(), mtime_ns=_TIME_NS),
    File("c", b"p1\n\fp2\np2b\fp3\n", mtime_ns=_TIME_NS),
    File("e", b"", mtime_ns=_TIME_NS),
    File("n", b"no newline", mtime_ns=_TIME_NS),
    File("u", b"\xc3\xa9t\x01\x7f\xff\bz\n", mtime_ns=_TIME_NS),
]
LINES = """
pr a
pr b
pr c
pr e
pr n
pr u
pr -t a
pr -T c
pr -t c
pr -l 20 a
pr -l 10 a
pr -l 12 a
pr -h Title a
pr -h '' a
pr -2 a
pr -3 -l 30 a
pr -3 -t a
pr -3t -l 10 a
pr -3at a
pr -2a -l 20 a
pr -mt a b
pr -n a
pr -n: -t a
pr -n:3 -t a
pr -n3 -t b
pr -2nt b
pr -N 10 -nt b
pr -d b
pr -dt b
pr -o 4 b
pr -o 4 -2 b
pr -w 30 -2t b
pr -W 30 -t b
pr -w 30 -t b
pr -s -2t b
pr -s: -2t b
pr -s: -mt a b
pr -S' | ' -2t b
pr -S -2t b
pr -J -2t b
pr -Jmt a b
pr -f a
pr -F b
pr -f -l 20 a
pr -e -t b
pr -e4 -t b
pr -i -t b
pr -ex2 -t b
pr -v -t u
pr -c -t u
pr +2 a
pr +2:2 a
pr +9 a
pr --pages=2 a
pr --columns=2 -t a
pr -D %Y a
pr a b
pr nope a
pr -r nope
pr -l 0 a
pr -2 -w 3 a
pr -m -2 a b
pr -ma a b
pr -W20 -mt a b
pr -at3 -s, a
pr -2 -l 15 c
pr -mnt -l 5 a b
pr -t -2 -i b
pr -w72 -s -3t a
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    workspace = Workspace.memory()
    return Both(Path(tmp_path_factory.mktemp("pr")) / "real", workspace, FILES)


@pytest.mark.parametrize("line", [line for line in LINES.splitlines() if line])
def test_pages_are_those_of_the_real_one(both: Both, line: str) -> None:
    both.check(*shlex.split(line))


@pytest.mark.parametrize("line", ["pr -m a b c", "pr -m -l 20 b c a", "pr -mnl 30 c a b"])
def test_files_beside_each_other(both: Both, line: str) -> None:
    # The header of these has the time of now.
    both.check(*shlex.split(line), "-D", "now")
