"""`wc` and the checksums: each line does the same here and in the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.differential import check

FILES = {
    "a": b"hello world\nfoo bar  baz\n",
    "b": b"x\ty\n\xc3\xa9\xff z",
    "e": b"",
    "sums": b"5d41402abc4b2a76b9719d911017c592  nofile\n",
    "a b": b"1\n",
}
STDIN = b"one two\nthree"
CASES: list[tuple[str, ...]] = [
    ("wc",),
    ("wc", "a"),
    ("wc", "-l", "a", "b"),
    ("wc", "-L", "b"),
    ("wc", "-m", "b", "e"),
    ("wc", "nofile", "a"),
    ("wc", "-c", "-", "a"),
    ("wc", "-w"),
    ("wc", "-l"),
    ("wc", "a b", "a"),
    ("wc", "-q"),
    ("wc", "--lin", "a"),
    ("wc", "--bytes", "--files0-from=-", "a"),
    ("wc", "."),
    ("wc", "a", "."),
    ("md5sum",),
    ("md5sum", "a", "b", "nofile"),
    ("sha256sum", "--tag", "a"),
    ("b2sum", "-l", "128", "a"),
    ("b2sum", "-l", "7", "a"),
    ("cksum", "a"),
    ("cksum",),
    ("cksum", "-a", "md5", "a"),
    ("cksum", "-a", "sysv", "a"),
    ("cksum", "-a", "bsd", "a"),
    ("cksum", "--untagged", "-a", "sha1", "a"),
    ("sum", "a"),
    ("sum", "-s", "a", "b"),
    ("sum",),
    ("sum", "a", "b"),
    ("md5sum", "-c", "sums"),
    ("md5sum", "-c", "a"),
    ("md5sum", "--quiet", "a"),
    ("sha1sum", "-z", "a"),
    ("cksum", "-a", "foo", "a"),
    ("md5sum", "-b", "a"),
    ("md5sum", "--status", "-c", "sums"),
    ("md5sum", "-c", "--ignore-missing", "sums"),
    ("sum", "e"),
    ("cksum", "e"),
    ("cksum", "-a", "blake2b", "-l", "64", "a"),
]


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_a_line_does_what_the_real_tool_does(tmp_path: Path, words: tuple[str, ...]) -> None:
    check(tmp_path, words, stdin=STDIN, files=FILES)
