"""`ls` compared with GNU's."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from vshell import Workspace

NOW = 1_700_000_000_000_000_000
YEAR = 31_557_600_000_000_000
OLD = NOW - YEAR

TREE = [
    File("a.txt", b"hello\n", mtime_ns=OLD),
    File("b", b"x" * 5000, mode=0o755, mtime_ns=OLD + 5_123_456_789),
    File("c.tar.gz", b"", mtime_ns=OLD + 7_000_000_000),
    File(".hidden", b"h", mtime_ns=OLD),
    File("file10", b"", mtime_ns=OLD + 1),
    File("file9", b"12", mtime_ns=OLD + 1),
    File("back~", b"", mtime_ns=OLD),
    File("d/x", b"1", mtime_ns=OLD),
    File("d/e/deep.c", b"22", mtime_ns=OLD),
    File("empty", mtime_ns=OLD),
    File("sticky", mode=0o1777, mtime_ns=OLD),
    File("suid", b"", mode=0o4755, mtime_ns=OLD),
    File("link", target="a.txt", mtime_ns=OLD),
    File("dirlink", target="d", mtime_ns=OLD),
    File("broken", target="nowhere", mtime_ns=OLD),
    File("with space", b"", mtime_ns=OLD),
    File("it's", b"", mtime_ns=OLD),
    File("new\nline", b"", mtime_ns=OLD),
    File("é中", b"", mtime_ns=OLD),
    File('a\tb\\c"d', b"", mtime_ns=OLD),
    File("$x", b"", mtime_ns=OLD),
    File("d", mtime_ns=OLD),
    File("d/e", mtime_ns=OLD),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        made = Both(Path(tmp_path_factory.mktemp("ls")) / "real", workspace, TREE)
        made.context.utime("/work", mtime_ns=OLD)
        made.directory.parent.chmod(0o755)
        os.utime(made.directory, ns=(OLD, OLD))
        yield made


LINES = (
    """
ls|ls -a|ls -A|ls -1|ls -r|ls -t|ls -tr|ls -S|ls -Sr|ls -X|ls -v|ls d|ls d empty|ls -d d|ls -d .|ls -d */|ls -R
ls -C|ls -x|ls -m|ls -C -w 40|ls -x -w 40|ls -m -w 40|ls -w 30 -C|ls -C -w 0|ls -x -w 1|ls -CT0|ls -CT4|ls -mw0|ls -C -a -s|ls -xs|ls -ms
ls -F|ls -p|ls --file-type|ls -CF|ls --indicator-style=slash|ls --indicator-style=cl|ls -F d/
ls -b|ls -q|ls -Q|ls -N|ls --quoting-style=shell|ls --quoting-style=shell-always|ls --quoting-style=shell-escape|ls --quoting-style=shell-escape-always|ls --quoting-style=c|ls --quoting-style=escape|ls --quoting-style=locale|ls --zero|ls -C --quoting-style=shell-escape
ls -l a.txt|ls -l d|ls -l|ls -ls|ls -lh|ls -lS|ls -lt|ls -ln|ls -lg|ls -lo|ls -lG|ls -lgo|ls -l --author|ls -lF|ls -lp|ls -l --si|ls -lk|ls -l --block-size=K|ls -l --block-size=1K|ls -lZ a.txt|ls -l link|ls -l dirlink|ls -l dirlink/|ls dirlink|ls -lL link|ls -lH dirlink|ls -H link|ls -L|ls -lL d|ls -lL|ls -FL|ls -sL|ls -ld dirlink dirlink/ .
ls -l --time-style=full-iso a.txt b|ls -l --full-time b|ls -l --time-style=long-iso|ls -l --time-style=iso|ls -l --time-style=+%s.%N|ls -l --time-style=+%F|ls -lrt --time-style=locale d|ls -l --time=ctime --time-style=+x a.txt
ls -s|ls -sh|ls -s1 b d|ls -sk|ls -s --block-size=512|ls -i1 nothing|ls -B|ls -I '*.txt'|ls --hide='b*'|ls -a --hide='b*'|ls -A --ignore='[a-d]*'
ls --sort=size|ls --sort=time|ls --sort=ext|ls --sort=width|ls --sort=version|ls --group-directories-first|ls --group-directories-first -r|ls -l --group-directories-first
ls --color=always|ls --color=always -l|ls -C --color=always|ls --color=never|ls --color|ls --color=auto|ls --color=yes -F|ls --color=always -R d
ls nothing|ls nothing a.txt d|ls a.txt/|ls -l nothing/x|ls a.txt/x|ls ''|ls broken|ls -L broken|ls -lL broken a.txt|ls broken/|ls -R d nothing|ls d/ d/e|ls b a.txt d empty|ls -lR|ls -aR d|ls -1R d/.|ls -R . |ls -RL d|ls -dR d
ls --sort=foo|ls --time=foo|ls --color=foo|ls --foo|ls -y|ls -w|ls -w x|ls --block-size=x|ls --time-style=foo -l|ls --format=foo|ls --all=3|ls --si=x|ls --ti=ctime|ls --indicator-style=x|ls --quoting-style=bad|ls -T y|ls --format=long d|ls --format=commas|ls --format=across|ls --format=single d|ls -1C|ls -C1|ls -l1 d|ls -1l d|ls -lC
dir|vdir d|dir -a d|vdir -a d|ls -k|ls -go d|ls -lah|ls -la|ls -lA|ls -la d|ls -l d/x d/e
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("line", LINES)
def test_ls_prints_what_gnu_prints(both: Both, line: str) -> None:
    words = shlex.split(line.replace("*/", "d/ empty/ sticky/"))
    both.check(*words, TERM="xterm")


@pytest.mark.parametrize("style", ["literal", "shell-escape", "c", "escape"])
def test_the_environment_sets_the_quoting_and_the_zone(both: Both, style: str) -> None:
    both.check("ls", QUOTING_STYLE=style)
    both.check("ls", "-l", "a.txt", "--time-style=full-iso", TZ="America/New_York")
    both.check("ls", "-C", COLUMNS="50")
    both.check("ls", "--color", LS_COLORS="di=31:*.txt=33:ex=01;35:ln=target:or=41")
    both.check("ls", "-l", "d", TIME_STYLE="+%F")
