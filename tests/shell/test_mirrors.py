"""`vshell-sync`: scripts reach the directories that the caller named, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import RangeError


def test_a_script_synchronises_what_the_caller_named(tmp_path: Path, workspace: Workspace) -> None:
    outside = tmp_path / "project"
    outside.mkdir()
    (outside / "theirs.txt").write_text("from outside\n")
    with workspace.shell(mirrors={"project": outside}) as shell:
        done = shell.run("echo mine > /mine.txt; vshell-sync && cat /theirs.txt", timeout_s=30)
        assert (done.exit_code, done.stderr) == (0, b"")
        assert b"-> create /mine.txt\n<- create /theirs.txt\nfrom outside\n" in done.stdout
        assert [change.path for change in done.changes] == ["/mine.txt", "/theirs.txt"]
        assert (outside / "mine.txt").read_text() == "mine\n"
        (outside / "theirs.txt").write_text("changed\n")
        assert shell.run("vshell-sync status").stdout == b"<- write /theirs.txt\n"
        assert shell.run("vshell-sync -n pull project; cat theirs.txt").stdout.endswith(
            b"outside\n"
        )
        assert shell.run("vshell-sync push; vshell-sync pull; cat theirs.txt").stdout.endswith(
            b"changed\n"
        )
        assert shell.run("vshell-sync --list").stdout == b"project\n"


def test_both_sides_having_changed_is_an_exit_code(tmp_path: Path, workspace: Workspace) -> None:
    outside = tmp_path / "project"
    with workspace.shell(mirrors={"p": workspace.mirror(outside)}) as shell:
        shell.run("echo 1 > /f; vshell-sync", timeout_s=30)
        (outside / "f").write_text("theirs\n")
        result = shell.run("echo ours > /f; vshell-sync")
    assert result.exit_code == 3
    assert b"conflict (content, open) /f" in result.stdout


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("vshell-sync other", b"there is no mirror 'other'"),
        ("vshell-sync sync /etc", b"there is no mirror '/etc'"),
        ("vshell-sync push ../p", b"there is no mirror '../p'"),
        ("vshell-sync p q", b"extra operand"),
        ("vshell-sync --delete", b"unrecognized option"),
    ],
)
def test_nothing_else_can_be_named(
    tmp_path: Path, workspace: Workspace, line: str, complaint: bytes
) -> None:
    with workspace.shell(mirrors={"p": tmp_path / "p"}) as shell:
        result = shell.run(line)
    assert result.exit_code in (1, 2)
    assert complaint in result.stderr
    assert not list(tmp_path.glob("p/*"))


def test_without_mirrors_nothing_is_in_reach(tmp_path: Path, workspace: Workspace) -> None:
    with workspace.shell() as shell:
        result = shell.run("vshell-sync; vshell-sync /tmp")
    assert (result.exit_code, result.stdout) == (1, b"")
    assert b"may synchronise with nothing" in result.stderr


@pytest.mark.parametrize("atomic", [False, True])
def test_a_script_that_may_be_undone_does_not_synchronise(
    tmp_path: Path, workspace: Workspace, atomic: bool
) -> None:
    with workspace.shell(mirrors={"p": tmp_path / "p"}) as shell:
        result = shell.run("echo > /f; vshell-sync", atomic=atomic, dry_run=not atomic)
    assert result.exit_code == 1
    assert not (tmp_path / "p" / "f").exists()


@pytest.mark.parametrize("mirrors", [{"": "/x"}, {"a b": "/x"}, {"-n": "/x"}, {"a": 5}])
def test_wrong_mirrors_are_refused(workspace: Workspace, mirrors: dict[str, str]) -> None:
    with pytest.raises(RangeError):
        workspace.shell(mirrors=mirrors)
