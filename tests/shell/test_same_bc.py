"""`bc`: each program gives the same here and in the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.differential import check

FILES = {"f": b"x=5\nx*2\n"}
CASES: list[tuple[tuple[str, ...], bytes]] = [
    (("bc",), b"1+2\n"),
    (("bc",), b"10/3\n"),
    (("bc",), b"scale=3; 10/3; 2^10; sqrt(16)\n"),
    (("bc",), b"scale=2; 5/2; 5%2; -5/2; 7.5%2\n"),
    (("bc",), b"2^100\n"),
    (("bc",), b"1.5*1.5\n"),
    (("bc",), b"scale=5; 1.23456*2.1\n"),
    (("bc",), b".5+.25\n"),
    (("bc",), b"-.5\n"),
    (("bc",), b"0.0\n"),
    (("bc",), b"x=3; x+=2; x; x++; ++x; x--\n"),
    (("bc",), b"a[1]=5; a[1]*2; a[2]\n"),
    (("bc",), b"define f(n){ if (n<=1) return 1; return n*f(n-1); }\nf(10); f(30)\n"),
    (("bc",), b"for(i=0;i<3;i++) i\n"),
    (("bc",), b"i=0; while(i<3){ i; i=i+1 }\n"),
    (("bc",), b'if (1<2) "yes\n" else "no\n"\n'),
    (("bc",), b'print "hi ", 3, "\\n"\n'),
    (("bc",), b"ibase=16; FF; A\n"),
    (("bc",), b"obase=16; 255; 10.5\n"),
    (("bc",), b"obase=2; 10\n"),
    (("bc",), b"obase=20; 500\n"),
    (("bc",), b"2^-2; scale=4; 2^-2\n"),
    (("bc",), b"length(123.45); scale(1.234)\n"),
    (("bc",), b"1/0\n"),
    (("bc",), b"1 +\n"),
    (("bc",), b"(1+2)*3\n"),
    (("bc",), b"2^3^2\n"),
    (("bc",), b"-2^2\n"),
    (("bc",), b"5==5; 5!=5; 1<2; !0; 1&&0; 1||0\n"),
    (("bc",), b"2^300\n"),
    (("bc",), b"12\\\n34 + 1\n"),
    (("bc", "-l"), b"j(2,100); a(1); s(1); c(10); l(3); e(2.5); scale=40; e(1)\n"),
    (("bc",), b"define void f(*a[]){a[0]=3;}\nb[0]=1;f(b[]);b[0]; .;. = 4;last; G; 0F\n"),
    (("bc",), b'"string"\n'),
    (("bc",), b"x = 5\n"),
    (("bc",), b"(x=5)\n"),
    (("bc",), b"define g(a,b){auto c; c=a+b; return (c*2);}\ng(1,2)\n"),
    (("bc",), b"sqrt(2); scale=10; sqrt(2)\n"),
    (("bc",), b"scale=20; 1/7\n"),
    (("bc",), b"1;2;3\n"),
    (("bc",), b"/* comment */ 5\n"),
    (("bc",), b"# c\n7\n"),
    (("bc",), b"10%3; scale=2; 10%3\n"),
    (("bc",), b"quit\n"),
    (("bc",), b"5; quit; 6\n"),
    (("bc",), b"last; 5; last*2\n"),
    (("bc",), b"100000000000000000000*99999999999999999999\n"),
    (("bc",), b"1.10; 1.10+1.1; 3.0*2\n"),
    (("bc",), b"for(i=1;i<10;i++){ if(i==3) break; i }\n"),
    (("bc",), b"define v(){ x=9; }\nv(); x\n"),
    (("bc",), b"0.1*0.1; scale=3;0.1*0.1\n"),
    (("bc",), b"12.340-2.34\n"),
    (("bc",), b"a=b=4; a+b\n"),
    (("bc", "-l"), b"s(1)\n"),
    (("bc", "-l"), b"c(1)\n"),
    (("bc", "-l"), b"a(1)*4\n"),
    (("bc", "-l"), b"l(10)\n"),
    (("bc", "-l"), b"e(1)\n"),
    (("bc", "-l"), b"1/3\n"),
    (("bc", "-l"), b"s(100)\n"),
    (("bc", "-l"), b"e(-5)\n"),
    (("bc", "-l"), b"l(0.5)\n"),
    (("bc", "-l"), b"scale=50; 4*a(1)\n"),
    (("bc", "-l"), b"j(0,1)\n"),
    (("bc", "-l"), b"c(3)\n"),
    (("bc", "-l"), b"scale=30;e(10)\n"),
    (("bc", "f"), b"1\n"),
    (("bc", "-q"), b"1\n"),
    (("bc", "nofile"), b""),
]


@pytest.mark.parametrize(("words", "program"), CASES)
def test_a_program_gives_what_the_real_bc_gives(
    tmp_path: Path, words: tuple[str, ...], program: bytes
) -> None:
    check(tmp_path, words, stdin=program, files=FILES, errors=False)


@pytest.mark.parametrize(
    "program", [b"2^2^2^2^2^2\n", b"9^9^9\n", b"(" * 5000, b"define f(x){return f(x);}\nf(1)\n"]
)
def test_what_is_too_much_is_an_error(program: bytes) -> None:
    from tests.shell.differential import run_ours

    exit_code, _, stderr, _ = run_ours(["bc"], program, {})
    assert stderr
    assert exit_code in (0, 1)
