"""The stack of `dc`: arithmetic on its top, and printing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, Failure, to_bytes, to_text
from vshell.shell.commands.bc import numbers
from vshell.shell.commands.bc.numbers import ZERO, Number

_LINE: Final = 69
_MAX_STACK: Final = 1_000_000

Value = Number | str


class Fault(Exception):  # noqa: N818 - reported, and what follows is run
    """A command cannot be run; the text says why."""


class Stack:
    """Values, and what is done with those on the top."""

    def __init__(self, call: Invocation, out: BufferedOutput) -> None:
        self._call = call
        self._out = out
        self._stack: list[Value] = []
        self._scale = 0
        self._ibase = self._obase = 10

    # The stack.

    def _push(self, value: Value) -> None:
        if len(self._stack) >= _MAX_STACK:
            raise Failure("the stack is full")
        self._stack.append(value)

    def _pop(self) -> Value:
        if not self._stack:
            raise Fault("stack empty")
        return self._stack.pop()

    def _top(self) -> Value:
        if not self._stack:
            raise Fault("stack empty")
        return self._stack[-1]

    def _pop_number(self) -> Number:
        value = self._pop()
        if isinstance(value, str):
            raise Fault("non-numeric value")
        return value

    def _operands(self, count: int) -> list[Number]:
        """Return the topmost values, which stay until there is a result."""
        if len(self._stack) < count:
            raise Fault("stack empty")
        found: list[Number] = []
        for value in self._stack[-count:]:
            if isinstance(value, str):
                raise Fault("non-numeric value")
            found.append(value)
        return found

    def _compute(self, count: int, *results: Value) -> None:
        del self._stack[len(self._stack) - count :]
        self._stack += results

    # Arithmetic.

    def _binary(self, operation: Callable[[Number, Number], Number]) -> None:
        left, right = self._operands(2)
        self._compute(2, operation(left, right))

    def _add(self) -> None:
        self._binary(numbers.add)

    def _subtract(self) -> None:
        self._binary(numbers.subtract)

    def _multiply(self) -> None:
        self._binary(lambda left, right: numbers.multiply(left, right, self._scale))

    def _divide(self) -> None:
        self._binary(lambda left, right: numbers.divide(left, _divisor(right), self._scale))

    def _modulo(self) -> None:
        self._binary(
            lambda left, right: numbers.modulo(left, _divisor(right, "remainder"), self._scale)
        )

    def _divide_both(self) -> None:
        left, right = self._operands(2)
        quotient = numbers.divide(left, _divisor(right), self._scale)
        self._compute(2, quotient, numbers.modulo(left, right, self._scale))

    def _power(self) -> None:
        base, exponent = self._operands(2)
        if exponent.scale and exponent.units % 10**exponent.scale:
            self._call.stderr.write(b"Runtime warning: non-zero scale in exponent\n")
        if not base.units and exponent.units < 0:
            self._compute(2, ZERO)
            return
        self._compute(2, numbers.power(base, exponent, self._scale))

    def _power_modulo(self) -> None:
        base, exponent, modulus = (numbers.rescaled(each, 0).units for each in self._operands(3))
        if not modulus:
            raise Fault("remainder by zero")
        if exponent < 0:
            return  # GNU's leaves all as it is, and says nothing
        self._compute(3, Number(pow(base, exponent, modulus) if exponent else 1, 0))

    def _square_root(self) -> None:
        (value,) = self._operands(1)
        if value.units < 0:
            raise Fault("square root of negative number")
        self._compute(1, numbers.square_root(value, self._scale))

    # Printing.

    def _shown(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        text = numbers.show(value, self._obase)
        width = self._call.environment.get("DC_LINE_LENGTH", "")
        limit = int(width) - 1 if width.isdigit() and len(width) < 9 else _LINE
        if limit < 1 or len(text) <= limit:
            return text
        return "\\\n".join(text[at : at + limit] for at in range(0, len(text), limit))

    def _print(self) -> None:
        self._out.write(to_bytes(self._shown(self._top()) + "\n"))

    def _print_and_pop(self) -> None:
        self._out.write(to_bytes(self._shown(self._pop())))

    def _print_all(self) -> None:
        for value in reversed(self._stack):
            self._out.write(to_bytes(self._shown(value) + "\n"))

    def _print_bytes(self) -> None:
        value = self._pop()
        if isinstance(value, str):
            self._out.write(to_bytes(value))
            return
        units = abs(numbers.rescaled(value, 0).units)
        self._out.write(units.to_bytes(max(1, (units.bit_length() + 7) // 8), "big"))

    # What is on the stack.

    def _clear(self) -> None:
        self._stack.clear()

    def _double(self) -> None:
        self._push(self._top())

    def _swap(self) -> None:
        if len(self._stack) < 2:
            raise Fault("stack empty")
        self._stack[-2:] = reversed(self._stack[-2:])

    def _rotate(self) -> None:
        count = numbers.rescaled(self._pop_number(), 0).units
        size = min(abs(count), len(self._stack))
        if size > 1:
            part = self._stack[-size:]
            part = [*part[1:], part[0]] if count > 0 else [part[-1], *part[:-1]]
            self._stack[-size:] = part

    def _push_depth(self) -> None:
        self._push(Number(len(self._stack), 0))

    def _length(self) -> None:
        value = self._pop()
        if isinstance(value, str):
            self._push(Number(len(to_bytes(value)), 0))
            return
        self._push(Number(len(numbers.show(Number(abs(value.units), 0), 10)), 0))

    def _fraction_length(self) -> None:
        value = self._pop()
        self._push(Number(0 if isinstance(value, str) else value.scale, 0))

    def _character(self) -> None:
        value = self._pop()
        if isinstance(value, str):
            self._push(value[:1])
            return
        byte = numbers.rescaled(value, 0).units & 0xFF
        self._push(to_text(bytes([byte])))


def _divisor(number: Number, what: str = "divide") -> Number:
    if not number.units:
        raise Fault(f"{what} by zero")
    return number
