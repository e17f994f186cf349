"""`ts` and `sponge`, as in the package `moreutils`."""

from __future__ import annotations

import re
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, pieces, to_bytes, write_file
from vshell.shell.messages import quote_if_needed, reason
from vshell.shell.timeformat import format_time, zone_of

_NS: Final = 1_000_000_000
_FRACTIONS: Final = re.compile(r"%\.([SsT])")


def run_ts(call: Invocation) -> int:
    parsed = call.parsed
    elapsed = parsed.flag("i") or parsed.flag("s")
    form = " ".join(call.operands) or ("%H:%M:%S" if elapsed else "%b %d %H:%M:%S")
    zone = zone_of({"TZ": "UTC"} if elapsed else call.environment)
    now = call.context.files.store.now
    before_ns = now()
    with BufferedOutput(call.stdout) as out:
        for line in call.stdin:
            now_ns = now()
            shown_ns = now_ns - before_ns if elapsed else now_ns
            if parsed.flag("i"):
                before_ns = now_ns
            text = format_time(_with_fractions(form, shown_ns), shown_ns, zone)
            out.write(to_bytes(text) + b" " + line)
    return 0


def _with_fractions(form: str, time_ns: int) -> str:
    """Return a format in which `%.S`, `%.s` and `%.T` have microseconds."""
    fraction = f".{time_ns % _NS // 1000:06}"
    return _FRACTIONS.sub(lambda found: f"%{found[1]}{fraction}", form)


def run_sponge(call: Invocation) -> int:
    data = b"".join(pieces(call.stdin))
    if not call.operands:
        call.stdout.write(data)
        return 0
    name = call.operands[0]
    try:
        if call.parsed.flag("a"):
            context = call.context
            with context.changing(call.name):
                context.files.append(context.resolve(name), data)
        else:
            write_file(call, name, data)
    except VshellError as error:
        call.complain(f"error opening output file: {quote_if_needed(name)}: {reason(error)}")
        return 1
    return 0


COMMANDS: Final = (
    Command(
        "ts",
        "[-i | -s] [FORMAT]",
        "Put the time in front of each line of the input.",
        run_ts,
        options=(
            Option(("-i",), "The time since the last line."),
            Option(("-s",), "The time since the start."),
            Option(("-m",), "Accepted: the clock is the workspace's."),
        ),
    ),
    Command(
        "sponge",
        "[-a] [FILE]",
        "Read all input, and only then write it to a file.",
        run_sponge,
        options=(Option(("-a",), "Append to the file."),),
    ),
)
