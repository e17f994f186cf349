"""What a Python script returns, as values that travel (`values.py`)."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any, Final

from vshell.errors import TooLargeError
from vshell.script.values import MAX_DEPTH

__all__ = ["plain"]

_AS_THEY_ARE: Final = (bool, int, float, str, bytes, bytearray, memoryview)
_LISTS: Final[tuple[type, ...]] = (
    *(list, tuple, range),
    *(type({}.keys()), type({}.values()), type({}.items())),
)
_AS_TEXT: Final = (pathlib.PurePath, decimal.Decimal, uuid.UUID)


def plain(value: Any, depth: int = 0) -> Any:
    """Turn what is like a list, an object or text into one.

    Sets come as sorted lists, keys as text, times in ISO's form.

    Raises:
        TypeError: Something in it is like none of these.
        TooLargeError: It nests too deep.
    """
    if value is None or isinstance(value, _AS_THEY_ARE):
        return value
    if depth > MAX_DEPTH:
        raise TooLargeError(f"it nests deeper than {MAX_DEPTH} levels, or holds itself")
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return plain(_in_order(value), depth + 1)
    if isinstance(value, _LISTS) or hasattr(value, "__next__"):
        return [plain(item, depth + 1) for item in value]
    return _plain_object(value, depth)


def _plain_object(value: Any, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if dataclasses.is_dataclass(value) and not inspect.isclass(value):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name), depth + 1) for field in fields}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key)


def _in_order(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return list(values)
