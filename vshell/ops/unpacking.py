"""From an archive nobody vouches for into the workspace: names are judged, sizes are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from vshell.errors import NameTooLongError, PermissionDeniedError, TooLargeError
from vshell.fs.bulk import BulkDirectory, BulkMerge
from vshell.fs.content import Stored
from vshell.fs.paths import encode
from vshell.limits import INLINE_BYTES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES
from vshell.ops.packing_members import PackedEntry, PackedKind, damaged
from vshell.ops.transfer_result import Tally

_SHOWN: Final = 200


class Unpacker:
    """Adds the entries of an archive to a merge.

    Args:
        merge: Takes what is found.
        tally: Counts it.
        time_ns: The time of directories that the archive does not have itself.
    """

    def __init__(self, merge: BulkMerge, tally: Tally, *, time_ns: int) -> None:
        self._merge = merge
        self._tally = tally
        self._time_ns = time_ns
        self._directories: dict[str, BulkDirectory] = {"": merge.top}
        self._kinds: dict[str, PackedKind] = {}

    def add(self, entry: PackedEntry | str) -> None:
        """Add one entry; a name alone is that of a device or the like.

        Raises:
            PermissionDeniedError: It is unsafe. `data["entry"]` has its name.
            DecodeError: Its content is not as long as it says.
            TooLargeError: It is larger than a file may be.
            QuotaExceededError: It would not fit.
            NotDirectoryError, IsDirectoryError: Something of another kind is there.
        """
        if isinstance(entry, str):
            raise _unsafe(entry, "it is a device or another special file")
        path = _path(entry.name)
        if entry.kind == "directory":
            self._add_directory(path, entry)
            return
        if not path:
            raise _unsafe(entry.name, "it has no name that a file could have")
        if path in self._kinds or path in self._directories:
            raise _unsafe(entry.name, "its name occurs twice")
        above, _, name = path.rpartition("/")
        directory = self._directory(above, entry.name)
        if entry.kind == "link":
            self._add_link(directory, name, path, entry)
        elif entry.kind == "symlink":
            self._add_symlink(directory, name, path, entry)
        else:
            stored = self._store(entry)
            self._merge.add_file(
                directory, name, stored, mode=entry.mode, mtime_ns=entry.mtime_ns, identity=path
            )
            self._kinds[path] = "file"
            self._tally.add("file", entry.size)

    def _directory(self, path: str, member: str) -> BulkDirectory:
        """Return the directory, made with all above it; nothing is put through a link."""
        missing = []
        while path not in self._directories:
            missing.append(path)
            path = path.rpartition("/")[0]
        for place in reversed(missing):
            kind = self._kinds.get(place)
            if kind is not None:
                raise _unsafe(member, f"the {kind} {place[:_SHOWN]} is on its way")
            above, _, name = place.rpartition("/")
            directory = self._merge.add_directory(self._directories[above], name)
            if directory.is_new:
                self._merge.set_attributes(directory, mode=0o755, mtime_ns=self._time_ns)
            self._directories[place] = directory
            self._tally.add("directory")
        return self._directories[path if not missing else missing[0]]

    def _add_directory(self, path: str, entry: PackedEntry) -> None:
        if path in self._kinds:
            raise _unsafe(entry.name, "its name occurs twice, once as no directory's")
        directory = self._directory(path, entry.name)
        self._merge.set_attributes(directory, mode=entry.mode, mtime_ns=entry.mtime_ns)

    def _add_link(self, directory: BulkDirectory, name: str, path: str, entry: PackedEntry) -> None:
        source = _path(entry.target)
        kind = self._kinds.get(source)
        if kind is None or not self._merge.add_name(directory, name, source):
            raise _unsafe(entry.name, f"no file before it has the name {entry.target[:_SHOWN]}")
        # Later links may name this one.
        self._kinds[path] = kind
        self._tally.add("symlink" if kind == "symlink" else "file")

    def _add_symlink(
        self, directory: BulkDirectory, name: str, path: str, entry: PackedEntry
    ) -> None:
        target = entry.target
        if not target or "\0" in target or len(encode(target)) > MAX_PATH_BYTES:
            raise _unsafe(entry.name, "its target is no path")
        self._merge.add_symlink(directory, name, target, mtime_ns=entry.mtime_ns, identity=path)
        self._kinds[path] = "symlink"
        self._tally.add("symlink")

    def _store(self, entry: PackedEntry) -> Stored:
        if entry.size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"a file in the archive has {entry.size} bytes; {MAX_FILE_BYTES} are allowed",
                data={"entry": entry.name},
            )
        pieces = _exactly(entry.pieces(), entry.size)
        if entry.size <= INLINE_BYTES:
            return self._merge.put(b"".join(pieces))
        self._merge.reserve(entry.size)
        return self._merge.put(pieces)


def _path(name: str) -> str:
    """Return the path below the destination that a name in an archive means; "" for itself.

    Raises:
        PermissionDeniedError: It would lie elsewhere.
        NameTooLongError: It is too long for a workspace.
    """
    if name.startswith("/"):
        raise _unsafe(name, "its name is absolute")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _unsafe(name, "its name has ..")
    if "\0" in name:
        raise _unsafe(name, "its name has a NUL byte")
    path = "/".join(parts)
    try:
        longest = max((len(encode(part)) for part in parts), default=0)
    except UnicodeEncodeError:
        raise _unsafe(name, "its name stands for no bytes") from None
    if longest > MAX_NAME_BYTES or len(encode(path)) > MAX_PATH_BYTES:
        raise NameTooLongError(
            f"a name in the archive is too long: {name[:_SHOWN]}",
            hint=f"a name has at most {MAX_NAME_BYTES} bytes, a path {MAX_PATH_BYTES}",
        )
    return path


def _exactly(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the pieces after making sure that they are as long as the archive says."""
    done = 0
    for piece in pieces:
        done += len(piece)
        if done > size:
            break
        yield piece
    if done != size:
        raise damaged("content in it is not as long as it says")


def _unsafe(name: str, reason: str) -> PermissionDeniedError:
    shown = name[:_SHOWN]
    return PermissionDeniedError(
        f"unsafe archive: {shown!r}: {reason}",
        hint="nothing was imported; look at it with the program that made it",
        data={"entry": name},
    )
