"""The mirror's half of a plan: operations in an order in which each can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from vshell.fs.content import Stored
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Version
from vshell.limits import CHUNK_BYTES, INLINE_BYTES
from vshell.sync.target import DIRECTORY, FILE, SYMLINK, Action, Entry, Operation, tree_key

__all__ = ["Push", "Step", "operations_for", "with_content"]

_BATCH_BYTES: Final = 4 * 1024**2
_BATCH_ENTRIES: Final = 500


class Push(NamedTuple):
    """What is to change at one path of the mirror.

    Attributes:
        path: The path.
        seen: How the mirror shows what is there; None for nothing.
        old: What is there.
        new: What is to be there.
    """

    path: str
    seen: Entry | None
    old: Version | None
    new: Version | None


class Step(NamedTuple):
    """An operation, and what is there once it is done."""

    operation: Operation
    new: Version | None


def operations_for(pushes: Iterable[Push]) -> list[Step]:
    """Return what to do, without content: what goes from the bottom up, then what comes."""
    ordered = sorted(pushes, key=lambda push: tree_key(push.path))
    steps = [
        Step(Operation(push.path, "remove", push.seen), None)
        for push in reversed(ordered)
        if _has_to_go(push)
    ]
    steps += [_step(push, push.new) for push in ordered if push.new is not None]
    return steps


def _has_to_go(push: Push) -> bool:
    """Tell whether something must be removed first; a file or a link can be replaced."""
    if push.old is None:
        return False
    if push.new is None:
        return True
    return push.old.kind != push.new.kind and DIRECTORY in (push.old.kind, push.new.kind)


def _step(push: Push, new: Version) -> Step:
    seen = None if _has_to_go(push) else push.seen
    action: Action
    if push.old is not None and (push.old.kind, push.old.hash) == (new.kind, new.hash):
        action = "attributes"
    else:
        action = _MAKING[new.kind]
    size = 0 if new.kind == DIRECTORY else new.size
    operation = Operation(push.path, action, seen, new.mode & 0o777, new.mtime_ns, size)
    return Step(operation, new)


_MAKING: Final[dict[int, Action]] = {DIRECTORY: "directory", FILE: "file", SYMLINK: "symlink"}


def with_content(files: FileSystem, steps: Sequence[Step]) -> Iterator[Operation]:
    """Yield operations with their content, of which a few megabytes are loaded at a time.

    The content may not be collected meanwhile: rows of `mirror_pending` see to that.
    """
    for batch in _batches(steps):
        loaded = _load(files, batch)
        for step in batch:
            yield step.operation._replace(pieces=_pieces(files, step.new, loaded))


def _load(files: FileSystem, batch: Sequence[Step]) -> dict[int, bytes]:
    contents = {
        step.new.content
        for step in batch
        if step.new is not None and step.new.content is not None and _is_loaded(step)
    }
    return files.store.read(lambda: files.store.content.read_many(contents)) if contents else {}


def _pieces(
    files: FileSystem, version: Version | None, loaded: dict[int, bytes]
) -> Iterable[bytes]:
    if version is None or version.content is None:
        return ()
    if version.content in loaded:
        return (loaded[version.content],)
    return _pieces_later(files, Stored(version.content, version.hash, version.size))


def _pieces_later(files: FileSystem, stored: Stored) -> Iterator[bytes]:
    content, store = files.store.content, files.store
    for start in range(0, stored.size, CHUNK_BYTES):
        with store.lock:
            store.fresh()
            piece = content.read(stored, start, CHUNK_BYTES)
        yield piece


def _batches(steps: Sequence[Step]) -> Iterator[list[Step]]:
    batch: list[Step] = []
    size = 0
    for step in steps:
        batch.append(step)
        size += step.operation.size if _is_loaded(step) else 0
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_ENTRIES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _is_loaded(step: Step) -> bool:
    """Tell whether content is loaded with that of others: small, and surely needed."""
    return step.operation.action in ("file", "symlink") and step.operation.size <= INLINE_BYTES
