"""The types of the scripting API's parameters, and how values that come from scripts are read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from vshell.errors import RangeError, VshellError

__all__ = [
    "ALGORITHM",
    "BOOLEAN",
    "BYTES",
    "COUNT",
    "ENTRY_TYPES",
    "JSON",
    "OBJECT",
    "PATH",
    "PATHS",
    "PATTERNS",
    "STRING",
    "TEXT_OR_BYTES",
    "TIME",
    "BadCallError",
    "Type",
    "kind_of",
    "list_of",
]

_KINDS: Final = ("file", "directory", "symlink")
_ALGORITHMS: Final = ("md5", "sha1", "sha256")
_LARGEST_COUNT: Final = (1 << 63) - 1
_LARGEST_MS: Final = 8_640_000_000_000_000
"""The last moment of a JavaScript `Date`, in milliseconds since 1970."""


class BadCallError(VshellError, TypeError):
    """A scripting method was called with arguments that it does not take."""

    code: ClassVar[str] = "bad_call"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a parameter.

    Attributes:
        typescript: The type as TypeScript writes it.
        read: Returns what the method gets for a value, or raises a `BadCallError` or
            `RangeError`; its second argument is what the value is called in messages.
    """

    typescript: str
    read: Callable[[object, str], Any]


def kind_of(value: object) -> str:
    """Return the name of a value's type, for messages."""
    return "null" if value is None else type(value).__name__


def list_of(item: Type, typescript: str) -> Type:
    """Return the type of lists whose items are of one type."""

    def read(value: object, where: str) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _wrong("a list", value, where)
        return [item.read(each, f"{where}[{index}]") for index, each in enumerate(value)]

    return Type(typescript, read)


def _wrong(wanted: str, value: object, where: str) -> BadCallError:
    return BadCallError(f"{where} must be {wanted}, not {kind_of(value)}")


def _read_string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong("text", value, where)
    return value


def _read_path(value: object, where: str) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise _wrong("a path", value, where)
    return path


def _read_bytes(value: object, where: str) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _wrong("bytes", value, where)
    return bytes(value)


def _read_text_or_bytes(value: object, where: str) -> str | bytes:
    return value if isinstance(value, str) else _read_bytes(value, where)


def _read_boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false", value, where)
    return value


def _read_count(value: object, where: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a script's numbers may all be floats
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("a whole number", value, where)
    if not 0 <= value <= _LARGEST_COUNT:
        raise RangeError(f"{where} must not be negative or above 2**63, as {value:.20g} is")
    return value


def _read_time(value: object, where: str) -> float:
    """Return milliseconds since 1970, as JavaScript counts time."""
    if isinstance(value, str):
        value = _parse_time(value, where)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        value = aware.timestamp() * 1000
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong("a time", value, where)
    if math.isnan(value) or abs(value) > _LARGEST_MS:
        raise RangeError(f"{where} is no time: {value:.20g}")
    return value


def _parse_time(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RangeError(
            f"{where} is no time: {text[:100]!r}", hint='a time looks like "2026-01-31T12:00:00Z"'
        ) from None


def _read_entry_types(value: object, where: str) -> frozenset[str]:
    names = value if isinstance(value, (list, tuple)) else [value]
    return frozenset(_read_choice(name, where, _KINDS) for name in names)


def _read_choice(value: object, where: str, choices: tuple[str, ...]) -> str:
    text = _read_string(value, where)
    if text not in choices:
        raise RangeError(
            f"{where} is {text[:100]!r}, which it cannot be",
            hint=f"choose from {', '.join(choices)}",
        )
    return text


def _read_patterns(value: object, where: str) -> list[str]:
    items = value if isinstance(value, (list, tuple)) else [value]
    return [_read_string(item, where) for item in items]


def _read_algorithm(value: object, where: str) -> str:
    return _read_choice(value, where, _ALGORITHMS)


def _read_object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _wrong("an object", value, where)
    return value


def _read_anything(value: object, where: str) -> object:  # noqa: ARG001 - the form of `read`
    return value


STRING: Final = Type("string", _read_string)
PATH: Final = Type("string", _read_path)
PATHS: Final = list_of(PATH, "string[]")
PATTERNS: Final = Type("string | string[]", _read_patterns)
BYTES: Final = Type("Uint8Array", _read_bytes)
TEXT_OR_BYTES: Final = Type("string | Uint8Array", _read_text_or_bytes)
BOOLEAN: Final = Type("boolean", _read_boolean)
COUNT: Final = Type("number", _read_count)
TIME: Final = Type("number | string", _read_time)
ENTRY_TYPES: Final = Type("StateEntryType | StateEntryType[]", _read_entry_types)
ALGORITHM: Final = Type('"md5" | "sha1" | "sha256"', _read_algorithm)
OBJECT: Final = Type("object", _read_object)
JSON: Final = Type("unknown", _read_anything)
