"""The grammar of awk's statements and rules."""

from __future__ import annotations

from typing import Final, cast

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.errors import AwkSyntaxError
from vshell.shell.commands.awk.expressions import ExpressionParser
from vshell.shell.commands.awk.syntax import Block, Expression, Redirection, Statement

__all__ = ["parse"]

_SPECIAL: Final = ("BEGIN", "END", "BEGINFILE", "ENDFILE")
_REDIRECTIONS: Final = (">", ">>", "|", "|&")


def parse(source: str) -> syntax.Program:
    """Return what a program consists of.

    Raises:
        AwkSyntaxError: It is none.
    """
    try:
        return _Parser(source).program()
    except RecursionError:
        raise AwkSyntaxError("program is nested too deeply", 0) from None


class _Parser(ExpressionParser):
    def program(self) -> syntax.Program:
        rules: list[syntax.Rule] = []
        functions: dict[str, syntax.Function] = {}
        while True:
            self._skip_terminators()
            if self._token.kind == "end":
                return syntax.Program(tuple(rules), functions)
            if self._is("@"):
                self._directive()
            elif self._accept("function"):
                function = self._function()
                if function.name in functions:
                    raise AwkSyntaxError(
                        f"function name `{function.name}' previously defined", function.position
                    )
                functions[function.name] = function
            else:
                rules.append(self._rule())

    def _directive(self) -> None:
        following = self._tokens[self._place + 1]
        if following.kind == "name" and following.text in ("include", "load", "namespace"):
            raise self._wrong(f"@{following.text} is not supported")
        raise self._wrong()

    def _skip_terminators(self) -> None:
        while self._is(";", "\n"):
            self._place += 1

    def _rule(self) -> syntax.Rule:
        line = self._token.line
        pattern: syntax.Special | syntax.Range | Expression | None = None
        if self._is(*_SPECIAL):
            pattern = syntax.Special(self._next().text)
            if not self._is("{"):
                raise self._wrong(f"`{pattern.name}' blocks must have an action part")
        elif not self._is("{"):
            pattern = self.expression()
            if self._accept(","):
                self._skip_newlines()
                pattern = syntax.Range(pattern, self.expression())
        body = self._block() if self._is("{") else None
        if body is None and not self._is(";", "\n", "") and self._token.kind != "end":
            raise self._wrong()
        return syntax.Rule(pattern, body, line)

    def _function(self) -> syntax.Function:
        token = self._next()
        if token.kind not in ("name", "call"):
            self._place -= 1
            raise self._wrong()
        self._expect("(")
        parameters: list[str] = []
        self._skip_newlines()
        while not self._is(")"):
            parameter = self._next()
            if parameter.kind != "name":
                self._place -= 1
                raise self._wrong()
            if parameter.text in parameters:
                raise AwkSyntaxError(
                    f"function `{token.text}': parameter `{parameter.text}' duplicated",
                    parameter.position,
                )
            parameters.append(parameter.text)
            self._skip_newlines()
            if not self._accept(","):
                break
            self._skip_newlines()
        self._expect(")")
        self._skip_newlines()
        return syntax.Function(token.text, tuple(parameters), self._block(), token.position)

    # Statements.

    def _block(self) -> Block:
        self._expect("{")
        statements: list[Statement] = []
        while True:
            self._skip_terminators()
            if self._accept("}"):
                return Block(tuple(statements))
            statements.append(self._statement())

    def _statement(self) -> Statement:
        self._enter()
        token = self._token
        if token.kind == "word" and token.text in self._COMPOUND:
            self._place += 1
            found: Statement = self._COMPOUND[token.text](self, token.line)
        elif self._is("{"):
            found = self._block()
        elif self._accept(";"):
            found = Block(())
        else:
            found = self._simple()
            self._end_statement()
        self._depth -= 1
        return found

    def _end_statement(self) -> None:
        if self._is(";", "\n"):
            self._place += 1
        elif not self._is("}") and self._token.kind != "end":
            raise self._wrong()

    def _body(self) -> Statement:
        """Read what a condition or a loop governs."""
        self._skip_newlines()
        return self._statement()

    def _condition(self) -> Expression:
        self._expect("(")
        (condition,) = self._listed(")")[:1]
        return condition

    def _if(self, line: int) -> Statement:
        condition = self._condition()
        yes = self._body()
        place = self._place
        self._skip_terminators()
        if not self._accept("else"):
            self._place = place
            return syntax.If(condition, yes, None, line)
        return syntax.If(condition, yes, self._body(), line)

    def _while(self, line: int) -> Statement:
        condition = self._condition()
        return syntax.While(condition, self._body(), line)

    def _do(self, line: int) -> Statement:
        body = self._body()
        self._skip_terminators()
        self._expect("while")
        condition = self._condition()
        self._end_statement()
        return syntax.DoWhile(body, condition, line)

    def _for(self, line: int) -> Statement:
        self._expect("(")
        place = self._place
        if self._token.kind == "name" and self._tokens[place + 1].text == "in":
            target = syntax.Name(self._next().text)
            self._place += 1
            array = self._array()
            if self._accept(")"):
                return syntax.ForIn(target, array, self._body(), line)
            self._place = place
        self._skip_newlines()
        begin = None if self._is(";") else self._simple()
        self._expect(";")
        self._skip_newlines()
        condition = None if self._is(";") else self.expression()
        self._expect(";")
        self._skip_newlines()
        step = None if self._is(")") else self._simple()
        self._expect(")")
        return syntax.For(begin, condition, step, self._body(), line)

    def _switch(self, line: int) -> Statement:
        value = self._condition()
        self._skip_newlines()
        self._expect("{")
        cases: list[syntax.Case] = []
        self._skip_terminators()
        while not self._accept("}"):
            label: Expression | None = None
            if self._accept("case"):
                label = self._signed()
            else:
                self._expect("default")
            self._expect(":")
            cases.append(syntax.Case(label, self._case_body()))
        return syntax.Switch(value, tuple(cases), line)

    def _case_body(self) -> Block:
        statements: list[Statement] = []
        self._skip_terminators()
        while not self._is("case", "default", "}"):
            statements.append(self._statement())
            self._skip_terminators()
        return Block(tuple(statements))

    _COMPOUND: Final = {"if": _if, "while": _while, "do": _do, "for": _for, "switch": _switch}

    def _simple(self) -> Statement:
        token = self._token
        text, line = token.text, token.line
        if token.kind == "word":
            if text in ("break", "continue", "next", "nextfile"):
                self._place += 1
                return syntax.Jump(text, line)  # type: ignore[arg-type]
            if text in ("exit", "return"):
                self._place += 1
                value = None if self._ends_statement() else self.expression()
                return syntax.Exit(value, line) if text == "exit" else syntax.Return(value, line)
            if text in ("print", "printf"):
                return self._print()
            if text == "delete":
                return self._delete()
        return syntax.Evaluate(self.expression(), line)

    def _ends_statement(self) -> bool:
        return self._is(";", "\n", "}") or self._token.kind == "end"

    def _delete(self) -> Statement:
        line = self._next().line
        if self._accept("("):
            array = self._array()
            self._expect(")")
        else:
            array = self._array()
        if isinstance(array, syntax.Element):
            return syntax.Delete(array.array, array.subscripts, line)
        return syntax.Delete(array, None, line)

    def _print(self) -> Statement:
        token = self._next()
        arguments: tuple[Expression, ...] = ()
        if self._is("(") and self._is_all_in_parentheses():
            self._place += 1
            arguments = self._arguments()
        elif not self._ends_statement() and not self._is(*_REDIRECTIONS):
            outer, self._greater_redirects = self._greater_redirects, True
            found = [self.expression()]
            while self._accept(","):
                self._skip_newlines()
                found.append(self.expression())
            self._greater_redirects = outer
            arguments = tuple(found)
        if token.text == "printf" and not arguments:
            raise self._wrong()
        redirection: Redirection = ""
        destination = None
        if self._is(*_REDIRECTIONS):
            redirection = cast("Redirection", self._next().text)
            outer, self._greater_redirects = self._greater_redirects, True
            destination = self._concatenation()
            self._greater_redirects = outer
        formatted = token.text == "printf"
        return syntax.Print(arguments, formatted, redirection, destination, token.line)

    def _is_all_in_parentheses(self) -> bool:
        """Whether the parenthesis here ends where the statement or its redirection does."""
        depth = 0
        for place in range(self._place, len(self._tokens)):
            token = self._tokens[place]
            if token.kind != "sign":
                continue
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                following = self._tokens[place + 1]
                return following.kind == "end" or (
                    following.kind == "sign" and following.text in (";", "\n", "}", *_REDIRECTIONS)
                )
        return False
