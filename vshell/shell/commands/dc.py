"""`dc`: a calculator on a stack, as GNU's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_bytes, to_text
from vshell.shell.commands.bc import numbers
from vshell.shell.commands.bc.numbers import ZERO, Number

_NUMBER: Final = re.compile(r"(?:_\s*)?(?:[0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]*)")
_DIGITS: Final = "0123456789ABCDEF"
_LINE: Final = 69
_MAX_FRAMES: Final = 10_000
_MAX_STACK: Final = 1_000_000
_MAX_SCALE: Final = 20_000

Value = Number | str


class _Fault(Exception):  # noqa: N818 - reported, and what follows is run
    """A command cannot be run; the text says why."""


class _Quit(Exception):  # noqa: N818 - it is how a program ends
    """The program ends."""


class _Machine:
    """Runs programs. A string that is run is a frame, so that calls need no recursion."""

    def __init__(self, call: Invocation, out: BufferedOutput) -> None:
        self._call = call
        self._out = out
        self._stack: list[Value] = []
        self._registers: dict[str, list[Value]] = {}
        self._arrays: dict[str, list[dict[int, Value]]] = {}
        self._scale = 0
        self._ibase = self._obase = 10
        self._frames: list[list[int | str]] = []
        self._text = ""
        self._at = 0

    def run(self, text: str) -> None:
        """Run a program.

        Raises:
            _Quit: It says so.
        """
        self._frames.clear()
        self._text, self._at = text, 0
        while True:
            if self._at >= len(self._text):
                if not self._frames:
                    return
                self._return()
                continue
            try:
                self._step()
            except _Fault as fault:
                self._complain(str(fault))

    def _complain(self, message: str) -> None:
        self._out.flush()
        self._call.complain(message)

    def _return(self) -> None:
        text, at = self._frames.pop()
        self._text, self._at = str(text), int(at)

    def _step(self) -> None:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            self._push(self._parse(number.group()))
            return
        letter = self._text[self._at]
        self._at += 1
        action = _ACTIONS.get(letter)
        if action is not None:
            action(self)
        elif not letter.isspace():
            # That GNU's says the half of it on the other stream is seen in pipes.
            self._call.stderr.write(f"{self._call.name}: ".encode())
            self._out.write(to_bytes(f"'{letter}' (0{ord(letter):o}) unimplemented\n"))

    def _parse(self, text: str) -> Number:
        sign = -1 if text[0] == "_" else 1
        whole, _, fraction = text.lstrip("_ \t\n").partition(".")
        units = 0
        for digit in whole:
            units = units * self._ibase + _DIGITS.index(digit)
        numbers.check_size(len(text) * 4)
        part = 0
        for digit in fraction:
            part = part * self._ibase + _DIGITS.index(digit)
        scale = len(fraction)
        below = numbers.divide(Number(part, 0), Number(self._ibase**scale, 0), scale)
        found = numbers.add(Number(units, 0), below)
        return Number(sign * found.units, found.scale)

    # The stack.

    def _push(self, value: Value) -> None:
        if len(self._stack) >= _MAX_STACK:
            raise Failure("the stack is full")
        self._stack.append(value)

    def _pop(self) -> Value:
        if not self._stack:
            raise _Fault("stack empty")
        return self._stack.pop()

    def _top(self) -> Value:
        if not self._stack:
            raise _Fault("stack empty")
        return self._stack[-1]

    def _pop_number(self) -> Number:
        value = self._pop()
        if isinstance(value, str):
            raise _Fault("non-numeric value")
        return value

    def _operands(self, count: int) -> list[Number]:
        """Return the topmost values, which stay until there is a result."""
        if len(self._stack) < count:
            raise _Fault("stack empty")
        found: list[Number] = []
        for value in self._stack[-count:]:
            if isinstance(value, str):
                raise _Fault("non-numeric value")
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
            raise _Fault("remainder by zero")
        if exponent < 0:
            raise _Fault("negative exponent")
        self._compute(3, Number(pow(base, exponent, modulus), 0))

    def _square_root(self) -> None:
        (value,) = self._operands(1)
        if value.units < 0:
            raise _Fault("square root of negative number")
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
            raise _Fault("stack empty")
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

    # Registers, each a stack with an array for each of its values.

    def _register(self) -> str:
        if self._at >= len(self._text):
            raise _Fault("unexpected EOS")
        self._at += 1
        return self._text[self._at - 1]

    def _store(self) -> None:
        name = self._register()
        value = self._pop()
        values = self._registers.setdefault(name, [])
        values[-1:] = [value]

    def _load(self) -> None:
        values = self._registers.get(self._register())
        self._push(values[-1] if values else ZERO)

    def _store_above(self) -> None:
        name = self._register()
        value = self._pop()
        self._registers.setdefault(name, []).append(value)
        self._arrays.setdefault(name, [{}]).append({})

    def _load_above(self) -> None:
        name = self._register()
        values = self._registers.get(name)
        if not values:
            raise _Fault(f"stack register '{name}' (0{ord(name):o}) is empty")
        self._push(values.pop())
        arrays = self._arrays.get(name)
        if arrays and len(arrays) > 1:
            arrays.pop()

    def _index(self) -> int:
        value = self._pop()
        if isinstance(value, str) or value.units < 0:
            raise _Fault("array index must be a nonnegative integer")
        return numbers.rescaled(value, 0).units

    def _store_element(self) -> None:
        name = self._register()
        if len(self._stack) < 2:
            raise _Fault("stack empty")
        index = self._index()
        self._arrays.setdefault(name, [{}])[-1][index] = self._pop()

    def _load_element(self) -> None:
        name = self._register()
        self._push(self._arrays.get(name, [{}])[-1].get(self._index(), ZERO))

    # Settings.

    def _set_scale(self) -> None:
        value = self._pop()
        if isinstance(value, str) or value.units < 0:
            raise _Fault("scale must be a nonnegative number")
        self._scale = min(numbers.rescaled(value, 0).units, _MAX_SCALE)

    def _set_input_base(self) -> None:
        value = self._pop()
        base = 0 if isinstance(value, str) else numbers.rescaled(value, 0).units
        if not 2 <= base <= 16:
            raise _Fault("input base must be a number between 2 and 16 (inclusive)")
        self._ibase = base

    def _set_output_base(self) -> None:
        value = self._pop()
        base = 0 if isinstance(value, str) else numbers.rescaled(value, 0).units
        if base < 2:
            raise _Fault("output base must be a number greater than 1")
        self._obase = min(base, 999_999_999)

    def _push_scale(self) -> None:
        self._push(Number(self._scale, 0))

    def _push_input_base(self) -> None:
        self._push(Number(self._ibase, 0))

    def _push_output_base(self) -> None:
        self._push(Number(self._obase, 0))

    # Programs.

    def _string(self) -> None:
        start = self._at
        depth = 1
        while depth and self._at < len(self._text):
            depth += {"[": 1, "]": -1}.get(self._text[self._at], 0)
            self._at += 1
        self._push(self._text[start : self._at - (not depth)])

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end + 1

    def _execute(self) -> None:
        value = self._pop()
        if isinstance(value, str):
            self._enter(value)
        else:
            self._push(value)

    def _enter(self, text: str) -> None:
        # What ends with a call needs no frame: so loops are written.
        if self._text[self._at :].strip() or not self._frames:
            self._frames.append([self._text, self._at])
        if len(self._frames) > _MAX_FRAMES:
            raise Failure("strings run each other too deeply")
        self._text, self._at = text, 0

    def _conditional(self, holds: Callable[[int], bool]) -> None:
        name = self._register()
        left, right = self._operands(2)
        self._compute(2)
        values = self._registers.get(name)
        if holds(numbers.compare(right, left)) and values and isinstance(values[-1], str):
            self._enter(values[-1])

    def _greater(self) -> None:
        self._conditional(lambda order: order > 0)

    def _less(self) -> None:
        self._conditional(lambda order: order < 0)

    def _equal(self) -> None:
        self._conditional(lambda order: order == 0)

    def _negated(self) -> None:
        """Compare the other way round, or run a line by the shell."""
        letter = self._text[self._at : self._at + 1]
        if letter and letter in "<>=":
            self._at += 1
            holds = {"<": _not_less, ">": _not_greater, "=": _not_equal}[letter]
            self._conditional(holds)
            return
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        done = self._call.execute(("sh", "-c", self._text[self._at : end]), b"")
        self._at = end
        self._out.write(done.stdout)
        self._call.stderr.write(done.stderr)

    def _read(self) -> None:
        self._out.flush()
        self._enter(to_text(self._call.stdin.readline()))

    def _quit(self) -> None:
        self._leave(2)

    def _quit_levels(self) -> None:
        value = self._pop()
        count = 0 if isinstance(value, str) else numbers.rescaled(value, 0).units
        if count < 1:
            raise _Fault("Q command requires a number >= 1")
        self._leave(count)

    def _leave(self, count: int) -> None:
        if count > len(self._frames):
            raise _Quit
        for _ in range(count):
            self._return()


def _not_less(order: int) -> bool:
    return order >= 0


def _not_greater(order: int) -> bool:
    return order <= 0


def _not_equal(order: int) -> bool:
    return order != 0


def _divisor(number: Number, what: str = "divide") -> Number:
    if not number.units:
        raise _Fault(f"{what} by zero")
    return number


_ACTIONS: Final[dict[str, Callable[[_Machine], None]]] = {
    "+": _Machine._add,  # noqa: SLF001
    "-": _Machine._subtract,  # noqa: SLF001
    "*": _Machine._multiply,  # noqa: SLF001
    "/": _Machine._divide,  # noqa: SLF001
    "%": _Machine._modulo,  # noqa: SLF001
    "~": _Machine._divide_both,  # noqa: SLF001
    "^": _Machine._power,  # noqa: SLF001
    "|": _Machine._power_modulo,  # noqa: SLF001
    "v": _Machine._square_root,  # noqa: SLF001
    "p": _Machine._print,  # noqa: SLF001
    "n": _Machine._print_and_pop,  # noqa: SLF001
    "f": _Machine._print_all,  # noqa: SLF001
    "P": _Machine._print_bytes,  # noqa: SLF001
    "c": _Machine._clear,  # noqa: SLF001
    "d": _Machine._double,  # noqa: SLF001
    "r": _Machine._swap,  # noqa: SLF001
    "R": _Machine._rotate,  # noqa: SLF001
    "z": _Machine._push_depth,  # noqa: SLF001
    "Z": _Machine._length,  # noqa: SLF001
    "X": _Machine._fraction_length,  # noqa: SLF001
    "a": _Machine._character,  # noqa: SLF001
    "s": _Machine._store,  # noqa: SLF001
    "l": _Machine._load,  # noqa: SLF001
    "S": _Machine._store_above,  # noqa: SLF001
    "L": _Machine._load_above,  # noqa: SLF001
    ":": _Machine._store_element,  # noqa: SLF001
    ";": _Machine._load_element,  # noqa: SLF001
    "k": _Machine._set_scale,  # noqa: SLF001
    "i": _Machine._set_input_base,  # noqa: SLF001
    "o": _Machine._set_output_base,  # noqa: SLF001
    "K": _Machine._push_scale,  # noqa: SLF001
    "I": _Machine._push_input_base,  # noqa: SLF001
    "O": _Machine._push_output_base,  # noqa: SLF001
    "[": _Machine._string,  # noqa: SLF001
    "#": _Machine._comment,  # noqa: SLF001
    "x": _Machine._execute,  # noqa: SLF001
    ">": _Machine._greater,  # noqa: SLF001
    "<": _Machine._less,  # noqa: SLF001
    "=": _Machine._equal,  # noqa: SLF001
    "!": _Machine._negated,  # noqa: SLF001
    "?": _Machine._read,  # noqa: SLF001
    "q": _Machine._quit,  # noqa: SLF001
    "Q": _Machine._quit_levels,  # noqa: SLF001
}


@failing
def run(call: Invocation) -> int:
    with BufferedOutput(call.stdout) as out:
        machine = _Machine(call, out)
        given = [(name, value or "") for name, value in call.parsed.given]
        given += [("file", name) for name in call.operands]
        try:
            for name, value in given or [("file", "-")]:
                text = value if name == "expression" else _file(call, value)
                if text is not None:
                    machine.run(text)
        except _Quit:
            pass
    return 0


def _file(call: Invocation, name: str) -> str | None:
    try:
        return to_text(read_all(call, name))
    except VshellError:
        call.complain(f"Could not open file {name}")
        return None


COMMANDS: Final = (
    Command(
        "dc",
        "[OPTION] [file ...]",
        "A calculator in reverse-polish notation.",
        run,
        options=(
            Option(("-e", "--expression"), "Evaluate expression.", "EXPR"),
            Option(("-f", "--file"), "Evaluate contents of file.", "FILE"),
        ),
    ),
)
