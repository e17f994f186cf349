"""What every result has in common: it is frozen, and it turns into plain data."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["Record", "plain"]


class Record:
    """The base of the result dataclasses."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, nested results included, ready for JSON.

        Bytes become text with undecodable bytes as lone surrogates
        (`surrogateescape`), tuples become lists.
        """
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """Return `value` with results, tuples and bytes replaced by dicts, lists and text."""
    if isinstance(value, Record):
        return value.as_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value
