"""`diff`: two files, or two trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput
from vshell.shell.commands.diffing.differ import Differ
from vshell.shell.commands.diffing.settings import switches
from vshell.shell.options import help_text, parse, version_text


def run_diff(call: Invocation) -> int:
    words = call.operands
    parsed = parse(_DIFF, words, call.environment)
    shown = parsed.last("help", "version")
    if shown is not None:
        call.write((help_text if shown == "help" else version_text)(_DIFF))
        return 0
    call = replace(call, parsed=parsed)
    operands = list(parsed.operands)
    anchor = parsed.value("from-file") or parsed.value("to-file")
    if anchor is None:
        if len(operands) < 2:
            if operands:
                raise UsageError(f"missing operand after '{operands[0]}'")
            raise UsageError("missing operand after 'diff'")
        if len(operands) > 2:
            raise UsageError(f"extra operand '{operands[2]}'")
        pairs = [(operands[0], operands[1])]
    elif parsed.flag("from-file"):
        pairs = [(anchor, each) for each in operands]
    else:
        pairs = [(each, anchor) for each in operands]
    status = 0
    with BufferedOutput(call.stdout) as out:
        differ = Differ(call, out, switches(words, parsed.operands))
        for old, new in pairs:
            status = max(status, differ.run(old, new))
    return status


_OPTIONS: Final = (
    Option(("--normal",), "Output a normal diff (the default)."),
    Option(("-q", "--brief"), "Report only when files differ."),
    Option(("-s", "--report-identical-files"), "Report when two files are the same."),
    Option(("-c",), "Output 3 lines of copied context."),
    Option(("-C",), "Output NUM lines of copied context.", "NUM"),
    Option(("--context",), "Output NUM (default 3) lines of copied context.", "NUM", optional=True),
    Option(("-u",), "Output 3 lines of unified context."),
    Option(("-U",), "Output NUM lines of unified context.", "NUM"),
    Option(
        ("--unified",), "Output NUM (default 3) lines of unified context.", "NUM", optional=True
    ),
    Option(("-e", "--ed"), "Output an ed script."),
    Option(("-f", "--forward-ed"), "Output an ed script in forward order, for no ed."),
    Option(("-n", "--rcs"), "Output an RCS format diff."),
    Option(("-y", "--side-by-side"), "Output in two columns."),
    Option(("-W", "--width"), "Output at most NUM (default 130) print columns.", "NUM"),
    Option(("--left-column",), "Output only the left column of common lines."),
    Option(("--suppress-common-lines",), "Do not output common lines."),
    Option(("-p", "--show-c-function"), "Show which C function each change is in."),
    Option(("-F", "--show-function-line"), "Show the most recent line matching RE.", "RE"),
    Option(("-L", "--label"), "Use LABEL instead of file name and timestamp.", "LABEL"),
    Option(("-t", "--expand-tabs"), "Expand tabs to spaces in output."),
    Option(("-T", "--initial-tab"), "Make tabs line up by prepending a tab."),
    Option(("--tabsize",), "Tab stops every NUM (default 8) print columns.", "NUM"),
    Option(("--suppress-blank-empty",), "Suppress space or tab before empty output lines."),
    Option(("-r", "--recursive"), "Recursively compare any subdirectories found."),
    Option(("--no-dereference",), "Don't follow symbolic links."),
    Option(("-N", "--new-file"), "Treat absent files as empty."),
    Option(("-P", "--unidirectional-new-file"), "Treat absent first files as empty."),
    Option(("-x", "--exclude"), "Exclude files that match PAT.", "PAT"),
    Option(("-X", "--exclude-from"), "Exclude files that match any pattern in FILE.", "FILE"),
    Option(("-S", "--starting-file"), "Start with FILE when comparing directories.", "FILE"),
    Option(("--from-file",), "Compare FILE1 to all operands.", "FILE1"),
    Option(("--to-file",), "Compare all operands to FILE2.", "FILE2"),
    Option(("-i", "--ignore-case"), "Ignore case differences in file contents."),
    Option(("-E", "--ignore-tab-expansion"), "Ignore changes due to tab expansion."),
    Option(("-Z", "--ignore-trailing-space"), "Ignore white space at line end."),
    Option(("-b", "--ignore-space-change"), "Ignore changes in the amount of white space."),
    Option(("-w", "--ignore-all-space"), "Ignore all white space."),
    Option(("-B", "--ignore-blank-lines"), "Ignore changes where lines are all blank."),
    Option(("-I", "--ignore-matching-lines"), "Ignore changes where all lines match RE.", "RE"),
    Option(("-a", "--text"), "Treat all files as text."),
    Option(("--strip-trailing-cr",), "Strip trailing carriage return on input."),
    Option(("-D", "--ifdef"), "Output merged file with '#ifdef NAME' diffs.", "NAME"),
    Option(("-d", "--minimal"), "Try hard to find a smaller set of changes; always done."),
    Option(("--horizon-lines",), "Accepted; has no effect.", "NUM"),
    Option(("--speed-large-files",), "Accepted; has no effect."),
    Option(("-H",), "Accepted; has no effect."),
    Option(("--color",), "Color output: never, always or auto.", "WHEN", optional=True),
    *(Option((f"-{digit}",), "") for digit in range(10)),
)

_DIFF: Final = Command(
    "diff",
    "[OPTION]... FILES",
    "Compare FILES line by line.",
    run_diff,
    options=_OPTIONS,
    raw=True,
    usage_status=2,
)
COMMANDS: Final = (_DIFF,)
