"""Who runs here, and on what: `id`, `whoami`, `uname`, `nproc`, ..."""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import Failure, failing
from vshell.shell.messages import quote_typographic

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


COMMANDS: Final = (
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
)
