"""`cat`, `tee`, `head`, `tail` and `xargs` compared with the real ones."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

NUMBERS = b"".join(b"line %d\n" % n for n in range(1, 31))
TREE = [
    File("n", NUMBERS),
    File("a", b"one\ntwo\n\n\n\nthree\tx"),
    File("odd", bytes(range(256)) + b"\n"),
    File("cr", b"a\r\nb\rc\n\r\n"),
    File("z", b"x\0y\0z"),
    File("empty", b""),
    File("d/f", b"in d\n"),
    File("items", b"a b\nc 'd e'  \nf\\ g \"h i\"\n\nj\n"),
    File("zitems", b"a b\0c\nd\0e"),
    File("bad", b"a 'b\n"),
    File("comma", b"a,b,c\n"),
]

CASES = r"""
cat a; cat a n; cat; cat -; cat - a -; cat nothing a; cat d; cat -n a; cat -b a; cat -s a; cat -E a; cat -T a; cat -A odd; cat -v odd; cat -e cr; cat -t a; cat -vET cr; cat -E cr; cat -nE a a; cat -bs a; cat -u a; cat -ns a a; cat empty; cat -n empty a; cat --number a; cat --show-all cr; cat -q; cat -bn a; cat ''; cat -T cr; cat -v cr a; cat --squeeze-blank a; cat --help=x
head n; head -n 3 n; head -3 n; head -n -25 n; head -c 10 n; head -c -200 n; head -n 0 n; head -n +3 n; head -v n a; head -q n a; head n a; head -n 2 a nothing n; head nothing; head d; head d a; head -z -n 2 z; head -n x n; head -c 1k n; head -c 1K n; head -1 a n; head -n 1 -; head -n; head -c x n; head -20c n; head -5q n a; head --lines=2 n; head --bytes=4 n; head -v; head -n 1 empty; head -c 3 -n 1 n; head -n 1b n; head -Q; head -n 99999999999999999999 a; head -2 -v a
tail n; tail -n 3 n; tail -3 n; tail -n +28 n; tail +28 n; tail -c 10 n; tail -c +230 n; tail -n 0 n; tail -v n a; tail -q n a; tail n a; tail -n 2 a nothing n; tail nothing; tail d; tail -z -n 1 z; tail -n x n; tail -c 1k n; tail -n +0 a; tail -n +1 a; tail -n 1; tail -n; tail -5c n; tail --lines=2 n; tail --bytes=4 n; tail -n 1 empty; tail -n -2 n; tail -c -3 n; tail -Q; tail -n+29 n; tail -c+230 n; tail -n 1 -v a
tee out; tee; tee -a out; tee out out2; tee d; tee nothing/x ok; tee -a out out3; tee --append a; tee -i b; tee -p c; tee --foo; cat out b
xargs basename -a; xargs -a items basename -a; xargs -n 1 -a items basename; xargs -n2 -a items basename -a; xargs -L 1 -a items basename -a; xargs -I {} -a items basename -a x{}y; xargs -I % -a items basename -a % a%b; xargs -0 -a zitems basename -a; xargs -d , -a comma basename -a; xargs -d '\n' -a items basename -a; xargs -r basename -a; xargs -a empty basename -a; xargs -a empty -r basename -a; xargs -t -n 1 -a comma basename; xargs -a bad basename -a; xargs -a nothing basename; xargs -i -a comma basename -a {}; xargs -E f -a items basename -a; xargs -s 20 -a items basename -a; xargs -n x -a items basename; xargs -n 0 -a items basename; xargs -a items cat; xargs -n1 -a comma cat; xargs -P 4 -n 1 -a comma basename; xargs -l -a items basename -a; xargs -L2 -a items basename -a; xargs -d xx -a items basename; xargs -d '\x2c' -a comma basename -a; xargs -q; xargs --null -a zitems basename -a; xargs --max-args=1 -a comma basename; xargs --delimiter=, -a comma basename -a; xargs -I{} -a empty basename {}; xargs -n1 -I{} -a comma basename {}; xargs -a nothing -p basename
"""


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_they_do_what_the_real_ones_do(tmp_path: Path, case: str) -> None:
    with Workspace.memory() as workspace:
        both = Both(tmp_path / "real", workspace, TREE)
        for line in case.split("; "):
            both.check(*shlex.split(line), stdin=b"from stdin\nsecond")
            both.check_trees()


def test_following_a_file_is_refused_and_not_ignored() -> None:
    with Workspace.memory() as workspace:
        from tests.shell.run_command import run_command

        workspace.write("/x", "a\n")
        ran = run_command(workspace, ["tail", "-f", "/x"])
        assert ran.exit_code == 1
        assert b"not supported" in ran.stderr
