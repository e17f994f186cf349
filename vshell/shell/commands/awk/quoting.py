"""Pieces of Python's syntax trees, written as templates.

`quote("number(VALUE) + 1.0", VALUE=node)` is the tree of that expression with `node` for
`VALUE`. A template is text of this package; what a program says comes in as a node only: a
constant, or a name that was made for it. So no text of a program is ever read as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from typing import Final, cast

__all__ = [
    "bound",
    "call",
    "constant",
    "joined",
    "locate",
    "name",
    "quote",
    "quote_statements",
    "store",
]

Part = ast.expr | Sequence[ast.stmt]
_LOAD: Final = ast.Load()


def quote(template: str, /, **parts: ast.expr) -> ast.expr:
    """Return an expression's tree.

    Args:
        template: The expression; names in capitals stand for parts.
        parts: What they stand for.
    """
    return cast("ast.expr", _filled(_expression(template), parts))


def quote_statements(template: str, /, **parts: Part) -> list[ast.stmt]:
    """Return statements' trees; a name that stands alone may stand for several."""
    found: list[ast.stmt] = []
    for statement in _statements(template):
        found += _filled_block([statement], parts)
    return found


@cache
def _expression(template: str) -> ast.expr:
    return ast.parse(template, mode="eval").body


@cache
def _statements(template: str) -> tuple[ast.stmt, ...]:
    return tuple(ast.parse(template).body)


def _filled(node: object, parts: dict[str, ast.expr] | dict[str, Part]) -> object:
    if isinstance(node, ast.Name) and node.id in parts:
        part = parts[node.id]
        return store(cast("ast.expr", part)) if isinstance(node.ctx, ast.Store) else part
    if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context):
        return node
    made = node.__class__()
    for name in node._fields:
        value = getattr(node, name)
        if isinstance(value, list):
            block = name in ("body", "orelse", "finalbody") and not isinstance(node, ast.Lambda)
            setattr(
                made,
                name,
                _filled_block(value, parts) if block else [_filled(each, parts) for each in value],
            )
        else:
            setattr(made, name, _filled(value, parts))
    return made


def _filled_block(
    block: Sequence[ast.stmt], parts: dict[str, ast.expr] | dict[str, Part]
) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in block:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name):
            part = parts.get(statement.value.id)
            if isinstance(part, Sequence):
                found += part
                continue
        found.append(cast("ast.stmt", _filled(statement, parts)))
    return found


def store(node: ast.expr) -> ast.expr:
    """Return a target for what is read by this expression."""
    if isinstance(node, ast.Name):
        return ast.Name(node.id, ast.Store())
    if isinstance(node, ast.Subscript):
        return ast.Subscript(node.value, node.slice, ast.Store())
    raise TypeError(f"{node!r} is no target")


def name(identifier: str) -> ast.expr:
    """Return the value of a name."""
    return ast.Name(identifier, _LOAD)


def constant(value: str | float | bool | None) -> ast.expr:
    """Return a constant; negative numbers and those that are none are constants, too."""
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """Return a call of a function by its name."""
    return ast.Call(name(function), list(arguments), [])


def bound(identifier: str, value: ast.expr) -> ast.expr:
    """Return a value that gets a name on its way."""
    return ast.NamedExpr(ast.Name(identifier, ast.Store()), value)


def joined(parts: Sequence[ast.expr]) -> ast.expr:
    """Return texts put together; all parts are texts."""
    values: list[ast.expr] = []
    for part in parts:
        plain = isinstance(part, ast.Constant) and isinstance(part.value, str)
        last = values[-1] if values else None
        if plain and isinstance(last, ast.Constant):
            values[-1] = ast.Constant(f"{last.value!s}{cast('ast.Constant', part).value!s}")
        elif plain:
            values.append(part)
        elif isinstance(part, ast.JoinedStr):
            values += part.values
        else:
            values.append(ast.FormattedValue(part, -1, None))
    if len(values) == 1 and isinstance(values[0], ast.Constant):
        return values[0]
    return ast.JoinedStr(values)


def locate(node: ast.AST, line: int) -> None:
    """Give all below a node its line, unless it has one."""
    for each in ast.walk(node):
        if not hasattr(each, "lineno"):
            each.lineno = each.end_lineno = line  # type: ignore[attr-defined]
            each.col_offset = each.end_col_offset = 0  # type: ignore[attr-defined]
