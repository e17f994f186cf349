"""Other moments of the workspace: snapshots, undo and redo, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from vshell.errors import InvalidPathError, RangeError
from vshell.fs import snapshots as fs_snapshots
from vshell.fs.image import Difference, ImageInode, differences
from vshell.fs.paths import PathLike
from vshell.fs.records import KIND_NAMES, Kind
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.fs.snapshots import Restored, Snapshot
from vshell.ops.context import Context, Versions
from vshell.ops.read import Moment
from vshell.record import Record, quick_constructor

_TYPE_BITS = {FILE: 0o100000, SYMLINK: 0o120000}
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class ComparedPath(Record):
    """A path at which two moments differ.

    Attributes:
        path: The path.
        action: `"create"`, `"remove"`, `"write"` (other content), `"attributes"`
            (other mode or time) or `"kind"`.
        kind: What it is in the later moment; when it is gone, what it was.
        before_mode: Its permission bits in the earlier moment; None when it was not there.
        after_mode: Its permission bits in the later moment; None when it is gone.
    """

    path: str
    action: Literal["create", "remove", "write", "attributes", "kind"]
    kind: Kind
    before_mode: int | None
    after_mode: int | None


_make_compared = quick_constructor(ComparedPath)


@dataclass(frozen=True, slots=True)
class CompareResult(Record):
    """What lies between two moments.

    Attributes:
        changes: Where they differ, in the order of paths.
        patch: The changes as one unified diff, computed when asked for.
    """

    changes: tuple[ComparedPath, ...]
    _patch: Callable[[], str] = field(repr=False, compare=False)

    @property
    def patch(self) -> str:
        return self._patch()

    def as_dict(self) -> dict[str, object]:
        return {"changes": [change.as_dict() for change in self.changes]}


def snapshot(context: Context, name: str, *, expected_version: int | None = None) -> Snapshot:
    """Name the tree as it is now, so that it can be restored or compared with later.

    It costs rows and no content, and `gc` keeps what it refers to.

    Args:
        name: Any text of up to 255 characters that is no number.
        expected_version: The revision that the workspace must be at.

    Raises:
        StaleError: It is at another one.
        ExistsError: The name is taken.
        InvalidPathError: The name is empty, too long, or a number, which names a revision.
    """
    if not name or len(name) > _LONGEST_NAME or name.isdecimal() or "\0" in name:
        raise InvalidPathError(
            f"not a possible name of a snapshot: {name[:_LONGEST_NAME]!r}",
            hint="use up to 255 characters, not only digits",
        )
    with context.changing("snapshot"):
        context.require_versions(expected_version)
        return fs_snapshots.create_snapshot(context.files.store, name)


def snapshots(context: Context) -> tuple[Snapshot, ...]:
    """Return all snapshots, the oldest first."""
    with context.files.reading():
        return tuple(fs_snapshots.list_snapshots(context.files.store))


def delete_snapshot(context: Context, name: str) -> None:
    """Forget a snapshot; `gc` then frees what only it needed.

    Args:
        name: The snapshot.

    Raises:
        NotFoundError: There is none of that name.
    """
    with context.changing("delete_snapshot"):
        fs_snapshots.delete_snapshot(context.files.store, name)


def restore(
    context: Context,
    moment: Moment,
    *,
    path: PathLike = "/",
    expected_version: Versions | None = None,
) -> Restored:
    """Make the tree what it was at another moment. The change is journalled, so `undo` undoes it.

    Args:
        moment: A snapshot's name or a revision's number.
        path: Only what is at this path and below it.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one, or a file changed since the session read it.
        NotReadError: The session requires that files are read before they are replaced.
        NotFoundError: There is no such snapshot, or the history does not reach so far.
        QuotaExceededError: It would not fit any more.
    """
    where = context.resolve(path)
    with context.changing("restore"):
        context.require_versions(expected_version)
        if context.require_read:
            _require_seen(context, moment, where)
        return fs_snapshots.restore(context.files, moment, path=where)


def _require_seen(context: Context, moment: Moment, path: str) -> None:
    """Make sure that what a restoration replaces or removes was read."""
    present, target = fs_snapshots.images_of(context.files.store, None, moment)
    for found, before, after in differences(present, target, path=path):
        if before is not None and (after is None or before.content != after.content):
            context.require_seen(found)


def undo(
    context: Context,
    n: int = 1,
    *,
    path: PathLike | None = None,
    to: int | None = None,
    force: bool = False,
    expected_version: Versions | None = None,
) -> Restored:
    """Take back the last changes, a transaction being one. `redo` takes the undo back.

    A named session takes back only its own changes, unless `force`.

    Args:
        n: How many.
        path: Only the last `n` changes of this path and what is below it.
        to: Instead of `n`, the revision to go back to.
        force: Also take back what other sessions did.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one.
        ConflictError: A change in between is another session's.
        RangeError: There are not so many changes.
        NotFoundError: The history does not reach so far.
    """
    _check_count(n)
    with context.changing("undo"):
        context.require_versions(expected_version)
        own = context.name if context.name and not force else None
        if path is not None:
            where = context.resolve(path)
            return fs_snapshots.undo_path(context.files, where, n, session=own)
        if to is not None:
            return fs_snapshots.undo_to(context.files, to, session=own)
        return fs_snapshots.undo(context.files, n, session=own)


def redo(context: Context, n: int = 1, *, expected_version: Versions | None = None) -> Restored:
    """Take back the last undo, as long as nothing else changed since.

    Args:
        n: How many changes.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one.
        RangeError: There are not so many.
    """
    _check_count(n)
    with context.changing("redo"):
        context.require_versions(expected_version)
        return fs_snapshots.redo(context.files, n)


def compare(
    context: Context, a: Moment, b: Moment | None = None, *, path: PathLike = "/"
) -> CompareResult:
    """Return what changed from one moment to another.

    Args:
        a: A snapshot's name or a revision's number: the earlier moment.
        b: The later moment; None is now.
        path: Only what is at this path and below it.

    Raises:
        NotFoundError: There is no such snapshot, or the history does not reach so far.
    """
    store = context.files.store
    with context.files.reading():
        before, after = fs_snapshots.images_of(store, a, b)
        found = tuple(differences(before, after, path=context.resolve(path)))
    return CompareResult(
        tuple(_compared(difference) for difference in found), lambda: _patch(context, found)
    )


def _check_count(n: int) -> None:
    if n < 1:
        raise RangeError(f"n must be 1 or more, not {n}")


def _compared(difference: Difference) -> ComparedPath:
    path, before, after = difference
    shown = after or before
    assert shown is not None
    action: Literal["create", "remove", "write", "attributes", "kind"]
    if before is None:
        action = "create"
    elif after is None:
        action = "remove"
    elif before.kind != after.kind:
        action = "kind"
    else:
        action = "write" if before.content != after.content else "attributes"
    return _make_compared(
        path, action, KIND_NAMES[shown.kind], before and before.mode, after and after.mode
    )


def _patch(context: Context, found: tuple[Difference, ...]) -> str:
    from vshell.text.unified import unified_diff

    def parts() -> Iterator[str]:
        for path, before, after in found:
            old, old_mode = _side(context, before)
            new, new_mode = _side(context, after)
            if old is not None or new is not None:
                yield unified_diff(
                    old,
                    new,
                    old_path=path,
                    new_path=path,
                    old_mode=old_mode,
                    new_mode=new_mode,
                ).text

    return "".join(parts())


def _side(context: Context, inode: ImageInode | None) -> tuple[bytes | None, int | None]:
    """Return content and mode of one side of a diff; a directory has no place in a patch."""
    if inode is None or inode.kind == DIRECTORY:
        return None, None
    return context.files.content(inode.content), _TYPE_BITS[inode.kind] | inode.mode
