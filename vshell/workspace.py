"""The workspace: opening, forking and closing the file that everything is in."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from vshell.errors import RangeError
from vshell.fs.database import Durability
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike
from vshell.limits import LOCK_TIMEOUT_S
from vshell.ops import fork as fork_
from vshell.ops import merge as merge_
from vshell.ops import read as read_
from vshell.session import Session


class Workspace(Session):
    """An agent's files in one SQLite database.

    Open one with `Workspace.open` or `Workspace.memory`; use it in a `with` statement
    or close it. It may be used from several threads, which take turns, and the file
    from several processes at once.
    """

    def __init__(self, files: FileSystem, *, temporary: str | None = None) -> None:
        super().__init__(files)
        self._temporary = temporary
        self.keeps_containers = temporary is None

    @classmethod
    def open(
        cls,
        path: PathLike,
        *,
        create: bool = True,
        read_only: bool = False,
        durability: Durability = "process",
        quota_bytes: int | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        now: Callable[[], int] = time.time_ns,
    ) -> Self:
        """Open the workspace in a file of the host.

        Args:
            path: The file.
            create: Make it when it is missing, readable by its owner only.
            read_only: Refuse every change.
            durability: `"process"`: a change survives the death of every process;
                `"power"`: also the loss of power, at the cost of a disk flush per change.
            quota_bytes: How many bytes all files together may have, from now on and for
                every process; None leaves what was set before, at first no limit.
            lock_timeout_s: How long a change waits for other writers, in seconds.
            now: Returns nanoseconds since 1970, for every time that is recorded.

        Raises:
            NotFoundError: The file is missing and `create` is false, or its directory is.
            CorruptError: The file is no workspace, or damaged.
            NewerSchemaError: A later release wrote it.
            PermissionDeniedError: The host does not allow access to it.
            RangeError: `quota_bytes` is negative.
        """
        files = FileSystem(
            os.fspath(path),
            create=create,
            read_only=read_only,
            durability=durability,
            lock_timeout_s=lock_timeout_s,
            now=now,
        )
        workspace = cls(files)
        if quota_bytes is not None:
            workspace.set_quota(quota_bytes)
        return workspace

    @classmethod
    def memory(
        cls, *, quota_bytes: int | None = None, now: Callable[[], int] = time.time_ns
    ) -> Self:
        """Open a new workspace that is gone when it is closed.

        It is a private file in shared memory where the host has it, so that worker
        processes can open it too. Arguments and errors as for `open`.
        """
        shared = "/dev/shm"  # noqa: S108 - mkdtemp makes a directory that only its owner enters
        parent = shared if os.access(shared, os.W_OK) else None
        directory = tempfile.mkdtemp(prefix="vshell-", dir=parent)
        files = FileSystem(str(Path(directory, "memory.db")), now=now)
        workspace = cls(files, temporary=directory)
        workspace.set_quota(quota_bytes)
        return workspace

    def session(
        self,
        name: str,
        *,
        cwd: PathLike = "/",
        environment: Mapping[str, str] | None = None,
        require_read: bool = False,
    ) -> Session:
        """Return another handle on the same files.

        Args:
            name: Stands in the journal beside every change that it makes.
            cwd: What its relative paths are relative to.
            environment: Variables for its shell and scripts.
            require_read: Refuse to replace what a file holds when it has not read it as it
                is now.

        Raises:
            InvalidPathError: `cwd` is no path.
        """
        made = Session(
            self.files,
            name=name,
            cwd=self.resolve(cwd),
            environment=environment,
            require_read=require_read,
        )
        made.keeps_containers = self.keeps_containers
        return made

    def fork(self, dest: PathLike, *, at: read_.Moment | None = None) -> Workspace:
        """Copy the workspace to a new file of the host, and open the copy.

        The two are independent from then on; `merge_into` on the copy brings its changes
        back.

        Args:
            dest: The new file.
            at: The snapshot or revision to copy; None is now.

        Raises:
            ExistsError: The file exists.
            NotFoundError: Its directory does not, or there is no such moment.
        """
        path = os.fspath(dest)
        fork_.fork_to(self, path, at=at)
        return Workspace.open(path, create=False)

    merge_into = merge_.merge_into

    def set_quota(self, quota_bytes: int | None) -> None:
        """Limit how many bytes all files together may have; None for no limit.

        What is there already stays, even when it is more.

        Raises:
            RangeError: The limit is negative.
        """
        if quota_bytes is not None and quota_bytes < 0:
            raise RangeError(f"quota_bytes must not be negative, as {quota_bytes} is")
        with self.changing("quota"):
            self.files.set_quota(quota_bytes)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.files.closed

    def close(self) -> None:
        """Close the workspace; closing twice is harmless, any other use is a `ClosedError`."""
        self.files.close()
        if self._temporary is not None:
            import shutil

            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
