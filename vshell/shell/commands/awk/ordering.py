"""Orders of arrays: `PROCINFO["sorted_in"]`, `asort` and `asorti`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any, Final, Protocol

from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.values import Array, as_number, number, text_number

__all__ = ["loop_keys", "ordered_keys", "sort_keys", "sort_values"]

_SLOTS: Final = 64
_MOST: Final = 12 * _SLOTS
"""How many elements an array of mawk has before its table grows."""
_PRIME, _BASIS, _WORD = 16777619, 2166136261, 0xFFFFFFFF

_ORDERS: Final = frozenset(
    f"@{what}_{way}_{direction}"
    for what, way in (
        ("ind", "str"), ("ind", "num"), ("val", "type"), ("val", "str"), ("val", "num"),
    )
    for direction in ("asc", "desc")
)  # fmt: skip


class Host(Protocol):
    def text(self, value: object) -> str: ...
    def function_named(self, name: str) -> Callable[..., Any]: ...


def loop_keys(array: Array) -> list[str]:
    """Return the keys of an array as `for (key in array)` takes them.

    No order is promised, but people see one and come to expect it: so it is that of Debian's
    awk, mawk, as far as it is a matter of the keys and of when they came. Large arrays
    are in the order in which their elements came.
    """
    if not 1 < len(array) <= _MOST:
        return list(array)
    if all(key.isdecimal() and key.isascii() and len(key) < 10 for key in array):
        return sorted(array, key=lambda key: (_slot(key), -(int(key) % _SLOTS), -int(key)))
    return sorted(array, key=_slot)


def _slot(key: str) -> int:
    found = _BASIS
    for byte in key.encode("utf-8", "surrogateescape"):
        found = (found ^ byte) * _PRIME & _WORD
    return found % _SLOTS


def ordered_keys(array: Array, order: str, host: Host) -> list[str]:
    """Return the keys of an array in an order: one of gawk's, or a function of the program.

    Raises:
        AwkFatal: There is no such order.
    """
    if order in ("", "@unsorted"):
        return list(array)
    if not order.startswith("@"):
        compare = host.function_named(order)

        def by_function(one: str, other: str) -> int:
            return _sign(compare(one, array[one], other, array[other]))

        return sorted(array, key=cmp_to_key(by_function))
    if order not in _ORDERS:
        raise AwkFatal(f"`{order}' is invalid as a sort order")
    _, what, direction = order[1:].split("_")
    by_key = order.startswith("@ind")

    def rank(key: str) -> Any:
        value = key if by_key else array[key]
        if what == "num":
            return _by_number(value, key, host)
        return _by_type(value, key, host) if what == "type" else _by_text(value, key, host)

    return sorted(array, key=rank, reverse=direction == "desc")


def _sign(value: object) -> int:
    found = number(value)
    return (found > 0) - (found < 0)


def _by_number(value: object, key: str, host: Host) -> tuple[bool, float, str]:
    if isinstance(value, Array):
        return True, 0.0, key
    found = as_number(value)
    return False, text_number(host.text(value)) if found is None else found, host.text(value)


def _by_text(value: object, key: str, host: Host) -> tuple[bool, str]:
    return (True, key) if isinstance(value, Array) else (False, host.text(value))


def _by_type(value: object, key: str, host: Host) -> tuple[int, float, str]:
    """Numbers come before texts, and these before arrays."""
    if isinstance(value, Array):
        return 2, 0.0, key
    found = as_number(value)
    return (1, 0.0, host.text(value)) if found is None else (0, found, key)


def _ordered(array: Array, order: str, host: Host) -> list[str]:
    """Order the keys as `asort` is asked to: its own function compares keys and values."""
    return ordered_keys(array, order, host)


def sort_values(array: Array, into: Array | None, order: str, host: Host) -> float:
    """Put an array's values in order under keys from 1; return how many there are."""
    found = [array[key] for key in _ordered(array, order, host)]
    return _fill(array if into is None else into, found)


def sort_keys(array: Array, into: Array | None, order: str, host: Host) -> float:
    """Put an array's keys in order as values under keys from 1; return how many there are."""
    found: list[object] = list(_ordered(array, order, host))
    return _fill(array if into is None else into, found)


def _fill(target: Array, found: list[object]) -> float:
    target.clear()
    target.update((str(place), value) for place, value in enumerate(found, 1))
    return float(len(found))
