"""`iconv`, `dd`, `getopt` and `cal`: each line does the same here and in the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.differential import check

FILES = {
    "u": b"h\xc3\xa9llo w\xc3\xb6rld \xe2\x82\xac\n",
    "l": b"h\xe9llo\n",
    "a": b"hello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\nhello world\nfoo\n",
    "bad": b"ab\xffcd\n",
}
STDIN = b"input\n"
CASES: list[tuple[str, ...]] = [
    ("iconv", "-f", "utf-8", "-t", "latin1", "l"),
    ("iconv", "-f", "latin1", "-t", "utf-8", "l"),
    ("iconv", "-f", "utf-8", "-t", "utf-16le", "u"),
    ("iconv", "-c", "-t", "ascii", "u"),
    ("iconv", "-f", "utf-8", "-t", "ascii", "u"),
    ("iconv", "bad"),
    ("iconv", "nofile"),
    ("iconv", "-f", "latin1", "-t", "utf8", "l", "-o", "out"),
    ("dd", "if=a", "bs=10", "count=2", "status=none"),
    ("dd", "if=a", "of=out", "status=none"),
    ("dd", "if=a", "of=out", "bs=100", "skip=1", "count=2", "status=none"),
    ("dd", "if=a", "of=u", "conv=notrunc", "bs=3", "count=1", "seek=1", "status=none"),
    ("dd", "if=a", "of=u", "bs=3", "count=1", "seek=1", "status=none"),
    ("dd", "status=none", "conv=ucase"),
    ("dd", "if=a", "conv=swab", "count=1", "status=none"),
    ("dd", "if=a", "bs=7", "conv=sync", "count=1", "status=noxfer", "of=out"),
    ("dd", "if=nofile"),
    ("dd", "foo"),
    ("dd", "foo=bar"),
    ("dd", "bs=x"),
    ("dd", "conv=foo"),
    ("dd", "if=a", "bs=1k", "count=1", "of=o2", "status=noxfer"),
    ("dd", "if=/dev/zero", "bs=1k", "count=2", "of=z", "status=none"),
    ("dd", "if=a", "iflag=skip_bytes", "skip=5", "count=1", "bs=4", "status=none"),
    ("getopt", "ab:c", "-a", "-b", "x", "foo", "-c", "bar"),
    (
        "getopt",
        "-o",
        "ab:c::",
        "-l",
        "alpha,beta:,gamma::",
        "--",
        "-a",
        "-b",
        "x",
        "--alpha",
        "--beta=y",
        "--gamma",
        "z",
        "foo",
    ),
    ("getopt", "-o", "ab:", "--", "-x", "foo"),
    ("getopt", "-o", "ab:", "--", "-b"),
    ("getopt", "-o", "a", "-l", "alpha,alter", "--", "--al"),
    ("getopt", "-o", "a", "-l", "alpha", "--", "--alpha=1"),
    ("getopt", "-T"),
    ("getopt",),
    ("getopt", "-o", "+ab", "--", "foo", "-a"),
    ("getopt", "-o", "-ab", "--", "foo", "-a"),
    ("getopt", "-u", "-o", "a", "--", "-a", "x y"),
    ("getopt", "-o", "a", "--", "it's", "a b"),
    ("getopt", "-n", "prog", "-o", "a", "--", "-z"),
    ("getopt", "-q", "-o", "a", "--", "-z"),
    ("getopt", "-a", "-o", "a", "-l", "foo", "--", "-foo"),
    ("getopt", "-Q", "-o", "a", "--", "-a"),
    ("getopt", "-s", "csh", "-o", "a", "--", "a!b"),
    ("getopt", "-s", "foo", "-o", "a", "--", "x"),
    ("cal", "2", "2024"),
    ("cal", "-m", "2", "2024"),
    ("cal", "-j", "3", "2023"),
    ("cal", "9", "1752"),
    ("cal", "1", "1700"),
    ("cal", "feb", "2023"),
    ("cal", "-3", "1", "2024"),
    ("cal", "13", "2024"),
    ("cal", "0"),
    ("cal", "foo"),
]


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_a_line_does_what_the_real_tool_does(tmp_path: Path, words: tuple[str, ...]) -> None:
    check(tmp_path, words, stdin=STDIN, files=FILES)
