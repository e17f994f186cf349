"""Comparing two files, two trees, or a file with a text, as a patch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from vshell.errors import IsDirectoryError, NotDirectoryError, NotFoundError
from vshell.fs.content import hash_of
from vshell.fs.paths import PathLike, split
from vshell.fs.records import KIND_NAMES, EntryDetails
from vshell.fs.schema import FILE
from vshell.ops.context import Context
from vshell.ops.lazy_patch import (
    Compared,
    Pair,
    Version,
    check_comparable,
    compare_versions,
    pairs_of,
    stored,
)
from vshell.ops.write import Data, encode_data
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class DiffFile(Record):
    """A file or link in which two sides differ.

    Attributes:
        path: Its path as the patch has it, from the root or from the top of the trees;
            on the second side, if it is there.
        old_path: Its path on the first side, if that is another one; else None.
        action: What makes the second side of the first: `"create"`, `"delete"`, `"rename"`,
            `"modify"`, `"mode"` (only the mode differs) or `"type"` (file and link).
        added: How many lines are added.
        removed: How many lines are removed.
        binary: Whether it is no text, so that the patch names it and no more.
        too_large: Whether it is over 64 MiB or 1,000,000 lines, with the same consequence.
    """

    path: str
    old_path: str | None
    action: Literal["create", "delete", "rename", "modify", "mode", "type"]
    added: int
    removed: int
    binary: bool
    too_large: bool


@dataclass(frozen=True, slots=True)
class DiffResult(Record):
    """A difference.

    Attributes:
        patch: A unified diff that `patch -p1` and `git apply` take; empty when nothing
            differs. Bytes that are no UTF-8 stand in it as lone surrogates
            (`surrogateescape`).
        added: How many lines it adds.
        removed: How many lines it removes.
        files: What differs, in the order of the patch.
    """

    patch: str
    added: int
    removed: int
    files: tuple[DiffFile, ...]


def diff(context: Context, a: PathLike, b: PathLike) -> DiffResult:
    """Return the patch that makes the second of two files, or of two trees, of the first.

    Of two files, the patch is about the first one's path. Of two trees, it is about paths
    below them, to be applied inside the first; a file that is on the other side under
    another name is renamed. Links inside trees are compared by what they say. Empty
    directories have no place in a patch.

    Args:
        a: A file or a directory; a link is followed, unless it leads nowhere.
        b: The same on the other side.

    Raises:
        TooLargeError: A file has more than 64 MiB, or both have more than 1,000,000 lines;
            in a tree, such a file is named and marked. Or the patch is over 256 Mi characters.
        IsDirectoryError: Only the second is a directory.
        NotDirectoryError: Only the first is a directory.
        NotFoundError: One does not exist.
    """
    first, second = context.resolve(a), context.resolve(b)
    files = context.files
    with files.reading():
        kinds = [_kind(context, path) for path in (first, second)]
        if kinds == ["directory", "directory"]:
            return _result(compare_versions(_tree_pairs(context, first, second)))
        if kinds[0] == "directory":
            raise NotDirectoryError(f"not a directory: {second}", path=second, hint=_HINT)
        if kinds[1] == "directory":
            raise IsDirectoryError(f"is a directory: {second}", path=second, hint=_HINT)
        old, new = _version(context, first, first), _version(context, second, first)
        return _compare_two(old, new)


def diff_text(context: Context, path: PathLike, new_text: Data) -> DiffResult:
    """Return the patch that gives a file this text.

    Args:
        path: The file; a missing one is compared with nothing, so the patch creates it.
        new_text: The text, or bytes.

    Raises:
        TooLargeError: One side has more than 64 MiB, or both more than 1,000,000 lines.
        DecodeError: The text holds lone surrogates other than undecodable bytes.
        IsDirectoryError: It is a directory.
    """
    where = context.resolve(path)
    data = bytes(encode_data(new_text))
    with context.files.reading():
        old = None
        if context.files.exists(where):
            old = _version(context, where, where)
        new = Version(where, "file", None, hash_of(data).hex(), lambda: data)
        return _compare_two(old, new)


_HINT = "compare two files, or two directories"


def _kind(context: Context, path: str) -> str:
    files = context.files
    return files.stat(path, follow=files.exists(path)).kind


def _version(context: Context, path: str, name: str) -> Version:
    """Return the file at a path; a link only if it leads nowhere."""
    files = context.files
    found = files.stat(path, follow=files.exists(path))
    if found.kind == "directory":
        raise IsDirectoryError(f"is a directory: {path}", path=path, hint=_HINT)
    if found.hash is None:
        raise NotFoundError(f"no such file or directory: {path}", path=path)
    return stored(files, name, found.kind, None, found.hash)


def _compare_two(old: Version | None, new: Version) -> DiffResult:
    if old is None or old.hash != new.hash:
        before, after = old.load() if old else b"", new.load()
        check_comparable(new.path, before, after)
        old = old and replace(old, load=lambda: before)
        new = replace(new, load=lambda: after)
    return _result(compare_versions([(old, new)]))


def _tree_pairs(context: Context, first: str, second: str) -> list[Pair]:
    """Return what differs between two trees, under the paths below their tops."""
    old, new = _entries(context, first), _entries(context, second)
    same = {path for path, entry in old.items() if path in new and _is_same(entry, new[path])}
    gone = {path: entry for path, entry in old.items() if path not in same}
    come = {path: entry for path, entry in new.items() if path not in same}
    return pairs_of(_versions(context, gone), _versions(context, come), _renames(gone, come))


def _entries(context: Context, top: str) -> dict[str, EntryDetails]:
    real = context.files.realpath(top)
    start = 0 if real == "/" else len(real)
    found = context.files.walk_details(top)
    return {entry.path[start:]: entry for entry in found if KIND_NAMES[entry.kind] != "directory"}


def _is_same(old: EntryDetails, new: EntryDetails) -> bool:
    """Tell whether a patch has nothing to say: of the mode, only the owner's x counts in git."""
    return (old.kind, old.content) == (new.kind, new.content) and not (old.mode ^ new.mode) & 0o100


def _versions(context: Context, entries: dict[str, EntryDetails]) -> list[Version]:
    hashes = context.files.hashes(entries.values())
    return [
        stored(context.files, path, KIND_NAMES[entry.kind], entry.mode, hashes[entry.inode])
        for path, entry in entries.items()
    ]


def _renames(gone: dict[str, EntryDetails], come: dict[str, EntryDetails]) -> dict[str, str]:
    """Find what only changed its name: first where the last part of it stayed, then in order."""
    sources: dict[int | None, list[str]] = defaultdict(list)
    named: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for path in sorted(gone.keys() - come.keys(), reverse=True):
        if gone[path].size and gone[path].kind == FILE:
            sources[gone[path].content].append(path)
            named[gone[path].content, split(path)[1]].append(path)
    new_paths = [path for path in sorted(come.keys() - gone.keys()) if come[path].kind == FILE]
    renames: dict[str, str] = {}
    for path in new_paths:
        same_name = named.get((come[path].content, split(path)[1]))
        if same_name:
            renames[path] = same_name.pop()
    taken = set(renames.values())
    for path in new_paths:
        left = sources.get(come[path].content, [])
        while left and left[-1] in taken:
            left.pop()
        if left and path not in renames:
            renames[path] = left.pop()
    return renames


def _result(compared: Iterable[Compared]) -> DiffResult:
    found = list(compared)
    return DiffResult(
        "".join(part.diff.text for part in found),
        sum(part.diff.added for part in found),
        sum(part.diff.removed for part in found),
        tuple(_file(part) for part in found),
    )


def _file(part: Compared) -> DiffFile:
    before, after, difference, too_large = part
    version = after or before
    assert version is not None
    renamed = before is not None and after is not None and before.path != after.path
    return DiffFile(
        version.path,
        before.path if before is not None and renamed else None,
        _action(before, after),
        difference.added,
        difference.removed,
        difference.binary and not too_large,
        too_large,
    )


def _action(
    before: Version | None, after: Version | None
) -> Literal["create", "delete", "rename", "modify", "mode", "type"]:
    if before is None:
        return "create"
    if after is None:
        return "delete"
    if before.path != after.path:
        return "rename"
    if before.kind != after.kind:
        return "type"
    return "mode" if before.hash == after.hash else "modify"
