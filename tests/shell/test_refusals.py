"""Options that there are none are refused, by every command, in the real one's words."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

import pytest

from tests.shell.differential import real_tool
from tests.shell.run_command import ENVIRONMENT, run_command
from vshell import Workspace
from vshell.shell import commands

OTHERWISE = {
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), "is gawk and mawk in one, in gawk's words"),
    "unzip": "prints its help, and ends well for a long option",
    **dict.fromkeys(
        (f"{form}{name}" for form in ("bz", "xz", "z") for name in ("egrep", "fgrep", "grep")),
        "is a script that hands grep what it does not know",
    ),
    "bzless": "is a script with words of its own",
    "zmore": "is a script with words of its own",
    "yq": "is a script that hands jq what it does not know",
    "node": "is no program of Debian's own",
    "python3": "is no program of Debian's own",
}
ENDS_WELL = {"bzless", "expr", "less", "xxd", "xzless", "zless", "zmore"}
UNKNOWN = ("--no-such-option", "-\x01")


@cache
def _workspace() -> Workspace:
    return Workspace.memory()


def ours(words: Sequence[str]) -> tuple[int, bytes]:
    done = run_command(_workspace(), words)
    return done.exit_code, (done.stderr or done.stdout).split(b"\n")[0]


def real(words: Sequence[str]) -> tuple[int, bytes]:
    done = subprocess.run(
        [real_tool(words[0]), *words[1:]],
        executable=real_tool(words[0]),
        stdin=subprocess.DEVNULL,
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    said = (done.stderr or done.stdout).split(b"\n")[0]
    return done.returncode, said.replace(b"/usr/bin/", b"").replace(b"/bin/", b"")


# To some such words are no options: `expr` prints them, `xxd` reads a long one as `-n`. And
# pagers say what is wrong, and end well.
@pytest.mark.parametrize("name", sorted({*commands.names()} - ENDS_WELL))
def test_an_unknown_option_is_never_ignored(name: str) -> None:
    for word in UNKNOWN:
        status, said = ours([name, word])
        assert status
        assert said or name == "zip"


REAL = [name for name in commands.names() if shutil.which(name, path="/usr/bin:/bin") is not None]


@pytest.mark.parametrize("name", [name for name in REAL if name not in OTHERWISE])
def test_it_is_refused_as_the_real_command_refuses_it(name: str) -> None:
    # Of what follows, as usage, each program has its own; the first line says what is wrong.
    # What is no letter is no option for jq, and one of less' own for less.
    for word in UNKNOWN[: 1 if name in ("jq", "less", "xzless", "zless") else 2]:
        assert ours([name, word]) == real([name, word])


@pytest.mark.parametrize(
    "words",
    ["ls -Q9 --sort", "sort --k", "grep -A", "cut", "gzip -q --fast=3", "diff a", "which"],
)
def test_other_mistakes_have_the_same_words(words: str) -> None:
    assert ours(words.split())[0] == real(words.split())[0]
