"""Scripts run by bash with the host's tools, and by vshell: output and exit code are the same."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell import Workspace

ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/root", "PATH": "/usr/bin:/bin"}

SCRIPTS = {
    "ranges of sed that begin past their line": """
        for s in '1d;1,3p' '1,5d;1,3p' '1,5d;3,4p' '1,5d;1,/8/p' '1,5d;1,+2p' '1,5d;1,~4p' \\
            '1{N;N};2,4p' '1,5d;0,/8/p' '2,1p' '2!{2,3p}'; do seq 10 | sed -n "$s"; echo "$s"; done
    """,
    "programs by their paths": """
        /usr/bin/awk 'BEGIN{print 1}'; /bin/echo hi; "/usr/bin/printf" '%s\\n' x; which awk echo pwd
        /usr/bin/test a = b; echo $?; xargs /bin/echo <<< y; which cd; echo $?
    """,
    "rules of time zones": """
        export TZ=EET-2EEST,M3.5.0/3,M10.5.0/4
        date -d @1288486799; date -d @1288486801; date -d '2021-07-01 12:00' +%s
    """,
    "copies of devices": """
        cp /dev/null a; mkdir d; cp /dev/null d; ls -s a d; cp <(echo x) y; cat y
    """,
    "plain hex dumps": """
        printf '33 4x 36 x7 38\\n30!!31\\n32' | xxd -r -p; printf 'zz303\\n1' | xxd -r -p
    """,
    "spaces that no word begins with": r"""
        printf '1\v\t 7\n \v\n\f9 9\f\n' | xargs -I% echo '[%]'; printf '1 \v 2\v3 \r\n' | xargs -n1
    """,
    "zeros with a sign": "seq -.0 -.25 -.9; seq -0 2; seq -w -0 -1 -2",
    "offsets of the older od": """
        echo hello > h; od --traditional -c h 2; od --traditional h +2
    """,
    "standard input compared to itself": "diff - - <<< x; echo $?; seq 3 | diff -s - -",
    "written process substitutions": """
        seq 3 | tee >(wc -l > n) > /dev/null; sleep 0.1; cat n
    """,
    "files compared": """
        touch a b; x=a; y='my f'; touch "$y"; ln a h; touch -d 2001-01-01 old; mkdir d
        [ "$x" -ef h ] && echo 1; [[ $x -ef ./b ]] || echo 2; test "$y" -ef 'my f' && echo 3
        [ "$PWD/a" -ef "${x}" ] && echo 4; [ ! a -ef b ] && echo 5; [[ none -ot a ]] && echo 6
        [ a -nt old -a -f b ] && echo 7; [ old -nt a ] || echo 8; cd d; [ ../a -ef ../h ] && echo 9
        echo [ a -ef a ]; echo '[ a -ef a ]' -L x; for f in ../old; do [ $f -nt none ] && echo 10; done
    """,
    "archives of a directory by its dot": """
        mkdir -p p/d o; echo a > p/f; ln p/f p/d/g; ln -s ../f p/d/l; tar cf t.tar -C p .
        tar xf t.tar -C o; find o | sort; cat o/d/g; cd o; tar xf ../t.tar ./d; find . | sort
        tar cf - . | tar xf - -C ../p; cd ../p; zip -qr ../z.zip .; cd ..; mkdir u; cd u
        unzip -q ../z.zip; find . | sort
    """,
    "a home directory without anything in it": """
        cd; pwd; cd /; cd ~; pwd; [ -d ~ ] && echo there; ls -d ~
    """,
    "jq in a pipeline": """
        echo '{"a":1}' | jq .a; printf 'a\\nb\\n' | jq -Rs .; echo '{}' | jq -c --arg n W '{a:$n}'
        echo '[1,2]' | jq -c '.[]' | jq -s 'add'; jq -n '[inputs]' -c <<< '1 2'; echo x | jq . ; echo $?
    """,
    "owners in archives": """
        mkdir d; echo x > d/f; touch -d @5 d/f d; chmod 644 d/f; chmod 755 d
        tar cf t.tar --owner root --group sys --mtime @1234567890 d; tar tvf t.tar
        tar --numeric-owner -tvf t.tar; tar c --owner joe:7 --group 9 --mtime @0 d/f | tar tv
        tar c --owner 12 --group nogroup --mtime @0 d/f | tar tv
        tar c --owner root --group sys --mtime @0 --sort=name d | sha1sum
    """,
    "records of sed with a NUL": """
        printf 'one\\0two\\0three' | sed -z 'N;P' | od -c
        printf 'a\\0b\\0' | sed -zn 'H;${x;l}' | od -c; printf 'a\\0b\\0c' | sed -z '$!{h;d};x;G'
    """,
    "sed in place without a file": "sed -n -i p; echo $?",
    "patches in older forms": """
        seq 30 > x; sed '3d;10a new\n20s/$/ changed/;25i ins' x > y; cp x z
        diff -c x y > p; patch z p; cmp z y; patch -R z p; cmp z x; diff x y | patch z; cmp z y
        cp x z; diff -U0 x y | patch z; cmp z y; diff -u x y | patch; cmp x y
        seq 3 > x; : > y; diff x y | patch x; seq 3 > y; : > x; diff x y | patch x; cat x
        printf a > x; printf 'a\\nb' > y; diff x y | patch x; cat x; echo junk | patch x; echo $?
    """,
    "field separators kept aside": """
        O=$IFS; IFS=,; set -- $(echo a,b); echo $#; IFS=$O; set -- $(echo p q r); echo $#
        printf '#!/bin/bash\\nO=$IFS; IFS=:; IFS=$O; set -- $(echo 1 2); echo $# $LINENO\\n' > s
        chmod +x s; ./s; bash s; wc -c < s; printf '%q\\n' "$IFS"
    """,
    "elements that are changed": """
        a=(x.txt "y z.txt"); b=("${a[@]%.txt}"); echo ${#b[@]}; b+=("${a[@]/x/y}" w); echo ${#b[@]}
        f() { local d=("${@^^}"); echo ${#d[@]} "${d[1]}"; }; f "${a[@]}"
        c=("${a[@]#x}"
          z) && echo "${#c[@]} $LINENO"
    """,
    "exits in traps of ERR": """
        trap 'echo "rc $?"; exit 5' ERR; trap 'echo "bye $?"' EXIT; echo a; if false; then :; fi
        false || [ 1 = 2 ] || true; ls none 2> /dev/null; echo b
    """,
    "exits in functions that trap ERR": """
        set -Eeuo pipefail; fail() { local code=$?; echo "$code at $1"; exit $code; }
        trap 'fail $LINENO' ERR; trap "echo bye" EXIT
        f() { echo f; ls none 2> /dev/null; echo no; }
        f
        echo never
    """,
    "options in conditions": """
        [[ -o errexit ]] || echo 1; set -o pipefail; [[ ! -o noglob && -o pipefail ]] && echo 2
        [ -o pipefail -o -n "" ] && echo 3; [[ a == a && ( -o errexit || -o nounset ) ]] || echo 4
    """,
    "options of a function": """
        touch a; f() { local -; set -f; echo *; }; f; echo *; g() { local - x=1; set -u; echo $x; }; g
    """,
    "exported functions": """
        say() { echo "say $1"; }; export -f say; touch x y; ls | xargs -I{} bash -c 'say {}'
        find . -name x -exec bash -c 'say "$1"' _ {} \\;; bash -c 'say 3'; export -f none; echo $?
    """,
    "heads of groups": """
        printf 'h\\n3\\n1\\n2\\n' > f; { head -1; sort; } < f; (head -n 2 && wc -l) < f
        { head -3 > g; cat; } < f; cat g; head -1 < f; { head -9; cat; } < f
    """,
    "numbers with a leading zero": """
        x=010; echo $((x)) $((x+1)) $((5-x)); for ((i=x;i<10;i++)); do echo $i; done; y="08"
        echo $((10#$y)); (echo $((y))) 2> /dev/null; echo $?
    """,
    "umask in a subshell": """
        (umask 077; touch a); touch b; f() (umask 027; touch c); f; touch d; (umask 0; touch e; exit 3)
        echo $?; touch g; stat -c %a a b c d e g; umask
    """,
    "files without a name": """
        x=; [ -d "$x" ]; echo $?; [[ -e $x ]]; echo $?; test -x "$x"; echo $?; [ ! -r "${x:-}" ] && echo 1
        y=.; [ -d "$y" ] && [[ -d $y ]] && test -e "" || echo 2; [ -d $x ]; echo $?; cd /; [ -e "$PWD" ]
    """,
    "interpreters of scripts": """
        printf '#!/bin/sh\\necho $0 $1\\n' > a; printf '#!/bin/sed -f\\ns/a/b/\\n' > b
        printf '#!/usr/bin/awk -f\\n{print $2}\\n' > c; printf '#!/no/such\\n' > d; printf 'echo $#' > e
        chmod +x ?; ./a x; echo aa | ./b; echo p q | ./c; ./d; echo $?; ./e 1 2; cat a | wc -l; wc -l < b
        printf '#!/usr/bin/env nosuch\\n' > f; chmod +x f; ./f; echo $?; while read -r l; do echo "$l"; done < c
    """,
    "inputs with numbers": """
        printf '1\\n2\\n3\\n' > f; while IFS= read -r x <&3; do echo "x=$x"; done 3< f; echo $?
        while read -u3 y; do read -r z <&3; echo $y$z; done 3< <(seq 4) | sort -r
        { read a <&4; read b <&4; echo $a $b; } 4< "f"; (read c <&5; echo $c) 5< f > g; cat g
        while read a; do while read -u 3 b; do echo $a$b; done 3< f; done < <(seq 2)
    """,
    "references and paths without links": """
        declare -n r=x; [[ -R r ]] && echo 1; [[ -R x ]] || echo 2; mkdir -p a/b; ln -s a l; cd l; pwd -P
        d="$(cd b && pwd -P)"; echo "${d##*/l}" | wc -l; cd -P ../l/b; echo ${PWD%/a/b} | wc -l; type $none
    """.replace("pwd -P\n", "pwd -P | sed 's,.*/,,'\n"),
    "lists in the background": """
        mkdir d; cd d && pwd > ../p & wait; [ -f p ] && ls; a=1; a=2 && true & wait; echo $a
        sleep 0.2 && echo late & echo first; wait; false || { b=3; echo b; } & wait; echo "[$b]"
        for i in 1 2; do x=$i && echo "i$x" & wait; done; case y in y) true && echo c & wait ;; esac
    """,
    "complaints among output": """
        echo 1 > f; echo 2 > g; cat f none g 2>&1; head -1 f none g 2>&1; ls f none g 2>&1
        x=$(grep -n . f none g 2>&1); echo "$x"; stat -c %n f none g > o 2>&1; cat o; rm -v f none g 2>&1
    """,
    "commands in loops that read a pipe": """
        seq 3 | while read l; do mkdir d$l; echo $l; done; find . -name 'd?' | sort | while read d; do
        touch $d/f; basename $d; wc -l < $d/f; done | paste -sd,; printf 'a\\0b\\0' | while IFS= read -rd '' x
        do date > /dev/null; echo "<$x>"; done; yes | while read y; do mkdir -p z; break; done
        seq 5 | while read a; do seq 2 | while read b; do expr $a + $b; done | paste -sd,; done
        seq 3 | (mkdir -p x && cd x && cat); seq 3 | { ls > /dev/null; read a; cat; } | tail -n +1
        f() { seq 2 | while read i; do mkdir -p r$1$i; [ $1 -gt 1 ] || f 2; done; }; f 1; ls -d r*
        printf '#!/bin/sh\\nseq 2 | while read l; do mkdir -p e$l; echo $l; done\\n' > s; chmod +x s; ./s
        set -o pipefail; (cd x; seq 3) | (mkdir -p q; tail -1); echo $?; seq 2 | while read b; do ls z; false; done
    """,
    "long ranges and NUL": """
        for i in {1..120000}; do :; done; echo $i; for i in {3..1}; do echo $i; done
        printf 'a\\x00b\\x001' | od -An -c; printf "\\x0z" | od -An -c
    """,
    "documents that begin with a tilde": "cat <<E\n~/a $((1))\nE\ncat <<'E'\n~/b\nE\n",
    "lines that go on": "ech\\\no 1; case x in x\\\n) echo 2\\\n;; esac; echo 'a\\\nb'; true &\\\n& echo 3",
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.mark.parametrize("name", SCRIPTS)
def test_vshell_does_what_bash_does(name: str, tmp_path: Path, workspace: Workspace) -> None:
    script = SCRIPTS[name]
    theirs = subprocess.run(
        ["bash"],
        input=script.encode(),
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=20,
        check=False,
    )
    workspace.mkdir(f"/{name}")
    session = workspace.session("same", cwd=f"/{name}", environment=ENVIRONMENT)
    with session.shell() as shell:
        ours = shell.run(script, timeout_s=20)
    assert (ours.stdout, ours.exit_code) == (theirs.stdout, theirs.returncode), ours.stderr
