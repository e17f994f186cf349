"""What the shell says of itself, and what `umask`, `ts` and `sponge` do."""

from __future__ import annotations

import pytest

from vshell import Workspace
from vshell.shell.commands.helping import _languages
from vshell.shell.native import LANGUAGE
from vshell.shell.script_text import with_umask
from vshell.shell.shell import Shell


@pytest.mark.parametrize(
    ("script", "modes"),
    [
        ("umask 027; echo > /f; mkdir /d", (0o640, 0o750)),
        ("umask 0; touch /f; mkdir -p /d", (0o666, 0o777)),
        ("umask u=rwx,g=,o=; : > /f; mkdir -p /d/e", (0o600, 0o700)),
        ("if umask 77; then seq 3 | tee /f; fi; cp -r /t /d", (0o600, 0o700)),
        ("echo 'umask 077'; echo > /f; mkdir /d", (0o644, 0o755)),
        ("umask 99; echo > /f; mkdir /d", (0o644, 0o755)),
    ],
)
def test_new_files_are_made_as_umask_says(
    workspace: Workspace, shell: Shell, script: str, modes: tuple[int, int]
) -> None:
    workspace.mkdir("/t")
    shell.run(script)
    assert (workspace.stat("/f").mode, workspace.stat("/d").mode) == modes


def test_umask_stays_and_belongs_to_its_session(workspace: Workspace) -> None:
    with workspace.shell("main") as shell:
        shell.run("umask 077")
        shell.run("echo > /a")
    with workspace.shell("main") as shell, workspace.shell() as other:
        assert shell.run("umask; echo > /b").stdout == b"0077\n"
        other.run("echo > /c")
    assert [workspace.stat(f"/{name}").mode for name in "abc"] == [0o600, 0o600, 0o644]


def test_umask_is_told_only_where_it_is_a_command() -> None:
    for script in ("umask", "umask -S", "echo umask 7", "# umask 7", "'umask 7'", "xumask 7"):
        assert with_umask(script, "tell") == script
    assert with_umask("a; umask 7", "tell") == "a; { umask 7 && tell $(umask); }"


def test_help_has_every_command_of_the_language(shell: Shell) -> None:
    assert set(_languages()) == LANGUAGE - {"bash", "sh", "env", "sleep", "timeout"}
    assert shell.run("help -s cd").stdout == b"cd: cd [DIRECTORY]\n"
    assert b"--recursive" in shell.run("help ls").stdout
    assert shell.run("help nope").exit_code == 1


def test_a_command_is_where_it_is_said_to_be(shell: Shell) -> None:
    said = shell.run("which ls awk [; type -t ls awk cd; /usr/bin/awk 'BEGIN { print 3 }'")
    assert said.stdout == b"/usr/bin/ls\n/usr/bin/awk\n/usr/bin/[\nfile\nfile\nbuiltin\n3\n"
    assert shell.run("which curl __vshell_umask python9").exit_code == 1
    assert shell.run("echo : > /x; chmod +x /x; which /x").stdout == b"/x\n"


def test_ts_puts_the_time_in_front(shell: Shell) -> None:
    assert shell.run("printf 'a\\nb\\n' | ts -s").stdout == b"00:00:00 a\n00:00:00 b\n"
    assert shell.run("echo a | ts %Y-%%").stdout[-4:] == b"% a\n"
    assert len(shell.run("echo a | ts %.S").stdout) == len("59.123456 a\n")


def test_sponge_writes_when_all_is_read(workspace: Workspace, shell: Shell) -> None:
    workspace.write("/f", "b\na\n")
    assert shell.run("sort /f | sponge /f; echo c | sponge -a /f; echo x | sponge").stdout == b"x\n"
    assert workspace.read_text("/f") == "a\nb\nc\n"
    assert shell.run("echo | sponge /no/x").exit_code == 1
