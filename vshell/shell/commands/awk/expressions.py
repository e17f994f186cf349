"""The grammar of awk's expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.errors import AwkSyntaxError
from vshell.shell.commands.awk.lexer import BUILTINS, Token, tokenize
from vshell.shell.commands.awk.syntax import Expression, Target

__all__ = ["ExpressionParser"]

MAX_DEPTH: Final = 100
"""How deep parentheses, and blocks, may be in each other."""

_ASSIGNMENTS: Final = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "^="})
_COMPARISONS: Final = frozenset({"<", "<=", "==", "!=", ">", ">="})
_STARTS: Final = frozenset({"$", "!", "(", "-", "+", "++", "--", "@"})
"""The signs that a value may begin with."""
_LITERALS: Final = frozenset({"number", "string", "regex", "name", "call", "builtin"})


class ExpressionParser:
    """Reads expressions from the words of a program.

    Args:
        source: The program.

    Raises:
        AwkSyntaxError: The words are none of the language.
    """

    def __init__(self, source: str) -> None:
        self._tokens = tokenize(source)
        self._place = 0
        self._depth = 0
        self._greater_redirects = False

    # Words.

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._tokens[self._place]
        if token.kind != "end":
            self._place += 1
        return token

    def _is(self, *texts: str) -> bool:
        token = self._tokens[self._place]
        return token.text in texts and token.kind in ("sign", "word")

    def _accept(self, text: str) -> bool:
        if self._is(text):
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._wrong()

    def _wrong(self, message: str = "syntax error") -> AwkSyntaxError:
        """Return what is wrong where the parser is."""
        token = self._token
        if token.kind == "end" and message == "syntax error":
            message = "unexpected newline or end of string"
        return AwkSyntaxError(message, token.position)

    def _skip_newlines(self) -> None:
        while self._accept("\n"):
            pass

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong("program is nested too deeply")

    # Operators, the loosest first.

    def expression(self) -> Expression:
        """Read an expression."""
        self._enter()
        condition = self._alternatives()
        if self._accept("?"):
            self._skip_newlines()
            yes = self.expression()
            self._skip_newlines()
            self._expect(":")
            self._skip_newlines()
            condition = syntax.Conditional(condition, yes, self.expression())
        self._depth -= 1
        return condition

    def _alternatives(self) -> Expression:
        operands = [self._conjunction()]
        while self._accept("||"):
            self._skip_newlines()
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else syntax.Logic("||", tuple(operands))

    def _conjunction(self) -> Expression:
        operands = [self._membership()]
        while self._accept("&&"):
            self._skip_newlines()
            operands.append(self._membership())
        return operands[0] if len(operands) == 1 else syntax.Logic("&&", tuple(operands))

    def _membership(self) -> Expression:
        left = self._matching()
        while self._accept("in"):
            left = syntax.Membership((left,), self._array())
        return left

    def _matching(self) -> Expression:
        left = self._comparison()
        while self._is("~") or (self._is("!") and self._tokens[self._place + 1].text == "~"):
            negated = self._next().text == "!"
            if negated:
                self._next()
            left = syntax.Match(left, self._comparison(), negated)
        return left

    def _comparison(self) -> Expression:
        left = self._concatenation()
        while True:
            token = self._token
            if token.kind != "sign":
                return left
            if token.text in ("|", "|&") and self._tokens[self._place + 1].text == "getline":
                self._place += 2
                kind = "command" if token.text == "|" else "coprocess"
                left = syntax.Getline(kind, left, self._optional_target())  # type: ignore[arg-type]
            elif token.text in _COMPARISONS and not (token.text == ">" and self._greater_redirects):
                self._place += 1
                right = self._concatenation()
                left = syntax.Comparison(token.text, left, right)  # type: ignore[arg-type]
            else:
                return left

    def _concatenation(self) -> Expression:
        parts = [self._sum()]
        while self._starts_value():
            parts.append(self._sum())
        return parts[0] if len(parts) == 1 else syntax.Concatenation(tuple(parts))

    def _starts_value(self) -> bool:
        token = self._token
        if token.kind == "sign":
            if token.text == "!":
                return self._tokens[self._place + 1].text != "~"
            return token.text in _STARTS
        return token.kind in _LITERALS

    def _sum(self) -> Expression:
        left = self._product()
        while self._is("+", "-"):
            operator = self._next().text
            left = syntax.Arithmetic(operator, left, self._product())  # type: ignore[arg-type]
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self._is("*", "/", "%"):
            operator = self._next().text
            left = syntax.Arithmetic(operator, left, self._signed())  # type: ignore[arg-type]
        return left

    def _signed(self) -> Expression:
        if self._is("-", "+", "!"):
            operator = self._next().text
            self._enter()
            operand = self._signed()
            self._depth -= 1
            return syntax.Unary(operator, operand)  # type: ignore[arg-type]
        return self._power()

    def _power(self) -> Expression:
        base = self._value()
        if not self._accept("^"):
            return base
        self._enter()
        exponent = self._signed()
        self._depth -= 1
        return syntax.Arithmetic("^", base, exponent)

    # Values.

    def _value(self) -> Expression:
        """Read a value with what stands right before and after it."""
        if self._is("++", "--"):
            step = 1 if self._next().text == "++" else -1
            return syntax.Increment(self._target(), step, is_prefix=True)  # type: ignore[arg-type]
        value = self._primary()
        if not isinstance(value, Target):
            return value
        token = self._token
        if token.kind == "sign" and token.text in ("++", "--"):
            self._place += 1
            step = 1 if token.text == "++" else -1
            return syntax.Increment(value, step, is_prefix=False)  # type: ignore[arg-type]
        if token.kind == "sign" and token.text in _ASSIGNMENTS:
            self._place += 1
            self._skip_newlines()
            operator = token.text[:-1]
            return syntax.Assignment(operator, value, self.expression())  # type: ignore[arg-type]
        return value

    def _primary(self) -> Expression:
        token = self._token
        if token.kind == "name":
            return self._named()
        self._place += token.kind != "end"
        if token.kind in _CONSTANTS:
            return _CONSTANTS[token.kind](token.text)
        if token.kind == "builtin":
            return self._builtin(token)
        if token.kind == "call":
            self._place += 1
            return syntax.Call(token.text, self._arguments(), token.position)
        if token.text == "$" and token.kind == "sign":
            return self._field()
        if token.text == "(" and token.kind == "sign":
            return self._parenthesis()
        if token.text == "getline" and token.kind == "word":
            return self._getline()
        if token.text == "@" and token.kind == "sign":
            return self._at()
        self._place -= token.kind != "end"
        raise self._wrong()

    def _at(self) -> Expression:
        token = self._next()
        if token.kind == "regex":
            return syntax.Regex(token.text, is_value=True)
        if token.kind == "call":
            self._place += 1
            return syntax.Call(token.text, self._arguments(), token.position, is_indirect=True)
        self._place -= 1
        raise self._wrong()

    def _named(self) -> Name:
        found: syntax.Name | syntax.Element = syntax.Name(self._next().text)
        while self._accept("["):
            found = syntax.Element(found, self._listed("]"))
        return found

    def _array(self) -> Name:
        if self._token.kind != "name":
            raise self._wrong()
        return self._named()

    def _field(self) -> Expression:
        """Read what follows a dollar: it binds closer than all but another one."""
        self._enter()
        if self._is("++", "--"):
            index: Expression = self._value()
        elif self._is("-", "+", "!"):
            index = syntax.Unary(self._next().text, self._primary())  # type: ignore[arg-type]
        else:
            index = self._primary()
        self._depth -= 1
        return syntax.Field(index)

    def _parenthesis(self) -> Expression:
        start = self._place - 1
        outer, self._greater_redirects = self._greater_redirects, False
        inside = self._listed(")")
        self._greater_redirects = outer
        if len(inside) == 1:
            return syntax.Group(inside[0])
        if self._accept("in"):
            return syntax.Membership(inside, self._array())
        self._place = start
        raise self._wrong()

    def _arguments(self) -> tuple[Expression, ...]:
        self._skip_newlines()
        if self._accept(")"):
            return ()
        return self._listed(")")

    def _listed(self, end: str) -> tuple[Expression, ...]:
        """Read expressions with commas between them, up to a sign that ends them."""
        outer, self._greater_redirects = self._greater_redirects, False
        found: list[Expression] = []
        while True:
            self._skip_newlines()
            found.append(self.expression())
            self._skip_newlines()
            if not self._accept(","):
                break
        self._expect(end)
        self._greater_redirects = outer
        return tuple(found)

    def _builtin(self, token: Token) -> Expression:
        name = token.text
        least, most = BUILTINS[name]
        if self._accept("("):
            arguments = self._arguments()
        elif name == "length":
            arguments = ()
        else:
            raise self._wrong()
        if not least <= len(arguments) <= most:
            self._place -= 1
            raise self._wrong(f"{len(arguments)} is invalid as number of arguments for {name}")
        return syntax.Builtin(name, arguments)

    def _getline(self) -> Expression:
        target = self._optional_target()
        if self._accept("<"):
            return syntax.Getline("file", self._getline_source(), target)
        return syntax.Getline("input", None, target)

    def _getline_source(self) -> Expression:
        if self._is("++", "--"):
            return self._value()
        source = self._primary()
        if isinstance(source, Target) and self._is("++", "--"):
            step = 1 if self._next().text == "++" else -1
            return syntax.Increment(source, step, is_prefix=False)  # type: ignore[arg-type]
        return source

    def _optional_target(self) -> Target | None:
        return self._target() if self._is("$") or self._token.kind == "name" else None

    def _target(self) -> Target:
        if not (self._is("$") or self._token.kind == "name"):
            raise self._wrong()
        target = self._primary()
        assert isinstance(target, Target)
        return target


Name = syntax.Name | syntax.Element


def _number(text: str) -> syntax.Number:
    return syntax.Number(float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text))


_CONSTANTS: Final[dict[str, Callable[[str], Expression]]] = {
    "number": _number,
    "string": syntax.Text,
    "regex": syntax.Regex,
}
