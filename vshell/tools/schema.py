"""Checking a tool's arguments against its JSON Schema.

It knows the few keywords that tools use (type, properties, required, minimum,
maximum, items, additionalProperties). The messages are worded as Zod's are
(https://zod.dev), which models meet most.
"""

from __future__ import annotations

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
    kind = schema["type"]
    if not _is_of(kind, value):
        expected = "number" if kind == "integer" else kind
        if kind == "integer" and _is_of("number", value):
            expected = "int"
        yield path, f"Invalid input: expected {expected}, received {_name_of(value)}"
    elif kind == "object":
        yield from _check_object(schema, value, path)
    elif kind == "array":
        for position, item in enumerate(value):
            yield from _check(schema["items"], item, f"{path}.{position}")
    elif kind in ("integer", "number"):
        if "minimum" in schema and value < schema["minimum"]:
            yield path, f"Too small: expected number to be >={schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            yield path, f"Too big: expected number to be <={schema['maximum']}"


def _check_object(
    schema: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties", {})
    inside = f"{path}." if path else ""
    for name in schema.get("required", ()):
        if name not in value:
            kind = properties[name]["type"]
            expected = "number" if kind == "integer" else kind
            yield f"{inside}{name}", f"Invalid input: expected {expected}, received undefined"
    for name, item in value.items():
        if name in properties:
            yield from _check(properties[name], item, f"{inside}{name}")
        elif not schema.get("additionalProperties", True):
            yield path, f'Unrecognized key: "{name}"'


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
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
    return isinstance(value, dict)


def _name_of(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)
