"""The numbers of `bc` and `dc`: decimals with a scale of their own, cut and never rounded."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from vshell.shell.command_io import Failure

MAX_DIGITS: Final = 200_000
"""How many digits a number may have: its text has to be made in bounded time."""
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Number(NamedTuple):
    """`units` divided by ten to the power of `scale`."""

    units: int
    scale: int


ZERO: Final = Number(0, 0)
ONE: Final = Number(1, 0)


def rescaled(number: Number, scale: int) -> Number:
    """Return a number with another scale; digits that do not fit are cut."""
    if scale >= number.scale:
        return Number(number.units * 10 ** (scale - number.scale), scale)
    power = 10 ** (number.scale - scale)
    return Number(_cut(number.units, power), scale)


def _cut(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return -quotient if (dividend < 0) != (divisor < 0) else quotient


def add(left: Number, right: Number) -> Number:
    scale = max(left.scale, right.scale)
    return Number(rescaled(left, scale).units + rescaled(right, scale).units, scale)


def subtract(left: Number, right: Number) -> Number:
    return add(left, Number(-right.units, right.scale))


def multiply(left: Number, right: Number, scale: int) -> Number:
    full = left.scale + right.scale
    check_size(left.units.bit_length() + right.units.bit_length())
    result = Number(left.units * right.units, full)
    return rescaled(result, min(full, max(scale, left.scale, right.scale)))


def divide(left: Number, right: Number, scale: int) -> Number:
    if not right.units:
        raise ZeroDivisionError
    return Number(
        _cut(left.units * 10 ** (scale + right.scale), right.units * 10**left.scale), scale
    )


def modulo(left: Number, right: Number, scale: int) -> Number:
    quotient = divide(left, right, scale)
    result_scale = max(left.scale, scale + right.scale)
    product = Number(quotient.units * right.units, quotient.scale + right.scale)
    return rescaled(subtract(left, product), result_scale)


def power(base: Number, exponent: Number, scale: int) -> Number:
    count = rescaled(exponent, 0).units
    check_size(base.units.bit_length() * max(abs(count), 1))
    if count < 0:
        return divide(ONE, Number(base.units**-count, base.scale * -count), scale)
    full = base.scale * count
    return rescaled(Number(base.units**count, full), min(full, max(scale, base.scale)))


def square_root(number: Number, scale: int) -> Number:
    wanted = max(scale, number.scale)
    return Number(math.isqrt(number.units * 10 ** (2 * wanted - number.scale)), wanted)


def check_size(bits: int) -> None:
    """Make sure that a number does not become too long.

    Raises:
        Failure: It would.
    """
    if bits > MAX_DIGITS * 3.33:
        raise Failure(f"Runtime error: a number would have more than {MAX_DIGITS} digits")


def compare(left: Number, right: Number) -> int:
    difference = subtract(left, right).units
    return (difference > 0) - (difference < 0)


def parse(text: str, base: int) -> Number:
    """Read a number; a single digit may be larger than the base, others are cut to it."""
    whole, _, fraction = text.partition(".")
    single = text.lstrip("0")
    if len(single) == 1 and single in _DIGITS:
        return Number(_DIGITS.index(single), 0)
    if base == 10 and text.replace(".", "").isdigit():
        return Number(_integer(whole + fraction), len(fraction))
    units = 0
    for digit in whole:
        units = units * base + min(_DIGITS.index(digit), base - 1)
    if not fraction:
        return Number(units, 0)
    part = 0
    for digit in fraction:
        part = part * base + min(_DIGITS.index(digit), base - 1)
    scale = len(fraction)
    return Number(units * 10**scale + part * 10**scale // base**scale, scale)


def _integer(digits: str) -> int:
    # Python refuses to read very long numbers at once.
    value = 0
    for place in range(0, len(digits), 4000):
        part = digits[place : place + 4000]
        value = value * 10 ** len(part) + int(part)
    return value


def _text(value: int) -> str:
    if value < 10**4000:
        return str(value)
    parts: list[str] = []
    while value:
        value, part = divmod(value, 10**4000)
        parts.append(str(part).zfill(4000) if value else str(part))
    return "".join(reversed(parts))


def show(number: Number, base: int) -> str:
    """Return a number in a base; one below 1 has no digit before its point."""
    sign = "-" if number.units < 0 else ""
    value = abs(number.units)
    if base == 10:
        digits = _text(value).zfill(number.scale + 1) if value or number.scale else "0"
        if not value:
            return "0"
        whole, fraction = digits[: len(digits) - number.scale], digits[len(digits) - number.scale :]
        whole = whole.lstrip("0")
        return sign + whole + (f".{fraction}" if fraction else "") or "0"
    if not value:
        return "0"
    return sign + _in_base(value, number.scale, base)


def _in_base(value: int, scale: int, base: int) -> str:
    whole, part = divmod(value, 10**scale)
    digits: list[str] = []
    while whole:
        whole, digit = divmod(whole, base)
        digits.append(_digit(digit, base))
    text = "".join(reversed(digits))
    if not scale:
        return text
    fraction: list[str] = []
    reach = 1
    while reach < 10**scale:
        reach *= base
        digit, part = divmod(part * base, 10**scale)
        fraction.append(_digit(digit, base))
    return f"{text}.{''.join(fraction).lstrip(' ')}"


def _digit(value: int, base: int) -> str:
    if base <= 16:
        return _DIGITS[value]
    return f" {value:0{len(str(base - 1))}d}"
