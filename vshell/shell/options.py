"""What was typed, parsed as GNU's `getopt_long` does it; and running a command with it.

Short options bundle (`-la`), values may be joined or follow (`-n3`, `-n 3`), long ones
take `=` and may be cut short as long as they are unambiguous, `--` ends the options, and
options may follow operands unless the command or POSIXLY_CORRECT says no. The texts of
the errors are those of glibc.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from vshell._version import __version__
from vshell.errors import VshellError
from vshell.shell.command import BROKEN_PIPE, Command, Invocation, Option, Parsed, UsageError
from vshell.shell.messages import named_reason
from vshell.shell.refusals import UnknownOptionError, refuse

HELP: Final = Option(("--help",), "Display this help and exit.")
VERSION: Final = Option(("--version",), "Output version information and exit.")
_HELP_COLUMN: Final = 30
_WIDTH: Final = 80


def invoke(command: Command, call: Invocation) -> int:
    """Run a command on the words that it was given.

    Args:
        command: The command.
        call: The run; its operands are all the words after the name, not yet parsed.

    Returns:
        The exit code.
    """
    try:
        if command.raw:
            return _run_raw(command, call)
        parsed = parse(command, call.operands, call.environment)
        if parsed.flag("help"):
            call.write(help_text(command))
            return 0
        if parsed.flag("version"):
            call.write(version_text(command))
            return 0
        return command.run(replace(call, parsed=parsed))
    except UsageError as error:
        return refuse(command, call, error)
    except BrokenPipeError:
        return BROKEN_PIPE
    except VshellError as error:
        call.complain(named_reason(error))
        return command.usage_status


def _run_raw(command: Command, call: Invocation) -> int:
    if command.tells_itself:
        return command.run(call)
    if call.operands == ("--help",):
        call.write(help_text(command))
        return 0
    if call.operands == ("--version",):
        call.write(version_text(command))
        return 0
    return command.run(call)


def parse(
    command: Command, words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Parsed:
    """Parse words by a command's declaration.

    Args:
        command: Whose options they are.
        words: What follows the name.
        environment: Where POSIXLY_CORRECT is looked for.

    Returns:
        Options and operands; `help` and `version` are among the options. What follows
        one of these is not looked at, as the command would have ended there.

    Raises:
        UsageError: The words are not options of the command.
    """
    permute = command.permute and "POSIXLY_CORRECT" not in (environment or {})
    return _Parser(command.options, permute=permute).run(list(words))


class _Parser:
    def __init__(self, options: Sequence[Option], *, permute: bool) -> None:
        self._permute = permute
        self._short: dict[str, Option] = {}
        self._long: dict[str, Option] = {}
        for option in (*options, HELP, VERSION):
            for flag in option.flags:
                if flag.startswith("--"):
                    self._long.setdefault(flag[2:], option)
                else:
                    self._short.setdefault(flag[1:], option)
        self._given: list[tuple[str, str | None]] = []
        self._words: list[str] = []

    def run(self, words: list[str]) -> Parsed:
        words.reverse()
        self._words = words
        operands: list[str] = []
        while words:
            word = words.pop()
            if word == "--":
                break
            if len(word) < 2 or word[0] != "-":
                operands.append(word)
                if not self._permute:
                    break
            elif word.startswith("--"):
                self._take_long(word[2:])
            else:
                self._take_bundle(word[1:])
            if self._given and self._given[-1][0] in ("help", "version"):
                break
        return Parsed(tuple(self._given), (*operands, *reversed(words)))

    def _take_long(self, text: str) -> None:
        typed, equals, value = text.partition("=")
        name, option = self._find(typed, text)
        if option.value is None:
            if equals:
                raise UsageError(f"option '--{name}' doesn't allow an argument")
            self._given.append((option.name, None))
        elif equals:
            self._given.append((option.name, value))
        elif option.optional:
            self._given.append((option.name, None))
        elif self._words:
            self._given.append((option.name, self._words.pop()))
        else:
            raise UsageError(f"option '--{name}' requires an argument")

    def _find(self, typed: str, text: str) -> tuple[str, Option]:
        if typed in self._long:
            return typed, self._long[typed]
        fitting = {name: found for name, found in self._long.items() if name.startswith(typed)}
        if not fitting:
            raise UnknownOptionError(f"--{text}")
        if len({id(option) for option in fitting.values()}) > 1:
            names = " ".join(f"'--{name}'" for name in fitting)
            raise UsageError(f"option '--{text}' is ambiguous; possibilities: {names}")
        return next(iter(fitting.items()))

    def _take_bundle(self, text: str) -> None:
        for position, letter in enumerate(text):
            option = self._short.get(letter)
            if option is None:
                raise UnknownOptionError(f"-{letter}")
            if option.value is None:
                self._given.append((option.name, None))
                continue
            rest = text[position + 1 :]
            if rest:
                self._given.append((option.name, rest))
            elif option.optional:
                self._given.append((option.name, None))
            elif self._words:
                self._given.append((option.name, self._words.pop()))
            else:
                raise UsageError(f"option requires an argument -- '{letter}'")
            return


def help_text(command: Command) -> str:
    """Return what `--help` prints."""
    lines = [f"Usage: {command.name} {command.synopsis}".rstrip(), command.summary, ""]
    if command.description:
        lines += [*_wrapped(command.description), ""]
    for option in (*command.options, HELP, VERSION):
        if option.help:
            lines += _option_lines(option)
    return "\n".join(lines) + "\n"


def version_text(command: Command) -> str:
    """Return what `--version` prints."""
    return f"{command.name} (vshell) {__version__}\n"


def spelling(option: Option) -> str:
    """Return an option's flags as help shows them, such as `-n, --lines=NUM`."""
    flags = ", ".join(option.flags)
    if option.value is None:
        return flags
    is_long = option.flags[-1].startswith("--")
    if option.optional:
        return f"{flags}[{'=' if is_long else ''}{option.value}]"
    return f"{flags}{'=' if is_long else ' '}{option.value}"


def _option_lines(option: Option) -> list[str]:
    indent = "      " if option.flags[0].startswith("--") else "  "
    head = indent + spelling(option)
    body = textwrap.wrap(option.help, _WIDTH - _HELP_COLUMN)
    if len(head) + 2 <= _HELP_COLUMN:
        head = head.ljust(_HELP_COLUMN) + body.pop(0)
    return [head, *(" " * _HELP_COLUMN + line for line in body)]


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, _WIDTH) or [""]
    return lines
