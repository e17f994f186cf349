"""From the history of the workspace to commits on a branch of a git repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from vshell.errors import ConflictError, NotFoundError
from vshell.fs.image import Image, revision_image
from vshell.fs.timeline import Revision, Step, revisions, time_of
from vshell.ops.context import Context
from vshell.ops.git import Grouping
from vshell.ops.git_repository import guarded
from vshell.ops.git_trees import ObjectWriter, ReplayedTree
from vshell.ops.transfer_result import Tally
from vshell.text.unified import quote_path

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.refs import Ref
    from dulwich.repo import Repo

_REVISION_TRAILER: Final = "Vshell-Revision"

_PATHS_LISTED: Final = 100
_EMAIL: Final = "noreply@vshell.invalid"
_IDENTITY: Final = f"vshell <{_EMAIL}>".encode()
_LOGGED: Final = b"export of a workspace"


def branch_tip(repository: Repo, ref: Ref) -> Commit | None:
    """Return the last commit of a branch, after making sure that the branch may move."""
    from dulwich.objects import Commit
    from dulwich.refs import HEADREF

    with guarded():
        if not repository.bare and ref in repository.refs.follow(HEADREF)[0]:
            raise ConflictError(
                "the branch is checked out, and its files would no longer be its own",
                hint="export to another branch, or to a bare repository",
            )
        if ref not in repository.refs:
            return None
        tip = repository.object_store[repository.refs[ref]]
    if not isinstance(tip, Commit):
        raise ConflictError("the branch does not lead to a commit", hint="export to another one")
    return tip


class HistoryExport:
    """Makes the commits of one export, inside `reading()`.

    Attributes:
        last: The last commit of the branch.
        commits: How many are new.
    """

    def __init__(
        self, context: Context, repository: Repo, tip: Commit | None, tally: Tally
    ) -> None:
        from dulwich.objects import Tree

        self._files = context.files
        self._store = context.files.store
        self._repository = repository
        self._writer = ObjectWriter(repository)
        self._tally = tally
        self._tip = tip
        self._empty = Tree()
        self._tree: ObjectID = tip.tree if tip else self._empty.id
        self.last: ObjectID | None = tip.id if tip else None
        self.commits = 0

    def run(self, since: int, group_by: Grouping) -> None:
        """Make a commit of each group of revisions that the branch does not have."""
        known = _exported_revision(self._tip) if self._tip else None
        image = self._start(known, since)
        start = image.revision
        replayed = ReplayedTree(self._files, self._writer, self._tally, image)
        tree = replayed.write()
        if start == known and (tree or self._empty.id) != self._tree:
            raise ConflictError(
                f"the branch holds other files than revision {known} of this workspace",
                hint="export to another branch",
            )
        self._commit(tree, "", time_of(self._store, start), _state_message(start))
        for group in _grouped(revisions(self._store, start), by=group_by, together_until=since):
            for revision in group:
                for step in revision.steps:
                    replayed.apply(step)
            self._commit(
                replayed.write(), group[-1].session, group[-1].time_ns, _group_message(group)
            )

    def _start(self, known: int | None, since: int) -> Image:
        """Return the tree to begin with: that of the last export, or as early as needed."""
        latest = self._files.revision()
        if known is not None and known > latest:
            raise ConflictError(
                f"the branch has revision {known}, and the workspace only {latest}",
                hint="export to another branch",
            )
        wanted = since if known is None else known
        try:
            return revision_image(self._store, wanted)
        except NotFoundError as error:
            first: int = error.data["first"]
        if known is None and not since:
            return revision_image(self._store, first)
        if known is not None and since > known:
            return revision_image(self._store, since)
        raise NotFoundError(
            f"the history does not reach back to revision {wanted}",
            hint=f"export with since={first}; what was before becomes one commit",
            data={"first": first},
        )

    def _commit(self, found: ObjectID | None, session: str, time_ns: int, message: str) -> None:
        """Make a commit, if its tree is another one."""
        tree = found or self._empty.id
        if tree == self._tree:
            return
        if found is None:
            self._writer.add(self._empty)
        commit = _make_commit(tree, self.last, session=session, time_ns=time_ns, message=message)
        self.last = self._writer.add(commit)
        self._tree = tree
        self.commits += 1

    def move_branch(self, ref: Ref) -> None:
        """Let the branch lead to the last commit.

        Raises:
            ConflictError: Somebody else moved it.
        """
        if not self.commits or self.last is None:
            return
        self._writer.flush()
        refs = self._repository.refs
        seconds = self._store.now() // 10**9
        with guarded():
            if self._tip is None:
                moved = refs.add_if_new(
                    ref, self.last, committer=_IDENTITY, timestamp=seconds, message=_LOGGED
                )
            else:
                moved = refs.set_if_equals(
                    ref,
                    self._tip.id,
                    self.last,
                    committer=_IDENTITY,
                    timestamp=seconds,
                    message=_LOGGED,
                )
        if not moved:
            raise ConflictError("somebody else moved the branch meanwhile", hint="export once more")


def _grouped(
    found: Iterable[Revision], *, by: Grouping, together_until: int
) -> Iterator[list[Revision]]:
    """Gather revisions that become one commit.

    Args:
        found: The revisions, oldest first.
        by: `"revision"`: each alone; `"session"`: those of one session in a row; `"all"`.
        together_until: Revisions up to this one are one commit.
    """
    group: list[Revision] = []
    for revision in found:
        if group and not (
            by == "all"
            or revision.number <= together_until
            or (
                by == "session"
                and group[0].number > together_until
                and revision.session == group[0].session
            )
        ):
            yield group
            group = []
        group.append(revision)
    if group:
        yield group


def _make_commit(
    tree: ObjectID, parent: ObjectID | None, *, session: str, time_ns: int, message: str
) -> Commit:
    """Return a commit."""
    from dulwich.objects import Commit

    name = "".join(filter(_is_plain, session)).strip(" .,:;'\"") or "vshell"
    commit = Commit()
    commit.tree = tree
    commit.parents = [parent] if parent else []
    commit.author = commit.committer = f"{name} <{_EMAIL}>".encode()
    commit.author_time = commit.commit_time = max(0, time_ns // 10**9)
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    return commit


def _state_message(revision: int) -> str:
    """Return the message of a commit that does not say how its tree came to be."""
    return f"The workspace at revision {revision}\n\n{_REVISION_TRAILER}: {revision}\n"


def _group_message(group: list[Revision]) -> str:
    """Return what happened: operations and paths, and the last revision in a trailer."""
    operations = dict.fromkeys(name for revision in group for name in revision.operations if name)
    steps = dict.fromkeys(_line(step) for revision in group for step in revision.steps)
    paths = dict.fromkeys(step.path for revision in group for step in revision.steps)
    what = ", ".join(operations) or "change"
    where = quote_path(next(iter(paths))) if len(paths) == 1 else f"{len(paths)} paths"
    lines = [f"{what} {where}", "", *list(steps)[:_PATHS_LISTED]]
    if len(steps) > _PATHS_LISTED:
        lines.append(f"... and {len(steps) - _PATHS_LISTED} more")
    lines += ["", f"{_REVISION_TRAILER}: {group[-1].number}", ""]
    return "\n".join(lines)


def _exported_revision(commit: Commit) -> int:
    """Return the revision that a commit is of.

    Raises:
        ConflictError: It is of none: somebody else made it.
    """
    last = commit.message.rstrip(b"\n").rpartition(b"\n")[2]
    name, _, number = last.partition(b": ")
    if name != _REVISION_TRAILER.encode() or not number.isdigit() or len(number) > 18:
        raise ConflictError(
            "the last commit of the branch is not one of an export",
            hint="export to another branch, and merge it with git",
        )
    return int(number)


def _line(step: Step) -> str:
    if step.old_path is not None:
        return f"{step.action} {quote_path(step.old_path)} -> {quote_path(step.path)}"
    return f"{step.action} {quote_path(step.path)}"


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in "<>"
