"""The language of `bc`, read into nested tuples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"(?P<skip>[ \t\r]+|/\*.*?\*/|#[^\n]*|\\\n)"
    r'|(?P<string>"[^"]*")'
    r"|(?P<number>(?:[0-9A-Z](?:\\\n)*)*\.(?:[0-9A-Z](?:\\\n)*)+|(?:[0-9A-Z](?:\\\n)*)+\.?)"
    r"|(?P<name>[a-z][a-z0-9_]*)"
    r"|(?P<operator>\+\+|--|[-+*/%^=!<>]=|&&|\|\||[-+*/%^=<>!(){}\[\],;\n.])",
    re.DOTALL,
)
_KEYWORDS: Final = frozenset(
    (
        *("auto", "break", "continue", "define", "else", "for", "halt", "if", "length", "limits"),
        *("print", "quit", "read", "return", "scale", "sqrt", "while"),
    )
)
_BUILTIN: Final = frozenset({"length", "scale", "sqrt"})
_MAX_DEPTH: Final = 150


class SyntaxFault(Exception):  # noqa: N818 - reported, and the line is left
    """What comes is no statement."""


Node = tuple[Any, ...]


@dataclass(slots=True)
class Function:
    """A function, and the names of its parameters and of its own variables."""

    parameters: list[str]
    locals: list[str]
    body: list[Node]
    is_void: bool = False


class Parser:
    """Reads statements; each is a tuple that begins with its kind."""

    def __init__(self, script: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(script):
            match = _TOKEN.match(script, position)
            if match is None:
                self._tokens.append(("bad", script[position]))
                position += 1
                continue
            position = match.end()
            if match.lastgroup != "skip":
                text = match.group()
                if match.lastgroup == "number":
                    text = text.replace("\\\n", "")
                self._tokens.append((match.lastgroup or "", text))
        self._tokens.append(("end", ""))
        self._place = 0
        self._depth = 0

    @property
    def ended(self) -> bool:
        return self._tokens[self._place][0] == "end"

    def _peek(self) -> str:
        return self._tokens[self._place][1]

    def _kind(self) -> str:
        return self._tokens[self._place][0]

    def _next(self) -> str:
        token = self._tokens[self._place][1]
        if not self.ended:
            self._place += 1
        return token

    def _take(self, *texts: str) -> str | None:
        if self._kind() != "string" and self._peek() in texts and not self.ended:
            return self._next()
        return None

    def _require(self, text: str) -> None:
        if self._take(text) is None:
            raise SyntaxFault

    def _newlines(self) -> None:
        while self._take("\n"):
            pass

    @property
    def line_number(self) -> int:
        """In which line what was read last stands; a newline stands in the one that it begins."""
        return 1 + sum(text.count("\n") for text in self._consumed())

    def _consumed(self) -> Iterator[str]:
        return (text for _, text in self._tokens[: self._place + 1])

    def skip_line(self) -> None:
        while not self.ended and self._next() != "\n":
            pass

    def line(self) -> list[Node]:
        """Read the statements of a line; it may go on over others in braces."""
        statements: list[Node] = []
        while not self.ended:
            if self._take("\n"):
                return statements
            if self._take(";"):
                continue
            statements.append(self._statement())
            if not self.ended and self._peek() not in ("\n", ";"):
                raise SyntaxFault
        return statements

    def _statement(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise SyntaxFault
        try:
            return self._inner_statement()
        finally:
            self._depth -= 1

    def _inner_statement(self) -> Node:
        if self._kind() == "string":
            return ("string", self._next()[1:-1])
        word = self._peek() if self._kind() in ("name", "operator") else ""
        if word == "{":
            return ("block", self._block())
        reader = _STATEMENTS.get(word)
        if reader is not None:
            self._next()
            return reader(self)
        return ("expression", self._expression())

    def _block(self) -> list[Node]:
        self._require("{")
        statements: list[Node] = []
        while not self._take("}"):
            if self.ended:
                raise SyntaxFault
            if self._take(";", "\n"):
                continue
            statements.append(self._statement())
        return statements

    def _if(self) -> Node:
        self._require("(")
        condition = self._expression()
        self._require(")")
        self._newlines()
        body = self._statement()
        place = self._place
        while self._take(";", "\n"):
            pass
        if self._take("else"):
            self._newlines()
            return ("if", condition, body, self._statement())
        self._place = place
        return ("if", condition, body, None)

    def _while(self) -> Node:
        self._require("(")
        condition = self._expression()
        self._require(")")
        self._newlines()
        return ("for", None, condition, None, self._statement())

    def _for(self) -> Node:
        self._require("(")
        parts: list[Node | None] = []
        for end in (";", ";", ")"):
            parts.append(None if self._peek() == end else self._expression())
            self._require(end)
        self._newlines()
        return ("for", parts[0], parts[1], parts[2], self._statement())

    def _print(self) -> Node:
        items: list[Node] = []
        while True:
            if self._kind() == "string":
                items.append(("text", self._next()[1:-1]))
            else:
                items.append(self._expression())
            if not self._take(","):
                return ("print", items)

    def _define(self) -> Node:
        name = self._next()
        is_void = name == "void" and self._kind() == "name"
        if is_void:
            name = self._next()
        self._require("(")
        parameters = self._names(")")
        self._require(")")
        self._newlines()
        self._require("{")
        self._place -= 1
        place = self._place
        self._next()
        while self._take(";", "\n"):
            pass
        names: list[str] = []
        if self._take("auto"):
            names = self._names("")
            self._tokens.insert(self._place, ("operator", "{"))
        else:
            self._place = place
        return ("define", name, Function(parameters, names, self._block(), is_void))

    def _names(self, end: str) -> list[str]:
        names: list[str] = []
        while (is_reference := self._take("*") is not None) or (
            self._kind() == "name" and self._peek() != end
        ):
            name = self._next()
            if is_reference or self._peek() == "[":
                self._require("[")
                self._require("]")
                name += "[]"
            names.append("*" * is_reference + name)
            if not self._take(","):
                break
        return names

    def _return(self) -> Node:
        if self._peek() in ("\n", ";", "}") or self.ended:
            return ("return", None)
        return ("return", self._expression())

    # Expressions, from what binds least.

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise SyntaxFault
        try:
            return self._or()
        finally:
            self._depth -= 1

    def _or(self) -> Node:
        left = self._and()
        while self._take("||"):
            left = ("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._not()
        while self._take("&&"):
            left = ("and", left, self._not())
        return left

    def _not(self) -> Node:
        if self._take("!"):
            return ("not", self._not())
        return self._relation()

    def _relation(self) -> Node:
        left = self._assignment()
        while (operator := self._take("==", "<=", ">=", "!=", "<", ">")) is not None:
            left = ("compare", operator, left, self._assignment())
        return left

    def _assignment(self) -> Node:
        left = self._sum()
        if left[0] in ("variable", "element", "special"):
            operator = self._take("=", "+=", "-=", "*=", "/=", "%=", "^=")
            if operator is not None:
                return ("assign", operator[:-1], left, self._assignment())
        return left

    def _sum(self) -> Node:
        left = self._product()
        while (operator := self._take("+", "-")) is not None:
            left = ("binary", operator, left, self._product())
        return left

    def _product(self) -> Node:
        left = self._power()
        while (operator := self._take("*", "/", "%")) is not None:
            left = ("binary", operator, left, self._power())
        return left

    def _power(self) -> Node:
        left = self._unary()
        if self._take("^"):
            return ("binary", "^", left, self._power())
        return left

    def _unary(self) -> Node:
        if self._take("-"):
            return ("negate", self._unary())
        operator = self._take("++", "--")
        if operator is not None:
            return ("step", operator[0], self._unary(), True)
        return self._postfix()

    def _postfix(self) -> Node:
        node = self._primary()
        operator = self._take("++", "--") if node[0] in ("variable", "element", "special") else None
        return node if operator is None else ("step", operator[0], node, False)

    def _primary(self) -> Node:
        kind, text = self._kind(), self._peek()
        if kind == "number":
            self._next()
            return ("number", text)
        if self._take("("):
            inner = self._expression()
            self._require(")")
            return ("group", inner)
        if kind == "operator" and self._take("."):
            return ("special", "last")
        if kind != "name":
            raise SyntaxFault
        self._next()
        if text in ("ibase", "obase", "last"):
            return ("special", text)
        if text == "scale" and self._peek() != "(":
            return ("special", text)
        if self._take("["):
            index = self._expression()
            self._require("]")
            return ("element", text, index)
        if self._take("("):
            return self._call(text)
        if text in _KEYWORDS:
            raise SyntaxFault
        return ("variable", text)

    def _call(self, name: str) -> Node:
        arguments: list[Node] = []
        while not self._take(")"):
            place = self._place
            if (
                self._kind() == "name"
                and self._tokens[place + 1][1] == "["
                and self._tokens[place + 2][1] == "]"
            ):
                arguments.append(("array", self._next()))
                self._place += 2
            else:
                arguments.append(self._expression())
            if not self._take(",") and self._peek() != ")":
                raise SyntaxFault
        if name in _BUILTIN and any(each[0] == "array" for each in arguments):
            raise SyntaxFault
        return ("call", name, arguments)


_STATEMENTS: Final[dict[str, Callable[[Parser], Node]]] = {
    "if": Parser._if,  # noqa: SLF001
    "while": Parser._while,  # noqa: SLF001
    "for": Parser._for,  # noqa: SLF001
    "print": Parser._print,  # noqa: SLF001
    "define": Parser._define,  # noqa: SLF001
    "return": Parser._return,  # noqa: SLF001
    "break": lambda _: ("jump", "break"),
    "continue": lambda _: ("jump", "continue"),
    "quit": lambda _: ("jump", "quit"),
    "halt": lambda _: ("jump", "halt"),
}
