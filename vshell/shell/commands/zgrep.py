"""`zgrep` and its relatives: `grep` on what compressed files hold."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, UsageError
from vshell.shell.command_io import open_input
from vshell.shell.compression import BadStreamError, decompressed, format_of
from vshell.shell.messages import reason
from vshell.shell.options import parse

_GREPS: Final = {
    "zgrep": "grep", "zegrep": "egrep", "zfgrep": "fgrep",
    "bzgrep": "grep", "bzegrep": "egrep", "bzfgrep": "fgrep",
    "xzgrep": "grep", "xzegrep": "egrep", "xzfgrep": "fgrep",
}  # fmt: skip
_REFUSED: Final = {
    "recursive": "-r", "dereference-recursive": "-R", "directories": "-d", "null": "-Z",
    "null-data": "-z", "include": "--include", "exclude": "--exclude",
    "exclude-from": "--exclude-from", "exclude-dir": "--exclude-dir",
}  # fmt: skip
_TROUBLE: Final = 2


def run_zgrep(call: Invocation) -> int:
    """Run `grep` on each file; the worst exit code counts, and 1 only when none matched."""
    from vshell.shell.commands import find

    grep = find("grep")
    assert grep is not None
    parsed = parse(grep, call.operands, call.environment)
    operands = list(parsed.operands)
    words = [_GREPS[call.name]]
    for name, value in parsed.given:
        if name in _REFUSED:
            raise UsageError(f"{_REFUSED[name]}: option not supported", hint=False)
        dashes = "--" if len(name) > 1 else "-"
        words.append(f"{dashes}{name}" if value is None else f"--{name}={value}")
    if not (parsed.flag("regexp") or parsed.flag("file")):
        if not operands:
            raise UsageError("missing pattern", hint=False)
        words.append(f"--regexp={operands.pop(0)}")
    shows_name = len(operands) > 1 and not parsed.flag("no-filename")
    results = [_one(call, words, name, shows_name=shows_name) for name in operands or ["-"]]
    return _TROUBLE if _TROUBLE in results else min(results)


def _one(call: Invocation, words: list[str], name: str, *, shows_name: bool) -> int:
    try:
        data = open_input(call, name).read()
        form = format_of(data)
        text = data if form is None else b"".join(decompressed(iter([data]), form))
    except VshellError as error:
        call.stderr.write(f"gzip: {name}: {reason(error)}\n".encode("utf-8", "surrogateescape"))
        return _TROUBLE
    except BadStreamError as error:
        call.stderr.write(f"gzip: {name}: {error}\n".encode("utf-8", "surrogateescape"))
        return _TROUBLE
    label = "(standard input)" if name == "-" else name
    names = ["--with-filename"] if shows_name else []
    done = call.execute([words[0], *names, f"--label={label}", *words[1:]], text)
    call.stdout.write(done.stdout)
    call.stderr.write(done.stderr)
    return done.exit_code


COMMANDS: Final = tuple(
    Command(
        name,
        "[OPTION]... PATTERN [FILE]...",
        "Look for patterns in files that may be compressed; the options are those of grep.",
        run_zgrep,
        raw=True,
        usage_status=_TROUBLE,
    )
    for name in _GREPS
)
