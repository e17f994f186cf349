"""Finding files by what is known of them besides their content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from vshell.errors import RangeError
from vshell.fs.paths import PathLike, split
from vshell.fs.records import KIND_CODES, KIND_NAMES, EntryDetails, Kind
from vshell.fs.schema import DIRECTORY, FILE
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.ls import check_page
from vshell.ops.walking import Walk, walk
from vshell.record import Record, quick_constructor
from vshell.text.globs import Glob, compile_glob


@dataclass(frozen=True, slots=True)
class FoundEntry(Record):
    """A file, directory or link that was found.

    Attributes:
        path: Its path from the root.
        name: Its name.
        kind: `"file"`, `"directory"` or `"symlink"`.
        size: Bytes of content; of a link, of its target; 0 for a directory.
        mode: The twelve permission bits.
        mtime_ns: When the content last changed, in nanoseconds since 1970.
        target: What a link says; None for anything else.
        depth: How many names below the start it is; 0 for the start itself.
    """

    path: str
    name: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    target: str | None
    depth: int


_found_entry = quick_constructor(FoundEntry)


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
    check_numbers(min_size=min_size, max_size=max_size, min_depth=min_depth, max_depth=max_depth)
    names = _names(name)
    tests = [
        *_name_tests(names),
        *_kind_tests(kind),
        *_size_tests(min_size, max_size),
        *_time_tests(_time(context, newer_than), _time(context, older_than)),
        *_mode_tests(mode),
    ]
    # Whether a directory is empty shows one level further down.
    deeper = max_depth if max_depth is None or empty is None else max_depth + 1
    suffixes = _suffixes(names) if empty is None else None
    tree = walk(context, start, max_depth=deeper, ignore=ignore, suffixes=suffixes)
    tests += [*_place_tests(tree, min_depth, max_depth, path_pattern), *_empty_tests(tree, empty)]
    found = tree.entries
    for test in tests:
        found = [entry for entry in found if test(entry)]
    found.sort(key=attrgetter("path"))
    end = min(len(found), offset + limit)
    more = end < len(found)
    entries = tuple(_entries(tree, found[offset:end]))
    return FindResult(entries, len(found), more, end if more else None)


_Test = Callable[[EntryDetails], bool]


def _names(name: str | Iterable[str] | None) -> list[Glob] | None:
    if name is None:
        return None
    return [compile_glob(each) for each in ([name] if isinstance(name, str) else name)]


def _suffixes(names: list[Glob] | None) -> list[str] | None:
    """Return what the names that are looked for end with, if that can be told."""
    found: list[str] = []
    for glob in names or ():
        if glob.name_suffixes is None:
            return None
        found += glob.name_suffixes
    return found if names else None


def _name_tests(names: list[Glob] | None) -> Iterator[_Test]:
    if names is not None:
        yield lambda entry: any(
            glob.match(split(entry.path)[1], is_directory=entry.kind == DIRECTORY) for glob in names
        )


def _kind_tests(kind: Kind | Iterable[Kind] | None) -> Iterator[_Test]:
    if kind is None:
        return
    names = {kind} if isinstance(kind, str) else set(kind)
    unknown = names - KIND_CODES.keys()
    if unknown:
        raise RangeError(
            f"no entry is of the kind {min(unknown)!r}",
            hint=f"the kinds are {', '.join(KIND_CODES)}",
        )
    codes = {KIND_CODES[name] for name in names}
    yield lambda entry: entry.kind in codes


def _size_tests(least: int | None, largest: int | None) -> Iterator[_Test]:
    if least is not None:
        yield lambda entry: entry.size >= least
    if largest is not None:
        yield lambda entry: entry.size <= largest


def _time_tests(after_ns: int | None, before_ns: int | None) -> Iterator[_Test]:
    if after_ns is not None:
        yield lambda entry: entry.mtime_ns > after_ns
    if before_ns is not None:
        yield lambda entry: entry.mtime_ns < before_ns


def _mode_tests(mode: int | None) -> Iterator[_Test]:
    if mode is not None:
        yield lambda entry: entry.mode == mode


def _time(context: Context, given: int | PathLike | None) -> int | None:
    if given is None or isinstance(given, int):
        return given
    return context.files.stat(context.resolve(given)).mtime_ns


def _place_tests(
    tree: Walk, min_depth: int, max_depth: int | None, pattern: str | None
) -> Iterator[_Test]:
    if min_depth:
        yield lambda entry: tree.depth(entry.path) >= min_depth
    if max_depth is not None:
        yield lambda entry: tree.depth(entry.path) <= max_depth
    if pattern is not None:
        glob = compile_glob(pattern, base=tree.top[1:])
        yield lambda entry: glob.match(
            tree.shown(entry.path)[1:], is_directory=entry.kind == DIRECTORY
        )


def _empty_tests(tree: Walk, empty: bool | None) -> Iterator[_Test]:
    if empty is not None:
        parents = {split(entry.path)[0] for entry in tree.entries[1:]}
        yield (
            lambda entry: (
                empty
                == (
                    entry.path not in parents
                    if entry.kind == DIRECTORY
                    else entry.kind == FILE and not entry.size
                )
            )
        )


def _entries(tree: Walk, entries: Iterable[EntryDetails]) -> Iterator[FoundEntry]:
    # The depth counts from the path without links: what is shown may be another.
    above = tree.real.rstrip("/").count("/")
    is_real = tree.top == tree.real
    target_of = tree.targets.get
    for path, inode, kind, size, mode, mtime_ns, _ in entries:
        shown = path if is_real else tree.shown(path)
        depth = path.count("/") - above if path != "/" else 0
        name = shown[shown.rindex("/") + 1 :]
        target = target_of(inode)
        yield _found_entry(shown, name, KIND_NAMES[kind], size, mode, mtime_ns, target, depth)


def check_numbers(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < 0:
            raise RangeError(f"{name} must not be negative, as {number} is")
