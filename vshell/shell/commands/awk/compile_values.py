"""Expressions of awk as expressions of Python.

Each expression becomes a tree of one of a few kinds (`facts.Kind`), and is turned into a
number, a text or a condition only where that is needed: `$3 + n`, with `n` known to hold
numbers only, is an addition of floats and one conversion.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar, Final

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.facts import NUMERIC, SPECIAL, Facts, Kind
from vshell.shell.commands.awk.formats import NumberTexts
from vshell.shell.commands.awk.patterns import compile_pattern
from vshell.shell.commands.awk.quoting import bound, call, constant, joined, name, quote
from vshell.shell.commands.awk.runtime import DEFAULTS
from vshell.shell.commands.awk.syntax import Expression, Program

__all__ = ["ValueCompiler"]

_OPERATORS: Final = {
    "<": ast.Lt,
    "<=": ast.LtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_MIXED_COMPARISONS: Final = {
    "<": "less(LEFT, RIGHT)",
    "<=": "less_or_same(LEFT, RIGHT)",
    "==": "same(LEFT, RIGHT)",
    "!=": "not same(LEFT, RIGHT)",
    ">": "less(RIGHT, LEFT)",
    ">=": "less_or_same(RIGHT, LEFT)",
}
_MIRRORED: Final = {"<": ">", "<=": ">=", "==": "==", "!=": "!=", ">": "<", ">=": "<="}
_ARITHMETIC: Final = {
    "+": "LEFT + RIGHT",
    "-": "LEFT - RIGHT",
    "*": "LEFT * RIGHT",
    "/": "LEFT / RIGHT",
    "%": "remainder(LEFT, RIGHT)",
    "^": "power(LEFT, RIGHT)",
}
_STRICT: Final = frozenset("%^")
"""The operators that are functions, which take floats only."""


class ValueCompiler:
    """Compiles expressions that change nothing, and what all others need.

    Args:
        program: The program.
        facts: What is known of it.

    Attributes:
        constants: What the compiled program uses besides numbers and texts, by name.
    """

    def __init__(self, program: Program, facts: Facts) -> None:
        self._program = program
        self._facts = facts
        self._function = ""
        self._temporaries = 0
        self._folds_case = "IGNORECASE" in facts.names | facts.assigned
        self.constants: dict[str, Any] = {}
        self._known: dict[tuple[str, str], str] = {}

    # Names.

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t_{self._temporaries}"

    def _keep(self, kind: str, source: str, make: Callable[[], Any]) -> ast.expr:
        """Return the name of a constant, which is made when it is new."""
        found = self._known.get((kind, source))
        if found is None:
            found = f"{kind}_{len(self._known)}"
            self._known[kind, source] = found
            self.constants[found] = make()
        return name(found)

    def _identifier(self, variable: str) -> str:
        """Return what a variable is called in Python."""
        is_local = self._facts.key(self._function, variable)[0]
        if self._facts.is_array(self._function, variable):
            return f"q_{variable}" if is_local else f"a_{variable}"
        return f"p_{variable}" if is_local else f"v_{variable}"

    def _is_special(self, variable: str) -> bool:
        return variable in SPECIAL and not self._facts.key(self._function, variable)[0]

    def kind(self, node: Expression) -> Kind:
        """Return the kind of what `raw` makes of an expression."""
        return self._facts.kind(node, self._function)

    # The forms of a value.

    def raw(self, node: Expression) -> ast.expr:
        """Return an expression's tree, of its own kind."""
        method = self.METHODS[node.__class__]
        found: ast.expr = method(self, node)
        return found

    def number(self, node: Expression) -> ast.expr:
        """Return an expression's tree as something to calculate with."""
        kind, raw = self.kind(node), self.raw(node)
        if kind in (Kind.NUMBER, Kind.COUNT):
            return raw
        if kind is Kind.BOOLEAN:
            return quote("1.0 if RAW else 0.0", RAW=raw)
        if isinstance(raw, ast.Constant) and isinstance(raw.value, str):
            return quote("text_number(RAW)", RAW=raw)
        return quote("number(RAW)" if kind is Kind.ANY else "text_number(RAW)", RAW=raw)

    def strict_number(self, node: Expression) -> ast.expr:
        """Return an expression's tree as a float."""
        found = self.number(node)
        return quote("+RAW", RAW=found) if self.kind(node) is Kind.COUNT else found

    def text(self, node: Expression) -> ast.expr:
        """Return an expression's tree as a text."""
        return self._as_text(node, "text", "numbers", "CONVFMT")

    def shown(self, node: Expression) -> ast.expr:
        """Return an expression's tree as the text that `print` prints."""
        return self._as_text(node, "shown", "shown_numbers", "OFMT")

    def _as_text(self, node: Expression, function: str, numbers: str, variable: str) -> ast.expr:
        if isinstance(node, syntax.Group):
            return self._as_text(node.inside, function, numbers, variable)
        if isinstance(node, syntax.Number) and node.value.is_integer():
            return constant(NumberTexts("%.6g")[node.value])
        kind, raw = self.kind(node), self.raw(node)
        if kind is Kind.TEXT or isinstance(node, syntax.Field):
            return raw
        if kind is Kind.BOOLEAN:
            return quote("'1' if RAW else '0'", RAW=raw)
        if kind is Kind.NUMBER:
            return quote(f"{numbers}[RAW]", RAW=raw)
        return call(function, raw)

    def condition(self, node: Expression) -> ast.expr:
        """Return an expression's tree as something true or false."""
        kind, raw = self.kind(node), self.raw(node)
        if kind is Kind.FIELD:
            return call("field_truth", raw)
        return call("truth", raw) if kind is Kind.ANY else raw

    def value(self, node: Expression, kept: Kind = Kind.ANY) -> ast.expr:
        """Return an expression's tree as what a variable of a kind holds."""
        kind, raw = self.kind(node), self.raw(node)
        if kind is Kind.FIELD and kept is not Kind.FIELD:
            return call("from_outside", raw)
        return quote("1.0 if RAW else 0.0", RAW=raw) if kind is Kind.BOOLEAN else raw

    # Leaves.

    def _number_leaf(self, node: syntax.Number) -> ast.expr:
        return constant(node.value)

    def _text_leaf(self, node: syntax.Text) -> ast.expr:
        return constant(node.value)

    def _group(self, node: syntax.Group) -> ast.expr:
        return self.raw(node.inside)

    def _regex(self, node: syntax.Regex) -> ast.expr:
        if node.is_value:
            return constant(node.pattern)
        return self._test(self.record_text(), node)

    def _name(self, node: syntax.Name) -> ast.expr:
        variable = node.name
        if self._facts.is_array(self._function, variable):
            raise AwkFatal(f"attempt to use array `{variable}' in a scalar context")
        if variable == "NF" and self._is_special(variable):
            return quote("count()")
        return name(self._identifier(variable))

    def special_text(self, variable: str) -> ast.expr:
        """Return a variable of the language as a text: a constant, when nothing sets it."""
        if self._facts.is_constant(variable):
            return constant(str(DEFAULTS[variable]))
        return call("text", name(f"v_{variable}"))

    # Fields and elements.

    def record_text(self) -> ast.expr:
        """Return `$0`."""
        return quote("whole()" if self._facts.changes_fields else "record.text")

    def _field(self, node: syntax.Field) -> ast.expr:
        index = node.index
        if isinstance(index, syntax.Number):
            place = int(index.value)
            if place == 0:
                return self.record_text()
            if not self._facts.changes_fields and place <= self._facts.max_field:
                return quote("(record.fields or split())[PLACE]", PLACE=ast.Constant(place - 1))
        if index == syntax.Name("NF") and self._is_special("NF"):
            return quote("last_field()")
        return call("get_field", self.raw(index))

    def array(self, node: Expression) -> ast.expr:
        """Return the tree of an array.

        Raises:
            AwkFatal: It is none.
        """
        if isinstance(node, syntax.Name):
            if not self._facts.is_array(self._function, node.name):
                raise AwkFatal(f"attempt to use scalar `{node.name}' as an array")
            return name(self._identifier(node.name))
        if isinstance(node, syntax.Element):
            return quote(
                "ARRAY.below(KEY)", ARRAY=self.array(node.array), KEY=self.key(node.subscripts)
            )
        raise AwkFatal("attempt to use a scalar value as array")

    def key(self, subscripts: tuple[Expression, ...]) -> ast.expr:
        """Return the tree of an element's key."""
        if len(subscripts) == 1:
            return self.text(subscripts[0])
        parts: list[ast.expr] = []
        for subscript in subscripts:
            parts += (self.special_text("SUBSEP"), self.text(subscript))
        return joined(parts[1:])

    def _element(self, node: syntax.Element) -> ast.expr:
        return quote("ARRAY[KEY]", ARRAY=self.array(node.array), KEY=self.key(node.subscripts))

    def _membership(self, node: syntax.Membership) -> ast.expr:
        return quote("KEY in ARRAY", KEY=self.key(node.subscripts), ARRAY=self.array(node.array))

    # Operators.

    def _unary(self, node: syntax.Unary) -> ast.expr:
        if node.operator == "!":
            return quote("not OPERAND", OPERAND=self.condition(node.operand))
        if isinstance(node.operand, syntax.Number):
            return constant(-node.operand.value if node.operator == "-" else node.operand.value)
        return quote(f"{node.operator}OPERAND", OPERAND=self.number(node.operand))

    def _arithmetic(self, node: syntax.Arithmetic) -> ast.expr:
        if node.operator == "%" and self._is_counted(node):
            return call("fmod", self.strict_number(node.left), self.raw(node.right))
        return self.calculation(
            node.operator,
            self._operand(node.operator, node.left),
            self._operand(node.operator, node.right),
        )

    def _is_counted(self, node: syntax.Arithmetic) -> bool:
        """Whether a remainder, such as that of `NR % 2`, can only be of finite numbers."""
        left, right = node.left, node.right
        return (
            isinstance(left, syntax.Name)
            and left.name in ("NR", "FNR")
            and self._facts.is_constant(left.name)
            and isinstance(right, syntax.Number)
            and right.value != 0.0
        )

    def _operand(self, operator: str, node: Expression) -> ast.expr:
        return self.strict_number(node) if operator in _STRICT else self.number(node)

    def calculation(self, operator: str, left: ast.expr, right: ast.expr) -> ast.expr:
        """Return the tree of an operation on two numbers."""
        return quote(_ARITHMETIC[operator], LEFT=left, RIGHT=right)

    def _concatenation(self, node: syntax.Concatenation) -> ast.expr:
        return joined([self.text(part) for part in node.parts])

    def _logic(self, node: syntax.Logic) -> ast.expr:
        operator = ast.And() if node.operator == "&&" else ast.Or()
        return ast.BoolOp(operator, [self.condition(operand) for operand in node.operands])

    def _conditional(self, node: syntax.Conditional) -> ast.expr:
        kind = self.kind(node)
        form = self.value if kind is Kind.ANY else self.raw
        if kind in NUMERIC:
            form = self.number
        return quote(
            "YES if TEST else NO",
            YES=form(node.yes),
            TEST=self.condition(node.condition),
            NO=form(node.no),
        )

    # Comparing.

    def _comparison(self, node: syntax.Comparison) -> ast.expr:
        left, right = self.kind(node.left), self.kind(node.right)
        if left in NUMERIC and right in NUMERIC:
            form = self.strict_number if node.operator in ("==", "!=") else self.number
            return _compared(node.operator, form(node.left), form(node.right))
        if not self._folds_case:
            if Kind.TEXT in (left, right):
                return _compared(node.operator, self.text(node.left), self.text(node.right))
            if not self._facts.changes_fields and Kind.ANY not in (left, right):
                if left is Kind.FIELD:
                    return self._field_comparison(node.operator, node.left, node.right)
                return self._field_comparison(_MIRRORED[node.operator], node.right, node.left)
        return self._mixed_comparison(node)

    def _field_comparison(self, operator: str, left: Expression, right: Expression) -> ast.expr:
        """Compare a text from outside with a number or with another such text.

        If one of them does not look like a number, they are compared as texts.
        """
        number, text = self._temporary(), self._temporary()
        other_number, other = self._temporary(), self._temporary()
        test = quote(
            "NUMBER is None",
            NUMBER=bound(number, call("numeric", bound(text, self.raw(left)))),
        )
        right_number, right_text = name(other_number), self._seen_text(right, other)
        if isinstance(right, syntax.Number):
            right_number, right_text = self.raw(right), self.text(right)
        else:
            if self.kind(right) is Kind.FIELD:
                found = call("numeric", bound(other, self.raw(right)))
            else:
                found = bound(other, self.strict_number(right))
            # Without short cuts: both names are set, whatever the left side looks like.
            bind = bound(other_number, found)
            test = quote("(TEST) | (BIND is None)", TEST=test, BIND=bind)
        return quote(
            "NO if TEST else YES",
            NO=_compared(operator, self._seen_text(left, text), right_text),
            TEST=test,
            YES=_compared(operator, name(number), right_number),
        )

    def _seen_text(self, node: Expression, identifier: str) -> ast.expr:
        """Return the text of what a name was bound to: an unset variable has none of its own."""
        seen = name(identifier)
        return seen if isinstance(node, syntax.Field) else call("text", seen)

    def _mixed_comparison(self, node: syntax.Comparison) -> ast.expr:
        return quote(
            _MIXED_COMPARISONS[node.operator],
            LEFT=self.value(node.left),
            RIGHT=self.value(node.right),
        )

    def _match(self, node: syntax.Match) -> ast.expr:
        found = self._test(self.text(node.text), node.pattern)
        return quote("not FOUND", FOUND=found) if node.negated else found

    def _test(self, text: ast.expr, pattern: Expression) -> ast.expr:
        """Return whether a text matches a pattern, or a text that is used as one."""
        if isinstance(pattern, syntax.Group):
            return self._test(text, pattern.inside)
        if not isinstance(pattern, syntax.Regex):
            return call("matches", text, self.text(pattern))
        if self._folds_case:
            return call("matches", text, constant(pattern.pattern))
        compiled = compile_pattern(pattern.pattern)
        if compiled.literal is not None:
            return quote("LITERAL in TEXT", LITERAL=constant(compiled.literal), TEXT=text)
        test = self._keep("k", pattern.pattern, lambda: compiled.test)
        return quote("TEST(TEXT)", TEST=test, TEXT=text)

    def pattern(self, node: Expression) -> ast.expr:
        """Return a pattern, or what makes one of a text."""
        if isinstance(node, syntax.Group):
            return self.pattern(node.inside)
        if isinstance(node, syntax.Regex):
            if self._folds_case:
                return call("dynamic", constant(node.pattern))
            return self._keep("r", node.pattern, lambda: compile_pattern(node.pattern))
        return call("dynamic", self.text(node))

    METHODS: ClassVar[dict[type, Callable[..., ast.expr]]] = {
        syntax.Number: _number_leaf,
        syntax.Text: _text_leaf,
        syntax.Regex: _regex,
        syntax.Name: _name,
        syntax.Element: _element,
        syntax.Field: _field,
        syntax.Group: _group,
        syntax.Unary: _unary,
        syntax.Arithmetic: _arithmetic,
        syntax.Comparison: _comparison,
        syntax.Match: _match,
        syntax.Logic: _logic,
        syntax.Concatenation: _concatenation,
        syntax.Conditional: _conditional,
        syntax.Membership: _membership,
    }


def _compared(operator: str, left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [_OPERATORS[operator]()], [right])
