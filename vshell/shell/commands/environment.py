"""`env` and `printenv`: variables, and commands with others."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import Failure, failing
from vshell.shell.messages import quote
from vshell.shell.options import parse

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
    Command(
        "printenv",
        "[OPTION]... [VARIABLE]...",
        "Print the values of the specified environment VARIABLE(s).",
        run_printenv,
        options=(Option(("-0", "--null"), "End each output line with NUL, not newline."),),
        permute=False,
        usage_status=2,
    ),
)
