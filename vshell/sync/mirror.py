"""A mirror of the workspace, as callers have it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

from vshell.errors import NotFoundError, RangeError, UnavailableError
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike, absolute
from vshell.fs.peers import ConflictRow, Peers, Version
from vshell.fs.transaction import Transaction
from vshell.sync.differences import conflict_diff, differing_paths, path_diff
from vshell.sync.directory import DirectoryTarget
from vshell.sync.engine import Engine, Options
from vshell.sync.planner import POLICIES, Policy
from vshell.sync.pulling import pull
from vshell.sync.results import (
    Conflict,
    Progress,
    SyncDiff,
    SyncLimits,
    SyncResult,
    SyncStatus,
    conflict_of,
)
from vshell.sync.rules import DEFAULT_CACHE, Rules
from vshell.sync.run import Direction
from vshell.sync.target import DIRECTORY, Target

__all__ = ["Mirror", "open_directory"]

Take = Literal["workspace", "mirror", "base"]
_TAKES: Final = ("workspace", "mirror", "base")


class Mirror:
    """Keeps the workspace and a directory or a container the same, both ways.

    `Session.mirror` makes one. It holds nothing open: what is known of the other side is
    in the workspace, under the mirror's name.
    """

    def __init__(
        self,
        files: FileSystem,
        target: Target,
        *,
        name: str,
        rules: Rules,
        policy: Policy,
        limits: SyncLimits,
        changing: Callable[[str], Transaction],
        cwd: str = "/",
    ) -> None:
        if policy not in POLICIES:
            raise UnavailableError(
                f"no such policy: {policy}", hint=f"choose one of {', '.join(POLICIES)}"
            )
        self._files = files
        self._target = target
        self._cwd = cwd
        self._engine = Engine(
            files,
            target,
            name=name,
            rules=rules,
            policy=policy,
            limits=limits,
            changing=changing,
        )

    @property
    def name(self) -> str:
        """The name under which the workspace knows the mirror."""
        return self._engine.name

    def sync(
        self,
        *,
        dry_run: bool = False,
        deep: bool = False,
        allow_emptied: bool = False,
        progress: Progress | None = None,
    ) -> SyncResult:
        """Bring what changed on either side to the other.

        What only one side changed, the other gets; what both changed, the mirror's policy
        settles, and what loses is kept in a conflict. The mirror's changes come into the
        workspace in one transaction; then the mirror is written. After a crash at any
        point, running it again completes it.

        Args:
            dry_run: Change nothing, and say what would be done.
            deep: Compare the content of every file, for changes that leave no trace in
                sizes and times.
            allow_emptied: Go on when nothing is in the mirror any more, and empty the
                workspace.
            progress: Is told how far it is; an exception from it ends the work.

        Raises:
            ConflictError: The mirror is not the one that it was, nothing is in it any more,
                another synchronisation is running, or the policy is `"fail"` and both
                sides changed something. `data` says more. Nothing was changed.
            NotFoundError: The mirror is not there.
            TooLargeError: It has more entries or bytes than the limits allow.
            QuotaExceededError: Its changes do not fit into the workspace.
            UnavailableError: It cannot be reached, or is full.
        """
        return self._run("both", dry_run, deep, allow_emptied, progress)

    def push(
        self,
        *,
        dry_run: bool = False,
        deep: bool = False,
        progress: Progress | None = None,
    ) -> SyncResult:
        """Bring what the workspace changed to the mirror; the workspace keeps what it has.

        What only the mirror changed waits for `pull`; what both changed is settled as by
        `sync` where that leaves the workspace's files as they are, else it waits too.
        Arguments and errors as for `sync`.
        """
        return self._run("push", dry_run, deep, False, progress)

    def pull(
        self,
        *,
        dry_run: bool = False,
        deep: bool = False,
        allow_emptied: bool = False,
        progress: Progress | None = None,
    ) -> SyncResult:
        """Bring what the mirror changed to the workspace; the mirror keeps what it has.

        What the workspace changed waits for `push`. Arguments and errors as for `sync`.
        """
        return self._run("pull", dry_run, deep, allow_emptied, progress)

    def _run(
        self,
        direction: Direction,
        dry_run: bool,
        deep: bool,
        allow_emptied: bool,
        progress: Progress | None,
    ) -> SyncResult:
        options = Options(direction, deep=deep, allow_emptied=allow_emptied, progress=progress)
        if dry_run:
            return self._engine.preview(options)
        return self._engine.run(options)

    def status(self, *, deep: bool = False, progress: Progress | None = None) -> SyncStatus:
        """Return what a synchronisation would do now, and the open conflicts.

        Errors as for `sync`.
        """
        pending = self._engine.preview(Options(deep=deep, allow_emptied=True, progress=progress))
        return SyncStatus(
            self.name,
            self._target.kind,
            self._engine.peer is None,
            pending,
            self.conflicts(),
        )

    def diff(self, path: PathLike | None = None, *, max_paths: int = 1000) -> SyncDiff:
        """Return how both sides differ, as patches.

        Args:
            path: Only this path. If it has an open conflict, what both sides had when it
                was found: a text with the changes of both marked, and what was there before.
            max_paths: How many paths at most.

        Raises:
            RangeError: `max_paths` is negative.
            The rest as `sync`.
        """
        if max_paths < 0:
            raise RangeError("max_paths must not be negative")
        only = None if path is None else self._relative(path)
        if only is not None:
            rows = self._rows(only)
            if rows:
                shown = [conflict_diff(self._files, row) for row in rows]
                return SyncDiff(tuple(shown[:max_paths]), len(rows), len(rows) > max_paths)
        with self._engine.previewing(Options(allow_emptied=True)) as preview:
            paths = [one for one in differing_paths(preview) if only in (None, one)]
            shown = [
                path_diff(self._files, self._target, preview, one) for one in paths[:max_paths]
            ]
        return SyncDiff(tuple(shown), len(paths), len(paths) > max_paths)

    def conflicts(
        self, *, resolved: bool = False, limit: int | None = None
    ) -> tuple[Conflict, ...]:
        """Return the open conflicts, the oldest first.

        Args:
            resolved: Also those that somebody, or a policy, resolved.
            limit: How many at most; None for all.
        """
        peer = self._engine.peer
        if peer is None:
            return ()
        rows = self._files.store.read(
            lambda: Peers(self._files).conflicts(
                peer, is_open=not resolved, limit=-1 if limit is None else limit
            )
        )
        return tuple(conflict_of(row) for row in rows)

    def resolve(
        self, path: PathLike, *, take: Take | None = None, data: bytes | None = None
    ) -> Conflict:
        """Settle the open conflicts at a path; the next synchronisation brings it to the mirror.

        Args:
            path: Where.
            take: Whose content: `"workspace"` leaves what the workspace has now,
                `"mirror"` puts what the mirror had, `"base"` what was there before both.
            data: Other content, instead of `take`.

        Returns:
            The newest of the conflicts that are settled now.

        Raises:
            NotFoundError: There is no open conflict at that path.
            RangeError: Neither `take` nor `data` is given, or both are.
            QuotaExceededError: It would not fit.
        """
        if (take is None) == (data is None) or (take is not None and take not in _TAKES):
            raise RangeError(
                "resolve takes either `take` or `data`",
                hint=f"take is one of {', '.join(_TAKES)}; data is the content itself",
            )
        relative = self._relative(path)
        peers = Peers(self._files)
        with self._engine.changing("resolve"):
            rows = self._rows(relative)
            if not rows:
                raise NotFoundError(
                    f"no open conflict: /{relative}",
                    path=f"/{relative}",
                    hint="`conflicts` lists them",
                )
            if data is not None:
                self._files.write(f"/{relative}", data, parents=True)
            elif take != "workspace":
                self._put(peers, rows[-1], rows[-1].mirror if take == "mirror" else rows[-1].base)
            for row in rows:
                peers.resolve(row.id, take or "merged")
            return conflict_of(peers.conflict(rows[-1].id))

    def restart(self) -> None:
        """Forget what was agreed on, and accept the root that is there now as the mirror.

        The next synchronisation compares both sides anew: what is equal is adopted, what
        only one side has the other gets, and where they differ there is a conflict.
        """
        self._engine.restart()

    def watch(
        self,
        *,
        poll_s: float = 0.05,
        rescan_s: float = 30.0,
        settle_s: float = 0.05,
        stop: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> Iterator[SyncResult]:
        """Synchronise now and whenever something changes on either side.

        Args:
            poll_s: How often to look for changes of the workspace, in seconds.
            rescan_s: How often to look at all of the mirror even without an event. Where
                there are no events, it is looked at every second, or this often if that is
                more often.
            settle_s: How long nothing must happen before it synchronises, in seconds.
            stop: Is asked at each look whether to end.
            progress: As for `sync`.

        Yields:
            The first result, and each in which something happened.
        """
        from vshell.sync.watching import Pace, watch

        return watch(
            self._files,
            self._target,
            lambda: self.sync(progress=progress),
            self._engine.rules,
            pace=Pace(poll_s, rescan_s, settle_s),
            stop=stop or (lambda: False),
        )

    def _rows(self, path: str) -> list[ConflictRow]:
        peer = self._engine.peer
        if peer is None:
            return []
        return self._files.store.read(lambda: Peers(self._files).conflicts(peer, path=path))

    def _put(self, peers: Peers, row: ConflictRow, new: Version | None) -> None:
        """Make the workspace have a version at the path of a conflict."""
        path = f"/{row.path}"
        old = peers.version_of(row.path)
        if old is not None and old.kind == DIRECTORY and (new is None or new.kind != DIRECTORY):
            self._files.remove_tree(path)
            old = None
        above = path.rpartition("/")[0]
        if new is not None and above:
            self._files.mkdir(above, parents=True, exist_ok=True)
        pull(self._files, [(row.path, old, new)], lambda _: None)

    def _relative(self, path: PathLike) -> str:
        return absolute(path, self._cwd)[1:]


def open_directory(
    files: FileSystem,
    directory: PathLike,
    *,
    policy: Policy,
    ignore: Iterable[str],
    cache: Iterable[str] | None,
    name: str | None,
    limits: SyncLimits | Mapping[str, float] | None,
    changing: Callable[[str], Transaction],
    cwd: str,
) -> Mirror:
    """Return the mirror of a workspace in a directory; see `Session.mirror`."""
    target = DirectoryTarget(directory)
    return Mirror(
        files,
        target,
        name=_default_name(target.path) if name is None else name,
        rules=Rules(ignore=ignore, cache=DEFAULT_CACHE if cache is None else cache),
        policy=policy,
        limits=SyncLimits.of(limits),
        changing=changing,
        cwd=cwd,
    )


def _default_name(path: str) -> str:
    """Return what tells directories apart without saying where they are."""
    real = os.fsencode(os.path.realpath(path))
    base = os.path.basename(os.path.realpath(path)).encode("utf-8", "replace").decode()
    return f"{base}-{hashlib.sha256(real).hexdigest()[:12]}"
