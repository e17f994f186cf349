"""Files edited in place: `sed -i`."""

from __future__ import annotations

import io
from collections.abc import Sequence

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import Failure
from vshell.shell.commands.sed.machine import Machine
from vshell.shell.commands.sed.streams import Lines, Printer
from vshell.shell.messages import reason

# Files edited in place.


def edit_files(call: Invocation, machine: Machine, names: Sequence[str], end: bytes) -> int:
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
