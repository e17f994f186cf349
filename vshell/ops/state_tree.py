"""The scripting methods on trees of files; `state_methods` says what each does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import (
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
    OutputLimitError,
    SymlinkLoopError,
)
from vshell.fs.paths import encode, split
from vshell.fs.records import KIND_NAMES, EntryDetails, Kind
from vshell.fs.schema import FILE
from vshell.limits import WALK_ENTRIES
from vshell.ops import glob as glob_
from vshell.ops.context import Context
from vshell.ops.state_files import milliseconds
from vshell.ops.state_text import resolve
from vshell.text.globs import compile_glob

MAX_TREE_DEPTH: Final = 150
"""How deep `walk_tree` nests: each level is two of JSON, which readers nest some hundreds deep."""


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of a tree.

    Attributes:
        path: Its path, as it is seen from the path that was asked for.
        depth: How many names below that path it is; 0 for the path itself.
        kind: What it is.
        size: Bytes of content.
        mtime_ms: When it last changed, in milliseconds since 1970.
    """

    path: str
    depth: int
    kind: Kind
    size: int
    mtime_ms: int

    @property
    def name(self) -> str:
        return split(self.path)[1] or "/"


def find(
    context: Context,
    path: str,
    *,
    name: str | None,
    path_pattern: str | None,
    type: frozenset[str] | None,
    min_depth: int,
    max_depth: int | None,
    empty: bool,
    size_min: int | None,
    size_max: int | None,
    mtime_after: float | None,
    mtime_before: float | None,
) -> list[dict[str, Any]]:
    root = resolve(context, path)
    # Whether a directory is empty shows one level further down.
    deeper = max_depth + 1 if empty and max_depth is not None else max_depth
    try:
        entries = tree(context, root, max_depth=deeper)
    except (NotFoundError, NotDirectoryError):
        return []
    tests = [
        lambda entry: min_depth <= entry.depth <= (entry.depth if max_depth is None else max_depth),
        *_type_test(type),
        *_size_tests(size_min, size_max),
        *_time_tests(mtime_after, mtime_before),
        *_pattern_tests(context, name, path_pattern),
        *(_empty_test(entries) if empty else ()),
    ]
    found = [entry for entry in entries if all(test(entry) for test in tests)]
    _check_number(len(found))
    return [
        {
            "path": entry.path,
            "name": entry.name,
            "type": entry.kind,
            "depth": entry.depth,
            "size": entry.size,
            "mtime": entry.mtime_ms,
        }
        for entry in found
    ]


_Test = Callable[[Found], bool]


def _type_test(kinds: frozenset[str] | None) -> Iterator[_Test]:
    if kinds is not None:
        yield lambda entry: entry.kind in kinds


def _size_tests(smallest: int | None, largest: int | None) -> Iterator[_Test]:
    if smallest is not None:
        yield lambda entry: entry.size >= smallest
    if largest is not None:
        yield lambda entry: entry.size <= largest


def _time_tests(after: float | None, before: float | None) -> Iterator[_Test]:
    if after is not None:
        yield lambda entry: entry.mtime_ms > after
    if before is not None:
        yield lambda entry: entry.mtime_ms < before


def _pattern_tests(context: Context, name: str | None, path_pattern: str | None) -> Iterator[_Test]:
    if name is not None:
        names = compile_glob(name)
        yield lambda entry: entry.path != "/" and names.match(entry.name)
    if path_pattern is not None:
        paths = compile_glob(path_pattern, base=resolve(context, "."))
        yield lambda entry: paths.match(entry.path[1:], is_directory=entry.kind == "directory")


def _empty_test(entries: list[Found]) -> Iterator[_Test]:
    parents = {split(entry.path)[0] for entry in entries if entry.depth}
    yield lambda entry: entry.path not in parents if entry.kind == "directory" else not entry.size


def walk_tree(context: Context, path: str, *, max_depth: int | None) -> dict[str, Any]:
    entries = tree(context, resolve(context, path), max_depth=max_depth)
    _check_number(len(entries))
    nodes: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.depth > MAX_TREE_DEPTH:
            raise OutputLimitError(
                f"the tree is deeper than {MAX_TREE_DEPTH} levels: {entry.path[:200]}",
                path=entry.path,
                hint="set maxDepth, or use find",
            )
        node = {
            "path": entry.path,
            "name": entry.name,
            "type": entry.kind,
            "size": entry.size,
        }
        if entry.kind == "directory" and (max_depth is None or entry.depth < max_depth):
            node["children"] = []
        nodes[entry.path] = node
        if entry.depth:
            nodes[split(entry.path)[0]]["children"].append(node)
    return nodes[entries[0].path]


def summarize_tree(context: Context, path: str, *, max_depth: int | None) -> dict[str, int]:
    entries = tree(context, resolve(context, path), max_depth=max_depth)
    kinds = [entry.kind for entry in entries]
    return {
        "files": kinds.count("file"),
        "directories": kinds.count("directory"),
        "symlinks": kinds.count("symlink"),
        "totalBytes": sum(entry.size for entry in entries if entry.kind == "file"),
        "maxDepth": max(entry.depth for entry in entries),
    }


def tree(context: Context, root: str, *, max_depth: int | None = None) -> list[Found]:
    """Return what is at a path and below it, each directory before what is in it.

    Links are not followed, but for those on the way to the path.

    Raises:
        NotFoundError, NotDirectoryError, SymlinkLoopError: Nothing is there.
    """
    with context.files.reading():
        top = context.files.stat(root, follow=False)
        found = [Found(root, 0, top.kind, top.size, milliseconds(top.mtime_ns))]
        if top.kind == "directory" and max_depth != 0:
            found += _below(context, root, max_depth)
    return found


def _below(context: Context, root: str, max_depth: int | None) -> Iterator[Found]:
    base = 0 if root == "/" else root.count("/")
    for path, entry in entries_below(context, root, max_depth=max_depth):
        yield Found(
            path,
            path.count("/") - base,
            KIND_NAMES[entry.kind],
            entry.size,
            milliseconds(entry.mtime_ns),
        )


def entries_below(
    context: Context, root: str, *, max_depth: int | None = None
) -> list[tuple[str, EntryDetails]]:
    """Return what is below a directory, each with its path as seen from there.

    The order is that of a walk which takes the names in a directory by their bytes.

    Raises:
        NotDirectoryError: It is no directory.
        NotFoundError, SymlinkLoopError: Nothing is there.
    """
    found = _entries_below(context, root, max_depth=max_depth)
    found.sort(key=lambda item: encode(item[1].path).split(b"/"))
    return found


def _entries_below(
    context: Context, root: str, *, max_depth: int | None
) -> list[tuple[str, EntryDetails]]:
    """Return the same in no order."""
    files = context.files
    with files.reading():
        real = files.realpath(root)
        entries = files.walk_details(real, max_depth=max_depth)
    # The walk gives paths without links.
    cut = 0 if real == "/" else len(real)
    shown = "" if root == "/" else root
    return [(shown + entry.path[cut:], entry) for entry in entries]


def glob(context: Context, pattern: str) -> list[str]:
    if not pattern:
        return []
    found = glob_.glob(context, pattern, path=resolve(context, "."))
    _check_number(found.total)
    return list(found.paths)


def matching_files(context: Context, pattern: str) -> list[tuple[str, EntryDetails]]:
    """Return the files, not the links, whose paths match a glob, sorted by path.

    Raises:
        BadPatternError: The pattern is malformed.
        OutputLimitError: There are more than 100,000.
    """
    if not pattern:
        return []
    wanted = compile_glob(pattern, base=resolve(context, "."))
    top = "/" + "/".join(wanted.prefix)
    depth = None if wanted.max_depth is None else wanted.max_depth - len(wanted.prefix)
    try:
        entries = _entries_below(context, top, max_depth=depth)
    except (NotFoundError, NotDirectoryError, SymlinkLoopError, NameTooLongError):
        return []
    except UnicodeEncodeError:  # no name is half a surrogate pair
        return []
    found = [
        (path, entry)
        for path, entry in entries
        if entry.kind == FILE and wanted.match(path[1:], is_directory=False)
    ]
    _check_number(len(found))
    return sorted(found, key=lambda item: item[0])


def _check_number(entries: int) -> None:
    if entries > WALK_ENTRIES:
        raise OutputLimitError(
            f"there are {entries} entries, more than {WALK_ENTRIES} can be returned at once",
            hint="look into one directory after the other",
        )
