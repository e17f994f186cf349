"""The workspace's half of a plan: what came from the mirror, as changes to files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vshell.errors import NotEmptyError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode
from vshell.fs.peers import Version
from vshell.sync.results import SyncAction
from vshell.sync.target import DIRECTORY, FILE, tree_key

__all__ = ["Change", "action_of", "pull"]

Change = tuple[str, Version | None, Version | None]
"""A path, what is there, and what is to be there."""

_NOT_EMPTY = "the workspace has something in it that does not belong to the mirror"


def pull(
    files: FileSystem, changes: Iterable[Change], done: Callable[[int], None]
) -> dict[str, str]:
    """Make the workspace what a plan wants; call it in a transaction.

    Args:
        files: The files.
        changes: What to change.
        done: Is told how many are done.

    Returns:
        The paths that stay as they are, with the reason.
    """
    ordered = sorted(changes, key=lambda change: tree_key(change[0]))
    failed: dict[str, str] = {}
    for path, old, new in reversed(ordered):
        if old is not None and (new is None or old.kind != new.kind):
            try:
                _remove(files, path, old)
            except NotEmptyError:
                failed[path] = _NOT_EMPTY
    for number, (path, old, new) in enumerate(ordered, 1):
        if new is not None and path not in failed:
            _put(files, f"/{path}", old, new)
        done(number)
    return failed


def _remove(files: FileSystem, path: str, old: Version) -> None:
    if old.kind == DIRECTORY:
        files.rmdir(f"/{path}")
    else:
        files.unlink(f"/{path}")


def _put(files: FileSystem, path: str, old: Version | None, new: Version) -> None:
    if old is not None and old.kind != new.kind:
        old = None
    if new.kind == DIRECTORY:
        if old is None:
            files.mkdir(path, mode=new.mode)
        else:
            files.chmod(path, _mode(old, new), follow=False)
        return
    if old is None or old.hash != new.hash:
        _write(files, path, old, new)
    elif old.mode & 0o777 != new.mode and new.kind == FILE:
        files.chmod(path, _mode(old, new), follow=False)
    if files.stat(path, follow=False).mtime_ns != new.mtime_ns:
        files.utime(path, new.mtime_ns, follow=False)


def _write(files: FileSystem, path: str, old: Version | None, new: Version) -> None:
    if new.kind == FILE:
        if old is not None and files.stat(path, follow=False).nlink > 1:
            files.unlink(path)  # its other names keep what they have
        files.put_content(path, new.content, mode=new.mode)
        return
    if old is not None:
        files.unlink(path)
    files.symlink(decode(files.content(new.content)), path)


def _mode(old: Version, new: Version) -> int:
    return old.mode & ~0o777 | new.mode


def action_of(old: Version | None, new: Version | None) -> SyncAction:
    """Return in one word what happens to a path."""
    if new is None:
        return "remove"
    if old is None:
        return "create"
    return "attributes" if (old.kind, old.hash) == (new.kind, new.hash) else "write"
