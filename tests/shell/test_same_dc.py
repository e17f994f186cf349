"""`dc`: each program gives the same here and in the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.differential import check

PROGRAMS = r"""
1 2 3 f
10 3 / p
2k 10 3 / p
10 3 ~ f
3 4 5 | p
2 _1 5 | p
0 0 1 | p
16o 255 p
_3 p
[hello] p n P
65 P
65 a p
1 0 /p
p
5 sa la p
1 Sa 2 Sa la p La La p
2 v p
1.5 Z p
1.50 X p
z p
[1 p] x
1 2 >a
[5p]sa 2 1 <a
1 2 r f
1 2 3 3 R f
5 # c\n6 p
1 2 :a 2 ;a p
16 i FF p
q 1 p
[[1 p 2 q] x 3 p] x 4 p
@
_1 v
1 [a] +
lz p
3 k 2 _3 ^ p
0 _1 ^ f
1e
1.2.3 f
100000000000000000000000000000000000000000000000000000000000000000000000000000000000000 p
[a b] Z p
1 2 (p
[p] 1 x
1 k 5.55 1 * p
5 ]
[5
36 i Z p
?f
1 d p f
c z p
[3]P[x]P
256 P
5 l
1 2 !>a f
FF p
1F.F p
2 k .333 3 * p
[la1+dsa10>b]sb 0sa lbx la p
[[1p]x 2p]x 3p
[q]sq 1 1 =q 5p
2Q 1p
[[[2Q]x1p]x2p]x3p
1 2 3 _3 R f
_1 :a
1 _1 :a
0.05 Z p
.00 Z p
100 Z p
0 Z p
20o 500 p 10.5 p
2o 10 p
[a]d+
[ab]a p
300 a Z p
La
5 k 2 v p
10 _3 % p
_10 3 ~ f
7 0 % p f
2 .5 ^ p
2 3 0 | p
[[a]b]p
1[2]f
1 K 5k K f
1o
_5k
ls
L
:
;
1 2 <
99999 80 ^ p
8 i 17 p A p
1 2 3 R f
[[]]p
[a\]b]p
1 2 3 0 R f
5 _ 3 f
.p
1..2 f
_.5 p
1 2 + + f
[1 2 + p q 3 p] x 4 p
[?1+p]x
1sx[lxplx1+sx lx5>y]sylyx
"""


@pytest.mark.parametrize("program", [line for line in PROGRAMS.splitlines() if line])
def test_a_program_gives_what_the_real_one_gives(tmp_path: Path, program: str) -> None:
    text = program.replace("\\n", "\n")
    check(tmp_path, ["dc", "-e", text], stdin=b"7 8\n9\n")


@pytest.mark.parametrize(
    "words",
    [["dc"], ["dc", "f"], ["dc", "-f", "f", "-e", "p"], ["dc", "-e", "1", "-e", "p"], ["dc", "no"]],
    ids=" ".join,
)
def test_programs_come_from_options_files_and_the_input(tmp_path: Path, words: list[str]) -> None:
    check(tmp_path, words, stdin=b"1 2 + p\n", files={"f": b"3 4 * p\n"})
