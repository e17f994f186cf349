"""Commits of a git repository into the workspace, and its history into commits.

Both need the extra `git`: `pip install 'vshell[git]'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from vshell.errors import ConflictError, RangeError
from vshell.fs.paths import PathLike
from vshell.host import HostPath
from vshell.ops.context import Context, Versions
from vshell.ops.transfer_result import Skipped, Tally
from vshell.record import Record

Grouping = Literal["revision", "session", "all"]


@dataclass(frozen=True, slots=True)
class GitImportResult(Record):
    """What an import of commits did.

    Attributes:
        commit: The hash of the last commit.
        commits: How many commits were imported.
        revision: The last revision of the workspace.
        files: How many files were written, each version counted.
        directories: How many directories were made.
        symlinks: How many symbolic links were made.
        bytes: How many bytes of content were read.
        skipped: What was not imported and why; at most 1,000 entries.
        skipped_total: How many entries were skipped.
        removed: How many entries were removed, as later commits do not have them.
    """

    commit: str
    commits: int
    revision: int
    files: int
    directories: int
    symlinks: int
    bytes: int
    skipped: tuple[Skipped, ...]
    skipped_total: int
    removed: int


@dataclass(frozen=True, slots=True)
class GitExportResult(Record):
    """What an export to commits did.

    Attributes:
        branch: The branch.
        commit: The hash of its last commit; None when there is nothing to commit.
        commits: How many commits are new.
        revision: The revision up to which the branch has the history.
        skipped: What is in no commit and why; at most 1,000 entries.
        skipped_total: How many entries were skipped.
    """

    branch: str
    commit: str | None
    commits: int
    revision: int
    skipped: tuple[Skipped, ...]
    skipped_total: int


def import_git(
    context: Context,
    repository: HostPath,
    *,
    ref: str = "HEAD",
    destination: PathLike = "/",
    history: bool = False,
    expected_version: Versions | None = None,
) -> GitImportResult:
    """Bring the files of a commit, or a whole history, into the workspace: all of it or nothing.

    Files and links that are there already are replaced, directories are merged, and what
    no commit has stays. Files are as git stores them: line endings are not converted, and
    large files that only a pointer stands for are pointers. Submodules, and names that
    git itself would not check out, are skipped and reported.

    Args:
        repository: The repository on the host, bare or with a working tree, which is not
            looked at.
        ref: A branch, a tag, or the hash of a commit.
        destination: The directory in the workspace, made when it is missing.
        history: Make a revision of each commit, along the first parents: its author is
            the session, and its time the time of the revision. Otherwise only the files
            of the last commit are brought in, in one revision.
        expected_version: The revision that the workspace must be at; or a mapping of paths
            to the versions that they must have; 0: nothing may be there.

    Raises:
        StaleError: It is at another one, or a file changed since the session read it.
        NotReadError: The session requires that a file that is replaced is read first.
        NotFoundError: There is no repository, or no such commit.
        UnavailableError: The extra is not installed, or the repository's format is
            another one.
        NotDirectoryError: A directory would replace a file, or `destination` is a file.
        IsDirectoryError: A file would replace a directory.
        QuotaExceededError: It would not fit.
        TooLargeError: There are over a million commits, or entries in one.
        ConflictError: A history is imported inside a transaction.
        CorruptError: The repository is damaged, or lacks objects.
    """
    from vshell.ops import git_import
    from vshell.ops.git_repository import opened

    where = context.resolve(destination)
    if history and context.files.store.depth:
        raise ConflictError(
            "a history cannot be imported inside a transaction, which is one revision",
            hint="import it before or after the transaction",
        )
    tally = Tally(None, None)
    with opened(repository) as source:
        last = git_import.find_commit(source, ref)
        commits = git_import.first_parents(source, last) if history else [last]
        with context.changing("import_git"):
            context.require_versions(expected_version)
            importer = git_import.GitImporter(
                context.files, source, where, tally, replacing=context.replacing
            )
            importer.run(commits, revisions=history)
    counted = tally.result()
    return GitImportResult(
        last.id.decode(),
        len(commits),
        context.files.revision(),
        counted.files,
        counted.directories,
        counted.symlinks,
        counted.bytes,
        counted.skipped,
        counted.skipped_total,
        counted.removed,
    )


def export_git(
    context: Context,
    repository: HostPath,
    *,
    since: int = 0,
    branch: str = "main",
    group_by: Grouping = "revision",
) -> GitExportResult:
    """Write the history of the workspace to a branch of a git repository.

    Each revision that changes what git can hold becomes a commit: its author is the
    session, its time that of the revision, and its message names the operations and
    paths. An export to the same branch later adds what happened since. Modes are what git
    has of them, executable or not, and empty directories are not kept. What git does not
    allow, such as a directory `.git`, is skipped and reported, and so are files of more
    than 256 MiB.

    Args:
        repository: The repository on the host; a bare one is made when it is missing.
        since: The revision up to which one commit is enough; 0 for the whole history.
        branch: The branch, made when it is missing. It must not be checked out.
        group_by: What becomes one commit: `"revision"`; `"session"`: revisions of one
            session in a row; `"all"`: everything that is new.

    Raises:
        UnavailableError: The extra is not installed, or the host failed.
        NotEmptyError: The directory is no repository, and not empty.
        ConflictError: The branch is checked out, was not made by an export of this
            workspace, or moved meanwhile.
        NotFoundError: The history does not reach back to the last export.
        RangeError: There is no revision `since` yet, or no such `group_by`.
        InvalidPathError: The branch's name is not possible.
    """
    from vshell.ops.git_export import HistoryExport, branch_tip
    from vshell.ops.git_repository import branch_ref, create_if_missing, opened

    files = context.files
    latest = files.revision()
    if not 0 <= since <= latest:
        raise RangeError(f"since must be a revision from 0 to {latest}, not {since}")
    if group_by not in get_args(Grouping):
        raise RangeError(f"group_by is one of {', '.join(get_args(Grouping))}, not {group_by!r}")
    ref = branch_ref(branch)
    create_if_missing(repository, branch)
    tally = Tally(None, None)
    with opened(repository) as target, files.reading():
        latest = files.revision()
        export = HistoryExport(context, target, branch_tip(target, ref), tally)
        export.run(since, group_by)
        export.move_branch(ref)
    counted = tally.result()
    return GitExportResult(
        branch,
        export.last.decode() if export.last else None,
        export.commits,
        latest,
        counted.skipped,
        counted.skipped_total,
    )
