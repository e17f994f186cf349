"""Arguments as models give them, before the schema is asked: read, bounded and mended.

A model's arguments come from a decoder of some harness, or are made up by hostile text
that the model has read. Whatever they are, they become plain JSON data of bounded size
and depth, or a text that says what is wrong with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_BYTES: Final = 4 * 1024 * 1024
"""How much text the arguments of one call may hold: more than any model says at once."""

MAX_DEPTH: Final = 32
"""How deep arguments may be nested: no tool has more than three levels."""

_MAX_VALUES: Final = 100_000
_SURROGATE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_WHOLE: Final = re.compile(r"\s*[+-]?\d{1,18}\s*")


class ArgumentsError(Exception):
    """The arguments cannot be used; the text tells the model why, and what to do."""


def read_arguments(name: str, arguments: object) -> dict[str, Any]:
    """Return the arguments of a call as plain data.

    Args:
        name: The tool, for messages.
        arguments: A mapping, or the JSON text of an object; None is an empty one.

    Raises:
        ArgumentsError: They are something else, too large or too deep, or hold text that
            stands for no bytes.
    """
    if arguments is None:
        return {}
    if isinstance(arguments, str | bytes | bytearray):
        arguments = _parsed(name, arguments)
    if not isinstance(arguments, Mapping):
        raise ArgumentsError(
            f"The arguments of {name} must be an object, not {_kind(arguments)}. Call {name}"
            " again with an object of its parameters."
        )
    return _plain(name, arguments)


def _parsed(name: str, text: str | bytes | bytearray) -> object:
    if len(text) > MAX_BYTES:
        raise _too_large(name)
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ArgumentsError(
            f"The arguments of {name} are no valid JSON. Call {name} again with an object of"
            " its parameters."
        ) from None


def _plain(name: str, arguments: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a copy that holds nothing but JSON data of bounded size, without recursion."""
    whole: dict[str, Any] = {}
    pending: list[tuple[Any, Any, int]] = [(arguments, whole, 1)]
    size = values = 0
    while pending:
        source, target, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ArgumentsError(
                f"The arguments of {name} are nested more than {MAX_DEPTH} levels deep. Call"
                f" {name} again with the parameters that it has."
            )
        items = source.items() if isinstance(source, Mapping) else enumerate(source)
        for found, item in items:
            key = _text(name, found) if isinstance(target, dict) else found
            values += 1
            size += len(key) if isinstance(key, str) else 0
            if isinstance(item, Mapping | list | tuple):
                inner: Any = {} if isinstance(item, Mapping) else []
                pending.append((item, inner, depth + 1))
            else:
                inner = _scalar(name, item)
                size += len(inner) if isinstance(inner, str) else 0
            if size > MAX_BYTES or values > _MAX_VALUES:
                raise _too_large(name)
            if isinstance(target, dict):
                target[key] = inner
            else:
                target.append(inner)
    return whole


def _scalar(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _text(name, value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ArgumentsError(
        f"The arguments of {name} hold a {type(value).__name__}, which JSON does not have."
        " Use text, numbers, booleans, arrays and objects."
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentsError(
            f"The names of the parameters of {name} must be text, not {_kind(value)}."
        )
    if not value.isascii() and _SURROGATE.search(value):
        raise ArgumentsError(
            f"The arguments of {name} hold a lone surrogate, which stands for no character."
            " Leave it out, or write the character that is meant."
        )
    return str.__str__(value)


def _too_large(name: str) -> ArgumentsError:
    return ArgumentsError(
        f"The arguments of {name} are too large: {MAX_BYTES // 1024**2} MiB are allowed. Do it in"
        " several calls: write the beginning of a file first, and add the rest with edits."
    )


def _kind(value: object) -> str:
    return {bool: "a boolean", int: "a number", float: "a number", list: "an array"}.get(
        type(value), f"a {type(value).__name__}"
    )


def renamed(
    given: dict[str, Any], known: Mapping[str, Any], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments under the parameters' own names.

    `filePath` and `file-path` are `file_path`, and the other way round; `aliases` has
    further names. A name that is right already is never overruled.
    """
    wanted = {_folded(name): name for name in known}
    wanted |= {_folded(alias): name for alias, name in aliases.items()}
    found = {name: value for name, value in given.items() if name in known}
    for name, value in given.items():
        if name not in known:
            meant = wanted.get(_folded(name), name)
            found.setdefault(name if meant in found else meant, value)
    return found


def coerced(given: dict[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the arguments with text that was meant as a number, array or object made one.

    Optional parameters that are null count as not given.
    """
    found = {}
    for name, value in given.items():
        kind = known.get(name, {}).get("type")
        if value is None and kind is not None:
            continue
        found[name] = _meant(value, kind) if isinstance(value, str) else value
    return found


def _meant(text: str, kind: str | None) -> Any:
    if kind in ("integer", "number") and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "boolean" and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    if kind in ("array", "object"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return value if isinstance(value, list if kind == "array" else dict) else text
    return text


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
