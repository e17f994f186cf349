"""Named moments of the tree, and going back and forth in its history."""

from __future__ import annotations

import json
from dataclasses import dataclass

from vshell.errors import ConflictError, ExistsError, NotFoundError, RangeError
from vshell.fs.filesystem import FileSystem
from vshell.fs.image import (
    Image,
    apply_image,
    present_image,
    require_history,
    revision_image,
    snapshot_image,
)
from vshell.fs.paths import decode
from vshell.fs.records import KIND_NAMES, Stat
from vshell.fs.reverting import revert_rewrites
from vshell.fs.schema import DIRECTORY
from vshell.fs.sparse_image import Side, differing_rows, touched_since
from vshell.fs.transaction import Store
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class Snapshot(Record):
    """A named moment of the tree.

    Attributes:
        name: Its name.
        revision: The revision whose state it is.
        time_ns: When it was made, in nanoseconds since 1970.
        session: Who made it.
    """

    name: str
    revision: int
    time_ns: int
    session: str


@dataclass(frozen=True, slots=True)
class Restored(Record):
    """What going to another moment did.

    Attributes:
        revision: The new revision, which did it.
        state_of: The revision whose state the tree has now.
        changed: How many paths changed.
    """

    revision: int
    state_of: int
    changed: int


def create_snapshot(store: Store, name: str) -> Snapshot:
    """Name the tree as it is now; call it inside a transaction.

    Raises:
        ExistsError: The name is taken.
    """
    journal = store.journal
    if _find(store, name):
        raise ExistsError(
            f"the snapshot exists: {name}", hint="delete it first, or use another name"
        )
    made = Snapshot(name, journal.revision, journal.time_ns, journal.session)
    database = store.database
    database.run(
        "insert into snapshot (name, revision, time_ns, session) values (?, ?, ?, ?)",
        (made.name, made.revision, made.time_ns, made.session),
    )
    number = database.last_row_id()
    database.run(
        "insert into snapshot_inode select ?, id, kind, mode, mtime_ns, content from inode",
        (number,),
    )
    database.run(
        "insert into snapshot_entry select ?, parent, name, inode, kind from entry", (number,)
    )
    return made


def list_snapshots(store: Store) -> list[Snapshot]:
    """Return all snapshots, the oldest first."""
    rows = store.database.rows("select name, revision, time_ns, session from snapshot order by id")
    return [Snapshot(*row) for row in rows]


def delete_snapshot(store: Store, name: str) -> None:
    """Forget a snapshot; call it inside a transaction.

    Raises:
        NotFoundError: There is none of that name.
    """
    number, _ = _require(store, name)
    for table, column in (
        ("snapshot_entry", "snapshot"),
        ("snapshot_inode", "snapshot"),
        ("snapshot", "id"),
    ):
        store.database.run(f"delete from {table} where {column} = ?", (number,))


def image_of(store: Store, moment: int | str | None) -> Image:
    """Return the tree at a revision, in a snapshot, or now (None).

    Raises:
        NotFoundError: There is no such snapshot, or the history does not reach so far.
    """
    if moment is None:
        return present_image(store)
    if isinstance(moment, int):
        return revision_image(store, moment)
    number, revision = _require(store, moment)
    return snapshot_image(store, number, revision)


def images_of(store: Store, a: int | str | None, b: int | str | None) -> tuple[Image, Image]:
    """Return two moments, at least where they differ; None is now.

    Raises:
        NotFoundError: There is no such moment.
    """
    found: tuple[Image, Image] | None = None
    if not isinstance(a, int) and not isinstance(b, int):
        found = differing_rows(store, _side(store, a), _side(store, b))
    elif a is None and isinstance(b, int):
        require_history(store, b)
        found = touched_since(store, b)
    elif b is None and isinstance(a, int):
        require_history(store, a)
        pair = touched_since(store, a)
        found = (pair[1], pair[0]) if pair else None
    return found or (image_of(store, a), image_of(store, b))


def _side(store: Store, moment: str | None) -> Side:
    if moment is None:
        store.journal.load()
        return Side(None, store.journal.revision)
    number, revision = _require(store, moment)
    # What was changed in the transaction of a snapshot has the time of its beginning.
    times = store.database.row(
        "select s.time_ns, (select time_ns from journal where revision <= s.revision"
        " order by id desc limit 1) from snapshot s where s.id = ?",
        (number,),
    )
    return Side(number, revision, is_whole=times is not None and times[0] != times[1])


def stat_at(files: FileSystem, moment: int | str, path: str) -> tuple[Stat, int | None]:
    """Return what a path was at another moment, and the number of its content.

    Links are not followed: where they led then is not asked.

    Raises:
        NotFoundError: There is no such moment, or nothing was there.
    """
    image = image_of(files.store, moment)
    inode = image.at(path)
    if inode is None:
        raise NotFoundError(f"no such file or directory at {moment}: {path}", path=path)
    stored = files.store.content.find(inode.content)
    number = image.paths[path]
    is_directory = inode.kind == DIRECTORY
    stat = Stat(
        path,
        KIND_NAMES[inode.kind],
        stored.size,
        inode.mode,
        inode.mtime_ns,
        inode.mtime_ns,
        sum(other == number for other in image.paths.values()),
        number,
        image.revision,
        None if is_directory else stored.hash.hex(),
    )
    return stat, inode.content


def restore(files: FileSystem, moment: int | str, *, path: str = "/") -> Restored:
    """Make the tree, or what is at and below a path, what it was; call it in a transaction.

    Raises:
        NotFoundError: There is no such snapshot, or the history does not reach so far.
        QuotaExceededError: It would not fit any more.
    """
    store = files.store
    if isinstance(moment, int) and path == "/":
        require_history(store, moment)
        rewritten = revert_rewrites(store, moment)
        if rewritten is not None:
            return Restored(store.journal.revision, moment, rewritten)
    present, target = images_of(store, None, moment)
    changed = apply_image(files, present, target, path=path)
    return Restored(store.journal.revision, target.revision, changed)


def undo(files: FileSystem, steps: int, *, session: str | None) -> Restored:
    """Go back so many revisions; call it inside a transaction.

    A revision that undid or redid something counts as the one whose state it restored,
    so undoing again goes on backwards.

    Args:
        files: The files.
        steps: How many revisions.
        session: If given, all of them must be this one's.

    Raises:
        RangeError: There are not so many.
        ConflictError: One of them is another session's.
    """
    store = files.store
    first = store.journal.complete_since()
    present = store.journal.revision
    target, path_back = present, list[int]()
    for _ in range(steps):
        state = _state_of(store, target)
        if state <= first:
            raise _too_few(len(path_back))
        _require_own(store, state, session)
        path_back.append(state)
        target = _previous(store, state, first)
    redo = [*reversed(path_back), *_redo_of(store, present)]
    return _go_to(files, target, redo)


def undo_path(files: FileSystem, path: str, steps: int, *, session: str | None) -> Restored:
    """Take back the last changes of one path and what is below it; call it in a transaction.

    Args:
        files: The files.
        path: The path.
        steps: How many revisions that changed it.
        session: If given, all of them must be this one's.

    Raises:
        RangeError: There are not so many.
        ConflictError: One of them is another session's.
    """
    store = files.store
    changes = files.changes(path=path)
    revisions = sorted({change.revision for change in changes}, reverse=True)
    if len(revisions) < steps:
        raise _too_few(len(revisions), path)
    oldest = revisions[steps - 1]
    for change in changes:
        if change.revision >= oldest and session not in (None, change.session):
            raise _not_own(change.revision, change.session, change.path)
    first = store.journal.complete_since()
    return restore(files, _previous(store, oldest, first), path=path)


def undo_to(files: FileSystem, revision: int, *, session: str | None) -> Restored:
    """Go back to the state after a revision; `redo` takes it back. Call it in a transaction.

    Args:
        files: The files.
        revision: The revision.
        session: If given, all that happened since must be this one's.

    Raises:
        NotFoundError: The history does not reach so far.
        ConflictError: A change since is another session's.
    """
    store = files.store
    require_history(store, revision)
    present = store.journal.revision
    if session is not None:
        found = store.database.row(
            "select revision, session, path from journal where revision > ? and session <> ?"
            " and action <> '' order by id limit 1",
            (revision, session),
        )
        if found:
            raise _not_own(found[0], found[1], decode(found[2]))
    return _go_to(files, revision, [_state_of(store, present), *_redo_of(store, present)])


def redo(files: FileSystem, steps: int) -> Restored:
    """Take back the latest undo, so many revisions far; call it inside a transaction.

    Raises:
        RangeError: The last revision undid less than that.
    """
    chain = _redo_of(files.store, files.store.journal.revision)
    if len(chain) < steps:
        raise RangeError(
            f"there are only {len(chain)} changes to redo",
            hint="a change after an undo is the end of what can be redone",
        )
    return _go_to(files, chain[steps - 1], chain[steps:])


def _go_to(files: FileSystem, revision: int, redo_chain: list[int]) -> Restored:
    state = _state_of(files.store, revision)
    result = restore(files, revision)
    files.store.database.run(
        "insert or replace into undo (revision, state_of, redo) values (?, ?, ?)",
        (result.revision, state, json.dumps(redo_chain)),
    )
    return Restored(result.revision, state, result.changed)


def _state_of(store: Store, revision: int) -> int:
    """Return the revision whose state the tree had after this one."""
    found = store.database.row("select state_of from undo where revision = ?", (revision,))
    return found[0] if found else revision


def _redo_of(store: Store, revision: int) -> list[int]:
    found = store.database.row("select redo from undo where revision = ?", (revision,))
    return json.loads(found[0]) if found else []


def _previous(store: Store, revision: int, first: int) -> int:
    """Return the revision before one; `first` is the oldest whose state is known."""
    found = store.database.row(
        "select revision from journal where revision < ? order by id desc limit 1", (revision,)
    )
    return max(first, found[0] if found else 0)


def _too_few(count: int, path: str | None = None) -> RangeError:
    where = "" if path is None else f": {path}"
    return RangeError(
        f"there are only {count} changes to undo{where}",
        hint="`keep_history` and `gc` decide how many are kept",
        data={"available": count},
    )


def _require_own(store: Store, revision: int, session: str | None) -> None:
    if session is None:
        return
    found = store.database.row(
        "select session, path from journal where revision = ? and session <> ? limit 1",
        (revision, session),
    )
    if found:
        raise _not_own(revision, found[0], decode(found[1]))


def _not_own(revision: int, session: str, path: str) -> ConflictError:
    return ConflictError(
        f"revision {revision} is not this session's: {session or 'the workspace'} changed {path}",
        hint="pass force=True to undo it all the same",
        data={"revision": revision, "session": session, "path": path},
    )


def _find(store: Store, name: str) -> tuple[int, int] | None:
    found = store.database.row("select id, revision from snapshot where name = ?", (name,))
    return (found[0], found[1]) if found else None


def _require(store: Store, name: str) -> tuple[int, int]:
    found = _find(store, name)
    if found is None:
        raise NotFoundError(f"no such snapshot: {name}", hint="`snapshots` lists them")
    return found
