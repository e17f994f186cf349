"""Scripts of `sed`: their commands, and where these apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import regex

Pattern: TypeAlias = regex.Pattern[str]


class SedError(Exception):
    """The script is none; the text says where and why."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Address:
    """Where a command applies.

    Attributes:
        kind: `line`, `last`, `regex`, `step`; as a second address also `plus`, `multiple`.
        number: The line, the first line of steps, or a count.
        step: The distance of steps.
        pattern: The expression; None is the last one that was used.
    """

    kind: Literal["line", "last", "regex", "step", "plus", "multiple"]
    number: int = 0
    step: int = 0
    pattern: Pattern | None = None


@dataclass(slots=True)
class Substitution:
    """What `s` does.

    Attributes:
        pattern: The expression; None is the last one that was used.
        parts: The replacement: text, numbers of groups, and letters for changes of case.
        has_cases: Whether there are such letters.
        template: The replacement as the `regex` module takes it; None where that would
            replace something else.
    """

    pattern: Pattern | None
    parts: list[tuple[Literal["text", "group", "case"], Any]]
    has_cases: bool
    is_global: bool = False
    is_printed: bool = False
    is_executed: bool = False
    number: int = 1
    file: str | None = None
    template: str | None = None


@dataclass(slots=True)
class SedCommand:
    """One command."""

    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: str = ""
    number: int | None = None
    substitution: Substitution | None = None
    table: dict[int, str] = field(default_factory=dict)
    target: int = 0
    # The state of its range.
    is_active: bool = False
    is_over: bool = False
    range_end: int = 0
