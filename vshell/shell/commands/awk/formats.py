"""`printf`'s formats, and numbers as text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.values import NumericText, number

__all__ = ["Format", "NumberTexts", "compile_format"]

_SPEC: Final = re.compile(
    r"%(?:([1-9][0-9]*)\$)?([-+ #0']*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(?:hh|h|ll|l|L|j|z|t|q)?(.?)",
    re.DOTALL,
)
_MAX_WIDTH: Final = 64 * 1024 * 1024
"""How wide something may be printed."""
_REMEMBERED: Final = 20_000


class NumberTexts(dict[float, str]):
    """The texts of numbers, made when they are first asked for.

    Args:
        form: What a number with a fraction is printed by, such as `%.6g`.
    """

    __slots__ = ("_format",)

    def __init__(self, form: str) -> None:
        super().__init__()
        self._format = compile_format(form)

    def __missing__(self, value: float) -> str:
        if not value.is_integer():
            return special(value) or self._format.apply([value], str)
        found = str(int(value))
        if len(self) < _REMEMBERED:
            self[value] = found
        return found


def special(value: float) -> str:
    """Return how a number that is none, or infinite, is printed; else an empty text."""
    if value - value == 0.0:
        return ""
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return sign + ("nan" if math.isnan(value) else "inf")


class Format:
    """A format that is ready to be used: Python's form of it, and what each place takes.

    Attributes:
        takes: For each place, in the order of the template, the argument's number and what
            it is made: `text`, `number`, `whole` (a number without fraction), `character`,
            `octal`, `hexadecimal` (as C's `%a`), `width`.
        literal: What is printed when it takes nothing.
        pieces: What is printed before, between and after what it takes.
        is_plain: Whether all that it takes is printed as it is, by `%s`.
    """

    __slots__ = ("_needed", "_source", "_template", "is_plain", "literal", "pieces", "takes")

    def __init__(self, source: str) -> None:
        self._source = source
        self.takes: list[tuple[int, str]] = []
        parts: list[str] = []
        place = 0
        self.is_plain = True
        for match in _SPEC.finditer(source):
            parts.append(source[place : match.start()])
            parts.append(self._spec(match))
            self.is_plain &= match[0] == "%s"
            place = match.end()
        parts.append(source[place:])
        self.pieces = parts[::2]
        self._template = "".join(parts)
        self._needed = 1 + max((index for index, _ in self.takes), default=-1)
        self.literal = self._template % () if not self.takes else None

    def _spec(self, match: re.Match[str]) -> str:
        position, flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%%"
        if letter not in "diouxXeEfFgGcsaA" or not letter:
            return match[0].replace("%", "%%")
        for text in (width, precision):
            if text and text.isdigit() and int(text[:12]) > _MAX_WIDTH:
                raise AwkFatal(f"format `{self._source[:40]}' prints too much")
        flags = flags.replace("'", "")
        for _ in range((width, precision).count("*")):
            self._take(None, "width")
        made = {"d": "number", "i": "number", "c": "character", "s": "text"}.get(letter, "number")
        if letter in "ouxX":
            made = "whole"
        if letter in "csaA" or (letter == "o" and "#" in flags):
            made = {"o": "octal", "a": "hexadecimal", "A": "hexadecimal"}.get(letter, made)
            precision = precision if letter == "s" else None
            letter = "s"
        self._take(position, made)
        letter = {"i": "d", "u": "d"}.get(letter, letter)
        return f"%{flags}{width or ''}{'' if precision is None else '.' + precision}{letter}"

    def _take(self, position: str | None, made: str) -> None:
        index = int(position[:6]) - 1 if position else len(self.takes)
        self.takes.append((index, made))

    def __call__(self, *values: Any) -> str:
        """Return the text for values that have been made what each place takes."""
        try:
            return self._template % values
        except (OverflowError, ValueError):
            return self._with_specials(values)
        except MemoryError:
            raise AwkFatal("out of memory") from None

    def _with_specials(self, values: Sequence[Any]) -> str:
        """Format what is infinite or no number, which Python refuses to print whole."""
        template, shown = [], []
        waiting = list(values)
        for piece in re.split(
            r"(%%|%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d*))?[a-zA-Z])", self._template
        ):
            if not piece.startswith("%") or piece == "%%":
                template.append(piece)
                continue
            stars = piece.count("*")
            shown += waiting[:stars]
            del waiting[:stars]
            value = waiting.pop(0)
            text = special(value) if isinstance(value, float) else ""
            plain = re.sub(r"\.(?:\*|\d*)", "", piece)[:-1].replace("0", "", 1) + "s"
            template.append(plain if text else piece)
            shown.append(text or value)
        return "".join(template) % tuple(shown)

    def apply(self, values: Sequence[object], text: Callable[[object], str]) -> str:
        """Return the text for values as the program has them.

        Args:
            values: The values.
            text: Returns a value as a text.

        Raises:
            AwkFatal: There are too few.
        """
        if len(values) < self._needed:
            raise AwkFatal(
                f"not enough arguments to satisfy format string\n\t`{self._source}'\n\t"
                + " " * (len(self._source.rstrip("\n")) - 1)
                + " ^ ran out for this one"
            )
        made = [
            text(values[index]) if what == "text" else MAKERS[what](values[index])
            for index, what in self.takes
        ]
        return self(*made)


@lru_cache(maxsize=200)
def compile_format(source: str) -> Format:
    """Return a format that is ready to be used."""
    return Format(source)


def _unsigned(value: object) -> int | float:
    """Return a number without its fraction; a negative one as C takes it for unsigned."""
    found = number(value)
    if found - found != 0.0:
        return found
    return int(found) + 2**64 if -(2.0**63) <= found <= -1.0 else int(found)


def _width(value: object) -> int:
    found = number(value)
    if not abs(found) <= _MAX_WIDTH:
        raise AwkFatal("format prints too much")
    return int(found)


def character(value: object) -> str:
    """Return the character of a number, or the first one of a text."""
    if value.__class__ is float:
        code = int(number(value)) if number(value) - number(value) == 0.0 else 0
        if 0xD800 <= code < 0xE000 or not 0 <= code < 0x110000:
            return chr(0xDC00 + (code & 0xFF)) if code & 0x80 else chr(code & 0xFF)
        return chr(code)
    if isinstance(value, NumericText):
        return character(value.number) if value else "\0"
    return str(value)[:1] or "\0"


def _octal(value: object) -> str:
    found = _unsigned(value)
    return f"0{found:o}" if isinstance(found, int) and found else "0"


def _hexadecimal(value: object) -> str:
    return number(value).hex()


MAKERS: Final[dict[str, Callable[[object], Any]]] = {
    "number": number,
    "whole": _unsigned,
    "width": _width,
    "character": character,
    "octal": _octal,
    "hexadecimal": _hexadecimal,
}
"""What makes a value what a place of a format takes."""
