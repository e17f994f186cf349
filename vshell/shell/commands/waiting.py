"""`sleep`, `timeout` and `yes`: what takes time."""

from __future__ import annotations

import re
import time
from decimal import Decimal, InvalidOperation
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, failing, to_bytes
from vshell.shell.messages import quote_typographic

_DURATION: Final = re.compile(
    r"\s*(\+?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\+?inf(?:inity)?)([smhd]?)", re.IGNORECASE
)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NAP_S: Final = 0.25
MAX_SLEEP_S: Final = 10**9


# Time.


def duration(text: str) -> Decimal | None:
    """Read how long, such as `1.5`, `2m` or `inf`, in seconds; None when it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    try:
        value = Decimal(match[1]) * _UNITS[match[2].lower() if match[2] in "smhd" else match[2]]
    except (InvalidOperation, KeyError):
        return None
    return min(value, Decimal(MAX_SLEEP_S))


def run_sleep(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    total, bad = Decimal(0), []
    for text in call.operands:
        value = duration(text)
        if value is None:
            bad.append(f"invalid time interval {quote_typographic(text)}")
        else:
            total += value
    for message in bad[:-1]:
        call.complain(message)
    if bad:
        raise UsageError(bad[-1])
    sleep = call.services.get("sleep")
    if sleep is not None:
        sleep(float(total))
        return 0
    end = time.monotonic() + float(total)
    # In short naps, so that an interrupt is not kept waiting.
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _NAP_S))
    return 0


@failing
def run_timeout(call: Invocation) -> int:
    operands = call.operands
    if len(operands) < 2:
        raise UsageError("missing operand", status=125)
    for text in (operands[0], *call.parsed.values("kill-after")):
        if duration(text) is None:
            raise UsageError(f"invalid time interval {quote_typographic(text)}", status=125)
    limit = duration(operands[0]) or Decimal(0)
    signal = _signal(call.parsed.value("signal", "TERM") or "")
    words = list(operands[1:])
    run = call.services.get("timeout")
    if run is not None and limit:
        done = run(float(limit), words, call.stdin.read())
        if done is None:
            if call.parsed.flag("verbose"):
                name = next((key for key, each in _SIGNALS.items() if each == signal), signal)
                call.complain(f"sending signal {name} to command {quote_typographic(words[0])}")
            if signal == _SIGNALS["KILL"] or call.parsed.flag("preserve-status"):
                return 128 + signal
            return 124
    else:
        done = call.execute(words, call.stdin.read())
    call.stdout.write(done.stdout)
    call.stderr.write(done.stderr)
    return int(done.exit_code)


_SIGNALS: Final = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13,
    "ALRM": 14, "TERM": 15, "CONT": 18, "STOP": 19, "TSTP": 20,
}  # fmt: skip


def _signal(text: str) -> int:
    name = text.upper().removeprefix("SIG")
    if name in _SIGNALS:
        return _SIGNALS[name]
    if text.isdigit() and int(text[:4]) <= 64:
        return int(text)
    raise UsageError(f"{quote_typographic(text)}: invalid signal", status=125)


def run_yes(call: Invocation) -> int:
    line = to_bytes(" ".join(call.operands or ("y",)) + "\n")
    chunk = line * max(1, 16384 // len(line))
    with BufferedOutput(call.stdout) as out:
        while True:
            out.write(chunk)


COMMANDS: Final = (
    Command("sleep", "NUMBER[SUFFIX]...", "Pause for NUMBER seconds.", run_sleep),
    Command(
        "timeout",
        "[OPTION] DURATION COMMAND [ARG]...",
        "Start COMMAND, and end it if still running after DURATION.",
        run_timeout,
        options=(
            Option(("--preserve-status",), "Exit with the same status as COMMAND."),
            Option(("--foreground",), "Accepted."),
            Option(("-k", "--kill-after"), "Also send a KILL signal after DURATION.", "DURATION"),
            Option(("-s", "--signal"), "Specify the signal to be sent.", "SIGNAL"),
            Option(("-v", "--verbose"), "Diagnose any signal sent upon timeout."),
        ),
        permute=False,
        usage_status=125,
    ),
    Command("yes", "[STRING]...", "Repeatedly output a line with all STRING(s), or 'y'.", run_yes),
)
