"""Contents of one file from both sides: merged, and shown with what clashes marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.fs.content import hash_pieces
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Version
from vshell.limits import MAX_TEXT_BYTES
from vshell.sync.gathering import Gathered
from vshell.sync.planner import Sides, State
from vshell.sync.target import FILE, Target
from vshell.text.merge import Labels, merge_lines

__all__ = ["Contents", "Merger", "is_text", "marked"]

_LABELS: Final = Labels("workspace", "base", "mirror")


class Contents:
    """Reads what both sides have; what is not in the store is read from the mirror.

    Args:
        files: The workspace.
        target: The mirror, locked.
        gathered: What is known of both.
    """

    def __init__(self, files: FileSystem, target: Target, gathered: Gathered) -> None:
        self._files = files
        self._target = target
        self._gathered = gathered

    def base(self, path: str) -> bytes:
        """Return what was agreed on."""
        return self._stored(self._gathered.agreed[path].version)

    def workspace(self, path: str) -> bytes:
        """Return what the workspace has."""
        return self._stored(self._gathered.workspace[path])

    def mirror(self, path: str) -> bytes | None:
        """Return what the mirror has; None when it changed since it was looked at."""
        version = self._gathered.mirror[path]
        if version.content is not None or not version.size:
            return self._stored(version)
        (fetched,) = self._target.fetch([self._gathered.entries[path]], _joined)
        data = fetched.content
        if data is None or hash_pieces([data]) != (version.hash, version.size):
            return None
        return data

    def _stored(self, version: Version) -> bytes:
        return self._files.content(version.content)


class Merger:
    """Merges text that both sides changed; what is no text, or clashes, is not merged.

    Args:
        files: The workspace.
        gathered: What is known; the merged content is added to it.
        target: The mirror.
        stores: Store the result, inside the open transaction.
    """

    def __init__(
        self, files: FileSystem, gathered: Gathered, target: Target, *, stores: bool
    ) -> None:
        self._files = files
        self._gathered = gathered
        self._contents = Contents(files, target, gathered)
        self._stores = stores

    def __call__(self, path: str, sides: Sides) -> State | None:
        """Return the merged state of a file; see `planner.Merge`."""
        base, workspace, mirror = sides
        agreed = self._gathered.agreed.get(path)
        if base is None or agreed is None or base.kind != FILE or base.hash != agreed.version.hash:
            return None
        assert workspace is not None
        assert mirror is not None
        versions = (agreed.version, self._gathered.workspace[path], self._gathered.mirror[path])
        if any(version.size > MAX_TEXT_BYTES for version in versions):
            return None
        data = self._merged(path)
        if data is None:
            return None
        mtime_ns = max(workspace.mtime_ns, mirror.mtime_ns)
        version = self._version(data, workspace.mode, mtime_ns)
        self._gathered.merged[path] = version
        return State(FILE, version.hash, workspace.mode, mtime_ns)

    def _merged(self, path: str) -> bytes | None:
        readers: tuple[Callable[[str], bytes | None], ...] = (
            self._contents.base,
            self._contents.workspace,
            self._contents.mirror,
        )
        texts = [read(path) for read in readers]
        base, workspace, mirror = texts
        if base is None or workspace is None or mirror is None:
            return None
        if not all(is_text(text) for text in (base, workspace, mirror)):
            return None
        merged = merge_lines(base, workspace, mirror)
        return None if merged.conflicts else merged.data

    def _version(self, data: bytes, mode: int, mtime_ns: int) -> Version:
        if self._stores:
            stored = self._files.store.content.put(data)
            return Version(FILE, mode, mtime_ns, stored.id, stored.hash, stored.size)
        digest, size = hash_pieces([data])
        return Version(FILE, mode, mtime_ns, None, digest, size)


def marked(base: bytes, workspace: bytes, mirror: bytes) -> bytes:
    """Return a text in which what both sides changed stands side by side, with what was there."""
    return merge_lines(base, workspace, mirror, labels=_LABELS, style="diff3").data


def is_text(data: bytes) -> bool:
    """Tell whether lines mean anything in this content."""
    return b"\0" not in data


def _joined(pieces: object) -> bytes:
    return b"".join(pieces)  # type: ignore[arg-type]
