"""Programs of `dc`: strings that are run, registers and settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, Failure, to_bytes, to_text
from vshell.shell.commands.bc import numbers
from vshell.shell.commands.bc.numbers import ZERO, Number
from vshell.shell.commands.dc.stack import Fault, Stack, Value

_NUMBER: Final = re.compile(r"(?:_\s*)?(?:[0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]*)")
_DIGITS: Final = "0123456789ABCDEF"
_MAX_FRAMES: Final = 10_000
_MAX_SCALE: Final = 20_000


class Quit(Exception):  # noqa: N818 - it is how a program ends
    """The program ends."""


class Machine(Stack):
    """Runs programs. A string that is run is a frame, so that calls need no recursion."""

    def __init__(self, call: Invocation, out: BufferedOutput) -> None:
        super().__init__(call, out)
        self._registers: dict[str, list[Value]] = {}
        self._arrays: dict[str, list[dict[int, Value]]] = {}
        self._frames: list[list[int | str]] = []
        self._text = ""
        self._at = 0

    def run(self, text: str) -> None:
        """Run a program.

        Raises:
            Quit: It says so.
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
            except Fault as fault:
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

    # Registers, each a stack with an array for each of its values.

    def _register(self) -> str:
        if self._at >= len(self._text):
            raise Fault("unexpected EOS")
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
            raise Fault(f"stack register '{name}' (0{ord(name):o}) is empty")
        self._push(values.pop())
        arrays = self._arrays.get(name)
        if arrays and len(arrays) > 1:
            arrays.pop()

    def _index(self) -> int:
        value = self._pop()
        if isinstance(value, str) or value.units < 0:
            raise Fault("array index must be a nonnegative integer")
        return numbers.rescaled(value, 0).units

    def _store_element(self) -> None:
        name = self._register()
        if len(self._stack) < 2:
            raise Fault("stack empty")
        index = self._index()
        self._arrays.setdefault(name, [{}])[-1][index] = self._pop()

    def _load_element(self) -> None:
        name = self._register()
        self._push(self._arrays.get(name, [{}])[-1].get(self._index(), ZERO))

    # Settings.

    def _set_scale(self) -> None:
        value = self._pop()
        if isinstance(value, str) or value.units < 0:
            raise Fault("scale must be a nonnegative number")
        self._scale = min(numbers.rescaled(value, 0).units, _MAX_SCALE)

    def _set_input_base(self) -> None:
        value = self._pop()
        base = 0 if isinstance(value, str) else numbers.rescaled(value, 0).units
        if not 2 <= base <= 16:
            raise Fault("input base must be a number between 2 and 16 (inclusive)")
        self._ibase = base

    def _set_output_base(self) -> None:
        value = self._pop()
        base = 0 if isinstance(value, str) else numbers.rescaled(value, 0).units
        if base < 2:
            raise Fault("output base must be a number greater than 1")
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
            raise Fault("Q command requires a number >= 1")
        self._leave(count)

    def _leave(self, count: int) -> None:
        if count > len(self._frames):
            raise Quit
        for _ in range(count):
            self._return()


def _not_less(order: int) -> bool:
    return order >= 0


def _not_greater(order: int) -> bool:
    return order <= 0


def _not_equal(order: int) -> bool:
    return order != 0


_ACTIONS: Final[dict[str, Callable[[Machine], None]]] = {
    "+": Machine._add,  # noqa: SLF001
    "-": Machine._subtract,  # noqa: SLF001
    "*": Machine._multiply,  # noqa: SLF001
    "/": Machine._divide,  # noqa: SLF001
    "%": Machine._modulo,  # noqa: SLF001
    "~": Machine._divide_both,  # noqa: SLF001
    "^": Machine._power,  # noqa: SLF001
    "|": Machine._power_modulo,  # noqa: SLF001
    "v": Machine._square_root,  # noqa: SLF001
    "p": Machine._print,  # noqa: SLF001
    "n": Machine._print_and_pop,  # noqa: SLF001
    "f": Machine._print_all,  # noqa: SLF001
    "P": Machine._print_bytes,  # noqa: SLF001
    "c": Machine._clear,  # noqa: SLF001
    "d": Machine._double,  # noqa: SLF001
    "r": Machine._swap,  # noqa: SLF001
    "R": Machine._rotate,  # noqa: SLF001
    "z": Machine._push_depth,  # noqa: SLF001
    "Z": Machine._length,  # noqa: SLF001
    "X": Machine._fraction_length,  # noqa: SLF001
    "a": Machine._character,  # noqa: SLF001
    "s": Machine._store,  # noqa: SLF001
    "l": Machine._load,  # noqa: SLF001
    "S": Machine._store_above,  # noqa: SLF001
    "L": Machine._load_above,  # noqa: SLF001
    ":": Machine._store_element,  # noqa: SLF001
    ";": Machine._load_element,  # noqa: SLF001
    "k": Machine._set_scale,  # noqa: SLF001
    "i": Machine._set_input_base,  # noqa: SLF001
    "o": Machine._set_output_base,  # noqa: SLF001
    "K": Machine._push_scale,  # noqa: SLF001
    "I": Machine._push_input_base,  # noqa: SLF001
    "O": Machine._push_output_base,  # noqa: SLF001
    "[": Machine._string,  # noqa: SLF001
    "#": Machine._comment,  # noqa: SLF001
    "x": Machine._execute,  # noqa: SLF001
    ">": Machine._greater,  # noqa: SLF001
    "<": Machine._less,  # noqa: SLF001
    "=": Machine._equal,  # noqa: SLF001
    "!": Machine._negated,  # noqa: SLF001
    "?": Machine._read,  # noqa: SLF001
    "q": Machine._quit,  # noqa: SLF001
    "Q": Machine._quit_levels,  # noqa: SLF001
}
