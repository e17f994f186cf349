r"""Replacing text in a file's bytes: exact by default, and nothing outside the match is touched.

An edit's text is looked for at up to four levels, the strictest first:

| level | what may differ |
|---|---|
| `exact` | nothing, or else only the kind of line ending |
| `rstrip` | also the white space at the end of each line |
| `strip` | also the white space at the start of each line; whole lines only |
| `unicode` | white space as for `rstrip`, kinds of quotes and dashes, and what NFKC makes equal |

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
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, Literal, get_args

from vshell.errors import EditError
from vshell.limits import MAX_TEXT_BYTES
from vshell.text.edit_errors import Failure, choice_error, shape_error
from vshell.text.locate import (
    LEVELS,
    MAX_REPLACEMENTS,
    Hits,
    Level,
    Source,
    Span,
    find,
    is_blank,
)
from vshell.text.rewrite import encoded, rewritten

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

_LISTED_PLACES: Final = 1000

_Place = tuple[int, int, int, Level]
"""The start and the end of what was put into the new text, the edit's index and its level."""


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
    def from_value(cls, value: object, *, name: str = "the edit", path: str | None = None) -> Edit:
        """Return an edit given as such or as a mapping of its fields.

        Args:
            value: An `Edit`, or a mapping with `old`, `new` and maybe `replace_all`.
            name: What to call the edit in an error.
            path: The path of the file to be edited, for the same.

        Returns:
            The edit, its fields of the right types.

        Raises:
            EditError: If it is neither, a field is missing, unknown or of the wrong
                type, or a text cannot be written as UTF-8.
        """
        if isinstance(value, Mapping):
            value = cls(**_fields(value, name, path))
        if not isinstance(value, Edit):
            raise shape_error(f"{name} is of type {type(value).__name__}", path)
        for field, kind in _FIELDS.items():
            _check_field(getattr(value, field), kind, f"{name}: `{field}`", path)
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
    unchanged: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """What one call was asked for."""

    edits: tuple[Edit, ...]
    levels: tuple[Level, ...]
    unchanged: bool
    failure: Failure


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
        raise choice_error("fuzz", fuzz, tuple(_LADDERS), path)
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
        raise choice_error("basis", basis, get_args(Basis), path)
    job = _job(edits, path, levels, unchanged=unchanged)
    if len(data) > MAX_TEXT_BYTES or len(data) * len(job.edits) > _MAX_WORK_BYTES:
        raise job.failure.too_large(f"has {len(data)} bytes, too many for {len(job.edits)} edits")
    return _apply_to_original(data, job) if basis == "original" else _apply_in_turn(data, job)


def parse_edits(values: object, *, path: str | None = None) -> tuple[Edit, ...]:
    """Return edits given as a sequence of `Edit` objects or mappings, or as a single one.

    Args:
        values: What a caller passed.
        path: The path of the file to be edited, for errors.

    Returns:
        The edits, at least one.

    Raises:
        EditError: If there is none, or a value has the wrong shape; see `Edit.from_value`.
    """
    if isinstance(values, (Edit, Mapping)):
        return (Edit.from_value(values, path=path),)
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise shape_error(f"edits are of type {type(values).__name__}", path)
    if not values:
        raise shape_error("there are no edits", path)
    names = ["the edit"] if len(values) == 1 else [f"edits[{at}]" for at in range(len(values))]
    return tuple(
        Edit.from_value(value, name=name, path=path)
        for name, value in zip(names, values, strict=True)
    )


_FIELDS: Final[dict[str, type]] = {"old": str, "new": str, "replace_all": bool}


def _fields(value: Mapping[object, object], name: str, path: str | None) -> dict[str, Any]:
    for key in value:
        if key not in _FIELDS:
            raise shape_error(f"{name} has an unknown field {str(key)[:40]!r}", path)
    for field in ("old", "new"):
        if field not in value:
            raise shape_error(f"{name} has no `{field}`", path)
    return {str(key): found for key, found in value.items()}


def _check_field(found: object, kind: type, name: str, path: str | None) -> None:
    if not isinstance(found, kind):
        raise shape_error(f"{name} is of type {type(found).__name__}, not {kind.__name__}", path)
    if isinstance(found, str):
        try:
            encoded(found)
        except UnicodeEncodeError as error:
            message = f"{name} has a lone surrogate at character {error.start}"
            raise EditError(message, path=path, hint="Pass text that UTF-8 can hold.") from None


def _job(values: object, path: str, levels: Sequence[Level], *, unchanged: bool) -> _Job:
    """Return what is to be done, unless it cannot work whatever the text is."""
    edits = parse_edits(values, path=path)
    failure = Failure(path, len(edits))
    for index, edit in enumerate(edits):
        if not edit.old:
            raise failure.empty_old(index)
    for index, edit in enumerate(edits):
        if edit.old == edit.new and not unchanged:
            raise failure.no_change(index)
    return _Job(edits, tuple(levels), unchanged, failure)


def _apply_to_original(data: bytes, job: _Job) -> Edited:
    source = Source(data)
    changes: list[_Change] = []
    for index in range(len(job.edits)):
        changes += _changes(source, job, index)
        _check_count(len(changes), job)
    changes.sort(key=lambda change: (change.start, change.edit))
    for one, other in pairwise(changes):
        if one.end > other.start:
            raise job.failure.overlap(one.edit, other.edit)
    new = _joined(data, changes, job.failure)
    if new == data:
        raise job.failure.no_change()
    return _edited(data, new, changes, _places(changes))


def _apply_in_turn(data: bytes, job: _Job) -> Edited:
    new = data
    made: list[_Change] = []
    places: list[_Place] = []
    work = 0
    for index in range(len(job.edits)):
        work += len(new)
        if work > _MAX_WORK_BYTES:
            raise job.failure.too_large("grows too large for so many edits")
        changes = _changes(Source(new), job, index)
        _check_count(len(made) + len(changes), job)
        new = _joined(new, changes, job.failure)
        places = sorted([*_moved(places, changes), *_places(changes)])[:_LISTED_PLACES]
        made += changes
    if all(change.unchanged for change in made):
        raise job.failure.no_change()
    return _edited(data, new, made, places)


def _changes(source: Source, job: _Job, index: int) -> list[_Change]:
    """Return what one edit replaces by what, in the order of the text."""
    edit = job.edits[index]
    level, spans = _located(source, job, index)
    bodies: dict[bytes, tuple[bytes, bool]] = {}
    changes = []
    for start, end in spans:
        matched = source.data[start:end]
        if matched not in bodies:
            bodies[matched] = rewritten(source, matched, edit.old, edit.new, level)
        body, reindented = bodies[matched]
        changes.append(_Change(start, end, index, level, body, reindented, body == matched))
    if not job.unchanged and all(change.unchanged for change in changes):
        raise job.failure.no_change(index)
    return changes


def _located(source: Source, job: _Job, index: int) -> tuple[Level, list[Span]]:
    """Return the level that an edit is found at, and where; one place unless all are asked for."""
    edit = job.edits[index]
    for level in job.levels:
        hits = find(source, edit.old, level, every=edit.replace_all)
        if hits is None:
            continue
        spans = [span for span in hits.spans if span]
        if not spans or (edit.replace_all and len(spans) < len(hits.spans)):
            raise job.failure.ambiguous(source, index, edit.old)
        if edit.replace_all:
            _check_count(hits.count, job)
        if not edit.replace_all and hits.count > 1:
            raise job.failure.multiple(source, index, level, Hits(hits.count, spans))
        return level, spans
    if is_blank(edit.old) and set(job.levels) != {"exact"}:
        raise job.failure.ambiguous(source, index, edit.old)
    raise job.failure.no_match(source, index, edit.old, job.levels)


def _check_count(replacements: int, job: _Job) -> None:
    if replacements > MAX_REPLACEMENTS:
        message = f"would have {replacements} replacements, more than {MAX_REPLACEMENTS}"
        raise job.failure.too_large(message)


def _joined(data: bytes, changes: Sequence[_Change], failure: Failure) -> bytes:
    size = len(data) + sum(len(change.body) - change.end + change.start for change in changes)
    if size > MAX_TEXT_BYTES:
        raise failure.too_large(f"would have {size} bytes, more than {MAX_TEXT_BYTES}")
    parts: list[bytes] = []
    done = 0
    for change in changes:
        parts += (data[done : change.start], change.body)
        done = change.end
    return b"".join([*parts, data[done:]])


def _places(changes: Sequence[_Change]) -> list[_Place]:
    """Return where the first changes are in the text that they make."""
    places = []
    shift = 0
    for change in changes[:_LISTED_PLACES]:
        start = change.start + shift
        places.append((start, start + len(change.body), change.edit, change.level))
        shift += len(change.body) - change.end + change.start
    return places


def _moved(places: Sequence[_Place], changes: Sequence[_Change]) -> Iterator[_Place]:
    """Yield where places are after further changes; what was replaced within one is part of it."""
    ends = [change.end for change in changes]
    sizes = (len(change.body) - change.end + change.start for change in changes)
    shifts = list(accumulate(sizes, initial=0))
    for start, end, edit, level in places:
        first, last = bisect_right(ends, start), bisect_right(ends, end)
        moved_start, moved_end = start + shifts[first], end + shifts[last]
        if first < len(changes) and changes[first].start < start:
            moved_start = changes[first].start + shifts[first]
        if last < len(changes) and changes[last].start < end:
            moved_end = changes[last].start + shifts[last] + len(changes[last].body)
        yield moved_start, moved_end, edit, level


def _edited(
    data: bytes, new: bytes, changes: Sequence[_Change], places: Sequence[_Place]
) -> Edited:
    spans = tuple(_replacements(new, places))
    first = spans[0]
    difference = _first_difference(data, new, first.start)
    return Edited(
        new,
        len(changes),
        max((change.level for change in changes), key=LEVELS.index),
        first.line + new.count(b"\n", first.start, difference),
        spans,
        any(change.reindented for change in changes),
    )


def _replacements(new: bytes, places: Sequence[_Place]) -> Iterator[Replacement]:
    line, counted = 1, 0
    for start, end, edit, level in places:
        line += new.count(b"\n", counted, start)
        counted = start
        yield Replacement(edit, level, start, end, line, line + new.count(b"\n", start, end))


def _first_difference(data: bytes, new: bytes, start: int) -> int:
    """Return the first offset from `start` on where the texts differ; `start` if none does."""
    at = start
    step = 1 << 20
    end = min(len(data), len(new))
    while step:
        while at < end and data[at : at + step] == new[at : at + step]:
            at += step
        step //= 2
    return start if data == new else min(at, end)
