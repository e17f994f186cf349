"""Who and where: `env`, `printenv`, `id`, `whoami`, `hostname`, `uname`, `nproc`, and time.

All of it is about the workspace; nothing is asked of the host.
"""

from __future__ import annotations

import re
import time
from decimal import Decimal, InvalidOperation
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, failing, to_bytes
from vshell.shell.messages import quote, quote_typographic
from vshell.shell.options import parse

_UNAME: Final = {
    "kernel-name": "Linux",
    "nodename": "vshell",
    "kernel-release": "6.1.0-vshell",
    "kernel-version": "#1 SMP",
    "machine": "x86_64",
    "processor": "unknown",
    "hardware-platform": "unknown",
    "operating-system": "GNU/Linux",
}
_DURATION: Final = re.compile(
    r"\s*(\+?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\+?inf(?:inity)?)([smhd]?)", re.IGNORECASE
)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NAP_S: Final = 0.25
MAX_SLEEP_S: Final = 10**9


def user_of(call: Invocation) -> str:
    """Return the name of the user: what USER says, else root."""
    return call.environment.get("USER") or "root"


def run_whoami(call: Invocation) -> int:
    if call.operands:
        raise UsageError(f"extra operand {quote_typographic(call.operands[0])}")
    call.write(f"{user_of(call)}\n")
    return 0


@failing
def run_id(call: Invocation) -> int:
    parsed = call.parsed
    current = user_of(call)
    known = {"root": 0, current: 0 if current == "root" else 1000}
    known |= {str(number): number for number in known.values()}
    for name in call.operands:
        if name not in known:
            raise Failure(f"{quote_typographic(name)}: no such user")
    number = known[call.operands[0] if call.operands else current]
    user = "root" if not number else current
    chosen = [name for name in ("user", "group", "groups", "context") if parsed.flag(name)]
    if "context" in chosen:
        raise Failure("--context (-Z) works only on an SELinux-enabled kernel")
    if len(chosen) > 1:
        raise Failure('cannot print "only" of more than one choice')
    if not chosen and (parsed.flag("name") or parsed.flag("real")):
        raise Failure("cannot print only names or real IDs in default format")
    if not chosen and parsed.flag("zero"):
        raise Failure("option --zero not permitted in default format")
    shown = user if parsed.flag("name") else str(number)
    if chosen:
        call.write(shown + ("\0" if parsed.flag("zero") else "\n"))
    else:
        each = f"{number}({user})"
        call.write(f"uid={each} gid={each} groups={each}\n")
    return 0


def run_groups(call: Invocation) -> int:
    user = user_of(call)
    status = 0
    for name in call.operands:
        if name != user:
            call.complain(f"{quote_typographic(name)}: no such user")
            status = 1
        else:
            call.write(f"{name} : {user}\n")
    if not call.operands:
        call.write(f"{user}\n")
    return status


def run_hostname(call: Invocation) -> int:
    if call.operands:
        call.complain("you must be root to change the host name")
        return 1
    name = call.environment.get("HOSTNAME") or "vshell"
    parsed = call.parsed
    if parsed.flag("ip-address") or parsed.flag("all-ip-addresses"):
        call.write("127.0.0.1\n")
    elif parsed.flag("domain"):
        call.write(f"{name.partition('.')[2]}\n")
    else:
        call.write(f"{name.partition('.')[0] if parsed.flag('short') else name}\n")
    return 0


def run_uname(call: Invocation) -> int:
    if call.operands:
        raise UsageError(f"extra operand {quote_typographic(call.operands[0])}")
    parsed = call.parsed
    facts = dict(_UNAME)
    facts["nodename"] = call.environment.get("HOSTNAME") or "vshell"
    if parsed.flag("all"):
        words = [text for text in facts.values() if text != "unknown"]
    else:
        words = [text for name, text in facts.items() if parsed.flag(name)]
    call.write(" ".join(words or [facts["kernel-name"]]) + "\n")
    return 0


def run_arch(call: Invocation) -> int:
    call.write(f"{_UNAME['machine']}\n")
    return 0


def run_nproc(call: Invocation) -> int:
    if call.operands:
        raise UsageError(f"extra operand {quote_typographic(call.operands[0])}")
    ignored = call.parsed.value("ignore", "0") or ""
    if not ignored.isdigit():
        raise UsageError(f"invalid number: {quote_typographic(ignored)}", hint=False)
    # Everything in a workspace runs one after the other.
    call.write("1\n")
    return 0


def run_tty(call: Invocation) -> int:
    if not call.parsed.flag("silent") and not call.parsed.flag("quiet"):
        call.write("not a tty\n")
    return 1


# The environment.


def run_printenv(call: Invocation) -> int:
    end = "\0" if call.parsed.flag("null") else "\n"
    if not call.operands:
        for name, value in call.environment.items():
            call.write(f"{name}={value}{end}")
        return 0
    status = 0
    for name in call.operands:
        found = call.environment.get(name)
        if found is None or "=" in name:
            status = 1
        else:
            call.write(found + end)
    return status


@failing
def run_env(call: Invocation) -> int:
    words = _split_string(list(call.operands))
    parsed = parse(ENV, words, call.environment)
    operands = list(parsed.operands)
    environment: dict[str, str] = (
        {} if parsed.flag("ignore-environment") else dict(call.environment)
    )
    if operands[:1] == ["-"]:
        environment, operands = {}, operands[1:]
    for name in parsed.values("unset"):
        if not name or "=" in name:
            raise Failure(f"cannot unset {quote(name)}: Invalid argument", 125)
        environment.pop(name, None)
    while operands and "=" in operands[0]:
        name, _, value = operands.pop(0).partition("=")
        if not name:
            raise Failure(f"cannot set {quote(name)}: Invalid argument", 125)
        environment[name] = value
    if not operands:
        if parsed.flag("chdir"):
            raise UsageError("must specify command with --chdir (-C)")
        end = "\0" if parsed.flag("null") else "\n"
        for name, value in environment.items():
            call.write(f"{name}={value}{end}")
        return 0
    if parsed.flag("null"):
        raise UsageError("cannot specify --null (-0) with command")
    return _execute_with(call, operands, environment, parsed.value("chdir"))


def _split_string(words: list[str]) -> list[str]:
    """Expand `-S "a b"`, which a `#!` line needs, into words."""
    import shlex

    for index, word in enumerate(words):
        if not word.startswith("-"):
            break
        text: str | None = None
        rest = words[index + 1 :]
        if word in ("-S", "--split-string") and rest:
            text, rest = rest[0], rest[1:]
        elif word.startswith("--split-string="):
            text = word.partition("=")[2]
        elif word.startswith("-S"):
            text = word[2:]
        if text is not None:
            try:
                return [*words[:index], *shlex.split(text), *rest]
            except ValueError:
                raise Failure("no terminating quote in -S string", 125) from None
    return words


def _execute_with(
    call: Invocation, words: list[str], environment: dict[str, str], directory: str | None
) -> int:
    """Run a command with variables and a directory of its own.

    It runs under the shell that runs this one, so what differs is said to that shell,
    as a command line in front of it.
    """
    changed = {
        name: value for name, value in environment.items() if call.environment.get(name) != value
    }
    removed = [name for name in call.environment if name not in environment]
    if not changed and not removed and directory is None:
        done = call.execute(words, _rest(call))
    else:
        done = call.execute(("sh", "-c", _script(words, changed, removed, directory)), _rest(call))
    call.stdout.write(done.stdout)
    call.stderr.write(done.stderr)
    return done.exit_code


def _rest(call: Invocation) -> bytes:
    return call.stdin.read()


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _script(
    words: list[str], changed: dict[str, str], removed: list[str], directory: str | None
) -> str:
    import shlex

    lines = []
    if directory is not None:
        lines.append(f"cd {shlex.quote(directory)} || exit 125")
    names = [name for name in removed if _NAME.fullmatch(name)]
    if names:
        lines.append("unset " + " ".join(names))
    lines += [
        f"export {name}={shlex.quote(value)}"
        for name, value in changed.items()
        if _NAME.fullmatch(name)
    ]
    lines.append(shlex.join(words))
    return "\n".join(lines)


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


ENV: Final = Command(
    "env",
    "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]",
    "Set each NAME to VALUE in the environment and run COMMAND.",
    run_env,
    options=(
        Option(("-i", "--ignore-environment"), "Start with an empty environment."),
        Option(("-0", "--null"), "End each output line with NUL, not newline."),
        Option(("-u", "--unset"), "Remove variable from the environment.", "NAME"),
        Option(("-C", "--chdir"), "Change working directory to DIR.", "DIR"),
        Option(("-S", "--split-string"), "Split STRING into separate words.", "STRING"),
        Option(("-v", "--debug"), "Accepted."),
    ),
    raw=True,
    permute=False,
    usage_status=125,
)

COMMANDS: Final = (
    ENV,
    Command("whoami", "[OPTION]...", "Print the user name.", run_whoami),
    Command(
        "id",
        "[OPTION]... [USER]...",
        "Print user and group information.",
        run_id,
        options=(
            Option(("-a",), "Ignored."),
            Option(("-Z", "--context"), "Print only the security context."),
            Option(("-g", "--group"), "Print only the effective group ID."),
            Option(("-G", "--groups"), "Print all group IDs."),
            Option(("-n", "--name"), "Print a name instead of a number, for -ugG."),
            Option(("-r", "--real"), "Print the real ID instead of the effective one."),
            Option(("-u", "--user"), "Print only the effective user ID."),
            Option(("-z", "--zero"), "Delimit entries with NUL, not whitespace."),
        ),
    ),
    Command("groups", "[OPTION]... [USERNAME]...", "Print the groups of users.", run_groups),
    Command(
        "hostname",
        "[OPTION]",
        "Print the name of the system.",
        run_hostname,
        options=(
            Option(("-s", "--short"), "Short host name."),
            Option(("-f", "--fqdn"), "Long host name."),
            Option(("--long",), "The same."),
            Option(("-d", "--domain"), "DNS domain name."),
            Option(("-i", "--ip-address"), "Address of the host name."),
            Option(("-I", "--all-ip-addresses"), "All addresses."),
        ),
    ),
    Command(
        "uname",
        "[OPTION]...",
        "Print system information.",
        run_uname,
        options=(
            Option(("-a", "--all"), "Print all information."),
            Option(("-s", "--kernel-name"), "Print the kernel name."),
            Option(("-n", "--nodename"), "Print the network node hostname."),
            Option(("-r", "--kernel-release"), "Print the kernel release."),
            Option(("-v", "--kernel-version"), "Print the kernel version."),
            Option(("-m", "--machine"), "Print the machine hardware name."),
            Option(("-p", "--processor"), "Print the processor type."),
            Option(("-i", "--hardware-platform"), "Print the hardware platform."),
            Option(("-o", "--operating-system"), "Print the operating system."),
        ),
    ),
    Command("arch", "[OPTION]...", "Print machine architecture.", run_arch),
    Command(
        "nproc",
        "[OPTION]...",
        "Print the number of processing units available.",
        run_nproc,
        options=(
            Option(("--all",), "Print the number of installed processors."),
            Option(("--ignore",), "If possible, exclude N processing units.", "N"),
        ),
    ),
    Command(
        "tty",
        "[OPTION]...",
        "Print the file name of the terminal connected to standard input.",
        run_tty,
        options=(
            Option(("-s", "--silent"), "Print nothing, only return an exit status."),
            Option(("--quiet",), "The same."),
        ),
    ),
    Command(
        "printenv",
        "[OPTION]... [VARIABLE]...",
        "Print the values of the specified environment VARIABLE(s).",
        run_printenv,
        options=(Option(("-0", "--null"), "End each output line with NUL, not newline."),),
        permute=False,
        usage_status=2,
    ),
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
