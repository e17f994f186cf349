"""The words that `jq` is given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import Failure, read_all, to_text
from vshell.shell.commands.jq.documents import BadJSONError, documents
from vshell.shell.messages import reason

_USAGE: Final = (
    "Use jq --help for help with command-line options,\n"
    "or see the jq manpage, or online docs  at https://stedolan.github.io/jq\n"
)


@dataclass(slots=True)
class Settings:
    """What was asked for.

    Attributes:
        program: What runs; None when there is none.
        files: The inputs; without any, it is standard input.
        named: The variables, by name.
        positional: What `$ARGS.positional` is.
        flags: The long names of options without a value.
        indent: What stands before a level's values; None is all on one line.
        from_file: Where the program is.
    """

    program: str | None = None
    files: list[str] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    positional: list[Any] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    indent: str | None = "  "
    from_file: str | None = None
    is_coloured: bool = False


SHORT: Final = {
    "n": "null-input", "r": "raw-output", "j": "join-output", "c": "compact-output", "s": "slurp",
    "R": "raw-input", "S": "sort-keys", "e": "exit-status", "a": "ascii-output",
    "M": "monochrome-output", "f": "from-file", "h": "help", "V": "version", "C": "color-output",
    "L": "library-path",
}  # fmt: skip
_LONG: Final = {
    *SHORT.values(),
    "seq",
    "stream",
    "tab",
    "unbuffered",
    "raw-output0",
    "arg",
    "argjson",
    "slurpfile",
    "rawfile",
    "args",
    "jsonargs",
    "indent",
}


class UsageFailure(Failure):
    """The words are wrong; the text is jq's."""

    def __init__(self, message: str, *, hint: bool = True) -> None:
        super().__init__(message, 2)
        self.hint = _USAGE if hint else ""


def read_settings(call: Invocation) -> Settings:
    """Read the words of a call.

    Raises:
        UsageFailure: They are wrong.
        Failure: The file with the program cannot be read.
    """
    settings = Settings()
    words = list(call.operands)
    rest = ""  # what operands are, after --args
    only_operands = False
    while words:
        word = words.pop(0)
        if word == "--" and not only_operands:
            only_operands = True
        elif only_operands or not word.startswith("-") or word == "-":
            _operand(settings, word, rest)
        elif word.startswith("--"):
            name = word[2:]
            if name not in _LONG:
                raise UsageFailure(f"Unknown option {word}")
            rest = _long_option(call, settings, name, words, rest)
        else:
            for letter in word[1:]:
                if letter not in SHORT:
                    raise UsageFailure(f"Unknown option {word}")
                rest = _long_option(call, settings, SHORT[letter], words, rest)
    if settings.from_file is not None:
        if settings.program is not None:
            settings.files.insert(0, settings.program)
        settings.program = _read_program(call, settings.from_file)
    return settings


def _operand(settings: Settings, word: str, rest: str) -> None:
    if settings.program is None and settings.from_file is None:
        settings.program = word
    elif rest == "args":
        settings.positional.append(word)
    elif rest == "jsonargs":
        settings.positional.append(_json(word, "invalid JSON text passed to --jsonargs"))
    else:
        settings.files.append(word)


def _long_option(
    call: Invocation, settings: Settings, name: str, words: list[str], rest: str
) -> str:
    if name in ("args", "jsonargs"):
        return name
    if name in ("arg", "argjson", "slurpfile", "rawfile"):
        if len(words) < 2:
            what = {"arg": "value", "argjson": "text"}.get(name, "filename")
            raise UsageFailure(f"--{name} takes two parameters (e.g. --{name} varname {what})")
        variable, value = words.pop(0), words.pop(0)
        settings.named.setdefault(variable, _named_value(call, name, variable, value))
    elif name == "indent":
        settings.indent = _indent(words)
    elif name == "tab":
        settings.indent = "\t"
    elif name == "compact-output":
        settings.indent = None
    elif name in ("color-output", "monochrome-output"):
        settings.is_coloured = name == "color-output"
    elif name == "library-path":
        # Modules are not known, so that nothing is looked for there.
        del words[:1]
    elif name == "from-file":
        settings.from_file = words.pop(0) if words else ""
    else:
        settings.flags.add(name)
    return rest


def _indent(words: list[str]) -> str | None:
    if not words:
        raise UsageFailure("--indent takes one parameter")
    text = words.pop(0)
    # As C's `atoi` reads it.
    digits = re.match(r"\s*([-+]?[0-9]{1,9})", text)
    width = int(digits[1]) if digits else 0
    if not -1 <= width <= 7:
        raise UsageFailure("--indent takes a number between -1 and 7")
    return "\t" if width < 0 else " " * width or None


def _named_value(call: Invocation, kind: str, variable: str, value: str) -> Any:
    if kind == "arg":
        return value
    if kind == "argjson":
        return _json(value, "invalid JSON text passed to --argjson")
    try:
        text = to_text(read_all(call, value))
    except VshellError as error:
        raise UsageFailure(
            f"Bad JSON in --{kind} {variable} {value}: Could not open {value}: {reason(error)}",
            hint=False,
        ) from None
    if kind == "rawfile":
        return text
    try:
        return [json.loads(each) for each in documents(text)]
    except BadJSONError as error:
        raise UsageFailure(
            f"Bad JSON in --{kind} {variable} {value}: {error}", hint=False
        ) from None


def _json(text: str, message: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UsageFailure(message) from None


def _read_program(call: Invocation, name: str) -> str:
    try:
        return to_text(read_all(call, name))
    except VshellError as error:
        raise Failure(f"Could not open {name}: {reason(error)}", 2) from None
