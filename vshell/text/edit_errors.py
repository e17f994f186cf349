"""What is said when edits cannot be applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import (
    EditError,
    EmptyOldError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    OverlappingEditsError,
    TooLargeError,
)
from vshell.text.locate import LEVELS, Hits, Level, Source, Span, find
from vshell.text.nearest import nearest_lines

__all__ = ["Failure", "choice_error", "shape_error"]

_LOOSER_BYTES: Final = 1024**2
"""Up to this size, a text that was not found is also looked for at looser levels, for the hint."""

_SHOWN_LINES: Final = 10


def shape_error(message: str, path: str | None) -> EditError:
    """Return the error for something that is no edit."""
    hint = "Pass a list of edits, each with the texts `old` and `new`, and maybe `replace_all`."
    return EditError(message, path=path, hint=hint)


def choice_error(name: str, value: object, choices: Sequence[str], path: str) -> EditError:
    """Return the error for an option that has no such value."""
    return EditError(f"{name} is {value!r}", path=path, hint=f"Use one of {', '.join(choices)}.")


@dataclass(frozen=True, slots=True)
class Failure:
    """Makes the errors of one call.

    Attributes:
        path: The file that was to be edited.
        total: How many edits there are.
    """

    path: str
    total: int

    def _name(self, index: int) -> str:
        return "the edit" if self.total == 1 else f"edits[{index}]"

    def too_large(self, what: str) -> TooLargeError:
        """Return the error for a text that is, or would become, too large."""
        return TooLargeError(f"{self.path} {what}", path=self.path, hint="Use a script for it.")

    def empty_old(self, index: int) -> EmptyOldError:
        """Return the error for an edit that does not say what to replace."""
        return EmptyOldError(
            f"{self._name(index)}: the text to replace in {self.path} is empty",
            path=self.path,
            hint="Give the text beside which to insert, and repeat it in `new`.",
            data={"edit": index},
        )

    def no_change(self, index: int | None = None) -> NoChangeError:
        """Return the error for an edit, or all of them, without an effect."""
        edits = "the edits leave" if index is None else f"{self._name(index)} leaves"
        return NoChangeError(
            f"{edits} {self.path} as it is",
            path=self.path,
            hint="Check what `new` should be; the file may hold it already.",
            data={} if index is None else {"edit": index},
        )

    def overlap(self, one: int, other: int) -> OverlappingEditsError:
        """Return the error for two edits, in the order of the text."""
        return OverlappingEditsError(
            f"edits[{one}] and edits[{other}] touch the same text in {self.path}",
            path=self.path,
            hint='Merge them into one edit, or pass basis="sequential".',
            data={"edits": [one, other]},
        )

    def multiple(
        self, source: Source, index: int, level: Level, hits: Hits
    ) -> MultipleMatchesError:
        """Return the error for a text that is there more than once."""
        lines = list(_lines(source.data, [span for span in hits.spans if span]))
        numbers = [str(line) for line in dict.fromkeys(lines)]
        shown = ", ".join(numbers[:_SHOWN_LINES])
        more = ", ..." if len(numbers) > _SHOWN_LINES else ""
        return MultipleMatchesError(
            f"{self._name(index)}: the text to replace is {hits.count} times in {self.path}, "
            f"on line{'s' if len(numbers) > 1 else ''} {shown}{more}",
            path=self.path,
            hint="Add the lines around it until it is there once, or set `replace_all`.",
            data={"edit": index, "count": hits.count, "lines": lines, "strategy": level},
        )

    def ambiguous(self, source: Source, index: int, old: str) -> NoMatchError:
        """Return the error for a text that is there loosely, but with no clear start or end."""
        return NoMatchError(
            f"{self._name(index)}: the text to replace is not in {self.path} as it stands, and "
            "where it is loosely, it begins or ends inside a character or ignored white space",
            path=self.path,
            hint="Copy the text exactly, or extend it to whole words.",
            data={"edit": index, "near": _near(source, old), "ambiguous_boundary": True},
        )

    def no_match(
        self, source: Source, index: int, old: str, levels: Sequence[Level]
    ) -> NoMatchError:
        """Return the error for a text that is not there at any of the levels."""
        facts: dict[str, Any] = {"edit": index, "near": _near(source, old)}
        hint = "Read the file again and copy the text exactly, with its white space."
        looser = _looser_level(source, old, levels)
        if looser:
            facts["fuzz"] = looser
            hint = f'Copy the text exactly, or pass fuzz="{looser}", which would find it.'
        for line in facts["near"][:1]:
            hint += f" The nearest is line {line['line']}: {line['text']!r}."
        return NoMatchError(
            f"{self._name(index)}: the text to replace is not in {self.path}",
            path=self.path,
            hint=hint,
            data=facts,
        )


def _near(source: Source, old: str) -> list[dict[str, int | str]]:
    return [line.as_dict() for line in nearest_lines(source.data, old)]


def _looser_level(source: Source, old: str, levels: Sequence[Level]) -> Level | None:
    """Return the strictest other level that would find the text in one place."""
    if len(source.data) > _LOOSER_BYTES:
        return None
    for level in LEVELS:
        hits = None if level in levels else find(source, old, level)
        if hits:
            return level if hits.count == 1 and hits.spans[0] else None
    return None


def _lines(data: bytes, spans: Sequence[Span]) -> Iterator[int]:
    line, counted = 1, 0
    for start, _ in spans:
        line += data.count(b"\n", counted, start)
        counted = start
        yield line
