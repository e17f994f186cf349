r"""Replacing text in a file's bytes: exact by default, and nothing outside the match is touched.

An edit's text is looked for at up to four levels, the strictest first:

| level | what may differ |
|---|---|
| `exact` | nothing, or else only the kind of line ending |
| `rstrip` | also the white space at the end of each line |
| `strip` | also the white space at the start of each line; whole lines only |
| `unicode` | the white space at the end of each line, and whatever NFKC and folding typographic quotes, dashes and spaces make equal |

The first level at which the text occurs at all decides: if it occurs there more
than once and not all were asked for, that is an error, never a reason to try the
next level. A looser level only locates. What it finds is replaced by the new
text, and these rules hold at every level:

- Occurrences are counted as `str.count` does, from the left, without overlap.
- A byte order mark is no part of the text and stays.
- Undecodable bytes match their own lone surrogates (PEP 383) and else stay as they are.
- `\r\n` is one unit for an edit that says `\n`, so no match begins inside it.
- Line endings of the new text become those of what it replaces, or the file's
  most frequent kind. But where an edit spells out `\r` and matches byte for
  byte, it speaks about the bytes themselves and is written as it stands.
- White space that ends `old`, and had to be ignored, matches at the end of a line only.
- Text that is nothing but white space is matched exactly or not at all.
- At the level `strip`, if the file is indented differently by the same prefix on
  every line, the new text is indented by that difference too (`Edited.reindented`);
  otherwise it is written as it stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final, Literal, get_args

from vshell.errors import (
    EditError,
    EmptyOldError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    OverlappingEditsError,
    TooLargeError,
)
from vshell.limits import MAX_TEXT_BYTES
from vshell.text.locate import (
    LEVELS,
    MAX_REPLACEMENTS,
    Hits,
    Level,
    Source,
    Span,
    dominant_ending,
    find,
    is_blank,
)
from vshell.text.nearest import nearest_lines
from vshell.text.normalize import WHITE_SPACE, Normalized, unified

__all__ = [
    "Basis",
    "Edit",
    "Edited",
    "Fuzz",
    "Level",
    "Replacement",
    "apply_edits",
    "apply_levels",
    "parse_edits",
]

Fuzz = Literal["none", "rstrip", "strip", "unicode"]
"""The loosest level that an edit may be matched at; `"none"` allows exact matches only."""

Basis = Literal["original", "sequential"]
"""Whether edits are matched against the text as given, or each against the one before's result."""

_LADDERS: Final[dict[Fuzz, tuple[Level, ...]]] = {
    "none": LEVELS[:1],
    "rstrip": LEVELS[:2],
    "strip": LEVELS[:3],
    "unicode": LEVELS,
}

_MAX_WORK_BYTES: Final = 64 * 1024**3
"""The most bytes that one call searches, edits times text: a minute at a find's usual speed."""

_LISTED_REPLACEMENTS: Final = 1000

_LOOSER_BYTES: Final = 1024**2
"""Up to this size, a text that was not found is also looked for at looser levels, for the hint."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One text to be replaced by another.

    Attributes:
        old: The text to replace; must not be empty, and occur once unless `replace_all`.
        new: What to put in its place.
        replace_all: Replace every occurrence.
    """

    old: str
    new: str
    replace_all: bool = False

    @classmethod
    def from_value(cls, value: object, *, name: str = "the edit") -> Edit:
        """Return an edit given as such or as a mapping of its fields.

        Args:
            value: An `Edit`, or a mapping with `old`, `new` and maybe `replace_all`.
            name: What to call the edit in an error.

        Returns:
            The edit, its fields of the right types.

        Raises:
            EditError: If it is neither, a field is missing, unknown or of the wrong
                type, or a text cannot be written as UTF-8.
        """
        if isinstance(value, Mapping):
            value = cls(**_fields(value, name))
        if not isinstance(value, Edit):
            raise EditError(f"{name} is of type {type(value).__name__}", hint=_SHAPE)
        for field, kind in (("old", str), ("new", str), ("replace_all", bool)):
            found = getattr(value, field)
            if not isinstance(found, kind):
                message = f"{name}: `{field}` is of type {type(found).__name__}, not {kind.__name__}"
                raise EditError(message, hint=_SHAPE)
        for field in ("old", "new"):
            try:
                _encoded(getattr(value, field))
            except UnicodeEncodeError as error:
                message = f"{name}: `{field}` has a lone surrogate at character {error.start}"
                raise EditError(message, hint="Only text that UTF-8 can hold can be edited.") from None
        return value


@dataclass(frozen=True, slots=True)
class Replacement:
    """One place that was replaced, as it is in the new text.

    Attributes:
        edit: The index of the edit.
        level: The level at which its text was found.
        start: The first byte of what was put there.
        end: The byte after its last.
        line: The line, from 1, of the first byte.
        end_line: The line that `end` is on.
    """

    edit: int
    level: Level
    start: int
    end: int
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Edited:
    """A text after its edits.

    Attributes:
        data: The new text.
        replacements: How many places were replaced.
        strategy: The loosest level that was needed: `exact`, `rstrip`, `strip` or `unicode`.
        first_changed_line: The line, from 1, of the first byte of `data` that differs
            from the old text; after a deletion, the line on which the text goes on.
        spans: The first 1,000 of the places, in the order of the new text.
        reindented: Whether a text found at the level `strip` was indented as the
            file is.
    """

    data: bytes
    replacements: int
    strategy: Level
    first_changed_line: int
    spans: tuple[Replacement, ...]
    reindented: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """One place to be replaced in the bytes that the edits are matched against."""

    start: int
    end: int
    edit: int
    level: Level
    body: bytes
    reindented: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """What one call was asked for."""

    path: str
    edits: tuple[Edit, ...]
    levels: tuple[Level, ...]
    unchanged: bool

    def name(self, index: int) -> str:
        return "the edit" if len(self.edits) == 1 else f"edits[{index}]"


def apply_edits(
    data: bytes,
    edits: Sequence[Edit | Mapping[str, object]],
    *,
    path: str,
    basis: Basis = "original",
    fuzz: Fuzz = "none",
) -> Edited:
    """Replace texts in a file's bytes; all of them, or none and an error.

    Args:
        data: The file's bytes, in UTF-8 where it matters; at most 64 MiB.
        edits: What to replace by what. With the basis `original`, their order does
            not matter, and no two may touch the same text.
        path: The file's path, for messages.
        basis: `"original"` matches every edit against `data`; `"sequential"` each
            against the result of the one before.
        fuzz: The loosest level that may be used, see this module's docstring.

    Returns:
        The new bytes and what was done.

    Raises:
        EditError: If `edits`, `basis` or `fuzz` is malformed.
        EmptyOldError: If an edit's `old` is empty.
        NoChangeError: If an edit would leave the text as it is.
        NoMatchError: If an edit's `old` is not there. `data` has the edit's index
            (`edit`), up to three nearest lines (`near`), the strictest level that would
            match (`fuzz`, if one would), and `ambiguous_boundary`: whether there is a
            match but it begins or ends inside a character, or white space is all it is.
        MultipleMatchesError: If `old` is there more than once. `data` has `edit`,
            `count`, the level (`strategy`), and the lines of the first 100 (`lines`).
        OverlappingEditsError: If two edits touch the same text. `data["edits"]` has
            their indices in the order of the text.
        TooLargeError: If the text is over 64 MiB before or after, more than a million
            places would be replaced, or the edits times the text's size is over 64 GiB.
    """
    if fuzz not in _LADDERS:
        raise EditError(f"fuzz is {fuzz!r}", path=path, hint=_one_of(_LADDERS))
    return apply_levels(data, edits, path=path, basis=basis, levels=_LADDERS[fuzz])


def apply_levels(
    data: bytes,
    edits: Sequence[Edit | Mapping[str, object]],
    *,
    path: str,
    levels: Sequence[Level],
    basis: Basis = "original",
    unchanged: bool = False,
) -> Edited:
    """Do what `apply_edits` does, at chosen levels.

    Args:
        data: See `apply_edits`, as are `edits`, `path` and `basis`.
        edits: What to replace by what.
        path: The file's path, for messages.
        levels: The levels to try, in this order.
        basis: What to match the edits against.
        unchanged: Accept edits that leave the text as it is, unless all of them do.

    Returns:
        The new bytes and what was done.

    Raises:
        EditError: See `apply_edits`, also for the other errors.
    """
    if basis not in get_args(Basis):
        raise EditError(f"basis is {basis!r}", path=path, hint=_one_of(get_args(Basis)))
    job = _Job(path, parse_edits(edits), tuple(levels), unchanged)
    _check(job, len(data))
    if basis == "original":
        return _apply(data, job, range(len(job.edits)))
    return _apply_in_turn(data, job)


def parse_edits(values: object) -> tuple[Edit, ...]:
    """Return edits given as a sequence of `Edit` objects or mappings, or as a single one.

    Args:
        values: What a caller passed.

    Returns:
        The edits, at least one.

    Raises:
        EditError: If there is none, or a value has the wrong shape; see `Edit.from_value`.
    """
    if isinstance(values, (Edit, Mapping)):
        return (Edit.from_value(values),)
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise EditError(f"edits are of type {type(values).__name__}", hint=_SHAPE)
    if not values:
        raise EditError("there are no edits", hint=_SHAPE)
    name = "the edit" if len(values) == 1 else "edits[{}]"
    return tuple(
        Edit.from_value(value, name=name.format(index)) for index, value in enumerate(values)
    )


_FIELDS: Final = ("old", "new", "replace_all")
_SHAPE: Final = "Pass a list of edits, each with the texts `old` and `new`, and maybe `replace_all`."


def _one_of(values: Any) -> str:
    return f"It must be one of {', '.join(values)}."


def _fields(value: Mapping[object, object], name: str) -> dict[str, Any]:
    unknown = [key for key in value if key not in _FIELDS]
    missing = [key for key in _FIELDS[:2] if key not in value]
    if unknown:
        raise EditError(f"{name} has an unknown field {str(unknown[0])[:40]!r}", hint=_SHAPE)
    if missing:
        raise EditError(f"{name} has no `{missing[0]}`", hint=_SHAPE)
    return {str(key): found for key, found in value.items()}
