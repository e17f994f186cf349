"""What an overlay changed, as a list, and doing the same in the workspace.

The overlay's journal has every step in order. Steps that later ones make pointless are
left out: of many writes to a file only the last content counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from vshell.errors import ConflictError
from vshell.fs.content import EMPTY, Stored
from vshell.fs.filesystem import FileSystem
from vshell.fs.overlay import Overlay
from vshell.fs.paths import decode, is_below
from vshell.fs.reads import ReadSet
from vshell.fs.schema import DIRECTORY, ROOT, SYMLINK

__all__ = ["Effect", "apply_effects", "effects_of", "reads_of", "require_unchanged", "transfer"]

_ROWS: Final = (
    "select action, path, old_path, inode, kind, after_content, after_mode, before_mode,"
    " after_mtime_ns, before_mtime_ns, time_ns from journal where id > ? order by id"
)


class Effect(NamedTuple):
    """One step.

    Attributes:
        action: As in the journal.
        path: The path; of a rename, the new one.
        old_path: The path before a rename.
        inode: What it happened to: two names with one number are hard links. A positive number
            is that of the workspace, a negative one of something new.
        kind: What that is.
        content: The content after it, by the number that it has where the list is kept.
        mode: The permission bits after it; None where they stay.
        mtime_ns: The time to give it; None for that of the step itself.
    """

    action: str
    path: str
    old_path: str | None
    inode: int
    kind: int
    content: int | None
    mode: int | None
    mtime_ns: int | None


def effects_of(overlay: Overlay) -> list[Effect]:
    """Return what an overlay changed, in order."""
    rows = overlay.store.database.rows(_ROWS, (overlay.base_position,))
    return _condensed([_effect(_Row._make(row), overlay.base_position) for row in rows])


class _Row(NamedTuple):
    """What a row of the overlay's journal says."""

    action: str
    path: bytes
    old_path: bytes | None
    inode: int
    kind: int
    content: int | None
    mode: int | None
    mode_before: int | None
    mtime_ns: int | None
    mtime_before_ns: int | None
    time_ns: int


def _effect(row: _Row, base_position: int) -> Effect:
    # A time that is not that of the step itself was asked for.
    given = row.mtime_ns != row.mtime_before_ns
    if row.action != "attributes":
        given = given and row.mtime_ns != row.time_ns and row.kind != DIRECTORY
    return Effect(
        row.action,
        decode(row.path),
        None if row.old_path is None else decode(row.old_path),
        # An inode's number is the position of the row that made it.
        row.inode if row.inode <= base_position else -row.inode,
        row.kind,
        row.content,
        None if row.mode == row.mode_before else row.mode,
        row.mtime_ns if given else None,
    )


def _condensed(effects: list[Effect]) -> list[Effect]:
    """Leave out each write to a file that is written again."""
    last = {each.inode: index for index, each in enumerate(effects) if each.action == "write"}
    return [
        each
        for index, each in enumerate(effects)
        if each.action != "write" or each.mode is not None or last[each.inode] == index
    ]


def reads_of(overlay: Overlay, effects: Iterable[Effect]) -> ReadSet:
    """Return what an overlay looked at; what it moved it takes along as it was."""
    reads = overlay.reads
    for effect in effects:
        if effect.action == "rename" and effect.old_path is not None and effect.kind == DIRECTORY:
            reads.add_walk(effect.old_path, details=True)
    return reads


def require_unchanged(files: FileSystem, since: int, reads: ReadSet) -> None:
    """Make sure that nobody has changed what was looked at; call it in a transaction.

    Args:
        files: The files of the workspace.
        since: The revision that was looked at.
        reads: What was looked at.

    Raises:
        ConflictError: Somebody has. `data` has `path`, `revision` and `session`.
    """
    if files.revision() == since:
        return
    if files.complete_since() > since:
        raise ConflictError(
            "the history of what happened meanwhile is gone",
            hint="run the script again",
            data={"revision": since},
        )
    change = reads.first_shown(files.changes(since=since))
    if change is not None:
        raise ConflictError(
            f"somebody else changed it meanwhile: {change.path}",
            path=change.path,
            hint="run the script again on what is there now, or ask for retries",
            data={"path": change.path, "revision": change.revision, "session": change.session},
        )


def transfer(overlay: Overlay, files: FileSystem, effect: Effect) -> Stored:
    """Return the content of an effect as the workspace has it, stored there if it is new."""
    if effect.content is None:
        return EMPTY
    stored = overlay.store.content.find(effect.content)
    known = files.store.content.find_hash(stored.hash)
    if known is not None:
        return known
    return files.store.content.put_stream(overlay.store.content.pieces(stored))


def apply_effects(
    files: FileSystem, effects: Iterable[Effect], content_of: Callable[[Effect], Stored]
) -> None:
    """Do in the workspace what was done elsewhere; call it in a transaction.

    Args:
        files: The files of the workspace, in which nothing stands in the way.
        effects: The steps.
        content_of: Returns the content of a step as it is stored in the workspace.
    """
    names = _Names(files)
    for effect in effects:
        _apply(files, effect, content_of, names)


class _Names:
    """Where each inode is that was made, for those that get a second name."""

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self._paths: dict[int, str] = {}

    def first(self, effect: Effect) -> str | None:
        """Note a creation; return the path of the same file, if it has one already."""
        if effect.inode > 0:
            return _path_of(self._files, effect.inode)
        return (
            None
            if self._paths.setdefault(effect.inode, effect.path) is effect.path
            else (self._paths[effect.inode])
        )

    def removed(self, effect: Effect) -> None:
        if self._paths.get(effect.inode) == effect.path:
            del self._paths[effect.inode]

    def renamed(self, effect: Effect) -> None:
        old_path = effect.old_path
        assert old_path is not None
        for inode, path in self._paths.items():
            if is_below(path, old_path):
                self._paths[inode] = effect.path + path[len(old_path) :]


def _path_of(files: FileSystem, inode: int) -> str:
    """Return a path of an inode of the workspace; it takes a look at every entry."""
    path = ""
    while inode != ROOT:
        found = files.store.database.row("select parent, name from entry where inode = ?", (inode,))
        assert found is not None, "it has a name, or it would have none to share"
        inode, path = found[0], f"/{decode(found[1])}{path}"
    return path


def _apply(
    files: FileSystem, effect: Effect, content_of: Callable[[Effect], Stored], names: _Names
) -> None:
    path = effect.path
    if effect.action == "remove":
        names.removed(effect)
        if effect.kind == DIRECTORY:
            files.rmdir(path)
        else:
            files.unlink(path)
        return
    if effect.action == "rename":
        assert effect.old_path is not None
        names.renamed(effect)
        files.rename(effect.old_path, path)
        return
    if effect.action == "create":
        _create(files, effect, content_of, names)
    elif effect.action == "write":
        mode = files.stat(path).mode if effect.mode is None else effect.mode
        files.put_content(path, content_of(effect).id, mode=mode)
    elif effect.mode is not None:
        files.chmod(path, effect.mode, follow=False)
    if effect.mtime_ns is not None:
        files.utime(path, effect.mtime_ns, follow=False)


def _create(
    files: FileSystem, effect: Effect, content_of: Callable[[Effect], Stored], names: _Names
) -> None:
    mode = 0o644 if effect.mode is None else effect.mode
    if effect.kind == DIRECTORY:
        files.mkdir(effect.path, mode=mode)
    elif known := names.first(effect):
        files.link(known, effect.path)
    elif effect.kind == SYMLINK:
        target = files.store.content.read(content_of(effect))
        files.symlink(decode(target), effect.path)
    else:
        files.put_content(effect.path, content_of(effect).id, mode=mode)
