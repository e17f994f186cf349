"""`sed`: lines, edited by a script."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_text
from vshell.shell.commands.sed.in_place import edit_files
from vshell.shell.commands.sed.machine import Machine
from vshell.shell.commands.sed.parser import SedParser, join_expressions
from vshell.shell.commands.sed.script import SedCommand, SedError
from vshell.shell.commands.sed.streams import Lines, Printer
from vshell.shell.messages import reason


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    operands = list(call.operands)
    try:
        commands, quiet = _script(call, operands)
    except SedError as error:
        raise Failure(str(error), error.status) from None
    width = parsed.value("line-length")
    if width is not None and not width.isdigit():
        raise UsageError(f"invalid line length: {width}")
    end = b"\0" if parsed.flag("null-data") else b"\n"
    machine = Machine(
        call,
        commands,
        quiet=quiet or parsed.flag("quiet") or parsed.flag("silent"),
        end=end,
        width=int(width[:9]) if width else 70,
        posix=parsed.flag("posix"),
    )
    if parsed.flag("in-place"):
        return edit_files(call, machine, operands, end)
    status = 0
    with BufferedOutput(call.stdout) as out:
        printer = Printer(out, end)
        groups = [[name] for name in operands] if parsed.flag("separate") else [operands]
        for names in groups or [[]]:
            lines = Lines(call, names or ["-"], end)
            machine.restart_lines()
            code = machine.run(lines, printer)
            status = 2 if lines.failed else status
            if code is not None:
                status = code or status
                break
    machine.finish()
    return status


def _script(call: Invocation, operands: list[str]) -> tuple[list[SedCommand], bool]:
    parsed = call.parsed
    parser = SedParser(
        extended=parsed.flag("regexp-extended") or parsed.flag("E"),
        posix=parsed.flag("posix"),
        sandbox=parsed.flag("sandbox"),
    )
    given = [(name, value or "") for name, value in parsed.given if name in ("expression", "file")]
    if not given:
        if not operands:
            raise UsageError("no script specified")
        given = [("expression", operands.pop(0))]
    quiet = False
    number = 0
    waiting: list[str] = []
    for index, (name, value) in enumerate(given):
        if name == "expression":
            waiting.append(value)
            number += 1
            follows = index + 1 < len(given) and given[index + 1][0] == "expression"
            if follows and _is_open(value):
                continue
            text = join_expressions(waiting)
            waiting.clear()
            where = f"-e expression #{number}"
        else:
            text = _script_file(call, value)
            where = f"file {value}"
        if index == 0 and text.startswith("#n"):
            quiet = True
        parser.parse(text, where, by_line=name == "file")
    return parser.finish(), quiet


def _is_open(text: str) -> bool:
    """Whether a script ends in a backslash, so that the next one goes on with it."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _script_file(call: Invocation, name: str) -> str:
    try:
        text = to_text(read_all(call, name))
    except VshellError as error:
        raise Failure(f"couldn't open file {name}: {reason(error)}") from None
    if text.startswith("#!"):
        text = "\n" + text.partition("\n")[2]
    return text


COMMANDS: Final = (
    Command(
        "sed",
        "[OPTION]... {script-only-if-no-other-script} [input-file]...",
        "Edit lines by a script.",
        run,
        options=(
            Option(("-n", "--quiet"), "Suppress automatic printing of pattern space."),
            Option(("--silent",), "The same."),
            Option(("-e", "--expression"), "Add the script to the commands.", "script"),
            Option(("-f", "--file"), "Add the contents of script-file.", "script-file"),
            Option(("-E", "-r", "--regexp-extended"), "Use extended regular expressions."),
            Option(("--follow-symlinks",), "Follow symlinks when processing in place."),
            Option(
                ("-i", "--in-place"),
                "Edit files in place; back up with SUFFIX.",
                "SUFFIX",
                optional=True,
            ),
            Option(("-l", "--line-length"), "Line-wrap length for the `l' command.", "N"),
            Option(("--posix",), "Disable GNU extensions."),
            Option(("-s", "--separate"), "Consider files as separate."),
            Option(("--sandbox",), "Refuse the e/r/w commands."),
            Option(("-u", "--unbuffered"), "Accepted."),
            Option(("-z", "--null-data"), "Separate lines by NUL characters."),
            Option(("--binary", "-b"), ""),
        ),
    ),
)
