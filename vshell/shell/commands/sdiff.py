"""`sdiff`: two files side by side, which `diff` does."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.options import invoke

_PASSED_ON: Final = (
    Option(("-i", "--ignore-case"), "Consider upper- and lower-case to be the same."),
    Option(("-E", "--ignore-tab-expansion"), "Ignore changes due to tab expansion."),
    Option(("-Z", "--ignore-trailing-space"), "Ignore white space at line end."),
    Option(("-b", "--ignore-space-change"), "Ignore changes in the amount of white space."),
    Option(("-W", "--ignore-all-space"), "Ignore all white space."),
    Option(("-B", "--ignore-blank-lines"), "Ignore changes whose lines are all blank."),
    Option(("-I", "--ignore-matching-lines"), "Ignore changes all whose lines match RE.", "RE"),
    Option(("--strip-trailing-cr",), "Strip trailing carriage return on input."),
    Option(("-a", "--text"), "Treat all files as text."),
    Option(("-w", "--width"), "Output at most NUM print columns.", "NUM"),
    Option(("-l", "--left-column"), "Output only the left column of common lines."),
    Option(("-s", "--suppress-common-lines"), "Do not output common lines."),
    Option(("-t", "--expand-tabs"), "Expand tabs to spaces in output."),
    Option(("--tabsize",), "Tab stops at every NUM print columns.", "NUM"),
    Option(("-d", "--minimal"), "Try hard to find a smaller set of changes."),
    Option(("-H", "--speed-large-files"), "Assume large files, many scattered small changes."),
)
_TROUBLE: Final = 2


def run_sdiff(call: Invocation) -> int:
    from vshell.shell.commands import find

    operands = call.operands
    if len(operands) < 2:
        raise UsageError(f"missing operand after '{operands[-1] if operands else 'sdiff'}'")
    if len(operands) > 2:
        raise UsageError(f"extra operand '{operands[2]}'")
    if call.parsed.flag("output"):
        raise UsageError("merging by hand needs a terminal, which there is none here", hint=False)
    diff = find("diff")
    assert diff is not None
    words = ["--side-by-side"]
    for name, value in call.parsed.given:
        words.append(f"--{name}" if value is None else f"--{name}={value}")
    return invoke(diff, replace(call, name="diff", parsed=Parsed((), (*words, "--", *operands))))


COMMANDS: Final = (
    Command(
        "sdiff",
        "[OPTION]... FILE1 FILE2",
        "Side-by-side merge of differences between FILE1 and FILE2.",
        run_sdiff,
        options=(
            *_PASSED_ON,
            Option(("-o", "--output"), "Merge by hand into FILE: not possible here.", "FILE"),
        ),
        usage_status=_TROUBLE,
    ),
)
