"""Files of a workspace as Pydantic AI's backends have them: by the paths that commands see.

In a container the workspace is at `/workspace`, and links lead where they lead there. So
paths are followed here, link by link, and what is left is a path of the workspace.
"""

from __future__ import annotations

from collections import deque

from vshell.errors import (
    ExistsError,
    InvalidPathError,
    NotDirectoryError,
    NotFoundError,
    SymlinkLoopError,
)
from vshell.fs.paths import is_below, join, lexical, split
from vshell.limits import MAX_SYMLINKS
from vshell.ops.context import Context
from vshell.ops.entries import mkdir, rm
from vshell.ops.write import write
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.executors import from_workspace, to_workspace
from vshell.tools.file_modes import OWNER_READS, OWNER_WRITES, require_mode

with needs_extra("pydantic-ai"):
    from pydantic_ai.workspaces import FileEntry


class BackendFiles:
    """The files of a workspace.

    Every method raises `InvalidPathError` for a path that leads out of the workspace; see
    `is_outside`.

    Args:
        context: A session, whose directory is the working directory.
        root: Where commands see the root of the workspace.
    """

    def __init__(self, context: Context, root: str) -> None:
        self._context = context
        self._files = context.files
        self._root = root

    @property
    def working_dir(self) -> str:
        """The directory that commands start in, without links."""
        return self.realpath(".")

    def is_outside(self, path: str) -> bool:
        """Whether a path leads to where no files of the workspace are."""
        return not is_below(self.realpath(path), self._root)

    def read_bytes(self, path: str) -> bytes:
        """Return the bytes of a file."""
        where = self._inside(path)
        require_mode(self._files, where, OWNER_READS, told=path)
        return self._files.read_with_stat(where)[0]

    def write_bytes(self, path: str, data: bytes) -> None:
        """Give a file this content; its parents are made."""
        where = self._inside(path)
        require_mode(self._files, where, OWNER_WRITES, told=path)
        write(self._context, where, data)

    def stat(self, path: str) -> FileEntry:
        """Return what is known of what a path leads to."""
        return self._entry(lexical(self._absolute(path)))

    def list_dir(self, path: str) -> list[FileEntry]:
        """Return the entries of a directory."""
        place = self._absolute(path)
        with self._files.reading():
            names = self._files.names(self._inside(path))
            return [self._listed(join(place, name)) for name in names]

    def make_dir(self, path: str) -> None:
        """Make a directory and its parents."""
        where = self._inside(path)
        try:
            mkdir(self._context, where, parents=True, exist_ok=True)
        except ExistsError:
            if self._files.exists(where):
                raise
            raise NotDirectoryError(f"not a directory: {path}", path=path) from None

    def remove(self, path: str) -> None:
        """Remove a file, a link, or a directory with all that is in it.

        Raises:
            ValueError: It is the working directory, or holds it.
        """
        parent, name = split(lexical(self._absolute(path)))
        where = join(self.realpath(parent), name) if name else "/"
        if is_below(self.working_dir, where):
            raise ValueError(f"the working directory is in it: {path}")
        rm(self._context, to_workspace(self._root, where), recursive=True)

    def exists(self, path: str) -> bool:
        """Whether a path leads to anything."""
        try:
            return self._files.exists(self._inside(path))
        except SymlinkLoopError:
            return False

    def realpath(self, path: str) -> str:
        """Return a path without links, as `os.path.realpath` does; not all of it need exist.

        Raises:
            SymlinkLoopError: Links lead round in a circle.
        """
        pending = deque(self._absolute(path).split("/"))
        real = "/"
        followed = 0
        while pending:
            part = pending.popleft()
            if part in ("", "."):
                continue
            if part == "..":
                real = split(real)[0]
                continue
            candidate = join(real, part)
            target = self._target(candidate)
            if target is None:
                real = candidate
                continue
            followed += 1
            if followed > MAX_SYMLINKS:
                raise SymlinkLoopError(f"too many links: {path}", path=path)
            pending.extendleft(reversed(target.split("/")))
            real = "/" if target.startswith("/") else real
        return real

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else join(self._here, path)

    @property
    def _here(self) -> str:
        return from_workspace(self._root, self._context.cwd)

    def _inside(self, path: str) -> str:
        return to_workspace(self._root, self.realpath(path))

    def _target(self, path: str) -> str | None:
        """Return what a link says, if that is what a path names."""
        try:
            where = to_workspace(self._root, path)
        except InvalidPathError:
            return None
        if not self._files.exists(where, follow=False):
            return None
        is_link = self._files.stat(where, follow=False).kind == "symlink"
        return self._files.readlink(where) if is_link else None

    def _entry(self, path: str) -> FileEntry:
        found = self._files.stat(self._inside(path))
        is_directory = found.kind == "directory"
        return FileEntry(
            name=split(path)[1],
            path=path,
            is_dir=is_directory,
            size=None if is_directory else found.size,
        )

    def _listed(self, path: str) -> FileEntry:
        try:
            return self._entry(path)
        except (NotFoundError, NotDirectoryError, SymlinkLoopError, InvalidPathError):
            # A link that leads nowhere, or out of the workspace.
            return FileEntry(name=split(path)[1], path=path, is_dir=False, size=None)
