"""`diff` compared with GNU's."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shell.both import Both, File
from vshell import Workspace

OLD = 1_600_000_000_123_456_789
C_OLD = b"int main(void)\n{\n  int a;\n  int b;\n  return 0;\n}\n\nint other(int x)\n{\n  x++;\n  return x;\n}\n"
C_NEW = C_OLD.replace(b"int b;", b"long b;").replace(b"  x++;\n", b"  x += 2;\n  y();\n")
FILES = [
    File("a", b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", mtime_ns=OLD),
    File("b", b"1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\n11\n", mtime_ns=OLD + 10**9),
    File("same", b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"),
    File("short", b"1\n3", mtime_ns=OLD),
    File("short2", b"1\n3\n", mtime_ns=OLD),
    File("empty", b"", mtime_ns=OLD),
    File("white", b"a b\n\n c\td \nE\n"),
    File("white2", b"a  b\nc d\n\n\ne\n"),
    File("crlf", b"1\r\n2\r\n"),
    File("lf", b"1\n2\n"),
    File("bin1", b"a\0b"),
    File("bin2", b"a\0c"),
    File("x.c", C_OLD, mtime_ns=OLD),
    File("y.c", C_NEW, mtime_ns=OLD),
    File("dot", b".\na\n.\n"),
    File("sp ace", b"1\n", mtime_ns=OLD),
    File(
        "tabs",
        b"a\tb\nlong line that is longer than the half of the columns for sure, yes it is really\n",
    ),
    File(
        "tabs2",
        b"a\tc\nlong line that is longer than the half of the columns for sure, no it is not\n",
    ),
    File("d1/same", b"s\n"),
    File("d2/same", b"s\n"),
    File("d1/f", b"one\n", mtime_ns=OLD),
    File("d2/f", b"two\n", mtime_ns=OLD),
    File("d1/only1", b"x\n", mtime_ns=OLD),
    File("d2/only2", b"y\n", mtime_ns=OLD),
    File("d1/sub/g", b"g\n", mtime_ns=OLD),
    File("d2/sub/g", b"G\n", mtime_ns=OLD),
    File("d1/kind", b"file\n"),
    File("d2/kind/k", b"in dir\n"),
    File("d1/onlydir/z", b"z\n", mtime_ns=OLD),
    File("d1/link", target="f"),
    File("d2/link", target="f"),
]

TREE = [file._replace(mtime_ns=OLD) if file.mtime_ns is None else file for file in FILES]

LINES = """
diff a b
diff a same
diff -s a same
diff -q a b
diff -q a same
diff a a
diff a nothing
diff nothing a
diff nothing nope
diff -N a nothing
diff -uN nothing a
diff -u a b
diff -u0 a b
diff -U 1 a b
diff -u1 a b
diff -U1 a b
diff --unified=2 a b
diff -c a b
diff -C1 a b
diff --context=0 a b
diff -e a b
diff -f a b
diff -n a b
diff -e short2 short
diff -e empty dot
diff short short2
diff -u short short2
diff -c short short2
diff -u empty a
diff -u a empty
diff a empty
diff empty a
diff -c empty short
diff -y a b
diff -y -W 40 a b
diff -y --suppress-common-lines a b
diff -y --left-column -W 60 a b
diff -y tabs tabs2
diff -y -W 30 tabs tabs2
diff -y -t -W 50 tabs tabs2
diff -y short short2
diff -y a same
diff -yW 20 empty short
diff -i white white2
diff -w white white2
diff -b white white2
diff -B white white2
diff -wB white white2
diff -bB white white2
diff -iwB white white2
diff -E white white2
diff -Z white white2
diff -u -w white white2
diff -uB white white2
diff crlf lf
diff --strip-trailing-cr crlf lf
diff -u crlf lf
diff bin1 bin2
diff -q bin1 bin2
diff -a bin1 bin2
diff -u bin1 a
diff bin1 bin1
diff -u x.c y.c
diff -up x.c y.c
diff -p x.c y.c
diff -u -F int x.c y.c
diff -U0 -p x.c y.c
diff -D SYM x.c y.c
diff -D SYM a b
diff -u -L left -L right a b
diff -u --label=x a b
diff -cL only a b
diff -u 'sp ace' a
diff -t tabs tabs2
diff -T a b
diff -uT a b
diff -cT a b
diff -tu tabs tabs2
diff --tabsize=4 -tu tabs tabs2
diff -u --suppress-blank-empty white white2
diff -I four a b
diff -I '^[0-9f]' a b
diff -uI 11 a b
diff --color=always a b
diff --color=always -u a b
diff --color=never a b
diff d1 d2
diff -r d1 d2
diff -rq d1 d2
diff -rs d1 d2
diff -ru d1 d2
diff -rN d1 d2
diff -ruN d1 d2
diff -rqN d1 d2
diff -urN d1 d2
diff -r -u --new-file d1 d2
diff -rP d1 d2
diff -r -x only1 d1 d2
diff -r -x 'only*' -x sub d1 d2
diff -rq -S link d1 d2
diff -r --no-dereference d1 d2
diff -r d1 d1
diff -q d1 d2
diff d1/f d2
diff d1 d2/f
diff d1 a
diff -r d1 nothing
diff -rN d1 nothing
diff d1/ d2/
diff -r d1/ d2/
diff -u d1 d2
diff - a
diff a -
diff
diff a
diff a b c
diff -Q a b
diff --foo a b
diff -W x -y a b
diff -U x a b
diff -u -c a b
diff -e -n a b
diff --normal -u a b
diff --from-file=a b same
diff --to-file=a b same
diff -d a b
diff -H a b
diff --speed-large-files a b
diff --horizon-lines=3 a b
diff --brief a b
diff --recursive --brief d1 d2
diff -y -W0 a b
diff -x
diff -ub white white2
diff -rb d1 d2
diff -5 -u a b
diff /dev/null a -L x -L y -u
diff -u a /dev/null -L x -L y
""".strip().split("\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        yield Both(Path(tmp_path_factory.mktemp("diff")) / "real", workspace, TREE)


@pytest.mark.parametrize("line", LINES)
def test_diff_prints_what_gnu_prints(both: Both, line: str) -> None:
    both.check(*shlex.split(line), stdin=b"1\n2\nx\n")


SIDE = st.lists(st.sampled_from("abcdefg"), max_size=10).filter(
    lambda lines: all(lines.count(line) <= 5 for line in lines)
)


@given(SIDE, SIDE)
def test_the_changes_are_those_of_gnu(both: Both, old: list[str], new: list[str]) -> None:
    # A line that is there more than five times is one that GNU may pass over at first.
    old_text, new_text = ("".join(f"{x}\n" for x in side) for side in (old, new))
    (both.directory / "left").write_text(old_text)
    (both.directory / "right").write_text(new_text)
    both.context.write("/work/left", old_text)
    both.context.write("/work/right", new_text)
    both.check("diff", "left", "right")
