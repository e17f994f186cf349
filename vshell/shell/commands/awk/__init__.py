"""`awk`: a language for records and their fields, of our own.

A program goes through `lexer` and `parser` to the trees of `syntax`; `facts` finds out what
can be known before it runs; `compiler` makes a code object of Python from the checked tree,
through nodes of Python's own syntax tree and never through text; `runtime` is what that
code runs in: `record`, `reading` and `inputs` are what it reads, `writing` and `streams`
what it writes, `library` its functions.
"""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Option
from vshell.shell.commands.awk.command import run

COMMANDS: Final = (
    Command(
        "awk",
        "[-F fs] [-v var=value] [-f progfile | 'prog'] [file ...]",
        "Scan files for patterns, and process their records and fields.",
        run,
        options=(
            Option(("-F", "--field-separator"), "The value of FS.", "fs"),
            Option(("-v", "--assign"), "Give a variable a value before the program.", "var=value"),
            Option(("-f", "--file"), "Read the program from a file.", "progfile"),
            Option(("-e", "--source"), "A part of the program.", "program-text"),
            Option(("-i", "--include"), "`inplace` edits the files in place.", "inplace"),
            Option(("-b", "--characters-as-bytes"), "Accepted; characters stay characters."),
            Option(("-S", "--sandbox"), "Accepted; the workspace is one."),
        ),
        aliases=("gawk", "mawk", "nawk"),
        raw=True,
        tells_itself=True,
        usage_status=2,
    ),
)
