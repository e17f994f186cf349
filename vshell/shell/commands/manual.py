"""`man`, and `which` for the commands of the shell."""

from __future__ import annotations

import textwrap
from typing import Final

from vshell.errors import VshellError
from vshell.shell import commands
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.options import HELP, VERSION, spelling


def run_man(call: Invocation) -> int:
    words = [word for word in call.operands if word not in ("1", "8")]
    keyword = call.parsed.flag("apropos")
    if not words:
        if keyword:
            raise UsageError("apropos what?", hint=False)
        call.write("What manual page do you want?\nFor example, try 'man man'.\n")
        return 1
    status = 0
    for word in words:
        if keyword:
            status |= _apropos(call, word)
            continue
        command = commands.find(word)
        if command is None:
            call.stderr.write(f"No manual entry for {word}\n".encode("utf-8", "surrogateescape"))
            status = 16
        else:
            call.write(page(command))
    return status


def _apropos(call: Invocation, word: str) -> int:
    found = [
        (name, text)
        for name, text in commands.summaries().items()
        if word.lower() in f"{name} {text}".lower()
    ]
    call.write("".join(f"{name:<20} - {text}\n" for name, text in found))
    if not found:
        call.stderr.write(f"{word}: nothing appropriate.\n".encode("utf-8", "surrogateescape"))
    return 0 if found else 16


def page(command: Command) -> str:
    """Return a manual page, made of the declaration."""
    lines = ["NAME", f"       {command.name} - {command.summary}", "", "SYNOPSIS"]
    lines += [f"       {command.name} {command.synopsis}".rstrip(), ""]
    if command.description:
        lines.append("DESCRIPTION")
        for paragraph in command.description.split("\n"):
            lines += textwrap.wrap(paragraph, 72, initial_indent=" " * 7, subsequent_indent=" " * 7)
        lines.append("")
    lines.append("OPTIONS")
    for option in (*command.options, HELP, VERSION):
        if option.help:
            lines += [f"       {spelling(option)}", f"              {option.help}", ""]
    if command.aliases:
        lines += ["ALSO KNOWN AS", f"       {', '.join(command.aliases)}", ""]
    return "\n".join(lines)


def run_which(call: Invocation) -> int:
    status = 0
    programs = call.services.get("program_names", lambda: frozenset(commands.names()))()
    for word in call.operands:
        path = word if "/" in word else f"/usr/bin/{word}"
        if word in programs or ("/" in word and _is_executable(call, word)):
            call.write(f"{path}\n" if not call.parsed.flag("s") else "")
        else:
            status = 1
    return status if call.operands else 1


def _is_executable(call: Invocation, path: str) -> bool:
    try:
        found = call.context.files.stat(call.context.resolve(path))
    except VshellError:
        return False
    return found.kind == "file" and bool(found.mode & 0o111)


COMMANDS: Final = (
    Command(
        "man",
        "[OPTION] NAME...",
        "Show the manual of a command.",
        run_man,
        options=(Option(("-k", "--apropos"), "Look for a word in the summaries."),),
    ),
    Command(
        "which",
        "[-a] NAME...",
        "Tell where a command would be found.",
        run_which,
        options=(
            Option(("-a",), "Print all matches; there is never more than one."),
            Option(("-s",), "Print nothing."),
        ),
    ),
)
