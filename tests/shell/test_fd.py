"""`fd` compared with the real one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.both import Both
from tests.shell.test_rg_and_comm import TREE as RG_TREE
from vshell import Workspace

TREE = RG_TREE
LINES = r"""
fdfind
fdfind py
fdfind -e py
fdfind -e py -e js
fdfind -t f
fdfind -t d
fdfind -t d -t f alpha
fdfind -H
fdfind -I
fdfind -u log
fdfind -g '*.py'
fdfind '^s'
fdfind M
fdfind m
fdfind -i M
fdfind -d 1
fdfind --min-depth 2
fdfind --exact-depth 2
fdfind . src
fdfind py src
fdfind -E src
fdfind -E '*.py'
fdfind -p src/m
fdfind -S +20b
fdfind -S -5b
fdfind -t e
fdfind -t x
fdfind -F .py
fdfind zzz
fdfind -q py
fdfind -q zzz
fdfind '('
fdfind . nothing
fdfind -e py -x basename
fdfind -e py -X cat
fdfind -e py -x basename {.}
fdfind --changed-within 1h py
fdfind --changed-before 1h py
fdfind -s PY
""".strip().split("\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        yield Both(Path(tmp_path_factory.mktemp("fd")) / "real", workspace, TREE)


@pytest.mark.parametrize("line", LINES)
def test_it_finds_what_the_real_one_finds(both: Both, line: str) -> None:
    both.check(*shlex.split(line), ordered=False, errors=False)
