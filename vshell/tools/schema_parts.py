"""The pieces that the tools' JSON Schemas are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(description: str = "", *choices: str) -> Schema:
    """Return the schema of a text, or of one of several."""
    return _described(
        {"type": "string"} | ({"enum": list(choices)} if choices else {}), description
    )


def whole(
    description: str = "", *, minimum: int | None = None, maximum: int | None = None
) -> Schema:
    """Return the schema of a whole number."""
    bounds = {"minimum": minimum, "maximum": maximum}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return _described({"type": "integer", **given}, description)


def number(description: str = "", *, minimum: float | None = None) -> Schema:
    """Return the schema of a number."""
    bounds = {} if minimum is None else {"minimum": minimum}
    return _described({"type": "number", **bounds}, description)


def flag(description: str = "") -> Schema:
    """Return the schema of a truth value."""
    return _described({"type": "boolean"}, description)


def array(items: Schema, description: str = "", **bounds: int) -> Schema:
    """Return the schema of an array; `bounds` are `minItems` and `maxItems`."""
    return _described({"type": "array", "items": items, **bounds}, description)


def record(required: tuple[str, ...], **properties: Schema) -> Schema:
    """Return the schema of an object with these properties, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _described(schema: Schema, description: str) -> Schema:
    return schema | ({"description": description} if description else {})
