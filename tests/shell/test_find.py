"""`find` compared with GNU's."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from tests.shell.run_command import run_command
from vshell import Workspace
from vshell.shell.commands.find_quick import read_question

OLD = 1_600_000_000_000_000_000
TREE = [
    File("a.txt", b"alpha\n", mtime_ns=OLD),
    File("B.TXT", b"x" * 3000, mode=0o600, mtime_ns=OLD + 1_234_567_891),
    File("run.sh", b"#!x\n", mode=0o755),
    File("empty", b"", mtime_ns=OLD - 10**15),
    File("src/main.py", b"import os\n", mtime_ns=OLD),
    File("src/test_main.py", b"import main\n"),
    File("src/deep/er/x.c", b"int x;\n", mode=0o4755),
    File("src/.git/config", b"[core]\n"),
    File("node_modules/p/i.js", b"1\n"),
    File("void", None),
    File("sp ace/new\nline", b"n"),
    File("l", target="a.txt"),
    File("dl", target="src"),
    File("broken", target="nowhere"),
    File("src/up", target=".."),
    File("sticky", mode=0o1777),
    File("it's", b"q"),
]

CASES = r"""
find; find .; find src; find src/; find a.txt; find nothing; find src nothing a.txt; find -type f; find . -type d; find . -type l; find . -type f,l; find src -type x; find . -type ''; find . -type fd; find . -xtype l; find . -xtype f; find dl; find dl/; find -H dl; find -L dl -maxdepth 1; find -L src -maxdepth 2; find -P l
find . -name '*.py'; find . -name a.txt; find . -iname '*.txt'; find . -name '[a-b]*'; find . -name '*' -type f; find . -name .; find . -name '.*'; find . -path './src/*'; find . -path '*deep*'; find . -ipath '*SRC*'; find . -wholename ./a.txt; find . -lname 'a*'; find . -ilname 'A*'; find src -name src; find ./ -name '*.c'; find src/ -path 'src/main*'; find . -name '*.[!p]*'; find . -name "it's"; find . -name 'sp ace'; find . -name '*\.py'; find . -name 'a?txt'; find . -name '[[:upper:]]*'
find . -regex '.*\.py'; find . -regex '.*\.\(py\|c\)'; find . -regextype posix-extended -regex '.*\.(py|c)'; find . -regex 'main'; find . -iregex '.*TXT'; find . -regextype foo -regex x; find . -regextype egrep -regex './[a-z]+\.txt'; find . -regex '.*[0-9]+.*'; find . -regex '.*/[a-z]+'; find . -regextype sed -regex '.*/[a-z]\{5\}'
find . -maxdepth 1; find . -maxdepth 0; find . -mindepth 2 -type f; find . -mindepth 1 -maxdepth 1 -type d; find . -maxdepth x; find . -maxdepth -1; find . -type f -maxdepth 1; find . -depth -name 'src*'; find src -depth -mindepth 1 -name '*.py'; find . -maxdepth; find . -name; find -maxdepth 1 -depth -type d
find . -size 0; find . -size +0; find . -size -2 -type f; find . -size 1k; find . -size +2k; find . -size 6c; find . -size -10c -type f; find . -size +1M; find . -size 3000c; find . -size 1 -type f; find . -size +5; find . -size 8 -type d; find . -size x; find . -size 1x; find . -size 2w; find . -size -1k -type f; find . -size +1G; find . -empty; find . -type f -empty; find . -type d -empty; find . ! -empty -type f
find . -perm 644 -type f; find . -perm -111; find . -perm /111 -type f; find . -perm -u+x -type f; find . -perm /u=s; find . -perm 755; find . -perm -4000; find . -perm u=rw,g=r,o=r -type f; find . -perm zz; find . -perm +111; find . -perm 0600; find . -perm -1000; find . -perm -o+w ! -type l; find . -perm /000 -type f; find . -perm -g+w,o+w ! -type l
find . -links 1 -type f; find . -links +1 -type d; find . -links 3; find . -user root -type f; find . -user nobody_at_all; find . -group root -name 'a*'; find . -uid 0 -name 'a*'; find . -gid 5; find . -nouser; find . -nogroup; find . -readable -name 'a*'; find . -writable -name 'l'; find . -executable -type f; find . -samefile a.txt; find -L . -maxdepth 1 -samefile a.txt; find . -inum 0; find . -inum x; find . -true -name 'a*'; find . -false; find . -links x
find . -mtime +100; find . -mtime -1 -type f; find . -mtime 0 -name 'run*'; find . -mmin -60 -type f; find . -mmin +60 -type f; find . -newer a.txt -type f; find . ! -newer a.txt -type f; find . -newermt 2020-10-01 -type f; find . -newermt '2020-09-13 12:26:40' -type f; find . ! -newermt 2000-01-01; find . -newermt nonsense; find . -newer nothing; find . -newermm B.TXT -type f; find . -newerXY a; find . -ctime 0 -name 'a*'; find . -cmin -10 -name 'a*'; find . -mtime x; find . -mtime; find . -daystart -mtime 0 -name 'run*'; find . -daystart -mtime +1 -type f; find . -cnewer a.txt -name nothing; find . -anewer nothing; find . -mtime +100000
find . -name '*.py' -o -name '*.c'; find . \( -name '*.py' -o -name '*.c' \) -type f; find . -not -name '*.py' -type f; find . ! -type d ! -type l; find . -name '*.py' -a -type f; find . \( \); find . \( -name a; find . -name a \); find . ! ; find . -o -name a; find . -name a -o; find . -a; find . -name a -a; find . -type f foo; find . -name a.txt B.TXT; find . -foo; find -foo; find . -name a.txt -foo; find . -name x -and -name y -or -name 'a*'; find . \( ! -name 'a*' \) -maxdepth 1 -type f; find . , -name a; find . -not
find . -path ./node_modules -prune -o -type f -print; find . -name node_modules -prune -o -name .git -prune -o -print; find . -type d -name src -prune; find . -type d \( -name src -o -name void \) -prune -o -name '*.txt' -print; find src -prune; find . -name '*.py' -print -o -name '*.c' -print; find . -name a.txt -print -print; find . -depth -name src -prune -o -name '*.py' -print; find . -mindepth 1 -prune; find . -maxdepth 1 -name a.txt -quit; find . -name a.txt -print -quit; find a.txt l -quit
find . -name '*.py' -print0; find . -type f -printf '%f %s\n'; find src -printf '%p|%P|%h|%f|%H|%d|%y|%Y\n'; find . -type l -printf '%p -> %l %y %Y\n'; find a.txt -printf '%m %M %n %u %U %g %G %k %b %s\n'; find B.TXT -printf '%t|%T@|%T+|%TY-%Tm-%Td|%TH:%TM:%TS|%TT|%Ta|%Tb|%Tc|%Tj|%TD|%TF|%TX|%Tr|%Tk|%Tl|%Ts|%TZ\n'; find a.txt -printf '%10f|%-10f|%5s|%-5s|%05s|%.2f\n'; find a.txt -printf 'a\tb\\n\101%%\n'; find a.txt -printf '\q\n'; find a.txt -printf '%q\n'; find a.txt -printf 'x\cy\n'; find a.txt -printf x; find . -maxdepth 1 -name 's*' -printf '%f/%s/%k\n'; find src dl -maxdepth 0 -printf '%p %P %h %f\n'; find src/ -maxdepth 1 -printf '[%p][%P][%h][%f]\n'; find a.txt -printf '%'; find src -name '*.c' -fprint out1; find . -name '*.py' -fprintf out2 '%f\n'; find . -name 'a*' -fprint0 out3; find a.txt -printf; find / -maxdepth 0 -printf '%p %f %h\n'
find . -name '*.py' -exec cat {} \;; find . -name '*.py' -exec basename x{}y \;; find . -name '*.txt' -exec basename {} +; find . -name '*.py' -exec basename -a a {} {} \;; find . -name 'a.txt' -exec grep -q zzz {} \; -print; find . -name 'a.txt' -exec grep -q alpha {} \; -print; find . -name a.txt -exec cat nothing {} +; find . -name a.txt -exec ls; find . -name a.txt -exec \;; find . -name '*.py' -execdir basename {} \;; find . -name '*.py' -exec rm {} \;; find . -name a.txt -ok cat {} \;; find . -name a.txt -exec cat {} + -print; find . -name '*.nothing' -exec cat {} +; find . -name a.txt -exec wc -c {} \;
find . -name '*.txt' -delete; find src -name '*.c' -print -delete; find void -delete; find src -type d -delete; find nothing -delete; find node_modules -delete; find . -name sticky -delete -print; find 'sp ace' -type f -delete; find . -type l -delete; find . -empty -delete
find -L . -type l; find -L . -xtype l; find -L . -name '*.py'; find -L dl -type f; find -H dl -name '*.py'; find -L l broken -type f; find -L . -lname 'n*'; find . -follow -name 'a*' ; find -L src -newer a.txt -name '*.py'
find . -mount -name a.txt; find . -xdev -name a.txt; find . -noleaf -name a.txt; find . -ignore_readdir_race -name a.txt; find -O3 . -name a.txt; find -- a.txt; find . -warn -name a.txt; find -H -L a.txt; find . -d -name 'er'; find . -fstype nothing
"""


def _words(line: str) -> list[str]:
    return shlex.split(line)


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_find_finds_what_gnu_finds(tmp_path: Path, case: str) -> None:
    with Workspace.memory() as workspace:
        both = Both(tmp_path / "real", workspace, TREE)
        for line in re.split(r"(?<!\\); ", case):
            both.check(*_words(line), ordered=False)
            both.check_trees()


def test_ls_lines_are_those_of_gnu(tmp_path: Path) -> None:
    with Workspace.memory() as workspace:
        both = Both(tmp_path / "real", workspace, TREE)
        for name in ("a.txt", "src", "l", "sp ace", "it's"):
            words = ["find", name, "-maxdepth", "0", "-ls"]
            theirs, ours = both.real(words).stdout, both.ours(words).stdout
            assert ours[9:] == theirs[9:]
            inode = os.lstat(both.directory / name).st_ino
            assert theirs.split()[0] == str(inode).encode()


QUICK = """
find; find tree/ .; find / -name 'e*'; find . -type d -print0; find . -iname 'B*' -type f
find . -mindepth 2 -maxdepth 3; find src -maxdepth 0; find . -name '*é'; find . -mindepth 3 -print
find src -name 'src*'; find -type l; find . -name '*.py'; find . -maxdepth 1 -name '*e'
"""


@pytest.mark.parametrize("line", re.split(r"; |\n", QUICK.strip()))
def test_the_quick_way_finds_the_same_in_the_same_order(workspace: Workspace, line: str) -> None:
    for name in ("tree/a/b/c", "tree/a.b/c", "tree/a-b", "src/x.py", "src.d/é", "Bé", "sree/bree"):
        workspace.write(f"/{name}", "")
    workspace.symlink("tree", "/l")
    words = _words(line)
    assert read_question(words[1:]) is not None
    quick = run_command(workspace, words)
    action = words.pop() if words[-1].startswith("-print") else "-print"
    words = [*words, "-true", action]
    assert read_question(words[1:]) is None
    assert quick == run_command(workspace, words)
