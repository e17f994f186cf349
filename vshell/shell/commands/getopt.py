"""`getopt`: options of scripts, put in order."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.options import help_text, parse, version_text


class _Reader:
    """Reads words by short and long options that a script declares."""

    def __init__(self, short: str, long: list[str], *, alternative: bool) -> None:
        self.mode = short[:1] if short[:1] in ("+", "-") else ""
        body = short[len(self.mode) :]
        self.silent = body.startswith(":")
        self._short = {
            match[1]: len(match[2]) for match in re.finditer(r"([^:])(:{0,2})", body.lstrip(":"))
        }
        self._long = {each.rstrip(":"): len(each) - len(each.rstrip(":")) for each in long}
        self._alternative = alternative
        self.options: list[tuple[str, str | None]] = []
        self.operands: list[str] = []
        self.errors: list[str] = []

    def read(self, words: list[str]) -> None:
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                self.operands += rest
                return
            if word.startswith("--"):
                self._take_long(word[2:], rest, "--")
            elif len(word) > 1 and word[0] == "-":
                if self._alternative and self._find(word[1:].partition("=")[0]):
                    self._take_long(word[1:], rest, "-")
                else:
                    self._take_bundle(word[1:], rest)
            elif self.mode == "+":
                self.operands += [word, *rest]
                return
            elif self.mode == "-":
                self.options.append(("", word))
            else:
                self.operands.append(word)

    def _find(self, typed: str) -> list[str]:
        return (
            [typed]
            if typed in self._long
            else [name for name in self._long if name.startswith(typed)]
        )

    def _take_long(self, text: str, rest: list[str], dashes: str) -> None:
        typed, equals, value = text.partition("=")
        found = self._find(typed)
        if len(found) != 1:
            if found:
                names = " ".join(f"'--{name}'" for name in found)
                self.errors.append(f"option '{dashes}{typed}' is ambiguous; possibilities: {names}")
            else:
                self.errors.append(f"unrecognized option '{dashes}{typed}'")
            return
        name, takes = found[0], self._long[found[0]]
        if equals and not takes:
            self.errors.append(f"option '{dashes}{name}' doesn't allow an argument")
        elif equals:
            self.options.append((f"--{name}", value))
        elif takes == 1:
            if not rest:
                self.errors.append(f"option '{dashes}{name}' requires an argument")
                return
            self.options.append((f"--{name}", rest.pop(0)))
        else:
            self.options.append((f"--{name}", "" if takes == 2 else None))

    def _take_bundle(self, text: str, rest: list[str]) -> None:
        for place, letter in enumerate(text):
            takes = self._short.get(letter)
            if takes is None:
                self.errors.append(f"invalid option -- '{letter}'")
                continue
            following = text[place + 1 :]
            if not takes:
                self.options.append((f"-{letter}", None))
                continue
            if following:
                self.options.append((f"-{letter}", following))
            elif takes == 2:
                self.options.append((f"-{letter}", ""))
            elif rest:
                self.options.append((f"-{letter}", rest.pop(0)))
            else:
                self.errors.append(f"option requires an argument -- '{letter}'")
            return


def _quoted(text: str, *, bare: bool, style: str) -> str:
    if bare:
        return text
    text = text.replace("'", "'\\''")
    if style in ("csh", "tcsh"):
        text = text.replace("!", "'\\!'").replace("\n", "\\n")
    return f"'{text}'"


def run(call: Invocation) -> int:
    words = list(call.operands)
    if not words:
        raise UsageError("missing optstring argument")
    if not words[0].startswith("-") and call.environment.get("GETOPT_COMPATIBLE") is None:
        # The old form: the options, then the words; nothing is quoted.
        return _print(call, _read(call, words[0], [], words[1:], False), bare=True, style="sh")
    parsed = parse(GETOPT, words, call.environment)
    if parsed.flag("help") or parsed.flag("version"):
        call.write(help_text(GETOPT) if parsed.flag("help") else version_text(GETOPT))
        return 0
    if parsed.flag("test"):
        return 4
    shell = parsed.value("shell", "bash") or ""
    if shell not in ("sh", "bash", "csh", "tcsh"):
        raise UsageError("unknown shell after -s or --shell argument")
    operands = list(parsed.operands)
    short = parsed.value("options")
    if short is None:
        if not operands:
            raise UsageError("missing optstring argument")
        short = operands.pop(0)
    long = [
        name
        for value in parsed.values("longoptions")
        for name in re.split(r"[,\s]+", value)
        if name
    ]
    name = parsed.value("name", "getopt") or ""
    reader = _read(call, short, long, operands, parsed.flag("alternative"))
    if parsed.flag("quiet"):
        reader.silent = True
    bare = parsed.flag("unquoted")
    return _print(
        call, reader, bare=bare, style=shell, name=name, quiet=parsed.flag("quiet-output")
    )


def _read(
    call: Invocation, short: str, long: list[str], words: list[str], alternative: bool
) -> _Reader:
    if "POSIXLY_CORRECT" in call.environment and short[:1] not in ("+", "-"):
        short = "+" + short
    reader = _Reader(short, long, alternative=alternative)
    reader.read(words)
    return reader


def _print(
    call: Invocation,
    reader: _Reader,
    *,
    bare: bool,
    style: str,
    name: str = "getopt",
    quiet: bool = False,
) -> int:
    if not reader.silent:
        for error in reader.errors:
            call.stderr.write(f"{name}: {error}\n".encode("utf-8", "surrogateescape"))
    if not quiet:
        parts: list[str] = []
        for option, value in reader.options:
            if option:
                parts.append(option)
            if value is not None:
                parts.append(_quoted(value, bare=bare, style=style))
        parts.append("--")
        parts += [_quoted(operand, bare=bare, style=style) for operand in reader.operands]
        call.write(" " + " ".join(parts) + "\n")
    return 1 if reader.errors else 0


GETOPT: Final = Command(
    "getopt",
    "<optstring> <parameters>\n  or:  getopt [options] [--] <optstring> <parameters>\n"
    "  or:  getopt [options] -o|--options <optstring> [options] [--] <parameters>",
    "Parse command options.",
    run,
    options=(
        Option(("-a", "--alternative"), "Allow long options starting with single -."),
        Option(("-l", "--longoptions"), "The long options to be recognized.", "longopts"),
        Option(("-n", "--name"), "The name under which errors are reported.", "progname"),
        Option(("-o", "--options"), "The short options to be recognized.", "optstring"),
        Option(("-q", "--quiet"), "Disable error reporting by getopt(3)."),
        Option(("-Q", "--quiet-output"), "No normal output."),
        Option(("-s", "--shell"), "Set quoting conventions to those of <shell>.", "shell"),
        Option(("-T", "--test"), "Test for getopt(1) version."),
        Option(("-u", "--unquoted"), "Do not quote the output."),
    ),
    raw=True,
    permute=False,
    usage_status=2,
)
COMMANDS: Final = (GETOPT,)
