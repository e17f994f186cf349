"""`less` and `more`, and those of compressed files: what they do when nobody looks on.

Where output is no terminal, a pager copies its files, whatever it is told about the screen.
"""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, Run
from vshell.shell.command_io import BufferedOutput, open_input, pieces
from vshell.shell.compression import BadStreamError, decompressed, format_of
from vshell.shell.messages import reason

_LESS_FLAGS: Final = (
    *("aABcCdeEfFgGiIJKLmMnNqQrRsSuUVwWX~", "quit-at-eof", "RAW-CONTROL-CHARS"),
    *("chop-long-lines", "LINE-NUMBERS", "quit-if-one-screen", "no-init", "ignore-case"),
    *("IGNORE-CASE", "raw-control-chars", "squeeze-blank-lines", "line-numbers", "silent"),
)
_LESS_VALUES: Final = 'bDhjkoOpPtTxyz#"'
_MORE_FLAGS: Final = "dfelpcsu"


def run_less(call: Invocation) -> int:
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                _copy(call, name, out)
            except VshellError as error:
                # To the screen, as it were; and it ends well.
                out.write(f"{name}: {reason(error)}\n".encode("utf-8", "surrogateescape"))
    return 0


def run_more(call: Invocation) -> int:
    titled = len(call.operands) > 1
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                source = open_input(call, name)
            except VshellError as error:
                out.flush()
                call.complain(f"cannot open {name}: {reason(error)}")
                continue
            if titled:
                out.write(f"::::::::::::::\n{name}\n::::::::::::::\n".encode())
            for piece in pieces(source):
                out.write(piece)
    return 0


def _copy(call: Invocation, name: str, out: BufferedOutput) -> None:
    if name.startswith("+"):
        return  # a command for the screen
    source = open_input(call, name)
    if call.name == "less":
        for piece in pieces(source):
            out.write(piece)
        return
    data = source.read()
    form = format_of(data)
    try:
        for piece in [data] if form is None else decompressed(iter([data]), form):
            out.write(piece)
    except BadStreamError as error:
        out.flush()
        call.complain(f"{name}: {error}")


def _pager(name: str, run: Run, *aliases: str) -> Command:
    letters, *words = _LESS_FLAGS
    return Command(
        name,
        "[OPTION]... [FILE]...",
        "Show files; where the output is no terminal, copy them.",
        run,
        options=(
            *(Option((f"-{letter}",), "") for letter in letters),
            *(Option((f"--{word}",), "") for word in words),
            *(Option((f"-{letter}",), "", "VALUE") for letter in _LESS_VALUES),
        ),
        aliases=aliases,
        usage_status=0,
        description="What its options say of the screen is taken and has no effect.",
    )


COMMANDS: Final = (
    _pager("less", run_less),
    _pager("zless", run_less, "bzless", "xzless", "zmore"),
    Command(
        "more",
        "[OPTION]... FILE...",
        "Show files; where the output is no terminal, copy them.",
        run_more,
        options=(
            *(Option((f"-{letter}",), "") for letter in _MORE_FLAGS),
            Option(("-n", "--lines"), "Accepted.", "NUMBER"),
        ),
    ),
)
