"""From an operation's declaration to the arguments of its subcommand."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final, NoReturn

from vshell.errors import DecodeError
from vshell.ops.catalog import Operation, Parameter

STDIN: Final = "-"

# Structures are given as JSON, and text and bytes may come from stdin.
_STRUCTURES: Final = {"edits", "operations"}
_CONTENT: Final = {"data", "text", "new_text"}


class UsageError(Exception):
    """The command line is wrong; the message says how, `hint` what would be right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError` where argparse would exit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` shows what it takes")


def operation_parser(operation: Operation, program: str) -> Parser:
    """Return the parser of an operation's subcommand."""
    parser = Parser(
        prog=program,
        description=operation.description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for parameter in operation.parameters:
        _add(parser, parameter)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def values_of(operation: Operation, found: argparse.Namespace) -> dict[str, Any]:
    """Return what was given, as the operation's function takes it.

    Raises:
        DecodeError: A structure is no JSON.
    """
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        value = getattr(found, parameter.name)
        if value is None and not parameter.required and parameter.name not in _CONTENT:
            continue
        if parameter.name in _CONTENT:
            value = _content(parameter, value)
        elif parameter.name in _STRUCTURES:
            value = _structure(parameter.name, value)
        values[parameter.name] = value
    return values


def octal(text: str) -> int:
    """Return permission bits that are given as octal digits, such as 755.

    Raises:
        ValueError: The text is none.
    """
    return int(text, 8)


def _add(parser: Parser, parameter: Parameter) -> None:
    options: dict[str, Any] = {"help": _help(parameter)}
    if parameter.annotation == "bool":
        _add_flag(parser, parameter, options)
        return
    options["type"] = _converter(parameter)
    if parameter.choices:
        options["choices"] = parameter.choices
        options["metavar"] = "|".join(parameter.choices)
    if parameter.name in _CONTENT | _STRUCTURES:
        parser.add_argument(parameter.name, nargs="?", default=STDIN, **options)
    elif parameter.required:
        parser.add_argument(parameter.name, **options)
    elif parameter.positional:
        parser.add_argument(parameter.name, nargs="?", default=None, **options)
    else:
        if "Sequence" in parameter.annotation or "Iterable" in parameter.annotation:
            options["action"] = "append"
        options.setdefault("metavar", _metavar(parameter))
        parser.add_argument(_flag(parameter.name), dest=parameter.name, default=None, **options)


def _add_flag(parser: Parser, parameter: Parameter, options: dict[str, Any]) -> None:
    flag = _flag(parameter.name)
    if parameter.default:
        options["help"] = f"Do not: {options['help']}"
        flag = f"--no-{flag.removeprefix('--')}"
    parser.add_argument(
        flag,
        dest=parameter.name,
        action="store_const",
        const=not parameter.default,
        default=None,
        **options,
    )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _metavar(parameter: Parameter) -> str:
    if "int" in parameter.annotation or "float" in parameter.annotation:
        return "OCTAL" if parameter.name == "mode" else "N"
    return "TEXT"


def _converter(parameter: Parameter) -> Any:
    if parameter.name == "mode" and "int" in parameter.annotation:
        return octal
    if "float" in parameter.annotation:
        return float
    return int if "int" in parameter.annotation.split(" | ") else str


def _help(parameter: Parameter) -> str:
    text = parameter.help.replace("%", "%%")
    if parameter.name in _STRUCTURES:
        text += " As JSON; - or nothing reads it from stdin."
    elif parameter.name in _CONTENT:
        text += " - or nothing reads it from stdin."
    default = parameter.default
    if not parameter.required and default is not None and not isinstance(default, bool):
        shown = f"{default:o}" if parameter.name == "mode" else default
        text += f" (default: {shown})"
    return text


def _content(parameter: Parameter, given: str) -> str | bytes:
    if given != STDIN:
        return given
    data = sys.stdin.buffer.read()
    return data if "Data" in parameter.annotation else data.decode("utf-8", "surrogateescape")


def _structure(name: str, given: str) -> Any:
    text = sys.stdin.read() if given == STDIN else given
    try:
        return json.loads(text)
    except ValueError as error:
        raise DecodeError(
            f"{name} is no JSON: {error}", hint='such as [{"old": "a", "new": "b"}]'
        ) from None
