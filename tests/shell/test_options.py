from __future__ import annotations

import re
import subprocess

import pytest

from tests.shell.run_command import run_command
from vshell import Workspace
from vshell.shell import commands
from vshell.shell.command import Command, Option, Parsed, UsageError
from vshell.shell.messages import quote, quote_if_needed, quote_typographic
from vshell.shell.options import help_text, parse

LS = Command(
    "ls",
    "[OPTION]... [FILE]...",
    "List.",
    lambda call: 0,
    options=(
        Option(("-a", "--all"), "All."),
        Option(("-l",), "Long."),
        Option(("-w", "--width"), "Width.", "COLS"),
        Option(("--color",), "Colour.", "WHEN", optional=True),
        Option(("-s", "--size"), "Size."),
        Option(("--si",), "SI."),
        Option(("--sort",), "Sort.", "WORD"),
    ),
)


def test_options_bundle_take_values_and_follow_operands() -> None:
    parsed = parse(LS, ["x", "-alw3", "--col", "--wid", "4", "--color=on", "-w", "5", "--", "-l"])
    assert parsed == Parsed(
        (
            ("all", None),
            ("l", None),
            ("width", "3"),
            ("color", None),
            ("width", "4"),
            ("color", "on"),
            ("width", "5"),
        ),
        ("x", "-l"),
    )


def test_posixly_correct_ends_the_options_at_the_first_operand() -> None:
    assert parse(LS, ["-a", "x", "-l"], {"POSIXLY_CORRECT": "1"}).operands == ("x", "-l")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-Q?"], "invalid option -- 'Q'"),
        (["--foo"], "unrecognized option '--foo'"),
        (["--all=3"], "option '--all' doesn't allow an argument"),
        (["-w"], "option requires an argument -- 'w'"),
        (["--wi"], "option '--width' requires an argument"),
        (["--s"], "option '--s' is ambiguous; possibilities: '--size' '--si' '--sort'"),
    ],
)
def test_wrong_options_are_refused_in_the_words_of_getopt(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(message) + "$"):
        parse(LS, words)


def test_help_shows_every_option() -> None:
    text = help_text(LS)
    for option in LS.options:
        assert all(flag in text for flag in option.flags)
    assert text.startswith("Usage: ls [OPTION]... [FILE]...\nList.\n")


def test_every_command_of_the_table_is_there_and_documented() -> None:
    for name in commands.names():
        command = commands.find(name)
        assert command is not None, name
        assert name == command.name or name in command.aliases
        assert command.summary.endswith("."), name
        with Workspace.memory() as workspace:
            shown = run_command(workspace, [name, "--help"])
            assert shown.exit_code == 0
            assert shown.stdout.startswith(b"Usage: ")


NAMES = ["x", "a b", "it's", 'a"b', "x'y\"z", "a\nb", "t\ty", "é", "~a", "a~", "#a", "a#b", "a=b"]
NAMES += [
    "{",
    "a{b",
    "]",
    "%",
    "@",
    "a:b",
    "a!b",
    "^",
    "it's $",
    "a\udcffb",
    "\x01",
    "'",
    "''",
    ",",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_quoted_as_the_real_tools_do(name: str) -> None:
    for words, quoting in ((["cat"], quote_if_needed), (["ls", "-d"], quote)):
        real = subprocess.run(
            [*words, f"/nothing/{name}"[9 if words[0] == "cat" else 0 :]],
            capture_output=True,
            cwd="/proc/self/fdinfo",
            env={"LC_ALL": "C.UTF-8"},
            check=False,
        ).stderr.decode("utf-8", "surrogateescape")
        shown = quoting(name) if words[0] == "cat" else quote(f"/nothing/{name}")
        assert shown in real


def test_text_is_quoted_typographically() -> None:
    assert quote_typographic("a’b\n\\") == "‘a\\’b\\n\\\\’"
