"""Who asks: the files, a working directory, a name for the journal, and what was read.

Every operation takes a `Context` first. A `Workspace` and its sessions are contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vshell.errors import NotReadError, StaleError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike, absolute, is_below
from vshell.fs.transaction import Transaction

Versions = int | Mapping[PathLike, int]
"""What somebody expects: one version, or one for each path; 0 where nothing may be."""


class Context:
    """A place to work from.

    Args:
        files: The files of the workspace.
        name: Stands in the journal beside every change; may be empty.
        cwd: What relative paths are relative to.
        environment: Variables for the shell and scripts.
        require_read: Refuse to replace what a file holds when this context has not read it
            as it is now.
    """

    def __init__(
        self,
        files: FileSystem,
        *,
        name: str = "",
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
        require_read: bool = False,
    ) -> None:
        self.files = files
        self._known_paths = files.known_paths
        self.name = name
        self.cwd = cwd
        self.environment = dict(environment or {})
        self.require_read = require_read
        self._read_hashes: dict[str, str | None] = {}

    def on(self, files: FileSystem) -> Context:
        """Return a context like this one on other files, with its own account of what was read."""
        other = Context(
            files,
            name=self.name,
            cwd=self.cwd,
            environment=self.environment,
            require_read=self.require_read,
        )
        other._read_hashes = dict(self._read_hashes)
        return other

    def adopt_reads(self, other: Context) -> None:
        """Take over what another context has noted as read."""
        self._read_hashes.update(other._read_hashes)

    def resolve(self, path: PathLike) -> str:
        """Return `path` from the root; see `paths.absolute` for the errors."""
        if type(path) is str and path in self._known_paths:
            return path
        return absolute(path, self.cwd)

    def moved(self, cwd: str, environment: Mapping[str, str]) -> Context:
        """Return a context elsewhere that stands for the same: its name, and what it has read."""
        context = Context(
            self.files,
            name=self.name,
            cwd=cwd,
            environment=environment,
            require_read=self.require_read,
        )
        context._read_hashes = self._read_hashes
        return context

    def ledger(self) -> dict[str, str | None]:
        """Return what was read: paths, each with what identified the content."""
        return dict(self._read_hashes)

    def replace_ledger(self, read: Mapping[str, str | None]) -> None:
        """Take over what somebody else has read in this one's name."""
        self._read_hashes.clear()
        self._read_hashes.update(read)

    def changing(self, operation: str) -> Transaction:
        """Return a transaction that is journalled under this name and `operation`."""
        if self.require_read:
            return _NotingTransaction(self, operation, self._read_hashes)
        return self.files.transaction(self.name, operation)

    def note_appended(self, path: str, before: str | None, after: str) -> None:
        """Note that this context has added to a file: it knows all of it if it knew it before."""
        if self.require_read:
            real = self.files.realpath(path)
            if before is None or self._read_hashes.get(real) == before:
                self._read_hashes[real] = after

    def note_moved(self, old: str, new: str) -> None:
        """Note that what was at a path from the root, without links, is at another one now."""
        noted = self._read_hashes
        for path in [each for each in noted if is_below(each, new)]:
            del noted[path]
        for path in [each for each in noted if is_below(each, old)]:
            noted[new + path[len(old) :]] = noted.pop(path)

    def note_read(self, path: str, content_hash: str | None) -> None:
        """Note that this context has seen, or itself written, the file with that content."""
        if self.require_read:
            self._read_hashes[self.files.realpath(path)] = content_hash

    def require_seen(self, path: str) -> None:
        """Make sure that this context may change the file, when `require_read` is on.

        Raises:
            NotReadError: It exists and was not read.
            StaleError: It was read, and has other content now.
        """
        if not self.require_read or not self.files.exists(path):
            return
        stat = self.files.stat(self.files.realpath(path))
        if stat.kind != "file":
            return
        if stat.path not in self._read_hashes:
            raise NotReadError(
                f"the file must be read before it is changed: {path}",
                path=path,
                hint="read it first",
            )
        seen = self._read_hashes[stat.path]
        if seen != stat.hash:
            raise StaleError(
                f"the file changed since it was read: {path}",
                path=path,
                hint="read it again and repeat the change on what it holds now",
                data={"expected": seen, "actual": stat.hash},
            )

    @property
    def replacing(self) -> Callable[[str], None] | None:
        """What must be asked before a file is replaced; None when nothing must."""
        return self.require_seen if self.require_read else None

    def require_version(self, path: str, expected: int | None, *, follow: bool = True) -> None:
        """Make sure that a file, link or directory has a version; call it in a transaction.

        Args:
            path: Where it is.
            expected: The version; 0: nothing may be there; None: any will do.
            follow: Whether a link stands for what it leads to.

        Raises:
            StaleError: It has another one. `data` has `expected` and `actual`.
        """
        if expected is None:
            return
        there = self.files.exists(path, follow=follow)
        actual = self.files.stat(path, follow=follow).version if there else 0
        if actual != expected:
            raise StaleError(
                f"it changed since version {expected}: {path}",
                path=path,
                hint="read it again and repeat the change on what it holds now",
                data={"expected": expected, "actual": actual},
            )

    def require_versions(
        self, expected: Versions | None, path: str | None = None, *, follow: bool = True
    ) -> None:
        """Make sure that what several paths lead to is as expected; call it in a transaction.

        Args:
            expected: A version for each path; or one number, which is the version of
                `path`; None: any will do.
            path: What a number is about; None: it is the revision of the workspace.
            follow: Whether a link stands for what it leads to.

        Raises:
            StaleError: Something has another one. `data` has `expected` and `actual`.
        """
        if isinstance(expected, Mapping):
            for each, version in expected.items():
                self.require_version(self.resolve(each), version, follow=follow)
        elif path is not None:
            self.require_version(path, expected, follow=follow)
        elif expected is not None:
            self._require_revision(expected)

    def _require_revision(self, expected: int) -> None:
        # Inside a transaction that has changed something, that counts as well.
        actual = self.files.revision()
        if actual != expected:
            raise StaleError(
                f"the workspace changed since revision {expected}",
                hint="`changes` says what happened since; look at it, and repeat this",
                data={"expected": expected, "actual": actual},
            )


class _NotingTransaction(Transaction):
    """A transaction that, undone, also takes back what was noted as read or written in it."""

    __slots__ = ("_before", "_noted")

    def __init__(self, context: Context, operation: str, noted: dict[str, str | None]) -> None:
        super().__init__(context.files.store, context.name, operation)
        self._noted = noted
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        super().__enter__()
        self._before = self._noted.copy()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None = None, *_: object
    ) -> None:
        if kind is not None:
            self._noted.clear()
            self._noted.update(self._before)
        super().__exit__(kind, error)
