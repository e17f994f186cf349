"""`date`: the time, or another one, in any format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import Failure, failing, records, require_input, to_text
from vshell.shell.dates import BadDateError, parse_date
from vshell.shell.messages import quote_if_needed, quote_typographic, reason
from vshell.shell.timeformat import format_time, moment, zone_of

_DEFAULT: Final = "%a %b %e %H:%M:%S %Z %Y"
_ISO: Final = {
    "hours": "%Y-%m-%dT%H%:z",
    "minutes": "%Y-%m-%dT%H:%M%:z",
    "date": "%Y-%m-%d",
    "seconds": "%Y-%m-%dT%H:%M:%S%:z",
    "ns": "%Y-%m-%dT%H:%M:%S,%N%:z",
}
_RFC_3339: Final = {
    "date": "%Y-%m-%d",
    "seconds": "%Y-%m-%d %H:%M:%S%:z",
    "ns": "%Y-%m-%d %H:%M:%S.%N%:z",
}
_SOURCES: Final = ("date", "file", "reference", "resolution")
_SET: Final = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(?:(\d{2})?(\d{2}))?(?:\.(\d{2}))?")


def _choice(word: str | None, choices: dict[str, str], option: str) -> str:
    if word is None:
        return choices["date"]
    fitting = [name for name in choices if name.startswith(word)]
    if word in choices:
        fitting = [word]
    if len(fitting) != 1:
        shown = "\n".join(f"  - {quote_typographic(name)}" for name in choices)
        kind = "ambiguous" if fitting else "invalid"
        raise UsageError(
            f"{kind} argument {quote_typographic(word)} for {quote_typographic(option)}\n"
            f"Valid arguments are:\n{shown}"
        )
    return choices[fitting[0]]


def _pattern(call: Invocation) -> tuple[str, str | None]:
    """Return the format, and a time to be set."""
    parsed = call.parsed
    patterns: list[str] = []
    for name, value in parsed.given:
        if name == "iso-8601":
            patterns.append(_choice(value, _ISO, "--iso-8601"))
        elif name == "rfc-3339":
            patterns.append(_choice(value, _RFC_3339, "--rfc-3339"))
        elif name in ("rfc-email", "rfc-2822", "rfc-822"):
            patterns.append("%a, %d %b %Y %H:%M:%S %z")
    setting = parsed.value("set")
    operands = list(call.operands)
    if len(operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(operands[1])}")
    for operand in operands:
        if operand.startswith("+"):
            patterns.append(operand[1:])
        elif any(parsed.flag(name) for name in (*_SOURCES, "set")):
            raise UsageError(
                f"the argument {quote_typographic(operand)} lacks a leading '+';\n"
                "when using an option to specify date(s), any non-option\n"
                "argument must be a format string beginning with '+'"
            )
        else:
            setting = operand
    if len(patterns) > 1:
        raise Failure("multiple output formats specified")
    return (patterns[0] if patterns else _DEFAULT), setting


def _times(call: Invocation, where: tzinfo) -> Iterator[int | str]:
    """Yield the times to print; a text is one that was no date."""
    parsed = call.parsed
    now = call.context.files.store.now()
    if parsed.flag("reference"):
        yield _reference(call, parsed.value("reference") or "")
        return
    if parsed.flag("file"):
        name = parsed.value("file") or ""
        for line in records(require_input(call, name)):
            text = to_text(line.removesuffix(b"\n"))
            yield _parsed(text, now, where)
        return
    if parsed.flag("resolution"):
        yield 1
        return
    if parsed.flag("date"):
        yield _parsed(parsed.value("date") or "", now, where)
        return
    yield now


def _parsed(text: str, now: int, where: tzinfo) -> int | str:
    try:
        return parse_date(text, now, where)
    except BadDateError:
        return text


def _reference(call: Invocation, name: str) -> int:
    try:
        return call.context.files.stat(call.context.resolve(name)).mtime_ns
    except VshellError as error:
        raise Failure(f"{quote_if_needed(name)}: {reason(error)}") from None


def _new_time(text: str, now: int, where: tzinfo) -> int | str:
    match = _SET.fullmatch(text)
    if match is None:
        return _parsed(text, now, where)
    month, day, hour, minute, century, year, second = match.groups()
    present = moment(now, where)
    if year is None:
        full = str(present.year if present else 1970)
    elif century is None:
        full = f"{'20' if int(year) < 69 else '19'}{year}"
    else:
        full = century + year
    return _parsed(f"{full}-{month}-{day} {hour}:{minute}:{second or '00'}", now, where)


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    # The rival options must not be given together; giving one of them again is fine.
    if sum(parsed.flag(name) for name in _SOURCES) > 1:
        raise UsageError("the options to specify dates for printing are mutually exclusive")
    if parsed.flag("set") and any(parsed.flag(name) for name in _SOURCES):
        raise UsageError("the options to print and set the time may not be used together")
    pattern, setting = _pattern(call)
    where = (
        UTC
        if parsed.flag("universal") or parsed.flag("utc") or parsed.flag("uct")
        else zone_of(call.environment)
    )
    if setting is not None:
        return _refuse_to_set(call, setting, pattern, where)
    status = 0
    for time in _times(call, where):
        if isinstance(time, str):
            call.complain(f"invalid date {quote_typographic(time)}")
            status = 1
        else:
            shown = "%s.%N" if parsed.flag("resolution") and pattern == _DEFAULT else pattern
            call.write(format_time(shown, time, where) + "\n")
    return status


def _refuse_to_set(call: Invocation, text: str, pattern: str, where: tzinfo) -> int:
    """A workspace has no clock to be set: what an unprivileged user gets."""
    time = _new_time(text, call.context.files.store.now(), where)
    if isinstance(time, str):
        raise Failure(f"invalid date {quote_typographic(text)}")
    call.complain("cannot set date: Operation not permitted")
    call.write(format_time(pattern, time, where) + "\n")
    return 1


COMMANDS: Final = (
    Command(
        "date",
        "[OPTION]... [+FORMAT]",
        "Display date and time in the given FORMAT.",
        run,
        options=(
            Option(("-d", "--date"), "Display the time that STRING describes, not now.", "STRING"),
            Option(("-f", "--file"), "Like --date; once for each line of DATEFILE.", "DATEFILE"),
            Option(
                ("-I", "--iso-8601"),
                "ISO 8601: date, hours, minutes, seconds, ns.",
                "FMT",
                optional=True,
            ),
            Option(("--resolution",), "Output the resolution of timestamps."),
            Option(("-R", "--rfc-email"), "RFC 5322: Mon, 14 Aug 2006 02:34:56 -0600."),
            Option(("--rfc-2822",), ""),
            Option(("--rfc-822",), ""),
            Option(("--rfc-3339",), "RFC 3339: date, seconds, ns.", "FMT"),
            Option(("-r", "--reference"), "Display the last modification time of FILE.", "FILE"),
            Option(("-s", "--set"), "Refused: the clock is not the workspace's.", "STRING"),
            Option(("-u", "--universal"), "Print Coordinated Universal Time (UTC)."),
            Option(("--utc",), "The same."),
            Option(("--uct",), ""),
        ),
    ),
)
