"""`patch` compared with GNU's; the commands that only a workspace has."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.shell.both import Both, File
from tests.shell.run_command import run_command
from vshell import Workspace

OLD_TEXT = b"".join(b"%d\n" % n for n in range(1, 21))
NEW_TEXT = OLD_TEXT.replace(b"2\n3\n", b"two\n3\n", 1).replace(b"\n18\n", b"\neighteen\n")
HUNKS = b"""@@ -1,5 +1,5 @@
 1
-2
+two
 3
 4
 5
@@ -15,6 +15,6 @@
 15
 16
 17
-18
+eighteen
 19
 20
"""
TREE = [
    File("a", OLD_TEXT),
    File("same", OLD_TEXT),
    File("shifted", b"0\n0\n" + OLD_TEXT),
    File("other", b"nothing\nalike\n"),
    File("half", OLD_TEXT.replace(b"18", b"xx")),
    File("d/a", OLD_TEXT),
    File("p0", b"--- a\n+++ a\n" + HUNKS),
    File("p1", b"--- a/d/a\n+++ b/d/a\n" + HUNKS),
    File("new", b"--- /dev/null\n+++ created\n@@ -0,0 +1,2 @@\n+x\n+y\n"),
    File("gone", b"--- other\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-nothing\n-alike\n"),
    File("junk", b"no patch\n"),
]

CASES = r"""
patch a p0; patch -R a p0; patch same p0; patch -s d/a p0; patch --dry-run -R a p0
patch -p0 -i p0; patch -p1 -i p1; patch -R -p1 -i p1; patch -i nothing; patch -i junk
patch shifted p0; patch -i new; patch -b a p0; patch -p0 -i gone
patch -t a p0; patch -N a p0 -r -; patch -p0 -f -s -i p0 -r -
"""


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_patch_does_what_gnu_does(tmp_path: Path, case: str) -> None:
    with Workspace.memory() as workspace:
        both = Both(tmp_path / "real", workspace, TREE)
        for line in case.split("; "):
            both.check(*shlex.split(line))
            both.check_trees()


def test_hunks_that_do_not_fit_are_saved_and_the_others_applied() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/half", OLD_TEXT.replace(b"18", b"xx"))
        workspace.write("/p", b"--- half\n+++ half\n" + HUNKS)
        ran = run_command(workspace, ["patch", "-p0", "-i", "p"])
        assert ran.exit_code == 1
        assert b"Hunk #2 FAILED at 15." in ran.stdout
        assert b"1 out of 2 hunks FAILED -- saving rejects to file half.rej" in ran.stdout
        assert b"two\n" in workspace.read_bytes("/half")
        assert b"eighteen" in workspace.read_bytes("/half.rej")


def test_changes_are_logged_undone_and_redone() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/x", "one\n")
        workspace.write("/x", "two\n")
        assert run_command(workspace, ["undo"]).exit_code == 0
        assert workspace.read_text("/x") == "one\n"
        assert run_command(workspace, ["redo"]).exit_code == 0
        assert workspace.read_text("/x") == "two\n"
        log = run_command(workspace, ["log"]).stdout.decode()
        assert "/x" in log
        assert "create" in run_command(workspace, ["history", "-f", "/x"]).stdout.decode()


def test_snapshots_are_made_listed_and_restored() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/x", "one\n")
        assert run_command(workspace, ["snapshot", "before"]).exit_code == 0
        workspace.write("/x", "two\n")
        assert b"before" in run_command(workspace, ["snapshot"]).stdout
        assert run_command(workspace, ["restore", "before"]).exit_code == 0
        assert workspace.read_text("/x") == "one\n"
        assert run_command(workspace, ["restore", "nothing"]).exit_code == 1


def test_every_command_has_a_manual() -> None:
    with Workspace.memory() as workspace:
        page = run_command(workspace, ["man", "ls"]).stdout.decode()
        assert page.startswith("NAME\n       ls - ")
        assert "--all" in page
        assert run_command(workspace, ["man", "nothing"]).exit_code == 16
        assert b"grep" in run_command(workspace, ["man", "-k", "PATTERNS"]).stdout
        assert run_command(workspace, ["which", "ls", "nothing"]).stdout == b"/usr/bin/ls\n"
