"""From a git repository into the workspace: trees, and the differences between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from vshell.errors import NotFoundError, TooLargeError
from vshell.fs.bulk import BulkDirectory, BulkMerge
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, encode, join
from vshell.fs.timeline import begin_revision
from vshell.limits import MAX_PATH_BYTES
from vshell.ops.git_repository import (
    DIRECTORY_MODE,
    SUBMODULE_MODE,
    SYMLINK_MODE,
    guarded,
    load,
    refused_name,
)
from vshell.ops.transfer_result import Tally

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.repo import Repo

MAX_ENTRIES: Final = 1_000_000
"""How many entries a commit may have: a few small trees can stand for billions."""

MAX_COMMITS: Final = 1_000_000
_LONGEST_NAME: Final = 200
_LARGEST_TIME_S: Final = (1 << 63) // 10**9 - 1


class _Entry(NamedTuple):
    mode: int
    sha: ObjectID

    @property
    def is_directory(self) -> bool:
        return self.mode & 0o170000 == DIRECTORY_MODE


_Tree = dict[bytes, _Entry]


class _Change(NamedTuple):
    """An entry that is to be there, and what was there."""

    path: str
    name: bytes
    before: _Entry | None
    after: _Entry | None


class GitImporter:
    """Makes a directory of the workspace what commits say, one after the other.

    Args:
        files: The files, in a transaction.
        repository: Where the commits are.
        destination: The directory.
        tally: Counts what is done.
        replacing: Is called with the path of each file that was there before and is to lose
            its content, and may raise an error.
    """

    def __init__(
        self,
        files: FileSystem,
        repository: Repo,
        destination: str,
        tally: Tally,
        *,
        replacing: Callable[[str], None] | None = None,
    ) -> None:
        self._files = files
        self._repository = repository
        self._destination = destination
        self._tally = tally
        self._replacing = replacing
        self._entries = 0

    def run(self, commits: list[Commit], *, revisions: bool) -> None:
        """Bring in the trees of commits.

        Args:
            commits: The commits, the oldest first.
            revisions: Make each a revision of its own.

        Raises:
            As `apply`.
        """
        before: ObjectID | None = None
        for commit in commits:
            with guarded():
                author, time_ns, tree = _author(commit), _time_ns(commit), commit.tree
            if revisions:
                begin_revision(
                    self._files.store, session=author, operation="import_git", time_ns=time_ns
                )
            self._files.mkdir(self._destination, parents=True, exist_ok=True)
            self.apply(before, tree, time_ns)
            before = tree

    def apply(self, before: ObjectID | None, after: ObjectID, time_ns: int) -> None:
        """Bring in what one tree has and another, or nothing, did not.

        Args:
            before: The tree that is there already.
            after: The tree that is to be there.
            time_ns: When its files changed, in nanoseconds since 1970.

        Raises:
            NotDirectoryError, IsDirectoryError: Something else is in the way.
            QuotaExceededError: It does not fit.
            TooLargeError: The tree has too many entries.
            CorruptError: The repository lacks an object.
        """
        self._entries = 0
        removed, added = self._compare(before, after)
        for path, entry in reversed(removed):
            self._remove(path, entry)
        # What a commit replaces that an earlier one brought was nobody's to read.
        replacing = self._replacing if before is None else None
        merge = BulkMerge(self._files.store, self._destination, replacing=replacing)
        directories = {"": merge.top}
        for change in added:
            self._add(merge, directories, change, time_ns)
        merge.finish()

    # Comparing.

    def _compare(
        self, before: ObjectID | None, after: ObjectID
    ) -> tuple[list[tuple[str, _Entry]], list[_Change]]:
        """Return what goes, parents first, and what comes, parents first."""
        removed: list[tuple[str, _Entry]] = []
        added: list[_Change] = []
        pending: list[tuple[str, ObjectID | None, ObjectID | None]] = [("", before, after)]
        while pending:
            path, old_sha, new_sha = pending.pop()
            for change in self._changes(path, old_sha, new_sha):
                old, new = change.before, change.after
                if old is not None and not _takes_place(old, new):
                    removed.append((change.path, old))
                if new is not None:
                    added.append(change)
                old_directory = old.sha if old and old.is_directory else None
                new_directory = new.sha if new and new.is_directory else None
                if old_directory or new_directory:
                    pending.append((change.path, old_directory, new_directory))
        return removed, added

    def _changes(
        self, path: str, old_sha: ObjectID | None, new_sha: ObjectID | None
    ) -> Iterator[_Change]:
        """Yield where two directories differ, without what cannot be brought in."""
        old, new = self._tree(old_sha), self._tree(new_sha)
        for name in sorted(old.keys() | new.keys()):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            below = f"{path}/{decode(name)}" if path else decode(name)
            # What was refused before is not there, or is somebody else's.
            if before is not None and self._refusal(below, name, before):
                before = None
            if after is not None:
                reason = self._refusal(below, name, after)
                if reason:
                    self._tally.skip(below, reason)
                    after = None
                self._count()
            yield _Change(below, name, before, after)

    def _tree(self, sha: ObjectID | None) -> _Tree:
        if sha is None:
            return {}
        from dulwich.objects import Tree

        tree = load(self._repository, Tree, sha)
        with guarded():
            return {name: _Entry(mode, found) for name, mode, found in tree.items()}

    def _refusal(self, path: str, name: bytes, entry: _Entry) -> str | None:
        """Return why an entry cannot be in the workspace; None when it can."""
        if entry.mode == SUBMODULE_MODE:
            return "a submodule"
        if len(encode(join(self._destination, path))) > MAX_PATH_BYTES:
            return f"the path has more than {MAX_PATH_BYTES} bytes"
        return refused_name(name)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise TooLargeError(
                f"the commit changes more than {MAX_ENTRIES} entries",
                data={"max_entries": MAX_ENTRIES},
            )

    # Changing.

    def _remove(self, path: str, entry: _Entry) -> None:
        """Remove what a commit had brought; a directory only if nothing else is in it."""
        where = join(self._destination, path)
        if not self._files.exists(where, follow=False):
            return  # it was skipped
        if not entry.is_directory:
            self._files.unlink(where)
        elif not self._files.names(where):
            self._files.rmdir(where)
        self._tally.removed += 1

    def _add(
        self,
        merge: BulkMerge,
        directories: dict[str, BulkDirectory],
        change: _Change,
        time_ns: int,
    ) -> None:
        entry, path = change.after, change.path
        assert entry is not None
        above, _, name = path.rpartition("/")
        parent = directories[above]
        if entry.is_directory:
            directory = directories[path] = merge.add_directory(parent, name)
            if directory.is_new:
                merge.set_attributes(directory, mode=0o755, mtime_ns=time_ns)
                self._tally.add("directory")
            return
        data = self._blob(entry.sha)
        if entry.mode != SYMLINK_MODE:
            merge.reserve(len(data))
            mode = 0o755 if entry.mode & 0o100 else 0o644
            merge.add_file(parent, name, merge.put(data), mode=mode, mtime_ns=time_ns)
            self._tally.add("file", len(data))
        elif not data or b"\0" in data or len(data) > MAX_PATH_BYTES:
            self._tally.skip(path, "not a possible target of a link")
        else:
            merge.add_symlink(parent, name, decode(data), mtime_ns=time_ns)
            self._tally.add("symlink")

    def _blob(self, sha: ObjectID) -> bytes:
        from dulwich.objects import Blob

        return load(self._repository, Blob, sha).as_raw_string()


def _takes_place(old: _Entry, new: _Entry | None) -> bool:
    """Tell whether a new entry can take an old one's place without its being removed before."""
    return new is not None and old.is_directory == new.is_directory


def find_commit(repository: Repo, ref: str) -> Commit:
    """Return the commit that a branch, tag, full name or hash leads to.

    Raises:
        NotFoundError: There is none.
        CorruptError: It is damaged.
    """
    from dulwich.objects import Commit
    from dulwich.objectspec import AmbiguousShortId, parse_commit

    with guarded():
        try:
            found = parse_commit(repository, ref).id
        except (KeyError, ValueError, AmbiguousShortId):
            raise NotFoundError(
                f"no such commit in the git repository: {ref}",
                hint="name a branch, a tag, or the hash of a commit",
            ) from None
    return load(repository, Commit, found)


def first_parents(repository: Repo, last: Commit) -> list[Commit]:
    """Return a commit and its first parents, the oldest first.

    Raises:
        TooLargeError: There are too many.
        CorruptError: One is missing.
    """
    from dulwich.objects import Commit

    found = [last]
    while parents := _parents(repository, found[-1]):
        found.append(load(repository, Commit, parents[0]))
        if len(found) > MAX_COMMITS:
            raise TooLargeError(f"the history has more than {MAX_COMMITS} commits")
    found.reverse()
    return found


def _parents(repository: Repo, commit: Commit) -> list[ObjectID]:
    with guarded():
        return list(repository.get_parents(commit.id, commit))


def _author(commit: Commit) -> str:
    """Return the author's name, as a session's name."""
    author: bytes | None = commit.author
    name = (author or b"").partition(b"<")[0].decode("utf-8", "replace")
    return "".join(filter(str.isprintable, name)).strip()[:_LONGEST_NAME] or "git"


def _time_ns(commit: Commit) -> int:
    """Return when a commit was made, in nanoseconds since 1970."""
    seconds: int | None = commit.commit_time  # None when it is no number
    return max(-_LARGEST_TIME_S, min(seconds or 0, _LARGEST_TIME_S)) * 10**9
