"""The handles that people import: `Workspace`, its sessions, and `Workspaces`."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vshell.errors import RangeError
from vshell.fs import lineage
from vshell.fs.database import Durability
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike
from vshell.fs.transaction import Transaction
from vshell.limits import LOCK_TIMEOUT_S
from vshell.ops import apply as apply_
from vshell.ops import detect as detect_
from vshell.ops import diff as diff_
from vshell.ops import edit as edit_
from vshell.ops import entries, metadata, moments, packing, transfer, upkeep
from vshell.ops import find as find_
from vshell.ops import git as git_
from vshell.ops import glob as glob_
from vshell.ops import grep as grep_
from vshell.ops import ls as list_
from vshell.ops import merge as merge_
from vshell.ops import patch as patch_
from vshell.ops import read as read_
from vshell.ops import tree as tree_
from vshell.ops import write as write_
from vshell.ops.context import Context

if TYPE_CHECKING:
    from vshell.ops.state import State
    from vshell.script.result import ScriptResult
    from vshell.shell.limits import ShellLimits
    from vshell.shell.rules import Rules
    from vshell.shell.shell import Ask, Shell
    from vshell.tools.profile import Profile


class Session(Context):
    """Every operation, from one working directory and under one name.

    `Workspace.session` makes one. Its name stands in the journal beside each of its
    changes; its files are the workspace's.
    """

    # The operations are functions whose first parameter is the context, so that a
    # session has them as methods, with their signatures and documentation.
    read = read_.read
    read_bytes = read_.read_bytes
    read_text = read_.read_text
    write = write_.write
    append = write_.append
    edit = edit_.edit
    glob = glob_.glob
    grep = grep_.grep
    diff = diff_.diff
    diff_text = diff_.diff_text
    patch = patch_.patch
    ls = list_.ls
    find = find_.find
    tree = tree_.tree
    stat = metadata.stat
    lstat = metadata.lstat
    exists = metadata.exists
    readlink = metadata.readlink
    realpath = metadata.realpath
    chmod = metadata.chmod
    utime = metadata.utime
    truncate = metadata.truncate
    hash = metadata.hash
    detect = detect_.detect
    mkdir = entries.mkdir
    rm = entries.rm
    mv = entries.mv
    cp = entries.cp
    link = entries.link
    symlink = entries.symlink
    apply = apply_.apply
    changes = upkeep.changes
    history = upkeep.history
    check = upkeep.check
    usage = upkeep.usage
    gc = upkeep.gc
    keep_history = upkeep.keep_history
    vacuum = upkeep.vacuum
    index = upkeep.index
    watch = upkeep.watch
    snapshot = moments.snapshot
    snapshots = moments.snapshots
    delete_snapshot = moments.delete_snapshot
    restore = moments.restore
    undo = moments.undo
    redo = moments.redo
    compare = moments.compare
    import_directory = transfer.import_directory
    export_directory = transfer.export_directory
    import_git = git_.import_git
    export_git = git_.export_git
    import_archive = packing.import_archive
    export_archive = packing.export_archive
    backup = packing.backup

    def transaction(self) -> Transaction:
        """Return a context manager: what is done inside happens at once, or not at all.

        An exception that leaves it undoes everything inside. One inside another can
        be undone alone. Other threads and writers wait until the outermost one ends.

        Raises:
            OperationTimeoutError: Other writers did not give way in time.
            ReadOnlyError: The workspace was opened read-only.
        """
        return self.changing("")

    @property
    def state(self) -> State:
        """The scripting methods: what sandboxed scripts see of the files."""
        from vshell.ops.state import State

        return State(self)

    def shell(
        self,
        session: str | None = None,
        *,
        rules: Rules | Mapping[str, Any] | None = None,
        ask: Ask | None = None,
        limits: ShellLimits | Mapping[str, Any] | None = None,
        spool: PathLike | None = None,
    ) -> Shell:
        """Return a shell: bash lines over the files, from this working directory.

        Args:
            session: A name under which it lasts: directory, variables, functions and
                history are in the workspace, for whoever asks for it next. None is a
                shell that is forgotten.
            rules: What it may run, read and write: a `Rules`, or its fields by name.
            ask: Answers what the rules say to ask about; None says no to all of it.
            limits: What each run may use: a `ShellLimits`, or its fields by name.
            spool: A file of the workspace that gets all output of a run that printed more
                than the result keeps.

        Raises:
            RangeError: A limit or a rule is unknown or wrong.
            BadPatternError: A path pattern of a rule is malformed.
        """
        from vshell.shell.opening import open_shell

        return open_shell(self, session, rules=rules, ask=ask, limits=limits, spool=spool)

    def run(self, source: str, **options: Any) -> ScriptResult:
        """Run a script in a fresh sandbox; see `vshell.script.run.run` for the options."""
        from vshell.script.run import run

        return run(self, source, **options)

    def tools(self, profile: str = "computer", **options: Any) -> Profile:
        """Return the operations as tools for a model, in the words of one harness.

        Args:
            profile: The harness' dialect; `vshell.tools.PROFILES` has their names.
            options: What the profile can be given, by name.

        Raises:
            UnavailableError: There is no such profile.
        """
        # The tools stand above this module: it must work without them.
        made: Profile = importlib.import_module("vshell.tools").make_profile(
            self, profile, **options
        )
        return made


class Workspace(Session):
    """An agent's files in one SQLite database.

    Open one with `Workspace.open` or `Workspace.memory`; use it in a `with` statement
    or close it. It may be used from several threads, which take turns, and the file
    from several processes at once.
    """

    def __init__(self, files: FileSystem, *, temporary: str | None = None) -> None:
        super().__init__(files)
        self._temporary = temporary

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
            require_read: Refuse to change a file that it has not read as it is now.

        Raises:
            InvalidPathError: `cwd` is no path.
        """
        return Session(
            self.files,
            name=name,
            cwd=self.resolve(cwd),
            environment=environment,
            require_read=require_read,
        )

    def fork(self, destination: PathLike, *, at: read_.Moment | None = None) -> Workspace:
        """Copy the workspace to a new file of the host, and open the copy.

        The two are independent from then on; `merge_into` on the copy brings its changes
        back.

        Args:
            destination: The new file.
            at: The snapshot or revision to copy; None is now.

        Raises:
            ExistsError: The file exists.
            NotFoundError: Its directory does not, or there is no such moment.
        """
        path = os.fspath(destination)
        if at is not None:
            self.compare(at)  # a moment that does not exist must leave no file
        lineage.ensure_workspace_id(self.files, os.urandom(16).hex())
        self.files.copy_database(path)
        copy = Workspace.open(path, create=False)
        origin = lineage.common_point(copy.files)
        if at is not None:
            copy.restore(at)
        with copy.changing("fork"):
            lineage.record_fork(copy.files, os.urandom(16).hex(), origin)
        return copy

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
