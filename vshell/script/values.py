"""How values travel as JSON: bytes and numbers that JSON lacks are tagged.

`{"$bytes": "AAE="}` is bytes in base64, `{"$number": "NaN"}` (also `Infinity` and
`-Infinity`) a number without a form in JSON. An object that looks like a tag, having one
key that begins with `$`, stands in `{"$plain": {...}}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from vshell.errors import DecodeError, TooLargeError

__all__ = ["MAX_DEPTH", "decode", "encode", "tagged", "untagged"]

MAX_DEPTH: Final = 200
"""How deep values may nest: what every engine and Python's parser can take."""

# Making an encoder for each message would cost half of the message.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TEXT: Final = frozenset({str})
_MAX_DIGITS: Final = 4000
"""Integers have at most so many digits: Python refuses to print 4,301."""
_LARGEST_INTEGER: Final = 10**_MAX_DIGITS


def encode(value: Any, *, max_bytes: int | None = None) -> bytes:
    """Return a value as compact JSON in UTF-8.

    Raises:
        TypeError: It holds something that has no form in JSON.
        TooLargeError: It is larger than `max_bytes`, or nests too deep.
    """
    text = _ENCODER.encode(tagged(value))
    data = text.encode("utf-8", "surrogatepass")
    if max_bytes is not None and len(data) > max_bytes:
        raise TooLargeError(f"a value of {len(data)} bytes is over the limit of {max_bytes}")
    return data


def decode(data: bytes | str) -> Any:
    """Return the value that JSON stands for.

    Raises:
        DecodeError: It is no such JSON.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8", "surrogatepass")
        value = _DECODER.decode(text)
        return untagged(value) if '"$' in text else value
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not the JSON of a value: {type(error).__name__}") from None


def tagged(value: Any, depth: int = 0) -> Any:
    """Return a value with everything that JSON lacks replaced by tags.

    Raises:
        TypeError: It holds something that has no form in JSON.
        TooLargeError: It nests too deep, or an integer has too many digits.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if not -_LARGEST_INTEGER < value < _LARGEST_INTEGER:
            raise TooLargeError(f"an integer of more than {_MAX_DIGITS} digits")
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$number": _number_name(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(value).decode()}
    if depth >= MAX_DEPTH:
        raise TooLargeError(f"a value nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        if set(map(type, value)) <= _TEXT:
            return value
        # Most items are text, and a call costs more than a look.
        return [item if type(item) is str else tagged(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return _tagged_object(value, depth)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _tagged_object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    if set(map(type, value.values())) <= _TEXT and set(map(type, value)) <= _TEXT:
        # Such as the contents of many files: nothing in it needs a closer look.
        found = value if type(value) is dict else dict(value)
        return {"$plain": found} if _looks_tagged(found) else found
    found = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"a key of an object is text, not {type(key).__name__}")
        found[key] = item if type(item) is str else tagged(item, depth + 1)
    return {"$plain": found} if _looks_tagged(found) else found


def _looks_tagged(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _number_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def untagged(value: Any) -> Any:
    """Return a value without tags.

    Raises:
        DecodeError: A tag is unknown or malformed.
    """
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _looks_tagged(value):
        return {key: untagged(item) for key, item in value.items()}
    ((tag, content),) = value.items()
    if tag == "$plain" and isinstance(content, dict):
        return {key: untagged(item) for key, item in content.items()}
    if tag == "$number" and isinstance(content, str) and content in _NUMBERS:
        return _NUMBERS[content]
    if tag == "$bytes" and isinstance(content, str):
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise DecodeError(f"a malformed tag: {tag[:20]}")


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


# `int` refuses numbers of more digits than `tagged` lets through, and some more.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
