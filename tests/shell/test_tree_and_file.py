"""`tree` and `file` compared with the real ones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

OLD = 1_600_000_000_123_456_789
FILES = [
    File("a/b/c", None),
    File("a/b/g", b"g"),
    File("a/f", b"#!/bin/sh\necho\n", mode=0o755),
    File("a/.x", b""),
    File(".h", None),
    File("s p", b"hello\n"),
    File("l", target="a"),
    File("br", target="no"),
    File("lf", target="s p"),
    File("e/py", b"#!/usr/bin/env python3\nprint(1)\n"),
    File("e/bash", b"#!/bin/bash\n"),
    File("e/utf8", "é\n".encode()),
    File("e/crlf", b"a\r\nb\r\n"),
    File("e/nonl", b"abc"),
    File("e/json", b'{"a": [1, 2]}\n'),
    File("e/empty", b""),
    File("e/long", b"x" * 400 + b"\n"),
    File("e/data", b"\x00\x01\x02\x03\xff"),
    File("e/latin", b"caf\xe9 au lait\n"),
    File("e/html", b"<!DOCTYPE html>\n<html></html>\n"),
    File("e/bom", b"\xef\xbb\xbfhi\n"),
    File("e/mixed", b"a\r\nb\n"),
    File("a/b", None),
    File("a", None),
]
TREE = [file._replace(mtime_ns=OLD) for file in FILES]

LINES = r"""
tree
tree a
tree -a
tree -d
tree -L 1
tree -L 2
tree -f
tree -F
tree -i
tree -s
tree -h
tree -p
tree -pug -L 1
tree -P '*g'
tree -I 'b*'
tree -I 'b*|e'
tree --noreport
tree -J
tree --dirsfirst
tree --filesfirst
tree nothing
tree -Q
tree -L 0
tree --prune
tree -du
tree -D
tree --charset=ascii
tree a e
tree a/f
tree --du --noreport
tree -if --noreport
tree -r
tree --sort=size
tree -v
tree -P py --prune
tree -fi a
tree -aF
tree a/
tree -d a
tree -L 1 -d
tree -sD --timefmt=%Y
tree --filelimit 3
tree -t a
tree -I '*.x' -a a
tree -n a
tree --noreport -L 1 a e
tree -Ja a
file a
file l br lf
file -b e/py e/bash e/utf8 e/crlf e/nonl e/json e/empty e/long e/data e/latin e/html e/bom e/mixed
file e/py a/f
file 's p'
file -L l lf
file nothing
file -b --mime-type e/json e/empty a e/py e/utf8
file -i e/utf8 e/json a
file -N a e/py
file -F = a
file -
file --mime-encoding e/utf8 e/latin e/data
""".strip().split("\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        yield Both(Path(tmp_path_factory.mktemp("tree")) / "real", workspace, TREE)


@pytest.mark.parametrize("line", LINES)
def test_they_print_what_the_real_ones_print(both: Both, line: str) -> None:
    both.check(*shlex.split(line), stdin=b"stdin\n")
