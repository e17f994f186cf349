"""The whole tree as it was at some moment, and making the present tree like it.

An image is rows, never content: what every path was, by its inode. It comes from the
present, from a snapshot, or from the journal read backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from vshell.errors import CorruptError, NotFoundError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, is_below, join, split
from vshell.fs.rewriting import Rewrite, rewrite_many
from vshell.fs.schema import DIRECTORY, FILE, ROOT
from vshell.fs.transaction import Store


class ImageInode(NamedTuple):
    """What an inode was."""

    kind: int
    mode: int
    mtime_ns: int
    content: int | None


@dataclass
class Image:
    """A tree at one moment.

    Attributes:
        revision: The revision whose state it shows.
        inodes: What each inode was, by its number.
        paths: Which inode each path led to; parents come before what is in them.
    """

    revision: int
    inodes: dict[int, ImageInode] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)

    def at(self, path: str) -> ImageInode | None:
        """Return what was at a path."""
        number = self.paths.get(path)
        return None if number is None else self.inodes[number]


_NOW: Final = (
    "select id, kind, mode, mtime_ns, content from inode",
    "select parent, name, inode, kind from entry",
)
_SNAPSHOT: Final = (
    "select id, kind, mode, mtime_ns, content from snapshot_inode where snapshot = ?",
    "select parent, name, inode, kind from snapshot_entry where snapshot = ?",
)
_JOURNAL: Final = (
    "select action, path, old_path, inode, kind, before_content, before_mode, before_mtime_ns"
    " from journal where id > coalesce((select id from journal where revision <= ?"
    " order by id desc limit 1), 0) and action <> '' order by id desc"
)


def present_image(store: Store) -> Image:
    """Return the tree as it is now."""
    store.journal.load()
    return _load(store, _NOW, (), store.journal.revision)


def snapshot_image(store: Store, snapshot: int, revision: int) -> Image:
    """Return the tree that a snapshot holds."""
    return _load(store, _SNAPSHOT, (snapshot,), revision)


def revision_image(store: Store, revision: int) -> Image:
    """Return the tree as it was after a revision.

    Raises:
        NotFoundError: The revision is not in the journal any more, or not yet.
    """
    require_history(store, revision)
    image = present_image(store)
    for row in journal_after(store, revision):
        take_back(image, row)
    image.revision = revision
    image.paths = dict(sorted(image.paths.items(), key=lambda item: order(item[0])))
    return image


def require_history(store: Store, revision: int) -> None:
    """Make sure that the journal reaches back to a revision.

    Raises:
        NotFoundError: It does not, or there is no such revision yet.
    """
    first = store.journal.complete_since()
    latest = store.journal.revision
    if not first <= revision <= latest:
        raise NotFoundError(
            f"the history does not reach revision {revision}",
            hint=f"it goes from {first} to {latest}",
            data={"first": first, "last": latest},
        )


def journal_after(store: Store, revision: int) -> list[JournalRow]:
    """Return what happened after a revision, newest first."""
    rows = store.database.rows(_JOURNAL, (revision,))
    return [JournalRow._make(row) for row in rows]


def _load(
    store: Store, statements: tuple[str, str], values: tuple[int, ...], revision: int
) -> Image:
    image = Image(revision)
    for number, *rest in store.database.rows(statements[0], values):
        image.inodes[number] = ImageInode(*rest)
    children: dict[int, list[tuple[bytes, int]]] = {}
    entries = store.database.rows(statements[1], values)
    for parent, name, number, _ in entries:
        children.setdefault(parent, []).append((name, number))
    pending = [("/", ROOT)]
    while pending:
        path, number = pending.pop()
        image.paths[path] = number
        if len(image.paths) > len(entries) + 1:
            raise CorruptError("a directory lies in itself", hint="`vshell check` says more")
        below = sorted(children.get(number, ()), reverse=True)
        pending += [(join(path, decode(name)), child) for name, child in below]
    return image


class JournalRow(NamedTuple):
    """A row of the journal, with what was before it."""

    action: str
    path: bytes
    old_path: bytes | None
    inode: int
    kind: int
    content: int | None
    mode: int
    mtime_ns: int


def take_back(image: Image, row: JournalRow) -> None:
    """Undo one row of the journal in the image."""
    path = decode(row.path)
    if row.action == "create":
        image.paths.pop(path, None)
        return
    if row.action == "rename" and row.old_path is not None:
        _move(image, path, decode(row.old_path), is_directory=row.kind == DIRECTORY)
    elif row.action == "remove":
        image.paths[path] = row.inode
    image.inodes[row.inode] = ImageInode(row.kind, row.mode, row.mtime_ns, row.content)


def _move(image: Image, path: str, old_path: str, *, is_directory: bool) -> None:
    paths = image.paths
    paths[old_path] = paths.pop(path)
    if is_directory:
        for below in [known for known in paths if known.startswith(f"{path}/")]:
            paths[old_path + below[len(path) :]] = paths.pop(below)


def order(path: str) -> str:
    """Return what sorts paths as a walk goes: what is in a directory right after it."""
    return path.replace("/", "\0")


class Difference(NamedTuple):
    """A path at which two images differ."""

    path: str
    before: ImageInode | None
    after: ImageInode | None


def differences(before: Image, after: Image, *, path: str = "/") -> Iterator[Difference]:
    """Yield where two images differ at or below a path, in the order of paths.

    The times of directories are passed over: they follow from what is in them.
    """
    names: Iterable[str] = before.paths
    if before.paths is not after.paths:
        names = sorted(before.paths.keys() | after.paths.keys(), key=order)
    for name in names:
        if path == "/" or is_below(name, path):
            old, new = before.at(name), after.at(name)
            if old != new and _shown(old) != _shown(new):
                yield Difference(name, old, new)


def _shown(inode: ImageInode | None) -> Any:
    return inode[:2] if inode is not None and inode.kind == DIRECTORY else inode


def apply_image(files: FileSystem, current: Image, target: Image, *, path: str = "/") -> int:
    """Make the tree at and below a path what it is in an image; return how many paths changed.

    Call it inside a transaction. What is the same already is left alone, so the cost
    is that of the differences.

    Args:
        files: The files.
        current: The tree as it is now; as much of it as may differ is enough.
        target: The tree as it shall be, as much of it.
        path: Where.
    """
    changed = list(differences(current, target, path=path))
    for difference in changed:
        if _must_go(difference) and files.exists(difference.path, follow=False):
            files.remove_tree(difference.path)
    plain = list(_rewrites(files.store, current, target, changed))
    rewrite_many(files.store, plain)
    alike = {rewrite.path for rewrite in plain}
    changed_otherwise = [each for each in changed if each.path not in alike]
    linked: dict[int, str] = {}
    for name, number in target.paths.items():
        if target.inodes[number].kind == FILE and current.paths.get(name) == number:
            linked.setdefault(number, name)
    for difference in changed_otherwise:
        if difference.after is not None:
            _put(files, target, difference, linked)
    # What was put into directories changed their times.
    for difference in changed_otherwise:
        for place in (difference.path, split(difference.path)[0]):
            _restore_time(files, target, place)
    return len(changed)


def _rewrites(
    store: Store, current: Image, target: Image, changed: list[Difference]
) -> Iterator[Rewrite]:
    """Yield what differs of files that are the same and have no other name: nearly all."""
    for path, before, after in changed:
        if before is None or after is None or not before.kind == after.kind == FILE:
            continue
        number = target.paths[path]
        if current.paths[path] == number and store.tree.inode(number).nlink == 1:
            yield Rewrite(path, number, after.mode, after.mtime_ns, after.content)


def _must_go(difference: Difference) -> bool:
    before, after = difference.before, difference.after
    return before is not None and (after is None or before.kind != after.kind)


def _put(files: FileSystem, target: Image, difference: Difference, linked: dict[int, str]) -> None:
    path, wanted = difference.path, difference.after
    assert wanted is not None
    number = target.paths[path]
    if wanted.kind == DIRECTORY:
        files.mkdir(path, mode=wanted.mode, parents=True, exist_ok=True)
    elif wanted.kind != FILE:
        if files.exists(path, follow=False):
            files.unlink(path)
        files.symlink(decode(files.content(wanted.content)), path, parents=True)
    elif number in linked and linked[number] != path:
        if files.exists(path, follow=False):
            files.unlink(path)
        files.link(linked[number], path, parents=True)
    else:
        linked[number] = path
        if files.exists(path, follow=False) and files.stat(path, follow=False).nlink > 1:
            files.unlink(path)  # its other names keep what they have
        files.put_content(path, wanted.content, mode=wanted.mode)
    if wanted.kind != DIRECTORY:
        files.utime(path, wanted.mtime_ns, follow=False)
    if wanted.kind != FILE:  # whose content brought its mode
        files.chmod(path, wanted.mode, follow=False)


def _restore_time(files: FileSystem, target: Image, path: str) -> None:
    wanted = target.at(path)
    if wanted is None or wanted.kind != DIRECTORY:
        return
    if files.stat(path).mtime_ns != wanted.mtime_ns:
        files.utime(path, wanted.mtime_ns)
