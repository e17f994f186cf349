"""Which scripts Monty can run, as far as can be told without running them."""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["is_supported", "lacks_for", "needs_files", "without_awaits"]

_MODULE_NAMES: Final = """
    asyncio base64 binascii bisect collections copy csv dataclasses datetime decimal
    functools hashlib itertools json math os os.path pathlib posixpath random re sys time
    tomllib typing unicodedata __future__
"""
MODULES: Final = frozenset(_MODULE_NAMES.split())
"""What Monty 1.4 has of the standard library; of each, the part that is used most."""

_COLLECTIONS: Final = frozenset({"Counter", "defaultdict", "deque", "namedtuple"})

_MISSING_NAMES: Final = """
    BaseExceptionGroup BlockingIOError BrokenPipeError BufferError ConnectionError EOFError
    EnvironmentError ExceptionGroup GeneratorExit IOError StopAsyncIteration UnicodeError
    Warning aiter anext ascii breakpoint bytearray callable classmethod compile delattr dir
    exit globals help input issubclass memoryview quit staticmethod super vars
"""
_MISSING_BUILTINS: Final = frozenset(_MISSING_NAMES.split())

_MISSING_SYNTAX: Final = (
    ast.Yield,
    ast.YieldFrom,
    ast.Delete,
    ast.AsyncWith,
    ast.AsyncFor,
    ast.TryStar,
)


_LACKS: Final = ("not yet support", "Internal error in monty", "is not an iterator")
_LACKING_TYPES: Final = frozenset(
    {"NotImplementedError", "ModuleNotFoundError", "ImportError", "PatternError", "TypeError"}
)


def is_supported(source: str) -> bool:
    """Tell whether a script uses nothing that Monty is known to lack.

    A script that does not parse is supported: Monty reports that as well as any.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    missing = _MISSING_BUILTINS - bound
    return all(_is_known(node, missing) for node in ast.walk(tree))


def _is_known(node: ast.AST, missing: frozenset[str]) -> bool:
    match node:
        case ast.Name():
            return node.id not in missing
        case ast.Import():
            return all(alias.name in MODULES for alias in node.names)
        case ast.ImportFrom():
            names = {alias.name for alias in node.names}
            return node.module in MODULES and (
                node.module != "collections" or names <= _COLLECTIONS
            )
        case ast.ClassDef():
            return _is_known_class(node)
        case ast.Call():
            return _is_known_call(node)
        case ast.comprehension():
            return not node.is_async
    if isinstance(node, _MISSING_SYNTAX):
        return False
    return type(node).__name__ not in ("TypeAlias", "TemplateStr")


def _is_known_class(node: ast.ClassDef) -> bool:
    decorated = any(
        isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.decorator_list
        for each in node.body
    )
    return not (node.bases or node.keywords or decorated)


def _is_known_call(node: ast.Call) -> bool:
    match node.func, node.args:
        case ast.Name(id="next"), [ast.GeneratorExp(), *_]:
            return False  # generator expressions are lists there
        case ast.Attribute(attr="sub" | "subn"), [*arguments]:
            return not any(isinstance(each, ast.Lambda) for each in arguments)
        case ast.Attribute(value=ast.Name(id="sys"), attr="exit"), _:
            return False
    return True


def lacks_for(type: str, message: str, source: str) -> bool:
    """Tell whether a script may have failed for something that Monty lacks.

    Args:
        type: The name of the exception.
        message: What it says.
        source: The script.
    """
    if any(words in message for words in _LACKS):
        return True
    if type == "AttributeError":
        return "state has no method" not in message
    if type == "NameError":
        return any(f"{name!r}" in message for name in _MISSING_BUILTINS)
    if type == "SyntaxError":
        return _parses(source)
    return type in _LACKING_TYPES


def _parses(source: str) -> bool:
    try:
        compile(source, "<script>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def needs_files(source: str) -> bool:
    """Tell whether a script may use files beside `state`, so that its directory matters."""
    return any(word in source for word in ("open", "Path", "os"))


def without_awaits(source: str) -> str:
    """Take `await` from calls of `state`, which return no promise in Python.

    Lines stay as they are; spaces stand where the word was.
    """
    if "await" not in source:
        return source
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.split("\n")
    for node in ast.walk(tree):
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id="state")))):
                line = lines[node.lineno - 1].encode()
                start, length = node.col_offset, len("await")
                blanked = line[:start] + b" " * length + line[start + length :]
                lines[node.lineno - 1] = blanked.decode()
    return "\n".join(lines)
