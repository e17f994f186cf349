"""`sed`: lines edited by a script."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_text
from vshell.shell.commands.sed_run import Lines, Machine, Printer
from vshell.shell.commands.sed_script import SedCommand, SedError, SedParser, join_expressions
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
        return _edit_files(call, machine, operands, end)
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


# Files edited in place.


def _edit_files(call: Invocation, machine: Machine, names: Sequence[str], end: bytes) -> int:
    if not names:
        raise Failure("no input files", 4)
    status = 0
    for name in names:
        lines = _lines_of(call, name, end)
        if lines is None:
            status = 4
            continue
        if lines.failed:
            status = status or 2
            continue
        out = io.BytesIO()
        machine.restart_lines()
        code = machine.run(lines, Printer(out, end))
        _replace(call, name, out.getvalue())
        if code is not None:
            status = code or status
            break
    machine.finish()
    return status


def _lines_of(call: Invocation, name: str, end: bytes) -> Lines | None:
    files = call.context.files
    path = call.context.resolve(name)
    if files.exists(path) and files.stat(path).kind != "file":
        call.complain(f"couldn't edit {name}: not a regular file")
        return None
    call.context.require_seen(path)  # before it is read here, which shows nobody what it holds
    lines = Lines(call, [name], end)
    # Opened now, so that a missing file is known before anything is written.
    _ = lines.is_last
    return lines


def _replace(call: Invocation, name: str, data: bytes) -> None:
    """Give the file its new content, as a new file when it has other names or is a link."""
    context, parsed = call.context, call.parsed
    files = context.files
    path = context.resolve(name)
    try:
        if parsed.flag("follow-symlinks"):
            path = files.realpath(path)
        with context.changing("sed"):
            context.require_seen(path)
            suffix = parsed.value("in-place")
            stat = files.stat(path)
            if suffix:
                _back_up(call, name, suffix, stat.mode)
            itself = files.stat(path, follow=False)
            if itself.kind == "symlink" or itself.nlink > 1:
                files.unlink(path)
            written = files.write(path, data, mode=stat.mode)
            context.note_read(path, written.after.hex())
    except VshellError as error:
        raise Failure(f"couldn't edit {name}: {reason(error)}", 4) from None


def _back_up(call: Invocation, name: str, suffix: str, mode: int) -> None:
    context = call.context
    backup = context.resolve(_backup_name(name, suffix))
    try:
        context.files.write(backup, context.files.read(context.resolve(name)), mode=mode)
    except VshellError as error:
        raise Failure(f"cannot rename {name}: {reason(error)}", 4) from None


def _backup_name(name: str, suffix: str) -> str:
    directory, slash, base = name.rpartition("/")
    if "*" not in suffix:
        return f"{name}{suffix}"
    backup = suffix.replace("*", base)
    return backup if "/" in backup else f"{directory}{slash}{backup}"


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
