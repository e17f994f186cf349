"""Values of awk: numbers are floats, texts are `str`, input that looks like a number both.

A text from outside (a field, `getline`, `-v`) that looks like a number compares as one: it
is a `NumericText` wherever it is kept. A variable that nobody set is `UNSET`: both "" and 0.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NoReturn

from vshell.shell.commands.awk.errors import AwkFatal

__all__ = [
    "UNSET",
    "Array",
    "NumericText",
    "PlainText",
    "Value",
    "as_number",
    "number",
    "numeric",
    "text_number",
    "truth",
]

_STARTS: Final = frozenset("0123456789.+- \t\n\r\f\v")
"""What a text that begins with a number begins with."""
_NUMBER: Final = re.compile(
    r"[ \t\n\r\f\v]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
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

    # The other side is a float, or this very value.

    def __add__(self, other: Any) -> float:  # type: ignore[override]
        return 0.0 + float(other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> float:
        return 0.0 - float(other)

    def __rsub__(self, other: Any) -> float:
        return float(other)

    def __mul__(self, other: Any) -> float:  # type: ignore[override]
        return 0.0 * float(other)

    __rmul__ = __mul__  # type: ignore[assignment]

    def __truediv__(self, other: Any) -> float:
        return 0.0 / float(other)

    def __rtruediv__(self, other: Any) -> NoReturn:
        raise ZeroDivisionError

    def __lt__(self, other: Any) -> bool:
        return float(other) > 0.0

    def __le__(self, other: Any) -> bool:
        return float(other) >= 0.0

    def __gt__(self, other: Any) -> bool:
        return float(other) < 0.0

    def __ge__(self, other: Any) -> bool:
        return float(other) <= 0.0


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
            raise AwkFatal(f'attempt to use scalar `["{key}"]\' as an array')
        return found


Value = float | str
"""What a variable or an element holds."""


def numeric(text: str) -> float | None:
    """Return the number that a text looks like as a whole, or None."""
    try:
        if text[0] in _STARTS:
            found = float(text)
            # Python also takes `1_0`, `nan` and the digits of other scripts.
            if found - found == 0.0 and "_" not in text and text.isascii():
                return found
            return _careful(text)
    except ValueError:
        pass
    except IndexError:
        if text is UNSET:
            return 0.0
    return None


def _careful(text: str) -> float | None:
    """Read what Python takes for a number, and awk perhaps not."""
    stripped = text.strip(_BLANKS)
    match = _SPECIAL.fullmatch(stripped) or _NUMBER.fullmatch(stripped)
    return float(match[1]) if match else None


def text_number(text: str) -> float:
    """Return the number that a text begins with, or 0."""
    try:
        if text[0] in _STARTS:
            found = float(text)
            if found - found == 0.0 and "_" not in text and text.isascii():
                return found
    except ValueError:
        pass
    except IndexError:
        return 0.0
    else:
        if text[0] not in _STARTS:
            return 0.0
    match = _NUMBER.match(text) or _SPECIAL.match(text)
    return float(match[1]) if match else 0.0


def from_outside(text: str) -> str:
    """Return a text that came from outside, so that it compares as a number if it is one."""
    if text.__class__ is PlainText:
        return str(text)
    found = numeric(text)
    if found is None or text is UNSET:
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
        return value
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
