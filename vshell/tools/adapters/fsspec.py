"""fsspec: `vshell://` paths, for pandas, duckdb, pyarrow, universal_pathlib and the like.

    fsspec.filesystem("vshell", workspace="agent.db")
    pandas.read_csv("vshell:///data.csv", storage_options={"workspace": "agent.db"})

A file that is written is there, whole, when it is closed, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from stat import S_IFDIR, S_IFREG
from typing import Any, ClassVar

from vshell.errors import ExistsError, IsDirectoryError, NotFoundError, RangeError
from vshell.fs.paths import PathLike, lexical, split
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.ops.context import Context
from vshell.ops.entries import cp, mkdir, mv, rm
from vshell.ops.write import append, write
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.session import ToolSession

with needs_extra("fsspec"):
    from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

__all__ = ["VshellFile", "VshellFileSystem"]


class VshellFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The files of a workspace, as fsspec has files.

    Args:
        workspace: A `Workspace` or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        read_only: Refuse changes.

    Raises:
        RangeError: No workspace is given.
        NotFoundError: The file does not exist and `read_only` is true.
    """

    protocol: ClassVar[str] = "vshell"
    root_marker: ClassVar[str] = "/"
    # Two file systems on one object are two: an object has no name to know it by.
    cachable: ClassVar[bool] = False

    def __init__(
        self,
        workspace: Context | PathLike | None = None,
        *,
        session: str = "fsspec",
        read_only: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if workspace is None:
            raise RangeError(
                "no workspace is given",
                hint='pass workspace="agent.db", with pandas in storage_options',
            )
        if not isinstance(workspace, Context):
            workspace = _open(workspace, session, read_only=read_only)
        self._context = ToolSession(workspace, refuse_changes=read_only)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        text = os.fspath(path).removeprefix("vshell://").removeprefix("vshell:")
        if not text.startswith("/"):
            text = f"/{text}"
        return text.rstrip("/") or "/"

    def unstrip_protocol(self, name: str) -> str:
        """Return a path with `vshell://` before it."""
        return f"vshell://{self._strip_protocol(name)}"

    def _where(self, path: Any) -> str:
        return self._context.resolve(self._strip_protocol(path))

    # Looking.

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return what is known of a path; a link is followed."""
        where = self._where(path)
        found = self._context.files.stat(where)
        return {
            "name": lexical(where),
            "size": found.size if found.kind == "file" else 0,
            "type": "directory" if found.kind == "directory" else "file",
            "mtime": found.mtime_ns / 1e9,
            "mode": found.mode | (S_IFDIR if found.kind == "directory" else S_IFREG),
            "hash": found.hash,
        }

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """List a directory; a file is listed as itself."""
        where = self._where(path)
        if self._context.files.stat(where).kind != "directory":
            found = [self.info(where)]
        else:
            entries, _total = self._context.files.list_directory(where)
            found = [self._listed(where, entry) for entry in entries]
        return found if detail else [each["name"] for each in found]

    def _listed(self, directory: str, entry: EntryDetails) -> dict[str, Any]:
        name = f"{lexical(directory).rstrip('/')}/{split(entry.path)[1]}"
        listed = {
            "name": name,
            "size": entry.size if entry.kind != DIRECTORY else 0,
            "type": "directory" if entry.kind == DIRECTORY else "file",
            "mtime": entry.mtime_ns / 1e9,
            "mode": entry.mode | (S_IFDIR if entry.kind == DIRECTORY else S_IFREG),
        }
        if entry.kind == SYMLINK:
            listed["islink"] = True
            if self._context.files.exists(name):
                listed |= self.info(name) | {"name": name}
        return listed

    def exists(self, path: str, **_: Any) -> bool:
        """Whether a path leads to anything."""
        return self._context.files.exists(self._where(path))

    def created(self, path: str) -> datetime:
        """Return when the metadata of a file last changed: when it was made is not kept."""
        found = self._context.files.stat(self._where(path))
        return datetime.fromtimestamp(found.ctime_ns / 1e9, UTC)

    def modified(self, path: str) -> datetime:
        """Return when the content of a file last changed."""
        found = self._context.files.stat(self._where(path))
        return datetime.fromtimestamp(found.mtime_ns / 1e9, UTC)

    def checksum(self, path: str) -> int:
        """Return a number that is different when the content is."""
        found = self._context.files.stat(self._where(path))
        return int((found.hash or "0")[:15], 16)

    # Reading and writing.

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        """Return the bytes of a file, or some of them; negative positions count from the end."""
        where = self._where(path)
        if start is None and end is None:
            return self._context.files.read_with_stat(where)[0]
        size = self._context.files.stat(where).size
        first, last, _step = slice(start, end).indices(size)
        return self._context.files.read(where, first, max(0, last - first))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        """Give a file this content; with the mode `"create"` it must be new."""
        write(self._context, self._where(path), value, exist_ok=mode != "create")

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> VshellFile:
        where = self._where(path)
        if mode != "rb":
            self._check_writable(where, mode)
        return VshellFile(
            self,
            where,
            mode=mode,
            block_size=block_size or "default",
            autocommit=autocommit,
            cache_options=cache_options,
            **options,
        )

    def _check_writable(self, where: str, mode: str) -> None:
        """Say now what would come out only when the file is closed."""
        if not self._context.files.exists(where):
            return
        if self._context.files.stat(where).kind == "directory":
            raise IsDirectoryError(f"is a directory: {where}", path=where)
        if "x" in mode:
            raise ExistsError(f"file exists: {where}", path=where)

    def touch(self, path: str, truncate: bool = True, **_: Any) -> None:
        """Make an empty file; one that is there is emptied, unless `truncate` is false."""
        where = self._where(path)
        if truncate or not self._context.files.exists(where):
            write(self._context, where, b"")
        else:
            append(self._context, where, b"")

    # Changing.

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Make a directory, which must be new."""
        mkdir(self._context, self._where(path), parents=create_parents)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents."""
        mkdir(self._context, self._where(path), parents=True, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        with self._context.changing("rmdir"):
            self._context.files.rmdir(self._where(path))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        with self._context.changing("rm"):
            self._context.files.unlink(self._where(path))

    _rm = rm_file

    def rm(
        self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None
    ) -> None:
        """Remove files, with `recursive` directories too: all of them, or none."""
        if maxdepth is not None:
            super().rm(path, recursive=recursive, maxdepth=maxdepth)
            return
        with self._context.changing("rm"):
            for each in self.expand_path(path, recursive=False):
                rm(self._context, self._where(each), recursive=recursive)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        """Copy a file, or make a directory where one is to be copied; no content is copied."""
        source, target = self._where(path1), self._where(path2)
        if self._context.files.stat(source).kind == "directory":
            mkdir(self._context, target, parents=True, exist_ok=True)
        else:
            cp(self._context, source, target, parents=True)

    def mv(
        self,
        path1: str,
        path2: str,
        recursive: bool = False,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Move a file or directory, in one step."""
        if not isinstance(path1, str) or not isinstance(path2, str) or self._has_magic(path1):
            super().mv(path1, path2, recursive=recursive, maxdepth=maxdepth, **options)
            return
        source, target = self._where(path1), self._where(path2)
        if path2.endswith("/") or self.isdir(target):
            target = f"{target.rstrip('/')}/{split(source)[1]}"
        mv(self._context, source, target)

    @staticmethod
    def _has_magic(path: str) -> bool:
        return any(character in path for character in "*?[")

    # What `VshellFile` needs.

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to before `end`."""
        return self._context.files.read(path, start, max(0, end - start))

    def write_whole(self, path: str, parts: Iterable[bytes], *, mode: str) -> None:
        """Write what a file was given, as its mode says."""
        data = b"".join(parts)
        if "a" in mode:
            append(self._context, path, data)
        else:
            write(self._context, path, data, exist_ok="x" not in mode)


class VshellFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file that is open; what is written is stored when it is closed."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return bytes(self.fs.read_range(self.path, start, end))

    def _initiate_upload(self) -> None:
        self._parts: list[bytes] = []

    def _upload_chunk(self, final: bool = False) -> bool:
        self.buffer.seek(0)
        self._parts.append(self.buffer.read())
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        """Store what was written."""
        self.fs.write_whole(self.path, self._parts, mode=self.mode)

    def discard(self) -> None:
        """Forget what was written."""
        self._parts = []


def _open(path: PathLike, session: str, *, read_only: bool) -> Context:
    from vshell.workspace import Workspace

    try:
        opened = Workspace.open(path, read_only=read_only, create=not read_only)
    except NotFoundError as error:
        error.hint = "the workspace must exist when it is only read"
        raise
    return opened.session(session)
