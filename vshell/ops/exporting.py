"""From the workspace to a tree of the host: look at everything first, then write."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vshell.errors import (
    CorruptError,
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    PermissionDeniedError,
    VshellError,
)
from vshell.fs.bulk import content_pieces
from vshell.fs.paths import decode
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.fs.transaction import Store
from vshell.host import HostEntry, HostKind, HostTree, Identity, identity, reason, translated
from vshell.ops.transfer_result import Tally

_ALL_BITS: Final = 0o7777
_SAFE_BITS: Final = 0o777

# What a host says that has no such names, or no symbolic links: the entry is skipped.
_NO_SUCH_NAME: Final = (errno.EILSEQ, errno.EINVAL, errno.ENAMETOOLONG)
_NO_SUCH_LINK: Final = (*_NO_SUCH_NAME, errno.ENOENT, errno.EPERM, errno.ENOTSUP)
# Or no hard links, or no more of them: the file is written again.
_NO_HARD_LINK: Final = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


class ExportItem(NamedTuple):
    """An entry of the workspace and where it goes; `path` and `parent` are below the target."""

    path: str
    parent: str
    name: str
    entry: EntryDetails


class _Written(NamedTuple):
    """The first name of a file that has several."""

    parent: str
    name: str
    identity: Identity


class Exporter:
    """Writes entries into a tree of the host.

    Args:
        store: The open workspace, which shows one state until the export is over.
        tree: The tree of the host, at its top.
        items: The entries, parents before what is in them.
        tally: Counts what is done.
        open_files: The files of open workspaces, which stay what they are.
        overwrite: Replace files and links.
        delete: Remove what is not among the items, and what is of another kind.
        special_bits: Set the setuid, setgid and sticky bits too.
    """

    def __init__(
        self,
        store: Store,
        tree: HostTree,
        items: list[ExportItem],
        tally: Tally,
        *,
        open_files: frozenset[Identity],
        overwrite: bool,
        delete: bool,
        special_bits: bool,
    ) -> None:
        self._store = store
        self._tree = tree
        self._items = items
        self._tally = tally
        self._open_files = open_files
        self._open_inodes = {inode for _, inode in open_files}
        self._overwrite = overwrite
        self._delete = delete
        self._mode_bits = _ALL_BITS if special_bits else _SAFE_BITS
        self._names = Counter(item.entry.inode for item in items if item.entry.kind != DIRECTORY)
        self._written: dict[int, _Written] = {}
        self._present: dict[str, HostKind] = {}
        self._extra: list[tuple[str, str]] = []
        self._skipped_directories: set[str] = set()
        self._sources = tree.duplicate()

    def run(self) -> None:
        """Write everything, and then the times and modes of directories.

        Raises:
            ExistsError, IsDirectoryError, NotDirectoryError: Something stands in the way.
            PermissionDeniedError, UnavailableError: The host does not allow it.
        """
        with self._sources:
            self._survey()
            self._tree.go("")
            for item in self._items:
                self._write(item)
            for parent, name in self._extra:
                self._remove(parent, name)
            for item in reversed(self._items):
                if item.entry.kind == DIRECTORY and item.path not in self._skipped_directories:
                    self._finish_directory(item)

    def finish_top(self, mode: int | None, mtime_ns: int) -> None:
        """Set the attributes of the tree's top; None leaves its mode."""
        self._tree.go("")
        self._tree.set_attributes(
            mode=None if mode is None else mode & self._mode_bits, mtime_ns=mtime_ns
        )

    # Looking.

    def _survey(self) -> None:
        """Find out what is there already, and refuse what stands in the way."""
        children: dict[str, list[ExportItem]] = {"": []}
        for item in self._items:
            children.setdefault(item.parent, []).append(item)
        self._survey_directory("", children[""])
        for item in self._items:
            if item.entry.kind == DIRECTORY and self._present.get(item.path) == "directory":
                self._survey_directory(item.path, children.get(item.path, []))

    def _survey_directory(self, path: str, items: list[ExportItem]) -> None:
        try:
            self._look_into(path)
            found = {entry.name: entry for entry in self._tree.entries()}
        except OSError as error:
            raise _refused(error, path) from None
        for item in items:
            entry = found.pop(item.name, None)
            if entry is not None:
                self._check(item, entry)
                self._present[item.path] = entry.kind
        if self._delete:
            self._extra += [(path, name) for name in found]

    def _look_into(self, path: str) -> None:
        try:
            self._tree.go(path)
        except PermissionError:
            self._tree.go(path, writable=True)

    def _check(self, item: ExportItem, found: HostEntry) -> None:
        self._protect(item, found)
        if item.entry.kind == DIRECTORY:
            if found.kind != "directory" and not self._delete:
                what = "a link" if found.kind == "symlink" else "a file"
                raise NotDirectoryError(
                    f"{what} of the target stands where a directory goes: {item.path}",
                    path=item.entry.path,
                    hint="remove it, or use delete=True",
                )
        elif found.kind == "directory" or self._is_way(item, found):
            if not self._delete:
                raise IsDirectoryError(
                    f"a directory of the target stands where a file goes: {item.path}",
                    path=item.entry.path,
                    hint="remove it, or use delete=True",
                )
        elif not self._overwrite:
            raise ExistsError(
                f"file exists: {item.path}", path=item.entry.path, hint="use overwrite=True"
            )

    def _is_way(self, item: ExportItem, found: HostEntry) -> bool:
        """Tell whether a link that a file would replace is the way to a directory.

        Such a link, `/bin` for example, is what others reach that directory by.
        """
        return (
            item.entry.kind != SYMLINK
            and found.kind == "symlink"
            and self._tree.leads_to_directory(item.name)
        )

    def _protect(self, item: ExportItem, found: HostEntry) -> None:
        if found.inode not in self._open_inodes:
            return
        if identity(self._tree.status(item.name)) in self._open_files:
            raise PermissionDeniedError(
                f"the file belongs to a workspace that is open: {item.path}",
                path=item.entry.path,
                hint="export to another directory",
            )

    # Writing.

    def _write(self, item: ExportItem) -> None:
        kind = item.entry.kind
        if item.parent in self._skipped_directories:
            self._skip(item, "its directory was skipped")
            return
        try:
            self._tree.go(item.parent, writable=True)
            self._make(item)
        except OSError as error:
            if isinstance(error, VshellError):
                raise
            acceptable = _NO_SUCH_LINK if kind == SYMLINK else _NO_SUCH_NAME
            if error.errno not in acceptable:
                raise _refused(error, item.path, item.entry.path) from None
            self._skip(item, reason(error))

    def _skip(self, item: ExportItem, why: str) -> None:
        if item.entry.kind == DIRECTORY:
            self._skipped_directories.add(item.path)
        self._tally.skip(item.path, why)

    def _make(self, item: ExportItem) -> None:
        is_directory = item.entry.kind == DIRECTORY
        present = self._present.get(item.path)
        if present is not None and is_directory != (present == "directory"):
            self._make_way(item)
            present = None
        if is_directory:
            if present is None:
                self._tree.make_directory(item.name)
            self._tally.add("directory")
        elif item.entry.inode not in self._written or not self._link(item, present is not None):
            self._make_file(item, present is not None)

    def _make_way(self, item: ExportItem) -> None:
        removed, gone = self._tree.remove(item.name, spared=self._open_files)
        self._tally.removed += removed
        if not gone:
            raise PermissionDeniedError(
                f"a workspace that is open is in the directory: {item.path}",
                path=item.entry.path,
                hint="export to another directory",
            )

    def _make_file(self, item: ExportItem, replace: bool) -> None:
        entry = item.entry
        if entry.kind == SYMLINK:
            target = decode(b"".join(content_pieces(self._store, entry)))
            made = self._tree.make_symlink(
                item.name, target, mtime_ns=entry.mtime_ns, replace=replace
            )
        else:
            made = self._tree.make_file(
                item.name,
                self._pieces(entry),
                mode=entry.mode & self._mode_bits,
                mtime_ns=entry.mtime_ns,
                replace=replace,
            )
        if self._names[entry.inode] > 1:
            self._written[entry.inode] = _Written(item.parent, item.name, made)
        if entry.kind == SYMLINK:
            self._tally.add("symlink")
        else:
            self._tally.add("file", entry.size)

    def _pieces(self, entry: EntryDetails) -> Iterator[bytes]:
        done = 0
        for piece in content_pieces(self._store, entry):
            yield piece
            done += len(piece)
            if done < entry.size:
                self._tally.tell(done)

    def _link(self, item: ExportItem, replace: bool) -> bool:
        first = self._written[item.entry.inode]
        try:
            self._sources.go(first.parent)
            self._tree.make_link(
                item.name, self._sources, first.name, first.identity, replace=replace
            )
        except OSError as error:
            if error.errno in _NO_HARD_LINK:
                return False
            raise
        self._tally.add("symlink" if item.entry.kind == SYMLINK else "file")
        return True

    # Afterwards.

    def _remove(self, parent: str, name: str) -> None:
        path = f"{parent}/{name}" if parent else name
        try:
            self._tree.go(parent, writable=True)
            removed, gone = self._tree.remove(name, spared=self._open_files)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refused(error, path) from None
        self._tally.removed += removed
        if not gone:
            self._tally.skip(path, "not removed: a workspace that is open is there")

    def _finish_directory(self, item: ExportItem) -> None:
        try:
            self._tree.go(item.path, writable=True)
            self._tree.set_attributes(
                mode=item.entry.mode & self._mode_bits, mtime_ns=item.entry.mtime_ns
            )
        except OSError as error:
            raise _refused(error, item.path, item.entry.path) from None


def export_items(entries: Iterable[EntryDetails], top: str) -> list[ExportItem]:
    """Return what a directory's entries become, each directory right before what is in it.

    Args:
        entries: All that is below the directory, in any order.
        top: The directory's path.

    Raises:
        CorruptError: A name is none, as only a damaged or hostile workspace has it.
    """
    start = 1 if top == "/" else len(top) + 1
    items = []
    for entry in entries:
        path = entry.path[start:]
        parent, _, name = path.rpartition("/")
        items.append(ExportItem(path, parent, name, entry))
    items.sort(key=lambda item: item.path.replace("/", "\0"))
    directories = {item.path for item in items if item.entry.kind == DIRECTORY} | {""}
    for item in items:
        if item.parent not in directories or item.name in ("", ".", "..") or "\0" in item.path:
            raise CorruptError(
                f"the workspace has an entry with an impossible name: {item.path!r}",
                hint="`vshell check` says what is wrong with it",
            )
    return items


def _refused(error: OSError, path: str, workspace_path: str | None = None) -> VshellError:
    return translated(error, path or "the target", path=workspace_path)
