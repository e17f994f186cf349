"""What is shown in colour, in columns, and through a pager."""

from __future__ import annotations

import pytest

from vshell import Workspace
from vshell.repl.interactive.display import as_shown, pager_of
from vshell.repl.interactive.status import Status, prompt_text, toolbar_text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ls", "ls --color=always -C --width=80"),
        ("ls -l src", "ls --color=always -l src"),
        ("ls -a", "ls --color=always -C --width=80 -a"),
        ("ls --color=never", "ls -C --width=80 --color=never"),
        ("ls -1", "ls --color=always -1"),
        ("grep -n x f", "grep --color=always -n x f"),
        ("ls | cat", "ls | cat"),
        ("ls > out", "ls > out"),
        ("ls; ls", "ls; ls"),
        ("ls $(ls)", "ls $(ls)"),
        ("cat f", "cat f"),
        ("f() { ls; }; f", "f() { ls; }; f"),
        ("ls &", "ls &"),
    ],
)
def test_what_prints_to_the_terminal_alone_is_coloured(line: str, expected: str) -> None:
    with Workspace.memory() as ws, ws.shell() as shell:
        assert as_shown(line, shell.plan(line), columns=80, colour=True) == expected


def test_nothing_is_added_when_nothing_is_known_of_a_line() -> None:
    assert as_shown("ls", None, columns=80, colour=True) == "ls"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({"PAGER": "cat"}, ()), ({"PAGER": "no-such-pager"}, ()), ({"PAGER": "sh -c x"}, ("sh", "-c", "x"))],
)  # fmt: skip
def test_the_pager_is_the_one_that_is_named(
    environment: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert pager_of(environment) == expected


def test_the_prompt_says_what_waits() -> None:
    status = Status("/x/agent.db", "/src", exit_code=2, unsynced=3, conflicts=1)
    assert "".join(part[1] for part in prompt_text(status)) == "agent:/src ↑3 !1 2 $ "


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "r7  1.5 KiB"), (0.0123, "r7  1.5 KiB  12.3 ms"), (0.5, "r7  1.5 KiB  500 ms"),
     (12.34, "r7  1.5 KiB  12.3 s"), (125.0, "r7  1.5 KiB  2 min 5 s")],
)  # fmt: skip
def test_the_toolbar_says_how_large_and_how_long(seconds: float | None, expected: str) -> None:
    assert toolbar_text(Status("w", revision=7, live_bytes=1536, seconds=seconds)) == expected


def test_unsynced_changes_and_conflicts_are_counted(tmp_path: object) -> None:
    with Workspace.memory() as ws:
        ws.write("/a", "1")
        mirror = ws.mirror(f"{tmp_path}/mirror")
        mirror.sync()
        status = Status("w")
        status.refresh(ws.files)
        assert (status.unsynced, status.conflicts) == (0, 0)
        ws.write("/a", "2")
        ws.write("/b", "2")
        status.refresh(ws.files)
        assert status.unsynced == 2
        assert status.live_bytes == 2
