"""JSON texts, cut into values: how `jq` reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final


class BadJSONError(ValueError):
    """A text is no JSON; the message is jq's."""


_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER: Final = json.JSONDecoder()


def documents(text: str) -> Iterator[str]:
    """Yield the texts of the values that a text holds; errors as `placed_documents`."""
    return (found for found, _ in placed_documents(text))


def placed_documents(text: str) -> Iterator[tuple[str, int]]:
    """Yield the texts of the values that a text holds, and where each of them ends.

    Raises:
        BadJSONError: What comes is no JSON, or is nested too deeply.
    """
    position = 0
    while True:
        space = _SPACE.match(text, position)
        assert space is not None
        position = space.end()
        if position == len(text):
            return
        try:
            _, end = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise BadJSONError(_parse_error(text, error)) from None
        except RecursionError:
            raise BadJSONError("Exceeds depth limit for parsing") from None
        following = text[end : end + 1]
        if following and (following.isalnum() and text[end - 1].isalnum()):
            line = text.count("\n", 0, end) + 1
            raise BadJSONError(f"Invalid literal at line {line}, column {_column(text, end)}")
        yield text[position:end], end
        position = end


def _column(text: str, position: int) -> int:
    return position - (text.rfind("\n", 0, position) + 1)


def _parse_error(text: str, error: json.JSONDecodeError) -> str:
    """Word an error as jq does, by letting jq find it."""
    import jq

    try:
        jq.compile(".").input_text(text).text()
    except (ValueError, RecursionError) as found:
        return str(found).removeprefix("parse error: ")
    return str(error)
