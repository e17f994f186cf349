"""`touch` and `truncate`: times and sizes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from vshell.errors import NotDirectoryError, NotFoundError, VshellError
from vshell.shell.choices import choose
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import parse_size
from vshell.shell.dates import BadDateError, parse_date
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.nodes import node_at
from vshell.shell.timeformat import zone_of

_STAMP: Final = re.compile(r"(?:(\d\d)?(\d\d))?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?")
_TIMES: Final = {
    "atime": "atime",
    "access": "atime",
    "use": "atime",
    "mtime": "mtime",
    "modify": "mtime",
}
_NS: Final = 1_000_000_000


def run_touch(call: Invocation) -> int:
    time_ns = _time(call)
    if not call.operands:
        raise UsageError("missing file operand")
    parsed = call.parsed
    word = parsed.value("time")
    which = choose("--time", word, _TIMES) if word is not None else ""
    only_access = (parsed.flag("a") or which == "atime") and not (
        parsed.flag("m") or which == "mtime"
    )
    status = 0
    with call.context.changing(call.name):
        for operand in call.operands:
            try:
                with call.context.changing(call.name):
                    _touch(call, operand, time_ns, only_access=only_access)
            except VshellError as error:
                call.complain(f"{_what(call, operand, error)}: {reason(error)}")
                status = 1
    return status


def _what(call: Invocation, operand: str, error: VshellError) -> str:
    not_made = operand.endswith("/") or call.parsed.flag("no-dereference")
    doing = "setting times of" if not_made and error.code == "not_found" else "cannot touch"
    return f"{doing} {quote(operand)}"


def _touch(call: Invocation, operand: str, time_ns: int | None, *, only_access: bool) -> None:
    if operand == "-":
        return  # standard output has no times of ours
    files = call.context.files
    path = call.context.resolve(operand)
    follow = not call.parsed.flag("no-dereference")
    try:
        node_at(call, operand, follow=follow)
    except NotFoundError:
        if call.parsed.flag("no-create"):
            return
        if not follow or operand.endswith("/"):
            raise
        files.write(path, b"")
        if time_ns is None or only_access:
            return
    # A workspace keeps no time of the last access.
    if not only_access:
        files.utime(path, files.store.now() if time_ns is None else time_ns, follow=follow)


def _time(call: Invocation) -> int | None:
    """Return the time that is asked for; None is now."""
    parsed = call.parsed
    sources = [name for name in ("date", "t", "reference") if parsed.flag(name)]
    if len(sources) > 1 and sources != ["date", "reference"]:
        raise UsageError("cannot specify times from more than one source")
    now_ns = call.context.files.store.now()
    zone = zone_of(call.environment)
    reference = parsed.value("reference")
    if reference is not None:
        try:
            now_ns = node_at(call, reference, follow=not parsed.flag("no-dereference")).mtime_ns
        except VshellError as error:
            message = f"failed to get attributes of {quote(reference)}: {reason(error)}"
            raise UsageError(message, hint=False) from None
    text = parsed.value("date")
    if text is not None:
        try:
            return parse_date(text, now_ns, zone)
        except BadDateError:
            message = f"invalid date format {quote_typographic(text)}"
            raise UsageError(message, hint=False) from None
    stamp = parsed.value("t")
    if stamp is not None:
        return _stamp(stamp, now_ns, call)
    return now_ns if reference is not None else None


def _stamp(text: str, now_ns: int, call: Invocation) -> int:
    found = _STAMP.fullmatch(text)
    zone = zone_of(call.environment)
    try:
        if found is None:
            raise ValueError(text)
        century, year, month, day, hour, minute, second = found.groups()
        if year is None:
            whole = datetime.fromtimestamp(now_ns // _NS, zone).year
        elif century is None:
            whole = int(year) + (2000 if int(year) < 69 else 1900)
        else:
            whole = int(century + year)
        when = datetime(
            whole, int(month), int(day), int(hour), int(minute), min(int(second or 0), 59),
            tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        message = f"invalid date format {quote_typographic(text)}"
        raise UsageError(message, hint=False) from None
    return (int(when.timestamp()) + (1 if second == "60" else 0)) * _NS


def run_truncate(call: Invocation) -> int:
    parsed = call.parsed
    text, reference = parsed.value("size"), parsed.value("reference")
    if text is None and reference is None:
        raise UsageError("you must specify either ‘--size’ or ‘--reference’")
    operator, size = _size(text) if text is not None else ("", 0)
    if text is not None and reference is not None and not operator:
        raise UsageError("you must specify a relative ‘--size’ with ‘--reference’")
    if parsed.flag("io-blocks") and text is None:
        raise UsageError("‘--io-blocks’ was specified but ‘--size’ was not")
    if not call.operands:
        raise UsageError("missing file operand")
    base: int | None = None
    if reference is not None:
        try:
            base = node_at(call, reference, follow=True).size
        except VshellError as error:
            call.complain(f"cannot stat {quote(reference)}: {reason(error)}")
            return 1
        operator, size = (operator, size) if text is not None else ("+", 0)
    if parsed.flag("io-blocks"):
        size *= 4096
    status = 0
    with call.context.changing(call.name):
        for operand in call.operands:
            status |= _truncate(call, operand, operator, size, base)
    return status


def _size(text: str) -> tuple[str, int]:
    stripped = text.lstrip()
    operator = stripped[:1] if stripped[:1] in tuple("+-<>/%") else ""
    number = parse_size(stripped[len(operator) :])
    if number is None or (operator and not stripped[len(operator) :][:1].isdigit()):
        raise UsageError(f"Invalid number: {quote_typographic(text)}", hint=False)
    if operator in ("/", "%") and not number:
        raise UsageError("division by zero", hint=False)
    return operator, number


def _truncate(call: Invocation, operand: str, operator: str, size: int, base: int | None) -> int:
    files = call.context.files
    path = call.context.resolve(operand)
    try:
        with call.context.changing(call.name):
            if not files.exists(path):
                if call.parsed.flag("no-create"):
                    return 0
                if operand.endswith("/"):
                    raise NotDirectoryError(f"not a directory: {path}", path=path)
                files.write(path, b"")
            current = files.stat(path).size if base is None else base
            call.context.require_seen(path)
            files.truncate(path, _new_size(operator, size, current))
    except VshellError as error:
        call.complain(f"cannot open {quote(operand)} for writing: {reason(error)}")
        return 1
    return 0


def _new_size(operator: str, size: int, current: int) -> int:
    return {
        "": lambda: size,
        "+": lambda: current + size,
        "-": lambda: max(0, current - size),
        "<": lambda: min(current, size),
        ">": lambda: max(current, size),
        "/": lambda: current // size * size,
        "%": lambda: -(-current // size) * size,
    }[operator]()


COMMANDS: Final = (
    Command(
        "touch",
        "[OPTION]... FILE...",
        "Update the modification times of each FILE to the current time.",
        run_touch,
        options=(
            Option(("-a",), "Change only the access time, which a workspace does not keep."),
            Option(("-c", "--no-create"), "Do not create any files."),
            Option(("-d", "--date"), "Parse STRING and use it instead of current time.", "STRING"),
            Option(("-f",), "(ignored)"),
            Option(("-h", "--no-dereference"), "Affect links instead of what they lead to."),
            Option(("-m",), "Change only the modification time."),
            Option(("-r", "--reference"), "Use this file's times instead of current time.", "FILE"),
            Option(("-t",), "Use [[CC]YY]MMDDhhmm[.ss] instead of current time.", "STAMP"),
            Option(
                ("--time",), "Change the time: access or use (-a), modify or mtime (-m).", "WORD"
            ),
        ),
    ),
    Command(
        "truncate",
        "OPTION... FILE...",
        "Shrink or extend the size of each FILE to the specified size.",
        run_truncate,
        options=(
            Option(("-c", "--no-create"), "Do not create any files."),
            Option(("-o", "--io-blocks"), "Treat SIZE as number of IO blocks."),
            Option(("-r", "--reference"), "Base size on RFILE.", "RFILE"),
            Option(("-s", "--size"), "Set or adjust the file size by SIZE bytes.", "SIZE"),
        ),
    ),
)
