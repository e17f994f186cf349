"""Paths into JSON values, such as `.items[0].name`.

A path is names, after dots, and indexes, in brackets; the first dot may be left out,
an empty path or `.` is the whole value, and empty names are ignored. There are no
quoted names: a name with a dot or a bracket in it cannot be reached.

Reading is lenient about what is not there and strict about what is of another kind:
a name that an object does not have and an index beyond a list's end give None; a name
in something that is no object, and an index into something that is no list, are
errors. In a list, a name that is a number is an index, and `length` its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from vshell.errors import BadPatternError, RangeError

__all__ = ["MAX_HOLES", "Step", "parse_path", "query_value", "remove_value", "set_value"]

MAX_HOLES: Final = 100_000
"""How many elements one assignment may add to a list: an index far beyond its end is a mistake."""

_MAX_CHARACTERS: Final = 4096
_MAX_INDEX_DIGITS: Final = 15
_INTEGER: Final = re.compile(rf"[+-]?[0-9]{{1,{_MAX_INDEX_DIGITS}}}", re.ASCII)
_NAME_END: Final = re.compile(r"[].[]")


class _Missing:
    """Stands for what is not there."""


_MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path.

    Attributes:
        name: The name, or None when the step is an index.
        index: The index; None for a name, and for brackets that hold no whole number, which
            name no element.
        text: The step as it was written.
    """

    name: str | None
    index: int | None
    text: str


def parse_path(path: str) -> tuple[Step, ...]:
    """Return the steps of a path; none for an empty one and for `.`.

    Raises:
        BadPatternError: A bracket has no partner, or the path has more than 4,096 characters.
    """
    if len(path) > _MAX_CHARACTERS:
        raise BadPatternError(f"the JSON path has more than {_MAX_CHARACTERS} characters")
    rest = path.strip().removeprefix(".")
    steps: list[Step] = []
    while rest:
        if rest[0] == "[":
            inside, closed, rest = rest[1:].partition("]")
            if not closed:
                raise _invalid(path, "a [ has no ]")
            steps.append(_index_step(inside))
        elif rest[0] == "]":
            raise _invalid(path, "a ] has no [")
        else:
            found = _NAME_END.search(rest)
            name = rest[: found.start()] if found else rest
            rest = rest[len(name) :]
            if name:
                steps.append(Step(name, None, name))
        rest = rest.removeprefix(".")
    return tuple(steps)


def _index_step(inside: str) -> Step:
    text = inside.strip()
    if not text:
        return Step(None, 0, "[]")
    return Step(None, int(text) if _INTEGER.fullmatch(text) else None, f"[{inside}]")


def _invalid(path: str, reason: str) -> BadPatternError:
    return BadPatternError(
        f"invalid JSON path: {path!r}: {reason}", hint='a path looks like ".items[0].name"'
    )


def query_value(value: Any, steps: tuple[Step, ...]) -> Any:
    """Return what is at the path in a value; None when nothing is.

    Raises:
        RangeError: A step needs an object or a list, and something else is there.
    """
    for step in steps:
        value = _child(value, step)
    return None if value is _MISSING else value


def _child(value: Any, step: Step) -> Any:
    if step.name is None:
        if not isinstance(value, list):
            raise _wrong_kind("a list", step, value)
        return _element(value, step.index)
    if isinstance(value, dict):
        return value.get(step.name, _MISSING)
    if not isinstance(value, list):
        raise _wrong_kind("an object", step, value)
    if step.name == "length":
        return len(value)
    return _element(value, _index_named(step.name))


def _index_named(name: str) -> int | None:
    return int(name) if name.isdecimal() and _INTEGER.fullmatch(name) else None


def _element(items: list[Any], index: int | None) -> Any:
    return items[index] if index is not None and 0 <= index < len(items) else _MISSING


def _wrong_kind(wanted: str, step: Step, value: Any) -> RangeError:
    found = "nothing" if value is _MISSING else _KINDS.get(type(value), "a number")
    return RangeError(
        f"the JSON path needs {wanted} at {step.text}, where {found} is",
        hint="look at the value with a shorter path",
    )


_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a boolean",
    type(None): "null",
}


def set_value(root: Any, steps: tuple[Step, ...], value: Any) -> int:
    """Put a value at the path, making objects and lists that are missing on the way.

    An index beyond a list's end fills the gap with None.

    Returns:
        How many elements lists grew by, the value's own included.

    Raises:
        BadPatternError: The path is empty.
        RangeError: A step needs an object or a list and something else is there, or an index
            is none that an element can have.
    """
    _check_not_empty(steps)
    current = root
    added = 0
    for step, following in pairwise(steps):
        found = _present(current, step)
        if found is _MISSING:
            found = {} if following.name is not None else []
            added += _assign(current, step, found)
        current = found
    _present(current, steps[-1])
    return added + _assign(current, steps[-1], value)


def remove_value(root: Any, steps: tuple[Step, ...]) -> None:
    """Remove what is at the path; later elements of a list move up. Nothing there is no error.

    Raises:
        BadPatternError: The path is empty.
    """
    _check_not_empty(steps)
    current = root
    for step in steps[:-1]:
        current = _lenient_child(current, step)
    last = steps[-1]
    if isinstance(current, dict) and last.name is not None:
        current.pop(last.name, None)
    elif isinstance(current, list):
        index = _index_named(last.name) if last.name is not None else last.index
        if _element(current, index) is not _MISSING:
            assert index is not None
            del current[index]


def _check_not_empty(steps: tuple[Step, ...]) -> None:
    if not steps:
        raise BadPatternError(
            "the JSON path of a change must not be empty", hint="write the whole file instead"
        )


def _lenient_child(value: Any, step: Step) -> Any:
    kind = dict if step.name is not None and not isinstance(value, list) else list
    return _child(value, step) if isinstance(value, kind) else _MISSING


def _present(value: Any, step: Step) -> Any:
    """Return the child, or raise an error where none could be put."""
    if isinstance(value, list) and step.name is not None and _index_named(step.name) is None:
        raise _wrong_kind("an object", step, value)
    return _child(value, step)


def _assign(container: Any, step: Step, value: Any) -> int:
    if isinstance(container, dict):
        container[step.name] = value
        return 0
    index = step.index if step.name is None else _index_named(step.name)
    if index is None or index < 0 or step.text == "[]" or index - len(container) >= MAX_HOLES:
        raise RangeError(
            f"no element can be put at {step.text} of a list of {len(container)}",
            hint=f"the index of the next element is [{len(container)}]",
        )
    added = max(0, index + 1 - len(container))
    container.extend([None] * added)
    container[index] = value
    return added
