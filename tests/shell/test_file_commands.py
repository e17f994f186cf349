"""Commands that change files, compared with the real ones: what they say and what they leave."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

OLD = 1_600_000_000_000_000_000
TREE = [
    File("a", b"alpha\n", mtime_ns=OLD),
    File("b", b"beta\n", mode=0o600, mtime_ns=OLD + 10**9),
    File("x", b"#!x\n", mode=0o755, mtime_ns=OLD),
    File("empty", b""),
    File("d/f", b"in d\n", mtime_ns=OLD),
    File("d/sub/g", b"deep\n", mode=0o666),
    File("d/l", target="f"),
    File("e/f", b"in e\n"),
    File("wide", mode=0o777),
    File("wide/open", b"w", mode=0o777),
    File("l", target="a"),
    File("dl", target="d"),
    File("broken", target="nowhere"),
    File("it's", b"'"),
    File("sp ace", b" "),
]

CASES = """
rm a b; rm a; rm -f a; rm; rm -f; rm d; rm -r d e; rm nothing x; rm -v x l; rm broken
rm -rv d wide; rm -d e; rm -dv d/sub; rm dl; rm -r dl; rm ''; rm "it's" 'sp ace'; rm -rf nothing d
rm -i a; rm -I a b x empty; rm -ri d; rm --interactive=never a; rm --interactive=foo b; rm -r . ..; rm a/ ; rm dl/; rm -q; rm -rf ./d/
rmdir e; rmdir nothing a; mkdir -p q/w/e; rmdir -p q/w/e; mkdir -p q/w; rmdir q; rmdir --ignore-fail-on-non-empty q; rmdir -v q/w q; rmdir dl; rmdir; rmdir e/f
mkdir n; mkdir n; mkdir -p n n/m/o; mkdir -v v1 v1/v2; mkdir -pv p/q/r; mkdir -m 700 m7; mkdir -m u=rwx,go= m8; mkdir -m zz m9; mkdir; mkdir a/b; mkdir -p a/b; mkdir nothing/x; mkdir -pm 711 y/z; mkdir -p d/l/k dl/new; mkdir ''; mkdir -m 1777 st; mkdir 'new dir' n/; mkdir -p a
chmod 600 a; chmod -v 644 a b; chmod -c u+x a b; chmod a=r a; chmod +w a; chmod -w a; chmod g+s,o+t d; chmod 755 d; chmod u=rwX,g=rX,o= a x d; chmod -R g-w,o-rwx d wide; chmod --reference=x a; chmod -R 755 d -v; chmod u=g a; chmod ug=o x; chmod u+s,g+s x; chmod 0 b; chmod o=u x; chmod =rw x
chmod; chmod 644; chmod 999 a; chmod zz a; chmod 644 nothing a; chmod -f 644 nothing; chmod 600 l; chmod 600 broken; chmod -v 600 broken; chmod 00755 d; chmod 7777 d; chmod 755 d; chmod 00755 d; chmod +x a b; chmod a+X a b d; chmod -- -x a; chmod -x,+w a; chmod -R -c 700 d; chmod +t a; chmod u+rwx,u-x a; chmod --foo a; chmod a+rw,-x x; chmod -v -R u+w dl; chmod 4755 x; chmod u-s x
ln a h; ln -s a s; ln a; ln nothing q; ln d q; ln -s nothing q; ln -sf b q; ln -sv a s; ln -sfv a s; ln -f b h; ln -t e a b; ln a b e; ln a b nothing; ln -sT a d; ln -sfn b dl; ln -s a dl; ln -s d e/dd; ln -sr d/f e/rel; ln -v a hh; ln -b b h; ln -sb a s; ln; ln a h; ln -s a d/; ln -s '' z; ln -P l ll; ln -L l la; ln -r a rr; ln a nothing/q; ln -s a nothing/q; ln -i a h; ln -S .bak -bf a h; ln -s a b e; ln -T a b c
link a k; link a; link a b c; link a k; link nothing q; unlink k; unlink nothing; unlink d; unlink; unlink a b
readlink l; readlink a; readlink dl broken l; readlink -n l; readlink -v a nothing; readlink; readlink -z l dl; readlink -e nothing
touch new; touch a new2; touch -c nope; touch nothing/x; touch -d 2020-01-02 a; touch -t 202001020304.05 b; touch -r a x; touch -d bad x; touch -t 1 x; touch -d '2020-01-01 10:00 UTC' a b; touch; touch l; touch -h l; touch d; touch '' ; touch n/; touch -a a; touch -m a; touch --time=foo a; touch -r nothing a; touch -d 2020-01-01 -t 202001010000 a; touch -h nope; touch -ch nope; touch broken
truncate -s 3 a; truncate -s +3 a; truncate -s -1 a; truncate -s 0 b; truncate -s 1K new; truncate -s '%100' new; truncate -s '/1000' new; truncate -s '<10' new; truncate -s '>20' new; truncate -r a b; truncate -r a -s +1 b; truncate -c -s 1 nope; truncate; truncate -s 1; truncate -s zz a; truncate -s 1 d; truncate -s 1 nothing/x; truncate -s /0 a; truncate -r nope a; truncate -r a -s 1 b; truncate -s 1MB new; truncate -o -s 1 new; truncate -s 010 new
cp a c; cp -v a c; cp a b x e; cp a nothing/q; cp a nothing/; cp nothing q; cp; cp a; cp a b c; cp d q; cp -r d q; cp -r d q; cp -rv d/sub q2; cp -rv wide q2; cp -r d/. q3; cp -a d q4; cp -R dl q5; cp -rL dl q6; cp -r dl/ q7; cp -rH dl q8; cp -T a e; cp -rT d e; cp -t e a b; cp -t nothing a
cp -n a b; cp -i a b; cp -u a b; cp -uv b a; cp -f a b; cp -l a h; cp -l a h; cp -s a s; cp -s a e/s; cp a l; cp l a; cp a a; cp -P l l2; cp -d l l3; cp l l4; cp a broken; cp broken q; cp -r broken q; cp -p x p; cp -p b pb; cp --preserve=mode b pm; cp --preserve=all x pa; cp --preserve=foo a q; cp --no-preserve=mode x np; cp --attributes-only a at; cp --remove-destination -v a b; cp d/f e; cp a d/f e; cp -r a d e wide; cp a e a; cp "it's" 'sp ace' e
cp -b a b; cp -bv a b; cp --backup=t a b; cp --backup=numbered -v a b; cp -S .orig a b; cp --backup=none a b; cp --backup=foo a b; cp --parents d/sub/g e; cp -v --parents d/f e; cp --parents a b; cp -r --parents d/sub e; cp e/f d/f wide; cp a a e; cp -r wide w2; cp -a wide w3; cp -rp wide w4; cp -x a q; cp --reflink=auto a q; cp --sparse=never a q; cp --reflink=foo a q; cp -R a q9; cp a/ q11; cp -Z a q; cp -sl a q; cp -q a b; cp -fr d q12; cp -f nothing q; cp a d a; cp d/l q13; cp -a d/l q14; cp -a l dl q15 ; cp -au a b e; cp /dev/null a; cp '' q; cp a ''
mv a c; mv c a -v; mv nothing q; mv; mv a; mv a b c; mv a e; mv e/a .; mv b x e; mv e/b e/x .; mv d e; mv e/d .; mv -n a b; mv -i a b; mv -v a b; mv b a; mv d a; mv a d; mv -T d e; mv -T a e; mv -t e a; mv e/a e/f .; mv d d/sub; mv d d; mv a a; mv -b a b; mv -u x b; mv --backup=t x a; mv l l2; mv broken br2; mv dl dl2; mv l2 dl2; mv a nothing/q; mv a nothing/; mv d/ dd; mv dd/ ddd/; mv empty "it's" e; mv -f e/empty .; mv wide/open .; mv -v "sp ace" 's p'; mv '' q; mv ddd ''; mv ddd/f e/f wide; mv -S .o empty open; mv -nv open a; mv -q a
ln a h; mv a h; ln h k; mv -v k h; cp h h2; ln h2 h3; cp h2 h3; cp -a h2 h3 e; cp -f h2 h3; mkdir t; ln t/../h t/h; cp -a t e; cp -al d dlinks; mv h2 h3 t
install a i; install -m 644 -v a i2; install -D a n1/n2/i; install -Dv a n3/n4/i; install -d v1/v2 -v; install -dm 700 v3; install a b e; install; install a; install nothing q; install -m zz a q; install -t nope a; install -Dt t1 -v a b; install -p a ip; install -C a ip; install -bv a ip; install d q; install -T a e; install a b nope; install -m u=rw,g=r a q; install -d e d; install -v x a e; install -o root -g root a q; install a/ q; install l il
"""


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_commands_say_and_leave_what_the_real_ones_do(tmp_path: Path, case: str) -> None:
    with Workspace.memory() as workspace:
        both = Both(tmp_path / "real", workspace, TREE)
        for line in case.split("; "):
            words = shlex.split(line)
            both.check(*words)
            both.check_trees()
