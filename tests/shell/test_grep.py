"""`grep` compared with GNU's."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.both import REAL_PATH, Both, File
from tests.shell.run_command import run_command
from vshell import Workspace

TREE = [
    File("a.txt", b"alpha\nbeta\nGamma\nalphabet soup\n\nfoo bar\nfoo.bar\nfoo_bar baz\n"),
    File("b.py", b"import os\ndef alpha():\n    return 'beta'\n# TODO: x\nclass A: pass\n"),
    File("no_newline", b"one\ntwo\nalpha"),
    File("empty", b""),
    File("binary", b"alpha\0beta\nfoo\n"),
    File("invalid", b"alpha\xffbeta\nfoo\n"),
    File("unicode", "naïve café\nÉCOLE école\n中文字\n".encode()),
    File("crlf", b"alpha\r\nbeta\r\n"),
    File("numbers", b"".join(b"%d\n" % n for n in range(1, 31))),
    File("patterns", b"beta\nfoo\n"),
    File("blank_patterns", b"beta\n\n"),
    File("zero", b"alpha\nx\0beta\0gamma alpha\0"),
    File("sub/c.txt", b"alpha in sub\nnothing\n"),
    File("sub/d.py", b"import re\nalpha = 1\n"),
    File("sub/deep/e.txt", b"deep alpha\n"),
    File("sub/node_modules/x.js", b"alpha;\n"),
    File("sub/.hidden", b"hidden alpha\n"),
    File("sub/link", target="c.txt"),
    File("sub/loop", target="."),
    File("linkdir", target="sub"),
    File("long", b"x" * 70000 + b" alpha\n" + b"y\n"),
]

LINES = r"""
grep alpha a.txt
;; grep -n alpha a.txt b.py
;; grep -c alpha a.txt b.py empty
;; grep -l alpha a.txt b.py empty
;; grep -L alpha a.txt b.py empty
;; grep -v alpha a.txt
;; grep -vc alpha a.txt
;; grep -i gamma a.txt
;; grep -w foo a.txt
;; grep -x beta a.txt
;; grep -o alpha a.txt
;; grep -on al a.txt b.py
;; grep -ob a a.txt
;; grep -h alpha a.txt b.py
;; grep -H alpha a.txt
;; grep -q alpha a.txt
;; grep -q zzz a.txt
;; grep zzz a.txt
;; grep -s alpha nothing a.txt
;; grep alpha nothing a.txt
;; grep -q alpha nothing a.txt
;; grep alpha sub
;; grep alpha sub a.txt
;; grep -d skip alpha sub a.txt
;; grep -m1 alpha a.txt b.py
;; grep -m 2 -c a a.txt
;; grep -m0 a a.txt
;; grep -m -1 a a.txt
;; grep -m1 -A2 a a.txt
;; grep -m 1 -v a a.txt
;; grep -A1 beta a.txt
;; grep -B1 beta a.txt
;; grep -C1 beta a.txt
;; grep -1 beta a.txt b.py
;; grep -n -C2 5 numbers
;; grep -n -A3 -B1 -e 7 -e 12 numbers
;; grep -C1 --no-group-separator 5 numbers
;; grep -A1 --group-separator=== 5 numbers
;; grep -c -A1 5 numbers
;; grep -vn -C1 '[0-9][0-9]' numbers
;; grep -12 15 numbers
;; grep -A x 1 numbers
;; grep -C 1 -o 5 numbers
;; grep -l -A1 5 numbers
;; grep -bn -A1 25 numbers
;; grep 'a.*b' a.txt
;; grep '^foo' a.txt
;; grep 'bar$' a.txt
;; grep '^$' a.txt
;; grep -n '' a.txt
;; grep 'fo\{2\}' a.txt
;; grep 'a\|b' a.txt
;; grep '\(al\)pha' a.txt
;; grep '\(o\)\1' a.txt
;; grep 'x*' a.txt
;; grep 'foo\.bar' a.txt
;; grep 'foo.bar' a.txt
;; grep '\bfoo\b' a.txt
;; grep '\<foo\>' a.txt
;; grep '\w\+ \w\+' a.txt
;; grep '[[:upper:]]' a.txt
;; grep '[^a-z]' a.txt
;; grep '[]a]' a.txt
;; grep 'a\{2' a.txt
;; grep '\(' a.txt
;; grep '[' a.txt
;; grep '*a' a.txt
;; grep '+' a.txt
;; grep 'o\?b' a.txt
;; grep '\.' a.txt
;; grep -- '-' a.txt
;; grep -e -x a.txt
;; grep '^*' a.txt
;; grep '\(^a\)' a.txt
;; grep 'a\{1,2\}' a.txt
;; grep -E 'foo|beta' a.txt
;; grep -E '(al|be)' a.txt
;; grep -E '^(foo|bar)' a.txt
;; grep -E 'o{2}' a.txt
;; grep -E 'a+b?' a.txt
;; grep -E 'a{1' a.txt
;; grep -E '(' a.txt
;; grep -E ')' a.txt
;; grep -E '(o)\1' a.txt
;; grep -E '' a.txt
;; grep -E 'a||b' a.txt
;; grep -E '\bfoo' a.txt
;; grep -E '[0-9]+' numbers
;; grep -oE '[a-z]+' a.txt
;; grep -oE 'a|al|alpha' a.txt
;; grep -E 'a**' a.txt
;; grep -E '^' a.txt
;; grep -E '$' a.txt
;; grep -E 'x{3,2}' a.txt
;; egrep 'a|b' a.txt
;; grep -E '\w+\s\w+' a.txt
;; grep -E '[[:digit:]]{2}' numbers
;; grep -E '[[:foo:]]' a.txt
;; grep -E 'a{,2}' a.txt
;; grep -F foo.bar a.txt
;; grep -F -e alpha -e foo a.txt
;; grep -F '' a.txt
;; grep -Fx beta a.txt
;; grep -Fw foo a.txt
;; grep -Fi GAMMA a.txt
;; grep -Fv foo a.txt
;; fgrep '[' a.txt
;; grep -Fo a a.txt
;; grep -F 'a
beta' a.txt
;; grep 'foo
alpha' a.txt
;; grep -f patterns a.txt
;; grep -f empty a.txt
;; grep -f blank_patterns a.txt
;; grep -vf empty a.txt
;; grep -f nothing a.txt
;; grep -F -f patterns -c a.txt b.py
;; grep -Fxf patterns a.txt
;; grep -wf patterns a.txt
;; grep -of patterns a.txt
;; grep -P '\d+' numbers
;; grep -oP '(?<=foo).bar' a.txt
;; grep -P 'a(?!l)' a.txt
;; grep -oP 'foo\K.*' a.txt
;; grep -P '(' a.txt
;; grep -P '^\w+$' a.txt
;; grep -oP '\Qfoo.\Ebar' a.txt
;; grep -Pi 'GAMMA' a.txt
;; grep -P '(?i)gamma' a.txt
;; grep -oP '\bf\w+' a.txt
;; grep -P -e a -e b a.txt
;; grep -EP a a.txt
;; grep -Pv a a.txt
;; grep -P 'a{2,}|o{2}' a.txt
;; grep -cP '^$' a.txt
;; grep alpha binary
;; grep -a alpha binary
;; grep -c alpha binary
;; grep -l alpha binary
;; grep -v alpha binary
;; grep -I alpha binary a.txt
;; grep foo binary
;; grep --binary-files=text foo binary
;; grep --binary-files=without-match foo binary
;; grep -o alpha binary
;; grep -q alpha binary
;; grep --binary-files=x a a.txt
;; grep alpha invalid
;; grep foo invalid
;; grep -c alpha invalid
;; grep -a alpha invalid
;; grep -U alpha crlf
;; grep 'alpha.$' crlf
;; grep -n zzz binary
;; grep -b foo unicode
;; grep -i école unicode
;; grep 中 unicode
;; grep -o '.文' unicode
;; grep -o 'caf.' unicode
;; grep -ob é unicode
;; grep -w caf unicode
;; grep '[[:alpha:]]' unicode
;; grep -io É unicode
;; grep -n '^.\{3\}$' unicode
;; grep -z alpha zero
;; grep -zc a zero
;; grep -zv beta zero
;; grep -zo alpha zero
;; grep -zn a zero
;; grep -Z -l alpha a.txt b.py
;; grep -Zc alpha a.txt
;; grep -zl alpha zero
;; grep -z '^x' zero
;; grep --color=always alpha a.txt
;; grep --color=always -n alpha a.txt b.py
;; grep --color=always -o a a.txt
;; grep --color=always -C1 beta a.txt
;; grep --color=always -v alpha a.txt
;; grep --color=always -c alpha a.txt b.py
;; grep --color=always -l alpha a.txt
;; grep --color=always -ib 'A' a.txt
;; grep --color=never a a.txt
;; grep --color=auto beta a.txt
;; grep --color=always -E 'a|' a.txt
;; grep --color=always -w foo a.txt
;; grep --colour beta a.txt
;; grep -T alpha a.txt b.py
;; grep -Tn alpha a.txt
;; grep -Tbn alpha a.txt b.py
;; grep -n -b alpha a.txt
;; grep --label=x -H a -
;; grep --line-buffered beta a.txt
;; grep -y gamma a.txt
;; grep --no-ignore-case -i gamma a.txt
;; grep -i --no-ignore-case gamma a.txt
;; grep -L alpha a.txt
;; grep -L zzz a.txt
;; grep -lv alpha a.txt empty
;; grep -lc alpha a.txt
;; grep -Lc alpha a.txt empty
;; grep -lq alpha a.txt
;; grep -oc a a.txt
;; grep -ov a a.txt
;; grep -nx '' a.txt
;; grep -w '' a.txt
;; grep -vw '' a.txt
;; grep -c '' no_newline empty
;; grep alpha no_newline
;; grep -o '' a.txt
;; grep -xv beta a.txt
;; grep -xe foo -e beta a.txt
;; grep -nHc alpha a.txt
;; grep
;; grep -e
;; grep -Q a
;; grep --foo a
;; grep -A
;; grep -m x a a.txt
;; grep -d foo a a.txt
;; grep -D foo a a.txt
;; grep --inc a.txt
;; grep --max a a.txt
;; grep -E
;; grep '' nothing
;; grep '' empty
;; grep a ''
;; grep --bin=text foo binary
;; grep -NUM a
;; grep a a.txt/
;; grep -ABC a
""".strip().split("\n;; ")

RECURSIVE = r"""
grep -r alpha
;; grep -r alpha .
;; grep -r alpha sub
;; grep -rn alpha sub/
;; grep -rl alpha
;; grep -rL alpha sub
;; grep -rc alpha sub
;; grep -rh alpha sub
;; grep -ri ALPHA sub
;; grep -r --include=*.txt alpha
;; grep -r --include=*.py --include=*.js alpha .
;; grep -r --exclude=*.txt alpha sub
;; grep -r --exclude-dir=node_modules alpha
;; grep -r --exclude-dir=deep --exclude-dir=node_modules alpha sub
;; grep -r --exclude=.* alpha sub
;; grep -rv alpha sub
;; grep -rw alpha sub
;; grep -rq alpha sub
;; grep -rq zzz sub
;; grep -r zzz
;; grep -ro 'alph.' sub
;; grep -rE 'import|alpha' sub
;; grep -rF alpha sub a.txt
;; grep -r alpha a.txt
;; grep -r alpha linkdir
;; grep -r alpha sub/link
;; grep -r alpha nothing sub
;; grep -rs alpha nothing sub
;; grep -rnH alpha sub/c.txt
;; rgrep alpha sub
;; grep --directories=recurse alpha sub
;; grep -r --include=c.txt alpha sub
;; grep -r --include 'sub/*' alpha
;; grep -r --exclude-dir=sub alpha sub
;; grep -r --exclude-dir=. alpha .
;; grep -r --exclude a.txt alpha a.txt b.py
;; grep --include=*.py alpha a.txt b.py
;; grep -rm1 a sub
;; grep -rI alpha
;; grep -rZl alpha sub/deep
;; grep -r -A1 alpha sub/deep
;; grep -rlv alpha sub
;; grep -rcv alpha sub
;; grep -rP 'al(?=pha)' sub
;; grep -rx 'deep alpha' sub
;; grep -R alpha sub
;; grep -Rl alpha linkdir
;; grep -R --exclude-dir=loop alpha sub
;; grep -r --exclude-from=patterns alpha sub
;; grep -rlE '^(import|deep)' .
;; grep -rc '' sub
""".strip().split("\n;; ")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        made = Both(Path(tmp_path_factory.mktemp("grep")) / "real", workspace, TREE)
        yield made


@pytest.mark.parametrize("line", LINES)
def test_grep_prints_what_gnu_prints(both: Both, line: str) -> None:
    both.check(*shlex.split(line), stdin=b"stdin a\n")


@pytest.mark.parametrize("line", RECURSIVE)
def test_recursive_grep_finds_what_gnu_finds(both: Both, line: str) -> None:
    both.check(*shlex.split(line), ordered=False)


@pytest.mark.parametrize("indexed", [False, True])
def test_the_index_changes_nothing(both: Both, indexed: bool) -> None:
    if indexed:
        both.context.index()
    for line in RECURSIVE:
        both.check(*shlex.split(line), ordered=False)


WORDS = st.text("ab.*[]^$\\(){}|+?-1 ", max_size=8)


@given(WORDS, st.lists(st.text("ab1. -", max_size=6), max_size=6), st.sampled_from("GEF"))
def test_patterns_select_the_lines_that_gnu_selects(
    both: Both, pattern: str, lines: list[str], dialect: str
) -> None:
    stdin = "".join(f"{line}\n" for line in lines).encode()
    words = ["grep", f"-{dialect}n", "-e", pattern]
    theirs, ours = both.real(words, stdin), both.ours(words, stdin)
    if re.search(r"\^[*?+{\\]", pattern):
        return  # repeating an anchor is undefined
    if b"stray" in theirs.stderr or b"warning" in theirs.stderr:
        return
    assert (ours.exit_code, ours.stdout) == (theirs.exit_code, theirs.stdout), (pattern, stdin)


WORDS = st.text("ab.-", min_size=1, max_size=4)


@settings(max_examples=30)
@given(st.lists(WORDS, min_size=16, max_size=40), st.sampled_from(["-F", "-o", "-Fx", "-w", "-c"]))
def test_many_plain_patterns_find_what_each_finds(patterns: list[str], option: str) -> None:
    data = "".join(f"{word}{word[::-1]} {word}\n" for word in patterns[::2]).encode()
    words = ["grep", option, "-e", "\n".join(patterns)]
    real = subprocess.run(
        words, input=data, env={"LC_ALL": "C.UTF-8", "PATH": REAL_PATH}, capture_output=True,
        check=False,
    )  # fmt: skip
    with Workspace.memory() as workspace:
        ours = run_command(workspace, words, data)
    assert (ours.exit_code, ours.stdout) == (real.returncode, real.stdout)
