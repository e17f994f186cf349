"""Checking a tool's arguments against its JSON Schema.

It knows the keywords that tools use (type, enum, properties, required, minimum, maximum,
items, minItems, maxItems, additionalProperties). The messages are worded as Zod's are
(https://zod.dev), which models meet most.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}


def violations(schema: Mapping[str, Any], value: Any) -> list[dict[str, str]]:
    """Return what breaks the schema: `path` and `message` of each violation."""
    return [{"path": path, "message": message} for path, message in _check(schema, value, "")]


def _check(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[tuple[str, str]]:
    kind = schema.get("type")
    if kind is None:
        return  # anything will do
    if not _is_of(kind, value):
        yield path, f"Invalid input: expected {_expected(kind, value)}, received {_name_of(value)}"
    elif "enum" in schema and value not in schema["enum"]:
        choices = "|".join(f'"{choice}"' for choice in schema["enum"])
        yield path, f"Invalid option: expected one of {choices}"
    elif kind == "object":
        yield from _check_object(schema, value, path)
    elif kind == "array":
        yield from _check_array(schema, value, path)
    elif kind in ("integer", "number"):
        yield from _check_number(schema, value, path)


def _check_number(schema: Mapping[str, Any], value: float, path: str) -> Iterator[tuple[str, str]]:
    if "minimum" in schema and value < schema["minimum"]:
        yield path, f"Too small: expected number to be >={schema['minimum']}"
    elif "maximum" in schema and value > schema["maximum"]:
        yield path, f"Too big: expected number to be <={schema['maximum']}"
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        yield path, "Too big: expected number to fit in 64 bits"


def _check_array(
    schema: Mapping[str, Any], value: list[Any], path: str
) -> Iterator[tuple[str, str]]:
    if len(value) < schema.get("minItems", 0):
        yield path, f"Too small: expected array to have >={schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield path, f"Too big: expected array to have <={schema['maxItems']} items"
        return
    for position, item in enumerate(value):
        yield from _check(schema["items"], item, f"{path}.{position}")


def _check_object(
    schema: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties", {})
    inside = f"{path}." if path else ""
    for name in schema.get("required", ()):
        if name not in value:
            expected = _expected(properties[name]["type"], None)
            yield f"{inside}{name}", f"Invalid input: expected {expected}, received undefined"
    for name, item in value.items():
        if name in properties:
            yield from _check(properties[name], item, f"{inside}{name}")
        elif not schema.get("additionalProperties", True):
            yield path, f'Unrecognized key: "{name}"'


def _expected(kind: str, value: Any) -> str:
    if kind == "integer":
        return "int" if _is_of("number", value) else "number"
    return kind


def _is_of(kind: str, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "number":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and (isinstance(value, int) or math.isfinite(value))
        case "array":
            return isinstance(value, list)
    return isinstance(value, dict)


def _name_of(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity"
    return _NAMES.get(type(value), type(value).__name__)
