"""Values of awk: numbers are floats, texts are `str`, input that looks like a number both.

A text from outside (a field, `getline`, `-v`) that looks like a number compares as one: it
is a `NumericText` wherever it is kept. A variable that nobody set is `UNSET`: both "" and 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, NoReturn

from vshell.shell.commands.awk.errors import AwkFatal

__all__ = [
    "UNSET",
    "Array",
    "NumericText",
    "PlainText",
    "Value",
    "number",
    "numeric",
    "text_number",
    "truth",
]

_MEMORY: Final = 20_000
"""How many conversions are remembered."""
_NUMBER: Final = re.compile(r"[ \t\n\r\f\v]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_SPECIAL: Final = re.compile(r"[ \t\n\r\f\v]*([+-](?:nan|inf))(?![A-Za-z0-9_.])", re.IGNORECASE)
_BLANKS: Final = " \t\n\r\f\v"


class NumericText(str):
    """A text from outside that looks like a number."""

    __slots__ = ("number",)

    number: float


class PlainText(str):
    """What a program gave a field: a text, whatever it looks like."""

    __slots__ = ()


class _Unset(NumericText):
    """What a variable is before it is set: empty as a text, and 0 as a number.

    Where a variable is known to hold numbers only, it is calculated with as it is, so that
    the first `n += 1` is no special case.
    """

    __slots__ = ()

    def __float__(self) -> float:
        return 0.0

    def __pos__(self) -> float:
        return 0.0

    __neg__ = __pos__

    def __add__(self, other: object) -> float:  # type: ignore[override]
        return +other  # type: ignore[operator, no-any-return]

    __radd__ = __add__

    def __sub__(self, other: object) -> float:
        return -other  # type: ignore[operator, no-any-return]

    def __rsub__(self, other: object) -> float:
        return +other  # type: ignore[operator, no-any-return]

    def __mul__(self, other: object) -> float:  # type: ignore[override]
        return 0.0 * (+other)  # type: ignore[operator]

    __rmul__ = __mul__  # type: ignore[assignment]

    def __truediv__(self, other: object) -> float:
        return 0.0 / (+other)  # type: ignore[operator]

    def __rtruediv__(self, other: object) -> NoReturn:
        raise ZeroDivisionError

    def __lt__(self, other: object) -> bool:
        return 0.0 < (+other)  # type: ignore[operator]

    def __le__(self, other: object) -> bool:
        return 0.0 <= (+other)  # type: ignore[operator]

    def __gt__(self, other: object) -> bool:
        return 0.0 > (+other)  # type: ignore[operator]

    def __ge__(self, other: object) -> bool:
        return 0.0 >= (+other)  # type: ignore[operator]


UNSET: Final = _Unset()
UNSET.number = 0.0


class Array(dict[str, object]):
    """An array: looking at an element makes it."""

    __slots__ = ()

    def __missing__(self, key: str) -> object:
        self[key] = UNSET
        return UNSET

    def put(self, key: str, value: object) -> object:
        """Set an element; return its value."""
        self[key] = value
        return value

    def below(self, key: str) -> Array:
        """Return the array that an element is; one that was not there is made.

        Raises:
            AwkFatal: The element is no array.
        """
        found = self.get(key)
        if found is None or found is UNSET:
            self[key] = found = Array()
        elif not isinstance(found, Array):
            raise AwkFatal(f"attempt to use scalar `[\"{key}\"]' as an array")
        return found


Value = float | str
"""What a variable or an element holds."""


class _Memory(dict[str, float | None]):
    """A function of texts that remembers."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], float | None]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> float | None:
        found = self._function(text)
        if len(text) < 32:
            if len(self) >= _MEMORY:
                self.clear()
            self[text] = found
        return found


def _numeric(text: str) -> float | None:
    if text[:1] not in "0123456789.+- \t\n\r\f\v":
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    if "_" in text or found - found != 0.0 or not text.isascii():
        return _careful(text)
    return found


def _careful(text: str) -> float | None:
    """Read what Python takes for a number, and awk perhaps not."""
    stripped = text.strip(_BLANKS)
    match = _SPECIAL.fullmatch(stripped) or _NUMBER.fullmatch(stripped)
    return float(match[1]) if match else None


def _leading(text: str) -> float:
    """Return the number that a text begins with, or 0."""
    found = _numeric(text)
    if found is not None:
        return found
    match = _NUMBER.match(text) or _SPECIAL.match(text)
    return float(match[1]) if match else 0.0


numeric: Final = _Memory(_numeric).__getitem__
"""The number that a text looks like as a whole, or None."""

text_number: Final[Callable[[str], float]] = _Memory(_leading).__getitem__  # type: ignore[assignment]
"""The number that a text begins with, or 0."""


def from_outside(text: str) -> str:
    """Return a text that came from outside, so that it compares as a number if it is one."""
    found = numeric(text)
    if found is None or text.__class__ is PlainText:
        return text
    kept = NumericText(text)
    kept.number = found
    return kept


def number(value: object) -> float:
    """Return a value as a number.

    Raises:
        AwkFatal: It is an array.
    """
    kind = value.__class__
    if kind is float:
        return value  # type: ignore[return-value]
    if kind is str:
        return text_number(value)  # type: ignore[arg-type]
    if isinstance(value, NumericText):
        return value.number
    return text_number(_text(value))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise AwkFatal("attempt to use array in a scalar context")


def truth(value: object) -> bool:
    """Tell whether a value is true: a number that is not 0, a text that is not empty."""
    if isinstance(value, NumericText):
        return value.number != 0.0
    if isinstance(value, Array):
        raise AwkFatal("attempt to use array in a scalar context")
    return bool(value)


def field_truth(text: str) -> bool:
    """Tell whether a field is true."""
    found = None if text.__class__ is PlainText else numeric(text)
    return bool(text) if found is None else found != 0.0


def as_number(value: object) -> float | None:
    """Return the number that a value compares as, or None when it is a text."""
    if value.__class__ is float:
        return value  # type: ignore[return-value]
    return value.number if isinstance(value, NumericText) else None


# Calculating.


def power(base: float, exponent: float) -> float:
    """Return a power as C's `pow` does."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.inf if base == 0 else -math.nan


def remainder(left: float, right: float) -> float:
    """Return a remainder with the sign of the left side.

    Raises:
        AwkFatal: The right side is 0.
    """
    if right == 0.0:
        raise AwkFatal("division by zero attempted in `%'")
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def truncate(value: float) -> float:
    """Return a number without its fraction."""
    try:
        return float(int(value))
    except (OverflowError, ValueError):
        return value
