"""Typed stubs of what scripts see, made from the table of the methods.

A model that is shown them knows what it can call. The stub for Python is a `.pyi`, that for
JavaScript a `.d.ts`; `vshell run --types` prints them.
"""

from __future__ import annotations

import re
from typing import Final

from vshell.ops.state import ALL_METHODS
from vshell.ops.state_shapes import SHAPES, Field, Shape
from vshell.ops.state_table import REQUIRED, Method, Parameter
from vshell.script.engine import Language

__all__ = ["stubs"]

_ENTRY_TYPES: Final = ("file", "directory", "symlink")
_PYTHON_HEAD: Final = """\
from typing import Any, Literal, NotRequired, TypedDict

StateEntryType = Literal["file", "directory", "symlink"]
"""
_JAVASCRIPT_HEAD: Final = 'type StateEntryType = "file" | "directory" | "symlink";\n'
_PYTHON_TYPES: Final = {
    "string": "str",
    "number": "float",
    "boolean": "bool",
    "void": "None",
    "null": "None",
    "unknown": "Any",
    "Uint8Array": "bytes",
    "object": "dict[str, Any]",
}


def stubs(language: Language, *, brief: bool = False) -> str:
    """Return the stub of `state` and of the objects that its methods take and return.

    Args:
        language: Whose.
        brief: Whether to leave out what a field means and all but the first line of what a
            method does: three quarters of the text are left.
    """
    if language == "javascript":
        return _javascript(brief=brief)
    return _python(brief=brief)


def _summary(method: Method) -> str:
    return method.doc.splitlines()[0]


# TypeScript.


def _javascript(*, brief: bool) -> str:
    interface = _brief_interface if brief else _interface
    shapes = "".join(interface(shape) for shape in SHAPES)
    methods = "".join(_declaration(method, brief=brief) for method in ALL_METHODS)
    return (
        f"{_JAVASCRIPT_HEAD}{shapes}\ndeclare const state: {{\n{methods}}};\n"
        "declare const inputs: Record<string, unknown>;\n"
    )


def _interface(shape: Shape) -> str:
    fields = "".join(f"  /** {each.doc} */\n  {_field(each)};\n" for each in shape.fields)
    return f"\ninterface {shape.name} {{\n{fields}}}\n"


def _brief_interface(shape: Shape) -> str:
    return f"interface {shape.name} {{ {'; '.join(map(_field, shape.fields))} }}\n"


def _field(each: Field) -> str:
    return f"{each.name}{'?' if each.optional else ''}: {each.type}"


def _declaration(method: Method, *, brief: bool) -> str:
    parts = [_typed(each) for each in method.positional]
    if method.options:
        parts.append(f"options?: {{ {'; '.join(_typed(each) for each in method.options)} }}")
    declared = f"  {method.name}({', '.join(parts)}): Promise<{method.result}>;"
    if brief:
        return f"{declared} // {_summary(method)}\n"
    return f"  /** {method.doc} */\n{declared}\n"


def _typed(each: Parameter) -> str:
    mark = "" if each.default is REQUIRED else "?"
    return f"{each.name}{mark}: {each.type.typescript}"


# Python.


def _python(*, brief: bool) -> str:
    shapes = "".join(_typed_dict(shape, brief=brief) for shape in SHAPES)
    methods = "".join(_signature(method, brief=brief) for method in ALL_METHODS)
    return (
        f"{_PYTHON_HEAD}{shapes}\nclass State:\n{methods}\nstate: State\ninputs: dict[str, Any]\n"
    )


def _typed_dict(shape: Shape, *, brief: bool) -> str:
    fields = "".join(_python_field(each, brief=brief) for each in shape.fields)
    gap = "" if brief else "\n"
    return f"{gap}class {shape.name}(TypedDict):\n{fields}"


def _python_field(each: Field, *, brief: bool) -> str:
    kind = _python_type(each.type)
    if each.optional:
        kind = f"NotRequired[{kind}]"
    return f"    {each.name}: {kind}\n" if brief else f"    {each.name}: {kind}  # {each.doc}\n"


def _signature(method: Method, *, brief: bool) -> str:
    parts = ["self", *(_python_parameter(each) for each in method.positional)]
    if method.options:
        parts += ["*", *(_python_parameter(each) for each in method.options)]
    result = _python_type(method.result)
    declared = f"    def {method.python_name}({', '.join(parts)}) -> {result}:"
    if brief:
        return f"{declared} ...  # {_summary(method)}\n"
    return f'{declared}\n        """{method.doc}"""\n'


def _python_parameter(each: Parameter) -> str:
    kind = _python_type(each.type.typescript)
    if each.default is REQUIRED:
        return f"{each.python_name}: {kind}"
    if each.default is None and "None" not in kind:
        kind = f"{kind} | None"
    return f"{each.python_name}: {kind} = {each.default!r}"


def _python_type(typescript: str) -> str:
    """Return a type of TypeScript as Python writes it."""
    record = re.fullmatch(r"Record<(.+), (.+)>", typescript)
    if record:
        return f"dict[{_python_type(record[1])}, {_python_type(record[2])}]"
    parts = [_one_type(part) for part in typescript.split(" | ")]
    return " | ".join(dict.fromkeys(parts))


def _one_type(part: str) -> str:
    if part.endswith("[]"):
        return f"list[{_one_type(part.removesuffix('[]'))}]"
    if part.startswith('"') or part in ("true", "false"):
        return f"Literal[{part.replace('true', 'True').replace('false', 'False')}]"
    return _PYTHON_TYPES.get(part, part)
