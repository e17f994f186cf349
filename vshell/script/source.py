"""What a model writes, brought into the one form that engines take.

A model answers with code in a fence, a function that nobody calls, an expression, or
statements of which the last expression is the result. Lines keep their numbers, so that an
error's line is one of the text as it was given.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from vshell.errors import RangeError, TooLargeError
from vshell.script.engine import Language

__all__ = ["MAX_SOURCE_BYTES", "Source", "language_of", "normalise"]

MAX_SOURCE_BYTES: Final = 512 * 1024
"""The longest script: parsing takes up to 1,000 times its size."""

_FENCE: Final = re.compile(
    r"^[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<tag>[\w+.#-]*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^[ \t]*(?P=marks)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_TAGS: Final[dict[str, Language]] = {
    **dict.fromkeys(("py", "python", "python3", "py3"), "python"),
    **dict.fromkeys(("js", "javascript", "mjs", "node", "jsx", "ecmascript"), "javascript"),
}
_ENDINGS: Final[dict[str, Language]] = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
}
_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPE: Final = (*_FUNCTION, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Source:
    """A script as engines take it.

    Attributes:
        text: The program; its lines have the numbers that they were given.
        language: What it is written in.
        loops: Whether it may repeat anything more than a thousand times, so that how fast an
            engine is matters.
    """

    text: str
    language: Language
    loops: bool


def language_of(text: str, *, name: str | None = None) -> Language:
    """Return what language a script is in: by its file's name, its fence, or its syntax."""
    if name is not None:
        for ending, language in _ENDINGS.items():
            if name.lower().endswith(ending):
                return language
    fence = _FENCE.search(text)
    if fence and (tagged := _TAGS.get(fence["tag"].lower())):
        return tagged
    return "javascript" if _parsed(_unfenced(text)) is None else "python"


def normalise(
    text: str, language: Language | str | None = None, *, inputs: Collection[str] = ()
) -> Source:
    """Return a script in the form that engines take.

    Args:
        text: What somebody wrote.
        language: `"python"` or `"javascript"`, or a short name; None to find out.
        inputs: The names of the inputs, which a function may take as parameters.

    Raises:
        RangeError: There is no such language.
        TooLargeError: It is over 512 KiB.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
        raise TooLargeError(f"a script may have {MAX_SOURCE_BYTES} bytes at most")
    if language is None:
        chosen: Language = language_of(text)
    elif language in _TAGS:
        chosen = _TAGS[language]
    else:
        raise RangeError(
            f"there is no language {language[:100]!r}", hint="choose python or javascript"
        )
    code = _unfenced(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if chosen == "python":
        return _python(code, inputs)
    return Source(_javascript(code), "javascript", loops=True)


def _unfenced(text: str) -> str:
    """Return the first fenced block, or all of it; lines keep their numbers."""
    fence = _FENCE.search(text)
    if fence is None:
        return text
    return "\n" * text.count("\n", 0, fence.start("code")) + fence["code"]


# JavaScript. Its engine finds out whether it is an expression; see `Job.source`.

_EXPORT: Final = re.compile(r"^[ \t]*export[ \t]+default\b", re.MULTILINE)
_MAIN: Final = re.compile(
    r"^(?:(?:async\s+)?function\s*\*?\s*main\s*\(|(?:const|let|var)\s+main\s*=)", re.MULTILINE
)
_OTHER_STATEMENT: Final = re.compile(r"\bmain\b")


def _javascript(code: str) -> str:
    code = _EXPORT.sub("", code, count=1)
    bare = code.rstrip().removesuffix(";")
    declared = _MAIN.search(code)
    if declared and len(_OTHER_STATEMENT.findall(code)) == 1:
        return f"{bare}\n;main(state, inputs)"
    return bare


# Python.


def _parsed(code: str) -> ast.Module | None:
    """Return the syntax tree; None when it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as those about "\d"
            return ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _python(code: str, inputs: Collection[str]) -> Source:
    tree = _parsed(code)
    if tree is None:
        code = _dedented(code)
        tree = _parsed(code)
    if tree is None or not tree.body:
        return Source(code, "python", loops=False)  # the engine says what is wrong
    loops = _repeats_much(tree, 1)
    if _returns(tree):
        code = _as_function(code, tree)
        tree = _parsed(code)
        assert tree is not None
    return Source(_with_result(code, tree, inputs), "python", loops=loops)


_FEW: Final = 1000
"""So many steps take Monty a millisecond, which is less than a process takes to start."""


def _repeats_much(node: ast.AST, times: int) -> bool:
    """Tell whether what is in a node may happen more than a few times.

    Args:
        node: A part of the script.
        times: How often the node itself happens.
    """
    if isinstance(node, ast.While):
        return True
    if isinstance(node, (ast.For, ast.AsyncFor)):
        times *= _length(node.iter)
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for each in node.generators:
            times *= _length(each.iter)
    return times > _FEW or any(_repeats_much(each, times) for each in ast.iter_child_nodes(node))


def _length(iterated: ast.expr) -> int:
    """Return how many steps a loop takes, where that shows; else more than a few."""
    if isinstance(iterated, (ast.List, ast.Tuple, ast.Set)):
        starred = any(isinstance(each, ast.Starred) for each in iterated.elts)
        return _FEW + 1 if starred else len(iterated.elts)
    match iterated:
        case ast.Call(ast.Name("range"), [ast.Constant(int(count))], []):
            return max(0, count)
    return _FEW + 1


def _dedented(code: str) -> str:
    """Return code without the margin that it has when it stands in other text."""
    lines = code.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    return "\n" * first + textwrap.dedent("\n".join(lines[first:]))


def _with_result(code: str, tree: ast.Module, inputs: Collection[str]) -> str:
    """Return code whose last statement is the expression that is the result."""
    last = tree.body[-1]
    functions = {node.name: node for node in tree.body if isinstance(node, _FUNCTION)}
    if isinstance(last, ast.If) and _is_main_guard(last.test) and not last.orelse:
        return _unguarded(code, last)
    if isinstance(last, ast.Expr):
        value = last.value
        if isinstance(value, ast.Lambda):
            call = _arguments(value.args, inputs)
            return _replaced(code, value, lambda text: f"({text})({call})")
        if isinstance(value, ast.Name) and value.id in functions:
            call = _call(functions[value.id], inputs)
            return _replaced(code, value, lambda _: call)
        return code
    function = functions.get("main")
    if function is not None and _is_called(tree, "main"):
        function = None
    if function is None and isinstance(last, _FUNCTION) and not _is_called(tree, last.name):
        function = last
    return code if function is None else f"{code.rstrip()}\n\n{_call(function, inputs)}"


def _call(function: ast.FunctionDef | ast.AsyncFunctionDef, inputs: Collection[str]) -> str:
    call = f"{function.name}({_arguments(function.args, inputs)})"
    return f"await {call}" if isinstance(function, ast.AsyncFunctionDef) else call


def _arguments(parameters: ast.arguments, inputs: Collection[str]) -> str:
    """Return what a function is called with: `state`, `inputs`, or an input of that name."""
    positional = [*parameters.posonlyargs, *parameters.args]
    required = len(positional) - len(parameters.defaults)
    given: list[str] = []
    for number, parameter in enumerate(positional):
        name = parameter.arg
        if name in inputs or name in ("state", "inputs"):
            is_plain = number == len(given) and not any("=" in each for each in given)
            given.append(name if is_plain else f"{name}={name}")
        elif number == 0 and required:
            given.append("state")  # whatever it is called there
    given += [
        f"{parameter.arg}={parameter.arg}"
        for parameter in parameters.kwonlyargs
        if parameter.arg in inputs or parameter.arg in ("state", "inputs")
    ]
    if parameters.kwarg is not None:
        given.append("**inputs")
    return ", ".join(given)


def _is_called(tree: ast.Module, name: str) -> bool:
    """Tell whether a statement outside of functions calls a function of that name."""
    pending: list[ast.AST] = [node for node in tree.body if not isinstance(node, _SCOPE)]
    for node in pending:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            return True
        pending += ast.iter_child_nodes(node)
    return False


def _is_main_guard(test: ast.expr) -> bool:
    return ast.unparse(test).replace('"', "'") == "__name__ == '__main__'"


def _unguarded(code: str, guard: ast.If) -> str:
    """Return code in which the body of the last `if` stands for itself."""
    lines = code.split("\n")
    first = guard.body[0]
    if first.lineno == guard.lineno:
        lines[guard.lineno - 1] = _cut(lines[guard.lineno - 1], first.col_offset)
        return "\n".join(lines)
    inside = _lines_inside_strings(code)
    lines[guard.lineno - 1 : first.lineno - 1] = [""] * (first.lineno - guard.lineno)
    for number in range(first.lineno, len(lines) + 1):
        line = lines[number - 1]
        if number not in inside and not line[: first.col_offset].strip():
            lines[number - 1] = line[first.col_offset :]
    return "\n".join(lines)


def _cut(line: str, offset: int) -> str:
    return line.encode()[offset:].decode()


def _replaced(code: str, node: ast.expr, replace: Callable[[str], str]) -> str:
    """Return code with the text of an expression replaced."""
    text = ast.get_source_segment(code, node)
    assert text is not None
    lines = code.encode().split(b"\n")
    start = sum(len(line) + 1 for line in lines[: node.lineno - 1]) + node.col_offset
    data = code.encode()
    end = start + len(text.encode())
    return (data[:start] + replace(text).encode() + data[end:]).decode()


def _returns(tree: ast.Module) -> bool:
    """Tell whether there is a `return` outside of all functions."""
    pending: list[ast.AST] = [tree]
    for node in pending:
        if isinstance(node, ast.Return):
            return True
        pending += [each for each in ast.iter_child_nodes(node) if not isinstance(each, _SCOPE)]
    return False


def _as_function(code: str, tree: ast.Module) -> str:
    """Return code as the body of a function, on the same lines where there is room."""
    inside = _lines_inside_strings(code)
    lines = code.split("\n")
    for number in range(1, len(lines) + 1):
        if number not in inside and lines[number - 1].strip():
            lines[number - 1] = f" {lines[number - 1]}"
    first = tree.body[0].lineno
    head = "async def main():"
    if first > 1:
        lines[first - 2] = head  # only blank lines and comments stand before
        return "\n".join(lines)
    return "\n".join([head, *lines])


def _lines_inside_strings(code: str) -> set[int]:
    """Return the lines that begin inside a text of several lines."""
    inside: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            starts.append(token.start[0])
        elif kind == "FSTRING_END":
            inside.update(range(starts.pop() + 1, token.end[0] + 1))
        elif kind == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside
