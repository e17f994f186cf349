"""Statements of awk as statements of Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.compile_actions import ActionCompiler, is_pure
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.facts import NUMERIC
from vshell.shell.commands.awk.quoting import (
    call,
    constant,
    joined,
    locate,
    name,
    quote,
    quote_statements,
    store,
)
from vshell.shell.commands.awk.syntax import Expression, Statement

__all__ = ["StatementCompiler"]

Section = Literal["begin", "main", "end", "file", "function"]
_PLAIN: Final = (syntax.Name, syntax.Number, syntax.Text)


@dataclass(slots=True)
class _Loop:
    """A loop or `switch` around a statement.

    Attributes:
        before_next: What `continue` does before the loop goes on, such as the step of `for`.
        continues: For a `switch`: the name of what says that the loop around it goes on.
        is_continued: Whether anything in the `switch` asks for that.
    """

    before_next: Callable[[], list[ast.stmt]] | None = None
    continues: str | None = None
    is_continued: bool = False


class StatementCompiler(ActionCompiler):
    """Compiles statements."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._loops: list[_Loop] = []
        self.section: Section = "begin"
        self.skips = False
        """Whether `next` has to leave more than the rule that it is in."""

    def block(self, statements: Sequence[Statement]) -> list[ast.stmt]:
        """Compile statements; there is at least one."""
        found: list[ast.stmt] = []
        for statement in statements:
            found += self.statement(statement)
        return found or [ast.Pass()]

    def statement(self, node: Statement) -> list[ast.stmt]:
        """Compile a statement."""
        if isinstance(node, syntax.Block):
            return self.block(node.statements)
        found: list[ast.stmt] = self._STATEMENTS[node.__class__](self, node)
        for each in found:
            locate(each, node.line)
        return found

    # Plain statements.

    def _evaluate(self, node: syntax.Evaluate) -> list[ast.stmt]:
        expression = node.expression
        while isinstance(expression, syntax.Group):
            expression = expression.inside
        if isinstance(expression, syntax.Increment):
            operator: Any = "+" if expression.step > 0 else "-"
            expression = syntax.Assignment(operator, expression.target, syntax.Number(1.0))
        if isinstance(expression, syntax.Assignment):
            found = self._assign(expression)
            if found is not None:
                return found
        return [ast.Expr(self.raw(expression))]

    def _assign(self, node: syntax.Assignment) -> list[ast.stmt] | None:
        """Compile an assignment to a variable or element, whose value nobody wants."""
        target = node.target
        if isinstance(target, syntax.Name):
            self._set_name(target, constant(0.0))
            if self._is_special(target.name):
                return None
            read = again = self.raw(target)
        elif isinstance(target, syntax.Element) and isinstance(target.array, syntax.Name):
            array, key = self.array(target.array), self.key(target.subscripts)
            if not node.operator:
                value = self.value(node.value, self._kept(target))
                return [ast.Assign([ast.Subscript(array, key, ast.Store())], value)]
            first, second = self._once(key)
            read = ast.Subscript(array, first, ast.Load())
            again = ast.Subscript(array, second, ast.Load())
        elif (
            isinstance(target, syntax.Field)
            and isinstance(target.index, syntax.Number)
            and 1 <= target.index.value < 1000
            and not node.operator
        ):
            return [ast.Expr(self.stored_field(int(target.index.value), node.value))]
        else:
            return None
        if not node.operator:
            return [ast.Assign([store(again)], self.value(node.value, self._kept(target)))]
        left = self._read_number(target, read)
        if node.operator in "%^" and self._is_numeric(target):
            left = quote("+LEFT", LEFT=left)
        operand, before = self._operand(node.operator, node.value), []
        if not is_pure(node.value):
            first, operand = self._once(operand)
            before = [ast.Expr(first)]
        value = self.calculation(node.operator, left, operand)
        return [*before, ast.Assign([store(again)], value)]

    def _print(self, node: syntax.Print) -> list[ast.stmt]:
        if node.formatted:
            text = self.formatted(node.arguments)
        else:
            parts: list[ast.expr] = []
            for argument in node.arguments:
                parts += (self.special_text("OFS"), self.shown(argument))
            shown = parts[1:] or [self.record_text()]
            text = joined([*shown, self.special_text("ORS")])
        if node.destination is None:
            return [ast.Expr(call("write", text))]
        destination = self.text(node.destination)
        return [ast.Expr(call("write_to", constant(node.redirection), destination, text))]

    def _delete(self, node: syntax.Delete) -> list[ast.stmt]:
        array = self.array(node.array)
        if node.subscripts is None:
            return [ast.Expr(quote("ARRAY.clear()", ARRAY=array))]
        return [ast.Expr(quote("ARRAY.pop(KEY, None)", ARRAY=array, KEY=self.key(node.subscripts)))]

    # Conditions and loops.

    def _if(self, node: syntax.If) -> list[ast.stmt]:
        no = [] if node.no is None else self.statement(node.no)
        return [ast.If(self.condition(node.condition), self._body(node.yes), no)]

    def _body(self, node: Statement) -> list[ast.stmt]:
        return self.statement(node) or [ast.Pass()]

    def _looped(self, node: Statement, loop: _Loop) -> list[ast.stmt]:
        self._loops.append(loop)
        found = self._body(node)
        self._loops.pop()
        return found

    def _while(self, node: syntax.While) -> list[ast.stmt]:
        body = self._looped(node.body, _Loop())
        return [ast.While(self.condition(node.condition), body, [])]

    def _do(self, node: syntax.DoWhile) -> list[ast.stmt]:
        def leave() -> list[ast.stmt]:
            return quote_statements("if not TEST: break", TEST=self.condition(node.condition))

        body = self._looped(node.body, _Loop(leave))
        return [ast.While(ast.Constant(True), [*body, *leave()], [])]

    def _for(self, node: syntax.For) -> list[ast.stmt]:
        def step() -> list[ast.stmt]:
            return [] if node.step is None else self.statement(node.step)

        begin = [] if node.begin is None else self.statement(node.begin)
        condition = ast.Constant(True) if node.condition is None else self.condition(node.condition)
        body = self._looped(node.body, _Loop(step))
        return [*begin, ast.While(condition, [*body, *step()], [])]

    def _for_in(self, node: syntax.ForIn) -> list[ast.stmt]:
        keys = call("keys", self.array(node.array))
        if self._is_special(node.target.name):
            key = self._temporary()
            setting = ast.Expr(self._set_name(node.target, name(key)))
            body = [setting, *self._looped(node.body, _Loop())]
        else:
            self._set_name(node.target, constant(""))
            key = self._identifier(node.target.name)
            body = self._looped(node.body, _Loop())
        return [ast.For(ast.Name(key, ast.Store()), keys, body, [])]

    def _switch(self, node: syntax.Switch) -> list[ast.stmt]:
        value, chosen = self._temporary(), self._temporary()
        loop = _Loop(continues=self._temporary())
        default = next(
            (at for at, case in enumerate(node.cases) if case.value is None), len(node.cases)
        )
        choice: ast.expr = ast.Constant(default)
        for at, case in reversed(list(enumerate(node.cases))):
            if case.value is not None:
                choice = quote(
                    "AT if TEST else OTHER",
                    AT=ast.Constant(at),
                    TEST=self._is_case(name(value), case.value),
                    OTHER=choice,
                )
        body: list[ast.stmt] = []
        for at, case in enumerate(node.cases):
            test = quote("CHOSEN <= AT", CHOSEN=name(chosen), AT=ast.Constant(at))
            body.append(ast.If(test, self._looped(case.body, loop), []))
        found: list[ast.stmt] = [
            ast.Assign([ast.Name(value, ast.Store())], self.value(node.value)),
            ast.Assign([ast.Name(chosen, ast.Store())], choice),
            ast.While(ast.Constant(True), [*body, ast.Break()], []),
        ]
        if loop.is_continued:
            assert loop.continues is not None
            flag = ast.Name(loop.continues, ast.Store())
            found.insert(0, ast.Assign([flag], ast.Constant(False)))
            going_on = self._continue()
            found.append(ast.If(name(loop.continues), going_on, []))
        return found

    def _is_case(self, value: ast.expr, label: Expression) -> ast.expr:
        if isinstance(label, syntax.Regex) and not label.is_value:
            return self._test(call("text", value), label)
        if self.kind(label) in NUMERIC:
            number = self.strict_number(label)
            return quote("as_number(VALUE) == X", VALUE=value, X=number)
        return quote("not isinstance(VALUE, float) and VALUE == X", VALUE=value, X=self.text(label))

    # Jumps.

    def _jump(self, node: syntax.Jump) -> list[ast.stmt]:
        if node.kind == "break":
            return [ast.Break()] if self._loops else self._outside("break")
        if node.kind == "continue":
            return self._continue() if self._loops else self._outside("continue")
        if self.section in ("begin", "end"):
            raise AwkFatal(f"`{node.kind}' used in {self.section.upper()} action")
        skip = quote_statements("skip_file()") if node.kind == "nextfile" else []
        if self.section == "file":
            return quote_statements("raise SkipFile")
        if self.section == "main" and not self._loops:
            return [*skip, ast.Continue()]
        self.skips = True
        return [*skip, *quote_statements("raise SkipRecord")]

    def _outside(self, kind: str) -> list[ast.stmt]:
        raise AwkFatal(f"`{kind}' is not allowed outside a loop or switch")

    def _continue(self) -> list[ast.stmt]:
        loop = self._loops[-1] if self._loops else None
        if loop is None:
            return self._outside("continue")
        if loop.continues is None:
            return [*(loop.before_next() if loop.before_next else []), ast.Continue()]
        loop.is_continued = True
        return [
            ast.Assign([ast.Name(loop.continues, ast.Store())], ast.Constant(True)),
            ast.Break(),
        ]

    def _exit(self, node: syntax.Exit) -> list[ast.stmt]:
        status = [] if node.status is None else [self.value(node.status)]
        return [ast.Expr(call("exit", *status))]

    def _return(self, node: syntax.Return) -> list[ast.stmt]:
        if self.section != "function":
            raise AwkFatal("`return' used outside function context")
        if node.value is None:
            return [ast.Return(name("UNSET"))]
        kept = self._facts.holds("return", self._function)
        return [ast.Return(self.value(node.value, kept))]

    _STATEMENTS: Final[dict[type, Callable[..., list[ast.stmt]]]] = {
        syntax.Evaluate: _evaluate,
        syntax.Print: _print,
        syntax.If: _if,
        syntax.While: _while,
        syntax.DoWhile: _do,
        syntax.For: _for,
        syntax.ForIn: _for_in,
        syntax.Switch: _switch,
        syntax.Jump: _jump,
        syntax.Exit: _exit,
        syntax.Return: _return,
        syntax.Delete: _delete,
    }
