"""What separates records and fields: RS, FS, FPAT, FIELDWIDTHS, and IGNORECASE for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from vshell.shell.commands.awk.patterns import Pattern, compile_pattern
from vshell.shell.commands.awk.reading import Separation
from vshell.shell.commands.awk.record import (
    Record,
    Splitter,
    content_splitter,
    pattern_splitter,
    text_splitter,
    width_splitter,
)

__all__ = ["Separators", "plain_source"]


class Separators:
    """The separators in force.

    Args:
        record: What is split at them.
        changed: Is called when something else ends records.

    Attributes:
        separation: What ends a record.
        ignore_case: Whether patterns match letters in both cases.
    """

    def __init__(self, record: Record, changed: Callable[[Separation], None]) -> None:
        self._record = record
        self._changed = changed
        self._fields = " "
        self.separation = Separation()
        self.ignore_case = False

    def pattern(self, source: str) -> Pattern:
        """Return a pattern that a text is used as."""
        return compile_pattern(source, self.ignore_case)

    def set(self, name: str, value: str) -> None:
        """Set FS, FPAT, FIELDWIDTHS or RS."""
        if name == "FIELDWIDTHS":
            self._record.split_by(width_splitter(value))
        elif name == "FPAT":
            self._record.split_by(content_splitter(self.pattern(value)))
        elif name == "FS":
            self._fields = value
            self._set_fields(value)
        else:
            self._set_separation(value)

    def fold_case(self, records: str, *, ignore_case: bool) -> None:
        """Set IGNORECASE; RS is given again, as it now may mean something else."""
        self.ignore_case = ignore_case
        self._set_fields(self._fields)
        self._set_separation(records)

    def splitter(self, value: str) -> Splitter:
        """Return what splits at a separator other than a blank."""
        if not value:
            return list
        plain = self._plain(value)
        return pattern_splitter(self.pattern(value)) if plain is None else text_splitter(plain)

    def _set_fields(self, value: str) -> None:
        if self.separation.paragraphs and value != " ":
            # A newline separates fields, whatever else does.
            source = f"({plain_source(value)})|\n" if value else "\n"
            self._record.split_by(pattern_splitter(self.pattern(source)))
        elif value == " " or self._plain(value) is not None:
            self._record.split_at(self._plain(value))
        else:
            self._record.split_by(self.splitter(value))

    def _set_separation(self, value: str) -> None:
        was_paragraphs = self.separation.paragraphs
        if not value:
            self.separation = Separation(paragraphs=True)
        elif self._is_letter(value):
            self.separation = Separation(value)
        else:
            pattern = self.pattern(value)
            literal = pattern.literal
            self.separation = Separation(pattern=None if literal else pattern, text=literal or "")
        self._changed(self.separation)
        if was_paragraphs or self.separation.paragraphs:
            self._set_fields(self._fields)

    def _is_letter(self, value: str) -> bool:
        """Whether a separator is a single character, which is never a pattern."""
        return len(value) == 1 and not (self.ignore_case and value.isalpha())

    def _plain(self, value: str) -> str | None:
        """Return the text that a separator stands for, if it is no pattern, nor blanks."""
        if value in ("", " "):
            return None
        return value if self._is_letter(value) else self.pattern(value).literal


def plain_source(value: str) -> str:
    """Return a separator as a pattern: a single character means itself."""
    return re.sub(r"[\\^$.\[\]|()*+?{}]", r"\\\g<0>", value) if len(value) == 1 else value
