"""`bc`: arithmetic of any precision, with variables, functions and loops."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_bytes, to_text
from vshell.shell.commands import bc_numbers as numbers
from vshell.shell.commands.bc_numbers import ONE, ZERO, Number
from vshell.shell.messages import reason

_TOKEN: Final = re.compile(
    r"(?P<skip>[ \t\r]+|/\*.*?\*/|#[^\n]*|\\\n)"
    r'|(?P<string>"[^"]*")'
    r"|(?P<number>[0-9A-F]*\.[0-9A-F]+|[0-9A-F]+\.?)"
    r"|(?P<name>[a-z][a-z0-9_]*)"
    r"|(?P<operator>\+\+|--|[-+*/%^=!<>]=|&&|\|\||[-+*/%^=<>!(){}\[\],;\n])",
    re.DOTALL,
)
_KEYWORDS: Final = frozenset(
    (
        *("auto", "break", "continue", "define", "else", "for", "halt", "if", "length", "limits"),
        *("print", "quit", "read", "return", "scale", "sqrt", "while"),
    )
)
_MAX_DEPTH: Final = 150
_MAX_CALLS: Final = 500
_RECURSION: Final = 12_000
"""Enough for both of these; calls from Python to Python need no stack of the process."""
_MAX_SCALE: Final = 20_000
_LINE: Final = 68
_MATH: Final = frozenset("sclaej")


class _Jump(Exception):  # noqa: N818 - it is how a statement ends
    def __init__(self, kind: str, value: Number = ZERO) -> None:
        super().__init__()
        self.kind = kind
        self.value = value


class _SyntaxFault(Exception):  # noqa: N818 - reported, and the line is left
    pass


class _RuntimeFault(Exception):  # noqa: N818 - reported, and the statement is left
    pass


Node = tuple[Any, ...]


@dataclass(slots=True)
class _Function:
    parameters: list[str]
    locals: list[str]
    body: list[Node]


class _Parser:
    """Reads statements into nested tuples."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                self._tokens.append(("bad", text[position]))
                position += 1
                continue
            position = match.end()
            if match.lastgroup != "skip":
                self._tokens.append((match.lastgroup or "", match.group()))
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
            raise _SyntaxFault

    def _newlines(self) -> None:
        while self._take("\n"):
            pass

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
                raise _SyntaxFault
        return statements

    def _statement(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _SyntaxFault
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
                raise _SyntaxFault
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
        self._take("void")
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
        return ("define", name, _Function(parameters, names, self._block()))

    def _names(self, end: str) -> list[str]:
        names: list[str] = []
        while self._kind() == "name" and self._peek() != end:
            name = self._next()
            if self._take("["):
                self._require("]")
                name += "[]"
            names.append(name)
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
            raise _SyntaxFault
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
        if kind != "name":
            raise _SyntaxFault
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
            raise _SyntaxFault
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
                raise _SyntaxFault
        return ("call", name, arguments)


_STATEMENTS: Final[dict[str, Callable[[_Parser], Node]]] = {
    "if": _Parser._if,  # noqa: SLF001
    "while": _Parser._while,  # noqa: SLF001
    "for": _Parser._for,  # noqa: SLF001
    "print": _Parser._print,  # noqa: SLF001
    "define": _Parser._define,  # noqa: SLF001
    "return": _Parser._return,  # noqa: SLF001
    "break": lambda _: ("jump", "break"),
    "continue": lambda _: ("jump", "continue"),
    "quit": lambda _: ("jump", "quit"),
    "halt": lambda _: ("jump", "halt"),
}


@dataclass(slots=True)
class _Machine:
    """Runs statements."""

    call: Invocation
    out: BufferedOutput
    math: bool
    scale: int = 0
    ibase: int = 10
    obase: int = 10
    last: Number = ZERO
    variables: dict[str, Number] = field(default_factory=dict)
    arrays: dict[str, dict[int, Number]] = field(default_factory=dict)
    functions: dict[str, _Function] = field(default_factory=dict)
    depth: int = 0

    def run(self, statement: Node) -> None:
        kind = statement[0]
        if kind == "expression":
            self._show_expression(statement[1])
        elif kind == "string":
            self.out.write(to_bytes(statement[1]))
        elif kind == "block":
            for each in statement[1]:
                self.run(each)
        elif kind == "if":
            chosen = statement[2] if self.value(statement[1]).units else statement[3]
            if chosen is not None:
                self.run(chosen)
        elif kind == "for":
            self._loop(statement)
        elif kind == "print":
            self._print(statement[1])
        elif kind == "define":
            self.functions[statement[1]] = statement[2]
        elif kind == "return":
            raise _Jump("return", ZERO if statement[1] is None else self.value(statement[1]))
        else:
            raise _Jump(statement[1])

    def _show_expression(self, node: Node) -> None:
        value = self.value(node)
        if node[0] == "assign":
            return
        self.last = value
        self.out.write(to_bytes(self._wrapped(numbers.show(value, self.obase)) + "\n"))

    def _wrapped(self, text: str) -> str:
        width = self.call.environment.get("BC_LINE_LENGTH", "")
        limit = int(width) - 2 if width.isdigit() and len(width) < 9 else _LINE
        if limit < 2 or len(text) <= limit:
            return text
        return "\\\n".join(text[place : place + limit] for place in range(0, len(text), limit))

    def _loop(self, statement: Node) -> None:
        _, first, condition, step, body = statement
        if first is not None:
            self.value(first)
        while condition is None or self.value(condition).units:
            try:
                self.run(body)
            except _Jump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise
            if step is not None:
                self.value(step)

    def _print(self, items: list[Node]) -> None:
        for item in items:
            if item[0] == "text":
                self.out.write(to_bytes(_unescaped(item[1])))
            else:
                self.last = self.value(item)
                self.out.write(to_bytes(numbers.show(self.last, self.obase)))

    # Values.

    def value(self, node: Node) -> Number:
        kind = node[0]
        if kind == "number":
            return numbers.parse(node[1], self.ibase)
        if kind == "group":
            return self.value(node[1])
        if kind in ("variable", "special", "element"):
            return self._read(node)
        if kind == "binary":
            return self._binary(node[1], self.value(node[2]), self.value(node[3]))
        if kind == "negate":
            inner = self.value(node[1])
            return Number(-inner.units, inner.scale)
        if kind == "assign":
            return self._assign(node)
        if kind == "step":
            return self._step(node)
        if kind == "call":
            return self._call(node[1], node[2])
        return Number(int(self._truth(node)), 0)

    def _truth(self, node: Node) -> bool:
        kind = node[0]
        if kind == "compare":
            order = numbers.compare(self.value(node[2]), self.value(node[3]))
            return {
                "==": order == 0, "!=": order != 0, "<": order < 0,
                "<=": order <= 0, ">": order > 0, ">=": order >= 0,
            }[node[1]]  # fmt: skip
        if kind == "not":
            return not self.value(node[1]).units
        left = bool(self.value(node[1]).units)
        right = bool(self.value(node[2]).units)
        return (left and right) if kind == "and" else (left or right)

    def _binary(self, operator: str, left: Number, right: Number) -> Number:
        if operator == "+":
            return numbers.add(left, right)
        if operator == "-":
            return numbers.subtract(left, right)
        if operator == "*":
            return numbers.multiply(left, right, self.scale)
        if operator == "^":
            if not left.units and right.units < 0:
                raise _RuntimeFault("Divide by zero")
            return numbers.power(left, right, self.scale)
        if not right.units:
            raise _RuntimeFault("Divide by zero" if operator == "/" else "Modulo by zero")
        compute = numbers.divide if operator == "/" else numbers.modulo
        return compute(left, right, self.scale)

    def _read(self, place: Node) -> Number:
        if place[0] == "variable":
            return self.variables.get(place[1], ZERO)
        if place[0] == "element":
            return self.arrays.get(place[1], {}).get(self._index(place), ZERO)
        if place[1] == "last":
            return self.last
        return Number({"scale": self.scale, "ibase": self.ibase, "obase": self.obase}[place[1]], 0)

    def _index(self, place: Node) -> int:
        index = numbers.rescaled(self.value(place[2]), 0).units
        if not 0 <= index <= 16_777_215:
            raise _RuntimeFault(f"Array {place[1]} subscript out of bounds.")
        return index

    def _write(self, place: Node, value: Number) -> None:
        if place[0] == "variable":
            self.variables[place[1]] = value
        elif place[0] == "element":
            self.arrays.setdefault(place[1], {})[self._index(place)] = value
        elif place[1] == "last":
            self.last = value
        else:
            limits = {"scale": (0, _MAX_SCALE), "ibase": (2, 16), "obase": (2, 999_999_999)}[
                place[1]
            ]
            setattr(
                self, place[1], min(max(numbers.rescaled(value, 0).units, limits[0]), limits[1])
            )

    def _assign(self, node: Node) -> Number:
        _, operator, place, source = node
        value = self.value(source)
        if operator:
            value = self._binary(operator, self._read(place), value)
        self._write(place, value)
        return value

    def _step(self, node: Node) -> Number:
        _, operator, place, is_before = node
        before = self._read(place)
        after = self._binary(operator, before, ONE)
        self._write(place, after)
        return after if is_before else before

    # Functions.

    def _call(self, name: str, arguments: list[Node]) -> Number:
        if name in ("sqrt", "length", "scale"):
            return self._builtin(name, self.value(arguments[0]) if arguments else ZERO)
        if name == "read":
            line = to_text(self.call.stdin.readline()).strip()
            return numbers.parse(line, self.ibase) if re.fullmatch(r"\d+\.?\d*", line) else ZERO
        function = self.functions.get(name)
        if function is None:
            if self.math and name in _MATH and arguments:
                return self._math(name, [self.value(each) for each in arguments])
            raise _RuntimeFault(f"Function {name} not defined.")
        if len(arguments) != len(function.parameters):
            raise _RuntimeFault("Parameter number mismatch")
        return self._invoke(function, arguments)

    def _builtin(self, name: str, value: Number) -> Number:
        if name == "scale":
            return Number(value.scale, 0)
        if name == "length":
            digits = numbers.show(Number(abs(value.units), 0), 10)
            return Number(max(len(digits) if value.units else 1, value.scale), 0)
        if value.units < 0:
            raise _RuntimeFault("Square root of a negative number")
        return numbers.square_root(value, self.scale)

    def _invoke(self, function: _Function, arguments: list[Node]) -> Number:
        self.depth += 1
        if self.depth > _MAX_CALLS:
            self.depth = 0
            raise _RuntimeFault("functions call each other too deeply")
        values = [
            dict(self.arrays.get(each[1], {})) if each[0] == "array" else self.value(each)
            for each in arguments
        ]
        variables, arrays = self.variables, self.arrays
        self.variables, self.arrays = dict(variables), dict(arrays)
        local = [*function.parameters, *function.locals]
        for name, value in zip(function.parameters, values, strict=True):
            if isinstance(value, dict):
                self.arrays[name.removesuffix("[]")] = value
            else:
                self.variables[name] = value
        for name in function.locals:
            if name.endswith("[]"):
                self.arrays[name[:-2]] = {}
            else:
                self.variables[name] = ZERO
        try:
            for statement in function.body:
                self.run(statement)
            result = ZERO
        except _Jump as jump:
            if jump.kind != "return":
                raise
            result = jump.value
        finally:
            self.depth = max(self.depth - 1, 0)
            self._leave(local, variables, arrays)
        return result

    def _leave(
        self, local: list[str], variables: dict[str, Number], arrays: dict[str, dict[int, Number]]
    ) -> None:
        """Keep what a function did to variables that are not its own."""
        variables |= {name: each for name, each in self.variables.items() if name not in local}
        arrays |= {name: each for name, each in self.arrays.items() if f"{name}[]" not in local}
        self.variables, self.arrays = variables, arrays

    def _math(self, name: str, values: list[Number]) -> Number:
        with localcontext() as context:
            context.prec = self.scale + 60 + len(str(abs(values[0].units))[:4000])
            operand = Decimal(values[-1].units).scaleb(-values[-1].scale)
            if name == "j":
                result = _bessel(numbers.rescaled(values[0], 0).units, operand)
            else:
                result = _FUNCTIONS[name](operand, context.prec)
            return Number(int(result.scaleb(self.scale)), self.scale)


def _limited(value: Decimal, most: int) -> Decimal:
    if abs(value) > most:
        raise _RuntimeFault(f"the argument of the function is larger than {most}")
    return value


def _exponential(value: Decimal, _: int) -> Decimal:
    return _limited(value, 100_000).exp()


def _logarithm(value: Decimal, precision: int) -> Decimal:
    return value.ln() if value > 0 else (1 - Decimal(10) ** min(precision, 100))


def _arctangent(value: Decimal, precision: int) -> Decimal:
    halvings = 0
    while abs(value) > Decimal("0.1"):
        value = value / (1 + (1 + value * value).sqrt())
        halvings += 1
    total, term, index = value, value, 1
    least = Decimal(10) ** -precision
    square = value * value
    while abs(term) > least:
        term = -term * square
        index += 2
        total += term / index
    return total * Decimal(2**halvings)


def _sine(value: Decimal, precision: int) -> Decimal:
    turn = _arctangent(Decimal(1), precision) * 8
    value = _limited(value, 10**9) % turn
    total, term, index = value, value, 1
    least = Decimal(10) ** -precision
    while abs(term) > least:
        term = -term * value * value / ((index + 1) * (index + 2))
        index += 2
        total += term
    return total


def _cosine(value: Decimal, precision: int) -> Decimal:
    return _sine(value + _arctangent(Decimal(1), precision) * 2, precision)


def _bessel(order: int, value: Decimal) -> Decimal:
    if abs(order) > 1000 or abs(value) > 1000:
        raise _RuntimeFault("the arguments of j are larger than 1000")
    sign = -1 if order < 0 and order % 2 else 1
    order = abs(order)
    half = value / 2
    term = Decimal(1)
    for index in range(1, order + 1):
        term = term * half / index
    total, index = term, 0
    while index < 4000 and (index < abs(value) or abs(term) > Decimal(10) ** -200):
        index += 1
        term = -term * half * half / (index * (index + order))
        total += term
    return total * sign


_FUNCTIONS: Final[dict[str, Callable[[Decimal, int], Decimal]]] = {
    "e": _exponential,
    "l": _logarithm,
    "a": _arctangent,
    "s": _sine,
    "c": _cosine,
}
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "r": "\r",
    "q": '"',
    "\\": "\\",
}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)


@failing
def run(call: Invocation) -> int:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        return _run(call)
    finally:
        sys.setrecursionlimit(before)


def _run(call: Invocation) -> int:
    parsed = call.parsed
    math = parsed.flag("mathlib")
    texts: list[str] = []
    for name in call.operands:
        try:
            texts.append(to_text(read_all(call, name)))
        except VshellError as error:
            raise Failure(f"File {name} is unavailable: {reason(error)}") from None
    with BufferedOutput(call.stdout) as out:
        machine = _Machine(call, out, math, scale=20 if math else 0)
        for text in texts:
            if not _run_text(machine, text):
                return 0
        _run_text(machine, to_text(call.stdin.read()))
    return 0


def _run_text(machine: _Machine, text: str) -> bool:
    """Run a text; return whether it did not `quit`."""
    parser = _Parser(text if text.endswith("\n") else text + "\n")
    while not parser.ended:
        try:
            statements = parser.line()
        except _SyntaxFault:
            machine.call.stderr.write(b"(standard_in) 1: syntax error\n")
            parser.skip_line()
            continue
        if ("jump", "quit") in statements:
            return False  # at once, when it is read
        try:
            for statement in statements:
                machine.run(statement)
        except _Jump as jump:
            if jump.kind in ("quit", "halt"):
                return False
        except (_RuntimeFault, RecursionError) as fault:
            why = str(fault) if isinstance(fault, _RuntimeFault) else "nested too deeply"
            machine.call.stderr.write(to_bytes(f"Runtime error (func=(main), adr=3): {why}\n"))
    return True


COMMANDS: Final = (
    Command(
        "bc",
        "[options] [file ...]",
        "An arbitrary precision calculator language.",
        run,
        options=(
            Option(("-l", "--mathlib"), "Use the predefined math routines."),
            Option(("-q", "--quiet"), "Don't print initial banner."),
            Option(("-i", "--interactive"), "Accepted."),
            Option(("-s", "--standard"), "Accepted."),
            Option(("-w", "--warn"), "Accepted."),
        ),
    ),
)
