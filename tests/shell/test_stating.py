"""`stat` and `du` compared with GNU's; `df` for itself."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from tests.shell.run_command import run_command
from vshell import Workspace

OLD = 1_600_000_000_123_456_789
TREE = [
    File("a.txt", b"alpha\n", mtime_ns=OLD),
    File("big", b"x" * 10_000, mode=0o755, mtime_ns=OLD),
    File("empty", b"", mode=0o4600, mtime_ns=OLD),
    File("d/f", b"f" * 5000, mtime_ns=OLD),
    File("d/e/g", b"g", mtime_ns=OLD),
    File("d/.hidden", b"h", mtime_ns=OLD),
    File("l", target="a.txt", mtime_ns=OLD),
    File("dl", target="d", mtime_ns=OLD),
    File("it's", b"q", mtime_ns=OLD),
    File("sp ace", b"q", mtime_ns=OLD),
    File("d/e", mtime_ns=OLD),
    File("d", mtime_ns=OLD),
]

LINES = r"""
stat -c %n a.txt d l
stat -c '%s %a %A %F %h' a.txt big empty d l
stat -c '%f %u %g %U %G' a.txt d l
stat -c '%y|%Y|%.3Y|%.Y|%X|%x' a.txt d
stat -c '%N' a.txt l "it's" 'sp ace'
stat -c '%b %B %o %s' a.txt big empty d
stat -c '[%10s][%-10s][%010s][%5a][%05a]' a.txt
stat -c '%10n|%-10n|%.2n' a.txt
stat -c %Q a.txt
stat -c '%%|%' a.txt
stat --format=%s a.txt big
stat --printf '%n\t%s\n' a.txt big
stat --printf '%s\x41\101\q' a.txt
stat --printf=x a.txt
stat -L -c '%F %s' l dl
stat -c '%F' l dl
stat -c %s nothing a.txt
stat nothing
stat
stat -c
stat -c %n d/
stat -c '%#a %a' big
stat -c '%w %W' nothing
stat -Q a.txt
du -a --apparent-size d
du d
du -a d
du -s d a.txt
du -b d
du -ab d
du -sb d big
du -h d
du -sh d big
du -k d
du -c d big
du -ch d big a.txt
du -d 0 d
du -d 1 d
du --max-depth=1 -a d
du -S d
du -Sa d
du -L dl
du -D dl
du dl
du -sl d
du -B1 d
du -BK d
du -m d
du --si d
du --inodes d
du --inodes -s d
du -0 d/e
du --exclude='*.txt' -a d
du -a --exclude=e d
du -a --exclude='d/e' d
du -t 5000 d
du -t -5000 -a d
du nothing
du nothing d/e
du d d/e
du d/e d
du -as d
du -s -d 1 d
du -d x d
du -Q d
du --time --time-style=long-iso d/e
du --apparent-size -h d
du d/
du d/f d/f
du --block-size=zz d
du -t x d
""".strip().split("\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Workspace.memory() as workspace:
        yield Both(Path(tmp_path_factory.mktemp("stat")) / "real", workspace, TREE)


@pytest.mark.parametrize("line", LINES)
def test_they_print_what_gnu_prints(both: Both, line: str) -> None:
    both.check(*shlex.split(line), ordered=not line.startswith("du"))


def test_the_default_layout_is_that_of_gnu(both: Both) -> None:
    for name in ("a.txt", "l", "d", "it's"):
        theirs = both.real(["stat", name]).stdout.decode().split("\n")
        ours = both.ours(["stat", name]).stdout.decode().split("\n")
        assert len(ours) == len(theirs)
        assert ours[0:2] == theirs[0:2]
        assert ours[3] == theirs[3]
        assert ours[5] == theirs[5]
        inode = os.lstat(both.directory / name).st_ino
        assert f"Inode: {inode:<10}  Links:" in theirs[2]


def test_df_tells_of_the_quota() -> None:
    with Workspace.memory(quota_bytes=10 * 1024 * 1024) as workspace:
        workspace.write("/x", b"x" * 1024 * 1024)
        ran = run_command(workspace, ["df", "/"])
        title, row = ran.stdout.decode().splitlines()
        assert title.split() == [
            "Filesystem",
            "1K-blocks",
            "Used",
            "Available",
            "Use%",
            "Mounted",
            "on",
        ]
        assert row.split() == ["vshell", "10240", "1024", "9216", "10%", "/"]
        assert run_command(workspace, ["df", "/nothing"]).exit_code == 1
        shown = run_command(workspace, ["df", "-hT"]).stdout.decode()
        assert "10M" in shown
        assert "vshell" in shown
