"""From an operation's declaration to the arguments of its subcommand, and back."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from vshell.errors import DecodeError
from vshell.ops.catalog import OPERATIONS, Operation, Parameter

from .grammar import Argument, UsageError, whole_number

STDIN: Final = "-"
OCTAL_EXPECTED: Final = "octal digits, such as 755"

# Structures are given as JSON; they and contents may come from stdin.
_STRUCTURES: Final = {"edits", "operations"}
_CONTENTS: Final = {"data", "text", "new_text"}

# What is typed often has the letter that the command of that name has elsewhere.
_LETTERS: Final = {
    "after": "-A",
    "before": "-B",
    "dry_run": "-n",
    "force": "-f",
    "ignore_case": "-i",
    "literal": "-F",
    "parents": "-p",
    "recursive": "-r",
    "reverse": "-R",
    "strip": "-p",
    "word": "-w",
}


def arguments_of(operation: Operation) -> list[Argument]:
    """Return the arguments of an operation's subcommand."""
    found: list[Argument] = []
    for parameter in operation.parameters:
        if "Callable" not in parameter.annotation:  # nothing that can be typed
            found += _arguments(parameter)
    return [argument._replace(help=in_typed_words(argument.help, operation)) for argument in found]


def read_inputs(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given as the operation's function takes it: stdin read, JSON decoded.

    Raises:
        DecodeError: A structure is no JSON.
    """
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        name = parameter.name
        if name in _CONTENTS:
            values[name] = _content(parameter, given.get(name, STDIN))
        elif name in _STRUCTURES:
            values[name] = structure(name, given.get(name, STDIN))
        elif name in given:
            values[name] = _versions(given[name]) if _is_versions(parameter) else given[name]
    return values


def _version(text: str) -> int | tuple[str, int]:
    """Return a number, or a path with its number.

    Raises:
        ValueError: It is neither.
    """
    path, equals, number = text.rpartition("=")
    return (path, whole_number(number)) if equals else whole_number(text)


def _versions(given: list[int | tuple[str, int]]) -> int | dict[str, int]:
    numbers = [each for each in given if isinstance(each, int)]
    if len(given) == 1 and numbers:
        return numbers[0]
    if numbers:
        raise UsageError("--expected-version takes one number, or PATH=N for each path")
    return dict(each for each in given if not isinstance(each, int))


def _is_versions(parameter: Parameter) -> bool:
    return "Versions" in parameter.types


def structure(name: str, given: Any) -> Any:
    """Return what JSON text says, or JSON from stdin; what is no text is taken as it is.

    Raises:
        DecodeError: It is no JSON, or nested too deeply.
    """
    if not isinstance(given, str):
        return given
    import json

    text = _decoded(read_stdin(name)) if given == STDIN else given
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(
            f"{name} must be JSON: {error}", hint=f'such as [{{"{_FIRST_KEY[name]}": ...}}]'
        ) from None


def read_stdin(purpose: str) -> bytes:
    """Return all of stdin; say so where somebody has to type it."""
    if sys.stdin is None:
        raise UsageError(f"no {purpose} was given, and stdin is closed")
    if sys.stdin.isatty():
        print(f"reading {purpose} from the terminal; Ctrl-D ends it", file=sys.stderr)
    return sys.stdin.buffer.read()


def in_typed_words(text: str, operation: Operation) -> str:
    """Return documentation or a hint, written for Python, in the words of the command line."""
    flags = {
        parameter.name: parameter.name.upper() if parameter.positional else _flag(parameter.name)
        for parameter in operation.parameters
    } | _OTHER_FLAGS
    choices = {choice for parameter in operation.parameters for choice in parameter.choices}

    def typed(found: re.Match[str]) -> str:
        if found["data"]:
            return found[0]
        quoted, name, equals = found["quoted"] or "", found["name"], found["value"] or ""
        if quoted == '"':
            return name if name in choices else found[0]
        if name in _OPERATION_NAMES and not equals:
            return f"{quoted}{name.replace('_', '-')}{quoted}"
        if name not in flags or not (quoted or equals or "_" in name):
            return found[0]
        value = equals[1:].strip('"')
        return flags[name] if value in ("True", "") else f"{flags[name]} {value}"

    return _WORD.sub(typed, text)


def integer_or_text(text: str) -> int | str:
    """Return a number for digits, else the text itself.

    Raises:
        ValueError: The number is too large.
    """
    return whole_number(text) if text.isascii() and text.isdecimal() else text


def octal(text: str) -> int:
    """Return permission bits that are given as octal digits.

    Raises:
        ValueError: The text is none.
    """
    return int(text, 8)


_FIRST_KEY: Final = {"edits": "old", "operations": "op"}
_WORD: Final = re.compile(
    r"""
    # What a file holds, quoted as `repr` does it, is not ours to reword.
    (?<!\w) (?P<data> '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*\s(?:[^"\\]|\\.)*" )
    | (?P<quoted> ["`] )? \b (?P<name> [a-z_]+ ) (?P<value> =True\b | ="\w+" )?
      (?(quoted) (?P=quoted) | \b)
    """,
    re.VERBOSE,
)
# What is no parameter, but a part of one.
_OTHER_FLAGS: Final = {"replace_all": "--all"}

# "None is all" says in Python what happens when nothing is given.
_NONE: Final = re.compile(r"\bNone (?:is|for) ")
_OPERATION_NAMES: Final = {operation.name for operation in OPERATIONS}


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _content(parameter: Parameter, given: str) -> str | bytes:
    if given != STDIN:
        return given
    data = read_stdin(parameter.name)
    return data if "Data" in parameter.types or "bytes" in parameter.types else _decoded(data)


def _arguments(parameter: Parameter) -> Sequence[Argument]:
    name, types = parameter.name, parameter.types
    if "bool" in types:
        return _switches(parameter)
    argument = Argument(
        name,
        _help(parameter),
        metavar=_metavar(parameter),
        convert=_converter(parameter),
        expected=OCTAL_EXPECTED if _is_octal(parameter) else "",
        choices=parameter.choices,
    )
    if name in _CONTENTS | _STRUCTURES:
        return [argument]
    if parameter.positional:
        return [argument._replace(required=parameter.required, metavar="")]
    repeated = _is_versions(parameter) or any(
        kind.startswith(("Sequence", "Iterable")) for kind in types
    )
    return [argument._replace(flags=_flags(name), repeated=repeated)]


def _switches(parameter: Parameter) -> Sequence[Argument]:
    """Return the option that changes a default, and the one that only says it."""
    name, text = parameter.name, _help(parameter)
    positive = Argument(name, text, _flags(name), value=True)
    negative = Argument(name, text, (f"--no-{_flag(name)[2:]}",), value=False)
    if parameter.default is True:
        return [
            negative._replace(help=f"Do not: {text}"),
            positive._replace(help="", flags=(_flag(name),)),
        ]
    if parameter.default is False:
        return [positive]
    return [positive, negative._replace(help=f"The opposite of {_flag(name)}.")]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _flags(name: str) -> tuple[str, ...]:
    letter = _LETTERS.get(name)
    return (letter, _flag(name)) if letter else (_flag(name),)


def _metavar(parameter: Parameter) -> str:
    if _is_octal(parameter):
        return "OCTAL"
    if _is_versions(parameter):
        return "N|PATH=N"
    if parameter.name == "path" or "PathLike" in parameter.types:
        return "PATH" if "int" not in parameter.types else "TIME|PATH"
    return "N" if parameter.types & {"int", "float"} else ""


def _is_octal(parameter: Parameter) -> bool:
    return parameter.name == "mode" and "int" in parameter.types


def _converter(parameter: Parameter) -> Callable[[str], Any]:
    types = parameter.types
    if _is_octal(parameter):
        return octal
    if _is_versions(parameter):
        return _version
    if "Moment" in types or ("int" in types and types & {"PathLike", "str"}):
        return integer_or_text
    if "float" in types:
        return float
    return whole_number if "int" in types else str


def _help(parameter: Parameter) -> str:
    text = _NONE.sub("by default ", parameter.help)
    if parameter.name in _STRUCTURES:
        text += " As JSON; - or nothing reads it from stdin."
    elif parameter.name in _CONTENTS:
        text += " - or nothing reads it from stdin."
    default = parameter.default
    if not parameter.required and default is not None and not isinstance(default, bool):
        shown = f"{default:o}" if _is_octal(parameter) else default
        text += f" (default: {shown})"
    return text
