"""Finding paths by a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final, Literal

from vshell.errors import (
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
    RangeError,
    SymlinkLoopError,
)
from vshell.fs.paths import PathLike
from vshell.fs.records import EntryDetails, EntryRow
from vshell.fs.schema import DIRECTORY
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.ignored import Ignored, ignored_below
from vshell.ops.ls import check_page
from vshell.record import Record
from vshell.text.globs import Glob, compile_glob

_NOTHING: Final = (
    NotFoundError,
    NotDirectoryError,
    SymlinkLoopError,
    NameTooLongError,
    UnicodeEncodeError,
)
"""What a place raises where nothing can be; the last for text that stands for no bytes."""


@dataclass(frozen=True, slots=True)
class GlobResult(Record):
    """Paths that match a pattern.

    Attributes:
        paths: Their paths from the root.
        total: How many match.
        truncated: Whether there are more after these.
        next_offset: The offset to go on with; None at the end.
    """

    paths: tuple[str, ...]
    total: int
    truncated: bool
    next_offset: int | None


def glob(
    context: Context,
    pattern: str,
    *,
    path: PathLike = "/",
    limit: int | None = None,
    offset: int = 0,
    sort: Literal["path", "newest"] = "path",
    ignore: bool = False,
    dotfiles: bool = True,
) -> GlobResult:
    """Find files, directories and links by a pattern over their paths.

    `*` and `?` match within a name, `**` any number of directories, `[a-c]` one
    character of a set, `{a,b}` alternatives. Links are followed on the way to the first
    wildcard, and not after it.

    Args:
        pattern: The pattern, absolute or relative to `path`; `a/` is `a` when it is a
            directory.
        path: Where relative patterns start. When it does not exist, nothing matches.
        limit: How many paths at most; None for 100,000.
        offset: How many paths to pass over.
        sort: `"path"`: by path; `"newest"`: what changed last comes first.
        ignore: Leave out what the `.gitignore` files say, and every `.git`.
        dotfiles: Let wildcards match names that begin with a dot.

    Raises:
        BadPatternError: The pattern is malformed.
        RangeError: `limit` is less than 1 or `offset` negative.
        TooLargeError: A `.gitignore` file is over its limits.
    """
    check_page(limit, offset)
    if sort not in ("path", "newest"):
        raise RangeError(f'sort must be "path" or "newest", not {sort!r}')
    try:
        found = _find(
            context, pattern, path, newest=sort == "newest", ignore=ignore, dotfiles=dotfiles
        )
    except _NOTHING:
        found = []
    end = min(len(found), offset + (limit or WALK_ENTRIES))
    more = end < len(found)
    return GlobResult(tuple(found[offset:end]), len(found), more, end if more else None)


def _find(
    context: Context, pattern: str, path: PathLike, *, newest: bool, ignore: bool, dotfiles: bool
) -> list[str]:
    files = context.files
    base = context.resolve(path)
    if "/.." in base:
        base = files.realpath(base)
    wanted = compile_glob(pattern, base=base[1:], dotfiles=dotfiles)
    top = "/" + "/".join(wanted.prefix)
    depth = None if wanted.max_depth is None else wanted.max_depth - len(wanted.prefix)
    rows: Sequence[EntryRow] | Sequence[EntryDetails]
    with files.reading() if ignore else nullcontext():
        start = "/" if wanted.absolute or not ignore else files.realpath(base)
        ignored = ignored_below(context, start) if ignore else None
        real = files.realpath(top)
        known = files.walk_known(top, suffixes=wanted.name_suffixes) if depth is None else None
        if known is not None:
            rows = known
        else:
            walk = files.walk_details if newest else files.walk
            rows = walk(top, max_depth=depth, suffixes=wanted.name_suffixes)
        paths = _matching(wanted, rows, real, top, ignored)
        if wanted.match(""):
            paths["/"] = files.stat("/").mtime_ns if newest else 0
    return sorted(paths, key=lambda path: (-paths[path], path)) if newest else sorted(paths)


def _matching(
    wanted: Glob,
    rows: Sequence[EntryRow] | Sequence[EntryDetails],
    real: str,
    top: str,
    ignored: Ignored | None,
) -> dict[str, int]:
    """Return the paths that match, as they are seen from `top`, with their times if known."""
    matches = wanted.match
    above = "" if top == "/" else top
    cut = 0 if real == "/" else len(real)
    found: dict[str, int] = {}
    for row in rows:
        is_directory = row.kind == DIRECTORY
        # A walk gives paths without links, and `top` may be one.
        shown = row.path if real == top else above + row.path[cut:]
        if not matches(shown[1:], is_directory=is_directory):
            continue
        if ignored is None or not ignored(row.path, is_directory):
            found[shown] = row.mtime_ns if isinstance(row, EntryDetails) else 0
    return found
