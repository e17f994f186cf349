"""`pr`: files in pages and columns, for printing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput
from vshell.shell.commands.pr.pages import Printer
from vshell.shell.commands.pr.settings import read_settings, with_operands_as_options
from vshell.shell.options import help_text, parse, version_text


def run_pr(call: Invocation) -> int:
    words = with_operands_as_options(call.operands)
    parsed = parse(_PR, words, call.environment)
    shown = parsed.last("help", "version")
    if shown is not None:
        call.write((help_text if shown == "help" else version_text)(_PR))
        return 0
    call = replace(call, parsed=parsed)
    settings = read_settings(parsed)
    with BufferedOutput(call.stdout) as out:
        return Printer(call, settings, out).run(list(parsed.operands))


_PR: Final = Command(
    "pr",
    "[OPTION]... [FILE]...",
    "Paginate or columnate FILE(s) for printing.",
    run_pr,
    options=(
        *(Option((f"-{digit}",), "") for digit in range(10)),
        Option(("--pages",), "Begin and stop printing with these pages.", "FIRST[:LAST]"),
        Option(("--columns",), "Output COLUMN columns and print columns down.", "COLUMN"),
        Option(("-a", "--across"), "Print columns across rather than down."),
        Option(("-c", "--show-control-chars"), "Use hat notation and octal backslash notation."),
        Option(("-d", "--double-space"), "Double space the output."),
        Option(("-D", "--date-format"), "Use FORMAT for the header date.", "FORMAT"),
        Option(("-e", "--expand-tabs"), "Expand input CHARs to tab WIDTH.", "CHAR[WIDTH]", True),
        Option(("-f", "-F", "--form-feed"), "Use form feeds to separate pages."),
        Option(("-h", "--header"), "Use a centered HEADER instead of filename.", "HEADER"),
        Option(("-i", "--output-tabs"), "Replace spaces with CHARs.", "CHAR[WIDTH]", True),
        Option(("-J", "--join-lines"), "Merge full lines, no column alignment."),
        Option(("-l", "--length"), "Set the page length to PAGE_LENGTH lines.", "PAGE_LENGTH"),
        Option(("-m", "--merge"), "Print all files in parallel, one in each column."),
        Option(("-n", "--number-lines"), "Number lines.", "SEP[DIGITS]", True),
        Option(("-N", "--first-line-number"), "Start counting with NUMBER.", "NUMBER"),
        Option(("-o", "--indent"), "Offset each line with MARGIN spaces.", "MARGIN"),
        Option(("-r", "--no-file-warnings"), "Omit warning when a file cannot be opened."),
        Option(("-s", "--separator"), "Separate columns by a single character.", "CHAR", True),
        Option(("-S", "--sep-string"), "Separate columns by STRING.", "STRING", True),
        Option(("-t", "--omit-header"), "Omit page headers and trailers."),
        Option(("-T", "--omit-pagination"), "The same, and form feeds in input files."),
        Option(("-v", "--show-nonprinting"), "Use octal backslash notation."),
        Option(("-w", "--width"), "Set page width of several columns.", "PAGE_WIDTH"),
        Option(("-W", "--page-width"), "Set page width always, truncate lines.", "PAGE_WIDTH"),
    ),
    raw=True,
    tells_itself=True,
)

COMMANDS: Final = (_PR,)
