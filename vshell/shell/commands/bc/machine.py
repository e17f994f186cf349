"""Statements of `bc`, run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, to_bytes, to_text
from vshell.shell.commands.bc import mathlib, numbers
from vshell.shell.commands.bc.numbers import ONE, ZERO, Number
from vshell.shell.commands.bc.parser import Function, Node

_MAX_CALLS: Final = 500
_MAX_SCALE: Final = 20_000
_LINE: Final = 68
_LIMITS: Final = {"scale": (0, _MAX_SCALE), "ibase": (2, 36), "obase": (2, 999_999_999)}


class Jump(Exception):  # noqa: N818 - it is how a statement ends
    def __init__(self, kind: str, value: Number = ZERO) -> None:
        super().__init__()
        self.kind = kind
        self.value = value


class RuntimeFault(Exception):  # noqa: N818 - reported, and the statement is left
    pass


@dataclass(slots=True)
class Machine:
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
    functions: dict[str, Function] = field(default_factory=dict)
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
            raise Jump("return", ZERO if statement[1] is None else self.value(statement[1]))
        else:
            raise Jump(statement[1])

    def _show_expression(self, node: Node) -> None:
        value = self.value(node)
        if node[0] == "assign" or (node[0] == "call" and self._is_void(node[1])):
            return
        self.last = value
        self.out.write(to_bytes(self._wrapped(numbers.show(value, self.obase)) + "\n"))

    def _is_void(self, name: str) -> bool:
        function = self.functions.get(name)
        return function is not None and function.is_void

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
            except Jump as jump:
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
                raise RuntimeFault("Divide by zero")
            return numbers.power(left, right, self.scale)
        if not right.units:
            raise RuntimeFault("Divide by zero" if operator == "/" else "Modulo by zero")
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
            raise RuntimeFault(f"Array {place[1]} subscript out of bounds.")
        return index

    def _write(self, place: Node, value: Number) -> None:
        if place[0] == "variable":
            self.variables[place[1]] = value
        elif place[0] == "element":
            self.arrays.setdefault(place[1], {})[self._index(place)] = value
        elif place[1] == "last":
            self.last = value
        else:
            self._set(place[1], numbers.rescaled(value, 0).units)

    def _set(self, name: str, value: int) -> None:
        least, most = _LIMITS[name]
        if not least <= value <= most:
            what = (
                "negative scale"
                if value < least == 0
                else f"{name} too {'small' if value < least else 'large'}"
            )
            value = min(max(value, least), most)
            self._warn(f"{what}, set to {value}")
        setattr(self, name, value)

    def _warn(self, message: str) -> None:
        self.out.flush()
        self.call.stderr.write(to_bytes(f"Runtime warning (func=(main), adr=3): {message}\n"))

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
            if self.math and name in mathlib.FUNCTIONS:
                values = [self.value(each) for each in arguments]
                if len(values) == mathlib.FUNCTIONS[name][1]:
                    return mathlib.FUNCTIONS[name][0](*values, self.scale)
                raise RuntimeFault("Parameter number mismatch")
            raise RuntimeFault(f"Function {name} not defined.")
        if len(arguments) != len(function.parameters):
            raise RuntimeFault("Parameter number mismatch")
        return self._invoke(function, arguments)

    def _builtin(self, name: str, value: Number) -> Number:
        if name == "scale":
            return Number(value.scale, 0)
        if name == "length":
            digits = numbers.show(Number(abs(value.units), 0), 10)
            return Number(max(len(digits) if value.units else 1, value.scale), 0)
        if value.units < 0:
            raise RuntimeFault("Square root of a negative number")
        return numbers.square_root(value, self.scale)

    def _invoke(self, function: Function, arguments: list[Node]) -> Number:
        self.depth += 1
        if self.depth > _MAX_CALLS:
            self.depth = 0
            raise RuntimeFault("functions call each other too deeply")
        values = [
            self._array(each[1], parameter) if each[0] == "array" else self.value(each)
            for each, parameter in zip(arguments, function.parameters, strict=True)
        ]
        variables, arrays = self.variables, self.arrays
        self.variables, self.arrays = dict(variables), dict(arrays)
        local = [name.lstrip("*") for name in (*function.parameters, *function.locals)]
        for name, value in zip(function.parameters, values, strict=True):
            if isinstance(value, dict):
                self.arrays[name.strip("*[]")] = value
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
        except Jump as jump:
            if jump.kind != "return":
                raise
            result = jump.value
        finally:
            self.depth = max(self.depth - 1, 0)
            self._leave(local, variables, arrays)
        return result

    def _array(self, name: str, parameter: str) -> dict[int, Number]:
        """Return what a function gets for an array: itself for a reference, else a copy."""
        found = self.arrays.setdefault(name, {})
        return found if parameter.startswith("*") else dict(found)

    def _leave(
        self, local: list[str], variables: dict[str, Number], arrays: dict[str, dict[int, Number]]
    ) -> None:
        """Keep what a function did to variables that are not its own."""
        variables |= {name: each for name, each in self.variables.items() if name not in local}
        arrays |= {name: each for name, each in self.arrays.items() if f"{name}[]" not in local}
        self.variables, self.arrays = variables, arrays


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
