"""A container beside the workspace: commands run in it on the workspace's files, and come back.

    container = workspace.container("node:20", network=True)
    job = container.exec("npm install && npm test", stream=print_it)
    job.exit_code, job.pulled

The container stays when it is closed, and the next call finds it again with its caches. It
runs with as few rights as possible: see `docker_machine.py`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Self

from vshell.errors import (
    ClosedError,
    ConflictError,
    InvalidPathError,
    UnavailableError,
)
from vshell.fs import jobs as rows
from vshell.fs import lineage
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import PathLike
from vshell.fs.peers import Peers
from vshell.sync import container_attach, container_memory, docker_exec, docker_machine
from vshell.sync.container_attach import Attached, Transport
from vshell.sync.docker_client import Daemon
from vshell.sync.docker_machine import WORKSPACE, Settings
from vshell.sync.docker_mirror import MirrorDirectory
from vshell.sync.engine import Engine
from vshell.sync.job_run import JobRun, Listener, Order, command_of, mark_of
from vshell.sync.jobs import (
    LISTED_JOBS,
    UNFINISHED,
    Job,
    JobList,
    Phase,
    find_job,
    is_alive,
    list_jobs,
    owner,
    require_known,
)
from vshell.sync.mirror import Mirror, Take
from vshell.sync.planner import Policy
from vshell.sync.results import Conflict, SyncDiff, SyncLimits, SyncResult, SyncStatus
from vshell.sync.rules import Rules

__all__ = ["Container"]


class Container:
    """One container of a workspace; `Workspace.container` makes or finds it.

    Not for use by several threads at once, but for `cancel`.
    """

    def __init__(
        self,
        files: FileSystem,
        daemon: Daemon,
        settings: Settings,
        *,
        name: str,
        session: str,
        cwd: str,
        environment: Mapping[str, str],
        policy: Policy,
        rules: Rules,
        transport: Transport,
        keep: bool,
        create: bool = True,
    ) -> None:
        self._files = files
        self._daemon = daemon
        self._settings = settings
        self._session = session
        self._cwd = cwd
        self._environment = dict(environment)
        self._policy: Policy = policy
        self._rules = rules
        self._transport: Transport = transport
        self._keep = keep
        self._create = create
        self._attached: Attached | None = None
        self._synchronising: Engine | None = None
        self._is_closed = False
        self.name = name
        lineage.ensure_workspace_id(files, os.urandom(16).hex())
        self._full_name = docker_machine.machine_name(str(lineage.workspace_id(files)), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def image(self) -> str:
        """The image that it is made of."""
        return self._settings.image

    # Running.

    def exec(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float | None = None,
        stream: Listener | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        on_phase: Callable[[Phase], None] | None = None,
        on_job: Callable[[int], None] | None = None,
    ) -> Job:
        """Send the workspace's changes to the container, run a command, and bring back its own.

        The command is started at most once, whatever happens. When it has ended, but what it
        did cannot be brought back now, the job's phase is `"pull_pending"`, and `resume`
        tries again.

        Args:
            command: The program and its arguments; text is a script for `/bin/sh`.
            timeout_s: After how many seconds it is ended; None takes the limits'.
            stream: Called at once with everything that it writes: `"stdout"` or `"stderr"`,
                and the bytes.
            env: Variables for it, beside those of the container. They are not stored.
            cwd: Where it runs, as a path of the workspace; None takes the session's.
            on_phase: Called when a phase of the job begins.
            on_job: Called before that with the job's number, which `cancel` takes.

        Returns:
            The job. A command that fails is no error: see `exit_code`.

        Raises:
            ConflictError: The policy is `"fail"` and both sides changed the same; nothing
                ran. Or a mirror or container is in a state that needs a decision.
            NotFoundError: There is no such image.
            UnavailableError: The daemon does not answer. A command that was started already
                goes on, and `resume` brings the job to its end.
            KeyboardInterrupt: Ctrl-C was pressed; the command was ended and the job as well.
        """
        place = posixpath.normpath(posixpath.join(self._cwd, cwd or "."))
        self._attach()
        order = Order(
            command_of(command),
            self._variables(env or {}),
            place,
            WORKSPACE + place.rstrip("/"),
            self._settings.limits.timeout_s if timeout_s is None else timeout_s,
            stream,
            on_phase,
            on_job,
        )
        if not order.command:
            raise InvalidPathError("there is no command to run")
        return self._run().run(order)

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        # The mirror's owner may be another user than git's; it is the only one here.
        found = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        user = (self._current().user or "0").partition(":")[0]
        if user.isdigit() and user != "0":
            found["HOME"] = "/tmp"  # noqa: S108 - the container's own; the user may have no home
        return {**found, **self._environment, **more}

    def _run(self) -> JobRun:
        attached = self._current()
        return JobRun(
            self._files,
            session=self._session,
            daemon=self._daemon,
            machine=attached.machine,
            name=self.name,
            user=attached.user,
            limits=self._settings.limits,
            engine=self._engine_of(attached),
        )

    # Jobs.

    def job(self, number: int) -> Job:
        """Return a job of this container.

        Raises:
            NotFoundError: There is none of that number.
        """
        require_known(self._files, number, self.name)
        return find_job(self._files, number)

    def jobs(self, *, limit: int = LISTED_JOBS, offset: int = 0) -> JobList:
        """Return the jobs of this container, the newest first."""
        return list_jobs(self._files, container=self.name, limit=limit, offset=offset)

    def cancel(self, number: int) -> Job:
        """End a job's command; whoever waits for it then brings back what it did.

        Raises:
            NotFoundError: There is no such job.
            UnavailableError: The daemon does not answer.
        """
        row = require_known(self._files, number, self.name)
        if row.phase in ("pushing", "running"):
            rows.cancel(self._files, number)
            docker_exec.kill(self._daemon, row.machine, mark_of(number), user=self._user())
        return find_job(self._files, number)

    def resume(self, number: int | None = None) -> tuple[Job, ...]:
        """Bring jobs to their end whose process died, or whose pull failed.

        A command that still runs is waited for. One that may have been started is never
        started again: if nobody knows how it ended, the job is `"lost"`.

        Args:
            number: Which; None for all of this container that are not finished.

        Returns:
            The jobs as they are then, the oldest first.

        Raises:
            ConflictError: Another process is working on the job.
            NotFoundError: There is no such job.
            UnavailableError: The daemon does not answer.
        """
        if number is not None:
            self._resume(require_known(self._files, number, self.name))
            return (find_job(self._files, number),)
        waiting = [
            row
            for row in reversed(rows.latest(self._files, container=self.name))
            if row.phase in UNFINISHED and not (row.owner != owner() and is_alive(row.owner))
        ]
        for row in waiting:
            self._resume(row)
        return tuple(find_job(self._files, row.id) for row in waiting)

    def _resume(self, row: rows.JobRow) -> None:
        if row.phase not in UNFINISHED:
            return
        if row.owner != owner() and (
            is_alive(row.owner)
            or not rows.claim(self._files, row.id, owner=owner(), before=row.owner)
        ):
            raise ConflictError(
                f"another process is working on job {row.id}", hint="wait for it to end"
            )
        if row.phase == "pushing" or row.process is None:
            _end(self._files, row.id, "failed", "its process died before the command was started")
            return
        found = container_attach.find(self._daemon, self._full_name, self._settings)
        generation = found and (found.machine.id, found.machine.started_as)
        if found is None or generation != (row.machine, row.started_as):
            self._lose(row, found)
            return
        self._adopt(found)
        run = self._run()
        if row.phase == "running":
            if docker_exec.is_unstarted(self._daemon, row.process):
                _end(self._files, row.id, "failed", "its process died before the command started")
                return
            run.wait(row.id, row.process)
            if not run.note_exit(row.id, row.process):
                return
        complete = row.phase != "running" and bool(row.report.get("output_complete", True))
        run.pull(row.id, None, output_complete=complete)

    def _lose(self, row: rows.JobRow, found: Attached | None) -> None:
        """Note that a job's container is gone; what is still in a shared mirror comes back."""
        if row.phase == "running":
            reason = "the container went away while the command ran"
            _end(self._files, row.id, "lost", reason)
        elif found is not None and found.mirror is not None and found.machine.id == row.machine:
            # It was only restarted, and the mirror is on this host.
            self._adopt(found)
            self._run().pull(row.id, None, output_complete=True)
        else:
            _end(self._files, row.id, "lost", "the container is gone, and what the command did")

    # Synchronising.

    @property
    def mirror(self) -> Mirror:
        """The mirror, for what it can do beyond the calls here."""
        engine = self._engine()
        return Mirror(
            self._files,
            engine.target,
            name=self.name,
            rules=engine.rules,
            policy=engine.policy,
            limits=engine.limits,
            changing=engine.changing,
            cwd=self._cwd,
        )

    def push(self) -> SyncResult:
        """Bring the workspace's changes to the container; see `Mirror.push`."""
        return self.mirror.push()

    def pull(self, *, allow_emptied: bool = False) -> SyncResult:
        """Bring the container's changes to the workspace; see `Mirror.pull`."""
        return self.mirror.pull(allow_emptied=allow_emptied)

    def sync(self, *, allow_emptied: bool = False) -> SyncResult:
        """Bring both sides together; see `Mirror.sync`."""
        return self.mirror.sync(allow_emptied=allow_emptied)

    def status(self) -> SyncStatus:
        """Return what the next synchronisation would do; see `Mirror.status`."""
        return self.mirror.status()

    def diff(self, path: PathLike | None = None) -> SyncDiff:
        """Return how both sides differ; see `Mirror.diff`."""
        return self.mirror.diff(path)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Return the conflicts that nobody resolved; see `Mirror.conflicts`."""
        return self.mirror.conflicts()

    def resolve(
        self, path: PathLike, *, take: Take | None = None, data: bytes | None = None
    ) -> Conflict:
        """Settle the conflicts at a path; see `Mirror.resolve`."""
        return self.mirror.resolve(path, take=take, data=data)

    def _engine(self) -> Engine:
        now = self._attached
        # What is on this host can be synchronised without asking whether the container runs.
        if now is None or not now.is_here():
            now = self._attach()
        return self._engine_of(now)

    def _engine_of(self, attached: Attached) -> Engine:
        if self._synchronising is None:
            limits = self._settings.limits
            engine = Engine(
                self._files,
                attached.target(self._daemon, max_file_bytes=limits.max_mirror_bytes),
                name=self.name,
                rules=self._rules,
                policy=self._policy,
                limits=SyncLimits(
                    max_entries=limits.max_entries, max_bytes=limits.max_mirror_bytes
                ),
                changing=lambda operation: self._files.transaction(self._session, operation),
            )
            self._synchronising = engine
            known = container_memory.remembered(self._files, self.name)
            if engine.peer is not None and known.get("root") != attached.root:
                # A mirror that was made anew has nothing of the old one to lose.
                engine.restart()
            self._remember(attached)
        return self._synchronising

    # The container.

    def _attach(self) -> Attached:
        """Return the running container, after making or starting it if need be."""
        if self._is_closed:
            raise ClosedError("the container is closed")
        now = self._attached
        if now is not None and docker_machine.is_still(self._daemon, now.machine):
            return now
        self._let_go()
        if not self._create:
            found = container_attach.find(self._daemon, self._full_name, self._settings)
            if found is not None:
                self._attached = found
                return found
            raise UnavailableError(
                f"the container {self.name} does not run any more",
                hint="`exec` with its image makes or starts it",
            )
        with self._files.reading():
            self._files.store.journal.load()
            needed_bytes = self._files.store.journal.live_bytes
        known = container_memory.remembered(self._files, self.name)
        attached = container_attach.attach(
            self._daemon,
            self._full_name,
            self._settings,
            transport=self._transport,
            needed_bytes=needed_bytes,
            known_mirror=known.get("mirror"),
        )
        self._attached = attached
        return attached

    def _current(self) -> Attached:
        """Return the container as it was a moment ago: to ask the daemon takes milliseconds."""
        return self._attached or self._attach()

    def _adopt(self, attached: Attached) -> None:
        if self._attached is None or self._attached.machine != attached.machine:
            self._let_go()
            self._attached = attached

    def _let_go(self) -> None:
        if self._synchronising is not None:
            self._synchronising.target.close()
        self._synchronising = self._attached = None

    def _user(self) -> str | None:
        found = container_attach.find(self._daemon, self._full_name, self._settings)
        return found.user if found else None

    def _remember(self, attached: Attached) -> None:
        facts = {
            "settings": asdict(self._settings),
            "mirror": attached.mirror.private if attached.mirror else None,
            "root": attached.root,
            "policy": self._policy,
            "ignore": self._rules.ignore,
            "cache": self._rules.cache,
            "transport": self._transport,
        }
        container_memory.remember(self._files, self.name, facts)

    def close(self) -> None:
        """Let go of the container. It stays with its caches, unless it was made not to."""
        if self._is_closed:
            return
        if self._keep:
            self._let_go()
            self._daemon.close()
            self._is_closed = True
        else:
            self.remove()

    def remove(self) -> None:
        """Remove the container with its mirror and caches; what was not pulled is lost.

        Volumes that are keyed by a lock file stay for the next container.
        """
        place = container_memory.remembered(self._files, self.name).get("mirror")
        self._let_go()
        docker_machine.remove(self._daemon, self._full_name)
        directory = MirrorDirectory.known(place) if place else None
        if directory is not None:
            directory.remove()
        with self._files.transaction():
            peers = Peers(self._files)
            peer = peers.find("container", self.name)
            if peer is not None:
                peers.forget(peer)
            container_memory.forget(self._files, self.name)
        self._daemon.close()
        self._is_closed = True


def _end(files: FileSystem, job: int, phase: Phase, error: str) -> None:
    rows.advance(files, job, phase=phase, error=error, has_ended=True)
