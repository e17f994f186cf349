"""Make `reference.md` and `state.md`: `python docs/make_reference.py`.

The first comes from the catalogue of operations, the second from the table of the scripting
methods. Everything in them stands in signatures, docstrings and declarations; a test holds
the pages equal to what this makes of them.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vshell import errors
from vshell.ops.catalog import OPERATIONS, Operation, Parameter, section
from vshell.ops.state import ALL_METHODS
from vshell.ops.state_methods import BULK_METHODS
from vshell.ops.state_shapes import SHAPES, Shape
from vshell.ops.state_table import REQUIRED, Method
from vshell.ops.state_table import Parameter as MethodParameter
from vshell.repl.cli import global_help
from vshell.repl.commands import TOPICS, Command, commands
from vshell.repl.grammar import help_text, usage

_ATTRIBUTES = "\n\nAttributes:"

PAGE = Path(__file__).with_name("reference.md")
STATE_PAGE = Path(__file__).with_name("state.md")

HEADER = """\
# Reference

Made by `python docs/make_reference.py` from the code's own documentation.

Each operation is a method of `Workspace` and of its sessions, and a subcommand of
`vshell`. Paths are POSIX, absolute or relative to the session's directory. On the
command line an argument of Python that is given by name is an option: `start_line=3`
is `--start-line 3`, `ignore_case=True` is `--ignore-case`.

"""

STATE_HEADER = """\
# The scripting API

Made by `python docs/make_reference.py` from the table of the methods.

[Scripts](scripts.md) call these methods of `state`, in JavaScript with `await`; `Workspace.state`
has them, too. Each has its name in camelCase and in snake_case. Arguments come by
position, by name, or as one object. Relative paths start at the session's directory.
Results are plain data, times milliseconds since 1970.

"""


def reference() -> str:
    """Return the text of the page."""
    return HEADER + "".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    known = list(commands().values())
    for topic, title in TOPICS.items():
        yield f"## {title}\n\n"
        for command in known:
            if command.topic == topic:
                yield from _command(command)
    yield "## Results\n\n"
    yield "Results are frozen dataclasses; `as_dict()` makes plain data of them.\n\n"
    for kind in _results():
        yield from _result(kind)
    yield "## Errors\n\n"
    yield "Each is a `VshellError` and the builtin that it names as its second base.\n\n"
    yield from _errors()
    yield f"## The command line\n\n```text\n{global_help()}```\n"


def _command(command: Command) -> Iterator[str]:
    operation = command.operation
    if operation is None:
        text = help_text(f"vshell {command.name}", command.arguments(), command.summary())
        yield f"### vshell {command.name}\n\n```text\n{text}```\n\n"
        return
    typed = usage(f"vshell {command.name}", command.arguments()).removeprefix("usage: ")
    yield f"### {operation.name}\n\n```text\n{_signature(operation)}\n{typed}```\n\n"
    yield f"{operation.description}\n\n"
    if operation.parameters:
        yield "| argument | default | meaning |\n|---|---|---|\n"
        yield from (_row(parameter) for parameter in operation.parameters)
        yield "\n"
    if operation.errors:
        yield "Raises:\n\n"
        yield from (f"- `{name}`: {text}\n" for name, text in operation.errors.items())
        yield "\n"


def _signature(operation: Operation) -> str:
    parts: list[str] = []
    for parameter in operation.parameters:
        if not parameter.positional and "*" not in parts:
            parts.append("*")
        default = "" if parameter.required else f"={_default(parameter)}"
        parts.append(f"{parameter.name}{default}")
    line = f"{operation.name}({', '.join(parts)}) -> {operation.result_annotation}"
    if len(line) <= 96:
        return line
    return f"{operation.name}(\n    {_wrapped(parts)},\n) -> {operation.result_annotation}"


def _wrapped(parts: list[str]) -> str:
    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if len(longer) > 88:
            lines.append(part)
        else:
            lines[-1] = longer
    return ",\n    ".join(lines)


def _default(parameter: Parameter) -> str:
    if parameter.name == "mode" and isinstance(parameter.default, int):
        return f"0o{parameter.default:o}"
    return repr(parameter.default).replace("'", '"')


def _row(parameter: Parameter) -> str:
    default = "" if parameter.required else f"`{_default(parameter)}`"
    return f"| `{parameter.name}` | {default} | {_cell(parameter.help)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _results() -> list[type]:
    """Return the classes of all results, and of what is in them."""
    pending = [kind for operation in OPERATIONS if (kind := operation.result_class)]
    found: dict[str, type] = {}
    while pending:
        kind = pending.pop()
        if kind.__name__ not in found:
            found[kind.__name__] = kind
            pending += _classes_in(kind)
    return [found[name] for name in sorted(found)]


def _classes_in(kind: type) -> Iterator[type]:
    names = vars(sys.modules[kind.__module__])
    for field in dataclasses.fields(kind):
        for word in re.findall(r"\w+", str(field.type)):
            meant = names.get(word)
            if isinstance(meant, type) and dataclasses.is_dataclass(meant):
                yield meant


def _result(kind: type) -> Iterator[str]:
    documentation = inspect.cleandoc(kind.__doc__ or "")
    yield f"### {kind.__name__}\n\n{documentation.split(_ATTRIBUTES)[0]}\n\n"
    yield "| field | meaning |\n|---|---|\n"
    for name, text in section(documentation, "Attributes").items():
        yield f"| `{name}` | {_cell(text)} |\n"
    yield "\n"


def _errors() -> Iterator[str]:
    yield "| error | code | meaning |\n|---|---|---|\n"
    for name in errors.__all__:
        kind = getattr(errors, name)
        if name != "VshellError":
            yield f"| `{name}` | `{kind.code}` | {(kind.__doc__ or '').partition(chr(10))[0]} |\n"
    yield "\n"


def state_reference() -> str:
    """Return the text of the page on the scripting methods."""
    bulk = [method.name for method in BULK_METHODS]
    parts = [STATE_HEADER]
    for title, wanted in (("Methods", False), ("Methods on many files at once", True)):
        parts.append(f"## {title}\n\n")
        parts += [
            part
            for method in ALL_METHODS
            if (method.name in bulk) is wanted
            for part in _method(method)
        ]
    parts.append("## Objects\n\n")
    parts += [part for shape in SHAPES for part in _shape(shape)]
    return "".join(parts).rstrip() + "\n"


def _method(method: Method) -> Iterator[str]:
    yield f"### {method.name}\n\n```text\n{method.usage} -> {method.result}\n```\n\n"
    changes = "It can change files." if method.kind == "write" else "It only reads."
    yield f"`{method.python_name}` in Python. {method.doc} {changes}\n\n"
    if method.parameters:
        yield "| argument | type | default | meaning |\n|---|---|---|---|\n"
        yield from (_method_parameter(each) for each in method.parameters)
        yield "\n"


def _method_parameter(each: MethodParameter) -> str:
    default = "" if each.default is REQUIRED else f"`{json.dumps(each.default)}`"
    kind = _cell(each.type.typescript)
    return f"| `{each.name}` | `{kind}` | {default} | {_cell(each.doc)} |\n"


def _shape(shape: Shape) -> Iterator[str]:
    yield f"### {shape.name}\n\n| field | type | meaning |\n|---|---|---|\n"
    for field in shape.fields:
        mark = "?" if field.optional else ""
        yield f"| `{field.name}{mark}` | `{_cell(field.type)}` | {_cell(field.doc)} |\n"
    yield "\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
    STATE_PAGE.write_text(state_reference())
