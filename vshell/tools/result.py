"""What a tool returns: text or data for the model, and whether it was a mistake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from vshell.record import Record


class ToolText(str):
    """The text that a tool answers with.

    Attributes:
        is_error: Whether it says that something went wrong.
    """

    __slots__ = ("is_error",)

    is_error: bool

    def __new__(cls, text: str, *, is_error: bool = False) -> Self:
        made = super().__new__(cls, text)
        made.is_error = is_error
        return made


@dataclass(frozen=True, slots=True)
class Attachment(Record):
    """Bytes that a model is shown as such: an image, a sound or a document.

    Attributes:
        data: The bytes.
        media_type: What they are, such as `"image/png"`.
        path: The file that they are from.
    """

    data: bytes
    media_type: str
    path: str


@dataclass(frozen=True, slots=True)
class ToolResult(Record):
    """The result of a call.

    Attributes:
        value: What the harness' own tool returns: text, or JSON-ready data.
        is_error: Whether it says that something went wrong.
        structured: Data beside the text, where the harness has it; None otherwise.
        attachments: What is to be shown beside it.
    """

    value: Any
    is_error: bool = False
    structured: dict[str, Any] | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        """The value as text: itself, or as JSON."""
        if isinstance(self.value, str):
            return str(self.value)
        return json.dumps(self.value, ensure_ascii=False)


class ToolError(Exception):
    """A tool cannot do what it was asked for; the value says why, in the harness' words."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value
