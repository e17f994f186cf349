"""The functions of `bc -l`, digit by digit as GNU's.

Each computes a series at a scale a little larger than what is asked for, and cuts; which
series, and which scale, decides about the last digits. So these are those of GNU's
`libmath.b`, as its manual and its comments describe them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.shell.command_io import Failure
from vshell.shell.commands.bc.numbers import (
    ONE,
    Number,
    add,
    compare,
    divide,
    modulo,
    multiply,
    power,
    rescaled,
    show,
    square_root,
    subtract,
)

_TWO: Final = Number(2, 0)
_FIFTH: Final = Number(2, 1)
_HALF: Final = Number(5, 1)
_MOST: Final = 100_000
_KNOWN: Final = {
    25: ("7853981633974483096156608", "1973955598498807583700497"),
    40: (
        "7853981633974483096156608458198757210492",
        "1973955598498807583700497651947902934475",
    ),
    60: (
        "785398163397448309615660845819875721049292349843776455243736",
        "197395559849880758370049765194790293447585103787852101517688",
    ),
}
"""The arctangents of 1 and of 0.2, by how many digits are known."""


def exponential(x: Number, scale: int) -> Number:
    """Return `e(x)`: the series of a small part of x, squared again and again."""
    is_negative = x.units < 0
    x = Number(abs(x.units), x.scale)
    _limit(x, _MOST)
    work = scale + 6 + _whole(multiply(Number(44, 2), x, scale))
    halving_scale = x.scale + 1
    halvings = 0
    while compare(x, ONE) > 0:
        x = divide(x, _TWO, halving_scale)
        halvings += 1
        halving_scale += 1
    total, numerator, factorial, index = add(ONE, x), x, 1, 2
    while True:
        numerator = multiply(numerator, x, work)
        factorial *= index
        term = divide(numerator, Number(factorial, 0), work)
        if not term.units:
            break
        total = add(total, term)
        index += 1
    for _ in range(halvings):
        total = multiply(total, total, work)
    return divide(ONE, total, scale) if is_negative else divide(total, ONE, scale)


def logarithm(x: Number, scale: int) -> Number:
    """Return `l(x)`: of a root of x that is close to 1."""
    if x.units <= 0:
        return Number((1 - 10**scale) * 10**scale, scale)
    work = scale + 6
    factor = 2
    while compare(x, _TWO) >= 0 or compare(x, _HALF) <= 0:
        factor *= 2
        x = square_root(x, work)
    step = total = divide(subtract(x, ONE), add(x, ONE), work)
    square = multiply(step, step, work)
    index = 3
    while True:
        step = multiply(step, square, work)
        term = divide(step, Number(index, 0), work)
        if not term.units:
            return divide(multiply(Number(factor, 0), total, work), ONE, scale)
        total = add(total, term)
        index += 2


def arctangent(x: Number, scale: int) -> Number:
    """Return `a(x)`: 0.2 is taken off as often as it fits; what is left is a series."""
    sign = Number(-1 if x.units < 0 else 1, 0)
    x = Number(abs(x.units), x.scale)
    known = _known(x, scale)
    if known is not None:
        return divide(known, sign, scale)
    fifth, count = Number(0, 0), 0
    if compare(x, _FIFTH) > 0:
        fifth = arctangent(_FIFTH, scale + 5)
    work = scale + 3
    while compare(x, _FIFTH) > 0:
        count += 1
        x = divide(subtract(x, _FIFTH), add(ONE, multiply(x, _FIFTH, work)), work)
    total = step = x
    square = multiply(_negated(x), x, work)
    index = 3
    while True:
        step = multiply(step, square, work)
        term = divide(step, Number(index, 0), work)
        if not term.units:
            return divide(add(multiply(Number(count, 0), fifth, scale), total), sign, scale)
        total = add(total, term)
        index += 2


def _known(x: Number, scale: int) -> Number | None:
    for place, value in enumerate((ONE, _FIFTH)):
        if compare(x, value) == 0:
            for digits, texts in _KNOWN.items():
                if scale <= digits:
                    return Number(int(texts[place]), digits)
    return None


def sine(x: Number, scale: int) -> Number:
    """Return `s(x)`: whole half turns are taken off first."""
    quarter = arctangent(ONE, scale * 11 // 10 + 2)
    is_negative = x.units < 0
    x = Number(abs(x.units), x.scale)
    turns = divide(add(divide(x, quarter, 0), _TWO), Number(4, 0), 0)
    x = subtract(x, multiply(multiply(Number(4, 0), turns, 0), quarter, 0))
    if modulo(turns, _TWO, 0).units:
        x = _negated(x)
    work = scale + 2
    total = term = x
    square = multiply(_negated(x), x, work)
    index = 3
    while True:
        term = multiply(term, divide(square, Number(index * (index - 1), 0), work), work)
        if not term.units:
            return divide(_negated(total) if is_negative else total, ONE, scale)
        total = add(total, term)
        index += 2


def cosine(x: Number, scale: int) -> Number:
    """Return `c(x)`: the sine of a quarter turn more."""
    work = scale * 12 // 10
    quarter = multiply(arctangent(ONE, work), _TWO, work)
    return divide(sine(add(x, quarter), work), ONE, scale)


def bessel(order: Number, x: Number, scale: int) -> Number:
    """Return `j(order, x)` by its power series."""
    count = _whole(order)
    if abs(count) > 1000:
        raise Failure("Runtime error: the order of j is larger than 1000")
    _limit(x, 1000)
    is_negative = count < 0 and count % 2 == 1
    count = abs(count)
    factorial = 1
    for index in range(2, count + 1):
        factorial *= index
    work = scale * 15 // 10
    whole = Number(count, 0)
    factor = divide(power(x, whole, work), power(_TWO, whole, work), work)
    factor = divide(factor, Number(factorial, 0), work)
    total = term = ONE
    square = divide(multiply(_negated(x), x, work), Number(4, 0), work)
    # As many digits more as the factor has before its point.
    work += max(len(show(Number(abs(factor.units), 0), 10)), factor.scale) - factor.scale
    index = 1
    while True:
        term = divide(multiply(term, square, work), Number(index, 0), work)
        term = divide(term, Number(count + index, 0), work)
        if not term.units:
            factor = _negated(factor) if is_negative else factor
            return divide(multiply(factor, total, scale), ONE, scale)
        total = add(total, term)
        index += 1


def _negated(number: Number) -> Number:
    return Number(-number.units, number.scale)


def _whole(number: Number) -> int:
    return rescaled(number, 0).units


def _limit(x: Number, most: int) -> None:
    if compare(Number(abs(x.units), x.scale), Number(most, 0)) > 0:
        raise Failure(f"Runtime error: the argument of the function is larger than {most}")


FUNCTIONS: Final[dict[str, tuple[Callable[..., Number], int]]] = {
    "a": (arctangent, 1),
    "c": (cosine, 1),
    "e": (exponential, 1),
    "j": (bessel, 2),
    "l": (logarithm, 1),
    "s": (sine, 1),
}
"""The functions by name, and how many arguments they have besides the scale."""
