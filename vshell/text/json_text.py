"""JSON as text: read strictly (RFC 8259), written as JavaScript's `JSON.stringify` lays it out.

Neither direction recurses without a bound: how deep values nest is checked first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vshell.errors import DecodeError, TooLargeError
from vshell.limits import MAX_TEXT_BYTES

__all__ = ["MAX_JSON_BYTES", "MAX_JSON_DEPTH", "format_json", "parse_json"]

MAX_JSON_DEPTH: Final = 400
"""How deep values may nest; Python's own reader takes a C stack frame for each level."""

MAX_JSON_BYTES: Final = 16 * 1024**2
"""The largest text that is parsed: as Python values it takes up to forty times as much."""

MAX_INDENT: Final = 10
"""The widest indentation that `JSON.stringify` makes."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]|-?(?:NaN|Infinity)', re.DOTALL)
_EXPONENT: Final = re.compile(r"e([+-])0+(?=\d)")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_quoted = json.encoder.encode_basestring


def parse_json(text: str, *, path: str | None = None) -> Any:
    """Return the value that a JSON text stands for.

    Args:
        text: The text; a byte-order mark before it is ignored.
        path: The file that it is from, for errors.

    Raises:
        DecodeError: It is no JSON; `data` has `line` and `column`, from 1. `NaN`, `Infinity`
            and numbers too large for a float are none.
        TooLargeError: It has more than 16 MiB, or nests deeper than 400 levels.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_JSON_BYTES:
        raise TooLargeError(
            f"the JSON{_in(path)} has {len(text)} characters, more than {MAX_JSON_BYTES}",
            path=path,
            hint="split it into several files",
        )
    _check_depth(text, path)
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise _invalid(text, error.pos, error.msg, path) from None
    except _NotJsonError as error:
        raise _invalid(text, _constant_position(text), str(error), path) from None
    except ValueError:  # Python converts no more than 4,300 digits
        raise _invalid(text, 0, "a number has too many digits", path) from None
    except RecursionError:
        raise _too_deep(path) from None


def format_json(value: object, *, spaces: int = 2) -> str:
    """Return a value as JSON text, without a final newline.

    Args:
        value: None, booleans, numbers, text, and lists, tuples and mappings of them.
        spaces: How far to indent each level: 0 puts all on one line, more than 10 is 10.

    Raises:
        TypeError: Something in the value has no form in JSON.
        TooLargeError: It nests deeper than 400 levels, as one that contains itself does, or
            takes more than 64 Mi characters.
    """
    text = "".join(_Writer(min(spaces, MAX_INDENT)).pieces(value))
    # Text that stands for no bytes keeps its meaning as an escape.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _NotJsonError(ValueError):
    """A name that Python takes for a number and JSON does not."""


def _refuse_constant(name: str) -> float:
    raise _NotJsonError(f"{name} is not allowed")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _NotJsonError("a number is too large")
    return number


def _constant_position(text: str) -> int:
    for token in _TOKEN.finditer(text):
        if token[0][-1] in "Ny":
            return token.start()
    return 0


def _check_depth(text: str, path: str | None) -> None:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise _too_deep(path)
        elif token[0] in "]}":
            depth -= 1


def _too_deep(path: str | None) -> TooLargeError:
    return TooLargeError(
        f"the JSON{_in(path)} nests deeper than {MAX_JSON_DEPTH} levels", path=path
    )


def _invalid(text: str, position: int, reason: str, path: str | None) -> DecodeError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return DecodeError(
        f"invalid JSON{_in(path)} at line {line}, column {column}: {reason}",
        path=path,
        data={"line": line, "column": column},
    )


def _in(path: str | None) -> str:
    return f" in {path}" if path else ""


class _Level:
    """A container that is being written: what is left of it, and how it ends."""

    __slots__ = ("closing", "first", "items")

    def __init__(self, items: Iterator[tuple[str, object]], closing: str) -> None:
        self.items = items
        self.closing = closing
        self.first = True


class _Writer:
    def __init__(self, spaces: int) -> None:
        self._indent = " " * spaces
        self._colon = ": " if spaces else ":"
        self._left = MAX_TEXT_BYTES

    def pieces(self, value: object) -> Iterator[str]:
        levels: list[_Level] = []
        yield self._begin(value, levels)
        while levels:
            level = levels[-1]
            item = next(level.items, None)
            if item is None:
                levels.pop()
                yield self._counted(self._newline(len(levels)) + level.closing)
                continue
            comma = "" if level.first else ","
            level.first = False
            yield self._counted(comma + self._newline(len(levels)) + item[0])
            yield self._begin(item[1], levels)

    def _begin(self, value: object, levels: list[_Level]) -> str:
        """Return a scalar or an empty container whole, of any other the opening bracket."""
        if isinstance(value, Mapping):
            if not value:
                return self._counted("{}")
            level = _Level(((self._key(name), item) for name, item in value.items()), "}")
        elif isinstance(value, (list, tuple)):
            if not value:
                return self._counted("[]")
            level = _Level((("", item) for item in value), "]")
        else:
            return self._counted(_scalar(value))
        if len(levels) >= MAX_JSON_DEPTH:
            raise _too_deep(None)
        levels.append(level)
        return self._counted("{" if level.closing == "}" else "[")

    def _key(self, name: object) -> str:
        if not isinstance(name, str):
            raise TypeError(f"a name in JSON is text, not {type(name).__name__}")
        return _quoted(name) + self._colon

    def _newline(self, depth: int) -> str:
        return f"\n{self._indent * depth}" if self._indent else ""

    def _counted(self, piece: str) -> str:
        self._left -= len(piece)
        if self._left < 0:
            raise TooLargeError(f"the value takes more than {MAX_TEXT_BYTES} characters as JSON")
        return piece


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"JSON has no number {value}")
        return _EXPONENT.sub(r"e\1", float.__repr__(value))
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise TooLargeError("an integer has too many digits for JSON") from None
