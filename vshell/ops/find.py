"""Finding files by what is known of them besides their content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vshell.errors import RangeError
from vshell.fs.paths import PathLike, split
from vshell.fs.records import KIND_CODES, KIND_NAMES, EntryDetails, Kind
from vshell.fs.schema import DIRECTORY, FILE
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.ignored import ignored_below
from vshell.ops.ls import Entry, check_page
from vshell.record import Record
from vshell.text.globs import compile_glob


@dataclass(frozen=True, slots=True)
class FoundEntry(Entry):
    """An entry, and how deep it was found.

    Attributes:
        depth: How many names below the start it is; 0 for the start itself.
    """

    depth: int


@dataclass(frozen=True, slots=True)
class FindResult(Record):
    """Entries that were looked for, by path.

    Attributes:
        entries: The entries.
        total: How many there are.
        truncated: Whether there are more after these.
        next_offset: The offset to go on with; None at the end.
    """

    entries: tuple[FoundEntry, ...]
    total: int
    truncated: bool
    next_offset: int | None


def find(
    context: Context,
    path: PathLike = "/",
    *,
    name: str | Iterable[str] | None = None,
    kind: Kind | Iterable[Kind] | None = None,
    min_size: int | None = None,
    max_size: int | None = None,
    newer_than: int | PathLike | None = None,
    older_than: int | PathLike | None = None,
    min_depth: int = 0,
    max_depth: int | None = None,
    path_pattern: str | None = None,
    empty: bool | None = None,
    mode: int | None = None,
    ignore: bool = False,
    limit: int = WALK_ENTRIES,
    offset: int = 0,
) -> FindResult:
    """Find what is at a path and below it, as find(1) does; links are not followed.

    Args:
        path: Where to start; what is there is found too, at depth 0.
        name: A glob for the name, or several of which one must match.
        kind: `"file"`, `"directory"` or `"symlink"`, or several of them.
        min_size: The least number of bytes; a directory has 0.
        max_size: The largest number of bytes.
        newer_than: Only what changed after this: nanoseconds since 1970, or a path whose
            time of change it is.
        older_than: Only what changed before this.
        min_depth: How many names below the start at least.
        max_depth: How many names below the start at most; None is all.
        path_pattern: A glob for the path, absolute or relative to the start.
        empty: True: only files without bytes and directories without entries; False:
            only others.
        mode: The permission bits, all twelve.
        ignore: Leave out what the `.gitignore` files say, and every `.git`.
        limit: How many entries at most.
        offset: How many entries to pass over.

    Raises:
        NotFoundError: There is nothing at `path`, or at a path to compare with.
        NotDirectoryError: Something on the way to it is no directory.
        BadPatternError: A glob is malformed.
        RangeError: A limit, an offset, a depth or a size is negative, or no such kind exists.
        TooLargeError: A `.gitignore` file is over its limits.
    """
    start = context.resolve(path)
    check_page(limit, offset)
    _check_numbers(min_size=min_size, max_size=max_size, min_depth=min_depth, max_depth=max_depth)
    tests = [
        *_name_tests(name),
        *_kind_tests(kind),
        *_size_tests(min_size, max_size),
        *_time_tests(_time(context, newer_than), _time(context, older_than)),
        *([] if mode is None else [lambda found: found.entry.mode == mode]),
    ]
    tree = _Tree(context, start, path_pattern=path_pattern, empty=empty, ignore=ignore)
    found = [
        each for each in tree.below(min_depth, max_depth) if all(test(each) for test in tests)
    ]
    found.sort(key=lambda each: each.path)
    end = min(len(found), offset + limit)
    more = end < len(found)
    entries = tuple(tree.entry(each) for each in found[offset:end])
    return FindResult(entries, len(found), more, end if more else None)
