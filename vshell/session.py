"""A handle on a workspace's files: every operation, from one directory and under one name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vshell.fs.paths import PathLike
from vshell.fs.transaction import Transaction
from vshell.ops import apply as apply_
from vshell.ops import detect as detect_
from vshell.ops import diff as diff_
from vshell.ops import edit as edit_
from vshell.ops import entries, metadata, moments, packing, transfer, upkeep
from vshell.ops import find as find_
from vshell.ops import git as git_
from vshell.ops import glob as glob_
from vshell.ops import grep as grep_
from vshell.ops import log as log_
from vshell.ops import ls as list_
from vshell.ops import patch as patch_
from vshell.ops import read as read_
from vshell.ops import tree as tree_
from vshell.ops import write as write_
from vshell.ops.context import Context

if TYPE_CHECKING:
    from vshell.ops.state import State
    from vshell.script.engine import Engine
    from vshell.script.functions import Function
    from vshell.script.limits import Limits
    from vshell.script.loop import Cancellation
    from vshell.script.result import ScriptResult
    from vshell.script.runs import Runs
    from vshell.shell.limits import ShellLimits
    from vshell.shell.rules import Rules
    from vshell.shell.shell import Ask, Shell
    from vshell.sync.container import Container
    from vshell.sync.container_attach import Transport
    from vshell.sync.docker_limits import ContainerLimits
    from vshell.sync.jobs import Job, JobList
    from vshell.sync.mirror import Mirror
    from vshell.sync.planner import Policy
    from vshell.sync.results import SyncLimits
    from vshell.tools.profile import Profile


class Session(Context):
    """Every operation, from one working directory and under one name.

    `Workspace.session` makes one. Its name stands in the journal beside each of its
    changes; its files are the workspace's.
    """

    keeps_containers = True
    """Whether its containers stay when they are closed; those of `memory()` have nowhere to."""

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
    log = log_.log
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
        limits: ShellLimits | Limits | Mapping[str, Any] | None = None,
        spool: PathLike | None = None,
        mirrors: Mapping[str, PathLike | Mirror] | None = None,
    ) -> Shell:
        """Return a shell: bash lines over the files, from this working directory.

        Args:
            session: A name under which it lasts: directory, variables, functions and
                history are in the workspace, for whoever asks for it next. None is a
                shell that is forgotten.
            rules: What it may run, read and write: a `Rules`, or its fields by name.
            ask: Answers what the rules say to ask about; None says no to all of it.
            limits: What each run may use: a `ShellLimits`, or its fields by name, or a
                `Limits` whose other fields are those by default.
            spool: A file of the workspace that gets all output of a run that printed more
                than the result keeps.
            mirrors: What its command `vshell-sync` may synchronise: directories of the host, or
                mirrors that `mirror` or `container` made, by the names that scripts know
                them by. None is nothing. The rules' paths do not hold for what that moves.

        Raises:
            RangeError: A limit, a rule or a mirror is unknown or wrong.
            BadPatternError: A path pattern of a rule is malformed.
        """
        from vshell.programs.starting import programs_of
        from vshell.shell.opening import open_shell

        return open_shell(
            self,
            session,
            rules=rules,
            ask=ask,
            limits=limits,
            spool=spool,
            programs=programs_of(self.files),
            mirrors=mirrors,
        )

    def run(
        self,
        source: str,
        *,
        language: str | None = None,
        inputs: Mapping[str, object] | None = None,
        functions: Mapping[str, Function | Callable[..., Any]] | None = None,
        atomic: bool = True,
        dry_run: bool = False,
        limits: Limits | Mapping[str, float] | None = None,
        engine: str | Engine = "auto",
        retries: int = 0,
        durable: bool = False,
        cancellation: Cancellation | None = None,
    ) -> ScriptResult:
        """Run a script in a fresh sandbox, with nothing in reach but the files of the workspace.

        The script sees `state`, whose methods it calls in snake_case or camelCase. Its
        result is what a function returns, or the value of the last expression.

        Args:
            source: Statements, an expression or a function, also in a Markdown fence.
            language: `"python"` or `"javascript"`; None to find out.
            inputs: Values for the script, as variables of these names and in `inputs`.
            functions: Functions of the host that it may call by these names.
            atomic: Apply all that it did at its end and in one step, or nothing; if not,
                each call is applied at once and stays.
            dry_run: Apply nothing. The result has the changes and the patch, and
                `runs.commit` with its `run_id` applies them.
            limits: What it may use; `Limits` or a mapping of its fields.
            engine: `"auto"`: the cheapest that can; or `"monty"`, `"cpython"`, `"quickjs"`.
            retries: How often to run it again after a conflict with somebody else's change.
            durable: Keep what it needs to go on in another process, should this one die:
                `runs.resume`. Each call is then applied at once, whatever `atomic` says.
            cancellation: Ends it from another thread.

        Returns:
            What it did, also when it failed: see `ScriptResult.status`.

        Raises:
            RangeError: An argument is none that there is.
            TypeError: An input has no form in JSON.
            ClosedError: The workspace is closed.
        """
        from vshell.script.run import run

        return run(
            self,
            source,
            language=language,
            inputs=inputs,
            functions=functions,
            atomic=atomic,
            dry_run=dry_run,
            limits=limits,
            engine=engine,
            retries=retries,
            durable=durable,
            cancellation=cancellation,
        )

    @property
    def runs(self) -> Runs:
        """The runs of scripts that are kept: durable ones, and such as wait to be approved."""
        from vshell.script.runs import Runs

        return Runs(self)

    def mirror(
        self,
        directory: PathLike,
        *,
        policy: Policy = "safe",
        ignore: Iterable[str] = (),
        cache: Iterable[str] | None = None,
        name: str | None = None,
        limits: SyncLimits | Mapping[str, float] | None = None,
    ) -> Mirror:
        """Return what keeps the workspace and a real directory the same, both ways.

        Args:
            directory: The directory on the host; the first synchronisation makes it.
            policy: What becomes of what both sides changed: `"safe"` keeps what the workspace
                has and leaves a conflict, `"workspace-wins"`, `"container-wins"` (which is
                whatever is in the directory), `"merge"` (of text; where it clashes as
                `"safe"`), or `"fail"`.
            ignore: Patterns as in a `.gitignore` for what is left alone on both sides.
            cache: Patterns for what only the directory has; None for `node_modules/`,
                `.venv/` and `target/`.
            name: What the workspace knows the mirror by; None for one that follows from
                the directory's place on the host.
            limits: What the directory may ask for: a `SyncLimits`, or its fields by name.

        Raises:
            PermissionDeniedError: It is the root of the host.
            RangeError: A limit is negative, or there is none of that name.
            UnavailableError: There is no such policy.
        """
        from vshell.sync.mirror import open_directory

        return open_directory(
            self.files,
            directory,
            policy=policy,
            ignore=ignore,
            cache=cache,
            name=name,
            limits=limits,
            changing=self.changing,
            cwd=self.cwd,
        )

    def container(
        self,
        image: str,
        *,
        network: bool | str = False,
        env: Mapping[str, str] | None = None,
        mounts: Mapping[str, str] | None = None,
        limits: ContainerLimits | Mapping[str, float | None] | None = None,
        user: str | None = None,
        cache: Sequence[str] | Mapping[str, str | None] = ("node_modules/", ".venv/", "target/"),
        ignore: Sequence[str] = (),
        policy: Policy = "safe",
        name: str | None = None,
        transport: Transport = "auto",
        daemon: str | None = None,
        keep: bool | None = None,
    ) -> Container:
        """Return a container in which commands run on the workspace's files.

        Its first `exec` makes it; the next call with the same options finds it again. It has
        no capabilities, and bounded memory and processes.

        Args:
            image: The image's name; it must have `/bin/sh`.
            network: True for the daemon's usual network, or a network's name.
            env: Variables for all commands, beside the session's environment.
            mounts: Directories of the host by where they are in the container: read-only,
                unless they end in `:rw`.
            limits: `ContainerLimits` or a mapping of its fields.
            user: Who runs commands, as `docker run --user` has it; None: where the mirror is
                a directory of this host its owner, else the image's user.
            cache: Patterns for directories that stay in the container from one command to the
                next and never come to the workspace. Of a mapping, the keys are directories
                that are volumes of the daemon, and the values the files whose content says
                which volume: a lock file for `node_modules`.
            ignore: Patterns for what goes neither way.
            policy: What to do where both sides changed the same; see `mirror`.
            name: Tells containers of one workspace apart; None: their options do.
            transport: `"bind"`: the mirror is a directory of this host; `"stream"`: it is in
                the container; `"auto"` tries the first.
            daemon: `unix:///path` or `tcp://host:port`; None: `$DOCKER_HOST`, else the usual
                sockets of Docker and Podman.
            keep: Whether the container stays when it is closed; None: unless the workspace
                itself is kept nowhere.

        Raises:
            UnavailableError: The library `docker` is missing, or no daemon answers.
            InvalidPathError: A mount, cache or name is not possible.
            RangeError: A limit is not positive, or there is none of that name.
        """
        from vshell.sync.container_opening import open_container

        return open_container(
            self.files,
            image,
            network=network,
            env={**self.environment, **(env or {})},
            mounts=mounts,
            limits=limits,
            user=user,
            cache=cache,
            ignore=ignore,
            policy=policy,
            name=name,
            session=self.name,
            cwd=self.cwd,
            transport=transport,
            daemon=daemon,
            keep=self.keeps_containers if keep is None else keep,
        )

    def jobs(self, *, limit: int = 100, offset: int = 0) -> JobList:
        """Return what ran in containers, the newest first.

        Args:
            limit: How many jobs at most.
            offset: How many of the newest to leave out.
        """
        from vshell.sync.jobs import list_jobs

        return list_jobs(self.files, limit=limit, offset=offset)

    def job(self, number: int) -> Job:
        """Return one job.

        Raises:
            NotFoundError: There is none of that number.
        """
        from vshell.sync.jobs import find_job

        return find_job(self.files, number)

    def tools(self, profile: str = "claude", **options: Any) -> Profile:
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
