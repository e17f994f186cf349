"""Typed stubs of the scripting API: what a model is told of `state`.

They are made from the table of the methods, so they say what is true.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from vshell.ops.state_methods import METHODS
from vshell.ops.state_table import REQUIRED, Method, Parameter

Language = Literal["python", "javascript"]

_PYTHON_TYPES: Final = {
    "string": "str",
    "number": "int",
    "boolean": "bool",
    "void": "None",
    "null": "None",
    "unknown": "Any",
    "Uint8Array": "bytes",
}
_SHAPES: Final = """\
type StateStat = {type: "file" | "directory" | "symlink", size: number, mtime: Date, mode?: number}
type StateDirent = {name: string, type: string}
type StateFindEntry =
  {path: string, name: string, type: string, depth: number, size: number, mtime: Date}
type StateTreeNode =
  {path: string, name: string, type: string, size: number, children?: StateTreeNode[]}
type StateTextMatch = {line: number, column: number, match: string, lineText: string,
  beforeLines?: string[], afterLines?: string[]}
type StateFileSearchResult = {path: string, matches: StateTextMatch[]}
type StateReplaceResult = {replaced: number, content: string}
type StateReplaceInFilesResult = {dryRun: boolean, totalFiles: number, totalReplacements: number,
  files: {path: string, replaced: number, content: string, diff: string}[]}
type StateEdit = {path: string, content: string}
type StateEditInstruction = {kind: "write", path, content}
  | {kind: "replace", path, search, replacement, options?}
  | {kind: "writeJson", path, value, options?}
type StateEditPlan = {totalChanged: number, totalInstructions: number,
  edits: {instruction, path, changed, content, diff}[]}
type StateApplyEditsResult = {dryRun: boolean, totalChanged: number,
  edits: {path: string, changed: boolean, content: string, diff: string}[]}
type StateJsonUpdateOperation = {op: "set" | "delete", path: string, value?: unknown}"""


def stubs(language: Language) -> str:
    """Return a declaration of every method, with the shapes of what they return."""
    declare = _javascript if language == "javascript" else _python
    methods = "\n".join(declare(method) for method in METHODS)
    if language == "javascript":
        return f"{_SHAPES}\ndeclare const state: {{\n{methods}\n}}"
    return f"# Results are dicts of these fields:\n{_commented(_SHAPES)}\nclass State:\n{methods}"


def _commented(text: str) -> str:
    return "\n".join(f"# {line.removeprefix('type ')}" for line in text.splitlines())


def _summary(method: Method) -> str:
    return method.doc.splitlines()[0]


def _javascript(method: Method) -> str:
    parts = [
        f"{each.name}{'' if each.default is REQUIRED else '?'}: {each.type.typescript}"
        for each in method.positional
    ]
    if method.options:
        inside = ", ".join(f"{each.name}?: {each.type.typescript}" for each in method.options)
        parts.append(f"options?: {{{inside}}}")
    return f"  {method.name}({', '.join(parts)}): Promise<{method.result}>; // {_summary(method)}"


def _python(method: Method) -> str:
    parts = ["self", *(_parameter(each) for each in method.positional)]
    if method.options:
        parts += ["*", *(_parameter(each) for each in method.options)]
    result = _python_type(method.result)
    return (
        f"    def {method.python_name}({', '.join(parts)}) -> {result}: ...  # {_summary(method)}"
    )


def _parameter(each: Parameter) -> str:
    kind = _python_type(each.type.typescript)
    if each.default is REQUIRED:
        return f"{each.python_name}: {kind}"
    optional = f"{kind} | None" if each.default is None and "None" not in kind else kind
    return f"{each.python_name}: {optional} = {each.default!r}"


def _python_type(typescript: str) -> str:
    """Return a type as Python writes it; what has fields is a dict."""
    parts = []
    for part in typescript.split(" | "):
        array = part.endswith("[]")
        name = part.removesuffix("[]")
        if re.fullmatch(r'"\w+"', name):
            kind = f"Literal[{name}]"
        else:
            kind = _PYTHON_TYPES.get(name, "dict" if name != "StateEntryType" else "str")
        parts.append(f"list[{kind}]" if array else kind)
    return " | ".join(dict.fromkeys(parts))
