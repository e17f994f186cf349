"""What every result has in common: it is frozen, and it turns into plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

__all__ = ["Record", "plain", "quick_constructor"]

R = TypeVar("R", bound="Record")


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


def quick_constructor(record: type[R]) -> Callable[..., R]:
    """Return what makes a frozen, slotted record of its values, all given by position.

    A frozen dataclass sets each field by a call of its own, and so takes four times as
    long to make as one that is not: which tells where a result holds 100,000 of them.
    So one that is not is made first, and then becomes what it should be.
    """
    names = [field.name for field in fields(record)]  # type: ignore[arg-type]
    annotations = dict.fromkeys(names, Any)
    thawed: Any = dataclass(slots=True)(
        type(f"_Thawed{record.__name__}", record.__bases__, {"__annotations__": annotations})
    )

    def make(*values: object) -> R:
        made: R = thawed(*values)
        made.__class__ = record
        return made

    return make
